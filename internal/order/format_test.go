package order

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
	"gondola/internal/platform"
	"gondola/internal/table"
)

func newTestVendor(t testing.TB) catalog.Vendor {
	t.Helper()
	zone, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	return catalog.Vendor{ID: "290056", Name: "Centro", ERPCode: "001", Zone: zone}
}

// TestRender holds each shape against a file that was written by hand.
func TestRender(t *testing.T) {
	all := Sample(newTestVendor(t))
	for _, tc := range []struct {
		file string
		f    Format
	}{
		{"lines.csv", Format{Shape: ShapeCSV}},
		{"lines-comma.csv", Format{Shape: ShapeCSV, Comma: true, Separator: ';', Encoding: table.Windows1252, Customer: true}},
		{"flat.csv", Format{Shape: ShapeFlat, Mark: true, Separator: '\t'}},
		{"orders.json", Format{Shape: ShapeJSON, Customer: true}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			got, err := tc.f.Render(all)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("testdata/" + tc.file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), strings.ReplaceAll(string(got), "\r\n", "\n")); diff != "" {
				t.Errorf("file:\n%s\ndiffers:\n%s", got, diff)
			}
			if again, _ := tc.f.Render(all); string(again) != string(got) {
				t.Error("other bytes the second time")
			}
		})
	}
}

// TestRenderWithoutCustomer finds nothing of the customer in any shape, whatever a template asks for.
func TestRenderWithoutCustomer(t *testing.T) {
	greedy, err := Format{Shape: ShapeTemplate}.ParseTemplate("x.tmpl", []byte(
		`{{range .Orders}}{{printf "%v %v %s" .Order.Customer .Order.Comment .Order.Raw}}{{range .Order.Items}}{{.Note}}{{.SKU}}{{end}}{{end}}`))
	if err != nil {
		t.Fatal(err)
	}
	all := Sample(newTestVendor(t))
	for i := range all {
		all[i].Order.Raw = []byte(`{"customer":{"first_name":"Sample"}}`)
	}
	for _, f := range []Format{{Shape: ShapeCSV}, {Shape: ShapeFlat}, {Shape: ShapeJSON}, greedy} {
		got, err := f.Render(all)
		if err != nil {
			t.Fatal(err)
		}
		c := all[0].Order.Customer
		for _, secret := range []string{
			c.FirstName, c.LastName, c.Phone, c.NationalID, c.LoyaltyCard, c.Street, c.Zip, c.Instructions, c.Latitude,
			all[0].Order.Comment, all[0].Order.Items[0].Note,
		} {
			if strings.Contains(string(got), secret) {
				t.Errorf("%s has %q", f.Shape, secret)
			}
		}
	}
}

// TestReadmeNamesColumns holds what the README says of files against the files.
func TestReadmeNamesColumns(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(readme)), " ")
	for what, list := range map[string]string{
		"orders": names(orderColumns()), "customers": names(customerColumns()), "articles": names(itemColumns()), "notes": names(noteColumns()),
		"functions": "number comma date cell row upper lower left right xml",
	} {
		if !strings.Contains(text, "`"+list+"`") {
			t.Errorf("README.md does not name the %s:\n%s", what, list)
		}
	}
	if n := len((Format{}).functions()); n != 10 {
		t.Errorf("%d functions, the README has 10", n)
	}
}

func names[T any](columns []column[T]) string {
	var all []string
	for _, c := range columns {
		all = append(all, c.name)
	}
	return strings.Join(all, " ")
}

// TestHideEverything leaves no field of a customer, whatever fields there will be.
func TestHideEverything(t *testing.T) {
	var o platform.Order
	c := reflect.ValueOf(&o.Customer).Elem()
	for i := range c.NumField() {
		c.Field(i).SetString("Sentinela")
	}
	o.Comment, o.Raw, o.Items = "Sentinela", []byte("Sentinela"), []platform.OrderItem{{Note: "Sentinela"}}
	for _, hidden := range []platform.Order{Impersonal(o), Masked(o)} {
		if text := fmt.Sprintf("%+v %s", hidden, hidden.Raw); strings.Contains(text, "Sentinela") {
			t.Errorf("left: %s", text)
		}
	}
	if o.Items[0].Note != "Sentinela" {
		t.Error("the order itself was changed")
	}
}

// TestRenderWhatStrangersWrite keeps cells harmless and JSON valid.
func TestRenderWhatStrangersWrite(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "@SUM(A1)": "'@SUM(A1)", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0", "\t=1": "'=1", "\r\n-x": "'-x", "＝1": "'＝1",
		"-1.5": "-1.5", "-1,5": "-1,5", "+59820000000": "+59820000000", "-": "'-", "-1.5.2": "'-1.5.2", "a\nb": "a b", "a\u2028b": "a b",
		"\xff": "\ufffd", "'": "'", "Ñandú": "Ñandú", "": "",
	} {
		if got := harmless(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	nasty := Sample(newTestVendor(t))[:1]
	nasty[0].Order.ID = "\"\x00</script>\xff"
	nasty[0].Order.Payment.Total = "1e5x"
	nasty[0].Order.Items = nil
	got, err := Format{Shape: ShapeJSON}.Render(nasty)
	if err != nil || !json.Valid(got) {
		t.Errorf("%s, %v", got, err)
	}
	got, err = Format{Shape: ShapeFlat}.Render(nasty)
	if err != nil || strings.Count(string(got), "\r\n") != 2 {
		t.Errorf("an order without articles: %q, %v", got, err)
	}
}

func TestTemplate(t *testing.T) {
	for _, tc := range []struct{ name, text, want, err string }{
		{"fixed widths", `{{range .Orders}}{{left 6 .Order.ExternalID}}|{{right 8 (number .Order.Payment.Total)}}|{{upper .Vendor.Name}}|` +
			`{{date "02/01/2006 15:04" .Order.Created}}{{"\n"}}{{end}}`, "123456|   331,5|SAMPLE|01/05/2026 15:04\n", ""},
		{"csv", `{{range .Orders}}{{range .Order.Items}}{{row .SKU .Name .Pricing.Total "=x" .Pricing.Quantity}}{{"\r\n"}}{{end}}{{end}}`, "A-1;Yerba, 1 kg;79,5;'=x;2\r\n", ""},
		{"xml", `{{range .Orders}}<o>{{xml "a<b"}}</o>{{end}}`, "<o>a&lt;b</o>", ""},
		{"syntax", "one\n{{range .Orders}", "", ":2:"},
		{"unknown field", "one\n\n{{range .Orders}}{{.Orden}}{{end}}", "", ":3:"},
		{"unknown function", `{{shell "rm"}}`, "", ":1:"},
		{"nothing", `{{range .Bestellungen}}x{{end}}`, "", ":1:"},
		{"empty", "  ", "", "it writes nothing"},
		{"too wide", `{{left 100000 "a"}}`, "", "a width of 100000"},
		{"without end", `{{define "x"}}{{printf "%100000d" 1}}{{template "x"}}{{end}}{{template "x"}}`, "", "longer than 64 MB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := Format{Shape: ShapeTemplate, Comma: true, Separator: ';', Customer: true}
			f, err := f.ParseTemplate("orders.xml.tmpl", []byte(tc.text))
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Render(Sample(catalog.Vendor{ID: "1", Name: "Sample"}))
			if err != nil || !strings.HasPrefix(string(got), tc.want) {
				t.Errorf("%q, %v; want %q first", got, err, tc.want)
			}
			if f.Extension() != ".xml" {
				t.Errorf("ending %q", f.Extension())
			}
		})
	}
	for path, want := range map[string]string{"a.tmpl": ".txt", "a.XML": ".XML", "/x/a.b.tpl": ".b", "a.longer-than": ".txt"} {
		if got := ending(path); got != want {
			t.Errorf("%s makes %s, want %s", path, got, want)
		}
	}
}

func TestPromotedAddsUp(t *testing.T) {
	of := func(amounts ...platform.Number) platform.Number {
		var a article
		for _, n := range amounts {
			a.Promoted = append(a.Promoted, platform.ItemPromotion{Amount: n})
		}
		return promoted(a, func(p platform.ItemPromotion) platform.Number { return p.Amount })
	}
	for want, got := range map[platform.Number]platform.Number{
		"": of("", "x"), "0.3": of("0.1", "0.2"), "1": of("0.4", "0.60"), "100": of("100"), "-1.5": of("-2", "0.5"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestName(t *testing.T) {
	at := time.Date(2026, 5, 1, 2, 30, 0, 0, time.UTC)
	for _, tc := range []struct {
		pattern string
		change  func(*HandOver)
		want    string
	}{
		{"{vendor}_{time}_{order}_{state}", nil, "290056_20260430-233000_00000000-0000-4000-8000-000000000001_READY_FOR_PICKUP"},
		{"{erp_code}-{date}-{seq}-{revision}-{asked}", nil, "001-20260430-1-1-READY_FOR_PICKUP"},
		{"{erp_code}", func(h *HandOver) { h.Vendor.ERPCode = "" }, "290056"},
		{"{external}", func(h *HandOver) { h.Order.ExternalID = "../../etc/passwd" }, "_.._etc_passwd"},
		{"{external}", func(h *HandOver) { h.Order.ExternalID = "..\\x:y\x00ñ" }, "_x_y__"},
		{"{external}", func(h *HandOver) { h.Order.ExternalID = "" }, "none"},
		{"{external}", func(h *HandOver) { h.Order.ExternalID = "com1" }, "_com1"},
		{"{external}", func(h *HandOver) { h.Order.ExternalID = "..." }, "_"},
		{"{code}.", func(h *HandOver) { h.Order.Code = strings.Repeat("x", 999) }, strings.Repeat("x", longestName)},
		{"pedido ñ {code}", nil, "pedido ñ abcd-1234-efgh"},
	} {
		n, err := ParseName(tc.pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		h := Sample(newTestVendor(t))[:1]
		if tc.change != nil {
			tc.change(&h[0])
		}
		if got := n.Of(h, at); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.pattern, got, tc.want)
		}
	}
	for _, tc := range []struct {
		pattern string
		several bool
		err     string
	}{
		{"{vendor}/{seq}", false, "'/'"},
		{`{vendor}\{seq}`, false, `'\\'`},
		{"{orden}", false, "unknown placeholder {orden}"},
		{"{order", false, "'{'"},
		{"order", false, "the same name"},
		{".{seq}", false, "a dot"},
		{"{vendor}_{order}", true, "is of one order"},
		{"{vendor}_{time}", true, ""},
	} {
		_, err := ParseName(tc.pattern, tc.several)
		if tc.err == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %v, want %q", tc.pattern, err, tc.err)
		}
	}
}

// FuzzHarmless never lets a cell begin with what spreadsheets act on, nor break its line.
func FuzzHarmless(f *testing.F) {
	for _, s := range []string{"=1", "\t\r=x", "-5", "a", "\u00a0=1", "\ufeff=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := harmless(s)
		if strings.ContainsAny(got, "\r\n\t\x00") {
			t.Errorf("%q breaks its line", got)
		}
		if got != "" && strings.ContainsAny(got[:1], "=+-@") && !plainNumber(got) {
			t.Errorf("%q is a formula", got)
		}
		if harmless(got) != got {
			t.Errorf("%q becomes %q", got, harmless(got))
		}
	})
}
