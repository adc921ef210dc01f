package shelf

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

func TestRecordLineRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[^\x00-\x1f\x7f]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		want := Record{Key: name.Draw(t, "key"), Item: anItem().Draw(t, "item"), Gone: Day(rapid.Int32().Draw(t, "gone"))}
		if rapid.Bool().Draw(t, "extreme") && want.Item.Set.Has(catalog.Price|catalog.Quantity) {
			want.Item.Price, want.Item.Quantity = math.MinInt64, math.MaxInt64
		}
		want.Item.SKU = rapid.SampledFrom([]string{"", ".", "false", "Ñandú 1/2"}).Draw(t, "sku")
		line, err := want.append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		text, ok := strings.CutSuffix(strings.TrimPrefix(string(line), "before"), "\n")
		if !ok || strings.Contains(text, "\n") {
			t.Fatalf("not one line: %q", line)
		}
		if got, err := parseRecord(text); err != nil || got != want {
			t.Fatalf("line %q\n got %+v, %v\nwant %+v", text, got, err, want)
		}
	})
}

// The form of a line is on disks: it may only change with a migration.
func TestRecordLineForm(t *testing.T) {
	r := Record{Key: "77", Gone: 20500, Item: catalog.Item{
		SKU: "A-1", Barcode: "0077", Set: catalog.Price | catalog.Active, Blank: catalog.Quantity, Price: 10500, Active: false,
	}}
	const want = "77\tA-1\t0077\t10500\tfalse\t.\t\t20500\n"
	if got, err := r.append(nil); err != nil || string(got) != want {
		t.Errorf("append = %q, %v; want %q", got, err, want)
	}
}

func TestRecordRefusesControlCharacters(t *testing.T) {
	for _, bad := range []string{"a\tb", "a\nb", "a\rb", "\x00", "a\x7f", "\x1b[0m"} {
		for _, r := range []Record{{Key: bad}, {Key: "k", Item: catalog.Item{SKU: bad}}, {Key: "k", Item: catalog.Item{Barcode: bad}}} {
			if line, err := r.append(nil); err == nil || len(line) != 0 {
				t.Errorf("append(%+v) = %q, %v; want it refused and nothing written", r, line, err)
			}
		}
	}
}

func TestParseRecordRefusesDamage(t *testing.T) {
	for _, line := range []string{
		"",                            // nothing
		"\tA\t\t1\t\t\t\t",            // no key
		"k\tA\t\t1\t\t\t",             // a field lost
		"k\tA\t\t1\t\t\t\t\t",         // a field too many
		"k\tA\t\t1.5\t\t\t\t",         // price
		"k\tA\t\t1\tyes\t\t\t",        // active
		"k\tA\t\t1\t\tx\t\t",          // quantity
		"k\tA\t\t1\t\t\t-\t",          // maximum
		"k\tA\t\t1\t\t\t\t.",          // gone
		"k\tA\t\t1\t\t\t\t3000000000", // no day
		"k\tA\t\t99999999999999999999\t\t\t\t",
	} {
		if r, err := parseRecord(line); !errors.Is(err, errLine) || r != (Record{}) {
			t.Errorf("parseRecord(%q) = %+v, %v; want %v", line, r, err, errLine)
		}
	}
}
