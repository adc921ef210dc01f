package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// count writes a number with its noun: 1 row, 2 rows.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// clock writes a time for people: local to the chain, without seconds. "-" is no time.
func clock(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(zone).Format("2006-01-02 15:04")
}

// zoneOf returns a time zone by its name. The config was checked, so an unknown one can't come up; UTC is still better than nothing.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// table prints rows under a header, in columns as wide as they need.
func (a *app) table(header []string, rows [][]string) {
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			row[i] = plain(cell)
		}
		_, _ = fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t")) // see printf
	}
	_ = w.Flush()
}

// plain returns text without what would break a line or a column, or play with the terminal: file names come from anybody.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
