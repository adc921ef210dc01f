package daemon

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/feed"
	"gondola/internal/report"
)

// inspectedRows is how many rows an Inspection shows: enough to see whether the columns are the right ones.
const inspectedRows = 5

// Inspection is how an export is understood, with what proves it.
type Inspection struct {
	File      string             `json:"file"`
	Kind      catalog.Kind       `json:"kind"` // what it was read as: catalog or promotions
	Format    InspectedFormat    `json:"format"`
	HeaderRow int                `json:"header_row"` // 0 = none was found
	Columns   []InspectedColumn  `json:"columns"`    // all of the header
	Stores    []InspectedStores  `json:"stores"`     // the columns that tell the store; several only where no feed names one
	First     []InspectedRow     `json:"first_rows"`
	Rows      int                `json:"rows"`
	Records   int                `json:"records"`
	Issues    []InspectedProblem `json:"issues"` // one for each code, the gravest first
	Refused   bool               `json:"refused"`
}

// InspectedFormat is how a text is written, or the sheet of a workbook that was read.
type InspectedFormat struct {
	Sheet     string `json:"sheet"` // "" for a text; of a workbook nothing else is set
	Encoding  string `json:"encoding"`
	Evidence  string `json:"evidence"` // why this encoding
	Delimiter string `json:"delimiter"`
	Quoted    bool   `json:"quoted"` // quoted cells occur among the first rows
	LineEnd   string `json:"line_end"`
}

// InspectedColumn is one column of the header.
type InspectedColumn struct {
	Number   int    `json:"number"` // the first is 1
	Header   string `json:"header"`
	Role     string `json:"role"`      // "" = ignored
	FoundBy  string `json:"found_by"`  // name or config; "" = ignored or, where there is a role, not decided
	Decimal  string `json:"decimal"`   // comma, point or ""
	Date     string `json:"date"`      // day-first, month-first or ""
	Proof    string `json:"proof"`     // the cell that proves either; "" where the config says it
	ProofRow int    `json:"proof_row"` // the row that the cell is in
	ProofOf  string `json:"proof_of"`  // the header of the column that the cell is in, where that is another one
}

// InspectedStores is what stands in a column that tells the store.
type InspectedStores struct {
	Header string           `json:"header"`
	Codes  []InspectedStore `json:"codes"`
	More   bool             `json:"more"` // there are more than are listed
}

// InspectedStore is what rows call one store.
type InspectedStore struct {
	Code   string `json:"code"`
	Vendor string `json:"vendor"` // the store's id, "" where the config has no such store
	Rows   int    `json:"rows"`
}

// InspectedRow is what a row says. A value that it does not give is absent.
type InspectedRow struct {
	Row      int      `json:"row"`
	Vendors  []string `json:"vendors"` // ids; * is every store
	Key      string   `json:"key"`
	Price    string   `json:"price,omitempty"`
	Active   *bool    `json:"active,omitempty"`
	Quantity *int64   `json:"quantity,omitempty"`
	MaxSales *int64   `json:"maximum_sales_quantity,omitempty"`
	Rejected bool     `json:"rejected"` // some cell is wrong: the article keeps its old values, or its old promotions

	Promotion *InspectedPromotion `json:"promotion,omitempty"` // nil for an article
}

// InspectedPromotion is what a row offers.
type InspectedPromotion struct {
	Campaign string `json:"campaign_name"`
	Start    string `json:"start_date"` // local time of the store
	End      string `json:"end_date"`
	Type     string `json:"promotion_type"`
	Benefit  string `json:"promotion_sub_type,omitempty"`
	Details  string `json:"bundle_details,omitempty"`
	Price    string `json:"discounted_price,omitempty"`
	Discount string `json:"discount,omitempty"` // a share with its sign, or an amount off
	Active   bool   `json:"campaign_status"`
}

// InspectedProblem is how often an issue occurs, and the first time that it does.
type InspectedProblem struct {
	Count int       `json:"count"`
	First IssueText `json:"first"`
}

// InspectAs is how an export is to be read.
type InspectAs struct {
	Config *config.Config // nil: with nothing but the evidence
	Feed   string         // of the config
	Kind   catalog.Kind   // without a config; "" leaves it to the evidence
}

// Inspect reads one export as a feed of the config would or, without one, with nothing but the evidence: SKUs identify the articles,
// rows are taken for every store, and what has columns for dates and offers is about promotions. It touches neither state nor network,
// and writes nothing.
func Inspect(ctx context.Context, as InspectAs, export string) (Inspection, error) {
	spec := feed.Spec{
		Kind: as.Kind, By: catalog.BySKU, Source: feed.VendorSource{All: true}, PriceDecimals: config.DefaultPriceDecimals,
	}
	language := "en" // that of the command line
	if as.Config != nil {
		s, err := newSetup(as.Config)
		if err != nil {
			return Inspection{}, config.Problems(as.Config.Locate(err))
		}
		f, ok := s.feed(as.Feed)
		if !ok {
			return Inspection{}, fmt.Errorf("%w: %q; the config has: %s", ErrNoFeed, as.Feed, strings.Join(s.feedNames(), ", "))
		}
		spec, language = f.spec, as.Config.Chain.Language
	}
	if spec.Kind == "" {
		// A sheet of promotions has articles, too, and often a yes or no beside them: only the other way round is telling.
		spec.Kind = catalog.KindPromotions
		in, err := inspect(ctx, spec, language, export)
		if err != nil || !in.unlike() {
			return in, err
		}
		spec.Kind = catalog.KindCatalog
	}
	return inspect(ctx, spec, language, export)
}

// unlike reports whether the export has not the columns of its kind.
func (in Inspection) unlike() bool {
	return in.Refused && !slices.ContainsFunc(in.Columns, func(c InspectedColumn) bool { return c.Role == string(feed.RoleStart) })
}

func inspect(ctx context.Context, spec feed.Spec, language, export string) (Inspection, error) {
	in := Inspection{File: filepath.Base(export), Kind: spec.Kind, First: []InspectedRow{}}
	found, err := feed.Inspect(ctx, spec, export, in.File, func(r feed.Record) error {
		in.show(r, spec)
		return nil
	})
	if err != nil {
		return Inspection{}, err
	}
	r := found.Result
	in.HeaderRow, in.Rows, in.Records, in.Refused = r.Header.Row, r.Rows, r.Records, r.Refused
	in.Format = inspectedFormat(r)
	in.Columns, in.Stores = inspectedColumns(found), inspectedStores(found)
	in.Issues = inspectedProblems(language, r)
	return in, nil
}

// show notes a record where it is of one of the first rows. One row makes a record for each of its stores; those that say the same are
// shown once.
func (in *Inspection) show(r feed.Record, spec feed.Spec) {
	if n := len(in.First); n == inspectedRows && in.First[n-1].Row != r.Row {
		return
	}
	row := InspectedRow{Row: r.Row, Vendors: []string{r.Vendor}, Key: r.Item.Key(spec.By), Rejected: r.Rejected}
	if r.Item.Set.Has(catalog.Price) {
		row.Price = r.Item.Price.Text(spec.PriceDecimals)
	}
	if r.Item.Set.Has(catalog.Active) {
		row.Active = &r.Item.Active
	}
	if r.Item.Set.Has(catalog.Quantity) {
		row.Quantity = &r.Item.Quantity
	}
	if r.Item.Set.Has(catalog.MaxSales) {
		row.MaxSales = &r.Item.MaxSales
	}
	if r.Promotion != nil {
		row.Promotion = inspectedPromotion(*r.Promotion, spec.PriceDecimals)
	}
	// Rules may make something else of the row in another store.
	for i := range in.First {
		if same := &in.First[i]; same.Row == row.Row && same.says(row) {
			same.Vendors = append(same.Vendors, r.Vendor)
			return
		}
	}
	if len(in.First) < inspectedRows {
		in.First = append(in.First, row)
	}
}

// says reports whether two rows say the same.
func (r InspectedRow) says(other InspectedRow) bool {
	r.Vendors, other.Vendors = nil, nil
	return reflect.DeepEqual(r, other)
}

func inspectedPromotion(p catalog.Promotion, decimals int) *InspectedPromotion {
	out := &InspectedPromotion{
		Campaign: p.Campaign, Start: p.Start.String(), End: p.End.String(), Type: string(p.Type), Benefit: string(p.Benefit),
		Details: p.Details(), Active: p.Active,
	}
	if p.Price != 0 {
		out.Price = p.Price.Text(decimals)
	}
	switch {
	case p.Percent != 0:
		out.Discount = p.Percent.String() + "%"
	case p.Amount != 0:
		out.Discount = p.Amount.Text(decimals)
	}
	return out
}

func inspectedFormat(r feed.Result) InspectedFormat {
	f := InspectedFormat{
		Sheet: r.Format.Sheet, Encoding: string(r.Format.Encoding), Evidence: r.Format.Evidence, Quoted: r.Format.Quoted,
		LineEnd: r.Format.LineEnd,
	}
	if r.Format.Delimiter != 0 {
		f.Delimiter = string(r.Format.Delimiter)
	}
	return f
}

func inspectedColumns(found feed.Inspection) []InspectedColumn {
	all := make([]InspectedColumn, len(found.Columns))
	for i, c := range found.Columns {
		all[i] = InspectedColumn{
			Number: c.Index + 1, Header: c.Name, Role: string(c.Role), FoundBy: string(c.How),
			Decimal: c.Decimal, Date: c.Date, Proof: c.Proof, ProofRow: c.ProofRow, ProofOf: c.ProofColumn,
		}
	}
	return all
}

func inspectedStores(found feed.Inspection) []InspectedStores {
	all := make([]InspectedStores, len(found.Stores))
	for i, s := range found.Stores {
		all[i] = InspectedStores{Header: s.Name, Codes: make([]InspectedStore, len(s.Cells)), More: s.More}
		for j, c := range s.Cells {
			all[i].Codes[j] = InspectedStore{Code: c.Text, Vendor: c.Vendor, Rows: c.Rows}
		}
	}
	return all
}

// inspectedProblems sums up the issues by their codes. Of an export with very many, the mildest may have been counted only.
func inspectedProblems(language string, r feed.Result) []InspectedProblem {
	all := []InspectedProblem{}
	for _, severity := range []catalog.Severity{catalog.Error, catalog.Warning, catalog.Note, ""} {
		for _, code := range catalog.Codes {
			told := slices.ContainsFunc(all, func(p InspectedProblem) bool { return p.First.Code == code })
			if r.Counts[code] == 0 || told {
				continue
			}
			first := slices.IndexFunc(r.Issues, func(is catalog.Issue) bool { return is.Code == code && is.Severity == severity })
			switch {
			case first >= 0:
				all = append(all, inspectedProblem(language, r.Counts[code], r.Issues[first]))
			case severity == "":
				all = append(all, inspectedProblem(language, r.Counts[code], catalog.Issue{Code: code}))
			}
		}
	}
	return all
}

// inspectedProblem tells what is wrong and leaves out what to do: who looks at a new export has not decided yet that it is at fault.
func inspectedProblem(language string, n int, is catalog.Issue) InspectedProblem {
	p := InspectedProblem{Count: n, First: issueText(language, is)}
	p.First.Text, _ = report.Sentence(language, is)
	return p
}
