package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

// Job is what the platform works on by itself: a request of ours, or something that an event told of.
type Job struct {
	ID       string
	Kind     string // as package platform has it
	Delivery int64  // the request, 0 = none of ours
	Target   string // "" = not known
	Vendor   string // as the platform said, "" = nothing
	Status   string // as the platform last said
	Made     time.Time
	Asked    int // how often it was asked for
	Next     time.Time
	Ended    time.Time // zero = it may still change something
	Heard    Heard     // how its end is known
	Rejected int       // rows that it did not take
	Error    string

	Plan     int64 // of the request
	Rows     int   // of the request
	Name     string
	Failures int    // jobs of the request that failed before, one after the other
	Drops    string // the numbers of the drops behind the request, with spaces between
}

// Heard is how the end of a job is known.
type Heard string

// How ends are heard of.
const (
	HeardEvent  Heard = "event"  // the platform said so by itself
	HeardPoll   Heard = "poll"   // it was asked
	HeardSilent Heard = "silent" // it said nothing for so long that it is taken as ended
	HeardLost   Heard = "lost"   // it does not know the job, or nobody could ask
)

// accepted is Verified for a request: the platform has taken it, and works on it by itself where it named a job.
func (q Queue) accepted(ctx context.Context, id int64, r outbox.Receipt) error {
	state, fate := "verified", outbox.Fate("")
	switch {
	case r.Job == "" && r.Done:
		state, fate = "confirmed", outbox.FateConfirmed
	case r.Job == "":
		fate = outbox.FateSilent
	}
	return q.share(ctx, func(tx *sharedTx) error {
		var plan int64
		var target string
		err := tx.QueryRowContext(ctx, `UPDATE deliveries SET state = $2, verified_at = $3, proof = $4, way = $5, next_at = 0, class = '', error = '',
				look_at = 0, fate = $6, unsettled = 1, failures = CASE $2 WHEN 'confirmed' THEN 0 ELSE failures END
			WHERE id = $1 RETURNING plan, target`, id, state, millis(r.At), r.Proof, r.Way, fate).Scan(&plan, &target)
		if err == nil && r.Job != "" {
			_, err = tx.ExecContext(ctx, `INSERT INTO jobs (id, kind, delivery, target, vendor, status, made_at, asked, next_at, ended_at, heard,
					rejected, error) VALUES ($1, '', $2, $3, '', '', $4, 0, $4, 0, '', 0, '')
				ON CONFLICT (id) DO UPDATE SET delivery = excluded.delivery, target = excluded.target, next_at = excluded.next_at, asked = 0,
					ended_at = 0, heard = ''`, r.Job, id, target, millis(r.At))
		}
		if err == nil {
			err = noteDelivery(ctx, tx, r.At, EntryVerified, id, func(f *Facts) { f.Proof, f.Way, f.Job = string(r.Proof), r.Way, r.Job })
		}
		if err == nil {
			err = finishPlans(ctx, tx.Tx, map[int64]time.Time{plan: r.At})
		}
		if err == nil && r.Job == "" {
			err = settleBefore(ctx, tx.Tx, target, plan)
		}
		return wrap(err, "record receipt of delivery %d", id)
	})
}

// settleBefore settles what was sent to a target before a plan that has settled as a whole: a plan contains everything that was unsettled.
func settleBefore(ctx context.Context, tx *sql.Tx, target string, plan int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE deliveries SET unsettled = 0 WHERE target = $1 AND unsettled = 1 AND plan < $2
		AND EXISTS (SELECT 1 FROM plans p WHERE p.id = $2 AND p.state = 'done')
		AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.plan = $2 AND n.unsettled = 1)`, target, plan)
	return err
}

const (
	jobColumns = `j.id, j.kind, j.delivery, j.target, j.vendor, j.status, j.made_at, j.asked, j.next_at, j.ended_at, j.heard, j.rejected,
		j.error, COALESCE(d.plan, 0), COALESCE(d.doc_rows, 0), COALESCE(d.folder || '/' || d.name, ''), COALESCE(d.failures, 0),
		COALESCE((SELECT group_concat(e.seq, ' ') FROM effects e WHERE e.plan = d.plan), '')`
	jobsQuery     = `SELECT ` + jobColumns + ` FROM jobs j LEFT JOIN deliveries d ON d.id = j.delivery `
	openJobsQuery = jobsQuery + `WHERE j.target = $1 AND j.ended_at = 0 AND j.delivery > 0`
	lastJobsQuery = jobsQuery + `WHERE j.made_at >= (SELECT MIN(made_at) FROM (SELECT made_at FROM jobs ORDER BY made_at DESC LIMIT $1))
		ORDER BY j.made_at DESC, j.id LIMIT $1`
	jobsDueQuery = jobsQuery + `WHERE j.next_at > 0 AND (j.next_at <= $1 OR j.next_at > $2) ORDER BY j.next_at LIMIT $3`
	nextJobQuery = `SELECT MIN(next_at) FROM jobs WHERE next_at > 0 AND next_at <= $1`
)

func scanJob(rows *sql.Rows) (j Job, err error) {
	var made, next, ended int64
	err = rows.Scan(&j.ID, &j.Kind, &j.Delivery, &j.Target, &j.Vendor, &j.Status, &made, &j.Asked, &next, &ended, &j.Heard, &j.Rejected,
		&j.Error, &j.Plan, &j.Rows, &j.Name, &j.Failures, &j.Drops)
	j.Made, j.Next, j.Ended = fromMillis(made), fromMillis(next), fromMillis(ended)
	return j, err
}

// JobsDue lists the jobs that are to be asked for at now, the longest due first, at most limit.
func (s *Store) JobsDue(ctx context.Context, now time.Time, limit int) ([]Job, error) {
	all, err := list(ctx, s.read, scanJob, jobsDueQuery, millis(now), millis(now.Add(longestDelay)), limit)
	return all, wrap(err, "list jobs to ask for")
}

// NextJob returns when a job is to be asked for, the zero time where none is.
func (s *Store) NextJob(ctx context.Context, now time.Time) (time.Time, error) {
	var next sql.NullInt64
	err := s.read.QueryRowContext(ctx, nextJobQuery, millis(now.Add(longestDelay))).Scan(&next)
	return fromMillis(next.Int64), wrap(err, "read when jobs are due")
}

// JobOf returns a job, false where it was never heard of.
func (s *Store) JobOf(ctx context.Context, id string) (Job, bool, error) {
	all, err := list(ctx, s.read, scanJob, jobsQuery+`WHERE j.id = $1`, id)
	if err != nil || len(all) == 0 {
		return Job{}, false, wrap(err, "read job %s", id)
	}
	return all[0], true, nil
}

// Jobs lists the jobs that were first heard of since a time, and those that have not ended, the newest first.
func (s *Store) Jobs(ctx context.Context, since time.Time) ([]Job, error) {
	all, err := list(ctx, s.read, scanJob, jobsQuery+`WHERE j.made_at >= $1 OR j.ended_at = 0 AND j.delivery > 0 ORDER BY j.made_at DESC, j.id`,
		millis(since))
	return all, wrap(err, "list jobs")
}

// LastJobs lists the jobs that were heard of last, the newest first, at most limit.
func (s *Store) LastJobs(ctx context.Context, limit int) ([]Job, error) {
	all, err := list(ctx, s.read, scanJob, lastJobsQuery, limit)
	return all, wrap(err, "list the last jobs")
}

// OpenJobs lists the jobs of a target's requests that have not ended.
func (s *Store) OpenJobs(ctx context.Context, target string) ([]Job, error) {
	all, err := list(ctx, s.read, scanJob, openJobsQuery, target)
	return all, wrap(err, "list open jobs of %s", target)
}

// Feedback is a row that the platform did not take, by its last word on it.
type Feedback struct {
	Target   string
	Vendor   string
	Key      string // of the record; "" = it is about the whole request
	SKU      string
	Reason   string
	Job      string
	Delivery int64
	At       time.Time
	Seq      int64 // the drop that the row comes from, 0 = not known
	Sheet    string
	Line     int // in it, 0 = not known
}

// Heed is what is written down when something new is known of a job.
type Heed struct {
	Job              // what is known now; of a request, its Target is the database's
	At     time.Time // of hearing
	Failed bool      // it ended and changed nothing: its request goes again
	Again  time.Time // then, zero = it is parked
	// Duplicate says that the platform has had the same before, and does not say once more what it did not take of it.
	Duplicate bool
	Answered  map[string]bool // keys of the records that the job spoke of, of one that ended; it is enough to know those that have feedback
	Feedback  []Feedback      // of them, those that were not taken
}

// JobHeard records what is known of a job, in one transaction: its end settles its request, or has it sent again, and the answers of the
// drops behind it are due. A job that nobody sent is kept as it is told. Repeats change nothing: a job ends once, but for one that was only
// taken as ended. It returns false where nothing was new, and where h.Delivery is not the request that the job is known to be of.
func (s *Store) JobHeard(ctx context.Context, h Heed) (fresh bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		old, err := list(ctx, tx, scanJob, jobsQuery+`WHERE j.id = $1`, h.ID)
		if err != nil {
			return err
		}
		var was Job
		if len(old) > 0 {
			was = old[0]
		}
		if !was.Ended.IsZero() && (h.Heard == HeardSilent || was.Heard != HeardSilent && was.Heard != HeardLost) {
			return nil
		}
		if was.Delivery != h.Delivery {
			return nil // it was told of before its request's answer was written down, and is asked for
		}
		fresh = was.Status != h.Status || was.Ended != h.Ended
		h.Target = cmp.Or(was.Target, h.Target)
		_, err = tx.ExecContext(ctx, `INSERT INTO jobs (id, kind, delivery, target, vendor, status, made_at, asked, next_at, ended_at, heard,
				rejected, error) VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, vendor = excluded.vendor, status = excluded.status, asked = excluded.asked,
				next_at = excluded.next_at, ended_at = excluded.ended_at, heard = excluded.heard, rejected = excluded.rejected, error = excluded.error`,
			h.ID, h.Kind, h.Target, h.Vendor, h.Status, millis(h.At), h.Asked, millis(h.Next), millis(h.Ended), h.Heard, h.Rejected, h.Error)
		if err != nil || h.Ended.IsZero() {
			return err
		}
		switch {
		case h.Delivery > 0:
			err = s.requestEnded(ctx, tx, h)
		case h.Target != "":
			err = keepFeedback(ctx, tx, h)
		}
		if err == nil {
			err = note(ctx, tx, h.At, EntryJob, Facts{
				Job: h.ID, Delivery: h.Delivery, Target: h.Target, Rows: was.Rows, Rejected: h.Rejected, Text: string(h.Heard) + " " + h.Status,
			})
		}
		return err
	})
	return fresh, wrap(err, "record job %s", h.ID)
}

// requestEnded does what the end of a job means for its request.
func (s *Store) requestEnded(ctx context.Context, tx *sql.Tx, h Heed) error {
	var plan int64
	err := tx.QueryRowContext(ctx, `SELECT plan FROM deliveries WHERE id = $1`, h.Delivery).Scan(&plan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // retention has removed it
	}
	if err == nil && h.Failed {
		err = requestAgain(ctx, tx, h, plan)
	} else if err == nil {
		err = requestSettled(ctx, tx, h, plan)
	}
	if err == nil {
		err = keepFeedback(ctx, tx, h)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq IN (SELECT seq FROM effects WHERE plan = $1)`, plan)
	}
	return err
}

// requestAgain has a request sent once more, or parks it. Where something newer has left since, which happens after a job that was taken as
// ended, its values are old, and the next plan says everything.
func requestAgain(ctx context.Context, tx *sql.Tx, h Heed, plan int64) error {
	const newer = `EXISTS (SELECT 1 FROM deliveries n WHERE n.target = $1 AND n.plan > $2 AND n.began_at > 0)`
	state := "queued"
	if h.Again.IsZero() {
		state = "parked"
	}
	_, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = $4, next_at = $5, failures = failures + 1, class = $6, error = $7, unsettled = 1
		WHERE id = $3 AND state IN ('verified', 'confirmed') AND NOT `+newer+`
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.delivery = $3 AND j.ended_at = 0)`,
		h.Target, plan, h.Delivery, state, millis(h.Again), outbox.Refused, h.Error)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE targets SET full_due = 1 WHERE target = $1 AND `+newer+`
			AND EXISTS (SELECT 1 FROM deliveries d WHERE d.id = $3 AND d.unsettled = 0 AND d.fate = $4)`, h.Target, plan, h.Delivery, outbox.FateSilent)
	}
	return err
}

// requestSettled settles a request whose job has ended, and with the last one of its plan whatever was sent before. The state of one that
// is on its way once more is the outbox's.
func requestSettled(ctx context.Context, tx *sql.Tx, h Heed, plan int64) error {
	state, fate := "confirmed", outbox.FateConfirmed
	if h.Heard == HeardSilent {
		state, fate = "verified", outbox.FateSilent
	}
	_, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = $2, next_at = 0, class = '', error = '', failures = 0
		WHERE id = $1 AND state IN ('verified', 'queued', 'deferred', 'parked', 'uncertain') AND verified_at > 0`, h.Delivery, state)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET fate = $2, unsettled = NOT EXISTS (SELECT 1 FROM plans p WHERE p.id = deliveries.plan AND p.state = 'done')
			WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.delivery = $1 AND j.ended_at = 0)`, h.Delivery, fate)
	}
	if err == nil {
		err = settleBefore(ctx, tx, h.Target, plan)
	}
	return err
}

// keepFeedback replaces what the platform said of the rows of a request before.
func keepFeedback(ctx context.Context, tx *sql.Tx, h Heed) error {
	var keys []string
	for key := range h.Answered {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	const gone = `target = $1 AND item_key IN (SELECT value FROM json_each($2)) AND NOT ($3 AND delivery IN (SELECT o.id FROM deliveries o
		JOIN deliveries d ON d.folder = o.folder AND d.name = o.name AND d.sha256 = o.sha256 WHERE d.id = $4))`
	args := []any{h.Target, toJSON(keys), h.Duplicate, h.Delivery}
	_, err := tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq IN (SELECT seq FROM feedback WHERE `+gone+`)`, args...)
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM feedback WHERE `+gone, args...)
	}
	if err != nil {
		return fmt.Errorf("forget earlier feedback: %w", err)
	}
	for _, f := range h.Feedback {
		_, err := tx.ExecContext(ctx, `INSERT INTO feedback (target, vendor, item_key, sku, reason, job, delivery, at, seq, sheet, line)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
			ON CONFLICT (target, item_key, vendor) DO UPDATE SET sku = excluded.sku, reason = excluded.reason, job = excluded.job,
				delivery = excluded.delivery, at = excluded.at, seq = excluded.seq, sheet = excluded.sheet, line = excluded.line`,
			h.Target, f.Vendor, f.Key, f.SKU, f.Reason, h.ID, h.Delivery, millis(h.At), f.Seq, f.Sheet, f.Line)
		if err == nil && f.Seq > 0 {
			// The copy with the marks is made anew: it did not have this one.
			_, err = tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1, workbook = '' WHERE seq = $1`, f.Seq)
		}
		if err != nil {
			return fmt.Errorf("keep feedback: %w", err)
		}
	}
	return nil
}

const feedbackColumns = `target, vendor, item_key, sku, reason, job, delivery, at, seq, sheet, line`

func scanFeedback(rows *sql.Rows) (f Feedback, err error) {
	var at int64
	err = rows.Scan(&f.Target, &f.Vendor, &f.Key, &f.SKU, &f.Reason, &f.Job, &f.Delivery, &at, &f.Seq, &f.Sheet, &f.Line)
	f.At = fromMillis(at)
	return f, err
}

// FeedbackOf lists what the platform did not take of a target, in the order of keys.
func (s *Store) FeedbackOf(ctx context.Context, target string) ([]Feedback, error) {
	all, err := list(ctx, s.read, scanFeedback, `SELECT `+feedbackColumns+` FROM feedback WHERE target = $1 ORDER BY item_key, vendor`, target)
	return all, wrap(err, "read feedback about %s", target)
}

// FeedbackOn lists what the platform did not take of a drop, in the order of its rows.
func (s *Store) FeedbackOn(ctx context.Context, seq int64) ([]Feedback, error) {
	all, err := list(ctx, s.read, scanFeedback, `SELECT `+feedbackColumns+` FROM feedback WHERE seq = $1 ORDER BY line, target, item_key, vendor`, seq)
	return all, wrap(err, "read feedback about drop %d", seq)
}

// FeedbackIn lists what the platform did not take in jobs, at most so many rows of each.
func (s *Store) FeedbackIn(ctx context.Context, jobs []string, most int) ([]Feedback, error) {
	all, err := list(ctx, s.read, scanFeedback, `SELECT `+feedbackColumns+` FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY job ORDER BY seq, line, item_key, vendor) AS n
		FROM feedback WHERE job IN (SELECT value FROM json_each($1))) WHERE n <= $2 ORDER BY job, n`, toJSON(jobs), most)
	return all, wrap(err, "read feedback of jobs")
}

// Standing is how a shelf that is sent by requests stands.
type Standing struct {
	Open     int // jobs that have not ended
	NotTaken int // rows that the platform did not take, by its last word
}

// StandingOf returns how a target that is sent by requests stands.
func (s *Store) StandingOf(ctx context.Context, target string) (st Standing, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM jobs WHERE target = $1 AND ended_at = 0),
		(SELECT COUNT(*) FROM feedback WHERE target = $1)`, target).Scan(&st.Open, &st.NotTaken)
	return st, wrap(err, "read how %s stands", target)
}

// FeedbackMoved records the rows that feedback is shown with now.
func (s *Store) FeedbackMoved(ctx context.Context, all []Feedback) error {
	if len(all) == 0 {
		return nil
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, f := range all {
			_, err := tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1, workbook = '' WHERE seq = $4 OR seq IN
				(SELECT seq FROM feedback WHERE target = $1 AND item_key = $2 AND vendor = $3)`, f.Target, f.Key, f.Vendor, f.Seq)
			if err == nil {
				_, err = tx.ExecContext(ctx, `UPDATE feedback SET seq = $4, sheet = $5, line = $6 WHERE target = $1 AND item_key = $2 AND vendor = $3`,
					f.Target, f.Key, f.Vendor, f.Seq, f.Sheet, f.Line)
			}
			if err != nil {
				return fmt.Errorf("move feedback: %w", err)
			}
		}
		return nil
	})
}

// RequestRecords returns the digest of the record file with a request's rows, "" where retention has removed it.
func (s *Store) RequestRecords(ctx context.Context, delivery int64) (digest shelf.Digest, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT records FROM deliveries WHERE id = $1`, delivery).Scan(&digest)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return digest, wrap(err, "read the rows of delivery %d", delivery)
}

// LastDocuments returns the digests of the record files with the rows of the newest plan of a target of which something arrived.
func (s *Store) LastDocuments(ctx context.Context, target string) ([]shelf.Digest, error) {
	all, err := list(ctx, s.read, scanOne[shelf.Digest], `SELECT records FROM deliveries WHERE verified_at > 0 AND plan =
		(SELECT MAX(plan) FROM deliveries WHERE target = $1 AND verified_at > 0) ORDER BY id`, target)
	return all, wrap(err, "read what was last sent to %s", target)
}
