package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/config"
)

const ruledFeed = `  - {name: full, drop: drop, export: full, vendor: {ids: ["1", "2"]}, RULES}`

// parseRules reads a config of one feed with rules.
func parseRules(t *testing.T, rules string) *config.Config {
	t.Helper()
	text := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Santiago}
vendors: [{id: "1", name: Uno, erp_code: "001"}, {id: "2", name: Dos, erp_code: "002"}]
sftp: {host: sandbox, user: gondola, password: "env:GONDOLA_CASE_PASSWORD", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds:
` + strings.ReplaceAll(ruledFeed, "RULES", rules) + "\n"
	c, err := config.Parse("config.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every rule decides how bytes are understood, and so does the policy for a shop's own barcodes.
func TestRulesAreInTheFingerprint(t *testing.T) {
	seen := map[string]string{}
	for _, rules := range []string{
		"priority: 0", "in_store: accept", "rules: {price: {markup: 8%}}", "rules: {price: {markup: 9%}}", "rules: {price: {vat: +8%}}",
		"rules: {price: {round: 0.1}}", "rules: {price: {ending: .9}}", "rules: {price: {floor: 1}}", "rules: {price: {ceiling: 1}}",
		"rules: {price: {ceiling: 1, above_ceiling: inactive}}", "rules: {price: {expr: price}}", "rules: {quantity: {expr: quantity}}",
		"rules: {quantity: {threshold: 3}}", "rules: {active: {default: true}}", "rules: {active: {default: false}}",
		"rules: {maximum_sales_quantity: {default: 3}}", "rules: {maximum_sales_quantity: {ceiling: 3}}",
		"rules: {exclude: {columns: [a], words: [b]}}", "rules: {exclude: {columns: [a], words: [b], then: skip}}",
		`rules: {stores: {"1": {price: {markup: 8%}}}}`, `rules: {stores: {"2": {price: {markup: 8%}}}}`,
	} {
		s, err := newSetup(parseRules(t, rules))
		if err != nil {
			t.Fatal(err)
		}
		print := s.feeds[0].fingerprint
		if other, taken := seen[print]; taken {
			t.Errorf("%s and %s have one fingerprint", rules, other)
		}
		seen[print] = rules
	}
	s, err := newSetup(parseRules(t, "priority: 7"))
	if err != nil || seen[s.feeds[0].fingerprint] == "" {
		t.Errorf("what decides nothing is in the fingerprint: %v", err)
	}
}

// What only feed can see has its place in the file.
func TestCheckPlacesFaultsOfRules(t *testing.T) {
	for rules, want := range map[string]string{
		`rules: {price: {expr: precio * 2}}`:                       `config.yaml:5:93: feeds[0].rules.price.expr: at character 1: unknown name "precio"`,
		`rules: {price: {round: 0.005}}`:                           `config.yaml:5:94: feeds[0].rules.price.round: 0.005 has more decimals than the currency`,
		`rules: {stores: {"2": {quantity: {expr: quantity > 3}}}}`: `config.yaml:5:111: feeds[0].rules.stores.2.quantity.expr: the result is no number`,
		`in_store: refuse`:                                         "",
	} {
		problems := Check(parseRules(t, rules))
		switch {
		case want == "" && len(problems) == 0:
		case len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), want):
			t.Errorf("%s: %v, want %s", rules, problems, want)
		}
	}
}

// Inspect shows what the rules make of the first rows, once for stores where it is the same.
func TestInspectShowsWhatRulesMake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(file, []byte("sku,price,stock\nA,10.00,9\nB,20.00,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for rules, want := range map[string][]string{
		"rules: {price: {markup: 10%}, quantity: {threshold: 3}}": {"A 1,2 11.00 9", "B 1,2 22.00 0"},
		`rules: {stores: {"2": {price: {markup: 50%}}}}`:          {"A 1 10.00 9", "A 2 15.00 9", "B 1 20.00 2", "B 2 30.00 2"},
	} {
		in, err := Inspect(t.Context(), InspectAs{Config: parseRules(t, rules), Feed: "full"}, file)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range in.First {
			got = append(got, strings.Join([]string{r.Key, strings.Join(r.Vendors, ","), r.Price, string(rune('0' + *r.Quantity))}, " "))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rules, diff)
		}
	}
}

// When rules change, the export behind the shelf is read again by them.
func TestChangedRulesReadAgain(t *testing.T) {
	c := newRules(t, strings.ReplaceAll(ruledFeed, "RULES", "priority: 0"), "")
	c.export("full", "sku,price\nA,10.00\n")
	if put := c.push(false); put["catalog/gondola_1.csv"] != "sku,price\nA,10.00\n" {
		t.Fatalf("first push: %v", put)
	}
	cfg := *c.house.cfg
	cfg.Feeds = parseRules(t, "rules: {price: {markup: 10%}}").Feeds
	if err := c.house.Close(); err != nil {
		t.Fatal(err)
	}
	house, err := Open(t.Context(), &cfg, Options{Now: c.house.now})
	if err != nil {
		t.Fatal(err)
	}
	c.house = house
	if err := house.rereadChanged(t.Context()); err != nil {
		t.Fatal(err)
	}
	if put := c.push(false); put["catalog/gondola_1.csv"] != "sku,price\nA,11.00\n" {
		t.Errorf("after the change: %v", put)
	}
}
