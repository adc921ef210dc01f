package platform

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
)

// maxFeedback is how many bytes of rejected rows' words are kept of one article.
const maxFeedback = 500

// Feedback is what the platform says of one article of a catalogue job.
type Feedback struct {
	SKU    string
	State  string // as written
	Errors string // "" for none
}

// refusals are states that mean a refusal also without a reason [assumed]: which words the platform has for it is [unknown].
var refusals = [...]string{"FAILED", "REJECTED", "ERROR", "INVALID"}

// Rejected reports whether the article was not taken: a reason is given, or its state says so.
func (f Feedback) Rejected() bool {
	return f.Errors != "" || slices.Contains(refusals[:], strings.ToUpper(strings.TrimSpace(f.State)))
}

// reason returns why the article was not taken, in the platform's words.
func (f Feedback) reason() string {
	if f.Errors == "" {
		return f.State
	}
	if len(f.Errors) > maxFeedback {
		return strings.ToValidUTF8(f.Errors[:maxFeedback], "") + "…"
	}
	return f.Errors
}

// ReadFeedback reads the CSV with the feedback of a catalogue job, "sku,state,errors" where errors may be the word null [partner], and
// calls fn for every article that was not taken. A file with other columns is an error, and one in which a quote swallows the rows behind.
func ReadFeedback(r io.Reader, vendor string, fn func(Rejection) error) error {
	rows := newRows(r)
	header, err := rows.next()
	if err != nil {
		return fmt.Errorf("read feedback: %w", noRows(err))
	}
	sku, state, errs := columnAt(header, "sku", "barcode"), columnAt(header, "state", "status"), columnAt(header, "errors", "error")
	if sku < 0 || state < 0 && errs < 0 {
		return errors.New("read feedback: it has no columns sku, state and errors")
	}
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read feedback: %w", err)
		}
		f := Feedback{SKU: cell(row, sku), State: cell(row, state), Errors: strings.TrimSpace(cell(row, errs))}
		if f.Errors == "null" || f.Errors == "[]" {
			f.Errors = ""
		}
		if f.SKU == "" || !f.Rejected() {
			continue
		}
		if err := fn(Rejection{Vendor: vendor, SKU: f.SKU, Reason: f.reason()}); err != nil {
			return err
		}
	}
}

// ReadExport reads the CSV of an exported catalogue, "sku","barcode","price","active","maximum_sales_quantity" [partner], and calls fn for
// every article in the order of the file, with its line. A file with other columns is an error, and one in which a quote swallows the
// rows behind.
func ReadExport(r io.Reader, fn func(it catalog.Item, line int) error) error {
	rows := newRows(r)
	header, err := rows.next()
	if err != nil {
		return fmt.Errorf("read exported catalogue: %w", noRows(err))
	}
	columns, ok := ExportColumns(header)
	if !ok {
		return errors.New("read exported catalogue: it has no column sku or barcode")
	}
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read exported catalogue: %w", err)
		}
		line, _ := rows.csv.FieldPos(0)
		if it := columns.Item(row); it.SKU != "" || it.Barcode != "" {
			if err := fn(it, line); err != nil {
				return err
			}
		}
	}
}

// maxRow is how many bytes a row may have. A quote that is never closed makes one row of all that follows.
const maxRow = 64 << 10

// rows reads what the platform writes: commas, quotes; leniently, for it is not ours to correct.
type rows struct {
	csv  *csv.Reader
	from *io.LimitedReader // as much as a row may have, and what the reader reads ahead
}

func newRows(r io.Reader) *rows {
	b := bufio.NewReader(r)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(len(mark))
	}
	from := &io.LimitedReader{R: b}
	c := csv.NewReader(from)
	c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = -1, true, true
	return &rows{c, from}
}

// next returns a row, which is good until the next one is read.
func (r *rows) next() ([]string, error) {
	r.from.N = 2 * maxRow
	start := r.csv.InputOffset()
	row, err := r.csv.Read()
	if r.csv.InputOffset()-start > maxRow {
		return nil, fmt.Errorf("a row has more than %d bytes: a quote in it is not closed", maxRow)
	}
	return row, err
}

func noRows(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	}
	return err
}

// columnAt returns where a column of some names stands, -1 for nowhere.
func columnAt(header []string, names ...string) int {
	for _, name := range names {
		if i := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) }); i >= 0 {
			return i
		}
	}
	return -1
}

func cell(row []string, i int) string {
	if i < 0 || i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// Columns says where the columns of an exported catalogue stand, -1 for those that it does not have.
type Columns struct{ sku, barcode, price, active, quantity, maxSales int }

// ExportColumns finds the columns of an exported catalogue in its header, and reports whether it is one.
func ExportColumns(header []string) (Columns, bool) {
	c := Columns{
		sku: columnAt(header, "sku"), barcode: columnAt(header, "barcode", "barcodes"), price: columnAt(header, "price"),
		active: columnAt(header, "active"), quantity: columnAt(header, "quantity"),
		maxSales: columnAt(header, "maximum_sales_quantity", "max_sales_quantity"),
	}
	return c, c.sku >= 0 || c.barcode >= 0
}

// Item reads a row. A cell that can't be read is as good as empty.
func (c Columns) Item(row []string) catalog.Item {
	it := catalog.Item{SKU: cell(row, c.sku), Barcode: digitsOf(cell(row, c.barcode))}
	setPrice(&it, ParseNumber(cell(row, c.price)))
	setActive(&it, cell(row, c.active))
	setCount(&it, catalog.MaxSales, cell(row, c.maxSales))
	return it
}

// productOf reads an article of a catalogue's page. Whether barcode is a text or a list is [unknown]: of a list the first one counts.
func productOf(o object) catalog.Item {
	it := catalog.Item{SKU: strings.TrimSpace(o.text("sku"))}
	if all := o.texts("barcode", "barcodes"); len(all) > 0 {
		it.Barcode = digitsOf(strings.TrimSpace(all[0]))
	}
	setPrice(&it, o.number("price"))
	setActive(&it, o.text("active"))
	setCount(&it, catalog.MaxSales, o.text("maximum_sales_quantity", "max_sales_quantity"))
	return it
}

// digitsOf returns a barcode, "" for what is none.
func digitsOf(text string) string {
	if strings.Trim(text, "0123456789") != "" {
		return ""
	}
	return text
}

// setPrice sets a price. Decimals beyond the third are cut, as the platform does [doc].
func setPrice(it *catalog.Item, n Number) {
	whole, fraction, _ := strings.Cut(string(n), ".")
	thousandths := whole + (fraction + "000")[:catalog.MoneyScale]
	amount, err := strconv.ParseInt(thousandths, 10, 64)
	if n == "" || err != nil || amount <= 0 || catalog.Money(amount) > catalog.MaxMoney {
		return
	}
	it.Set, it.Price = it.Set|catalog.Price, catalog.Money(amount)
}

func setActive(it *catalog.Item, text string) {
	switch strings.ToLower(text) {
	case "true", "1", "false", "0":
		it.Set, it.Active = it.Set|catalog.Active, isYes(text)
	}
}

func setCount(it *catalog.Item, field catalog.Fields, text string) {
	n, err := strconv.ParseInt(string(ParseNumber(text)), 10, 64)
	if err != nil || n <= 0 {
		return
	}
	it.Set, it.MaxSales = it.Set|field, n
}
