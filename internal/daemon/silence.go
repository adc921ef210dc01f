package daemon

import (
	"context"
	"slices"
	"sync"
	"time"

	"gondola/internal/alert"
	"gondola/internal/catalog"
	"gondola/internal/config"
)

// quietFor is how long what is known of silence is believed: nobody needs to hear of a missing export within the minute, and looking
// for it is a query for every store.
const quietFor = time.Minute

// The rule for orders: none came or changed for quietOrders, and in the same hours of the same days of the week, in each of the last
// usualWeeks weeks, at least usualOrders did. So a busy chain hears of it within hours, a quiet one the next day, and the alarm lasts until
// an order comes: the longer the silence, the more would have come. By chance alone such hours are empty less than once in a thousand
// times: with five orders in the worst of four weeks there are some nine on average. Holidays are not known.
const (
	quietOrders = time.Hour
	usualWeeks  = 4
	usualOrders = 5
)

// expectFact is since when exports of a feed are expected by a time of day: what should have come before is nobody's alarm.
const expectFact = "expected since/"

// quiet remembers what was found of silence. The page asks at the same time as the alarm.
type quiet struct {
	mu    sync.Mutex
	at    time.Time
	found []silence
}

// silence is one thing that does not come any more, as a problem and what its words need.
type silence struct {
	problem alert.Problem
	args    []any
}

// silenceProblems finds what does not come any more.
func (h *House) silenceProblems(ctx context.Context, l *problemList) error {
	q := &h.quiet
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := h.now(); q.at.IsZero() || now.Before(q.at) || now.Sub(q.at) >= quietFor {
		var found []silence
		for _, look := range []func(context.Context) ([]silence, error){h.missingExports, h.sameExports, h.missingOrders} {
			some, err := look(ctx)
			if err != nil {
				return err
			}
			found = append(found, some...)
		}
		q.at, q.found = now, found
	}
	for _, s := range q.found {
		l.add(s.problem, s.args...)
	}
	return nil
}

// expectFrom notes since when exports are expected, and forgets it where they no longer are: who expects them again does so from then on.
func (h *House) expectFrom(ctx context.Context) error {
	now := h.now().UTC()
	for _, f := range h.feeds {
		fact, err := h.store.Fact(ctx, expectFact+f.Name)
		if err != nil {
			return err
		}
		want := fact
		if since, err := time.Parse(time.RFC3339, fact); err != nil || since.After(now) {
			// A time that has not come yet is of a clock that has been set back since: until it comes nothing would be missed.
			want = now.Format(time.RFC3339)
		}
		if !f.Expect.By.On {
			want = ""
		}
		if want == fact {
			continue
		}
		if err := h.store.SetFact(ctx, expectFact+f.Name, want); err != nil {
			return err
		}
	}
	return nil
}

// missingExports finds feeds of which no export came by the time by which there is one.
func (h *House) missingExports(ctx context.Context) ([]silence, error) {
	var all []silence
	for _, f := range h.feeds {
		if !f.Expect.By.On {
			continue
		}
		fact, err := h.store.Fact(ctx, expectFact+f.Name)
		if err != nil {
			return nil, err
		}
		since, err := time.Parse(time.RFC3339, fact)
		if err != nil {
			continue // the daemon has not run since it is in the config
		}
		from, by := lastDeadline(f.Expect, h.now().In(h.zone))
		if by.Before(since) {
			continue
		}
		missing, err := h.missingScopes(ctx, f, from)
		if err != nil {
			return nil, err
		}
		for _, m := range missing {
			p := alert.Problem{Key: "no-export/" + f.Name, Kind: alert.NoExport}
			store, last := "", ""
			if m.scope != "" {
				p.Key, p.Store, store = p.Key+"/"+m.scope, m.scope, h.nameFor(m.scope)
			}
			if !m.last.IsZero() {
				last = m.last.Format(time.RFC3339)
			}
			all = append(all, silence{p, []any{f.Name, f.Expect.By.String(), store, last, f.Drop}})
		}
	}
	return all, nil
}

// lastDeadline returns the newest time, not after now, by which an export was to come, and the beginning of its day.
func lastDeadline(e config.Expect, now time.Time) (from, by time.Time) {
	year, month, day := now.Date()
	for back := range 8 {
		from = time.Date(year, month, day-back, 0, 0, 0, 0, now.Location())
		by = time.Date(year, month, day-back, 0, int(e.By.At/time.Minute), 0, 0, now.Location())
		if e.Days[by.Weekday()] && !by.After(now) {
			return from, by
		}
	}
	return from, by
}

// missing is a feed, or a store of it, without an export.
type missing struct {
	scope string // "" for the feed as a whole
	last  time.Time
}

// missingScopes returns of whom no export came since a time. Where every store has files of its own each is looked at; where none of
// them sent any it is one thing that is wrong, and not one for each store.
func (h *House) missingScopes(ctx context.Context, f feedSetup, from time.Time) ([]missing, error) {
	newest, err := h.store.LastExport(ctx, f.Name, "")
	if err != nil {
		return nil, err
	}
	if newest.Before(from) {
		return []missing{{"", newest}}, nil
	}
	if f.spec.Source.FileName == nil {
		return nil, nil
	}
	var all []missing
	for _, v := range h.vendors {
		last, err := h.store.LastExport(ctx, f.Name, v.ID)
		if err != nil {
			return nil, err
		}
		// A store that never sent any may have no such export.
		if !last.IsZero() && last.Before(from) {
			all = append(all, missing{v.ID, last})
		}
	}
	return all, nil
}

// sameExports finds feeds whose exports come and have been the same for days.
func (h *House) sameExports(ctx context.Context) ([]silence, error) {
	var all []silence
	for _, f := range h.feeds {
		least := time.Duration(f.Expect.SameFor)
		if least == 0 {
			continue
		}
		scopes := h.VendorIDs()
		if f.spec.Source.All {
			scopes = []string{catalog.AllVendors}
		}
		var stuck []string
		var since time.Time
		spoke := 0
		for _, scope := range scopes {
			same, err := h.store.SameExports(ctx, f.Name, scope)
			if err != nil {
				return nil, err
			}
			if same.Exports > 0 {
				spoke++
			}
			// One alone is no row; that none comes any more is another thing, which the time of the last one tells.
			if same.Exports > 1 && same.Last.Sub(same.First) >= least {
				stuck = append(stuck, scope)
				if since.IsZero() || same.First.Before(since) {
					since = same.First
				}
			}
		}
		all = append(all, h.stuck(f, stuck, spoke == len(stuck), since)...)
	}
	return all, nil
}

// stuck tells of stores whose exports are the same: as one where it is all that the feed speaks of.
func (h *House) stuck(f feedSetup, scopes []string, everybody bool, since time.Time) []silence {
	if len(scopes) == 0 {
		return nil
	}
	at := since.Format(time.RFC3339)
	if everybody {
		return []silence{{alert.Problem{Key: "same-export/" + f.Name, Kind: alert.SameExport}, []any{f.Name, at, "", f.Drop}}}
	}
	var all []silence
	for _, scope := range scopes {
		p := alert.Problem{Key: "same-export/" + f.Name + "/" + scope, Kind: alert.SameExport, Store: scope}
		all = append(all, silence{p, []any{f.Name, at, h.nameFor(scope), f.Drop}})
	}
	return all
}

// missingOrders finds that no orders come at a time at which there usually are some.
func (h *House) missingOrders(ctx context.Context) ([]silence, error) {
	_, asks := OrderSweep(h.cfg)
	if h.cfg.Orders.Expect != config.ExpectUsual || !asks && h.cfg.Orders.Webhook.Listen == "" {
		return nil, nil
	}
	if asks {
		// What can't be asked for is another problem, which is told by its own name.
		polls, err := h.store.Polls(ctx)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(h.VendorIDs(), func(id string) bool { return polls[id].Failures > 0 }) {
			return nil, nil
		}
	}
	last, err := h.store.LastOrder(ctx)
	if err != nil || last.IsZero() || h.now().Sub(last) < quietOrders {
		return nil, err
	}
	usual, err := h.usualOrders(ctx, last)
	if err != nil || usual < usualOrders {
		return nil, err
	}
	p := alert.Problem{Key: "no-orders", Kind: alert.NoOrders}
	return []silence{{p, []any{last.Format(time.RFC3339), usual}}}, nil
}

// usualOrders returns how many orders there were at least, in each of the last weeks, in the hours between a time and now.
func (h *House) usualOrders(ctx context.Context, from time.Time) (least int, err error) {
	until := h.now().In(h.zone)
	from = from.In(h.zone)
	for week := 1; week <= usualWeeks; week++ {
		// By the clock on the wall, which may have been set since.
		n, err := h.store.OrdersWithin(ctx, from.AddDate(0, 0, -7*week), until.AddDate(0, 0, -7*week))
		if err != nil {
			return 0, err
		}
		if week == 1 || n < least {
			least = n
		}
		if least < usualOrders {
			return least, nil
		}
	}
	return least, nil
}
