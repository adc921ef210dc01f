package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// column is a column of the platform's files, whatever folder it is for.
type column int

// The columns.
const (
	colSKU column = iota
	colBarcode
	colPrice
	colActive
	colQuantity
	colMaxSales
	colCampaign
	colReason
	colStart
	colEnd
	colType
	colSubType
	colUsageLimit
	colDetails
	colDiscount
	colDiscounted
	colMaxOrders
	colStatus
	colVendors
	colExclude
	columns
)

// String implements fmt.Stringer: the name in the header.
func (c column) String() string {
	return [columns]string{
		"sku", "barcode", "price", "active", "quantity", "maximum_sales_quantity",
		"campaign_name", "reason", "start_date", "end_date", "promotion_type", "promotion_sub_type", "discount_usage_limit",
		"bundle_details", "bundle_discount", "discounted_price", "max_no_of_orders", "campaign_status",
		"vendors", "exclude",
	}[c]
}

// cells is one row by column. Columns that the file does not have are empty, which means the same as an empty cell.
type cells [columns]string

// kind is what a folder is for.
type kind int

// The kinds.
const (
	noKind kind = iota
	kindCatalog
	kindPromotions
	kindAssortment
)

// kind returns what a folder in the home is for, by its name in whatever spelling.
func (o *Options) kind(folder string) kind {
	switch {
	case strings.EqualFold(folder, o.CatalogFolder):
		return kindCatalog
	case strings.EqualFold(folder, o.PromotionsFolder):
		return kindPromotions
	case strings.EqualFold(folder, o.AssortmentFolder):
		return kindAssortment
	}
	return noKind
}

// scanned reports whether files of a kind are read at all: the folder Assortment is nothing to brands without the single-file format.
func (o *Options) scanned(k kind) bool {
	return k != noKind && (k != kindAssortment || o.Rules.SingleFile)
}

// layout returns the columns that a file of a kind may have. The order is the documented one for catalogue files, and for promotion
// files the one that partners use in production; it matters to Rules.ExactHeader alone. Where maximum_sales_quantity stands among
// the promotion columns, and the order of single-file documents, is assumed.
func (k kind) layout() []column {
	switch k {
	case kindPromotions:
		return []column{
			colBarcode, colSKU, colCampaign, colReason, colStart, colEnd, colType, colSubType, colUsageLimit, colDetails,
			colDiscount, colDiscounted, colMaxOrders, colMaxSales, colStatus, colVendors, colExclude,
		}
	case kindAssortment:
		return slices.Concat([]column{colSKU, colBarcode, colPrice, colActive, colQuantity, colMaxSales}, promotionColumns())
	default:
		return []column{colSKU, colBarcode, colPrice, colActive, colQuantity, colMaxSales, colVendors, colExclude}
	}
}

// promotionColumns returns the columns which only a promotion has.
func promotionColumns() []column {
	return []column{
		colCampaign, colReason, colStart, colEnd, colType, colSubType, colUsageLimit, colDetails, colDiscount, colDiscounted,
		colMaxOrders, colStatus,
	}
}

// mandatoryColumns returns the columns that every promotion fills.
func mandatoryColumns() []column { return []column{colCampaign, colReason, colStart, colEnd, colType} }

// readHeader finds the columns. That case and order don't matter is an assumption.
func (t *table) readHeader(head []string) fault {
	layout, last := t.kind.layout(), -1
	for _, text := range head {
		name := text
		if !t.rules.ExactHeader {
			name = strings.ToLower(text)
		}
		at := slices.IndexFunc(layout, func(c column) bool { return c.String() == name })
		wrong := at < 0 || slices.Contains(t.header, layout[at]) || (t.rules.ExactHeader && at < last) ||
			(layout[at] == colMaxSales && !t.rules.MaxSales) ||
			((layout[at] == colVendors || layout[at] == colExclude) && t.job.Vendor != "")
		if wrong {
			return fault(ReasonColumn + ": " + strconv.Quote(text))
		}
		last = at
		t.header = append(t.header, layout[at])
	}
	switch {
	case !t.in(colSKU) && !t.in(colBarcode):
		return ReasonNoKey
	case t.job.Vendor == "" && !t.in(colVendors):
		return ReasonNoVendors
	case t.kind == kindCatalog || t.kind == kindAssortment && !slices.ContainsFunc(promotionColumns(), t.in):
		return ""
	}
	for _, c := range mandatoryColumns() {
		if !t.in(c) {
			return fault(ReasonMissing + ": " + strconv.Quote(c.String()))
		}
	}
	return ""
}

// in reports whether the file has a column.
func (t *table) in(c column) bool { return slices.Contains(t.header, c) }
