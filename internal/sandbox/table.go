package sandbox

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The columns of a catalogue file, in documented order.
const (
	colSKU = iota
	colBarcode
	colPrice
	colActive
	colQuantity
	colMaxSales
	colVendors
	colExclude
	columns
)

// columnNames returns what the columns are called.
func columnNames() [columns]string {
	return [columns]string{"sku", "barcode", "price", "active", "quantity", "maximum_sales_quantity", "vendors", "exclude"}
}

// The reasons of row errors.
const (
	RowCells      = "wrong number of cells"
	RowNoKey      = "no sku and no barcode"
	RowBothKeys   = "sku and barcode in one row"
	RowMissing    = "missing sku"
	RowMissingBar = "missing barcode"
	RowPrice      = "invalid price"
	RowActive     = "invalid active"
	RowQuantity   = "invalid quantity"
	RowMaxSales   = "invalid maximum_sales_quantity"
	RowBothStocks = "active and quantity in one row"
	RowNoVendors  = "no vendors"
	RowVendor     = "unknown vendor"
	RowExclude    = "exclude without vendors all"
)

// cells is one row by column. Columns that the file does not have are empty, which means the same as an empty cell.
type cells [columns]string

// fault is why a whole file is refused.
type fault string

// table is one file on its way to the shelves.
type table struct {
	job     *Job
	rules   Rules
	stores  *stores
	header  []int // what column each cell belongs to
	changes map[place]change
}

// apply reads a file's rows and, when the file as a whole is in order, puts them on the shelves.
func (r *reader) apply(job *Job, data []byte) {
	t := &table{job: job, rules: r.opts.Rules, stores: r.stores, changes: map[place]change{}}
	if why := t.read(data); why != "" {
		job.Status, job.Reason, job.Applied = Failed, string(why), 0
		return
	}
	t.stores.apply(t.changes)
}

// read reads the whole file and collects what it asks for.
func (t *table) read(data []byte) fault {
	switch {
	case t.job.Vendor != "" && !t.stores.has(t.job.Vendor):
		return ReasonVendor
	case bytes.HasPrefix(data, []byte("\uFEFF")):
		return ReasonBOM
	case !utf8.Valid(data):
		return ReasonEncoding
	}
	in := csv.NewReader(bytes.NewReader(data))
	in.FieldsPerRecord, in.ReuseRecord = -1, true // the number of cells is the row's error, not the file's
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return ReasonNoHeader
	}
	if err != nil {
		return malformed(err)
	}
	if why := t.readHeader(head); why != "" {
		return why
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return malformed(err)
		}
		if t.job.Rows++; t.job.Rows > t.rules.MaxRows {
			return ReasonTooLong
		}
		line, _ := in.FieldPos(0)
		t.row(line, record)
	}
}

// malformed is the fault of a file whose quoting is broken; the CSV reader's word says where.
func malformed(err error) fault { return fault(ReasonMalformed + ": " + err.Error()) }

// readHeader finds the columns. That case and order don't matter is an assumption.
func (t *table) readHeader(head []string) fault {
	names := columnNames()
	for _, text := range head {
		name := text
		if !t.rules.ExactHeader {
			name = strings.ToLower(text)
		}
		col := slices.Index(names[:], name)
		switch {
		case col < 0,
			col == colMaxSales && !t.rules.MaxSales,
			col >= colVendors && t.job.Vendor != "",
			slices.Contains(t.header, col),
			t.rules.ExactHeader && len(t.header) > 0 && col < t.header[len(t.header)-1]:
			return fault(ReasonColumn + ": " + strconv.Quote(text))
		}
		t.header = append(t.header, col)
	}
	switch {
	case !slices.Contains(t.header, colSKU) && !slices.Contains(t.header, colBarcode):
		return ReasonNoKey
	case t.job.Vendor == "" && !slices.Contains(t.header, colVendors):
		return ReasonNoVendors
	}
	return ""
}

// row takes what one row asks for, or notes why it is rejected.
func (t *table) row(line int, record []string) {
	var c cells
	for i, col := range t.header[:min(len(t.header), len(record))] {
		c[col] = record[i]
	}
	bad := RowError{Line: line, SKU: c[colSKU], Barcode: c[colBarcode]}
	if len(record) != len(t.header) {
		t.reject(bad, RowCells)
		return
	}
	ch, why := t.change(c)
	if why != "" {
		t.reject(bad, why)
		return
	}
	vendors, unknown, why := t.vendors(c)
	if why != "" {
		bad.Vendor = unknown
		t.reject(bad, why)
		return
	}
	taken := false
	for _, v := range vendors {
		sku, ok := t.stores.find(v, c[colSKU], c[colBarcode])
		if !ok {
			if t.job.Vendor == "" {
				bad.Vendor = v
			}
			t.reject(bad, missing(c))
			continue
		}
		taken = true
		at := place{v, sku}
		if _, twice := t.changes[at]; !twice || !t.rules.FirstRowWins {
			t.changes[at] = ch // that the last row about an article wins, as a whole, is an assumption
		}
	}
	if taken {
		t.job.Applied++
	}
}

// missing names the identifier that the store does not know.
func missing(c cells) string {
	if c[colSKU] == "" {
		return RowMissingBar
	}
	return RowMissing
}

// reject counts a row error and keeps it while there is room.
func (t *table) reject(e RowError, why string) {
	t.job.Rejected++
	if len(t.job.Errors) < MaxRowErrors {
		e.Reason = why
		t.job.Errors = append(t.job.Errors, e)
	}
}

// change reads what a row wants, or says why the row is rejected.
func (t *table) change(c cells) (ch change, why string) {
	switch {
	case c[colSKU] == "" && c[colBarcode] == "":
		return ch, RowNoKey
	case c[colSKU] != "" && c[colBarcode] != "" && !t.rules.BothIdentifiers:
		return ch, RowBothKeys
	case c[colActive] != "" && c[colQuantity] != "":
		return ch, RowBothStocks
	}
	if text := c[colPrice]; text != "" {
		price, ok := readPrice(text, t.rules.RoundPrices)
		if !ok {
			return ch, RowPrice
		}
		ch.price = &price
	}
	switch text := c[colActive]; text {
	case "":
	case "true", "false", "1", "0":
		active := text == "true" || text == "1"
		ch.active = &active
	default:
		return ch, RowActive
	}
	var ok bool
	if ch.quantity, ok = readCount(c[colQuantity]); !ok {
		return ch, RowQuantity
	}
	if ch.maxSales, ok = readCount(c[colMaxSales]); !ok {
		return ch, RowMaxSales
	}
	return ch, ""
}

// readCount reads a whole number >= 0; nil for an empty cell.
func readCount(s string) (n *int, ok bool) {
	if s == "" {
		return nil, true
	}
	v, err := strconv.Atoi(s)
	return &v, isDigits(s) && err == nil
}

// vendors returns the stores that a row is for, or why the row is rejected and which store is at fault.
func (t *table) vendors(c cells) (ids []string, unknown, why string) {
	if t.job.Vendor != "" {
		return []string{t.job.Vendor}, "", ""
	}
	switch {
	case c[colVendors] == "":
		return nil, "", RowNoVendors
	case c[colVendors] != "all" && c[colExclude] != "":
		return nil, "", RowExclude
	}
	without, unknown := t.list(c[colExclude])
	if unknown != "" {
		return nil, unknown, RowVendor
	}
	if c[colVendors] != "all" {
		if ids, unknown = t.list(c[colVendors]); unknown != "" {
			return nil, unknown, RowVendor
		}
		return ids, "", ""
	}
	for _, v := range t.stores.order {
		if !slices.Contains(without, v.ID) {
			ids = append(ids, v.ID)
		}
	}
	return ids, "", ""
}

// list reads comma-separated ids, or returns the first that is no store of the chain.
func (t *table) list(text string) (ids []string, unknown string) {
	if text == "" {
		return nil, ""
	}
	for id := range strings.SplitSeq(text, ",") {
		id = strings.TrimSpace(id)
		if !t.stores.has(id) {
			return nil, either(id, ",")
		}
		ids = append(ids, id)
	}
	return ids, ""
}
