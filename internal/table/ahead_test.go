package table

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// counted yields rows that know their number, and ends with an error.
type counted struct {
	n, of  int
	err    error
	closed bool
	cells  []string
	typed  []Cell
}

func (c *counted) Next() bool { c.n++; return c.n <= c.of }

func (c *counted) Row() Row {
	c.cells, c.typed = c.cells[:0], c.typed[:0]
	for i := range c.n % 5 {
		c.cells = append(c.cells, fmt.Sprint(c.n, " ", i))
		c.typed = append(c.typed, Cell{Hidden: (c.n+i)%2 == 0})
	}
	r := Row{Line: c.n, Cells: c.cells}
	if c.n%3 == 0 {
		r.Typed = c.typed
	}
	return r
}

func (c *counted) Err() error {
	if c.n > c.of {
		return c.err
	}
	return nil
}

func (c *counted) Close() error { c.closed = true; return nil }

// TestAhead hands out the same rows as the pass that it reads ahead, whatever number of batches they fill.
func TestAhead(t *testing.T) {
	defer goleak.VerifyNone(t)
	broken := errors.New("broken")
	for _, n := range []int{0, 1, aheadRows - 1, aheadRows, aheadRows + 1, 10*aheadRows + 7} {
		for _, ends := range []error{nil, broken} {
			inner := &counted{of: n, err: ends}
			a := readAhead(inner)
			want := &counted{of: n}
			for want.Next() {
				if !a.Next() {
					t.Fatalf("%d rows: no row %d, %v", n, want.n, a.Err())
				}
				w, got := want.Row(), a.Row()
				if got.Line != w.Line || !slices.Equal(got.Cells, w.Cells) || !slices.Equal(got.Typed, w.Typed) || (got.Typed == nil) != (w.Typed == nil) {
					t.Fatalf("%d rows: row %d is %+v, want %+v", n, want.n, got, w)
				}
			}
			for range 2 { // asked again, it says the same
				if a.Next() || !errors.Is(a.Err(), ends) {
					t.Errorf("%d rows: another one, or %v, want %v", n, a.Err(), ends)
				}
			}
			if err := errors.Join(a.Close(), a.Close()); err != nil || !inner.closed || a.Next() {
				t.Errorf("%d rows: %v, closed %t", n, err, inner.closed)
			}
		}
	}
}

// TestAheadLeft leaves a pass in the middle: nothing goes on, and memory held no more than some batches.
func TestAheadLeft(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, read := range []int{0, 1, aheadRows, 3 * aheadRows} {
		inner := &counted{of: 1 << 30}
		a := readAhead(inner)
		for range read {
			a.Next()
		}
		if err := a.Close(); err != nil || !inner.closed || inner.n > read+(aheadBatches+1)*aheadRows {
			t.Errorf("left after %d rows: %v, closed %t, %d were read", read, err, inner.closed, inner.n)
		}
	}
}

// large yields rows with one cell of some length.
type large struct{ counted }

func (l *large) Row() Row { return Row{Line: l.n, Cells: []string{strings.Repeat("x", aheadBytes/2)}} }

// TestAheadBytes reads fewer rows ahead where they are large.
func TestAheadBytes(t *testing.T) {
	inner := &large{counted{of: 1 << 30}}
	a := readAhead(inner)
	a.Next()
	if err := a.Close(); err != nil || inner.n > 2*(aheadBatches+1) {
		t.Errorf("%d rows of half a batch were read, %v", inner.n, err)
	}
}

// wide yields rows of as many cells as a row may have, all of them empty.
type wide struct {
	counted
	cells [DefaultColumns]string
	typed [1000]Cell
}

func (w *wide) Row() Row { return Row{Line: w.n, Cells: w.cells[:], Typed: w.typed[:]} }

// TestAheadEmptyCells reads fewer rows ahead where they are wide: cells without a text take memory, too.
func TestAheadEmptyCells(t *testing.T) {
	inner := &wide{counted: counted{of: 1 << 30}}
	a := readAhead(inner)
	a.Next()
	if err := a.Close(); err != nil || inner.n > 10*(aheadBatches+1) {
		t.Errorf("%d rows of a thousand cells were read, %v", inner.n, err)
	}
}
