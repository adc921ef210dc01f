-- What an answer shows beside counts.

ALTER TABLE effects ADD COLUMN moves TEXT NOT NULL DEFAULT '';       -- JSON: the largest price changes, as shelf.Move
ALTER TABLE drops ADD COLUMN workbook TEXT NOT NULL DEFAULT '';      -- the annotated copy: '' = not tried yet, written, none
