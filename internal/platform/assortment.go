package platform

import (
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"

	"gondola/internal/catalog"
)

// AssortmentFormat says what a file with both catalogue and promotions looks like. Only brands with [Brand.SingleFile] read one.
type AssortmentFormat struct {
	Brand Brand
	By    catalog.IdentifyBy // which identifier the rows have; "" is the SKU

	// Fields are the catalogue's columns that the file has: the union of [AssortmentFields]. What the brand has no column for is left
	// out.
	Fields catalog.Fields

	PriceDecimals int // of the currency; see CatalogFormat
}

// AssortmentRow is one row: an article, or a promotion.
type AssortmentRow struct {
	Item      catalog.Item       // the article; nothing is read of it when there is a promotion
	Promotion *catalog.Promotion // nil = the row is an article's
}

// AssortmentFields returns the catalogue's columns that a row needs. A promotion needs none but maximum_sales_quantity, if it sets
// that: both kinds call that column so, and a file can have it only once. That the row decides which of the two it means is
// [assumed].
func AssortmentFields(r AssortmentRow) catalog.Fields {
	switch {
	case r.Promotion == nil:
		return CatalogFields(r.Item)
	case r.Promotion.MaxSales != 0:
		return catalog.MaxSales
	}
	return 0
}

// WriteAssortment writes rows as a file for both and returns how many it has below the header, which is always there. A row of an
// article has empty cells for all that promotions have, and the other way round: both are complete in that way, and neither repeats
// what another row says. The order of the columns is [assumed] not to matter; it is that of the other two kinds of file.
//
// Articles that send nothing have no row and are not counted. Errors are those of [WriteCatalog] and [WritePromotions];
// [ErrTooManyRows] comes beyond [MaxAssortmentRows]. So does a brand that reads no such file.
func WriteAssortment(w io.Writer, f AssortmentFormat, rows iter.Seq2[AssortmentRow, error]) (int, error) {
	if !f.Brand.SingleFile {
		return 0, errors.New("write assortment: the brand " + strconv.Quote(f.Brand.Name) + " reads no file for both catalogue and promotions")
	}
	articles := newCatalogCells(f.Brand, f.Fields, f.PriceDecimals)
	promotions := promotionCells{}
	maxSales := slices.IndexFunc(articles.columns, func(c column) bool { return c.field == catalog.MaxSales })
	split := 2 + len(articles.columns)
	return fileWriter[AssortmentRow]{
		name:    "assortment",
		columns: slices.Concat(identifierColumns(), articles.names(), promotions.names()),
		maxRows: MaxAssortmentRows,
		key: func(r AssortmentRow) string {
			if r.Promotion != nil {
				return r.Promotion.Key(f.By)
			}
			return r.Item.Key(f.By)
		},
		fill: func(r AssortmentRow, cells []string) (bool, error) {
			clear(cells)
			if r.Promotion == nil {
				if ok, err := articles.fill(r.Item, cells[2:split]); !ok || err != nil {
					return ok, err
				}
				return true, identify(f.By, r.Item.SKU, r.Item.Barcode, cells)
			}
			p := *r.Promotion
			if err := promotions.fill(p, cells[split:]); err != nil {
				return false, err
			}
			if p.MaxSales != 0 && f.Brand.MaxSales {
				if maxSales < 0 {
					return false, errors.New("it sets a maximum sales quantity, which the file has no column for")
				}
				cells[2+maxSales] = strconv.FormatInt(p.MaxSales, 10)
			}
			return true, identify(f.By, p.SKU, p.Barcode, cells)
		},
	}.write(w, rows)
}
