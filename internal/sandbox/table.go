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

// The reasons of row errors about promotions. Those that end in a colon here are followed by a space and the column's name.
const (
	RowBarcodeKey  = "barcode as identifier was not announced"
	RowHalf        = "promotion columns neither all filled nor all empty"
	RowEmpty       = "empty cell:"
	RowIdle        = "cell without use for this promotion_type:"
	RowInvalid     = "invalid cell:"
	RowPeriod      = "end_date not after start_date"
	RowNoPrice     = "article without a price"
	RowNotBelow    = "discount not below the current price"
	RowNoPromotion = "no such promotion to end"
	RowEndChanged  = "ends nothing: another cell than campaign_status differs from what was taken"
	RowChanged     = "promotion is live with other values: resend it unchanged or end it first"
	RowEnded       = "promotion was ended and can't be started again"
)

// fault is why a whole file is refused.
type fault string

// table is one file on its way to the shelves.
type table struct {
	job     *Job
	kind    kind
	rules   Rules
	stores  *stores
	header  []column               // what column each cell belongs to
	scope   *[2]string             // vendors and exclude of the first row of a promotion file
	changes map[place]change       // what becomes of articles
	takes   map[promotionAt]*taken // what becomes of promotions
	seen    map[promotionAt]bool   // promotions that a row of this file was about; Rules.FirstRowWins asks
	started int                    // how many promotions were started by this and earlier files
}

// apply reads a file's rows and, when the file as a whole is in order, puts them on the shelves.
func (r *reader) apply(job *Job, k kind, data []byte) {
	t := &table{
		job: job, kind: k, rules: r.opts.Rules, stores: r.stores,
		started: r.started, changes: map[place]change{}, takes: map[promotionAt]*taken{}, seen: map[promotionAt]bool{},
	}
	if why := t.read(data); why != "" {
		job.Status, job.Reason, job.Applied = Failed, string(why), 0
		return
	}
	r.started = t.started
	t.stores.apply(t.changes, t.takes)
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
		if t.job.Rows++; t.tooLong() {
			return ReasonTooLong
		}
		line, _ := in.FieldPos(0)
		if why := t.row(line, record); why != "" {
			return why
		}
	}
}

// tooLong reports whether the file has more rows than its kind may have.
func (t *table) tooLong() bool {
	if t.kind == kindPromotions {
		return t.job.Rows+1 > t.rules.MaxPromotionRows // with the header
	}
	return t.job.Rows > t.rules.MaxRows
}

// malformed is the fault of a file whose quoting is broken; the CSV reader's word says where.
func malformed(err error) fault { return fault(ReasonMalformed + ": " + err.Error()) }

// row takes what one row asks for, or notes why it is rejected. It returns what is wrong with the whole file because of it.
func (t *table) row(line int, record []string) fault {
	var c cells
	for i, col := range t.header[:min(len(t.header), len(record))] {
		c[col] = record[i]
	}
	bad := RowError{Line: line, SKU: c[colSKU], Barcode: c[colBarcode]}
	if len(record) != len(t.header) {
		t.reject(bad, RowCells)
		return ""
	}
	if !t.sameScope(c) {
		return ReasonMixed
	}
	ch, why := t.change(c)
	if why != "" {
		t.reject(bad, why)
		return ""
	}
	o, why := t.offer(c)
	if why != "" {
		t.reject(bad, why)
		return ""
	}
	vendors, unknown, why := t.vendors(c)
	if why != "" {
		bad.Vendor = unknown
		t.reject(bad, why)
		return ""
	}
	taken := false
	for _, v := range vendors {
		if t.job.Vendor == "" {
			bad.Vendor = v
		}
		sku, ok := t.stores.find(v, c[colSKU], c[colBarcode])
		if !ok {
			t.reject(bad, missing(c))
			continue
		}
		if why := t.take(place{v, sku}, ch, o); why != "" {
			t.reject(bad, why)
			continue
		}
		taken = true
	}
	if taken {
		t.job.Applied++
	}
	return ""
}

// sameScope reports whether a row of a promotion file is for the same stores as the first one, word for word.
func (t *table) sameScope(c cells) bool {
	if t.kind != kindPromotions || t.rules.MixedVendors {
		return true
	}
	scope := [2]string{c[colVendors], c[colExclude]}
	if t.scope == nil {
		t.scope = &scope
	}
	return *t.scope == scope
}

// take carries out a row at one store: all of it, or nothing and why. o is nil where the row has no promotion.
func (t *table) take(at place, ch change, o *offer) (why string) {
	if o != nil {
		if why := t.promote(at, ch, o); why != "" {
			return why
		}
	}
	if _, twice := t.changes[at]; t.kind != kindPromotions && (!twice || !t.rules.FirstRowWins) {
		t.changes[at] = ch // that the last row about an article wins, as a whole, is an assumption
	}
	return ""
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
