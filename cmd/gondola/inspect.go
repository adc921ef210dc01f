package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
)

// shownCodes is how many store codes of a column are printed; --json has them all.
const shownCodes = 20

// newInspectCommand shows how an export is understood.
func newInspectCommand(a *app) *cobra.Command {
	var feed, kind string
	c := &cobra.Command{
		Use:   "inspect EXPORT",
		Short: "Show how an export is understood, and what to write into the config for it",
		Long: `Shows what an export (CSV or XLSX) is found to be, and why: encoding, delimiter or sheet, header, the role
of each column, the decimal mark and the order of dates with the cell that proves them, the first rows as
they are understood, and how often which issue occurs. It ends with the lines for the feed's config.

No config is needed: articles are then known by their SKU, rows are taken for every store, and what has
columns for dates and offers is about promotions (--kind says it otherwise). With --feed the export is
read exactly as that feed of the config would. Whether it holds an article twice is seen by
gondola convert. Nothing is written, nothing is remembered, and nobody is connected to.`,
		Example: `  gondola inspect export.csv
  gondola inspect --config shop/config.yaml --feed precios export.xlsx`,
		Args:        oneArg("EXPORT"),
		Annotations: codes(exitData),
		RunE:        func(c *cobra.Command, args []string) error { return a.inspect(c.Context(), feed, kind, args[0]) },
	}
	c.Flags().StringVar(&feed, "feed", "", "read the export as the feed `NAME` of the config would")
	c.Flags().StringVar(&kind, "kind", "", "read the export as one of this `KIND`: catalog or promotions (default: by its columns)")
	return c
}

// inspected is what --json prints.
type inspected struct {
	daemon.Inspection
	Config string `json:"config"` // YAML for the feed; "" when there is nothing to add
}

func (a *app) inspect(ctx context.Context, feed, kind, export string) error {
	as := daemon.InspectAs{Feed: feed, Kind: catalog.Kind(kind)}
	switch {
	case kind != "" && as.Kind != catalog.KindCatalog && as.Kind != catalog.KindPromotions:
		return usagef("unknown kind %q (known: catalog, promotions)", kind)
	case kind != "" && feed != "":
		return usagef("--kind and --feed exclude each other: the feed has a kind; drop one of the two")
	case feed != "":
		var err error
		if as.Config, err = a.look(); err != nil {
			return err
		}
	case a.ConfigPath != "":
		return usagef("--config needs --feed NAME: a config may have several feeds, and each reads an export in its own way")
	}
	if info, err := os.Stat(export); err != nil {
		return usagef("open export: %w", err)
	} else if !info.Mode().IsRegular() {
		return usagef("open export: %s is not a file", export)
	}
	a.shows.say("reading %s", export)
	found, err := daemon.Inspect(ctx, as, export)
	if err != nil {
		return err
	}
	result := inspected{found, feedLines(found)}
	code := exitDone
	if result.Refused {
		code = exitData
	}
	if a.JSON {
		if err := a.printJSON(result); err != nil {
			return err
		}
		return ended(code)
	}
	a.printInspected(result)
	return ended(code)
}

func (a *app) printInspected(r inspected) {
	a.printf("%s, read as %s\n", plain(r.File), kindNoun(r.Kind))
	a.printFormat(r.Inspection)
	if len(r.Columns) > 0 {
		a.printf("\n")
		a.printColumns(r.Inspection)
	}
	for _, s := range r.Stores {
		if r.Rows == 0 {
			break // nobody has looked
		}
		a.printf("\nstores in %s: %s\n", plain(s.Header), plain(storeCodes(s)))
	}
	if len(r.First) > 0 {
		a.printf("\n")
		a.printFirst(r.Inspection)
	}
	issues := 0
	for _, p := range r.Issues {
		issues += p.Count
	}
	a.printf("\n%s, %s understood, %s\n", count(r.Rows, "row"), count(r.Records, rowNoun(r.Kind)), count(issues, "issue"))
	for _, p := range r.Issues {
		a.printf("  %d x %s: %s\n", p.Count, p.First.Code, plain(issuePlace(p.First)+p.First.Text))
	}
	if r.Refused {
		a.printf("\nThe export would be rejected as a whole.\n")
	}
	if r.Config == "" {
		return
	}
	// Indented as the keys of a feed are in the config that init writes.
	a.printf("\nFor the feed in the config:\n\n    %s\n", strings.ReplaceAll(strings.TrimSuffix(r.Config, "\n"), "\n", "\n    "))
}

// kindNoun says what an export is about.
func kindNoun(kind catalog.Kind) string {
	if kind == catalog.KindPromotions {
		return "promotions"
	}
	return "a catalogue"
}

// printFormat prints how the file is written, as far as it could be found out.
func (a *app) printFormat(r daemon.Inspection) {
	f := r.Format
	if f.Sheet != "" {
		a.printf("  sheet:     %s\n", plain(f.Sheet))
	}
	if f.Encoding != "" {
		a.printf("  encoding:  %s (%s)\n", f.Encoding, f.Evidence)
		a.printf("  delimiter: %s\n", named(f.Delimiter, map[string]string{
			"": "none, a single column", ";": "semicolon", ",": "comma", "\t": "tab", "|": "vertical bar",
		}))
		quotes := "none among the first rows"
		if f.Quoted {
			quotes = "around some cells"
		}
		a.printf("  quotes:    %s\n", quotes)
		a.printf("  line ends: %s\n", named(f.LineEnd, map[string]string{"": "none", "\n": "LF", "\r\n": "CR LF", "\r": "CR"}))
	}
	if r.HeaderRow > 0 {
		a.printf("  header:    row %d\n", r.HeaderRow)
	}
}

// named returns the name of a sign, or the sign itself where it has none.
func named(sign string, names map[string]string) string {
	if name, ok := names[sign]; ok {
		return name
	}
	return strconv.Quote(sign)
}

func (a *app) printColumns(r daemon.Inspection) {
	rows := make([][]string, len(r.Columns))
	for i, c := range r.Columns {
		role, by := c.Role, c.FoundBy
		switch {
		case role == "":
			role, by = "ignored", "-"
		case by == "":
			by = "not decided"
		case by == "name":
			by = "known word"
		}
		rows[i] = []string{strconv.Itoa(c.Number), orDash(c.Header), role, by, readWith(c, r.Rows > 0)}
	}
	a.table([]string{"COLUMN", "HEADER", "ROLE", "FOUND BY", "READ WITH"}, rows)
}

// readWith tells the decimal mark of a column of numbers, or the order of one of dates, and what proves it. read says whether its cells
// were looked at.
func readWith(c daemon.InspectedColumn, read bool) string {
	convention := c.Decimal
	if c.Date != "" {
		convention = c.Date
	}
	switch {
	case c.Proof != "" && c.ProofOf != "":
		return fmt.Sprintf("%s: row %d of %s has %s", convention, c.ProofRow, c.ProofOf, c.Proof)
	case c.Proof != "":
		return fmt.Sprintf("%s: row %d has %s", convention, c.ProofRow, c.Proof)
	case convention != "":
		return convention + ": config"
	case read && slices.Contains([]string{"price", "quantity", "maximum_sales_quantity", "discounted_price", "discount_percent"}, c.Role):
		return "no cell needs or proves a decimal mark"
	case read && slices.Contains([]string{"start_date", "end_date"}, c.Role):
		return "no cell needs or proves an order"
	}
	return "-"
}

// storeCodes lists what stands in a column of stores, in the order of the rows.
func storeCodes(s daemon.InspectedStores) string {
	if len(s.Codes) == 0 {
		return "none"
	}
	var list []string
	for _, c := range s.Codes[:min(len(s.Codes), shownCodes)] {
		text := c.Code
		if c.Vendor != "" && c.Vendor != c.Code {
			text += " = " + c.Vendor
		}
		list = append(list, text+" ("+count(c.Rows, "row")+")")
	}
	if more := len(s.Codes) - len(list); s.More {
		list = append(list, fmt.Sprintf("and more than %d others", more))
	} else if more > 0 {
		list = append(list, "and "+count(more, "other"))
	}
	return strings.Join(list, ", ")
}

func (a *app) printFirst(in daemon.Inspection) {
	if in.Kind == catalog.KindPromotions {
		a.printFirstPromotions(in.First)
		return
	}
	first := in.First
	header := []string{"ROW", "STORE", "ARTICLE", "PRICE", "ACTIVE", "QUANTITY", "MAX"}
	rows := make([][]string, len(first))
	for i, r := range first {
		store := storesOf(r)
		price, active := orDash(r.Price), "-"
		if r.Rejected {
			price = "rejected"
		}
		if r.Active != nil {
			active = map[bool]string{true: "yes", false: "no"}[*r.Active]
		}
		rows[i] = []string{strconv.Itoa(r.Row), store, r.Key, price, active, wholeOrDash(r.Quantity), wholeOrDash(r.MaxSales)}
	}
	a.table(header, rows)
}

// printFirstPromotions is printFirst for promotions.
func (a *app) printFirstPromotions(first []daemon.InspectedRow) {
	rows := make([][]string, len(first))
	for i, r := range first {
		rows[i] = []string{strconv.Itoa(r.Row), storesOf(r), r.Key, "rejected", "-", "-", "-", "-"}
		if p := r.Promotion; p != nil {
			offer := strings.TrimSpace(strings.Join([]string{p.Details, p.Benefit, p.Discount}, " "))
			if p.Price != "" {
				offer = p.Price
			}
			active := map[bool]string{true: "yes", false: "no, ends"}[p.Active]
			rows[i] = append(rows[i][:3], offer, p.Start, p.End, p.Campaign, active)
		}
	}
	a.table([]string{"ROW", "STORE", "ARTICLE", "OFFER", "START", "END", "CAMPAIGN", "ACTIVE"}, rows)
}

// storesOf lists the stores of a row.
func storesOf(r daemon.InspectedRow) string {
	if store := strings.Join(r.Vendors, " "); store != catalog.AllVendors {
		return store
	}
	return "all"
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func wholeOrDash(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}

// feedLines returns the YAML with which a feed finds by the config what was found by known words here, so that another column that
// comes into the export can't raise a doubt. What is in doubt now is a comment: only a person can say. "" is nothing to write down.
func feedLines(r daemon.Inspection) string {
	var vendor, columns strings.Builder
	var roles []string
	doubts := map[string][]string{}
	for _, c := range r.Columns {
		switch header := config.Scalar(c.Header); {
		case c.Role != "" && c.FoundBy == "":
			if doubts[c.Role] == nil {
				roles = append(roles, c.Role)
			}
			doubts[c.Role] = append(doubts[c.Role], header)
		case c.FoundBy != "name":
		case c.Role == "vendor":
			fmt.Fprintf(&vendor, "vendor: {column: %s}\n", header)
		case c.Decimal != "":
			fmt.Fprintf(&columns, "  %s: {from: %s, decimal: %s}\n", c.Role, header, c.Decimal)
		case c.Date != "":
			fmt.Fprintf(&columns, "  %s: {from: %s, date: %s}\n", c.Role, header, c.Date)
		default:
			fmt.Fprintf(&columns, "  %s: %s\n", c.Role, header)
		}
	}
	lines := vendor.String()
	if r.Kind == catalog.KindPromotions && vendor.Len()+columns.Len() > 0 {
		lines = "kind: promotions\n" + lines
	}
	if columns.Len() > 0 {
		lines += "columns:\n" + columns.String()
	}
	for _, role := range roles {
		lines += fmt.Sprintf("# to be decided: %s is %s\n", role, strings.Join(doubts[role], " or "))
	}
	return lines
}
