-- What the platform is asked for, and where its events and its answers tell different things.

ALTER TABLE orders ADD COLUMN asked_at BIGINT NOT NULL DEFAULT 0; -- when the platform was last asked for it, alone or in a list
ALTER TABLE orders ADD COLUMN missing BIGINT NOT NULL DEFAULT 0;  -- how often it did not know it, one after the other
CREATE INDEX orders_ask ON orders (asked_at) WHERE final = 0;

CREATE TABLE polls (                  -- a row for each store
    vendor   TEXT PRIMARY KEY,
    tried_at BIGINT NOT NULL,         -- when its orders were last asked for
    done_at  BIGINT NOT NULL,         -- when they were last read wholly
    failures BIGINT NOT NULL,         -- one after the other
    error    TEXT NOT NULL            -- of the last one
);

CREATE TABLE order_gaps (             -- orders of which events and answers tell different things
    key      TEXT NOT NULL,           -- of the order
    kind     TEXT NOT NULL,           -- not-told, not-listed, differs
    state    TEXT NOT NULL,           -- that one of the two does not have
    seen_at  BIGINT NOT NULL,         -- when the other one told it
    found_at BIGINT NOT NULL,
    checked  BIGINT NOT NULL,         -- how often the platform was asked for the order because of it
    next_at  BIGINT NOT NULL,         -- when it is asked again
    outcome  TEXT NOT NULL,           -- repaired, confirmed, gone; '' = open
    ended_at BIGINT NOT NULL,         -- 0 = open
    PRIMARY KEY (key, kind, state)
) WITHOUT ROWID;
CREATE INDEX order_gaps_found ON order_gaps (found_at);
CREATE INDEX order_gaps_open ON order_gaps (next_at) WHERE ended_at = 0;
CREATE INDEX order_gaps_kind ON order_gaps (kind, seen_at);
