package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
)

// scheduleFlags are what schedule is asked.
type scheduleFlags struct {
	vendors []string
	next    int
	from    string
}

// maxNext is more runs than anybody reads.
const maxNext = 10_000

// newScheduleCommand shows the coming runs.
func newScheduleCommand(a *app) *cobra.Command {
	var f scheduleFlags
	c := &cobra.Command{
		Use:   "schedule",
		Short: "Show the coming runs in local time, and where the clock is set",
		Long: `Lists the next slots of the schedules, each in the local time of its stores, and marks where the clock is set
forward or back on the way, with what that does to slots. A slot that does not exist that day runs when the
clock has jumped; one that comes twice runs once. Slots of at least three hours in a row follow real time
instead: they are left out, or run twice. It needs the config alone.`,
		Example:     "  gondola schedule --next 40\n  gondola schedule --from 2027-03-27 --vendor 290056",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(*cobra.Command, []string) error { return a.schedule(f, time.Now()) },
	}
	c.Flags().IntVar(&f.next, "next", 20, "show `N` runs")
	c.Flags().StringArrayVar(&f.vendors, "vendor", nil, "only runs for the store with this `ID`; may be repeated (default all stores)")
	c.Flags().StringVar(&f.from, "from", "", "begin at this `DATE`, local to the chain: 2027-03-27, or 2027-03-27T01:30 (default now)")
	return c
}

func (a *app) schedule(f scheduleFlags, now time.Time) error {
	cfg, err := a.look()
	if err != nil {
		return err
	}
	if f.next < 1 || f.next > maxNext {
		return usagef("--next is 1 to %d; found %d", maxNext, f.next)
	}
	if f.from != "" {
		zone := zoneOf(cfg.Chain.TimeZone)
		from, err := localTime(f.from, zone)
		if err != nil {
			from, err = time.ParseInLocation("2006-01-02", f.from, zone)
		}
		if err != nil {
			return usagef("--from wants a date such as 2027-03-27, or 2027-03-27T01:30; found %q", f.from)
		}
		now = from.Add(-1) // a slot at that very time is shown
	}
	agenda, err := daemon.NextRuns(cfg, now, f.next, f.vendors)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(agendaOf(agenda))
	}
	a.printAgenda(cfg, agenda)
	return nil
}

// agendaJSON is what schedule --json prints.
type agendaJSON struct {
	Runs    []daemon.Run      `json:"runs"`
	Changes []clockChangeJSON `json:"clock_changes"`
}

// clockChangeJSON is one change of the clock.
type clockChangeJSON struct {
	At      time.Time         `json:"at"`
	Zone    string            `json:"zone"`
	Forward bool              `json:"forward"`
	Was     string            `json:"was"` // what the clock would have shown
	Is      string            `json:"is"`  // what it shows
	Slots   []changedSlotJSON `json:"slots"`
}

// changedSlotJSON is a slot that the change skips or repeats.
type changedSlotJSON struct {
	Kind catalog.Kind `json:"kind"`
	Full bool         `json:"full"`
	Slot string       `json:"slot"` // what the clock shows
	Runs []time.Time  `json:"runs"` // when it runs: not at all, once or twice
}

const wallForm = "2006-01-02 15:04"

func agendaOf(agenda daemon.Agenda) agendaJSON {
	out := agendaJSON{Runs: append([]daemon.Run{}, agenda.Runs...), Changes: []clockChangeJSON{}}
	for _, c := range agenda.Changes {
		was, is := c.Shown()
		one := clockChangeJSON{
			At: c.At, Zone: c.Zone, Forward: is.After(was), Was: was.Format(wallForm), Is: is.Format(wallForm), Slots: []changedSlotJSON{},
		}
		for _, t := range c.Slots {
			for _, s := range t.Slots {
				one.Slots = append(one.Slots, changedSlotJSON{t.Kind, t.Full, s.Wall.Format(wallForm), append([]time.Time{}, s.Runs...)})
			}
		}
		out.Changes = append(out.Changes, one)
	}
	return out
}

// printAgenda prints runs and changes of the clock by time, one a line.
func (a *app) printAgenda(cfg *config.Config, agenda daemon.Agenda) {
	if len(agenda.Runs) == 0 {
		a.printf("Nothing is ever sent by a schedule.\n")
		return
	}
	width := 0
	for _, r := range agenda.Runs {
		width = max(width, len(zoneText(r.At)))
	}
	changes := agenda.Changes
	for _, r := range agenda.Runs {
		for len(changes) > 0 && !changes[0].At.After(r.At) {
			a.printChange(changes[0])
			changes = changes[1:]
		}
		a.printf("%s  %-*s  %-10s  %-10s  %s\n", r.At.Format(wallForm), width, zoneText(r.At), r.Kind, whatOf(r.Full), storesText(cfg, r.Stores))
	}
}

// zoneText names the zone of a local time and what it is ahead of UTC, with the short name where there is one.
func zoneText(at time.Time) string {
	text := at.Format("-07:00")
	if name, _ := at.Zone(); name != "" && name[0] >= 'A' {
		text += " " + name
	}
	return text + " " + at.Location().String()
}

func whatOf(full bool) string {
	if full {
		return "everything"
	}
	return "changes"
}

// storesText names the stores of a run.
func storesText(cfg *config.Config, ids []string) string {
	const most = 5
	if len(ids) == len(cfg.Vendors) || slices.Contains(ids, catalog.AllVendors) {
		return "all stores"
	}
	if len(ids) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], ", "), len(ids)-most)
	}
	return strings.Join(ids, ", ")
}

// printChange says that the clock is set, and what that does to slots.
func (a *app) printChange(c daemon.ClockChange) {
	was, is := c.Shown()
	how := "back"
	if is.After(was) {
		how = "forward"
	}
	a.printf("%s  the clock of %s goes %s: %s becomes %s\n", c.At.Format(wallForm), c.Zone, how, was.Format(wallForm), is.Format(wallForm))
	if len(c.Slots) == 0 {
		a.printf("                  no slot is touched\n")
	}
	for _, t := range c.Slots {
		// What becomes of slots, with those it becomes of.
		var order []string
		slots := map[string][]string{}
		for _, s := range t.Slots {
			var fate string
			switch {
			case len(s.Runs) == 0:
				fate = "not there that day, left out"
			case len(s.Runs) == 2:
				fate = "there twice, runs both times"
			case is.After(was):
				fate = "not there that day, runs at " + s.Runs[0].Format("15:04")
			default:
				fate = "there twice, runs the first time"
			}
			if slots[fate] == nil {
				order = append(order, fate)
			}
			slots[fate] = append(slots[fate], s.Wall.Format("15:04"))
		}
		for _, fate := range order {
			a.printf("                  %s, %s: %s: %s\n", t.Kind, whatOf(t.Full), strings.Join(slots[fate], ", "), fate)
		}
	}
}
