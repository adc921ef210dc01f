package platform

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"unicode"
	"unicode/utf8"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// CatalogFormat says what a catalogue file looks like.
type CatalogFormat struct {
	Brand Brand
	By    catalog.IdentifyBy // which identifier the rows have; "" is the SKU

	// Fields are the columns that the file has beside the identifier: what any of its rows sends, the union of [CatalogFields].
	// What the brand has no column for is left out.
	Fields catalog.Fields

	PriceDecimals int // prices have at least so many decimals, 0 to MaxPriceDecimals
}

// ErrTooManyRows is returned by [WriteCatalog] when items has more rows than the platform takes in one file.
var ErrTooManyRows = errors.New("more rows than the platform takes in one file")

// column is one field's place in a catalogue file.
type column struct {
	field catalog.Fields
	name  string // as the platform spells it [doc]
}

// catalogColumns returns the columns behind the identifier, in the order of the platform's documentation. That headers are matched
// whatever their order is [assumed], so we keep to theirs.
func catalogColumns() []column {
	return []column{
		{catalog.Price, "price"},
		{catalog.Active, "active"},
		{catalog.Quantity, "quantity"},
		{catalog.MaxSales, "maximum_sales_quantity"},
	}
}

// CatalogFields returns the fields that a row for it really sends. The platform takes only one of active and quantity in a row
// [doc]: an article that is switched off sends that and no quantity, because a quantity could put it on sale again; any other
// sends its quantity where it has one, for that both switches and counts, and active where it has none.
func CatalogFields(it catalog.Item) catalog.Fields {
	f := it.Set
	switch {
	case !f.Has(catalog.Active | catalog.Quantity):
		return f
	case it.Active:
		return f &^ catalog.Active
	default:
		return f &^ catalog.Quantity
	}
}

// WriteCatalog writes items as a catalogue file and returns how many rows it has below the header, which is always there. Items
// that send nothing have no row and are not counted. Rows come in the order of items; the platform is [assumed] to let the last
// of two rows of one article win, and nothing here looks for such rows.
//
// Each row has the chain's own identifier and no other, for brands that would take both too: one identifier is right everywhere,
// and a second one that is wrong in the ERP would cost the row.
//
// The first error of items ends the file. So do an item without identifier, text that would break the file (control characters,
// bytes that are no UTF-8), a value that the platform refuses (a price that is not above zero), a field that [CatalogFormat]
// has no column for although the brand does, and [ErrTooManyRows]: none of them may be lost in silence.
func WriteCatalog(w io.Writer, f CatalogFormat, items iter.Seq2[catalog.Item, error]) (int, error) {
	c := newCatalogWriter(w, f)
	if err := c.out.Write(c.header()...); err != nil {
		return 0, fmt.Errorf("write catalogue header: %w", err)
	}
	for it, err := range items {
		if err != nil {
			return c.rows, fmt.Errorf("read article for row %d: %w", c.rows+2, err)
		}
		if err := c.write(it); err != nil {
			return c.rows, fmt.Errorf("write catalogue row %d, article %q: %w", c.rows+2, it.Key(f.By), err)
		}
	}
	if err := c.out.Flush(); err != nil {
		return c.rows, fmt.Errorf("write catalogue: %w", err)
	}
	return c.rows, nil
}

// catalogWriter is one file in the making.
type catalogWriter struct {
	format  CatalogFormat
	takes   catalog.Fields // fields that the brand has columns for
	columns []column
	cells   []string // of the current row, reused
	out     *table.Writer
	rows    int
}

func newCatalogWriter(w io.Writer, f CatalogFormat) *catalogWriter {
	c := &catalogWriter{format: f, out: table.NewWriter(w)}
	for _, col := range catalogColumns() {
		if col.field == catalog.MaxSales && !f.Brand.MaxSales {
			continue
		}
		c.takes |= col.field
		if f.Fields.Has(col.field) {
			c.columns = append(c.columns, col)
		}
	}
	c.cells = make([]string, 1+len(c.columns))
	return c
}

func (c *catalogWriter) header() []string {
	c.cells[0] = "sku"
	if c.format.By == catalog.ByBarcode {
		c.cells[0] = "barcode"
	}
	for i, col := range c.columns {
		c.cells[i+1] = col.name
	}
	return c.cells
}

func (c *catalogWriter) write(it catalog.Item) error {
	sends := CatalogFields(it) & c.takes
	if sends == 0 {
		return nil
	}
	if !c.format.Fields.Has(sends) {
		return errors.New("it sends a field that the file has no column for")
	}
	if c.rows == MaxCatalogRows {
		return ErrTooManyRows
	}
	id := it.SKU
	if c.format.By == catalog.ByBarcode {
		id = it.Barcode
	}
	if err := checkText(id); err != nil {
		return err
	}
	c.cells[0] = id
	for i, col := range c.columns {
		cell := ""
		if sends.Has(col.field) {
			var err error
			if cell, err = c.cell(it, col.field); err != nil {
				return err
			}
		}
		c.cells[i+1] = cell
	}
	if err := c.out.Write(c.cells...); err != nil {
		return err
	}
	c.rows++
	return nil
}

// cell renders one field that is set, as the platform reads it: a point in decimals, 1 and 0 for yes and no [doc].
func (c *catalogWriter) cell(it catalog.Item, field catalog.Fields) (string, error) {
	switch field {
	case catalog.Price:
		if it.Price <= 0 {
			return "", fmt.Errorf("price %s is not above zero", it.Price)
		}
		return it.Price.Text(c.format.PriceDecimals), nil
	case catalog.Active:
		if it.Active {
			return "1", nil
		}
		return "0", nil
	case catalog.Quantity:
		if it.Quantity < 0 {
			return "", fmt.Errorf("quantity %d is below zero", it.Quantity)
		}
		return strconv.FormatInt(it.Quantity, 10), nil
	default:
		if it.MaxSales <= 0 {
			return "", fmt.Errorf("maximum sales quantity %d is not above zero", it.MaxSales)
		}
		return strconv.FormatInt(it.MaxSales, 10), nil
	}
}

// checkText returns an error unless s can stand in a file as an identifier.
func checkText(s string) error {
	if s == "" {
		return errors.New("the chain's identifier is missing")
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not UTF-8 text", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fmt.Errorf("%q holds the control character %U", s, r)
		}
	}
	return nil
}
