package config

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// setScalar implements the short form `vendor: all`.
func (v *VendorSource) setScalar(text string) error {
	if text != "all" {
		return errors.New("want all, or a section with column, file_name or ids")
	}
	v.All = true
	return nil
}

// setScalar implements the short form `price: Precio`.
func (c *Column) setScalar(text string) error {
	c.From = text
	return nil
}

// keys are what an export may have a column for. Which of them go with a feed's kind is feed's to say.
func (Column) keys() []string {
	return []string{
		"active", "barcode", "bundle_details", "bundle_discount", "campaign_name", "campaign_status", "discount_percent",
		"discount_usage_limit", "discounted_price", "end_date", "max_no_of_orders", "maximum_sales_quantity", "offer", "price",
		"promotion_sub_type", "promotion_type", "quantity", "reason", "sku", "start_date",
	}
}

// maxPattern is the length in bytes of the longest pattern: file systems have no longer names.
const maxPattern = 255

// feeds checks the list. The names stand in commands, receipts and state folders, so they are short, plain and different.
func (ck *checker) feeds() {
	if len(ck.c.Feeds) == 0 {
		ck.wrong("feeds", "missing; write at least one feed")
	}
	names := map[string]int{}
	for i, f := range ck.c.Feeds {
		at := fmt.Sprintf("feeds[%d]", i)
		if ck.needed(at+".name", f.Name, "a short name such as precios") {
			if !feedNameForm.MatchString(f.Name) {
				ck.wrong(at+".name", "want lower-case letters, digits and hyphens, found %q", f.Name)
			}
			if first, twice := names[f.Name]; twice {
				ck.wrong(at+".name", "the same name as feeds[%d]; every feed has its own", first)
			} else {
				names[f.Name] = i
			}
		}
		ck.feed(at, f)
	}
}

// feed checks what a feed says by itself. at is its path.
func (ck *checker) feed(at string, f Feed) {
	ck.needed(at+".drop", f.Drop, "the folder that the export arrives in")
	ck.oneOf(at+".kind", f.Kind, kindCatalog, kindPromotions)
	ck.oneOf(at+".export", f.Export, "full", "partial")
	ck.oneOf(at+".missing", f.Missing, "keep", "deactivate")
	ck.oneOf(at+".encoding", f.Encoding, "auto", "utf-8", "utf-16le", "utf-16be", "windows-1252", "iso-8859-15", "cp850")
	if f.Missing == "deactivate" && f.Export == "partial" && !ck.silent(at+".export") {
		ck.wrong(at+".missing", "deactivate needs export: full; a partial export leaves articles out on purpose")
	}
	ck.patterns(at+".match", f.Match)
	ck.oneOf(at+".in_store", f.InStore, "refuse", "accept")
	ck.vendorSource(at+".vendor", f.Vendor)
	ck.expect(at, f.Expect)
	ck.rules(at+".rules", f)
	for _, field := range (Column{}).keys() {
		column := f.Columns[field]
		if column.Decimal != "" {
			ck.oneOf(fmt.Sprintf("%s.columns.%s.decimal", at, field), column.Decimal, "comma", "point")
		}
		if column.Date != "" {
			ck.oneOf(fmt.Sprintf("%s.columns.%s.date", at, field), column.Date, "day-first", "month-first")
		}
	}
	if f.Kind == kindCatalog {
		for _, only := range []struct{ key, value string }{{"campaign", f.Campaign}, {"reason", f.Reason}} {
			if only.value != "" {
				ck.wrong(at+"."+only.key, "is for feeds with kind: promotions; remove it, or write the kind")
			}
		}
	}
}

// The kinds of feeds.
const (
	kindCatalog    = "catalog"
	kindPromotions = "promotions"
)

// patterns checks that each pattern can match a file name, and that there is one.
func (ck *checker) patterns(at string, match []string) {
	if len(match) == 0 {
		ck.wrong(at, "no pattern; write some, or remove the key to take every table")
	}
	for i, pattern := range match {
		if !goodPattern(pattern) {
			ck.wrong(fmt.Sprintf("%s[%d]", at, i), "not a file name pattern: %q; write one such as *.csv or stock_*.xlsx", pattern)
		}
	}
}

// goodPattern reports whether a pattern can match a file name. A backslash escapes to one reader and separates folders to another.
func goodPattern(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err == nil && pattern != "" && len(pattern) <= maxPattern && !strings.ContainsAny(pattern, `/\`)
}

// vendorSource checks that there is exactly one way to find the store, and that it can work.
func (ck *checker) vendorSource(at string, v VendorSource) {
	var ways []string
	for _, way := range []struct {
		key string
		set bool
	}{{"column", v.Column != ""}, {"file_name", v.FileName != ""}, {"ids", len(v.IDs) > 0}, {"all", v.All}} {
		if way.set || ck.silent(at+"."+way.key) {
			ways = append(ways, way.key)
		}
	}
	switch {
	case len(ways) == 0:
		ck.wrong(at, "missing; write all, or one of column: HEADER, file_name: REGEXP, ids: [...]")
	case len(ways) > 1:
		ck.wrong(at, "%s exclude each other; keep one", strings.Join(ways, " and "))
	}
	if v.FileName != "" {
		ck.fileName(at+".file_name", v.FileName)
	}
	ck.storeIDs(at+".ids", v.IDs)
}

// storeIDs checks that the stores of a feed are stores of the chain. Where a store's own id could not be read it says nothing:
// that one may be the one that is missed.
func (ck *checker) storeIDs(at string, list []string) {
	ids, unsure := make([]string, len(ck.c.Vendors)), ck.silent("vendors")
	for i := range ids {
		ids[i] = ck.c.Vendors[i].ID
		unsure = unsure || ck.silent(fmt.Sprintf("vendors[%d].id", i))
	}
	for i, id := range list {
		path := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case slices.Contains(list[:i], id):
			ck.wrong(path, "%q stands in the list twice; remove one", id)
		case !slices.Contains(ids, id) && !unsure:
			p := ck.c.Problem(path, "no store under vendors has the id %q", id)
			p.Suggest = suggest(id, ids)
			ck.add(p)
		}
	}
}

// fileName checks the expression that finds the store in a file's name. It is compiled again by whoever uses it: a config is
// plain values.
func (ck *checker) fileName(at, expr string) {
	re, err := regexp.Compile(expr)
	if err != nil {
		ck.wrong(at, "not a regular expression: %v; try it on a file name first", err)
		return
	}
	if re.SubexpIndex("erp_code") < 0 && re.SubexpIndex("id") < 0 {
		ck.wrong(at, "no group says which store it is; put (?P<erp_code>...) or (?P<id>...) around that part")
	}
}

// folders checks where the folders lie: a drop folder in the state folder would swallow what the daemon keeps, and two feeds that
// take the same files race for them.
func (ck *checker) folders() {
	for _, path := range []string{"state.dir", "sftp.key", "sftp.known_hosts"} {
		ck.home(path)
	}
	state := ck.c.State.Dir
	ck.needed("state.dir", state, "a folder on a local disk")
	for i, f := range ck.c.Feeds {
		at := fmt.Sprintf("feeds[%d].drop", i)
		ck.home(at)
		if f.Drop == "" {
			continue
		}
		if inside(f.Drop, state) || inside(state, f.Drop) {
			ck.wrong(at, "%s and state.dir (%s) lie one inside the other; put them side by side", f.Drop, state)
		}
		for j, other := range ck.c.Feeds[:i] {
			ck.pair(i, j, f, other)
		}
	}
}

// pair checks the drop folder of feed i against that of the earlier feed j.
func (ck *checker) pair(i, j int, f, other Feed) {
	at := fmt.Sprintf("feeds[%d].drop", i)
	earlier := fmt.Sprintf("feeds[%d]", j)
	if ck.silent(earlier+".drop") || !inside(f.Drop, other.Drop) && !inside(other.Drop, f.Drop) {
		return
	}
	if !inside(f.Drop, other.Drop) || !inside(other.Drop, f.Drop) {
		ck.wrong(at, "%s and the drop folder of %s (%s) lie one inside the other; put them side by side", f.Drop, earlier, other.Drop)
		return
	}
	if ck.silent(fmt.Sprintf("feeds[%d].match", i)) || ck.silent(earlier+".match") {
		return
	}
	for _, a := range f.Match {
		for _, b := range other.Match {
			if goodPattern(a) && goodPattern(b) && overlap(a, b) {
				ck.wrong(at, "the same folder as %s, and both take some files (%s and %s); separate them by match: or by folder",
					earlier, a, b)
				return
			}
		}
	}
}

// home reports the one relative path that only a shell understands.
func (ck *checker) home(path string) {
	if at, exact := ck.c.file.find(path); exact && strings.HasPrefix(at.text, "~") {
		ck.wrong(path, "~ means nothing outside of a shell; write the whole path instead of %q", at.text)
	}
}

// inside reports whether the absolute path inner is outer or lies in it.
func inside(inner, outer string) bool {
	if inner == "" || outer == "" {
		return false
	}
	rel, err := filepath.Rel(outer, inner)
	return err == nil && filepath.IsLocal(rel)
}
