package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParseOrder reads an order. It keeps what can be read: unknown fields are in Raw, and a field of a wrong type is as good as missing.
// Only what has no order_id, or more in it than any order, is an error, since it is no order. The error holds nothing of the order.
//
// An order without a state has State "": that it exists is worth knowing, and the next look says where it stands.
func ParseOrder(raw []byte) (Order, error) {
	o, err := parseObject(raw)
	if err != nil {
		return Order{}, fmt.Errorf("read order: %w", err)
	}
	return orderOf(o, raw)
}

func orderOf(o object, raw []byte) (Order, error) {
	id := strings.TrimSpace(o.text("order_id"))
	if id == "" {
		return Order{}, errors.New("read order: it has no order_id")
	}
	items := o.list("items")
	if len(items) > maxItems {
		return Order{}, fmt.Errorf("read order: more than %d items", maxItems)
	}
	client, cancelled, sys := o.object("client"), o.object("cancellation"), o.object("sys")
	order := Order{
		ID: id, ExternalID: o.text("external_order_id"), Code: o.text("order_code"), State: OrderState(o.upper("status")),
		Type: o.upper("order_type"), Transport: o.upper("transport_type"), Preorder: o.yes("isPreorder", "is_preorder"),
		Vendor: client.text("store_id"), Chain: client.text("chain_id"), Partner: client.text("external_partner_config_id"),
		AcceptedFor: o.when("accepted_for"), PromisedFor: o.when("promised_for"),
		Created: sys.when("created_at"), Updated: sys.when("updated_at"), Comment: o.text("comment"),
		Customer: customerOf(o.object("customer")), Payment: paymentOf(o.object("payment")),
		CancelReason: cancelled.text("reason"), CancelledBy: cancelled.text("cancelled_by"),
		Raw: slices.Clone(json.RawMessage(raw)),
	}
	for _, one := range items {
		if item := fieldsOf(one); item != nil {
			order.Items = append(order.Items, itemOf(item))
		}
	}
	return order, nil
}

func customerOf(c object) Customer {
	a := c.object("delivery_address")
	return Customer{
		ID: c.text("_id", "id"), NationalID: c.text("national_id"), TaxID: c.text("tax_id"),
		FirstName: c.text("first_name"), LastName: c.text("last_name"), Phone: c.text("phone_number"), LoyaltyCard: c.text("loyalty_card"),
		Country: a.text("country"), City: a.text("city"), Street: a.text("street"), Number: a.text("number"), Zip: a.text("zipcode"),
		Instructions: a.text("instructions"), FullAddress: a.text("formattedAddress", "formatted_address"),
		Latitude: a.text("latitude"), Longitude: a.text("longitude"),
	}
}

func paymentOf(p object) Payment {
	return Payment{
		SubTotal: p.number("sub_total"), Total: p.number("order_total"), DeliveryFee: p.number("delivery_fee"),
		ServiceFee: p.number("service_fee"), Discount: p.number("discount"), Taxes: p.number("total_taxes"),
		ContainerCharge: p.number("container_charge"), Minimum: p.number("difference_to_minimum"),
		CollectAtPickup: p.number("collect_at_pickup"), Type: p.upper("type"),
	}
}

func itemOf(o object) OrderItem {
	item := OrderItem{
		ID: o.text("_id", "id"), SKU: o.text("sku"), Barcodes: o.texts("barcode", "barcodes"), Name: o.text("name"),
		State: o.upper("status"), Note: o.text("instructions"),
		Pricing: pricingOf(o.object("pricing")), Original: pricingOf(o.object("original_pricing")),
		Discount: o.number("discount"), Deposit: o.number("container_deposit"),
	}
	for _, raw := range o.list("promotion", "promotions") {
		one := fieldsOf(raw)
		if one == nil {
			continue
		}
		p := ItemPromotion{Amount: one.number("discount_amount")}
		for _, raw := range one.list("sponsorships") {
			switch sponsor := fieldsOf(raw); sponsor.upper("sponsor") {
			case "VENDOR":
				p.Vendor = sponsor.number("amount")
			case "PLATFORM":
				p.Platform = sponsor.number("amount")
			}
		}
		item.Promoted = append(item.Promoted, p)
	}
	return item
}

func pricingOf(p object) Pricing {
	return Pricing{
		Type: p.upper("pricing_type"), UnitPrice: p.number("unit_price"), Total: p.number("total_price"),
		Quantity: p.number("quantity"), Weight: p.number("weight"), VAT: p.number("vat_percent"),
	}
}
