package daemon

import (
	"context"
	"errors"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/schedule"
)

// clockSlack is how far the clock may be set back without a slot being run once more: time servers correct by less.
const clockSlack = 10 * time.Minute

// timetable is one schedule of one time zone.
type timetable struct {
	name    string // of the row with its last slot
	plan    schedule.Schedule
	full    bool
	targets []string
}

// startSchedules sets where schedules begin that never ran: the first slot is the next one. What was missed while the daemon was
// down is run once, as soon as it is back.
func (h *House) startSchedules(ctx context.Context) error {
	for _, t := range h.timetables {
		last, err := h.store.LastSlot(ctx, t.name)
		if err != nil {
			return err
		}
		if !last.IsZero() {
			continue
		}
		if err := h.store.RecordSlot(ctx, t.name, h.now(), nil, false); err != nil {
			return err
		}
	}
	return nil
}

// runSlots records the slots that have come since the last one of each schedule. Missed ones coalesce.
func (h *House) runSlots(ctx context.Context) error {
	h.sendsNext = h.now().Add(quietEvery)
	for _, t := range h.timetables {
		slot, ok, err := h.dueSlot(ctx, t.name, t.plan)
		if err != nil {
			return err
		}
		if !ok {
			if next := t.plan.Next(h.now()); next.Before(h.sendsNext) {
				h.sendsNext = next
			}
			continue
		}
		if err := h.store.RecordSlot(ctx, t.name, slot, t.targets, t.full); err != nil {
			return err
		}
		h.log.Info("slot", "schedule", t.name, "slot", slot.Format(time.RFC3339), "targets", len(t.targets))
	}
	return nil
}

// dueSlot returns the last slot of a schedule that has come and was not run, false where there is none.
func (h *House) dueSlot(ctx context.Context, name string, plan schedule.Schedule) (slot time.Time, ok bool, err error) {
	last, err := h.store.LastSlot(ctx, name)
	if err != nil || last.IsZero() {
		return slot, false, err
	}
	if back := last.Sub(h.now()); back > clockSlack && back > plan.Next(last).Sub(last) {
		// The clock was ahead and has been put right, by more than lies between two slots. Waiting for it to come by again may take
		// years. Where it is less, such as some hours with a daily slot, the slot has run and the next one is soon enough.
		h.log.Warn("clock was set back, schedule starts anew", "schedule", name, "last", last.Format(time.RFC3339))
		return slot, false, h.store.RecordSlot(ctx, name, h.now(), nil, false)
	}
	slot, ok = plan.Last(h.now(), last)
	return slot, ok, nil
}

// setTimetables makes a timetable for each schedule and each time zone in which there are targets for it: a slot is local time.
func (s *setup) setTimetables() error {
	var errs []error
	for _, one := range []struct {
		kind catalog.Kind
		full bool
		spec string
	}{
		{catalog.KindCatalog, false, s.cfg.Send.Catalog.Schedule},
		{catalog.KindCatalog, true, s.cfg.Send.Catalog.Full},
		{catalog.KindPromotions, false, s.cfg.Send.Promotions.Schedule},
		{catalog.KindPromotions, true, s.cfg.Send.Promotions.Full},
	} {
		path, name := "send."+string(one.kind)+".schedule", string(one.kind)
		if one.full {
			path, name = "send."+string(one.kind)+".full", name+" full"
		}
		if one.full && (one.spec == "" || one.spec == "off") {
			continue
		}
		if _, err := schedule.Parse(one.spec, s.zone); err != nil {
			// Wrong also where nothing is sent by it yet.
			errs = append(errs, config.PathError{Path: path, Err: err})
			continue
		}
		zones := map[string]int{}
		for _, t := range s.targets {
			if s.scheduleOf(t) != one.kind {
				continue
			}
			zone := s.zoneOf(t)
			i, ok := zones[zone.String()]
			if !ok {
				plan, err := schedule.Parse(one.spec, zone)
				if err != nil {
					errs = append(errs, config.PathError{Path: path, Err: err})
					break
				}
				i = len(s.timetables)
				zones[zone.String()] = i
				s.timetables = append(s.timetables, timetable{name: name + " " + zone.String(), plan: plan, full: one.full})
			}
			s.timetables[i].targets = append(s.timetables[i].targets, t.String())
		}
	}
	return errors.Join(errs...)
}

// scheduleOf returns the kind whose schedule a target goes by.
func (s *setup) scheduleOf(t Target) catalog.Kind {
	if t.Kind == catalog.KindAssortment {
		return catalog.KindCatalog
	}
	return t.Kind
}

// Slots are when a target's next plans are made.
type Slots struct {
	Target
	Next time.Time // the next plan of either kind
	Full time.Time // the next full one, zero where none is
}

// NextSlots returns the next slots after a time of each target, in the order of the config.
func NextSlots(cfg *config.Config, after time.Time) ([]Slots, error) {
	s, err := newSetup(cfg)
	if err != nil {
		return nil, config.Problems(cfg.Locate(err))
	}
	all := make([]Slots, len(s.targets))
	for i, t := range s.targets {
		all[i] = s.nextSlots(t, after)
	}
	return all, nil
}

// nextSlots returns when a target's next plans are made.
func (s *setup) nextSlots(target Target, after time.Time) Slots {
	next := Slots{Target: target}
	for _, t := range s.timetables {
		if !slices.Contains(t.targets, target.String()) {
			continue
		}
		at := t.plan.Next(after)
		if next.Next.IsZero() || at.Before(next.Next) {
			next.Next = at
		}
		if t.full {
			next.Full = at
		}
	}
	return next
}

// Run is a slot to come.
type Run struct {
	At     time.Time    `json:"at"` // in the zone
	Zone   string       `json:"zone"`
	Kind   catalog.Kind `json:"kind"`   // catalog, promotions or assortment
	Full   bool         `json:"full"`   // everything is sent, not only what differs
	Stores []string     `json:"stores"` // ids; * where one file is for all stores
}

// ClockChange is a change of the clock between the slots to come.
type ClockChange struct {
	schedule.Change
	Zone  string
	Slots []ChangedSlots // of each schedule that it touches
}

// ChangedSlots are the slots of a schedule that a change of the clock skips or repeats.
type ChangedSlots struct {
	Kind  catalog.Kind
	Full  bool
	Slots []schedule.Slot
}

// Agenda is what the schedules will do.
type Agenda struct {
	Runs    []Run
	Changes []ClockChange // up to the last of the runs
}

// NextRuns returns the next n slots after a time in which stores have a part, of all stores where none is named, by time and then in the
// order of the config.
func NextRuns(cfg *config.Config, after time.Time, n int, vendors []string) (Agenda, error) {
	s, err := newSetup(cfg)
	if err != nil {
		return Agenda{}, config.Problems(cfg.Locate(err))
	}
	targets, err := (&House{setup: s}).targetsNamed(vendors)
	if err != nil {
		return Agenda{}, err
	}
	var tables []timetable
	var next []time.Time
	for _, t := range s.timetables {
		t.targets = slices.DeleteFunc(slices.Clone(t.targets), func(name string) bool { return !slices.Contains(targets, name) })
		if len(t.targets) > 0 {
			tables, next = append(tables, t), append(next, t.plan.Next(after))
		}
	}
	var a Agenda
	for len(a.Runs) < n && len(tables) > 0 {
		first := 0
		for i := range next {
			if next[i].Before(next[first]) {
				first = i
			}
		}
		a.Runs = append(a.Runs, tables[first].run(next[first]))
		next[first] = tables[first].plan.Next(next[first])
	}
	if len(a.Runs) > 0 {
		a.Changes = clockChanges(tables, after, a.Runs[len(a.Runs)-1].At)
	}
	return a, nil
}

func (t timetable) run(at time.Time) Run {
	r := Run{At: at, Zone: at.Location().String(), Full: t.full}
	for _, name := range t.targets {
		target := parseTarget(name)
		r.Kind = target.Kind
		r.Stores = append(r.Stores, target.Vendor)
	}
	return r
}

// clockChanges returns the changes of the clock in (from, to] of every zone that schedules are in, by time.
func clockChanges(tables []timetable, from, to time.Time) []ClockChange {
	var all []ClockChange
	for _, t := range tables {
		r := t.run(t.plan.Next(from))
		for _, c := range schedule.Changes(r.At.Location(), from, to) {
			i := slices.IndexFunc(all, func(old ClockChange) bool { return old.Zone == r.Zone && old.At.Equal(c.At) })
			if i < 0 {
				i = len(all)
				all = append(all, ClockChange{Change: c, Zone: r.Zone})
			}
			if slots := t.plan.Around(c); len(slots) > 0 {
				all[i].Slots = append(all[i].Slots, ChangedSlots{r.Kind, r.Full, slots})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b ClockChange) int { return a.At.Compare(b.At) })
	return all
}
