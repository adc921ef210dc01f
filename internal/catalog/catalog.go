// Package catalog knows the words and rules of the trade: what an article, a price, a barcode and a store are, and what can be
// wrong with the data that names them.
//
// It is pure: no file, no clock, no network. Everything above it speaks in its types.
//
// Two distinctions carry the whole house and are easy to lose:
//
//   - Absent is not empty. A field the export has no column for is absent: older values show through. A field whose column is there
//     and whose cell is blank is empty: the feed speaks about it and has nothing to say. [Item.Set] and [Item.Blank] keep them apart.
//   - Data problems are issues, not errors. An [Issue] has a code and a place and no words; the words are package report's, in the
//     reader's language.
package catalog

import "time"

// Kind is what a feed and a shelf are about.
type Kind string

// The kinds.
const (
	KindCatalog    Kind = "catalog"    // prices, availability, stock
	KindPromotions Kind = "promotions" // campaigns on articles
	// KindAssortment is both on one shelf, for brands whose files hold both. No feed is of this kind.
	KindAssortment Kind = "assortment"
)

// IdentifyBy says which of SKU and barcode is an article's key in a chain; the other one is an attribute.
type IdentifyBy string

// The two ways to identify an article.
const (
	BySKU     IdentifyBy = "sku"
	ByBarcode IdentifyBy = "barcode"
)

// AllVendors is the scope of a layer that speaks for every store of the chain. It can't be a vendor id: those hold letters, digits
// and hyphens only.
const AllVendors = "*"

// Vendor is one store of the chain.
type Vendor struct {
	ID      string         // the platform's code, or the partner's own one that is mapped in the portal
	Name    string         // for people
	ERPCode string         // what the ERP calls the store; may be empty
	Zone    *time.Location // local time of schedules; never nil after the config was read
}
