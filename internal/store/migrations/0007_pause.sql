-- What an admin says by hand: nothing leaves for a store, an article is off sale. Rows that are over stay for the history.

CREATE TABLE pauses (                 -- nothing begins to leave
    id       BIGINT PRIMARY KEY,
    scope    TEXT NOT NULL,           -- vendor id, or * for all
    who      TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       BIGINT NOT NULL,
    until    BIGINT NOT NULL,         -- 0 = until somebody ends it
    ended    BIGINT NOT NULL,         -- 0 = in force
    ended_by TEXT NOT NULL            -- '' = by its time
);
CREATE UNIQUE INDEX pauses_open ON pauses (scope) WHERE ended = 0;

CREATE TABLE offs (                   -- articles that are switched off, whatever exports say
    id       BIGINT PRIMARY KEY,
    scope    TEXT NOT NULL,           -- vendor id, or * for all
    item_key TEXT NOT NULL,           -- as the chain identified it then
    sku      TEXT NOT NULL,
    barcode  TEXT NOT NULL,
    who      TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       BIGINT NOT NULL,
    until    BIGINT NOT NULL,         -- 0 = until somebody ends it
    ended    BIGINT NOT NULL,         -- 0 = in force
    ended_by TEXT NOT NULL,           -- '' = by its time
    applied  INTEGER NOT NULL         -- the layer says so
);
CREATE UNIQUE INDEX offs_open ON offs (scope, item_key) WHERE ended = 0;
CREATE INDEX offs_new ON offs (scope) WHERE applied = 0;
