-- What happened, what counted when, and what a rollback was asked for.

CREATE TABLE ledger (                 -- what happened; rows are only added
    id     BIGINT PRIMARY KEY,        -- without gaps
    at     BIGINT NOT NULL,
    kind   TEXT NOT NULL,
    body   TEXT NOT NULL,             -- JSON: store.Facts
    before TEXT NOT NULL,             -- the hash of the row before
    hash   TEXT NOT NULL              -- of everything above
);
CREATE INDEX ledger_kind ON ledger (kind, id);

CREATE TABLE ledger_kept (            -- one row: which part of the ledger retention has left
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    first BIGINT NOT NULL             -- the first row that is kept
);
INSERT INTO ledger_kept (id, first) VALUES (1, 1);

CREATE TRIGGER ledger_update BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END;
CREATE TRIGGER ledger_delete BEFORE DELETE ON ledger WHEN OLD.id >= (SELECT first FROM ledger_kept)
BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END;
CREATE TRIGGER ledger_kept_back BEFORE UPDATE ON ledger_kept WHEN NEW.first < OLD.first
BEGIN SELECT RAISE(ABORT, 'what the ledger keeps only moves on'); END;

CREATE TABLE layer_history (          -- which files of a layer counted from when to when
    feed    TEXT NOT NULL,
    scope   TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    digest  TEXT NOT NULL,
    is_full INTEGER NOT NULL,
    merged  INTEGER NOT NULL,         -- the file stands for the drops before it, too
    since   BIGINT NOT NULL,
    until   BIGINT NOT NULL           -- 0 = it counts now
);
CREATE INDEX layer_history_layer ON layer_history (feed, scope, seq);
CREATE INDEX layer_history_now ON layer_history (feed, scope) WHERE until = 0;

-- From before there was a history: when exactly a file began to count is not known, and taken to be when its drop was read. One that is
-- past counted until the next full or merged one was read, unless the brake had held it.
INSERT INTO layer_history (feed, scope, seq, digest, is_full, merged, since, until)
    SELECT l.feed, l.scope, l.seq, CASE l.state WHEN 'passed' THEN l.digest ELSE l.was END, l.is_full, l.merged,
        COALESCE((SELECT d.read_at FROM drops d WHERE d.seq = l.seq), 0), 0
    FROM layers l WHERE l.state = 'passed' OR l.state <> 'past' AND l.was <> '';
INSERT INTO layer_history (feed, scope, seq, digest, is_full, merged, since, until)
    SELECT feed, scope, seq, digest, is_full, merged, since, until FROM (
        SELECT l.feed, l.scope, l.seq, l.digest, l.is_full, l.merged, d.read_at AS since,
            (SELECT MIN(n.read_at) FROM layers o JOIN drops n ON n.seq = o.seq
                WHERE o.feed = l.feed AND o.scope = l.scope AND o.seq > l.seq AND (o.is_full = 1 OR o.merged = 1)
                    AND (o.state = 'passed' OR o.was <> '' OR o.state = 'past' AND o.findings IN ('', 'null', '[]'))) AS until
        FROM layers l JOIN drops d ON d.seq = l.seq WHERE l.state = 'past' AND l.findings IN ('', 'null', '[]')) AS past
    WHERE until IS NOT NULL;

CREATE TABLE rollbacks (              -- what an admin asked to be put back
    id       BIGINT PRIMARY KEY,
    back_to  BIGINT NOT NULL,         -- the time whose shelf is wanted again
    vendor   TEXT NOT NULL,           -- '' = every store
    feed     TEXT NOT NULL,           -- '' = every feed
    who      TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    state    TEXT NOT NULL,           -- asked, done, failed
    seq      BIGINT NOT NULL,         -- the drop that it became, 0 before
    error    TEXT NOT NULL
);
CREATE INDEX rollbacks_asked ON rollbacks (id) WHERE state = 'asked';
