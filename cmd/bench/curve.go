package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// curve is how the cost of one thing grows with something.
type curve struct {
	of     string // what grows
	points []point
}

// point is what it cost at one size.
type point struct {
	x float64
	m spread // seconds
	// rss is the most memory that it took.
	rss    int64
	stages []stage
}

// slope returns the exponent of a power law through the points: 1 is a cost that grows as the size does, 2 one that nobody can pay.
// Start-up makes small sizes look dear, so that it is taken between the two largest as well; that one is what lies ahead.
func (c *curve) slope() (fitted, last float64) {
	var n, sx, sy, sxx, sxy float64
	for _, p := range c.points {
		x, y := math.Log(p.x), math.Log(p.m.median)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if n < 2 {
		return 0, 0
	}
	fitted = (n*sxy - sx*sy) / (n*sxx - sx*sx)
	a, b := c.points[len(c.points)-2], c.points[len(c.points)-1]
	return fitted, math.Log(b.m.median/a.m.median) / math.Log(b.x/a.x)
}

func (c *curve) write(s *strings.Builder) {
	fmt.Fprintf(s, "  %s  %s %5s\n", pad(c.of, 12), pad("seconds", 24), "MiB")
	for _, p := range c.points {
		fmt.Fprintf(s, "  %s  %s %5.0f", pad(thousands(int(p.x)), 12), pad(p.m.String(), 24), mebi(p.rss))
		for i, st := range p.stages {
			sep := ","
			if i == 0 {
				sep = "  "
			}
			fmt.Fprintf(s, "%s %s %s", sep, st.Name, short(st.Seconds))
		}
		fmt.Fprintln(s)
	}
	fitted, last := c.slope()
	fmt.Fprintf(s, "  exponent %.2f; between the two largest %.2f\n", fitted, last)
}

// curveRounds is how often each size is measured.
const curveRounds = 3

// holdCurves shows how costs grow.
func (b *bench) holdCurves(ctx context.Context) ([]outcome, error) {
	var all []outcome
	add := func(name, title, of string, sizes []int, do func(n int) (func(context.Context) (measure, error), error)) error {
		c := contest{name: name, title: title, rounds: min(curveRounds, b.size.rounds)}
		for _, n := range sizes {
			work, err := do(n)
			if err != nil {
				return err
			}
			c.contenders = append(c.contenders, contender{name: strconv.Itoa(n), role: ours, do: work})
		}
		o := b.run(ctx, c)
		o.curve = &curve{of: of}
		for _, n := range sizes {
			if runs := o.rounds[strconv.Itoa(n)]; len(runs) > 0 {
				o.curve.points = append(o.curve.points, point{float64(n), o.seconds(strconv.Itoa(n)), o.rss(strconv.Itoa(n)), runs[len(runs)-1].Stages})
			}
		}
		o.judge()
		all = append(all, o)
		return nil
	}
	rows := []int{b.size.rows / 100, b.size.rows / 10, b.size.rows}
	err := add("curve-rows", "an export to documents, by its rows", "rows", rows, func(n int) (func(context.Context) (measure, error), error) {
		path, err := b.export(ctx, n, chainStores)
		return b.worker("csv-documents", path, b.path("work"), strconv.Itoa(chainStores)), err
	})
	if err != nil {
		return all, err
	}
	err = add("curve-stores", fmt.Sprintf("an export of %s rows to documents, by its stores", thousands(b.size.rows/10)), "stores", b.size.stores,
		func(n int) (func(context.Context) (measure, error), error) {
			path, err := b.export(ctx, b.size.rows/10, n)
			return b.worker("csv-documents", path, b.path("work"), strconv.Itoa(n)), err
		})
	if err != nil {
		return all, err
	}
	err = add("curve-history", "a day's work and its questions, by the files that came before, and ten times as many orders", "files", b.size.history,
		func(n int) (func(context.Context) (measure, error), error) {
			dir, err := b.history(ctx, n)
			return b.worker("history-use", dir), err
		})
	if err != nil {
		return all, err
	}
	// What came with those files: an order table, and a ledger of a year.
	for _, of := range []struct {
		name, title, of string
		each            int
	}{
		{"orders", "questions about orders, and orders that change, by how many there are", "orders", ordersPerFile},
		{"ledger", "rows of the ledger since a time, of a kind, and new ones, by how many there are", "rows", entriesPerFile},
	} {
		sizes := make([]int, len(b.size.history))
		for i, n := range b.size.history {
			sizes[i] = n * of.each
		}
		err = add("curve-"+of.name, of.title, of.of, sizes, func(n int) (func(context.Context) (measure, error), error) {
			dir, err := b.history(ctx, n/of.each)
			return b.worker(of.name+"-use", dir), err
		})
		if err != nil {
			return all, err
		}
	}
	err = add("curve-folder", "a look at a drop folder, by the files that wait in it", "files", []int{b.size.waiting / 100, b.size.waiting / 10, b.size.waiting},
		func(n int) (func(context.Context) (measure, error), error) {
			look := b.worker("scan", b.path("work"), strconv.Itoa(n))
			return func(ctx context.Context) (measure, error) {
				m, err := look(ctx)
				for _, f := range m.Facts {
					if f.Name == scanCPU { // the rest is waiting for the next look
						m.Seconds = f.Value / 1000
					}
				}
				return m, err
			}, nil
		})
	return all, err
}

// judge says whether a curve is linear or better.
func (o *outcome) judge() {
	if len(o.curve.points) < 2 {
		return
	}
	_, last := o.curve.slope()
	// A tenth is noise and the logarithm of sorting.
	g := goal{text: "exponent between the two largest", most: 1.1}
	o.verdict = append(o.verdict, verdict{g, spread{median: last, n: 1}, true})
	if o.name == "curve-rows" {
		var most int64
		for _, p := range o.curve.points {
			most = max(most, p.rss)
		}
		g := goal{text: "memory, however many rows", most: 96, unit: "MiB"}
		o.verdict = append(o.verdict, verdict{g, spread{median: mebi(most), n: 1}, true})
	}
}

// history returns a state folder with so much behind it.
func (b *bench) history(ctx context.Context, n int) (string, error) {
	return b.input(ctx, fmt.Sprintf("history-%d", n), "history", strconv.Itoa(n))
}
