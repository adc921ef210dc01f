package store

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"strings"
	"time"
)

// What retention looks for has indexes of its own: what it has left stays for years, and is not walked again.
const (
	purgeableQuery = `SELECT ` + dropColumns + ` FROM drops INDEXED BY drops_archived WHERE archived <> '' AND state <> 'seen' AND first_seen < $1
		AND seq NOT IN (SELECT seq FROM layers INDEXED BY layers_now WHERE state <> 'past') ORDER BY seq`

	// ofOldDrops holds for what comes of a drop before the first young one. What a clock that was set back wrote behind that stays, too. One
	// that is not to come before $2, now, was written while the clock was ahead: others would stay behind it for as long.
	ofOldDrops = `seq > 0 AND seq < (SELECT COALESCE(MIN(CASE WHEN first_seen <= $2 THEN seq END), MIN(seq), 9223372036854775807)
		FROM drops INDEXED BY drops_seen WHERE first_seen >= $1)`
	oldPlans = `state <> 'open' AND created < $1`

	forgetLayers     = `DELETE FROM layers WHERE +state = 'past' AND ` + ofOldDrops
	forgetDeliveries = `DELETE FROM deliveries WHERE unsettled = 0 AND plan IN (SELECT id FROM plans INDEXED BY plans_old WHERE ` + oldPlans + `)
		AND (EXISTS (SELECT 1 FROM deliveries n WHERE n.folder = deliveries.folder AND n.name = deliveries.name
				AND n.id > deliveries.id AND n.verified_at > 0)
			OR sent_by = 'api' AND EXISTS (SELECT 1 FROM deliveries n WHERE n.target = deliveries.target AND n.plan > deliveries.plan
				AND n.verified_at > 0))`
	forgetPlans   = `DELETE FROM plans INDEXED BY plans_old WHERE ` + oldPlans + ` AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.plan = plans.id)`
	forgetHistory = `DELETE FROM layer_history WHERE until > 0 AND until < $1`
	// A drop's row stays for the ledger. What it meant for each store, and where its issues were, was told in its answer.
	forgetEffects = `DELETE FROM effects WHERE state IN ('unchanged', 'verified', 'replaced', 'rejected') AND ` + ofOldDrops + `
		AND NOT EXISTS (SELECT 1 FROM drops d WHERE d.seq = effects.seq AND d.receipt_due <> 0)`
	forgetIssues = `UPDATE drops INDEXED BY drops_issues SET outcome = json_remove(outcome, '$.issues') WHERE first_seen < $1 AND archived = ''
		AND outcome <> '' AND json_type(outcome, '$.issues') IS NOT NULL`
)

// Purgeable lists drops whose archived export is older than a time and not behind a current layer.
func (s *Store) Purgeable(ctx context.Context, before time.Time) ([]Drop, error) {
	all, err := list(ctx, s.read, scanDrop, purgeableQuery, millis(before))
	return all, wrap(err, "list old exports")
}

// Purged records that an export is in the archive no more.
func (s *Store) Purged(ctx context.Context, seq int64) error {
	return s.exec(ctx, "record a removed export", `UPDATE drops SET archived = '' WHERE seq = $1`, seq)
}

// Forget deletes what only history needs and is older than a time: layer files that are past, plans that are done or superseded with
// deliveries that have settled and are not the last under their name, what counted before, and the details of drops.
func (s *Store) Forget(ctx context.Context, before time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, step := range []string{
			forgetLayers,
			forgetDeliveries,
			`DELETE FROM jobs WHERE made_at < $1 AND (ended_at > 0 OR delivery = 0)`,
			`DELETE FROM feedback WHERE at < $1`,
			forgetPlans,
			`DELETE FROM approvals WHERE until < $1`,
			// What was approved long ago was sent, or is asked about once more; so is what was rejected.
			`DELETE FROM findings WHERE state <> 'open' AND at < $1 AND until < $1`,
			`DELETE FROM pauses WHERE ended > 0 AND ended < $1`,
			`DELETE FROM offs WHERE ended > 0 AND ended < $1 AND applied = 1`,
			forgetHistory,
			`DELETE FROM rollbacks WHERE state <> 'asked' AND asked_at < $1`,
			`INSERT INTO facts (name, value) VALUES ('history since', CAST($1 AS TEXT)) ON CONFLICT (name) DO UPDATE SET
				value = CASE WHEN CAST(value AS BIGINT) < $1 THEN excluded.value ELSE value END`,
			forgetEffects,
			forgetIssues,
		} {
			if _, err := tx.ExecContext(ctx, step, millis(before), millis(s.Now())); err != nil {
				return fmt.Errorf("forget old history: %w", err)
			}
		}
		return forgetAudits(ctx, tx, before)
	})
}

// Referenced returns the digests of the record files, and of the documents, that any row points to.
func (s *Store) Referenced(ctx context.Context) (records, documents map[string]bool, err error) {
	records, documents = map[string]bool{}, map[string]bool{}
	all, err := list(ctx, s.read, scanOne[string], `SELECT digest FROM layers UNION SELECT was FROM layers
		UNION SELECT held FROM findings
		UNION SELECT digest FROM layer_history UNION SELECT digest FROM sent UNION SELECT records FROM deliveries UNION SELECT below FROM plans
		UNION SELECT there FROM audits
		UNION SELECT j.value FROM audits a, json_each(a.sent) j WHERE a.there <> '' AND a.sent NOT IN ('', 'null')
		UNION SELECT j.value FROM audits a, json_each(a.unread) j WHERE a.there <> '' AND a.unread NOT IN ('', 'null')`)
	if err != nil {
		return nil, nil, wrap(err, "list shelf files in use")
	}
	for _, d := range all {
		if d != "" { // of a layer that was not read anew, of a plan with nothing below
			records[d] = true
		}
	}
	all, err = list(ctx, s.read, scanOne[string], `SELECT DISTINCT path FROM deliveries`)
	for _, p := range all {
		documents[strings.TrimSuffix(path.Base(p), path.Ext(p))] = true
	}
	return records, documents, wrap(err, "list documents in use")
}
