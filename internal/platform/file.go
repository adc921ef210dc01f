package platform

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// ErrTooManyRows is returned by the writers when there are more rows than the platform takes in one file.
var ErrTooManyRows = errors.New("more rows than the platform takes in one file")

// The columns that files of several kinds have, as the platform spells them [doc].
const (
	skuColumn      = "sku"
	barcodeColumn  = "barcode"
	maxSalesColumn = "maximum_sales_quantity"
	vendorsColumn  = "vendors"
	excludeColumn  = "exclude"
)

// fileWriter is how rows of a type become a file.
type fileWriter[T any] struct {
	name    string // of the file's kind, for errors
	columns []string
	maxRows int

	key  func(T) string                                 // what a row is about, for errors
	fill func(row T, cells []string) (ok bool, _ error) // writes every cell of the row; not ok: the row says nothing and has no place
}

// write writes the header and rows, and returns how many rows there are below the header. The first error of rows ends it.
func (f fileWriter[T]) write(w io.Writer, rows iter.Seq2[T, error]) (int, error) {
	out, count := table.NewWriter(w), 0
	if err := out.Write(f.columns...); err != nil {
		return 0, fmt.Errorf("write %s header: %w", f.name, err)
	}
	cells := make([]string, len(f.columns))
	for row, err := range rows {
		if err != nil {
			return count, fmt.Errorf("read article for row %d: %w", count+2, err)
		}
		ok, err := f.fill(row, cells)
		switch {
		case err != nil:
		case !ok:
			continue
		case count == f.maxRows:
			err = ErrTooManyRows
		default:
			err = out.Write(cells...)
		}
		if err != nil {
			return count, fmt.Errorf("write %s row %d, article %q: %w", f.name, count+2, f.key(row), err)
		}
		count++
	}
	if err := out.Flush(); err != nil {
		return count, fmt.Errorf("write %s: %w", f.name, err)
	}
	return count, nil
}

// Stores are what the columns "vendors" and "exclude" of a file for several stores say, the same in every row.
type Stores struct {
	All     bool     // every store of the chain
	IDs     []string // these stores; none with All
	Exclude []string // not these; only with All [doc]
}

// cells returns the two cells, or an error where the platform would read something else than is meant.
func (s Stores) cells() (vendors, exclude string, err error) {
	switch {
	case s.All && len(s.IDs) > 0:
		return "", "", errors.New("stores are listed beside all; keep one of the two")
	case !s.All && len(s.IDs) == 0:
		return "", "", errors.New("a file for several stores names none; list some, or all")
	case !s.All && len(s.Exclude) > 0:
		return "", "", errors.New("stores are excluded from a list; leave them out of it instead")
	}
	for _, id := range slices.Concat(s.IDs, s.Exclude) {
		if err := CheckVendorID(id); err != nil {
			return "", "", err
		}
	}
	if s.All {
		return "all", strings.Join(s.Exclude, ","), nil
	}
	return strings.Join(s.IDs, ","), "", nil
}

// Text returns what a file's rows say of their stores as one text, for catalog.Promotion.Stores.
func (s Stores) Text() (string, error) {
	vendors, exclude, err := s.cells()
	return vendors + storesSeparator + exclude, err
}

// storesSeparator stands between the two cells of Stores.Text. No id holds it.
const storesSeparator = ";"

// identifier returns the chain's own identifier of an article, or an error unless it can stand in a file.
func identifier(by catalog.IdentifyBy, sku, barcode string) (string, error) {
	id := sku
	if by == catalog.ByBarcode {
		id = barcode
	}
	if id == "" {
		return "", errors.New("the chain's identifier is missing")
	}
	return id, checkText(id)
}

// identify writes the two cells of an identifier, of which only the chain's own is filled.
func identify(by catalog.IdentifyBy, sku, barcode string, cells []string) error {
	id, err := identifier(by, sku, barcode)
	cells[0], cells[1] = "", id
	if by == catalog.ByBarcode {
		cells[0], cells[1] = id, ""
	}
	return err
}

// identifierColumns are the cells of identify, in the order that production's promotion files have [partner].
func identifierColumns() []string { return []string{barcodeColumn, skuColumn} }

// checkText returns an error unless s can stand in a file.
func checkText(s string) error {
	plain := true // nearly all are
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		return nil
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

// flag writes a yes or no [doc].
func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
