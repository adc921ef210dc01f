-- Orders, how they came to be known, and what the ERP is handed of them.

CREATE TABLE orders (                 -- nothing in here is personal
    key           TEXT PRIMARY KEY,   -- the id in lower case
    id            TEXT NOT NULL,      -- as the platform wrote it
    external      TEXT NOT NULL,
    code          TEXT NOT NULL,
    vendor        TEXT NOT NULL,
    partner       TEXT NOT NULL,
    kind          TEXT NOT NULL,      -- DELIVERY, PICKUP
    transport     TEXT NOT NULL,
    preorder      INTEGER NOT NULL,
    state         TEXT NOT NULL,      -- '' = only unknown ones were seen
    reached       TEXT NOT NULL,      -- without regard to a cancellation
    strange       TEXT NOT NULL,      -- the newest unknown state
    contradiction INTEGER NOT NULL,
    final         INTEGER NOT NULL,   -- nothing is expected any more
    cart_state    TEXT NOT NULL,      -- the newest body
    cart_at       BIGINT NOT NULL,
    cart          TEXT NOT NULL,      -- its digest
    total         TEXT NOT NULL,
    items         BIGINT NOT NULL,
    reason        TEXT NOT NULL,      -- of the cancellation
    created       BIGINT NOT NULL,    -- by the platform's clock, as updated
    updated       BIGINT NOT NULL,
    first         BIGINT NOT NULL,    -- by ours, as changed
    changed       BIGINT NOT NULL,
    purged        BIGINT NOT NULL     -- when what is personal was removed, 0 = it is there
);
CREATE INDEX orders_changed ON orders (changed);
CREATE INDEX orders_vendor ON orders (vendor, changed);
CREATE INDEX orders_state ON orders (state, changed);
CREATE INDEX orders_vendor_state ON orders (vendor, state, changed);
CREATE INDEX orders_external ON orders (external);
CREATE INDEX orders_code ON orders (code);
CREATE INDEX orders_personal ON orders (changed) WHERE purged = 0;
CREATE INDEX orders_strange ON orders (changed) WHERE strange <> '';
CREATE INDEX orders_contradiction ON orders (changed) WHERE contradiction = 1;

CREATE TABLE order_bodies (           -- the newest in each state
    key     TEXT NOT NULL,
    state   TEXT NOT NULL,
    updated BIGINT NOT NULL,          -- by the platform's clock
    cart    TEXT NOT NULL,
    body    BLOB NOT NULL,            -- JSON as the platform wrote it; personal. Empty = not kept any more
    PRIMARY KEY (key, state)
);

CREATE TABLE order_sightings (
    key     TEXT NOT NULL,
    state   TEXT NOT NULL,
    source  TEXT NOT NULL,            -- webhook, poll
    cart    TEXT NOT NULL,
    at      BIGINT NOT NULL,          -- the first time, by our clock
    updated BIGINT NOT NULL,          -- the newest time that came with it, by the platform's clock
    PRIMARY KEY (key, state, source, cart)
) WITHOUT ROWID;

CREATE TABLE order_dues (             -- hand-overs to the ERP
    seq      INTEGER PRIMARY KEY,     -- in this order
    key      TEXT NOT NULL,
    asked    TEXT NOT NULL,
    revision BIGINT NOT NULL,
    vendor   TEXT NOT NULL,
    seen     TEXT NOT NULL,           -- the state that the order was in
    skipped  INTEGER NOT NULL,        -- asked itself was not seen
    cart     TEXT NOT NULL,
    replay   INTEGER NOT NULL,        -- somebody asked for it once more
    state    TEXT NOT NULL,           -- due, staged, done, dropped
    at       BIGINT NOT NULL,         -- when it came to be due
    file     BIGINT NOT NULL,         -- of order_files, 0 = none yet
    UNIQUE (key, asked, revision)
);
CREATE INDEX order_dues_open ON order_dues (vendor, seq) WHERE state = 'due';
CREATE INDEX order_dues_staged ON order_dues (key) WHERE state = 'staged';
CREATE INDEX order_dues_file ON order_dues (file);

CREATE TABLE order_files (
    id      INTEGER PRIMARY KEY,
    dir     TEXT NOT NULL,
    temp    TEXT NOT NULL,            -- its name until it is whole
    name    TEXT NOT NULL,
    sha256  TEXT NOT NULL,
    size    BIGINT NOT NULL,
    orders  BIGINT NOT NULL,          -- hand-overs in it
    personal INTEGER NOT NULL,        -- the customer is in it
    state   TEXT NOT NULL,            -- staged, done
    at      BIGINT NOT NULL,          -- when it was staged
    done    BIGINT NOT NULL,          -- when it had its name, 0 = not yet
    removed BIGINT NOT NULL           -- when it was looked for and is not there any more, or was removed; 0 = may be there
);
CREATE UNIQUE INDEX order_files_name ON order_files (name COLLATE NOCASE);
CREATE INDEX order_files_state ON order_files (state, id);
CREATE INDEX order_files_old ON order_files (at) WHERE removed = 0 AND personal = 1;

CREATE TABLE order_marks (            -- up to when the platform was asked for a store's orders
    vendor TEXT PRIMARY KEY,
    upto   BIGINT NOT NULL
);
