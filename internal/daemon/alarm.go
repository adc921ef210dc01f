package daemon

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"gondola/internal/alert"
	"gondola/internal/store"
)

// alarmEvery is how often what is wrong is looked at: a few queries, and soon enough for whoever is called.
const alarmEvery = 3 * time.Second

// toldFailures is how many attempts of one message must fail before the status speaks of it: an alarm service may restart, too.
const toldFailures = 3

// alarm is what the house knows of whom it has told what. The rows are the truth after a start; while the house runs this is, because
// what is to be told may be that no row can be written.
type alarm struct {
	mu      sync.Mutex // held for one look, and while targets are told
	client  alert.Client
	timeout time.Duration // of one message; 0 = as each way usually has
	salt    []byte
	book    *alert.Book                  // nil before the first look
	targets map[string]store.AlertTarget // by fingerprint; nil before the first look
}

// lookForAlarms looks at what is wrong and tells whoever is to be told. It is a loop of the daemon.
func (h *House) lookForAlarms(ctx context.Context) error { return h.tellAlarms(ctx, false) }

// tellAlarms is lookForAlarms; with begin a run begins, whatever the schedule says.
func (h *House) tellAlarms(ctx context.Context, begin bool) error {
	a := &h.alarm
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := errors.Join(h.recallAlarms(ctx), h.expectFrom(ctx)); err != nil {
		return err
	}
	seen, err := h.look(ctx, *a.book)
	if err != nil {
		return err
	}
	seen.Begin, seen.RunID = begin, newRunID()
	next := a.book.Look(h.now(), seen)
	text, was := encode(next), encode(*a.book)
	*a.book = next
	if text != was {
		// Before anybody is told: a start that finds an older state would tell of what is known already, or of what is over.
		err = h.store.SetAlertBook(ctx, text)
	}
	return errors.Join(err, h.tellTargets(ctx))
}

// hurryAlarms is for a process that ends when its work is done: nobody waits at its end for a mail server that takes its time. What could
// not be said the next one says.
func (h *House) hurryAlarms() {
	a := &h.alarm
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timeout == 0 {
		a.timeout = alert.DefaultTimeout
	}
}

// recallAlarms reads what was known when the last process ended.
func (h *House) recallAlarms(ctx context.Context) error {
	a := &h.alarm
	if a.book != nil {
		return nil
	}
	book, err := h.readBook(ctx)
	if err != nil {
		return err
	}
	if a.salt, err = h.salt(ctx); err != nil {
		return err
	}
	rows, err := h.store.AlertTargets(ctx)
	if err != nil {
		return err
	}
	a.targets = map[string]store.AlertTarget{}
	for _, row := range rows {
		a.targets[row.Target] = row
	}
	a.client = h.alarmClient()
	a.client.Timeout = a.timeout
	a.book = &book
	return nil
}

func (h *House) readBook(ctx context.Context) (book alert.Book, err error) {
	text, err := h.store.AlertBook(ctx)
	if err != nil || text == "" {
		return book, err
	}
	if err := json.Unmarshal([]byte(text), &book); err != nil {
		return book, fmt.Errorf("read what alarms are about: %w", err)
	}
	return book, nil
}

// tellTargets tells every target what it does not know yet, all at once: one that does not answer keeps nobody else waiting.
func (h *House) tellTargets(ctx context.Context) error {
	a := &h.alarm
	configured := h.alarms
	keep := make([]string, len(configured))
	rows := make([]store.AlertTarget, len(configured))
	errs := make([]error, len(configured))
	unread := false
	var wait sync.WaitGroup
	for i, t := range configured {
		target, err := t.read()
		if err != nil {
			// Whom it is about is not known, so what it knows is left as it is.
			keep[i], unread = "unread "+t.place, true
			rows[i], errs[i] = h.notHeard(a.targets[keep[i]], alert.Message{}, err), nil
			rows[i].Target, rows[i].Place = keep[i], t.place
			continue
		}
		keep[i] = fingerprintOf(a.salt, target)
		row := a.targets[keep[i]]
		row.Target, row.Place = keep[i], t.place
		wait.Go(func() { rows[i], errs[i] = h.tellTarget(ctx, target, row) })
	}
	wait.Wait()
	for i, row := range rows {
		if row != a.targets[keep[i]] {
			errs = append(errs, h.store.SetAlertTarget(context.WithoutCancel(ctx), row))
			a.targets[keep[i]] = row
		}
	}
	if !unread && len(a.targets) > len(keep) {
		for target := range a.targets {
			if !slices.Contains(keep, target) {
				delete(a.targets, target)
			}
		}
		errs = append(errs, h.store.KeepAlertTargets(ctx, keep))
	}
	return errors.Join(errs...)
}

// tellTarget tells one target what it does not know yet, and returns how far it is now. What was told is written down at once: only a
// crash in between doubles it.
func (h *House) tellTarget(ctx context.Context, target alert.Target, row store.AlertTarget) (store.AlertTarget, error) {
	var told alert.Told
	if row.Told != "" {
		if err := json.Unmarshal([]byte(row.Told), &told); err != nil {
			return row, fmt.Errorf("read what %s was told: %w", row.Place, err)
		}
	}
	book := *h.alarm.book
	told = told.Forget(book, h.now())
	// A ping may begin a run and end it.
	for range 2 {
		m, ok := told.Next(target.Way, book, h.now(), h.alarmDaily())
		if !ok {
			row.Due, row.DueAt, row.Failures, row.Next, row.Error = "", time.Time{}, 0, time.Time{}, ""
			break
		}
		if !h.isDue(row, m) {
			break
		}
		answer, err := h.alarm.client.Tell(ctx, target, m)
		if ctx.Err() != nil {
			break // the stop, not the service: the next start tells it
		}
		if err != nil {
			row = h.notHeard(row, m, err)
			break
		}
		told = told.Heard(m)
		row.Told, row.Due, row.DueAt, row.Failures, row.Next, row.Error = encode(told), "", time.Time{}, 0, time.Time{}, ""
		h.log.Info("alarm told", "target", row.Place, "way", string(m.Way), "step", m.Step, "state", string(m.State), "reminder", m.Reminder,
			"answer", answer.Status)
		if answer.Note != "" {
			h.log.Warn("alarm told otherwise than configured", "target", row.Place, "problem", answer.Note)
		}
		if err := h.store.SetAlertTarget(context.WithoutCancel(ctx), row); err != nil {
			return row, err
		}
	}
	row.Told = encode(told)
	return row, nil
}

// isDue reports whether a message is to be tried now. One that is new is; one that failed waits for its turn.
func (h *House) isDue(row store.AlertTarget, m alert.Message) bool {
	if row.Due != m.ID() || row.Failures == 0 {
		return true
	}
	now := h.now()
	// A turn that is too far away was given by a clock that has been set back since.
	return !row.Next.After(now) || row.Next.After(now.Add(alert.LongestRetry))
}

// notHeard records that a message did not get through. It is said once for each change of the words.
func (h *House) notHeard(row store.AlertTarget, m alert.Message, err error) store.AlertTarget {
	if row.Error != err.Error() {
		h.log.Warn("alarm can't be told", "target", row.Place, "step", m.Step, "error", err.Error())
	}
	now := h.now()
	if row.Due != m.ID() || row.DueAt.IsZero() {
		row.Due, row.DueAt, row.Failures = m.ID(), now, 0
	}
	row.Failures++
	row.Next, row.Error = alert.Later(err, now, row.DueAt, row.Failures), err.Error()
	return row
}

// fingerprintOf names a target in the database, where nobody can read its address from.
func fingerprintOf(salt []byte, target alert.Target) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(target.ID()))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// newRunID returns a random UUID, which is what checks know runs by.
func newRunID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// encode returns a value of our own as JSON.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("daemon: encode %T: %v", v, err))
	}
	return string(text)
}
