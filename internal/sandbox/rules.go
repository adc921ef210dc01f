package sandbox

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Rules is how the reader differs from what PedidosYa is known or assumed to do. The zero value is PedidosYa; [BrandRules] has the
// sister brands.
type Rules struct {
	BothIdentifiers bool // sku and barcode in one row are allowed, the sku counts (documented by foodpanda)
	MaxSales        bool // the column maximum_sales_quantity exists (documented by foodpanda)
	SingleFile      bool // files in the folder Assortment are read (documented by foodpanda, HungerStation, Talabat)
	NoBarcodes      bool // barcodes as identifiers of promotions were not announced to the platform, and are refused (documented)

	// The contract's assumptions, each the other way round.

	ExactHeader   bool // headers only in lower case and in documented order; that neither matters is assumed
	ExactBarcodes bool // leading zeros of a barcode count; that they don't is assumed
	FirstRowWins  bool // of two rows about one article, or one promotion, the first counts; that the last does is assumed
	RoundPrices   bool // further decimals of a price than three are rounded half up; that they are cut is assumed

	PromotionRules
	RESTRules

	MaxRows          int // of a catalogue or single-file document, without the header; default DefaultMaxRows
	MaxPromotionRows int // of a promotion file, with the header; default DefaultMaxPromotionRows
}

// PromotionRules is how the reader of promotions differs from what is known from partners or assumed. The zero value is that; each
// switch is the other way round.
type PromotionRules struct {
	ManyDecimals bool // discounted_price may have more than two decimals; that it may not is known from partners
	MixedVendors bool // rows of one file may name different stores; that the file is refused then is known from partners
	IdleCells    bool // cells that the promotion's type has no use for may be filled; that they must be empty is assumed

	UTCDates      bool // dates are UTC; that they are the store's local time is assumed
	EndDayCounts  bool // an end_date without a time is the end of that day; that it is the day's first second is assumed
	BundleTotal   bool // B<n>G<m> is n articles, m of them at the benefit; that the m come on top is assumed
	AnyDiscount   bool // bundle_discount may be 100 percent and more, or the price and more; that it must be less is assumed
	OldPrice      bool // a single-file row is held against the price from before the file; that its own new price counts is assumed
	PriceWithEnds bool // ends and unchanged rows are held against the current price too; that only new values are is assumed

	BriefIdentity bool // article, campaign, start and end make a promotion; that type, sub-type and details do as well is assumed
	LooseVendors  bool // vendors and exclude may differ in a row that must be unchanged; that they may not is assumed
	UpdateInPlace bool // other values for a live promotion replace the old ones; that the row is an error is assumed
	EndIsFinal    bool // an ended promotion can't be started again; that it can is assumed

	EarlierShown bool // of two promotions that overlap the earlier start is shown; the later one is documented for REST, assumed here
	RaisedPrice  bool // a discounted price counts even where the price fell below it; that the lower price counts is assumed
}

// BrandRules returns the rules of a brand, by the name that its documentation has in lower case: pedidosya, foodpanda, foodora,
// talabat, hungerstation, yemeksepeti, glovo. It is an error for every other name.
//
// What is documented is how PedidosYa, foodpanda and Talabat treat two identifiers in a row, and who has the single-file format.
// That the brands which say nothing about two identifiers or maximum_sales_quantity are as strict as PedidosYa is assumed, as is the
// single-file format of foodora, Yemeksepeti and Glovo; the fields of the result can be changed.
func BrandRules(brand string) (Rules, error) {
	switch strings.ToLower(brand) {
	case "pedidosya":
		return Rules{}, nil
	case "foodpanda":
		return Rules{BothIdentifiers: true, MaxSales: true, SingleFile: true}, nil
	case "foodora", "talabat", "hungerstation", "yemeksepeti", "glovo":
		return Rules{SingleFile: true}, nil
	}
	return Rules{}, fmt.Errorf("look up brand %q: not known; use pedidosya, foodpanda, foodora, talabat, hungerstation, yemeksepeti or glovo", brand)
}

// RuleNames lists the switches of Rules as a command line spells them, sorted: end-day-counts for EndDayCounts.
func RuleNames() []string {
	var names []string
	for f := range switches(&Rules{}) {
		names = append(names, f)
	}
	slices.Sort(names)
	return names
}

// Set turns the switch with that name, one of RuleNames, on.
func (r *Rules) Set(name string) error {
	field, ok := switches(r)[name]
	if !ok {
		return fmt.Errorf("unknown rule %q; use one of %s", name, strings.Join(RuleNames(), ", "))
	}
	field.SetBool(true)
	return nil
}

// switches returns the fields of r that are switches, by their names on a command line.
func switches(r *Rules) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	v := reflect.ValueOf(r).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.Type.Kind() != reflect.Bool {
			continue
		}
		var name strings.Builder
		for i, letter := range f.Name {
			// UTCDates is utc-dates: a run of capitals is one word, but for the last one of them.
			next := i+1 < len(f.Name) && unicode.IsLower(rune(f.Name[i+1]))
			if i > 0 && unicode.IsUpper(letter) && (next || unicode.IsLower(rune(f.Name[i-1]))) {
				name.WriteByte('-')
			}
			name.WriteRune(unicode.ToLower(letter))
		}
		all[name.String()] = v.FieldByIndex(f.Index)
	}
	return all
}
