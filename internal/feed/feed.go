// Package feed knows how to understand one export: which row is its header, which column is the price, whether 1.234 is a thousand
// or one and a bit, which store a row is about, and which barcode lost its zeros. [Convert] turns a file into records and issues.
//
// # Proof, never a guess
//
// A wrong price costs more than a missing one. So nothing is decided by likelihood: a header matches a known word exactly (case,
// accents and punctuation aside) or not at all; the decimal convention of a column is what its own cells prove, or the config
// says; zeros of a barcode come back only when its check digit says so. What is not proved becomes an issue with the cell's
// place, and the row keeps its old values.
//
// # Two passes
//
// The first pass finds the header and gathers the proofs of each column, the second one reads the rows. Both stream: memory does
// not grow with the export.
//
// # Promotions
//
// An export of promotions is told by [Spec.Kind], never guessed from the file. What it offers stands in words (3x2, 2da al 50%,
// -20%), in a column for the final price or the share off, or in the platform's own columns; a row in which they say different things
// is rejected. 05/06/2026 is read in the order of day and month that the column's other dates prove, or the other date column's, or
// the config says. Whether a price is below the one on the shelf, or two promotions overlap, is package shelf's question.
//
// # Rules
//
// What was read is worked by the feed's [Rules] before it is handed on, for each store by its own: VAT, markup, steps and endings of
// prices, limits, reserves of stock, words that exclude an article, and formulas. Numbers stay exact until the result is rounded.
// An article that rules switch off is so in the words of its feed: quantity 0 where that speaks of stock alone, else active 0. A feed
// without a word on either gets one: its other articles say that they are on, or what was once switched off would stay so.
//
// # Rejected, keyless, refused
//
// A text without an end of its last line breaks off there, or its writer never ends one: the row is judged by the others and by what
// the feed's files are like. Where it breaks off the row is rejected, and nothing is concluded from an article's absence either.
//
// A row with a wrong cell is rejected as a whole, and its record is still handed on, without fields: the article is there, it is
// not missing. A row whose identifier can't be read is keyless: nobody knows which article it is, so Result counts it by store,
// and nothing may be concluded from an article's absence. An export that can't be understood at all is refused.
package feed

import (
	"context"
	"regexp"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// MaxIssues is how many issues a Result lists; Result.Counts counts all. A person corrects a handful and drops the file again, and
// a file that is wrong in every row must not fill a receipt or the memory.
const MaxIssues = 500

// Role is what a column is for.
type Role string

// The roles. Columns without one are ignored. Those that the platform has a column for are spelled as there.
const (
	RoleSKU      Role = "sku"
	RoleBarcode  Role = "barcode"
	RolePrice    Role = "price"
	RoleActive   Role = "active"
	RoleQuantity Role = "quantity"
	RoleMaxSales Role = "maximum_sales_quantity"
	RoleVendor   Role = "vendor"
)

// The roles of promotions, beside sku, barcode, maximum_sales_quantity and vendor.
const (
	RoleCampaign   Role = "campaign_name"
	RoleReason     Role = "reason"
	RoleStart      Role = "start_date"
	RoleEnd        Role = "end_date"
	RoleOffer      Role = "offer"            // what is offered, in words or as a final price
	RoleOfferPrice Role = "discounted_price" // the final price
	RolePercent    Role = "discount_percent" // the share off each piece
	RoleType       Role = "promotion_type"
	RoleBenefit    Role = "promotion_sub_type"
	RoleDetails    Role = "bundle_details"
	RoleDiscount   Role = "bundle_discount" // a share or an amount: the benefit says which
	RoleUsageLimit Role = "discount_usage_limit"
	RoleMaxOrders  Role = "max_no_of_orders"
	RoleStatus     Role = "campaign_status"
)

// DefaultCampaign is the campaign of promotions that name none. It is the same for all of them, because a campaign is part of what a
// promotion is: with a name made of days or offers, a row with a corrected day would be another campaign beside the first.
const DefaultCampaign = "Oferta"

// DefaultReason is the reason of promotions that give none: it is in common use [partner].
const DefaultReason = "competitiveness"

// Spec is how the exports of one feed are to be understood. The zero values of Columns and Encoding leave both to the evidence.
type Spec struct {
	Kind          catalog.Kind // what the rows are about; "" is the catalogue
	By            catalog.IdentifyBy
	Vendors       []catalog.Vendor // the chain's stores
	Source        VendorSource
	Columns       map[string]Column // by role, RoleVendor excepted
	PriceDecimals int               // 0 to 3; prices are rounded to it
	Full          bool              // the export speaks for every article of its stores
	Encoding      table.Encoding
	Campaign      string  // of promotions whose row names none; "" is DefaultCampaign
	Reason        string  // of promotions whose row gives none; "" is DefaultReason
	InStore       InStore // what to make of the shop's own barcodes; "" is InStoreRefuse
	Rules         Rules   // what becomes of what the export says
	// Earlier is what the export before this one was like, as far as it tells how the feed's files end; nil where nobody follows the feed.
	Earlier *Earlier
}

// Earlier is an export that was read before. The zero value says that there was none.
type Earlier struct {
	Ended bool // its last line was ended
	Rows  int  // lines about articles; 0 where there was none
}

// VendorSource says how an export tells which store it is about. Exactly one field is set.
type VendorSource struct {
	Column   string         // header of a column with the store's ERP code, id or name
	FileName *regexp.Regexp // matched with the file's name; has a group erp_code or id
	IDs      []string       // always these stores
	All      bool           // every store of the chain
}

// Column is what the config says of a role's column. Empty fields leave it to the evidence.
type Column struct {
	From    string // the header, compared without case, accents and punctuation
	Decimal string // DecimalComma or DecimalPoint
	Date    string // DateDayFirst or DateMonthFirst
}

// The decimal conventions, as Column and HeaderColumn spell them.
const (
	DecimalComma = "comma"
	DecimalPoint = "point"
)

// The orders of day and month, as Column and HeaderColumn spell them. A date that begins with its year needs none.
const (
	DateDayFirst   = "day-first"
	DateMonthFirst = "month-first"
)

// Record is what one row says about one article of one store. Its strings share the memory of some hundred rows: who keeps them
// for long should clone them.
type Record struct {
	Vendor    string // a vendor's id, or catalog.AllVendors
	Item      catalog.Item
	Promotion *catalog.Promotion // what the row offers; nil for an article, and for a rejected row. Item has the identity alone then.
	Row       int                // line of the export, the first is 1
	// Rejected: the identifier is readable, but some cell is wrong. The article is there and keeps its old values; Item has no
	// fields.
	Rejected bool
}

// Result is what was understood of an export, and what was wrong with it.
type Result struct {
	Format table.Format
	Header Header

	Rows     int // lines about articles: without blank ones, totals and repeated headers
	Records  int // records handed on that were not rejected; fixed store ids multiply them
	Rejected int // rows that were not taken, with or without a readable identifier

	// Issues are at most MaxIssues, the graver ones kept first, in the order of the rows; what concerns the whole export has row 0.
	Issues []catalog.Issue
	Counts map[catalog.Code]int // of all issues

	Owned   catalog.Fields // the fields that the export has columns for, or rules say; none of promotions
	Vendors []string       // ids of the stores that occur, in the order of Spec.Vendors; or catalog.AllVendors alone
	// Keyless counts the rows without a readable identifier by store. Rows that don't tell their store count under
	// catalog.AllVendors, with or without an identifier: they may be about any store, so no store's absences can be believed.
	Keyless map[string]int

	// Fewer says that nothing but the number of rows tells that the export breaks off.
	Fewer bool

	// Refused says that the export is rejected as a whole; records that were handed on before must be forgotten.
	Refused bool
}

// Header is the header row that was found.
type Header struct {
	Row     int            // line of the export; 0 when none was found
	Columns []HeaderColumn // those with a role, in the order of the roles' constants
}

// HeaderColumn is a column that has a role.
type HeaderColumn struct {
	Role  Role
	Name  string // the header as written
	Index int    // the first column is 0
	How   How
	// Decimal is the convention of a column of numbers: DecimalComma, DecimalPoint, or "" where none is needed or none is proved.
	Decimal string
	// Date is the order of a column of dates: DateDayFirst, DateMonthFirst, or "" where none is needed or none is proved.
	Date string
	// Proof is the cell that proves Decimal or Date, and ProofRow its line; "" and 0 when the config says it, or nothing does.
	Proof    string
	ProofRow int
	// ProofColumn is the header of the other date column where the proof is that one's; "" where it is the column's own.
	ProofColumn string
}

// How says what gave a column its role.
type How string

// The ways to find a column.
const (
	HowName   How = "name"   // its header is a known word
	HowConfig How = "config" // the config names it
)

// Column returns the column with a role, and whether there is one.
func (h Header) Column(r Role) (HeaderColumn, bool) {
	for _, c := range h.Columns {
		if c.Role == r {
			return c, true
		}
	}
	return HeaderColumn{}, false
}

// Convert reads the export at path and hands its records to emit, in the order of the rows. name is the name it was dropped under,
// which may tell the store. What is wrong with the data is in the Result; an error means that the work could not be done: the file
// can't be read, emit failed, or ctx was cancelled. The same spec and bytes give the same records and Result.
func Convert(ctx context.Context, spec Spec, path, name string, emit func(Record) error) (Result, error) {
	c := newConverter(spec, emit)
	err := c.convert(ctx, path, name)
	return c.result(), err
}
