package feed

import (
	"errors"
	"fmt"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// storeWords are the headers of a list of stores, as headerWords are those of an export: what the platform calls the store, what people
// call it, what the ERP calls it.
var storeWords = [storeFields][]string{
	{
		"id", "vendor id", "vendor", "id tienda", "id vendor", "id plataforma", "código plataforma", "código en la plataforma",
		"código de la app", "id app", "platform id", "platform code", "platform vendor id", "id da loja", "id loja", "id pedidosya",
		"código pedidosya", "código da plataforma", "store id", "shop id", "id sucursal", "id local",
	},
	{
		"nombre", "nome", "name", "sucursal", "tienda", "local", "loja", "filial", "store", "branch", "shop", "store name", "vendor name",
		"nombre tienda", "nombre sucursal", "nombre de la tienda", "nombre de la sucursal", "nome da loja", "nome loja", "descripción",
		"descrição", "description", "nombre local",
	},
	{
		"erp code", "erp", "código erp", "cod erp", "código", "cod", "code", "código interno", "cod interno", "código sucursal",
		"cod sucursal", "código de sucursal", "nro sucursal", "número", "nro", "código tienda", "cod tienda", "código de tienda",
		"código local", "cod local", "código loja", "cod loja", "código da loja", "store code", "branch code", "internal code",
	},
}

// The fields of a list of stores, in the order in which they are pasted.
const (
	storeID = iota
	storeName
	storeERP
	storeFields
)

// ReadStores reads a list of stores from a CSV or a workbook: columns for the platform's id, the name and the ERP's code, found by their
// headers. A list without headers has them in this order. What can't be taken for a list of stores is an error that says what was looked for.
func ReadStores(path string) (stores []catalog.Vendor, err error) {
	t, err := table.Open(path, table.Options{})
	if err != nil {
		return nil, fmt.Errorf("read stores: %w", err)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	for _, s := range t.Sheets() {
		if stores, err = storesOf(s); err != nil {
			return nil, fmt.Errorf("read stores from %s: %w", path, err)
		}
		if len(stores) > 0 {
			return stores, nil
		}
	}
	return nil, fmt.Errorf("read stores from %s: no list found; give the columns the headers id, name and erp_code", path)
}

// storesOf reads the stores of a sheet, none where it has no list.
func storesOf(s *table.Sheet) (stores []catalog.Vendor, err error) {
	rows, err := s.Rows()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var at *[storeFields]int
	for rows.Next() {
		r := rows.Row()
		if firstFilled(r.Cells) < 0 {
			continue
		}
		if at == nil {
			if found, ok := storeColumns(r.Cells); ok {
				at = &found
				continue
			}
			if len(stores) == 0 && !looksLikeStore(r) {
				continue // a title
			}
		}
		columns := [storeFields]int{0, 1, 2}
		if at != nil {
			columns = *at
		}
		cell := func(field int) string {
			if i := columns[field]; i >= 0 && i < len(r.Cells) {
				return strings.Clone(trim(unwrap(r.Shown(i))))
			}
			return ""
		}
		if v := (catalog.Vendor{ID: cell(storeID), Name: cell(storeName), ERPCode: cell(storeERP)}); v.ID != "" {
			stores = append(stores, v)
		}
	}
	return stores, rows.Err()
}

// storeColumns finds the columns in a row of headers. Without one for the id it is none.
func storeColumns(cells []string) (at [storeFields]int, ok bool) {
	words := map[string]int{}
	for field, list := range storeWords {
		for _, w := range list {
			words[squeeze(w)] = field
		}
	}
	at = [storeFields]int{-1, -1, -1}
	for i, cell := range cells {
		if field, known := words[squeeze(cell)]; known && at[field] < 0 {
			at[field] = i
		}
	}
	if at[storeID] < 0 && at[storeERP] >= 0 && at[storeName] >= 0 {
		// A list that speaks of one code only speaks of the platform's.
		at[storeID], at[storeERP] = at[storeERP], -1
	}
	return at, at[storeID] >= 0
}

// looksLikeStore reports whether a row without a header above it may be a store: a code, and beside it a name or another code.
func looksLikeStore(r table.Row) bool {
	code := trim(unwrap(r.Shown(0)))
	return code != "" && !strings.ContainsAny(code, " \t") && strings.ContainsAny(code, "0123456789") && len(r.Cells) <= storeFields
}

// Plain returns a text as names of feeds and folders are: lower-case letters, digits and hyphens. "" where it has none of them.
func Plain(text string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return ' '
	}, fold(text))
	return strings.Join(strings.Fields(plain), "-")
}
