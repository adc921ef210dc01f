package feed

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gondola/internal/catalog"
)

// reviewed reads a table of testdata: one case a line, cells between tabs, comments behind a hash and a space.
func reviewed(t *testing.T, name string, atLeast int) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	invisible := strings.NewReplacer(`\u00a0`, "\u00a0", `\u202f`, "\u202f", `\u2009`, "\u2009", `\u2212`, "\u2212", `\ufeff`, "\ufeff")
	var cases [][]string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); !strings.HasPrefix(line, "# ") {
			cases = append(cases, strings.Split(invisible.Replace(line), "\t"))
		}
	}
	if len(cases) < atLeast {
		t.Fatalf("%s has %d cases, want at least %d", name, len(cases), atLeast)
	}
	return cases
}

func markOf(t *testing.T, name string) byte {
	t.Helper()
	mark, ok := map[string]byte{"comma": comma, "point": point, "none": noMark}[name]
	if !ok {
		t.Fatalf("convention %q", name)
	}
	return mark
}

func TestMoneyTable(t *testing.T) {
	for _, c := range reviewed(t, "money.tsv", 120) {
		cell, want := c[0], c[3]
		m, code := readMoney(unwrap(cell), markOf(t, c[1]), int(c[2][0]-'0'))
		got := m.String()
		switch code {
		case "":
		case catalog.PriceRounded:
			got += " rounded"
		default:
			got = string(code)
		}
		if got != want {
			t.Errorf("%q (%s, %s decimals) = %s, want %s", cell, c[1], c[2], got, want)
		}
	}
}

func TestBarcodeTable(t *testing.T) {
	for _, c := range reviewed(t, "barcode.tsv", 60) {
		cell, want := c[0], c[1]
		read := readBarcode(cell)
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
		if got != want {
			t.Errorf("%q = %s, want %s", cell, got, want)
		}
	}
}

func TestQuantityTable(t *testing.T) {
	for _, c := range reviewed(t, "quantity.tsv", 50) {
		cell, want := c[0], c[2]
		n, ok := readCount(unwrap(cell), markOf(t, c[1]))
		got := catalog.Money(n.units * 1000).String()
		switch {
		case !ok:
			got = string(catalog.QuantityText)
		case n.negative:
			got += " negative"
		case n.fraction:
			got += " fraction"
		}
		if got != want {
			t.Errorf("%q (%s) = %s, want %s", cell, c[1], got, want)
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
