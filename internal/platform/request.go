package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"gondola/internal/catalog"
)

// MaxRequestPairs is how many pairs of article and store one request for promotions may have [doc].
const MaxRequestPairs = 2_000_000

// product is an article in the body of a request [doc].
type product struct {
	SKU      string      `json:"sku"`
	Price    json.Number `json:"price,omitempty"`
	Active   *bool       `json:"active,omitempty"`
	Quantity *int64      `json:"quantity,omitempty"`
	MaxSales int64       `json:"maximum_sales_quantity,omitempty"`
}

// WriteCatalogRequest writes items as the body of a request that changes a store's articles, and returns how many it has. Every article
// has its SKU, without which the platform takes none [doc], and only the fields of [CatalogFields]; items that send nothing are left out.
//
// The first error of items ends it. So do an item without SKU and the values that [WriteCatalog] refuses.
func WriteCatalogRequest(w io.Writer, items iter.Seq2[catalog.Item, error]) (int, error) {
	count, before := 0, `{"products":[`
	for it, err := range items {
		if err != nil {
			return count, fmt.Errorf("read article %d: %w", count+1, err)
		}
		if CatalogFields(it) == 0 {
			continue
		}
		p, err := requestProduct(it)
		if err != nil {
			return count, fmt.Errorf("write request, article %q: %w", it.SKU, err)
		}
		text, err := json.Marshal(p)
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\n%s", before, text)
		}
		if err != nil {
			return count, fmt.Errorf("write request: %w", err)
		}
		before = ","
		count++
	}
	if count == 0 {
		return 0, errors.New("write request: no article says anything")
	}
	if _, err := io.WriteString(w, "\n]}\n"); err != nil {
		return count, fmt.Errorf("write request: %w", err)
	}
	return count, nil
}

func requestProduct(it catalog.Item) (p product, err error) {
	if p.SKU, err = identifier(catalog.BySKU, it.SKU, ""); err != nil {
		return p, err
	}
	sends := CatalogFields(it)
	// The same rules hold for values as in files, and the same code checks them.
	cells := catalogCells{decimals: 0}
	for _, field := range []catalog.Fields{catalog.Price, catalog.Active, catalog.Quantity, catalog.MaxSales} {
		if !sends.Has(field) {
			continue
		}
		text, err := cells.cell(it, field)
		if err != nil {
			return p, err
		}
		switch field {
		case catalog.Price:
			p.Price = json.Number(text)
		case catalog.Active:
			p.Active = &it.Active
		case catalog.Quantity:
			p.Quantity = &it.Quantity
		default:
			p.MaxSales = it.MaxSales
		}
	}
	return p, nil
}
