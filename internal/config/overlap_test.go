package config

import (
	"path"
	"strings"
	"testing"
)

// words returns all texts of at most n of the letters.
func words(letters []string, n int) []string {
	all := []string{""}
	for from := 0; n > 0; n-- {
		end := len(all)
		for _, w := range all[from:end] {
			for _, l := range letters {
				all = append(all, w+l)
			}
		}
		from = end
	}
	return all
}

// TestOverlapAgainstNames compares overlap with what it means: a name that both patterns match. Two patterns of three tokens that
// have one in common have one of at most six letters.
func TestOverlapAgainstNames(t *testing.T) {
	names := words([]string{"a", "b", "c"}, 5)
	patterns := words([]string{"a", "b", "*", "?", "[ab]", "[^a]"}, 3)
	matches := make([]map[string]bool, len(patterns))
	for i, p := range patterns {
		matches[i] = map[string]bool{}
		for _, n := range names {
			if ok, err := path.Match(p, n); err != nil {
				t.Fatal(p, err)
			} else if ok {
				matches[i][n] = true
			}
		}
	}
	for i, a := range patterns {
		for j, b := range patterns {
			want := false
			for n := range matches[i] {
				if matches[j][n] {
					want = true
					break
				}
			}
			if got := overlap(a, b); got != want {
				t.Errorf("%q and %q: got %v, want %v", a, b, got, want)
			}
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"*.csv", "stock_*.CSV", true},
		{"precios*", "stock*", false},
		{"*.csv", "*.xlsx", false},
		{"stock_[0-9]*.csv", "stock_[a-z]*.csv", false},
		{"stock_[0-9]*.csv", "stock_0??.csv", true},
		{"ñandú*", "ÑAND?.csv", true},
		{strings.Repeat("*a", 60), strings.Repeat("a*", 60) + "b", false},
	} {
		if got := overlap(tc.a, tc.b); got != tc.want {
			t.Errorf("%q and %q: got %v", tc.a, tc.b, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	keys := []string{"drop", "export", "erp_code", "id", "host_keys", "utf-8"}
	for text, want := range map[string]string{
		"exprot": "export", "Export": "export", "erpCode": "erp_code", "ERP-CODE": "erp_code", "exports": "export", "hostkeys": "host_keys",
		"di": "", "ID": "id", "utf8": "utf-8", "colour": "", "": "", "x": "", strings.Repeat("export", 50): "",
	} {
		if got := suggest(text, keys); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"exprot", "export", 1}, {"drop", "dorp", 1}, {"price", "precio", 3},
	} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("%q to %q: got %d, want %d", tc.a, tc.b, got, tc.want)
		}
		if got := distance(tc.b, tc.a); got != tc.want {
			t.Errorf("%q to %q: got %d, want %d", tc.b, tc.a, got, tc.want)
		}
	}
}
