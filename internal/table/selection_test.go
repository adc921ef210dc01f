package table

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// isCode is an identifier as the tests have them.
func isCode(cell []byte) bool {
	return len(cell) > 0 && !bytes.ContainsFunc(cell, func(r rune) bool { return r < '0' || r > '9' })
}

// wantSelected holds that a pass over selected cells has the rows of a whole pass, each of them whole or with the cells that were asked for.
// It returns how many rows were not whole.
func wantSelected(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, tab *Table, want Selection,
) (brief int) {
	t.Helper()
	rows, err := tab.Sheets()[0].Rows()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer rows.Close()
	selected, err := tab.Sheets()[0].RowsOf(want)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer selected.Close()
	for rows.Next() {
		if !selected.Next() {
			t.Fatalf("no row on line %d: %v", rows.Row().Line, selected.Err())
		}
		whole, got := rows.Row(), selected.Row()
		if got.Line != whole.Line || got.Open != whole.Open || len(got.Cells) != len(whole.Cells) {
			t.Fatalf("row %+v, want %+v", got, whole)
		}
		if slices.Equal(got.Cells, whole.Cells) {
			continue
		}
		brief++
		last := len(whole.Cells) - 1
		if last < want.Key || last >= want.Width || !want.IsKey([]byte(whole.Cells[want.Key])) {
			t.Fatalf("row %q has selected cells: %q", whole.Cells, got.Cells)
		}
		for i, c := range got.Cells {
			if wanted := slices.Contains(want.Cells, i) || i == last; wanted && c != whole.Cells[i] || !wanted && c != "" {
				t.Fatalf("cell %d of %q is %q", i, whole.Cells, c)
			}
		}
	}
	if selected.Next() || (rows.Err() == nil) != (selected.Err() == nil) {
		t.Fatalf("the whole pass ended with %v, the selected one with %v", rows.Err(), selected.Err())
	}
	return brief
}

func TestRowsOfSelectedCells(t *testing.T) {
	cell := rapid.SampledFrom([]string{"", "7", "12345", "x", "lim\xf3n", "a cell that is longer than eight bytes", "\xd1", `24" monitor`, `"a;b"`, `"a` + "\n" + `b"`, " "})
	brief := 0
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		text.WriteString("C\xf3digo;Descripci\xf3n;Precio;Stock\r\n1;a\xf1o;2;3\r\n")
		for range rapid.SampledFrom([]int{0, 1, 5, aheadRows, 2*aheadRows + 3}).Draw(rt, "rows") {
			for i := range 4 + rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 1, -1, -3}).Draw(rt, "more") {
				if i > 0 {
					text.WriteByte(';')
				}
				text.WriteString(cell.Draw(rt, "cell"))
			}
			text.WriteString("\r\n")
		}
		tab, err := Open(write(t, text.String()), Options{Encoding: Windows1252})
		if err != nil {
			if !errors.As(err, new(*Refusal)) {
				rt.Fatal(err)
			}
			return
		}
		key := rapid.IntRange(0, 4).Draw(rt, "key")
		brief += wantSelected(rt, tab, Selection{
			Cells: append(rapid.SliceOf(rapid.IntRange(0, 5)).Draw(rt, "cells"), key), Key: key, IsKey: isCode, Width: rapid.IntRange(1, 5).Draw(rt, "width"),
		})
	})
	if brief == 0 {
		t.Error("all rows were whole: the test says nothing about others")
	}
}

// TestQuotesAreTriedEarly holds that quotes far behind the beginning of a file are judged as those of a small one, whatever is found out
// about the encoding, and that nothing goes on when the file is refused.
func TestQuotesAreTriedEarly(t *testing.T) {
	defer goleak.VerifyNone(t)
	filler := strings.Repeat("1;\"Pan\";2,50\n", 2*headSize/13)
	for _, tc := range []struct {
		name, end  string
		configured Encoding
		refused    RefusalKind
		plain      bool
	}{
		{"nothing wrong", "1;\"a\nb\";2\n", Auto, "", false},
		{"an encoding that shows late", "1;lim\xf3n;2\n", Auto, "", false},
		{"a stray quote", "1;\"Pan;2,50\n2;x;3\n", Auto, "", true},
		{"a stray quote and an encoding", "1;\"lim\xf3n;2,50\n2;x;3\n", Auto, "", true},
		{"bytes of another encoding", "1;\"lim\xf3n;2,50\n", UTF8, RefusedEncoding, false},
		{"zeros", "1;\"x\";\x00\n", Auto, RefusedNUL, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tab, err := Open(write(t, "C;Nombre;Precio\n"+filler+tc.end), Options{Encoding: tc.configured})
			if tc.refused != "" {
				if r, ok := errors.AsType[*Refusal](err); !ok || r.Kind != tc.refused {
					t.Fatalf("Open = %v, want it refused for %s", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if f := tab.Sheets()[0].Format(); f.QuotesPlain != tc.plain {
				t.Errorf("format %+v, want quotes plain: %t", f, tc.plain)
			}
		})
	}
}
