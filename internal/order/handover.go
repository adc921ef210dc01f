package order

import (
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/platform"
)

// HandOver is one order on its way to the ERP, with all that a file says of it.
type HandOver struct {
	Due
	Seq    int64 // of all hand-overs, in the order in which they are made
	Replay bool  // somebody asked for it once more

	Before        platform.OrderState // how far the order was when it was cancelled; "" = not known, or it was not
	Contradiction bool
	Vendor        catalog.Vendor
	Order         platform.Order // as it was when it came to be in the state Seen
}

// local returns the hand-over with times in the store's zone.
func (h HandOver) local() HandOver {
	zone := h.Vendor.Zone
	if zone == nil {
		zone = time.UTC
	}
	for _, t := range []*time.Time{&h.Order.Created, &h.Order.Updated, &h.Order.AcceptedFor, &h.Order.PromisedFor} {
		if !t.IsZero() {
			*t = t.In(zone)
		}
	}
	return h
}

// Impersonal returns an order without what is personal: the customer, remarks of the customer, and the bytes that have both.
func Impersonal(o platform.Order) platform.Order { return hide(o, "") }

// Masked returns an order in which asterisks stand for what is personal.
func Masked(o platform.Order) platform.Order { return hide(o, "***") }

func hide(o platform.Order, mask string) platform.Order {
	o.Raw = nil
	o.Items = slices.Clone(o.Items)
	c := &o.Customer
	fields := []*string{
		&c.ID, &c.NationalID, &c.TaxID, &c.FirstName, &c.LastName, &c.Phone, &c.LoyaltyCard, &c.Country, &c.City, &c.Street, &c.Number,
		&c.Zip, &c.Instructions, &c.FullAddress, &c.Latitude, &c.Longitude, &o.Comment,
	}
	for i := range o.Items {
		fields = append(fields, &o.Items[i].Note)
	}
	for _, f := range fields {
		if *f != "" {
			*f = mask
		}
	}
	return o
}

// Sample returns made-up hand-overs that have a value in every field, to try a format on.
func Sample(v catalog.Vendor) []HandOver {
	at := time.Date(2026, 5, 1, 15, 4, 5, 0, time.UTC)
	price := platform.Pricing{Type: "UNIT", UnitPrice: "39.75", Total: "79.5", Quantity: "2", Weight: "0", VAT: "22"}
	o := platform.Order{
		ID: "00000000-0000-4000-8000-000000000001", ExternalID: "12345678", Code: "abcd-1234-efgh", State: platform.StateReady,
		Type: "DELIVERY", Transport: "LOGISTICS_DELIVERY", Vendor: v.ID, Created: at, Updated: at.Add(time.Minute),
		AcceptedFor: at, PromisedFor: at.Add(time.Hour), Comment: "Ring twice",
		Customer: platform.Customer{
			ID: "1", NationalID: "1.234.567-8", TaxID: "21", FirstName: "Sample", LastName: "Customer", Phone: "+598 2000 0000",
			LoyaltyCard: "LC-77", Country: "Uruguay", City: "Montevideo", Street: "Calle 1", Number: "2", Zip: "11000",
			Instructions: "Second door", FullAddress: "Calle 1 2, Montevideo", Latitude: "-34.9", Longitude: "-56.2",
		},
		Items: []platform.OrderItem{
			{
				ID: "1", SKU: "A-1", Barcodes: []string{"7730000000001"}, Name: "Yerba, 1 kg", State: "IN_CART", Note: "The red one",
				Pricing: price, Original: price, Discount: "0.5", Deposit: "0",
				Promoted: []platform.ItemPromotion{{Amount: "20", Vendor: "5", Platform: "15"}},
			},
			{ID: "2", SKU: "B-2", Name: "Queso", State: "NOT_FOUND", Pricing: platform.Pricing{Type: "KG", UnitPrice: "500", Total: "250", Quantity: "1", Weight: "0.5"}},
		},
		Payment: platform.Payment{SubTotal: "329.5", Total: "331.5", DeliveryFee: "2", ServiceFee: "0", Discount: "-1.5", Taxes: "60", Type: "PAID"},
	}
	first := HandOver{Due: Due{Asked: platform.StateReady, Seen: platform.StateReady, Revision: 1}, Seq: 1, Vendor: v, Order: o}
	second := first
	second.Due = Due{Asked: platform.StateCancelled, Seen: platform.StateCancelled, Revision: 1}
	second.Seq, second.Before = 2, platform.StateReady
	second.Order.State, second.Order.CancelReason, second.Order.CancelledBy = platform.StateCancelled, "ITEM_UNAVAILABLE", "VENDOR"
	return []HandOver{first, second}
}
