package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
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
	var feed string
	c := &cobra.Command{
		Use:   "inspect EXPORT",
		Short: "Show how an export is understood, and what to write into the config for it",
		Long: `Shows what an export (CSV or XLSX) is found to be, and why: encoding, delimiter or sheet, header, the role
of each column, the decimal mark with the cell that proves it, the first rows as they are understood, and
how often which issue occurs. It ends with the lines for the feed's config.

No config is needed: articles are then known by their SKU, and rows are taken for every store. With --feed
the export is read exactly as that feed of the config would. Whether it holds an article twice is seen by
gondola convert. Nothing is written, nothing is remembered, and nobody is connected to.`,
		Example: `  gondola inspect export.csv
  gondola inspect --config shop/config.yaml --feed precios export.xlsx`,
		Args:        oneArg("EXPORT"),
		Annotations: codes(exitData),
		RunE:        func(c *cobra.Command, args []string) error { return a.inspect(c.Context(), feed, args[0]) },
	}
	c.Flags().StringVar(&feed, "feed", "", "read the export as the feed `NAME` of the config would")
	return c
}

// inspected is what --json prints.
type inspected struct {
	daemon.Inspection
	Config string `json:"config"` // YAML for the feed; "" when there is nothing to add
}

func (a *app) inspect(ctx context.Context, feed, export string) error {
	var cfg *config.Config
	switch {
	case feed != "":
		var err error
		if cfg, err = a.look(); err != nil {
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
	found, err := daemon.Inspect(ctx, cfg, feed, export)
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
	a.printf("%s\n", plain(r.File))
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
		a.printFirst(r.First)
	}
	issues := 0
	for _, p := range r.Issues {
		issues += p.Count
	}
	a.printf("\n%s, %s understood, %s\n", count(r.Rows, "row"), count(r.Records, "article"), count(issues, "issue"))
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
		rows[i] = []string{strconv.Itoa(c.Number), orDash(c.Header), role, by, decimals(c, r.Rows > 0)}
	}
	a.table([]string{"COLUMN", "HEADER", "ROLE", "FOUND BY", "DECIMAL MARK"}, rows)
}

// decimals tells the decimal mark of a column of numbers and what proves it. read says whether its cells were looked at.
func decimals(c daemon.InspectedColumn, read bool) string {
	switch {
	case c.Proof != "":
		return fmt.Sprintf("%s: row %d has %s", c.Decimal, c.ProofRow, c.Proof)
	case c.Decimal != "":
		return c.Decimal + ": config"
	case read && slices.Contains([]string{"price", "quantity", "maximum_sales_quantity"}, c.Role):
		return "no cell needs or proves one"
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

func (a *app) printFirst(first []daemon.InspectedRow) {
	header := []string{"ROW", "STORE", "ARTICLE", "PRICE", "ACTIVE", "QUANTITY", "MAX"}
	rows := make([][]string, len(first))
	for i, r := range first {
		store := strings.Join(r.Vendors, " ")
		if store == catalog.AllVendors {
			store = "all"
		}
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
		switch header := scalar(c.Header); {
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
		default:
			fmt.Fprintf(&columns, "  %s: %s\n", c.Role, header)
		}
	}
	lines := vendor.String()
	if columns.Len() > 0 {
		lines += "columns:\n" + columns.String()
	}
	for _, role := range roles {
		lines += fmt.Sprintf("# to be decided: %s is %s\n", role, strings.Join(doubts[role], " or "))
	}
	return lines
}

// bareScalar is text that YAML takes for itself anywhere, without quotes.
var bareScalar = regexp.MustCompile(`^\p{L}[\p{L}\p{N}./_()]*( [\p{L}\p{N}./_()]+)*$`)

// scalar writes text as one YAML value that is a string.
func scalar(text string) string {
	// What YAML, in one of its versions, takes for something else.
	words := []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
	if bareScalar.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}
