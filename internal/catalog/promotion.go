package catalog

import (
	"fmt"
	"strconv"
	"strings"
)

// PromotionType is a kind of promotion, spelled as the platform spells it [doc].
type PromotionType string

// The types.
const (
	Strikethrough  PromotionType = "strikethrough"    // a lower price, the old one struck through
	SameItemBundle PromotionType = "same_item_bundle" // more pieces of one article for less
)

// Benefit is what a bundle gives, spelled as the platform's promotion_sub_type [doc]. A strikethrough has none.
type Benefit string

// The benefits.
const (
	FreeItem   Benefit = "free_item"
	PercentOff Benefit = "percentage_value_off"
	AmountOff  Benefit = "absolute_value_off"
)

// Percent is a share in thousandths of a percent: 20 % is 20,000.
type Percent int64

// Hundred is the whole.
const Hundred Percent = 100_000

// String returns the share without sign and without zeros behind the last digit: 20, 12.5.
func (p Percent) String() string { return Money(p).String() }

// Promotion is one campaign on one article, as an export asks for it or as the platform was sent it.
type Promotion struct {
	SKU     string // as in Item
	Barcode string // as in Item

	Campaign   string // one line, for people; part of the identity
	Reason     string // free text by file [partner]
	Start, End Wall   // local time of the store; the last second counts
	Type       PromotionType
	Benefit    Benefit // of bundles
	Buy, Get   int     // of bundles: buy so many at full price, get so many more at the benefit [assumed reading of B2G1]

	// Price is the final price of a strikethrough, 0 where the export tells a share instead and no shelf has priced it yet.
	Price Money
	// Percent is the share off: of a strikethrough whose export tells no price, and of a bundle with PercentOff. Else 0.
	Percent Percent
	Amount  Money // off, of a bundle with AmountOff; else 0

	UsageLimit int64 // uses within one order, 0 = unlimited
	MaxOrders  int64 // orders that the campaign may serve, 0 = unlimited
	MaxSales   int64 // pieces that one order may hold, 0 = unlimited

	Active bool // campaign_status: false ends the promotion

	// Stores is, of a promotion that was sent in a file for several stores, what the file said of them, as the platform's package
	// writes it; "" where the file's name tells the store, and in exports. It is a part of the row that has to be repeated to end it.
	Stores string
}

// Key returns what identifies the promotion's article in a chain, "" where that is missing. See Item.Key.
func (p Promotion) Key(by IdentifyBy) string { return Item{SKU: p.SKU, Barcode: p.Barcode}.Key(by) }

// Details returns what a bundle asks for and gives, as the platform writes it [partner]: B2G1. "" for a strikethrough.
func (p Promotion) Details() string {
	if p.Type != SameItemBundle {
		return ""
	}
	return "B" + strconv.Itoa(p.Buy) + "G" + strconv.Itoa(p.Get)
}

// ParseDetails reads what Details wrote. Both numbers are from 1 to 99.
func ParseDetails(text string) (buy, get int, err error) {
	rest, ok := strings.CutPrefix(strings.ToUpper(text), "B")
	b, g, found := strings.Cut(rest, "G")
	if ok && found {
		buy, err = strconv.Atoi(b)
		if err == nil {
			get, err = strconv.Atoi(g)
		}
	}
	if !ok || !found || err != nil || buy < 1 || get < 1 || buy > 99 || get > 99 {
		return 0, 0, fmt.Errorf("bundle %q: want buy and get, such as B2G1", text)
	}
	return buy, get, nil
}

// Over reports whether the promotion has ended by itself.
func (p Promotion) Over(now Wall) bool { return p.End < now }

// Overlaps reports whether both hold at some moment.
func (p Promotion) Overlaps(other Promotion) bool {
	return p.Start <= other.End && other.Start <= p.End
}

// Same reports whether other means the same to the platform, its status aside: what is asked for again is not new. A share whose price
// was fixed when it was first sent stays the same while the share does, whatever became of the article's price.
func (p Promotion) Same(other Promotion) bool {
	if p.Type == Strikethrough && p.Percent != 0 && p.Percent == other.Percent {
		p.Price = other.Price
	}
	// A share that was first asked for and now a price, or the other way round, is the same when the price is.
	if p.Type == Strikethrough && p.Price != 0 && p.Price == other.Price {
		p.Percent = other.Percent
	}
	p.Active = other.Active
	p.SKU, p.Barcode = other.SKU, other.Barcode
	return p == other
}
