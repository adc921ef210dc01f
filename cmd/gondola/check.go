package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
)

// newCheckCommand names everything that is wrong with a config.
func newCheckCommand(a *app) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check",
		Short: "Name everything in the config that is missing or wrong",
		Long: `Reads the config and lists every problem at once, each with its file, line and column, with what to do, what is
allowed there and what was probably meant, and shows the line. Of passwords only the reference is shown, and
nothing that may be one. What only deserves a look is marked as a warning. It connects to nobody and changes
nothing.

With --replay a config that is fine is rehearsed: it goes live on a copy of the state, the last exports are read
by it, and what every document would say is compared with what it says now. Write the changed config beside the
one that is live, so that both have the same state.dir.`,
		Example: "  gondola check --config shop/config.yaml\n  gondola check --effective\n" +
			"  gondola check --config shop/new.yaml --replay\n  gondola check --config shop/new.yaml --against shop/config.yaml --replay=30",
		Args:        cobra.NoArgs,
		Annotations: codes(exitData, exitBrake),
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("replay") && f.replay < 1 {
				return usagef("--replay is 1 or more; found %d", f.replay)
			}
			if f.against != "" && f.replay == 0 {
				return usagef("--against goes with --replay")
			}
			return a.check(c.Context(), f)
		},
	}
	c.Flags().IntVar(&f.replay, "replay", 0, "rehearse the config with the last `N` exports of each feed, as in --replay=20")
	c.Flags().Lookup("replay").NoOptDefVal = strconv.Itoa(usualReplay)
	c.Flags().StringVar(&f.against, "against", "", "with --replay: the config `FILE` that is live, where stores, feeds or send are changed, too")
	c.Flags().BoolVar(&f.effective, "effective", false, "print the config as it is understood: every default filled in, no secret shown")
	c.MarkFlagsMutuallyExclusive("effective", "replay")
	return c
}

// checkFlags are what check is asked.
type checkFlags struct {
	effective bool
	replay    int // 0: no rehearsal
	against   string
}

// checked is what check --json prints.
type checked struct {
	OK       bool             `json:"ok"`
	Problems []config.Problem `json:"problems"`
	Warnings []config.Problem `json:"warnings"`
	Stores   []checkedStore   `json:"stores,omitempty"`
	Feeds    []checkedFeed    `json:"feeds,omitempty"`
	Sweep    *checkedSweep    `json:"order_sweep,omitempty"`
}

// checkedSweep is how long it takes to ask for the orders of all stores, where that is done.
type checkedSweep struct {
	Stores    int     `json:"stores"`
	PerMinute int     `json:"requests_per_minute"`
	Takes     float64 `json:"seconds"`
	Every     float64 `json:"every_seconds"`
}

// checkedStore is one shelf of a store of a config that is fine.
type checkedStore struct {
	ID   string    `json:"id"` // * where one file is for all stores
	Name string    `json:"name"`
	Kind string    `json:"kind"`               // catalog, promotions or assortment
	Next time.Time `json:"next"`               // when what differs is sent
	Full time.Time `json:"next_full,omitzero"` // when everything is
}

// checkedFeed is one feed of a config that is fine.
type checkedFeed struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Drop   string   `json:"drop"`
	Export string   `json:"export"`
	Match  []string `json:"match"`
}

func (a *app) check(ctx context.Context, f checkFlags) error {
	result := checked{Problems: []config.Problem{}, Warnings: []config.Problem{}}
	load := config.Load
	if f.replay > 0 {
		load = config.Look // nothing is sent: secrets may be there for the daemon alone
	}
	cfg, err := load(a.configPath())
	found, ok := errors.AsType[config.Problems](err)
	switch {
	case ok:
	case err != nil:
		return &failure{exitUsage, err}
	default:
		found = slices.Concat(cfg.Warnings, daemon.Check(cfg), checkFolders(cfg))
		slices.SortStableFunc(found, func(a, b config.Problem) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
	for _, p := range found {
		if p.Warning {
			result.Warnings = append(result.Warnings, p)
		} else {
			result.Problems = append(result.Problems, p)
		}
	}
	result.OK = len(result.Problems) == 0
	if result.OK {
		if err := result.summarize(cfg); err != nil {
			return err
		}
	}
	switch {
	case result.OK && f.effective:
		return a.effective(cfg, found)
	case result.OK && f.replay > 0:
		printProblems(a.Stderr, found)
		return a.rehearse(ctx, cfg, f)
	}
	code := exitDone
	if !result.OK {
		code = exitUsage
	}
	if a.JSON {
		if err := a.printJSON(result); err != nil {
			return err
		}
		return ended(code)
	}
	printProblems(a.Stdout, found)
	if result.OK {
		a.printChecked(result, len(cfg.Vendors), zoneOf(cfg.Chain.TimeZone))
		return nil
	}
	gone := "they are gone"
	if len(result.Problems) == 1 {
		gone = "it is gone"
	}
	a.printf("\n%s in %s. Nothing runs until %s.\n", count(len(result.Problems), "problem"), a.configPath(), gone)
	return ended(code)
}

// summarize fills in what a config that is fine amounts to.
func (r *checked) summarize(cfg *config.Config) error {
	slots, err := daemon.NextSlots(cfg, time.Now())
	if err != nil {
		return err
	}
	names := map[string]string{catalog.AllVendors: "all stores"}
	for _, v := range cfg.Vendors {
		names[v.ID] = v.Name
	}
	for _, s := range slots {
		r.Stores = append(r.Stores, checkedStore{ID: s.Vendor, Name: names[s.Vendor], Kind: string(s.Kind), Next: s.Next, Full: s.Full})
	}
	if s, ok := daemon.OrderSweep(cfg); ok {
		r.Sweep = &checkedSweep{s.Stores, s.PerMinute, s.Takes.Seconds(), s.Every.Seconds()}
	}
	for _, f := range cfg.Feeds {
		r.Feeds = append(r.Feeds, checkedFeed{Name: f.Name, Kind: f.Kind, Drop: f.Drop, Export: f.Export, Match: f.Match})
	}
	return nil
}

// printProblems prints each problem, with the line of the file that it is about below.
func printProblems(w io.Writer, found []config.Problem) {
	ink, columns := paintFor(w), screenWidth(w)-excerptIndent
	for _, p := range found {
		_, _ = io.WriteString(w, problemText(ink, columns, p)) // see printf
	}
}

// seconds writes a length of time as the config does.
func seconds(n float64) config.Duration {
	return config.Duration(time.Duration(n * float64(time.Second)).Round(time.Second))
}

// effective prints a config that is fine as it is understood. Warnings go to the standard error: the result is a file.
func (a *app) effective(cfg *config.Config, warnings []config.Problem) error {
	printProblems(a.Stderr, warnings)
	e := cfg.Effective()
	if a.JSON {
		return a.printJSON(e)
	}
	text, err := e.YAML()
	if err != nil {
		return err
	}
	a.printf("%s", text)
	return nil
}

// problemText returns what is printed of a problem.
func problemText(ink paint, columns int, p config.Problem) string {
	var b strings.Builder
	place, color := p.Place(), ink.red
	text := strings.TrimPrefix(p.Error(), place)
	b.WriteString(ink.bold(place))
	if p.Warning {
		color = ink.yellow
		before, after, _ := strings.Cut(text, "warning:")
		b.WriteString(before + color("warning:"))
		text = after
	}
	b.WriteString(text + "\n")
	if p.Excerpt != nil {
		indent := strings.Repeat(" ", excerptIndent)
		line, mark := excerptLines(*p.Excerpt, columns)
		blank := mark[:len(mark)-len(strings.TrimLeft(mark, " "))]
		b.WriteString(indent + line + "\n" + indent + blank + color(mark[len(blank):]) + "\n")
	}
	return b.String()
}

func (a *app) printChecked(r checked, stores int, zone *time.Location) {
	a.printf("%s is fine: %s, %s.\n\n", a.configPath(), count(stores, "store"), count(len(r.Feeds), "feed"))
	rows := make([][]string, 0, max(len(r.Stores), len(r.Feeds)))
	for _, s := range r.Stores {
		id := s.ID
		if id == catalog.AllVendors {
			id = "all"
		}
		rows = append(rows, []string{id, s.Name, s.Kind, clock(s.Next, zone), clock(s.Full, zone)})
	}
	a.table([]string{"STORE", "NAME", "SHELF", "NEXT CHANGES", "NEXT FULL"}, rows)
	rows = rows[:0]
	for _, f := range r.Feeds {
		rows = append(rows, []string{f.Name, f.Kind, f.Export, f.Drop, strings.Join(f.Match, " ")})
	}
	a.printf("\n")
	a.table([]string{"FEED", "KIND", "EXPORT", "DROP FOLDER", "FILES"}, rows)
	if s := r.Sweep; s != nil {
		a.printf("\nAsking for the orders of %s takes %s at %d requests a minute; it is done every %s.\n", count(s.Stores, "store"),
			seconds(s.Takes), s.PerMinute, seconds(s.Every))
	}
}
