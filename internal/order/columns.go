package order

import (
	"math/big"
	"strings"
	"time"

	"gondola/internal/platform"
)

// value is one value of a file, of one of four kinds.
type value struct {
	text   string
	number platform.Number
	at     time.Time
	yes    bool
	kind   kind
}

type kind int

const (
	kindText kind = iota
	kindNumber
	kindTime
	kindFlag
)

func text(s string) value            { return value{text: s} }
func number(n platform.Number) value { return value{number: n, kind: kindNumber} }
func moment(t time.Time) value       { return value{at: t, kind: kindTime} }
func flag(yes bool) value            { return value{yes: yes, kind: kindFlag} }
func whole(n int) value              { return number(platform.Number(big.NewInt(int64(n)).String())) }

// column is one column of a file, and how it is called in JSON.
type column[T any] struct {
	name string
	of   func(T) value
}

// article is one line of an order.
type article struct {
	line int // from 1
	platform.OrderItem
}

// orderColumns are what is said of an order. New ones are added at the end of theirs only: people count columns.
func orderColumns() []column[HandOver] {
	return []column[HandOver]{
		{"order_id", func(h HandOver) value { return text(h.Order.ID) }},
		{"external_id", func(h HandOver) value { return text(h.Order.ExternalID) }},
		{"order_code", func(h HandOver) value { return text(h.Order.Code) }},
		{"vendor", func(h HandOver) value { return text(h.Vendor.ID) }},
		{"erp_code", func(h HandOver) value { return text(h.Vendor.ERPCode) }},
		{"state", func(h HandOver) value { return text(string(h.Seen)) }},
		{"asked", func(h HandOver) value { return text(string(h.Asked)) }},
		{"skipped", func(h HandOver) value { return flag(h.Skipped) }},
		{"before", func(h HandOver) value { return text(string(h.Before)) }},
		{"revision", func(h HandOver) value { return whole(h.Revision) }},
		{"replay", func(h HandOver) value { return flag(h.Replay) }},
		{"contradiction", func(h HandOver) value { return flag(h.Contradiction) }},
		{"type", func(h HandOver) value { return text(h.Order.Type) }},
		{"transport", func(h HandOver) value { return text(h.Order.Transport) }},
		{"preorder", func(h HandOver) value { return flag(h.Order.Preorder) }},
		{"created", func(h HandOver) value { return moment(h.Order.Created) }},
		{"updated", func(h HandOver) value { return moment(h.Order.Updated) }},
		{"accepted_for", func(h HandOver) value { return moment(h.Order.AcceptedFor) }},
		{"promised_for", func(h HandOver) value { return moment(h.Order.PromisedFor) }},
		{"sub_total", func(h HandOver) value { return number(h.Order.Payment.SubTotal) }},
		{"discount", func(h HandOver) value { return number(h.Order.Payment.Discount) }},
		{"delivery_fee", func(h HandOver) value { return number(h.Order.Payment.DeliveryFee) }},
		{"service_fee", func(h HandOver) value { return number(h.Order.Payment.ServiceFee) }},
		{"container_charge", func(h HandOver) value { return number(h.Order.Payment.ContainerCharge) }},
		{"taxes", func(h HandOver) value { return number(h.Order.Payment.Taxes) }},
		{"total", func(h HandOver) value { return number(h.Order.Payment.Total) }},
		{"collect_at_pickup", func(h HandOver) value { return number(h.Order.Payment.CollectAtPickup) }},
		{"payment", func(h HandOver) value { return text(h.Order.Payment.Type) }},
		{"cancel_reason", func(h HandOver) value { return text(h.Order.CancelReason) }},
		{"cancelled_by", func(h HandOver) value { return text(h.Order.CancelledBy) }},
		{"item_count", func(h HandOver) value { return whole(len(h.Order.Items)) }},
	}
}

// customerColumns come behind the others of an order where the customer goes with it.
func customerColumns() []column[HandOver] {
	return []column[HandOver]{
		{"comment", func(h HandOver) value { return text(h.Order.Comment) }},
		{"customer_name", func(h HandOver) value {
			return text(strings.TrimSpace(h.Order.Customer.FirstName + " " + h.Order.Customer.LastName))
		}},
		{"phone", func(h HandOver) value { return text(h.Order.Customer.Phone) }},
		{"national_id", func(h HandOver) value { return text(h.Order.Customer.NationalID) }},
		{"tax_id", func(h HandOver) value { return text(h.Order.Customer.TaxID) }},
		{"loyalty_card", func(h HandOver) value { return text(h.Order.Customer.LoyaltyCard) }},
		{"street", func(h HandOver) value {
			return text(strings.TrimSpace(h.Order.Customer.Street + " " + h.Order.Customer.Number))
		}},
		{"zip", func(h HandOver) value { return text(h.Order.Customer.Zip) }},
		{"city", func(h HandOver) value { return text(h.Order.Customer.City) }},
		{"country", func(h HandOver) value { return text(h.Order.Customer.Country) }},
		{"address", func(h HandOver) value { return text(h.Order.Customer.FullAddress) }},
		{"delivery_note", func(h HandOver) value { return text(h.Order.Customer.Instructions) }},
	}
}

// itemColumns are what is said of an article.
func itemColumns() []column[article] {
	return []column[article]{
		{"line", func(a article) value { return whole(a.line) }},
		{"sku", func(a article) value { return text(a.SKU) }},
		{"barcode", func(a article) value { return text(first(a.Barcodes)) }},
		{"name", func(a article) value { return text(a.Name) }},
		{"item_state", func(a article) value { return text(a.State) }},
		{"pricing", func(a article) value { return text(a.Pricing.Type) }},
		{"quantity", func(a article) value { return number(a.Pricing.Quantity) }},
		{"weight", func(a article) value { return number(a.Pricing.Weight) }},
		{"unit_price", func(a article) value { return number(a.Pricing.UnitPrice) }},
		{"vat_percent", func(a article) value { return number(a.Pricing.VAT) }},
		{"item_total", func(a article) value { return number(a.Pricing.Total) }},
		{"ordered_quantity", func(a article) value { return number(a.Original.Quantity) }},
		{"ordered_unit_price", func(a article) value { return number(a.Original.UnitPrice) }},
		{"ordered_total", func(a article) value { return number(a.Original.Total) }},
		{"item_discount", func(a article) value { return number(a.Discount) }},
		{"deposit", func(a article) value { return number(a.Deposit) }},
		{"promotion", func(a article) value {
			return number(promoted(a, func(p platform.ItemPromotion) platform.Number { return p.Amount }))
		}},
		{"promotion_vendor", func(a article) value {
			return number(promoted(a, func(p platform.ItemPromotion) platform.Number { return p.Vendor }))
		}},
		{"promotion_platform", func(a article) value {
			return number(promoted(a, func(p platform.ItemPromotion) platform.Number { return p.Platform }))
		}},
	}
}

// noteColumns come behind the others of an article where the customer goes with the order.
func noteColumns() []column[article] {
	return []column[article]{{"item_note", func(a article) value { return text(a.Note) }}}
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// promoted adds up an amount of the promotions of an article; "" where none has it.
func promoted(a article, amount func(platform.ItemPromotion) platform.Number) platform.Number {
	sum, places, any := new(big.Rat), 0, false
	for _, p := range a.Promoted {
		n, ok := new(big.Rat).SetString(string(amount(p)))
		if !ok {
			continue
		}
		if _, fraction, ok := strings.Cut(string(amount(p)), "."); ok {
			places = max(places, len(fraction))
		}
		sum, any = sum.Add(sum, n), true
	}
	if !any {
		return ""
	}
	out := sum.FloatString(places)
	if places > 0 {
		out = strings.TrimRight(strings.TrimRight(out, "0"), ".")
	}
	return platform.Number(out)
}

// articles numbers the lines of an order.
func articles(o platform.Order) []article {
	all := make([]article, len(o.Items))
	for i, item := range o.Items {
		all[i] = article{line: i + 1, OrderItem: item}
	}
	return all
}
