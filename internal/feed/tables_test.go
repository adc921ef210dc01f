package feed

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gondola/internal/catalog"

	"pgregory.net/rapid"
)

// escaped finds the characters that a table spells out because nobody can see them.
var escaped = regexp.MustCompile(`\\u[0-9a-f]{4}`)

// reviewed reads a table of testdata: one case a line, cells between tabs, comments behind a hash and a space.
func reviewed(t *testing.T, name string, atLeast int) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var cases [][]string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); !strings.HasPrefix(line, "# ") {
			cases = append(cases, strings.Split(escaped.ReplaceAllStringFunc(line, func(s string) string {
				r, _ := strconv.ParseUint(s[2:], 16, 32)
				return string(rune(r))
			}), "\t"))
		}
	}
	if len(cases) < atLeast {
		t.Fatalf("%s has %d cases, want at least %d", name, len(cases), atLeast)
	}
	return cases
}

// tally counts how the cases of a table came out.
type tally struct{ cases, meant, understood int }

// judge compares what was read, or the code of the issue, with what a table wants: "10.5", "G-PRICE-01", or "10.5 asks G-PRICE-01"
// where a person understands more than the reader.
func (n *tally) judge(t *testing.T, what, got, want string) {
	t.Helper()
	meant, code, asks := strings.Cut(want, " asks ")
	if !asks {
		code = want
	}
	n.cases++
	if !strings.HasPrefix(meant, "G-") {
		n.meant++
		if got == meant {
			n.understood++
		}
	}
	switch {
	case got == code:
	case strings.HasPrefix(got, "G-"):
		t.Errorf("%s = %s, want %s", what, got, want)
	default:
		t.Errorf("%s = %s taken, and it is wrong; want %s", what, got, want)
	}
}

// report prints the share of what a person understands that was understood.
func (n *tally) report(t *testing.T) {
	t.Helper()
	share := 100 * float64(n.understood) / float64(n.meant)
	t.Logf("%d cases: %d that a person understands, %d of them understood (%.1f %%); %d issues wanted", n.cases, n.meant, n.understood, share,
		n.cases-n.meant)
}

// beside are the columns that the tables name: what else stands in them, and so what they prove.
var beside = map[string][]string{
	"alone":      nil,
	"comma2":     {"12,50", "3,90"},                  // the comma, with two decimals
	"comma3":     {"0,125"},                          // the comma, with three
	"point2":     {"12.50", "3.90"},                  // the point, with two
	"point3":     {"0.125"},                          // the point, with three
	"dots":       {"1.234.567"},                      // points that group
	"commas":     {"1,234,567"},                      // commas that group
	"mixed":      {"12,50", "12.50"},                 // either
	"more comma": {"12,50", "3,90", "7,15", "12.50"}, // both, the comma more often
	"more point": {"12.50", "3.90", "7.15", "12,50"}, // both, the point more often
	"all three":  {"12,000", "3,250", "7,000"},       // three decimals throughout
}

// markFor returns the decimal mark that cell is read with: that of the config for "comma", "point" and "none", or what is proved by
// the column named, and the cell itself, in any order.
func markFor(t *testing.T, column, cell string, words []string, decide func(*evidence) convention) byte {
	t.Helper()
	if mark, ok := map[string]byte{"comma": comma, "point": point, "none": noMark}[column]; ok {
		return mark
	}
	others, ok := beside[column]
	if !ok {
		t.Fatalf("column %q", column)
	}
	var first, last evidence
	first.add(unwrap(cell), 1, words)
	for i, other := range others {
		first.add(other, 2+i, words)
		last.add(other, 1+i, words)
	}
	last.add(unwrap(cell), len(others)+1, words)
	a, b := decide(&first), decide(&last)
	if a.mark != b.mark {
		t.Errorf("%q first makes %x of the column %s, last %x", cell, a.mark, column, b.mark)
	}
	return a.mark
}

func TestMoneyTable(t *testing.T) {
	var n tally
	distinct := map[string]bool{}
	for _, c := range reviewed(t, "money.tsv", 600) {
		cell := c[0]
		distinct[cell] = true
		m, code := readMoney(unwrap(cell), markFor(t, c[1], cell, currencyWords, (*evidence).decide), int(c[2][0]-'0'))
		got := m.String()
		switch code {
		case "":
		case catalog.PriceRounded:
			got += " rounded"
		default:
			got = string(code)
		}
		n.judge(t, fmt.Sprintf("%q (%s, %s decimals; %s)", cell, c[1], c[2], c[4]), got, c[3])
	}
	if len(distinct) < 320 {
		t.Errorf("%d notations, want at least 320", len(distinct))
	}
	n.report(t)
}

func TestBarcodeTable(t *testing.T) {
	var n tally
	for _, c := range reviewed(t, "barcode.tsv", 350) {
		read := InStore(c[1]).read(c[0])
		got := read.digits
		switch read.code {
		case "":
			if got == "" {
				got = "blank"
			}
		case catalog.BarcodeZeros:
			got += " zeros"
		default:
			got = string(read.code)
		}
		n.judge(t, fmt.Sprintf("%q (%s; %s)", c[0], c[1], c[3]), got, c[2])
	}
	n.report(t)
}

func TestQuantityTable(t *testing.T) {
	var tally tally
	for _, c := range reviewed(t, "quantity.tsv", 200) {
		n, ok := readCount(unwrap(c[0]), markFor(t, c[1], c[0], unitWords, (*evidence).decideQuantity))
		got := strconv.FormatInt(n.units, 10)
		switch {
		case !ok:
			got = string(catalog.QuantityText)
		case n.negative:
			got += " negative"
		case n.fraction:
			got += " fraction"
		}
		tally.judge(t, fmt.Sprintf("%q (%s; %s)", c[0], c[1], c[3]), got, c[2])
	}
	tally.report(t)
}

func TestFlagTable(t *testing.T) {
	var n tally
	c := newConverter(Spec{}, nil)
	for _, row := range reviewed(t, "flag.tsv", 240) {
		got := string(catalog.ActiveText)
		if on, ok := c.flag(unwrap(row[0])); ok {
			got = map[bool]string{true: "yes", false: "no"}[on]
		}
		n.judge(t, fmt.Sprintf("%q (%s)", row[0], row[2]), got, row[1])
	}
	n.report(t)
}

// Whatever amounts a column holds, written in one convention, they are read back exactly once a cell of it proves the convention,
// wherever that one stands.
func TestAmountsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		style := rapid.SampledFrom([]struct {
			mark  byte
			group string
		}{
			{comma, "."}, {point, ","}, {comma, " "}, {point, " "}, {comma, "'"}, {point, "'"}, {comma, "\u00a0"}, {point, "\u2009"}, {comma, ""}, {point, ""},
		}).Draw(t, "style")
		sign := rapid.SampledFrom([]string{"", "$ ", "R$", "Gs. ", "UYU\u00a0", "US$"}).Draw(t, "sign")
		decimals := rapid.IntRange(0, 2).Draw(t, "decimals")
		step := int64(roundingStep(decimals))
		amounts := rapid.SliceOfN(rapid.Int64Range(1, 999_999_999/step), 1, 20).Draw(t, "amounts")
		cells := make([]string, 0, len(amounts)+1)
		for _, n := range amounts {
			whole, fraction, _ := strings.Cut(catalog.Money(n*step).Text(decimals), ".")
			for i := len(whole) - 3; i > 0 && style.group != ""; i -= 3 {
				whole = whole[:i] + style.group + whole[i:]
			}
			if fraction != "" {
				whole += string(style.mark) + fraction
			}
			cells = append(cells, sign+whole)
		}
		// What proves the convention stands anywhere in the column.
		proof := map[byte]string{comma: "9,95", point: "9.95"}[style.mark]
		at := rapid.IntRange(0, len(cells)).Draw(t, "place")
		cells = slices.Insert(cells, at, proof)
		var e evidence
		for i, cell := range cells {
			e.add(unwrap(cell), i, currencyWords)
		}
		mark := e.decide().mark
		if mark&^doubts != style.mark || mark&disputed != 0 {
			t.Fatalf("column %q proves %x", cells, mark)
		}
		for i, cell := range slices.Delete(cells, at, at+1) {
			want := catalog.Money(amounts[i] * step)
			if got, code := readMoney(unwrap(cell), mark, 2); got != want || code != "" {
				t.Fatalf("%q is %v, read as %v %s", cell, want, got, code)
			}
		}
	})
}

// In which order an export has its columns and rows says nothing: the same articles come out.
func TestOrderSaysNothing(t *testing.T) {
	cells := map[string][]string{
		"Precio":           {"1.234", "1,234", "12,50", "12.50", "990", "$ 1.500", "0,500", "1.234.567", "(5)", "", "consultar", "1'250.000", "2.500.-"},
		"EAN":              {"95200019", "12345678905", "9,52E+12", "", "9520000001230", "9520000001231"},
		"Stock":            {"12", "12,000", "3,5 kg", "-3", "1.250", "0,500", "", "muchos", "7"},
		"Activo":           {"Sí", "no", "x", "1", "0", "", "quizás", "baja"},
		"Cant. máx.":       {"6", "0", "", "2,5"},
		"Disponible":       {"0", "1", "5", "12", "S", "n"},
		"Descripción":      {"Arroz", "Total 5 cereales", "2x1", "", "Fideos"},
		"Precio sugerido":  {"12,50", "1.234", ""},
		"Código proveedor": {"12.50", "A", ""},
	}
	spec := specFor(full, byColumn)
	rapid.Check(t, func(rt *rapid.T) {
		names := rapid.Permutation(slices.Sorted(maps.Keys(cells))).Draw(rt, "columns")
		names = append([]string{"Sucursal", "SKU", "Precio"}, slices.DeleteFunc(names[:rapid.IntRange(0, 5).Draw(rt, "how many")], func(s string) bool {
			return s == "Precio"
		})...)
		rows := make([][]string, rapid.IntRange(1, 8).Draw(rt, "rows"))
		for i := range rows {
			rows[i] = []string{rapid.SampledFrom([]string{"001", "002", "Puerto", "999", ""}).Draw(rt, "store"), fmt.Sprintf("a%02d", i)}
			for _, name := range names[2:] {
				rows[i] = append(rows[i], rapid.SampledFrom(cells[name]).Draw(rt, name))
			}
		}
		columns := rapid.Permutation(order(len(names))).Draw(rt, "order of columns")
		want, res := unordered(t, spec, names, rows, order(len(names)))
		got, other := unordered(t, spec, names, rapid.Permutation(rows).Draw(rt, "order of rows"), columns)
		if !slices.Equal(got, want) {
			rt.Fatalf("in one order\n  %s\nin another\n  %s", strings.Join(want, "\n  "), strings.Join(got, "\n  "))
		}
		if !maps.Equal(res.Counts, other.Counts) || res.Refused != other.Refused || !maps.Equal(res.Keyless, other.Keyless) {
			rt.Fatalf("in one order %v %v, in another %v %v", res.Counts, res.Keyless, other.Counts, other.Keyless)
		}
	})
}

// order returns 0 to n-1.
func order(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// unordered converts a table with its columns in the order given, and returns its records without their places, sorted.
func unordered(t *testing.T, spec Spec, names []string, rows [][]string, columns []int) ([]string, Result) {
	t.Helper()
	var lines []string
	for _, row := range append([][]string{names}, rows...) {
		line := make([]string, len(columns))
		for i, at := range columns {
			line[i] = row[at]
		}
		lines = append(lines, strings.Join(line, ";"))
	}
	records, res := converted(t, spec, lines...)
	for i := range records {
		records[i].Row = 0
	}
	out := said(records)
	slices.Sort(out)
	return out, res
}

func TestInStorePolicy(t *testing.T) {
	lines := []string{"EAN;Precio", "2001234012345;10", "4011;20", "95200019;30", "95200010;40", "9,52E+12;50"}
	for _, c := range []struct {
		policy InStore
		want   []string
	}{
		{"", []string{"4 A1 /95200019 price=30"}},
		{InStoreRefuse, []string{"4 A1 /95200019 price=30"}},
		{InStoreAccept, []string{"2 A1 /2001234012345 price=10", "3 A1 /4011 price=20", "4 A1 /95200019 price=30"}},
	} {
		records, _ := converted(t, specFor(byBarcode, func(s *Spec) { s.InStore = c.policy }), lines...)
		wantLines(t, "records of "+string(c.policy), said(records), c.want...)
	}
	for policy, faulty := range map[InStore]bool{"": false, InStoreRefuse: false, InStoreAccept: false, "take": true} {
		if err := specFor(func(s *Spec) { s.InStore = policy }).Check(); (err != nil) != faulty {
			t.Errorf("policy %q: %v", policy, err)
		}
	}
}

func TestHeaderTable(t *testing.T) {
	words := newHeadings(Spec{}).words
	for _, c := range reviewed(t, "header.tsv", 60) {
		got := string(words[squeeze(c[0])])
		if got == "" {
			got = "none"
		}
		if got != c[1] {
			t.Errorf("%q is for %s, want %s", c[0], got, c[1])
		}
	}
}

// Every word must stand for one thing only, or reading would depend on the order of the tables.
func TestWordsAreUnique(t *testing.T) {
	roles := map[string]Role{}
	for _, group := range headerWords {
		for _, w := range group.words {
			s := squeeze(w)
			if other, ok := roles[s]; ok && other != group.role {
				t.Errorf("%q is a header for %s and for %s", w, other, group.role)
			}
			roles[s] = group.role
		}
	}
	yes := map[string]bool{}
	for _, w := range yesWords {
		yes[fold(w)] = true
	}
	for _, w := range noWords {
		if yes[fold(w)] {
			t.Errorf("%q is both a yes and a no", w)
		}
	}
}

// What the platform calls its own columns must always be understood, for people copy its templates.
func TestRoleNamesAreHeaders(t *testing.T) {
	words := newHeadings(Spec{}).words
	for _, role := range []Role{RoleSKU, RoleBarcode, RolePrice, RoleActive, RoleQuantity, RoleMaxSales} {
		if got := words[squeeze(string(role))]; got != role {
			t.Errorf("header %q is for %q", role, got)
		}
	}
}
