package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// newStatusCommand says how things stand.
func newStatusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how things stand, store by store and feed by feed",
		Long: `Says for every store what the next slot would change and when the last file arrived, for every feed which
export came last, what is on its way, and what waits for a person. It works beside the running daemon as
well as without it, and changes nothing. The exit code names the first of what is wrong: the server (4),
the brake or a pause (5), a drop folder (1), a changed config that the daemon does not take (2).`,
		Example:     "  gondola status\n  gondola status --json",
		Args:        cobra.NoArgs,
		Annotations: codes(exitRemote, exitBrake),
		RunE:        func(c *cobra.Command, _ []string) error { return a.status(c.Context()) },
	}
}

// nothingRan is what commands that look at the state say when there is none yet.
const nothingRan = "Nothing has run here yet: put an export into a drop folder, then run gondola run or gondola once.\n"

func (a *app) status(ctx context.Context) (err error) {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	h, err := daemon.Attach(ctx, cfg, daemon.Options{})
	if errors.Is(err, store.ErrNone) {
		if a.JSON {
			return a.printJSON(daemon.Status{
				At: time.Now(), State: "ok", Stores: []daemon.StoreStatus{}, Feeds: []daemon.FeedStatus{}, Held: []daemon.Held{}, Rows: []daemon.HeldRows{},
			})
		}
		a.printf("%s", nothingRan)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	s, err := h.Status(ctx)
	if err != nil {
		return err
	}
	if a.JSON {
		if err := a.printJSON(s); err != nil {
			return err
		}
		return ended(statusCode(s))
	}
	a.printStatus(cfg, s)
	return ended(statusCode(s))
}

// statusCode chooses the one exit code.
func statusCode(s daemon.Status) int {
	code := exitDone
	if s.Refused != nil {
		code = exitUsage
	}
	for _, f := range s.Feeds {
		if f.Problem != "" {
			code = exitError
		}
	}
	if len(s.Held)+len(s.Rows)+len(s.Paused) > 0 {
		code = exitBrake
	}
	for _, v := range s.Stores {
		if v.Problem != "" {
			code = exitRemote
		}
	}
	if s.Hold != "" {
		code = exitRemote
	}
	return code
}

func (a *app) printStatus(cfg *config.Config, s daemon.Status) {
	zone := zoneOf(cfg.Chain.TimeZone)
	state := "The daemon does not run: nothing is taken or sent until gondola run or gondola once."
	if s.Running {
		state = "The daemon runs."
	}
	a.printf("%s, %s. %s\n\n", clock(s.At, zone), zone, state)
	var rows [][]string
	for _, v := range s.Stores {
		settled := "yes"
		switch {
		case v.Pending > 0:
			settled = fmt.Sprintf("not yet, %d wait for it", v.Pending)
		case v.Jobs > 0:
			settled = "not yet, " + count(v.Jobs, "job")
		case !v.Settled:
			settled = "not yet"
		}
		id, name := v.ID, v.Name
		if id == catalog.AllVendors {
			id, name = "all", "all stores"
		}
		rows = append(rows, []string{
			id, name, v.Kind, strconv.Itoa(v.Same), strconv.Itoa(v.Differs), clock(v.Verified, zone), settled, clock(v.Next, zone),
		})
	}
	a.table([]string{"STORE", "NAME", "SHELF", "AS SENT", "TO SEND", "LAST SENT", "SETTLED", "NEXT SLOT"}, rows)
	a.printf("\n")
	rows = nil
	for _, f := range s.Feeds {
		row := []string{f.Name, "-", "-", "-", "-", f.Folder}
		if d := f.Last; d != nil {
			row = []string{f.Name, fmt.Sprintf("%d %s", d.Seq, d.Name), clock(d.At, zone), d.State, strconv.Itoa(d.Issues), f.Folder}
		}
		rows = append(rows, row)
	}
	a.table([]string{"FEED", "LAST DROP", "CAME", "STATE", "ISSUES", "DROP FOLDER"}, rows)
	if s.Orders != nil {
		a.printf("\norders    %s\n", plain(ordersLine(s.Orders, zone)))
	}
	if s.Passport != "" {
		a.printf("\nserver    %s\n", plain(s.Passport))
	}
	for i, line := range incomingLines(s.Incoming, zone) {
		if i == 0 {
			a.printf("\n")
		}
		a.printf("%s\n", plain(line))
	}
	a.printTroubles(s, zone)
}

// printTroubles prints what is on its way, what waits, and what needs somebody; nothing when there is nothing.
func (a *app) printTroubles(s daemon.Status, zone *time.Location) {
	var lines []string
	for _, f := range s.Feeds {
		for _, w := range f.Waiting {
			lines = append(lines, fmt.Sprintf("waiting   %s in the folder of %s: %s", w.Name, f.Name, w.Reason))
		}
	}
	for _, d := range s.Waiting {
		line := fmt.Sprintf("%-8s  %s, next attempt %s", d.State, d.Name, clock(d.Next, zone))
		if d.Error != "" {
			line += ": " + d.Error
		}
		lines = append(lines, line)
	}
	for _, v := range s.Stores {
		if v.Withheld > 0 {
			lines = append(lines, fmt.Sprintf("withheld  %s of store %s can't start: gondola plan says why", count(v.Withheld, "promotion"), v.ID))
		}
	}
	for _, v := range s.Stores {
		if v.NotTaken > 0 {
			what := "gondola explain says of an article why"
			if v.Kind != string(catalog.KindCatalog) {
				what = "gondola promotions --state rejected says which"
			}
			lines = append(lines, fmt.Sprintf("not taken %s of store %s, %s: the answers in the drop folders say which rows, %s",
				count(v.NotTaken, "row"), v.ID, v.Kind, what))
		}
	}
	for _, f := range s.Feeds {
		if f.Problem != "" {
			lines = append(lines, fmt.Sprintf("folder    feed %s: %s", f.Name, f.Problem))
		}
	}
	lines = append(lines, handLines(s, zone)...)
	for _, p := range s.Problems {
		switch p.Kind { // the others are in the lines above, or below
		case "config", "answers", "disk", "trouble", "alarm", "poll", "silent", "aside":
			line := fmt.Sprintf("%-8s  %s %s", p.Kind, p.Text, p.Do)
			if p.Detail != "" {
				line += " (" + p.Detail + ")"
			}
			lines = append(lines, line)
		}
	}
	lines = append(lines, rollbackLines(s.Rollback, zone)...)
	lines = append(lines, auditLines(s.Audits, zone)...)
	lines = append(lines, heldLines(s.Held)...)
	for _, f := range s.Rows {
		where := "store " + f.Vendor
		if f.Vendor == catalog.AllVendors {
			where = "all stores"
		}
		lines = append(lines,
			fmt.Sprintf("held      finding %s (%s, %s): %s", f.ID, where, f.Kind, f.Text),
			fmt.Sprintf("          if it is right: gondola approve %s; else gondola reject %s, or drop a corrected export", f.ID, f.ID))
	}
	if s.Hold != "" {
		lines = append(lines, "stopped   "+s.Hold)
	}
	for i, line := range lines {
		if i == 0 {
			a.printf("\n")
		}
		a.printf("%s\n", plain(line))
	}
}

// incomingLines says how orders come.
func incomingLines(in *daemon.Incoming, zone *time.Location) []string {
	if in == nil {
		return nil
	}
	var lines []string
	if in.Listens {
		w := in.Webhook
		line := fmt.Sprintf("webhook   %s, the last %s", count(int(w.Accepted.N), "event"), clock(w.Accepted.Last, zone))
		for _, reason := range slices.Sorted(maps.Keys(w.Refused)) {
			line += fmt.Sprintf(", %d refused (%s)", w.Refused[reason].N, reason)
		}
		if w.Waiting > 0 {
			line += fmt.Sprintf(", %d to be handled", w.Waiting)
		}
		lines = append(lines, line)
	}
	if in.Asks {
		lines = append(lines, fmt.Sprintf("asking    %s, all of them since %s", count(in.Stores, "store"), clock(in.Oldest, zone)))
	}
	return lines
}

// maxOff is how many articles that are switched off by hand status names; gondola off --list has all of them.
const maxOff = 10

// handLines says what was paused and switched off by hand.
func handLines(s daemon.Status, zone *time.Location) []string {
	var lines []string
	for _, p := range s.Paused {
		lines = append(lines, "paused    "+p.Text(zone)+"; gondola resume ends it")
	}
	for i, o := range s.Off {
		if i == maxOff {
			lines = append(lines, fmt.Sprintf("off       and %d more: gondola off --list", len(s.Off)-maxOff))
			break
		}
		where := "store " + o.Vendor
		if o.Vendor == catalog.AllVendors {
			where = "all stores"
		}
		line := fmt.Sprintf("off       article %s in %s, since %s by %s", o.Key, where, clock(o.Since, zone), o.Who)
		if !o.Until.IsZero() {
			line += ", until " + clock(o.Until, zone)
		}
		if o.Reason != "" {
			line += " (" + o.Reason + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// heldLines says why the brake holds exports, and what to do: of each feed and store the newest one, which is the one to decide on.
func heldLines(held []daemon.Held) []string {
	var lines []string
	for i, d := range held {
		same := func(o daemon.Held) bool { return o.Feed == d.Feed && o.Vendor == d.Vendor }
		if slices.ContainsFunc(held[i+1:], same) {
			continue
		}
		texts := make([]string, len(d.Findings))
		for i, f := range d.Findings {
			texts[i] = f.Text
		}
		where := "store " + d.Vendor
		if d.Vendor == catalog.AllVendors {
			where = "all stores"
		}
		older := ""
		if n := len(slices.DeleteFunc(slices.Clone(held[:i]), func(o daemon.Held) bool { return !same(o) })); n > 0 {
			older = fmt.Sprintf(" (%d older held too)", n)
		}
		lines = append(lines,
			fmt.Sprintf("held      drop %d, %s (feed %s, %s): %s%s", d.Seq, d.Name, d.Feed, where, strings.Join(texts, " "), older),
			fmt.Sprintf("          if it is right: gondola approve %d; else gondola reject %d, or drop a corrected export", d.Seq, d.Seq))
	}
	return lines
}
