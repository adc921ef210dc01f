-- What the brake has against rows of a shelf, and what people decided about it.

CREATE TABLE findings (
    id       BIGINT PRIMARY KEY,
    target   TEXT NOT NULL,
    code     TEXT NOT NULL,
    state    TEXT NOT NULL,           -- open, approved, rejected, gone
    finding  TEXT NOT NULL,           -- JSON: shelf.Finding
    held     TEXT NOT NULL,           -- digest of the record file with the rows as they are wanted, '' for a shelf as a whole
    first_at BIGINT NOT NULL,
    at       BIGINT NOT NULL,         -- of the state
    until    BIGINT NOT NULL,         -- approved: for so long, 0 = not approved
    who      TEXT NOT NULL
);
CREATE INDEX findings_target ON findings (target, state);

ALTER TABLE effects ADD COLUMN held TEXT NOT NULL DEFAULT ''; -- JSON: issues about rows of the drop that the brake holds
