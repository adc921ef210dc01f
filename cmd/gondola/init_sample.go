package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/daemon"
)

// samples asks for exports of the ERP, and makes a feed of each.
func (i *initInterview) samples() error {
	for _, sample := range i.f.samples {
		if err := i.sample(sample); err != nil {
			return err
		}
	}
	if len(i.f.samples) > 0 {
		return nil
	}
	i.say("\nA sample of what your ERP exports shows which columns it has: prices, stock, promotions, each file a feed. Without one there is\n" +
		"a spreadsheet to fill in by hand.")
	for {
		var path string
		_, err := i.ask("Path of an export, CSV or Excel; Enter for no more", "", func(answer string) (err error) {
			path = typedPath(answer)
			if path == "" {
				return nil
			}
			return checkFile(path)
		})
		if err != nil || path == "" {
			return err
		}
		if err := i.sample(path); err != nil {
			return err
		}
	}
}

// sample finds the columns of one export, asks for what the evidence leaves open, and shows how its first rows are understood.
func (i *initInterview) sample(path string) error {
	i.say("Reading %s …", plain(path))
	d, found, err := i.f.draft(i.ctx, i.in, path)
	if err != nil {
		if i.ctx.Err() != nil {
			return errBrokenOff
		}
		i.complain(err)
		return nil
	}
	i.show(func(a *app) {
		a.printf("\n%s, read as %s\n", plain(found.File), kindNoun(found.Kind))
		a.printFormat(found)
		if len(found.Columns) > 0 {
			a.printf("\n")
			a.printColumns(found)
		}
	})
	if len(found.Columns) == 0 {
		i.problems(found)
		i.say("It is left out.")
		return nil
	}
	if err := i.columns(&d, found); err != nil {
		return err
	}
	if d, found, err = i.settle(d, path); err != nil {
		return err
	}
	for {
		i.result(found)
		i.say("\nIs it right? A column is corrected by FIELD=HEADER, or its number: price=3, vendor=Sucursal. - leaves the export out.")
		answer, err := i.ask("Enter takes it so", "", func(answer string) error { return correction(&d, found, answer) })
		switch {
		case err != nil:
			return err
		case answer == "-":
			return nil
		case answer == "" && !found.Refused:
			return i.take(d, found)
		case answer == "":
			i.complain(fmt.Errorf("as it is the export would be rejected; correct a column, or leave it out with -"))
			continue
		}
		if d, found, err = i.settle(d, path); err != nil {
			return err
		}
	}
}

// correction reads an answer as a correction of a column.
func correction(d *daemon.Draft, found daemon.Inspection, answer string) error {
	if answer == "" || answer == "-" {
		return nil
	}
	field, header, ok := strings.Cut(answer, "=")
	if !ok {
		return fmt.Errorf("write FIELD=HEADER, - or nothing")
	}
	header, err := columnOf(found, strings.TrimSpace(header))
	if err != nil {
		return err
	}
	return d.SetColumn(strings.TrimSpace(field), header)
}

// columnOf returns the header that an answer means: itself, or the number of the column.
func columnOf(found daemon.Inspection, answer string) (string, error) {
	for _, c := range found.Columns {
		if c.Header != "" && strings.EqualFold(c.Header, answer) {
			return c.Header, nil
		}
	}
	if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(found.Columns) && found.Columns[n-1].Header != "" {
		return found.Columns[n-1].Header, nil
	}
	return "", fmt.Errorf("the export has no column %q; write a header, or its number from 1 to %d", answer, len(found.Columns))
}

// columns asks for the columns that are missing, while there are some that nobody knows.
func (i *initInterview) columns(d *daemon.Draft, found daemon.Inspection) error {
	taken := func(field string) bool {
		_, ok := d.Columns[field]
		return ok || slices.ContainsFunc(d.Doubts, func(doubt daemon.Doubt) bool { return doubt.Field == field })
	}
	if !slices.ContainsFunc(found.Columns, func(c daemon.InspectedColumn) bool { return c.Role == "" && c.Header != "" }) {
		return nil
	}
	for _, w := range wantedOf(found.Kind) {
		if taken(w.field) || slices.ContainsFunc(w.or, taken) {
			continue
		}
		if err := i.column(d, found, w.field, fmt.Sprintf("Column with %s, header or number; Enter = there is none", w.about)); err != nil {
			return err
		}
	}
	return nil
}

// column asks for one column.
func (i *initInterview) column(d *daemon.Draft, found daemon.Inspection, field, question string) error {
	_, err := i.ask(question, "", func(answer string) error {
		if answer == "" {
			return nil
		}
		header, err := columnOf(found, answer)
		if err != nil {
			return err
		}
		return d.SetColumn(field, header)
	})
	return err
}

// wanted is a field that an export usually has.
type wanted struct {
	field, about string
	or           []string // or one of these
}

func wantedOf(kind catalog.Kind) []wanted {
	if kind == catalog.KindPromotions {
		return []wanted{
			{"sku", "the article's code", []string{"barcode"}},
			{"start_date", "the first day", nil},
			{"end_date", "the last day", nil},
			{"offer", "the offer", []string{"discounted_price", "discount_percent", "promotion_type"}},
		}
	}
	return []wanted{
		{"sku", "the article's code (SKU)", nil},
		{"barcode", "the barcode", nil},
		{"price", "the price", nil},
		{"quantity", "the stock", nil},
		{"active", "whether it is on sale", []string{"quantity"}},
	}
}

// settle looks at the sample with what was said so far, and asks for what is in doubt until nothing is.
func (i *initInterview) settle(d daemon.Draft, path string) (daemon.Draft, daemon.Inspection, error) {
	for n := 0; ; n++ {
		var found daemon.Inspection
		var err error
		d, found, err = i.in.Look(i.ctx, d, path)
		if err != nil || len(d.Doubts) == 0 || n == maxDoubts {
			return d, found, err
		}
		if err := i.decide(&d, found, d.Doubts[0]); err != nil {
			return d, found, err
		}
	}
}

// decide asks about one doubt.
func (i *initInterview) decide(d *daemon.Draft, found daemon.Inspection, doubt daemon.Doubt) error {
	if doubt.What != "column" {
		options := []option{{"comma", "1.234,56"}, {"point", "1,234.56"}}
		if doubt.What == "date" {
			options = []option{{"day-first", "31/12/2026"}, {"month-first", "12/31/2026"}}
		}
		n, err := i.choose("\n"+plain(doubt.Example)+"\nHow is it written?", options, 0)
		if err == nil {
			d.SetReading(doubt, options[n].name)
		}
		return err
	}
	if doubt.Field == "vendor" {
		return i.storeSource(d, found, doubt)
	}
	options := make([]option, len(doubt.Headers))
	for n, header := range doubt.Headers {
		options[n].name = plain(header)
	}
	n, err := i.choose(fmt.Sprintf("\nMore than one column may be the %s. Which one is it?", plain(doubt.Field)), options, 0)
	if err != nil {
		return err
	}
	return d.SetColumn(doubt.Field, doubt.Headers[n])
}

// storeSource asks how the export tells the store.
func (i *initInterview) storeSource(d *daemon.Draft, found daemon.Inspection, doubt daemon.Doubt) error {
	i.say("\nHow does the export tell the store? The column's header or number; all, where every store has the same; or the ids of the\n" +
		"stores that it is always about, with blanks between them.")
	proposal := ""
	if len(doubt.Headers) > 0 {
		proposal = doubt.Headers[0]
	}
	_, err := i.ask("Store", proposal, func(answer string) error {
		if answer == "all" {
			d.Vendor.All, d.Vendor.Column = true, ""
			return nil
		}
		ids := strings.Fields(answer)
		if len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !i.isStore(id) }) {
			d.Vendor.IDs, d.Vendor.Column = ids, ""
			return nil
		}
		header, err := columnOf(found, answer)
		if err != nil {
			return err
		}
		return d.SetColumn("vendor", header)
	})
	return err
}

func (i *initInterview) isStore(id string) bool {
	for _, s := range i.in.Stores {
		if s.ID == id {
			return true
		}
	}
	return false
}

// result shows how the first rows are understood.
func (i *initInterview) result(found daemon.Inspection) {
	i.show(func(a *app) {
		if len(found.First) > 0 {
			a.printf("\n")
			a.printFirst(found)
		}
		a.printf("\n%s, %s understood\n", count(found.Rows, "row"), count(found.Records, rowNoun(found.Kind)))
	})
	i.problems(found)
}

// problems lists what is wrong with the sample.
func (i *initInterview) problems(found daemon.Inspection) {
	for _, p := range found.Issues {
		i.say("  %d x %s", p.Count, plain(issuePlace(p.First)+p.First.Text))
	}
}

// show prints what a command prints, to whoever is asked.
func (i *initInterview) show(print func(a *app)) {
	a := *i.a
	a.Stdout = i.out
	print(&a)
}

// take asks for what stores are called where the export has codes that no store has, and whether exports are full, and keeps the feed.
func (i *initInterview) take(d daemon.Draft, found daemon.Inspection) error {
	if err := i.erpCodes(found); err != nil {
		return err
	}
	if err := i.identify(d); err != nil {
		return err
	}
	if !i.f.given("export") {
		n, err := i.choose("\nDoes each of these exports have every article of its stores?", []option{
			{"partial", "no, some: what is not in it stays as it was"}, {"full", "yes, all"},
		}, 0)
		if err != nil {
			return err
		}
		d.Export = []string{"partial", "full"}[n]
	}
	i.in.IdentifyBy = i.in.Identify(d)
	i.in.Feeds = append(i.in.Feeds, d)
	i.say("Exports like %s go into %s.", plain(d.Sample), d.Drop)
	return nil
}

// identify asks by which of two codes the platform knows the articles, the first time that an export has both.
func (i *initInterview) identify(d daemon.Draft) error {
	_, sku := d.Columns["sku"]
	_, barcode := d.Columns["barcode"]
	if !sku || !barcode || i.in.IdentifyBy != "" {
		return nil
	}
	options := []option{{"sku", "your own code"}, {"barcode", ""}}
	n, err := i.choose("\nThe export has two codes for each article. By which one does the platform know them?", options, 0)
	if err == nil {
		i.in.IdentifyBy = options[n].name
	}
	return err
}

// erpCodes asks which of the stores is meant by codes that no store has.
func (i *initInterview) erpCodes(found daemon.Inspection) error {
	for _, s := range found.Stores {
		var strange []string
		known := map[string]bool{}
		for _, c := range s.Codes {
			if known[c.Vendor] = true; c.Vendor == "" {
				strange = append(strange, c.Code)
			}
		}
		for n := range i.in.Stores {
			store := &i.in.Stores[n]
			if known[store.ID] || store.ERPCode != "" || len(strange) == 0 {
				continue
			}
			i.say("\nThe export has codes of no store: %s", plain(strings.Join(strange[:min(len(strange), shownCodes)], ", ")))
			_, err := i.ask(fmt.Sprintf("Which of them is %s %s? Enter = none", plain(store.ID), plain(store.Name)), "", func(answer string) error {
				if answer == "" {
					return nil
				}
				at := slices.Index(strange, answer)
				if at < 0 {
					return fmt.Errorf("%q is none of them", answer)
				}
				store.ERPCode = answer
				if err := i.in.Check("vendors"); err != nil {
					store.ERPCode = ""
					return err
				}
				strange = slices.Delete(strange, at, at+1)
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
