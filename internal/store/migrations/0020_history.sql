-- What is asked all day, or changed with every drop, is found without walking what years have left behind.

CREATE INDEX deliveries_name_due ON deliveries (folder, name, id) WHERE state IN ('queued', 'deferred', 'sending', 'uncertain');

CREATE INDEX effects_held ON effects (target, seq) WHERE held <> '';
CREATE INDEX effects_open ON effects (state, target, seq) WHERE state IN ('waiting', 'planned');

CREATE INDEX layers_now ON layers (feed, scope, seq) WHERE state <> 'past';

CREATE INDEX drops_name ON drops (feed, name COLLATE NOCASE, seq);

CREATE INDEX ledger_at ON ledger (at, id);
CREATE INDEX findings_open ON findings (id) WHERE state = 'open';

-- What retention looks for. The first young drop tells how far back everything is old.

CREATE INDEX drops_seen ON drops (first_seen, seq);
CREATE INDEX drops_archived ON drops (first_seen) WHERE archived <> '';
CREATE INDEX drops_issues ON drops (first_seen) WHERE outcome <> '' AND json_type(outcome, '$.issues') IS NOT NULL;
CREATE INDEX plans_old ON plans (created) WHERE state <> 'open';
CREATE INDEX layer_history_old ON layer_history (until) WHERE until > 0;
CREATE INDEX puts_old ON puts (at);
