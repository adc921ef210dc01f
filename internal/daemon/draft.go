package daemon

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/feed"
)

// Draft is a feed of a config that does not exist yet. Its paths are relative.
type Draft struct {
	config.Feed
	Sample string  // name of the export that it was found in; "" = it is a starter's
	Doubts []Doubt // what only a person can say
}

// Doubt is something about a sample that its evidence does not decide.
type Doubt struct {
	Field   string   // of the feed's columns, or vendor
	What    string   // column, decimal or date
	Headers []string // that it may be, of a column; of vendor there may be none
	Example string   // a sentence about a cell that can be read in two ways
}

// String tells the doubt in one line.
func (d Doubt) String() string {
	switch {
	case d.What == doubtColumn && len(d.Headers) == 0:
		return "nothing in the export tells the store"
	case d.What == doubtColumn:
		headers := make([]string, len(d.Headers))
		for i, header := range d.Headers {
			headers[i] = config.Scalar(header)
		}
		return fmt.Sprintf("%s is %s", d.Field, strings.Join(headers, " or "))
	case d.What == doubtDate:
		return fmt.Sprintf("date of %s is day-first or month-first", d.Field)
	}
	return fmt.Sprintf("decimal of %s is comma or point", d.Field)
}

// What is in doubt.
const (
	doubtColumn  = "column"
	doubtDecimal = "decimal"
	doubtDate    = "date"
)

// Draft looks at a sample export with nothing but the evidence, and drafts a feed for it: the columns whose headers are known, and how
// the store is told, as far as the stores of the installation show it. What is in doubt is left open. The Inspection is of the evidence
// alone; how the export reads with the draft is [Installation.Look]'s to say.
func (in Installation) Draft(ctx context.Context, sample string) (Draft, Inspection, error) {
	if info, err := os.Stat(sample); err != nil {
		return Draft{}, Inspection{}, fmt.Errorf("open export: %w", err)
	} else if !info.Mode().IsRegular() {
		return Draft{}, Inspection{}, fmt.Errorf("open export: %s is not a file", sample)
	}
	found, err := Inspect(ctx, InspectAs{}, sample)
	if err != nil {
		return Draft{}, found, err
	}
	name := freeName(in.Feeds, in.nameFor(filepath.Base(sample), string(found.Kind)))
	d := Draft{Sample: filepath.Base(sample), Feed: config.Feed{
		Name: name, Kind: string(found.Kind), Drop: dropOf(name), Export: config.DefaultExport, Columns: map[string]config.Column{},
	}}
	for _, c := range found.Columns {
		if slices.Contains(feed.Roles(found.Kind), feed.Role(c.Role)) && c.FoundBy == "name" {
			d.Columns[c.Role] = config.Column{From: c.Header}
		}
	}
	d.Vendor = in.sourceOf(d.Sample, found)
	d, _, err = in.Look(ctx, d, sample)
	return d, found, err
}

// Look reads a sample as the drafted feed would once the config is written. It returns the draft with what the sample proves of decimal
// marks and dates, and with the doubts that are left.
func (in Installation) Look(ctx context.Context, d Draft, sample string) (Draft, Inspection, error) {
	look, open := d, d.Vendor.Column == unknown
	if open {
		look.Vendor = config.VendorSource{All: true} // what tells the store is left open, not the rest
	}
	in.IdentifyBy = in.Identify(d)
	in.Feeds = append(slices.Clone(in.Feeds), look)
	cfg, err := in.load()
	if err != nil {
		return d, Inspection{}, err
	}
	cfg.Chain.Language = "en" // that of the command line
	found, err := Inspect(ctx, InspectAs{Config: cfg, Feed: d.Name}, sample)
	if err != nil {
		return d, found, err
	}
	d.Columns = maps.Clone(d.Columns)
	for _, c := range found.Columns {
		if named, ok := d.Columns[c.Role]; ok && strings.EqualFold(named.From, c.Header) {
			d.Columns[c.Role] = config.Column{From: c.Header, Decimal: c.Decimal, Date: c.Date}
		}
	}
	d.Doubts = doubtsOf(found, open)
	return d, found, nil
}

// Identify returns what identifies articles where a draft counts: the barcode where nobody said otherwise and there is nothing else.
func (in Installation) Identify(d Draft) string {
	_, sku := d.Columns[string(feed.RoleSKU)]
	_, barcode := d.Columns[string(feed.RoleBarcode)]
	if in.IdentifyBy == "" && !sku && barcode {
		return string(feed.RoleBarcode)
	}
	return in.IdentifyBy
}

// SetColumn says which column a field has, vendor being the store's.
func (d *Draft) SetColumn(field, header string) error {
	if field == string(feed.RoleVendor) {
		d.Vendor = config.VendorSource{Column: header}
		return nil
	}
	if fields := feed.Roles(catalog.Kind(d.Kind)); !slices.Contains(fields, feed.Role(field)) {
		return fmt.Errorf("%q is no field; write vendor or one of %s", field, joined(fields))
	}
	d.Columns = maps.Clone(d.Columns)
	for other, c := range d.Columns {
		if strings.EqualFold(c.From, header) {
			delete(d.Columns, other) // it is this one's now
		}
	}
	d.Columns[field] = config.Column{From: header}
	return nil
}

// SetReading says how the numbers or dates of a field are written: comma or point, day-first or month-first.
func (d *Draft) SetReading(doubt Doubt, value string) {
	d.Columns = maps.Clone(d.Columns)
	c := d.Columns[doubt.Field]
	if doubt.What == doubtDate {
		c.Date = value
	} else {
		c.Decimal = value
	}
	d.Columns[doubt.Field] = c
}

func joined(fields []feed.Role) string {
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = string(f)
	}
	return strings.Join(texts, ", ")
}

// sourceOf returns how the export tells the store: by its one column of stores, by its name where that has the code of one, or because
// there is one store only. Where nothing does, it is left to a person.
func (in Installation) sourceOf(name string, found Inspection) config.VendorSource {
	if len(found.Stores) == 1 {
		return config.VendorSource{Column: found.Stores[0].Header}
	}
	if expr := in.codeInName(name); expr != "" && len(found.Stores) == 0 {
		return config.VendorSource{FileName: expr}
	}
	if len(found.Stores) == 0 && len(in.Stores) == 1 {
		return config.VendorSource{IDs: []string{in.Stores[0].ID}}
	}
	return config.VendorSource{Column: unknown}
}

// doubtsOf lists what the evidence does not decide: which of two columns it is, what tells the store, how numbers and dates are written.
func doubtsOf(found Inspection, store bool) []Doubt {
	var doubts []Doubt
	for _, c := range found.Columns {
		if c.Role == "" || c.FoundBy != "" || c.Role == string(feed.RoleVendor) {
			continue
		}
		i := slices.IndexFunc(doubts, func(d Doubt) bool { return d.Field == c.Role })
		if i < 0 {
			i, doubts = len(doubts), append(doubts, Doubt{Field: c.Role, What: doubtColumn})
		}
		doubts[i].Headers = append(doubts[i].Headers, c.Header)
	}
	if store {
		d := Doubt{Field: string(feed.RoleVendor), What: doubtColumn}
		for _, s := range found.Stores {
			d.Headers = append(d.Headers, s.Header)
		}
		doubts = append(doubts, d)
	}
	for _, p := range found.Issues {
		what := map[catalog.Code]string{catalog.PriceAmbiguous: doubtDecimal, catalog.DateAmbiguous: doubtDate}[p.First.Code]
		if what == "" {
			continue
		}
		i := slices.IndexFunc(found.Columns, func(c InspectedColumn) bool { return c.Header == p.First.Column })
		if i >= 0 && found.Columns[i].Role != "" {
			doubts = append(doubts, Doubt{Field: found.Columns[i].Role, What: what, Headers: []string{p.First.Column}, Example: p.First.Text})
		}
	}
	return doubts
}

// digits are what changes from one file's name to the next.
var digits = regexp.MustCompile(`[0-9]+`)

// codeInName returns a regular expression that finds the store in names like this one, "" where the name has no code of a store.
func (in Installation) codeInName(name string) string {
	for _, s := range in.Stores {
		for _, code := range []struct{ text, group string }{{s.ERPCode, "erp_code"}, {s.ID, "id"}} {
			at := wholeWord(name, code.text)
			if at < 0 {
				continue
			}
			form := `[A-Za-z0-9-]+`
			if digits.FindString(code.text) == code.text {
				form = `[0-9]+`
			}
			before := digits.ReplaceAllString(regexp.QuoteMeta(name[:at]), `[0-9]+`)
			return fmt.Sprintf("^%s(?P<%s>%s)", before, code.group, form)
		}
	}
	return ""
}

// wholeWord returns where a code stands in a name without letters or digits beside it, -1 where it does not. Case does not count.
func wholeWord(name, code string) int {
	if code == "" {
		return -1
	}
	at := regexp.MustCompile(`(?i)(?:^|[^A-Za-z0-9])(` + regexp.QuoteMeta(code) + `)(?:$|[^A-Za-z0-9])`).FindStringSubmatchIndex(name)
	if at == nil {
		return -1
	}
	return at[2]
}

// nameFor returns a feed's name for exports like this one: the words of its file's name, without what changes from one to the next.
func (in Installation) nameFor(file, kind string) string {
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	for _, s := range in.Stores {
		for _, code := range []string{s.ERPCode, s.ID} {
			if i := wholeWord(stem, code); i >= 0 {
				stem = stem[:i] + " " + stem[i+len(code):]
			}
		}
	}
	name := feed.Plain(digits.ReplaceAllString(stem, " "))
	if name == "" {
		return kind
	}
	return name
}

// freeName returns a name that no feed has yet.
func freeName(feeds []Draft, name string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(feeds, func(d Draft) bool { return d.Name == name })
	}
	free := name
	for i := 2; taken(free); i++ {
		free = name + "-" + strconv.Itoa(i)
	}
	return free
}

// dropOf returns the drop folder of a feed.
func dropOf(name string) string { return path.Join("drop", name) }
