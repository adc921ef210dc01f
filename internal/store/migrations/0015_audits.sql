-- Comparisons of what the platform has with what it was sent, one row for each store and time. The newest done one of a store keeps the
-- files that it was made of; of older ones the counts remain.

CREATE TABLE audits (
    id       BIGINT PRIMARY KEY,
    run      BIGINT NOT NULL,         -- those that were asked for together
    vendor   TEXT NOT NULL,
    source   TEXT NOT NULL,           -- list, export, file
    who      TEXT NOT NULL,           -- '' = the schedule
    set_sent INTEGER NOT NULL,        -- take what the platform has for what it was sent, where nothing was
    state    TEXT NOT NULL,           -- asked, exporting, done, failed
    asked_at BIGINT NOT NULL,
    next_at  BIGINT NOT NULL,         -- when it is gone on with
    tries    INTEGER NOT NULL,
    job      TEXT NOT NULL,           -- at the platform, of an export
    url      TEXT NOT NULL,           -- where the exported file lies, '' once it was read
    done_at  BIGINT NOT NULL,
    counts   TEXT NOT NULL,           -- JSON: shelf.AuditCounts
    there    TEXT NOT NULL,           -- digest of what the platform has, '' once a newer audit is done
    sent     TEXT NOT NULL,           -- JSON: digests of what it was sent, as of then
    unread   TEXT NOT NULL,           -- JSON: digests of what it may not have read, as of then
    took     INTEGER NOT NULL,        -- it became what was sent
    error    TEXT NOT NULL
);
CREATE INDEX audits_open ON audits (next_at) WHERE state IN ('asked', 'exporting');
CREATE INDEX audits_vendor ON audits (vendor, id);
CREATE INDEX audits_run ON audits (run);
CREATE INDEX audits_job ON audits (job) WHERE state = 'exporting';
