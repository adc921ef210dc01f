-- Documents that go as requests, the platform's jobs that work on them, and what it answered about their rows.

ALTER TABLE deliveries ADD COLUMN sent_by TEXT NOT NULL DEFAULT 'sftp'; -- sftp, api
ALTER TABLE deliveries ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;   -- jobs of it that failed, or were lost, one after the other

CREATE TABLE holds (                  -- a row for each way that a refused login stops
    sent_by TEXT PRIMARY KEY,
    class   TEXT NOT NULL,
    login   TEXT NOT NULL,
    error   TEXT NOT NULL,
    at      BIGINT NOT NULL
);
INSERT INTO holds (sent_by, class, login, error, at) SELECT 'sftp', class, login, error, at FROM hold;
DROP TABLE hold;

CREATE TABLE jobs (                   -- what the platform works on by itself
    id       TEXT PRIMARY KEY,        -- the platform's
    kind     TEXT NOT NULL,           -- catalog, promotion, ... as package platform has it
    delivery BIGINT NOT NULL,         -- the request that it works on, 0 = none of ours: from the portal, or a file
    target   TEXT NOT NULL,           -- whose, '' = not known
    vendor   TEXT NOT NULL,           -- as the platform said, '' = nothing
    status   TEXT NOT NULL,           -- as the platform last said
    made_at  BIGINT NOT NULL,         -- when it was first heard of
    asked    BIGINT NOT NULL,         -- how often it was asked for
    next_at  BIGINT NOT NULL,         -- when it is asked for next, 0 = not by itself
    ended_at BIGINT NOT NULL,         -- 0 = it may still change something
    heard    TEXT NOT NULL,           -- how its end was heard of: event, poll, silent, lost
    rejected BIGINT NOT NULL,         -- rows that it did not take
    error    TEXT NOT NULL            -- what went wrong with it or with asking
);
CREATE INDEX jobs_due ON jobs (next_at) WHERE next_at > 0;
CREATE INDEX jobs_open ON jobs (target) WHERE ended_at = 0;
CREATE INDEX jobs_delivery ON jobs (delivery);
CREATE INDEX jobs_made ON jobs (made_at);

CREATE TABLE feedback (               -- rows that the platform did not take, by its last word on them
    target   TEXT NOT NULL,
    vendor   TEXT NOT NULL,           -- one store of a target that is for several
    item_key TEXT NOT NULL,           -- of the record: an article or a promotion
    sku      TEXT NOT NULL,
    reason   TEXT NOT NULL,           -- the platform's words
    job      TEXT NOT NULL,
    delivery BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    seq      BIGINT NOT NULL,         -- the drop that the row comes from, 0 = not known
    sheet    TEXT NOT NULL,
    line     BIGINT NOT NULL,         -- in it, 0 = not known
    PRIMARY KEY (target, item_key, vendor)
);
CREATE INDEX feedback_drop ON feedback (seq);
