package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"

	"gondola/internal/catalog"
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/store"
	"gondola/internal/table"
)

// ErrNotExport says that a file is not what the platform exports.
var ErrNotExport = errors.New("not an export of the platform's catalogue")

// headerWithin is among how many rows the header of an exported catalogue is looked for.
const headerWithin = 20

// AuditFile compares a store's catalogue as the platform exported it, in a file that a person brought, with what was sent. It talks to
// nobody and works beside a running daemon. A file that is no such export is [ErrNotExport].
func (h *House) AuditFile(ctx context.Context, path, vendor string, setSent bool, who string) (store.Audit, error) {
	if _, err := h.checkAudit([]string{vendor}, setSent); err != nil {
		return store.Audit{}, err
	}
	t, _ := h.catalogTarget(vendor)
	asked := store.Audit{Vendor: vendor, Source: store.AuditFile, Who: who, SetSent: setSent, Asked: h.now()}
	return h.compareCatalog(ctx, asked, t, func(ctx context.Context, add func(catalog.Item) error) (int, error) {
		return readCatalogFile(ctx, path, add)
	})
}

// readCatalogFile reads an exported catalogue that may have been through a spreadsheet since.
func readCatalogFile(ctx context.Context, path string, add func(catalog.Item) error) (_ int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	book, err := table.Open(path, table.Options{})
	if refusal, ok := errors.AsType[*table.Refusal](err); ok {
		return 0, fmt.Errorf("%w: %w", ErrNotExport, refusal)
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	rows, err := book.Sheets()[0].Rows()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var columns platform.Columns
	found := false
	for n := 0; rows.Next() && ctx.Err() == nil; n++ {
		if !found {
			if columns, found = platform.ExportColumns(rows.Row().Cells); !found && n >= headerWithin {
				break
			}
			continue
		}
		if it := columns.Item(rows.Row().Cells); it.SKU != "" || it.Barcode != "" {
			if err := add(it); err != nil {
				return 0, err
			}
		}
	}
	if refusal, ok := errors.AsType[*table.Refusal](rows.Err()); ok {
		return 0, fmt.Errorf("%w: %w", ErrNotExport, refusal)
	}
	if rows.Err() == nil && !found {
		return 0, fmt.Errorf("%w: no column is called sku or barcode", ErrNotExport)
	}
	return int(info.Size()), errors.Join(rows.Err(), ctx.Err())
}

// AuditRow is one difference that an audit found, for people and for scripts.
type AuditRow struct {
	Vendor  string `json:"store"`
	SKU     string `json:"sku"`
	Barcode string `json:"barcode,omitempty"`
	Finding string `json:"finding"`         // unknown, unsent or drifted
	Field   string `json:"field,omitempty"` // of a drifted one: price, active or maximum_sales_quantity
	Sent    string `json:"sent,omitempty"`
	There   string `json:"at_platform,omitempty"`
}

// ErrOldAudit says that a newer audit of the store has taken the place of one, of which only the counts remain.
var ErrOldAudit = errors.New("a newer audit of the store was made since")

// AuditRows calls fn for every difference that an audit found, in the order of the articles. It is what held when the audit was made,
// and works beside a running daemon.
func (h *House) AuditRows(ctx context.Context, a store.Audit, fn func(AuditRow) error) error {
	if a.There == "" {
		return fmt.Errorf("list what audit %d of %s found: %w", a.ID, a.Vendor, ErrOldAudit)
	}
	_, err := h.files.Audit(auditQuestion(a), func(one shelf.Audited) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, row := range auditRows(a.Vendor, one) {
			if err := fn(row); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// auditRows returns one row for each field that differs, or one for an article that only one side has.
func auditRows(vendor string, one shelf.Audited) []AuditRow {
	both := one.Sent.Over(one.There)
	row := AuditRow{Vendor: vendor, SKU: both.SKU, Barcode: both.Barcode, Finding: string(one.Finding)}
	if one.Finding != shelf.AuditDrifted {
		return []AuditRow{row}
	}
	var rows []AuditRow
	for _, f := range [...]catalog.Fields{catalog.Price, catalog.Active, catalog.MaxSales} {
		if one.Fields.Has(f) {
			row.Field, row.Sent, row.There = f.Names()[0], fieldText(one.Sent, f), fieldText(one.There, f)
			rows = append(rows, row)
		}
	}
	return rows
}

func fieldText(it catalog.Item, f catalog.Fields) string {
	switch f {
	case catalog.Price:
		return it.Price.String()
	case catalog.Active:
		return fmt.Sprint(it.Active)
	}
	return fmt.Sprint(it.MaxSales)
}
