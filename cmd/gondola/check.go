package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
)

// newCheckCommand names everything that is wrong with a config.
func newCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Name everything in the config that is missing or wrong",
		Long: `Reads the config and lists every problem at once, each with its file, line and column, and with what to
do. What only deserves a look is marked as a warning. It connects to nobody and changes nothing.`,
		Example:     "  gondola check --config shop/config.yaml",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(*cobra.Command, []string) error { return a.check() },
	}
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

func (a *app) check() error {
	result := checked{Problems: []config.Problem{}, Warnings: []config.Problem{}}
	cfg, err := config.Load(a.configPath())
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
	a.printProblems(found)
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

// printProblems prints each problem, with the part of the file that it is about below.
func (a *app) printProblems(found []config.Problem) {
	lines := sourceLines(a.configPath())
	for _, p := range found {
		a.printf("%s\n", p.Error())
		if text, mark, ok := excerpt(lines, p); ok {
			a.printf("    %s\n    %s\n", text, mark)
		}
	}
}

// seconds writes a length of time as the config does.
func seconds(n float64) config.Duration {
	return config.Duration(time.Duration(n * float64(time.Second)).Round(time.Second))
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
