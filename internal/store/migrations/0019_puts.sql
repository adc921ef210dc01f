-- Files that the page put into drop folders. A row is written before its file gets its name there, so that the claim finds whose it is.

CREATE TABLE puts (
    id     TEXT PRIMARY KEY,   -- random: what a reader follows the file by
    feed   TEXT NOT NULL,
    name   TEXT NOT NULL,      -- in the drop folder
    sha256 TEXT NOT NULL,
    who    TEXT NOT NULL,      -- put it there
    at     BIGINT NOT NULL,
    seq    BIGINT NOT NULL     -- of the drop that it became, 0 = not taken yet
);
CREATE INDEX puts_open ON puts (sha256, name) WHERE seq = 0;
CREATE INDEX puts_seq ON puts (seq) WHERE seq > 0;
