-- Who is told that a person is needed: what is known, and what each target was told last.

CREATE TABLE alert_book (             -- one row
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    book TEXT NOT NULL                -- JSON: alert.Book
);

CREATE TABLE alert_targets (
    target   TEXT PRIMARY KEY,        -- fingerprint of way and address
    place    TEXT NOT NULL,           -- in the config, such as alerts[0]
    told     TEXT NOT NULL,           -- JSON: alert.Told, what it was told last
    due      TEXT NOT NULL,           -- names the message that does not get through, '' = none
    due_at   BIGINT NOT NULL,         -- since when it is due
    failures BIGINT NOT NULL,         -- attempts at it
    next_at  BIGINT NOT NULL,         -- of the next attempt, 0 = now or, where it failed, with the next change
    error    TEXT NOT NULL            -- of the last attempt, without the address
);
