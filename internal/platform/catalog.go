package platform

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"gondola/internal/catalog"
)

// CatalogFormat says what a catalogue file looks like.
type CatalogFormat struct {
	Brand Brand
	By    catalog.IdentifyBy // which identifier the rows have; "" is the SKU

	// Fields are the columns that the file has beside the identifier: what any of its rows sends, the union of [CatalogFields].
	// What the brand has no column for is left out.
	Fields catalog.Fields

	PriceDecimals int // prices have at least so many decimals, 0 to MaxPriceDecimals

	Stores *Stores // of a file for several stores; nil for one store, which the file's name tells
}

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
		{catalog.MaxSales, maxSalesColumn},
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
// has no column for although the brand does, stores that mean nothing, and [ErrTooManyRows]: none of them may be lost in silence.
func WriteCatalog(w io.Writer, f CatalogFormat, items iter.Seq2[catalog.Item, error]) (int, error) {
	cells := newCatalogCells(f.Brand, f.Fields, f.PriceDecimals)
	columns := append([]string{skuColumn}, cells.names()...)
	if f.By == catalog.ByBarcode {
		columns[0] = barcodeColumn
	}
	var stores []string
	if f.Stores != nil {
		vendors, exclude, err := f.Stores.cells()
		if err != nil {
			return 0, fmt.Errorf("write catalogue: %w", err)
		}
		// The second column is optional [doc], and has a meaning beside all only.
		columns, stores = append(columns, vendorsColumn), append(stores, vendors)
		if exclude != "" {
			columns, stores = append(columns, excludeColumn), append(stores, exclude)
		}
	}
	return fileWriter[catalog.Item]{
		name: "catalogue", columns: columns, maxRows: MaxCatalogRows,
		key: func(it catalog.Item) string { return it.Key(f.By) },
		fill: func(it catalog.Item, row []string) (ok bool, err error) {
			if ok, err = cells.fill(it, row[1:]); !ok || err != nil {
				return ok, err
			}
			row[0], err = identifier(f.By, it.SKU, it.Barcode)
			copy(row[len(row)-len(stores):], stores)
			return true, err
		},
	}.write(w, items)
}

// catalogCells writes the cells of an article's fields.
type catalogCells struct {
	takes    catalog.Fields // fields that the brand has columns for
	has      catalog.Fields // fields that the file has columns for
	columns  []column
	decimals int
}

func newCatalogCells(b Brand, fields catalog.Fields, decimals int) catalogCells {
	c := catalogCells{decimals: decimals}
	for _, col := range catalogColumns() {
		if col.field == catalog.MaxSales && !b.MaxSales {
			continue
		}
		c.takes |= col.field
		if fields.Has(col.field) {
			c.has |= col.field
			c.columns = append(c.columns, col)
		}
	}
	return c
}

// names returns the columns' names.
func (c catalogCells) names() []string {
	names := make([]string, len(c.columns))
	for i, col := range c.columns {
		names[i] = col.name
	}
	return names
}

// fill writes one cell for each column. It is not ok when the article sends nothing.
func (c catalogCells) fill(it catalog.Item, cells []string) (ok bool, err error) {
	sends := CatalogFields(it) & c.takes
	if sends == 0 {
		return false, nil
	}
	if !c.has.Has(sends) {
		return false, errors.New("it sends a field that the file has no column for")
	}
	for i, col := range c.columns {
		cells[i] = ""
		if sends.Has(col.field) {
			if cells[i], err = c.cell(it, col.field); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// cell renders one field that is set, as the platform reads it: a point in decimals, 1 and 0 for yes and no [doc].
func (c catalogCells) cell(it catalog.Item, field catalog.Fields) (string, error) {
	switch field {
	case catalog.Price:
		if it.Price <= 0 {
			return "", fmt.Errorf("price %s is not above zero", it.Price)
		}
		return it.Price.Text(c.decimals), nil
	case catalog.Active:
		return flag(it.Active), nil
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
