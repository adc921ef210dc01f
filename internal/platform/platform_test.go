package platform

import (
	"slices"
	"strings"
	"testing"
)

func TestFileName(t *testing.T) {
	for _, c := range []struct {
		prefix, vendor string
		part           int
		want           string
	}{
		{"gondola", "290056", 1, "gondola_290056.csv"},
		{"gondola", "290056", 0, "gondola_290056.csv"},
		{"gondola", "290056", 2, "gondola2_290056.csv"},
		{"gondola", "290056", 12, "gondola12_290056.csv"},
		{"Super", "s8ym", 1, "Super_s8ym.csv"},
		{"g", "a-b", 1, "g_a-b.csv"},
	} {
		if got := FileName(c.prefix, c.vendor, c.part); got != c.want {
			t.Errorf("FileName(%q, %q, %d) = %q, want %q", c.prefix, c.vendor, c.part, got, c.want)
		}
	}
}

// The platform takes what follows the last underscore for the store, so that must be the id for whatever passes the checks.
func TestNamesThatPassTheChecksNameTheStore(t *testing.T) {
	for _, prefix := range []string{"gondola", "A", strings.Repeat("z", maxIDLength)} {
		for _, id := range []string{"290056", "s8ym", "a-1", "-", strings.Repeat("9", maxIDLength)} {
			if CheckPrefix(prefix) != nil || CheckVendorID(id) != nil {
				t.Fatalf("%q and %q should pass", prefix, id)
			}
			for _, part := range []int{1, 2, 10} {
				name := FileName(prefix, id, part)
				if got := strings.TrimSuffix(name[strings.LastIndexByte(name, '_')+1:], ".csv"); got != id {
					t.Errorf("%s names the store %q, want %q", name, got, id)
				}
				if len(name) > 255 {
					t.Errorf("%s has %d bytes", name, len(name))
				}
			}
		}
	}
}

func TestChecks(t *testing.T) {
	long := strings.Repeat("a", maxIDLength+1)
	for _, c := range []struct {
		check func(string) error
		text  string
		want  string // part of the message; "" = passes
	}{
		{CheckPrefix, "gondola", ""},
		{CheckPrefix, "Gondola", ""},
		{CheckPrefix, "", "empty"},
		{CheckPrefix, "gondola2", "only a to z"},
		{CheckPrefix, "gon_dola", "only a to z"},
		{CheckPrefix, "góndola", "only a to z"},
		{CheckPrefix, "gon dola", "only a to z"},
		{CheckPrefix, long, "65 characters"},
		{CheckVendorID, "290056", ""},
		{CheckVendorID, "s8ym", ""},
		{CheckVendorID, "Store-7", ""},
		{CheckVendorID, "", "empty"},
		{CheckVendorID, "29_0056", "hyphens"},
		{CheckVendorID, "29 0056", "hyphens"},
		{CheckVendorID, "29.0056", "hyphens"},
		{CheckVendorID, "../290056", "hyphens"},
		{CheckVendorID, "ñ1", "hyphens"},
		{CheckVendorID, "*", "hyphens"},
		{CheckVendorID, long, "65 characters"},
	} {
		err := c.check(c.text)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.text, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: error %v, want one with %q", c.text, err, c.want)
		}
	}
}

func TestBrands(t *testing.T) {
	want := []string{"foodora", "foodpanda", "glovo", "hungerstation", "pedidosya", "talabat", "yemeksepeti"}
	if got := BrandNames(); !slices.Equal(got, want) {
		t.Errorf("BrandNames() = %q, want %q", got, want)
	}
	for _, c := range []struct {
		name          string
		region        string // in the server's name; "" = unknown
		one, maxSales bool
	}{
		{"pedidosya", "-us.", true, false},
		{"foodpanda", "-ap.", false, true},
		{"hungerstation", "-me.", true, false},
		{"talabat", "-me.", true, false},
		{"glovo", "", true, false},
		{"yemeksepeti", "", true, false},
		{"foodora", "", true, false},
	} {
		b, ok := LookupBrand(c.name)
		if !ok || b.Name != c.name {
			t.Errorf("LookupBrand(%q) = %+v, %v", c.name, b, ok)
		}
		if c.region == "" && b.SFTPHost != "" || !strings.Contains(b.SFTPHost, c.region) {
			t.Errorf("%s: server %q, want one in %q", c.name, b.SFTPHost, c.region)
		}
		if b.OneIdentifier != c.one || b.MaxSales != c.maxSales {
			t.Errorf("%s: one identifier %v, maximum sales quantity %v", c.name, b.OneIdentifier, b.MaxSales)
		}
	}
	for _, name := range []string{"", "PedidosYa", "ubereats"} {
		if b, ok := LookupBrand(name); ok {
			t.Errorf("LookupBrand(%q) = %+v", name, b)
		}
	}
}
