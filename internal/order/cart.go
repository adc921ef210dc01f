package order

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"gondola/internal/platform"
)

// line is what of an item makes another cart when it is another one.
type line struct {
	SKU      string
	Barcodes []string // where there is no SKU
	Out      bool     // it is listed, and not in the bag
	Pricing  platform.Pricing
	Discount platform.Number
	Deposit  platform.Number
	Promoted []platform.ItemPromotion
}

// Digest names what is bought: articles, quantities, prices and payment. Two bodies that differ in anything else, such as times, names
// of articles, the address or the order of the lines, have the same one.
func Digest(o platform.Order) string {
	lines := make([]string, 0, len(o.Items))
	for _, i := range o.Items {
		l := line{
			SKU: i.SKU, Pricing: i.Pricing, Discount: i.Discount, Deposit: i.Deposit, Promoted: i.Promoted,
			Out: i.State == itemNotFound || i.State == itemReplaced,
		}
		if l.SKU == "" {
			l.Barcodes = i.Barcodes
		}
		lines = append(lines, encode(l))
	}
	slices.Sort(lines)
	payment := o.Payment
	payment.Minimum = "" // says how to reach a delivery without surcharge, and changes nothing
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n") + "\n" + encode(payment)))
	return hex.EncodeToString(sum[:16])
}

// The states of items that are not in the bag [doc].
const (
	itemNotFound = "NOT_FOUND"
	itemReplaced = "REPLACED"
)

// encode writes a value that has only texts and flags in it, which can't fail.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("order: encode a cart: " + err.Error())
	}
	return string(b)
}
