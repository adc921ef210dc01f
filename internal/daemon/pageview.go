package daemon

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gondola/internal/alert"
	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/report"
	"gondola/internal/store"
	"gondola/internal/web"
)

// How much of what is over the page tells.
const (
	pageArrived = 15
	pageFates   = 200 // findings among which those of the documents are looked for
	pageJobs    = 15
	pageRefused = 5 // rows of each job
	pageGaps    = 50
	pageGapsFor = 7 * 24 * time.Hour
	pageOff     = 10 // articles that are switched off by hand
)

// view returns how things stand, for the page.
func (h *House) view(ctx context.Context) (web.View, error) {
	s, err := h.Status(ctx)
	if err != nil {
		return web.View{}, err
	}
	p := h.pageOf(s)
	if p.Done, err = h.arrived(ctx); err != nil {
		return web.View{}, err
	}
	if p.Jobs, err = h.lastJobs(ctx); err != nil {
		return web.View{}, err
	}
	gaps, err := h.Gaps(ctx, h.now().Add(-pageGapsFor), pageGaps)
	for _, g := range gaps {
		p.Gaps = append(p.Gaps, web.Gap{
			Kind: g.Kind, Order: cmp.Or(g.Code, g.ID), Store: h.nameFor(g.Vendor), State: g.State, Found: g.Found, Outcome: g.Outcome,
		})
	}
	return web.View{Page: p, Status: s}, err
}

// arrived lists the documents that arrived last, for the page.
func (h *House) arrived(ctx context.Context) ([]web.Delivery, error) {
	documents, err := h.store.Arrived(ctx, pageArrived)
	if err != nil || len(documents) == 0 {
		return nil, err
	}
	fates, err := h.store.Fates(ctx, pageFates)
	all := make([]web.Delivery, len(documents))
	for i, d := range documents {
		all[i] = web.Delivery{
			Name: d.Folder + "/" + d.Name, Store: h.nameFor(parseTarget(d.Target).Vendor), State: d.State, Rows: d.Rows, Attempts: d.Attempts,
			Planned: d.Planned, Began: d.Began, Verified: d.Verified, Proof: d.Proof, Fate: d.Fate, FateAt: fates[d.ID],
		}
	}
	return all, err
}

// lastJobs lists the platform's last jobs and what it did not take, for the page.
func (h *House) lastJobs(ctx context.Context) ([]web.Job, error) {
	jobs, err := h.store.LastJobs(ctx, pageJobs)
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	var some []string // jobs that did not take something
	for _, j := range jobs {
		if j.Rejected > 0 {
			some = append(some, j.ID)
		}
	}
	feedback, err := h.store.FeedbackIn(ctx, some, pageRefused)
	if err != nil {
		return nil, err
	}
	refused := map[string][]web.Refusal{}
	for _, f := range feedback {
		refused[f.Job] = append(refused[f.Job], web.Refusal{
			Article: f.SKU, Reason: f.Reason, Drop: f.Seq, Row: f.Line, At: f.At, Store: h.nameFor(f.Vendor),
		})
	}
	all := make([]web.Job, len(jobs))
	for i, j := range jobs {
		l := jobLineOf(j)
		all[i] = web.Job{
			ID: l.ID, Kind: l.Kind, Store: h.nameFor(l.Vendor), Ours: l.Ours, Drops: l.Drops, Rows: l.Rows, Made: l.Made, Status: l.Status,
			Ended: l.Ended, Heard: string(l.Heard), NotTaken: l.NotTaken, Refused: refused[l.ID], Problem: l.Problem,
		}
	}
	return all, nil
}

// pageOf puts a status into the page's values. Words that answers have, too, are the same here.
func (h *House) pageOf(s Status) web.Page {
	p := web.Page{At: s.At, State: string(s.State), Since: s.Since, Server: s.Passport, Paused: h.pausedText(s.Paused), ByHand: h.byHandTexts(s)}
	for _, e := range s.Problems {
		if e.Kind == alert.Held {
			continue // the page has a part of its own for these
		}
		p.Problems = append(p.Problems, web.Problem{
			Kind: string(e.Kind), Text: e.Text, Do: e.Do, Detail: e.Detail, Since: e.Since, Told: e.Loud != "",
		})
	}
	p.Held = h.heldOfPage(s)
	why := h.waysOfPage(s, &p)
	for _, v := range s.Stores {
		t := Target{catalog.Kind(v.Kind), v.ID}
		_, paused := PauseOf(s.Paused, t)
		p.Stores = append(p.Stores, web.Store{
			ID: idFor(v.ID), Name: h.nameFor(v.ID), Shelf: v.Kind, Same: v.Same, Differs: v.Differs, Pending: v.Pending,
			Withheld: v.Withheld, Verified: v.Verified, Next: v.Next, Settled: v.Settled, Jobs: v.Jobs, NotTaken: v.NotTaken,
			Problem: why[t.String()], Held: h.holds(s, t), Paused: paused,
		})
	}
	if o := s.Orders; o != nil {
		p.Orders = &web.Orders{Due: o.Due, File: o.File, FileAt: o.FileAt, Foreign: o.Foreign}
		p.Orders.States, p.Orders.Numbers = o.stateNumbers()
	}
	p.Incoming = incomingOfPage(s.Incoming)
	for _, f := range s.Feeds {
		line := web.Feed{Name: f.Name, Folder: f.Folder, Problem: f.Problem}
		if d := f.Last; d != nil {
			line.Drop, line.Seq = fmt.Sprintf("%d %s", d.Seq, d.Name), d.Seq
			line.Came, line.State, line.Rows, line.Issues = d.At, d.State, d.Rows, d.Issues
		}
		for _, w := range f.Waiting {
			line.Waiting = append(line.Waiting, w.Name)
		}
		p.Feeds = append(p.Feeds, line)
	}
	for _, a := range s.Audits {
		c := a.Counts
		p.Audits = append(p.Audits, web.Audit{
			Store: h.nameFor(a.Vendor), At: a.At, Sent: c.Sent, Same: c.Same, Unknown: c.Unknown, Drifted: c.Drifted, Unsent: c.Unsent, Error: a.Error,
		})
	}
	slices.SortStableFunc(p.Audits, func(a, b web.Audit) int { return loudFirst(a.Loud(), b.Loud()) })
	return p
}

// loudFirst compares two things of which somebody should look at some.
func loudFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// heldOfPage lists what waits for somebody to decide, for the page.
func (h *House) heldOfPage(s Status) (all []web.Held) {
	findings := func(texts ...IssueText) (all []web.Finding) {
		for _, f := range texts {
			finding := web.Finding{Text: f.Short}
			for _, text := range f.Moves {
				if parts := strings.Split(text, "|"); len(parts) == 4 && parts[0] != "" {
					finding.Worst = append(finding.Worst, web.Move{Key: parts[0], Old: parts[1], New: parts[2], Row: parts[3]})
				}
			}
			all = append(all, finding)
		}
		return all
	}
	for _, d := range newestHeld(s.Held) {
		all = append(all, web.Held{Drop: d.Seq, Name: d.Name, Feed: d.Feed, Store: h.nameFor(d.Vendor), ID: idFor(d.Vendor), Findings: findings(d.Findings...)})
	}
	for _, f := range s.Rows {
		all = append(all, web.Held{Finding: f.ID, Store: h.nameFor(f.Vendor), ID: idFor(f.Vendor), Since: f.Since, Findings: findings(f.IssueText)})
	}
	return all
}

// holds reports whether the brake holds something of a target.
func (h *House) holds(s Status, t Target) bool {
	if slices.ContainsFunc(s.Rows, func(r HeldRows) bool { return r.Vendor == t.Vendor && r.Kind == t.Kind }) {
		return true
	}
	return slices.ContainsFunc(s.Held, func(d Held) bool {
		f, ok := h.feed(d.Feed)
		return ok && t.holds(catalog.Kind(f.Kind)) && (d.Vendor == t.Vendor || d.Vendor == catalog.AllVendors || t.Vendor == catalog.AllVendors)
	})
}

// waysOfPage puts what is on its way into the page, what does not get through first. It returns why, by target.
func (h *House) waysOfPage(s Status, p *web.Page) (why map[string]string) {
	why = map[string]string{}
	for _, d := range s.Waiting {
		t := Target{catalog.Kind(d.Kind), d.Vendor}
		_, paused := PauseOf(s.Paused, t)
		line := web.Delivery{
			Name: d.Name, Store: h.nameFor(d.Vendor), State: d.State, Attempts: d.Attempts, Next: d.Next, Detail: d.Error,
			Stopped: s.Hold != "" || d.State == "parked" || paused,
		}
		class := d.Class
		if s.Hold != "" {
			class = string(outbox.Credentials) // it is what stops everything, whatever failed before
		}
		if class != "" {
			line.Why = report.Trouble(h.cfg.Chain.Language, class)
			why[t.String()] = line.Why
		}
		p.Deliveries = append(p.Deliveries, line)
	}
	slices.SortStableFunc(p.Deliveries, func(a, b web.Delivery) int { return loudFirst(a.Why != "", b.Why != "") })
	return why
}

func incomingOfPage(in *Incoming) *web.Incoming {
	if in == nil {
		return nil
	}
	w := in.Webhook
	out := &web.Incoming{
		Listens: in.Listens, Events: int(w.Accepted.N), Last: w.Accepted.Last, Waiting: int(w.Waiting), Asks: in.Asks, Oldest: in.Oldest,
		Failing: in.Failing,
	}
	for _, c := range w.Aside {
		out.Aside += int(c.N)
	}
	for _, c := range w.Refused {
		out.Refused += int(c.N)
	}
	return out
}

// byHandTexts says what admins switched off and put back, in the chain's language. What they paused is told at the top.
func (h *House) byHandTexts(s Status) (all []string) {
	say := report.NewPhrases(h.cfg.Chain.Language, h.zone)
	add := func(key string, args ...any) {
		text, _ := say.Say(key, args...) // a phrase that can't be said is its name: the page is shown all the same
		all = append(all, text)
	}
	for i, o := range s.Off {
		if i == pageOff {
			add("off.more", len(s.Off)-pageOff)
			break
		}
		var until any = ""
		if !o.Until.IsZero() {
			until = o.Until
		}
		add("off.line", o.Key, h.storeName(say, o.Vendor), o.Since, o.Who, until, o.Reason)
	}
	if b := s.Rollback; b != nil {
		add("rollback."+b.State, b.To, b.Who, b.At)
	}
	return all
}

// answerText returns the answer to a drop as it stands now, for the page.
func (h *House) answerText(ctx context.Context, seq int64) (string, error) {
	d, ok, err := h.store.Drop(ctx, seq)
	if err != nil {
		return "", err
	}
	if !ok || d.State == store.DropSeen || d.Feed == "" {
		return "", web.ErrNoDrop
	}
	a, err := h.answer(ctx, d)
	if err != nil {
		return "", err
	}
	return report.Text(a)
}

// namedStores lists the stores of the config for the page.
func (h *House) namedStores() []web.Named {
	all := make([]web.Named, len(h.vendors))
	for i, v := range h.vendors {
		all[i] = web.Named{ID: v.ID, Name: v.Name}
	}
	return all
}
