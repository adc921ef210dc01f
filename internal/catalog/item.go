package catalog

// Fields is a set of an item's fields.
type Fields uint8

// The fields of an item that a feed can own. SKU and barcode are identity, not fields.
const (
	Price Fields = 1 << iota
	Active
	Quantity
	MaxSales
)

// Has reports whether f holds all of g.
func (f Fields) Has(g Fields) bool { return f&g == g }

// Names returns the names of the fields in f, as the config's columns spell them.
func (f Fields) Names() []string {
	var names []string
	for _, field := range [...]struct {
		bit  Fields
		name string
	}{{Price, "price"}, {Active, "active"}, {Quantity, "quantity"}, {MaxSales, "maximum_sales_quantity"}} {
		if f.Has(field.bit) {
			names = append(names, field.name)
		}
	}
	return names
}

// Item is what one article's shelf label says, or what an export says of it.
type Item struct {
	SKU     string // trimmed, as the platform knows it; may be empty when the chain identifies by barcode
	Barcode string // digits only, as exported; may be empty when the chain identifies by SKU

	Set   Fields // fields that have a value below
	Blank Fields // fields that are spoken of without a value; never overlaps Set

	Price    Money // > 0 where set
	Active   bool
	Quantity int64 // >= 0 where set
	MaxSales int64 // > 0 where set; units that one order may hold
}

// Key returns what identifies the item in a chain, or "" where that is missing. Barcodes compare without leading zeros, because
// ERPs pad them differently (GTIN-14 padding is common) and the platform means the same article.
func (it Item) Key(by IdentifyBy) string {
	if by == ByBarcode {
		b := it.Barcode
		for len(b) > 1 && b[0] == '0' {
			b = b[1:]
		}
		return b
	}
	return it.SKU
}

// Over returns the item as it reads when it lies on top of below: a field that is set or blank here hides the one below, an
// absent one lets it show. An identity that is missing here is taken from below.
func (it Item) Over(below Item) Item {
	if it.SKU == "" {
		it.SKU = below.SKU
	}
	if it.Barcode == "" {
		it.Barcode = below.Barcode
	}
	through := below.Set &^ (it.Set | it.Blank)
	it.Blank |= below.Blank &^ (it.Set | it.Blank)
	it.copyFields(below, through)
	return it
}

// Filled returns the item with every field that it has no value for taken from older, blank or not: what a file must say so
// that both its own values and the older ones hold on the platform, where a blank cell changes nothing.
func (it Item) Filled(older Item) Item {
	it.Blank = 0
	older.Blank = 0
	return it.Over(older)
}

// Differs returns the fields that have a value in it and not the same one in sent. A field without a value never differs:
// there is nothing to say about it.
func (it Item) Differs(sent Item) Fields {
	diff := it.Set &^ sent.Set
	both := it.Set & sent.Set
	if both.Has(Price) && it.Price != sent.Price {
		diff |= Price
	}
	if both.Has(Active) && it.Active != sent.Active {
		diff |= Active
	}
	if both.Has(Quantity) && it.Quantity != sent.Quantity {
		diff |= Quantity
	}
	if both.Has(MaxSales) && it.MaxSales != sent.MaxSales {
		diff |= MaxSales
	}
	return diff
}

// On reports whether the item says that the article can be bought: not switched off and, where it speaks of stock, in stock.
// An item that says neither leaves the article as it is and counts as on.
func (it Item) On() bool {
	if it.Set.Has(Active) && !it.Active {
		return false
	}
	return !it.Set.Has(Quantity) || it.Quantity > 0
}

func (it *Item) copyFields(from Item, which Fields) {
	it.Set |= which
	if which.Has(Price) {
		it.Price = from.Price
	}
	if which.Has(Active) {
		it.Active = from.Active
	}
	if which.Has(Quantity) {
		it.Quantity = from.Quantity
	}
	if which.Has(MaxSales) {
		it.MaxSales = from.MaxSales
	}
}
