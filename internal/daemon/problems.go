package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"gondola/internal/alert"
	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/report"
	"gondola/internal/store"
)

// troubles remembers which loops meet something that they can't do. Only the running daemon knows: what a loop meets may be that
// nothing can be written down.
type troubles struct {
	mu     sync.Mutex
	byLoop map[string]string
}

// note remembers what a loop met, "" for nothing.
func (t *troubles) note(loop, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byLoop == nil {
		t.byLoop = map[string]string{}
	}
	t.byLoop[loop] = text
}

// list returns what loops can't do, by loop.
func (t *troubles) list() map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.byLoop)
}

// problemList collects problems in the chain's language.
type problemList struct {
	all    []alert.Problem
	say    *report.Phrases
	phrase error // the first phrase that could not be said: our mistake
}

// add adds a problem with the words of its kind.
func (l *problemList) add(p alert.Problem, args ...any) {
	text, do, err := l.say.Trouble(string(p.Kind), args...)
	l.phrase = cmp.Or(l.phrase, err)
	p.Text = text
	if p.Do == "" {
		p.Do = do
	}
	l.all = append(l.all, p)
}

// kindOf returns the kind of problem that a class of failure is.
func kindOf(class outbox.Class, state string) alert.Kind {
	switch {
	case class == outbox.Transient:
		return alert.Unreachable
	case class == outbox.NoSpace:
		return alert.Full
	case class == outbox.Local && state == "parked":
		return alert.Parked
	case class == outbox.Local:
		return alert.Login
	}
	return alert.Kind(class) // credentials, host-key, permission and foreign are called the same
}

// problems lists what is wrong now, derived from rows and, where only the running daemon can know, from its loops. Its order is the
// same for the same rows.
func (h *House) problems(ctx context.Context, book alert.Book) ([]alert.Problem, error) {
	l := &problemList{say: report.NewPhrases(h.cfg.Chain.Language, h.zone)}
	if err := errors.Join(h.configProblems(ctx, l), h.sendingProblems(ctx, l)); err != nil {
		return nil, err
	}
	held, err := h.HeldExports(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range newestHeld(held) {
		l.held(h, d)
	}
	rows, err := h.HeldFindings(ctx)
	if err != nil {
		return nil, err
	}
	l.heldRows(h, rows)
	if err := errors.Join(h.folderProblems(ctx, l), h.driftProblems(ctx, l)); err != nil {
		return nil, err
	}
	if err := h.incomingProblems(ctx, l); err != nil {
		return nil, err
	}
	if err := h.orderProblems(ctx, l); err != nil {
		return nil, err
	}
	if h.outbox == nil {
		// Somebody beside the daemon: what only its loops know is in the book.
		for _, e := range book.Entries {
			if e.Kind == alert.Answers || e.Kind == alert.Trouble || e.Kind == alert.Orders {
				l.all = append(l.all, e.Problem)
			}
		}
	} else {
		h.loopProblems(l)
	}
	free, err := freeSpace(h.cfg.State.Dir)
	if least := int64(h.cfg.State.MinFree); err == nil && free < least {
		l.add(alert.Problem{Key: "disk", Kind: alert.Disk}, h.cfg.State.Dir, free/1e7*10, least/1e6)
	}
	return l.all, cmp.Or(l.phrase, h.alarmProblems(ctx, l))
}

// sendingProblems finds what keeps documents from leaving. Trouble with the server as a whole is one problem, however many documents
// wait for it.
func (h *House) sendingProblems(ctx context.Context, l *problemList) error {
	held := map[outbox.By]bool{}
	for _, by := range h.ways() {
		hold, err := h.store.Hold(ctx, by)
		if err != nil {
			return err
		}
		if held[by] = hold != nil; hold != nil {
			l.add(alert.Problem{Key: serverKey(by), Kind: kindOf(hold.Class, ""), Detail: hold.Text})
		}
	}
	waiting, err := h.store.Waiting(ctx)
	if err != nil {
		return err
	}
	byKey := map[string]int{}
	for _, d := range waiting {
		if d.Class == "" {
			continue
		}
		file, server := d.Folder+"/"+d.Name, h.serverOf(d.By)
		p := alert.Problem{Kind: kindOf(outbox.Class(d.Class), d.State), Store: parseTarget(d.Target).Vendor, Detail: d.Error}
		var what string
		switch p.Kind {
		case alert.Unreachable, alert.HostKey, alert.Credentials:
			p.Key, what = serverKey(d.By), server
		case alert.Full:
			p.Key, what = "full", server
		case alert.Permission:
			p.Key, what = "permission/"+d.Folder, d.Folder
		case alert.Login:
			p.Key, what = serverKey(d.By), server
		default:
			p.Key, what = string(p.Kind)+"/"+file, file
		}
		if p.Store == catalog.AllVendors {
			p.Store = ""
		}
		if i, met := byKey[p.Key]; met {
			if l.all[i].Store != p.Store {
				l.all[i].Store = "" // it is about several
			}
			continue
		}
		if p.Key == serverKey(d.By) && held[d.By] {
			continue
		}
		byKey[p.Key] = len(l.all)
		l.add(p, what)
	}
	return nil
}

// serverKey names trouble with the server of a way as a whole.
func serverKey(by outbox.By) string {
	if by == outbox.ByAPI {
		return "api"
	}
	return "server"
}

// held adds what the brake holds.
func (l *problemList) held(h *House, d Held) {
	p := alert.Problem{Key: "held/" + d.Feed + "/" + d.Vendor, Kind: alert.Held, Store: d.Vendor}
	where := h.storeName(l.say, d.Vendor)
	if d.Vendor == catalog.AllVendors {
		p.Store = ""
	}
	var texts []string
	for _, f := range d.Findings {
		texts = append(texts, f.Text)
		p.Code = cmp.Or(p.Code, string(f.Code))
	}
	var err error
	p.Do, err = l.say.Say("held.do", d.Seq)
	l.phrase = cmp.Or(l.phrase, err)
	l.add(p, d.Name, where, strings.Join(texts, " "))
}

// heldRows adds the rows that the brake holds: one problem for each kind of finding in each store: a store
// that joins later is told of, too.
func (l *problemList) heldRows(h *House, rows []HeldRows) {
	type what struct {
		kind   catalog.Kind
		code   catalog.Code
		vendor string
	}
	byWhat := map[what][]HeldRows{}
	var order []what
	for _, f := range rows {
		w := what{f.Kind, f.Code, f.Vendor}
		if byWhat[w] == nil {
			order = append(order, w)
		}
		byWhat[w] = append(byWhat[w], f)
	}
	for _, w := range order {
		all := byWhat[w]
		p := alert.Problem{Key: "held-rows/" + string(w.kind) + "/" + string(w.code) + "/" + w.vendor, Kind: alert.Held, Code: string(w.code)}
		if w.vendor != catalog.AllVendors {
			p.Store = w.vendor
		}
		ids := make([]string, len(all))
		for i, f := range all {
			ids[i] = f.ID
		}
		var textErr, doErr error
		p.Text, textErr = l.say.Say("held.rows.text", h.storeName(l.say, w.vendor), all[0].Text)
		p.Do, doErr = l.say.Say("held.rows.do", strings.Join(ids, " / "))
		l.phrase = cmp.Or(l.phrase, textErr, doErr)
		l.all = append(l.all, p)
	}
}

// storeName returns what people call a store.
func (h *House) storeName(say *report.Phrases, vendor string) string {
	if vendor == catalog.AllVendors {
		return say.SayOr("store.all", vendor)
	}
	if v, ok := h.vendor(vendor); ok {
		return v.Name
	}
	return vendor
}

// newestHeld returns of each feed and store the newest export that is held, which is the one to decide on.
func newestHeld(held []Held) []Held {
	var all []Held
	for i, d := range held {
		if !slices.ContainsFunc(held[i+1:], func(o Held) bool { return o.Feed == d.Feed && o.Vendor == d.Vendor }) {
			all = append(all, d)
		}
	}
	return all
}

// folderProblems finds drop folders that can't be watched.
func (h *House) folderProblems(ctx context.Context, l *problemList) error {
	reports, err := h.readWatch(ctx)
	if err != nil {
		return err
	}
	for _, f := range h.feeds {
		if r := reports[f.Drop]; r.Problem != "" {
			l.add(alert.Problem{Key: "folder/" + f.Name, Kind: alert.Folder, Detail: r.Problem}, f.Name, f.Drop)
		}
	}
	return nil
}

// loopProblems finds what the daemon's loops can't do.
func (h *House) loopProblems(l *problemList) {
	met := h.troubles.list()
	for _, loop := range slices.Sorted(maps.Keys(met)) {
		if met[loop] != "" {
			kind := alert.Trouble
			if loop == ordersLoop {
				kind = alert.Orders
			}
			l.add(alert.Problem{Key: "trouble/" + loop, Kind: kind, Detail: met[loop]}, loop)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(h.answers)) {
		if why := h.answers[folder].late(h.now()); why != "" {
			l.add(alert.Problem{Key: "answers/" + folder, Kind: alert.Answers, Detail: why}, folder)
		}
	}
}

// hung is how long answers may be under way before their folder counts as one that does not answer.
const hung = time.Minute

// late returns why an answer can't be written, "" where all can. A share that hangs gives no error, it keeps the lock.
func (a *answering) late(now time.Time) string {
	if !a.mu.TryLock() {
		if since := a.busy.Load(); since == nil {
			a.busy.Store(&now)
		} else if now.Sub(*since) >= hung {
			return "writing an answer does not come to an end: the folder does not respond"
		}
		return ""
	}
	defer a.mu.Unlock()
	a.busy.Store(nil)
	why, oldest := "", int64(0)
	for seq, r := range a.slow {
		if why == "" || seq < oldest {
			why, oldest = r.why, seq
		}
	}
	return why
}

// alarmProblems finds alarms that do not get through.
func (h *House) alarmProblems(ctx context.Context, l *problemList) error {
	targets, err := h.store.AlertTargets(ctx)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if t.Failures >= toldFailures {
			l.add(alert.Problem{Key: "alarm/" + t.Place, Kind: alert.Alarm, Detail: t.Error}, t.Place)
		}
	}
	return l.phrase
}

// bookNow returns the book as it is now, without writing it down.
func (h *House) bookNow(ctx context.Context) (alert.Book, error) {
	book, err := h.readBook(ctx)
	if err != nil {
		return book, err
	}
	seen, err := h.look(ctx, book)
	if err != nil {
		return book, err
	}
	return book.Look(h.now(), seen), nil
}

// look gathers what the book is to be brought up to date with.
func (h *House) look(ctx context.Context, book alert.Book) (alert.Seen, error) {
	seen := alert.Seen{After: h.alertsAfter()}
	// The slot first: what it has made due is seen then.
	for _, t := range h.timetables {
		last, err := h.store.LastSlot(ctx, t.name)
		if err != nil {
			return seen, err
		}
		if last.After(seen.Slot) {
			seen.Slot = last
		}
	}
	due, err := h.store.TargetsDue(ctx)
	if err != nil {
		return seen, err
	}
	due = slices.DeleteFunc(due, func(t store.Target) bool { return !h.isTarget(t.Target) })
	waiting, err := h.store.Waiting(ctx)
	if err != nil {
		return seen, err
	}
	pauses, err := h.Paused(ctx)
	if err != nil {
		return seen, err
	}
	// What somebody paused is nobody's alarm: a run has done what it may.
	paused := func(target string) bool { _, is := PauseOf(pauses, parseTarget(target)); return is }
	due = slices.DeleteFunc(due, func(t store.Target) bool { return paused(t.Target) })
	waiting = slices.DeleteFunc(waiting, func(d store.Delivery) bool { return paused(d.Target) })
	seen.Idle = len(due) == 0 && len(waiting) == 0
	if seen.Problems, err = h.problems(ctx, book); err != nil {
		return seen, fmt.Errorf("find out what is wrong: %w", err)
	}
	return seen, nil
}
