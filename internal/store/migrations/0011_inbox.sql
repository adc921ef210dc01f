-- What the platform told by webhook. A body is personal data: it goes with its retention, the row stays a while so that the same event
-- is known again.

CREATE TABLE inbox (
    id       INTEGER PRIMARY KEY,
    digest   BLOB NOT NULL,           -- SHA-256 of the body
    at       BIGINT NOT NULL,         -- when it came first
    state    TEXT NOT NULL,           -- new, handled, aside; test: a sample of our own
    kind     TEXT NOT NULL,           -- what it was understood as, '' = not yet
    reason   TEXT NOT NULL,           -- why it was put aside
    detail   TEXT NOT NULL,           -- what handling it met last, without its body
    body     BLOB NOT NULL,           -- empty once it is purged
    size     BIGINT NOT NULL,         -- of the body when it came
    repeats  BIGINT NOT NULL,         -- how often it came again
    last_at  BIGINT NOT NULL,         -- when it came last
    attempts BIGINT NOT NULL,         -- at handling it, that failed
    next_at  BIGINT NOT NULL,         -- of the next attempt, 0 = now
    done_at  BIGINT NOT NULL          -- when it was handled or put aside
);
CREATE UNIQUE INDEX inbox_digest ON inbox (digest);
CREATE INDEX inbox_due ON inbox (next_at, id) WHERE state = 'new';
CREATE INDEX inbox_aside ON inbox (id) WHERE state = 'aside';
CREATE INDEX inbox_old ON inbox (done_at) WHERE state <> 'new';
CREATE INDEX inbox_personal ON inbox (MIN(at, done_at)) WHERE state <> 'new' AND body <> X'';

CREATE TABLE inbox_counts (           -- what came, and what was refused
    what    TEXT PRIMARY KEY,         -- accepted, repeats, aside/<reason>, refused/<reason>
    n       BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    remote  TEXT NOT NULL             -- of the last refused call
);
