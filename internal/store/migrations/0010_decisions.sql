-- In which order people decided about findings, and how far a target's newest plan knew of it.

ALTER TABLE findings ADD COLUMN decided BIGINT NOT NULL DEFAULT 0; -- the number of the decision, 0 = none
ALTER TABLE targets ADD COLUMN decided BIGINT NOT NULL DEFAULT 0;  -- of the newest decision that its last plan knew
ALTER TABLE effects ADD COLUMN rejected TEXT NOT NULL DEFAULT '';  -- JSON: issues about rows of the drop that do not count, by the word of a person
