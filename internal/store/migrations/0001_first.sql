-- Times are unix milliseconds in UTC. JSON is text. A target is "<kind>/<vendor id>".

CREATE TABLE numbers (                -- sequences that must never repeat, whatever is deleted
    name  TEXT PRIMARY KEY,
    last  BIGINT NOT NULL
);

CREATE TABLE drops (                  -- exports that were claimed in a drop folder
    seq         BIGINT PRIMARY KEY,
    feed        TEXT NOT NULL,
    name        TEXT NOT NULL,
    size        BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    modified    BIGINT NOT NULL,
    first_seen  BIGINT NOT NULL,
    owner       TEXT NOT NULL,
    archived    TEXT NOT NULL,        -- path of the copy in the archive, '' once purged
    state       TEXT NOT NULL,        -- seen, read, rejected
    read_at     BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,        -- of the reader and mapping that understood it
    outcome     TEXT NOT NULL,        -- JSON: what it was understood as
    receipt_due BIGINT NOT NULL       -- 0 = the receipt is written; else counts the reasons to write it
);
CREATE INDEX drops_receipt ON drops (receipt_due) WHERE receipt_due > 0;
CREATE INDEX drops_feed ON drops (feed, seq);

CREATE TABLE effects (                -- what a drop means for one store
    seq         BIGINT NOT NULL REFERENCES drops (seq),
    target      TEXT NOT NULL,
    state       TEXT NOT NULL,        -- waiting, held, planned, unchanged, verified, replaced
    change      TEXT NOT NULL,        -- JSON: shelf.Change as it looked when the drop was read
    plan        BIGINT NOT NULL,      -- 0 = none yet
    at          BIGINT NOT NULL,      -- of the state
    PRIMARY KEY (seq, target)
);
CREATE INDEX effects_target ON effects (target, state, seq);
CREATE INDEX effects_plan ON effects (plan);

CREATE TABLE layers (                 -- the files of every layer, in the order of seq
    feed       TEXT NOT NULL,
    scope      TEXT NOT NULL,         -- vendor id, or * for all
    seq        BIGINT NOT NULL,       -- the drop that made it
    is_full    INTEGER NOT NULL,
    merged     INTEGER NOT NULL,      -- it stands for the drops before it, too
    digest     TEXT NOT NULL,
    was        TEXT NOT NULL,         -- read anew: the digest that counts until the brake has passed the new one, else ''
    present    BIGINT NOT NULL,
    tombstones BIGINT NOT NULL,
    modified   BIGINT NOT NULL,       -- time of the export
    state      TEXT NOT NULL,         -- new, passed, held, past
    findings   TEXT NOT NULL,         -- JSON: what the brake has against it
    PRIMARY KEY (feed, scope, seq)
);
CREATE INDEX layers_state ON layers (scope, state);
CREATE INDEX layers_drop ON layers (seq);

CREATE TABLE approvals (              -- findings that an admin accepted
    feed   TEXT NOT NULL,
    scope  TEXT NOT NULL,
    code   TEXT NOT NULL,
    share  REAL NOT NULL,             -- worse than this asks again
    until  BIGINT NOT NULL,
    who    TEXT NOT NULL,
    PRIMARY KEY (feed, scope, code)
);

CREATE TABLE targets (
    target   TEXT PRIMARY KEY,
    parts    INTEGER NOT NULL,
    plan_due INTEGER NOT NULL,        -- a tick came and no plan was made for it yet
    full_due INTEGER NOT NULL,        -- the next plan says everything
    adopt    INTEGER NOT NULL         -- whatever lies under our names may be replaced
);

CREATE TABLE sent (                   -- what the platform has verifiably been sent, the lowest first
    target TEXT NOT NULL,
    pos    BIGINT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (target, pos)
);

CREATE TABLE plans (
    id         BIGINT PRIMARY KEY,
    target     TEXT NOT NULL,
    is_full    INTEGER NOT NULL,
    state      TEXT NOT NULL,         -- open, superseded, done
    upto       BIGINT NOT NULL,       -- the newest drop it knows
    differs    BIGINT NOT NULL,
    rows_total BIGINT NOT NULL,
    change     TEXT NOT NULL,         -- JSON: shelf.Change
    below      TEXT NOT NULL,         -- full: digest of what its documents don't say and was sent, else ''
    created    BIGINT NOT NULL,
    done_at    BIGINT NOT NULL
);
CREATE INDEX plans_open ON plans (target) WHERE state = 'open';

CREATE TABLE deliveries (             -- documents on their way
    id          BIGINT PRIMARY KEY,
    plan        BIGINT NOT NULL REFERENCES plans (id),
    target      TEXT NOT NULL,
    part        INTEGER NOT NULL,
    folder      TEXT NOT NULL,
    name        TEXT NOT NULL,
    path        TEXT NOT NULL,        -- of the bytes, below the state folder
    size        BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    doc_rows    BIGINT NOT NULL,
    records     TEXT NOT NULL,        -- digest of the record file with its rows
    state       TEXT NOT NULL,        -- queued, deferred, sending, uncertain, verified, taken, confirmed, parked, superseded
    attempts    INTEGER NOT NULL,
    next_at     BIGINT NOT NULL,
    class       TEXT NOT NULL,
    error       TEXT NOT NULL,
    began_at    BIGINT NOT NULL,      -- of the first attempt
    verified_at BIGINT NOT NULL,
    proof       TEXT NOT NULL,
    way         TEXT NOT NULL,
    replaced    INTEGER NOT NULL,
    unsettled   INTEGER NOT NULL,     -- it began to leave and is not known to have been read
    look_at     BIGINT NOT NULL,      -- when to see what became of it, 0 = no need
    fate        TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (state, next_at) WHERE state IN ('queued', 'deferred', 'sending', 'uncertain');
CREATE INDEX deliveries_open ON deliveries (target) WHERE state IN ('queued', 'deferred', 'sending', 'uncertain', 'parked');
CREATE INDEX deliveries_target ON deliveries (target, verified_at);
CREATE INDEX deliveries_name ON deliveries (folder, name, id);
CREATE INDEX deliveries_plan ON deliveries (plan);
CREATE INDEX deliveries_unsettled ON deliveries (target) WHERE unsettled = 1;
CREATE INDEX deliveries_look ON deliveries (look_at) WHERE look_at > 0;

CREATE TABLE slots (                  -- the last slot of each schedule that was run
    name TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE hold (                   -- one row while a refused login stops everything
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    class TEXT NOT NULL,
    login TEXT NOT NULL,
    error TEXT NOT NULL,
    at    BIGINT NOT NULL
);

CREATE TABLE facts (                  -- small things that outlive a process: salt, config digest
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
