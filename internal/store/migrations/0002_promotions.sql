-- Promotions start only once others have ended: what one plan leaves for a later one.

ALTER TABLE plans ADD COLUMN waiting BIGINT NOT NULL DEFAULT 0;    -- promotions that a later plan starts
ALTER TABLE targets ADD COLUMN waiting BIGINT NOT NULL DEFAULT 0;  -- of the newest plan, also of one without documents
ALTER TABLE targets ADD COLUMN withheld BIGINT NOT NULL DEFAULT 0; -- likewise: promotions that can't start as they are
ALTER TABLE layers ADD COLUMN owned BIGINT NOT NULL DEFAULT 0;     -- fields that the export speaks of, as catalog.Fields

CREATE INDEX plans_waiting ON plans (target) WHERE waiting > 0;
