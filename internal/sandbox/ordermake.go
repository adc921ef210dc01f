package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// makeUp makes the order that n wants, with what it leaves open drawn by the seed. Customers are made up so that nobody can take them for
// real: numbers that nobody has, streets that are nowhere. o.mu is held.
func (o *orders) makeUp(n NewOrder) (*orderBody, error) {
	d := o.dice
	vendor := slices.IndexFunc(o.stores.order, func(v Vendor) bool { return v.ID == n.Vendor })
	if vendor < 0 {
		return nil, fmt.Errorf("vendor %q is no store of the chain", n.Vendor)
	}
	items, err := o.items(n)
	if err != nil {
		return nil, err
	}
	at := n.Created.UTC().Truncate(time.Millisecond)
	if n.Created.IsZero() {
		at = o.now()
	}
	b := &orderBody{
		ID: o.uuid(), External: strconv.Itoa(700_000_000 + len(o.list)), Code: o.letters(4) + "-" + strconv.Itoa(1000+d.IntN(9000)) + "-" + o.letters(4),
		Type: n.Type, Transport: n.Transport, Comment: n.Comment, Promotions: "AVAILABLE",
		Accepted: stamped{at.Add(time.Minute)}, Promised: stamped{at.Add(time.Duration(30+d.IntN(30)) * time.Minute)},
		Client: clientBody{
			ID: o.uuid(), ChainID: o.opts.API.ChainID, Name: o.stores.order[vendor].Name, Country: "uy", StoreID: n.Vendor,
			External: "partner-" + n.Vendor,
		},
		Customer: o.customer(), Items: items,
		Payment: paymentBody{
			Service: amount(d.IntN(3)) * 500, Vouchers: []discountLine{}, Discounts: []discountLine{}, Type: "PAID",
		},
		Sys: sysBody{Created: stamped{at}, CreatedBy: "platform", Updated: stamped{at}, UpdatedBy: "platform"},
	}
	if b.Type == "" {
		b.Type = pick(d.IntN(5) > 0, TypeDelivery, TypePickup)
	}
	if b.Transport == "" {
		b.Transport = pick(!o.opts.Rules.PartnerPicking || d.IntN(3) > 0, TransportPlatform, TransportVendor)
	}
	if b.Comment == "" && d.IntN(3) == 0 {
		b.Comment = []string{"Sin bolsa, por favor", "Tocar timbre; \"portón azul\"", "Fruta madura\nno verde", "=2+3"}[d.IntN(4)]
	}
	if b.Type == TypeDelivery {
		b.Payment.Delivery = amount(1+d.IntN(4)) * 1000
	} else {
		b.Customer.Address = addressBody{Latitude: "0", Longitude: "0"}
	}
	if d.IntN(4) == 0 {
		off := amount(1+d.IntN(5)) * 1000
		b.Payment.Discounts = []discountLine{{"Bienvenida", off}}
		b.Payment.Discount = []amount{off, -off}[d.IntN(2)] // both are seen
	}
	if d.IntN(6) == 0 {
		b.Payment.Type = "CASH"
	}
	b.sum()
	return b, nil
}

// pick returns a or b.
func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// items makes the lines, from what the shelf has; articles that are on sale where nobody said which. o.mu is held.
func (o *orders) items(n NewOrder) ([]itemBody, error) {
	shelf := o.stores.shelf(n.Vendor)
	lines := n.Lines
	if len(lines) == 0 {
		var onSale []Article
		for _, a := range shelf {
			if a.Active {
				onSale = append(onSale, a)
			}
		}
		if len(onSale) == 0 {
			onSale = shelf
		}
		if len(onSale) == 0 {
			return nil, fmt.Errorf("vendor %s has no articles", n.Vendor)
		}
		for _, at := range o.dice.Perm(len(onSale))[:1+o.dice.IntN(min(5, len(onSale)))] {
			line := OrderLine{SKU: onSale[at].SKU, Quantity: 1 + o.dice.IntN(3)}
			if o.dice.IntN(5) == 0 {
				line = OrderLine{SKU: line.SKU, Quantity: 1, Weight: amount(100 + 50*o.dice.IntN(30)).String()}
			}
			lines = append(lines, line)
		}
	}
	shown := o.stores.promotions(n.Vendor, o.opts.Now()).shown
	items := make([]itemBody, 0, len(lines))
	for _, l := range lines {
		at := slices.IndexFunc(shelf, func(a Article) bool { return a.SKU == l.SKU })
		if at < 0 {
			return nil, fmt.Errorf("vendor %s has no article %q", n.Vendor, l.SKU)
		}
		item, err := o.item(shelf[at], l, shown[l.SKU])
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// item makes one line. o.mu is held.
func (o *orders) item(a Article, l OrderLine, offer Promotion) (itemBody, error) {
	const unpriced = 100_000 // of an article that never had a price
	price := amountOf(a.Price)
	if price == 0 {
		price = unpriced
	}
	now := amountOf(either(o.opts.Rules.effective(a.Price, offer), price.String()))
	i := itemBody{
		ID: o.uuid(), SKU: a.SKU, Barcode: []string{}, Name: either(a.Name, a.SKU), State: itemUntouched, Promotions: []promotedBody{},
		Pricing: pricingBody{Type: pricedByUnit, UnitPrice: now, VAT: 22_000, Quantity: max(1, l.Quantity), Least: 1, Most: 10},
	}
	if a.Barcode != "" {
		i.Barcode = []string{padded(a.Barcode)}
	}
	if l.Weight != "" {
		weight, ok := readPrice(l.Weight, false)
		if !ok {
			return i, fmt.Errorf("weight %q of %s is none; use digits and a point", l.Weight, l.SKU)
		}
		i.Pricing.Type, i.Pricing.Weight, i.Pricing.Pieces = pricedByWeight, amountOf(weight), i.Pricing.Quantity
	}
	i.total()
	i.Original = originalBody{Type: i.Pricing.Type, UnitPrice: price, Total: i.Pricing.Total, Quantity: i.Pricing.Quantity}
	if price > now {
		off := (price - now) * amount(i.Pricing.Quantity)
		if i.Pricing.Type == pricedByWeight {
			off = (price - now).times(i.Pricing.Weight)
		}
		i.Original.Total += off
		i.Promotions = []promotedBody{{off, []sponsorBody{{"VENDOR", off}, {"PLATFORM", 0}}}}
	}
	return i, nil
}

// customer makes somebody up who is nobody. o.mu is held.
func (o *orders) customer() customerBody {
	d := o.dice
	n := strconv.Itoa(1 + d.IntN(999))
	first := []string{"Ficticia", "Inventado", "Ejemplo", "Muestra", "Prueba"}[d.IntN(5)]
	return customerBody{
		ID: o.uuid(), NationalID: "0.000." + n, TaxID: "", FirstName: first, LastName: "Ñandú de Prueba " + n,
		Phone: "+000 000 " + n, LoyaltyCard: "",
		Address: addressBody{
			Country: "Nowhere", City: "Ciudad Inventada", Street: "Calle Que No Existe", Number: n,
			Latitude: json.Number("-0.5" + n), Longitude: json.Number("-0.25" + n), Zip: "00000",
			Instructions: "Timbre " + n, Formatted: "Calle Que No Existe " + n + ", Ciudad Inventada",
		},
	}
}

// uuid draws an id. o.mu is held.
func (o *orders) uuid() string {
	a, b := o.dice.Uint64(), o.dice.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0xfff, b&0xffffffffffff)
}

// letters draws n small letters. o.mu is held.
func (o *orders) letters(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte('a' + o.dice.IntN(26))
	}
	return string(out)
}
