package sandbox

import (
	"encoding/json"
	"time"
)

// The types of this file are an order as the platform's documentation shows it, field by field and in that order.

// orderBody is an order in answers and events.
type orderBody struct {
	ID         string       `json:"order_id"`
	External   string       `json:"external_order_id"`
	Code       string       `json:"order_code"`
	State      string       `json:"status"`
	Type       string       `json:"order_type"`
	Transport  string       `json:"transport_type"`
	Preorder   bool         `json:"isPreorder"`
	Accepted   stamped      `json:"accepted_for"`
	Promised   stamped      `json:"promised_for"`
	Comment    string       `json:"comment"`
	Promotions string       `json:"promotion_status"`
	Client     clientBody   `json:"client"`
	Customer   customerBody `json:"customer"`
	Items      []itemBody   `json:"items"`
	Payment    paymentBody  `json:"payment"`
	Cancelled  cancelBody   `json:"cancellation"`
	Sys        sysBody      `json:"sys"`
}

type clientBody struct {
	ID       string `json:"id"`
	ChainID  string `json:"chain_id"`
	Name     string `json:"name"`
	Country  string `json:"country_code"`
	StoreID  string `json:"store_id"`
	External string `json:"external_partner_config_id"`
}

type customerBody struct {
	ID          string      `json:"_id"`
	NationalID  string      `json:"national_id"`
	TaxID       string      `json:"tax_id"`
	FirstName   string      `json:"first_name"`
	LastName    string      `json:"last_name"`
	Phone       string      `json:"phone_number"`
	LoyaltyCard string      `json:"loyalty_card"`
	Address     addressBody `json:"delivery_address"`
}

type addressBody struct {
	Country      string      `json:"country"`
	City         string      `json:"city"`
	Street       string      `json:"street"`
	Number       string      `json:"number"`
	Latitude     json.Number `json:"latitude"`
	Longitude    json.Number `json:"longitude"`
	Zip          string      `json:"zipcode"`
	Instructions string      `json:"instructions"`
	Formatted    string      `json:"formattedAddress"`
}

type itemBody struct {
	ID           string         `json:"_id"`
	SKU          string         `json:"sku"`
	Barcode      []string       `json:"barcode"`
	Name         string         `json:"name"`
	State        string         `json:"status"`
	Instructions string         `json:"instructions"`
	Image        string         `json:"image_url"`
	Discount     amount         `json:"discount"`
	Deposit      amount         `json:"container_deposit"`
	Pricing      pricingBody    `json:"pricing"`
	Original     originalBody   `json:"original_pricing"`
	Promotions   []promotedBody `json:"promotion"`
	Replaces     string         `json:"replaced_id,omitempty"` // of an article that stands for another one
}

type pricingBody struct {
	Type      string `json:"pricing_type"`
	UnitPrice amount `json:"unit_price"`
	VAT       amount `json:"vat_percent"`
	Total     amount `json:"total_price"`
	Quantity  int    `json:"quantity"`
	Least     int    `json:"min_quantity"`
	Most      int    `json:"max_quantity"`
	Weight    amount `json:"weight"`
	Pieces    int    `json:"weighted_pieces"`
}

type originalBody struct {
	Type      string `json:"pricing_type"`
	UnitPrice amount `json:"unit_price"`
	Total     amount `json:"total_price"`
	Quantity  int    `json:"quantity"`
}

type promotedBody struct {
	Amount   amount        `json:"discount_amount"`
	Sponsors []sponsorBody `json:"sponsorships"`
}

type sponsorBody struct {
	Sponsor string `json:"sponsor"`
	Amount  amount `json:"amount"`
}

type paymentBody struct {
	SubTotal   amount         `json:"sub_total"`
	Total      amount         `json:"order_total"`
	Delivery   amount         `json:"delivery_fee"`
	Service    amount         `json:"service_fee"`
	ToMinimum  amount         `json:"difference_to_minimum"`
	Discount   amount         `json:"discount"` // may be negative, as documented
	Discounts  []discountLine `json:"discounts"`
	Vouchers   []discountLine `json:"vouchers"`
	Containers amount         `json:"container_charge"`
	Collect    amount         `json:"collect_at_pickup"`
	Taxes      amount         `json:"total_taxes"`
	Type       string         `json:"type"`
}

type discountLine struct {
	Name  string `json:"name"`
	Value amount `json:"value"`
}

type cancelBody struct {
	Reason string `json:"reason"`
	By     string `json:"cancelled_by"`
}

type sysBody struct {
	Created   stamped `json:"created_at"`
	CreatedBy string  `json:"created_by"`
	Updated   stamped `json:"updated_at"`
	UpdatedBy string  `json:"updated_by"`
}

// stamped is a time in UTC with milliseconds; "" for none.
type stamped struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (s stamped) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return []byte(`""`), nil
	}
	return []byte(`"` + s.UTC().Format("2006-01-02T15:04:05.000Z") + `"`), nil
}

// total adds up a line: what the pieces, or the weight, cost at its unit price.
func (i *itemBody) total() {
	n := amount(i.Pricing.Quantity) * 1000
	if i.Pricing.Type == pricedByWeight {
		n = i.Pricing.Weight
	}
	i.Pricing.Total = i.Pricing.UnitPrice.times(n)
}

// counts reports whether a line is in the cart, and so is paid for.
func (i *itemBody) counts() bool { return i.State != itemNotFound && i.State != itemReplaced }

// sum adds up the payment from the lines and the fees.
func (b *orderBody) sum() {
	p := &b.Payment
	p.SubTotal, p.Containers = 0, 0
	for i := range b.Items {
		if it := &b.Items[i]; it.counts() {
			p.SubTotal += it.Pricing.Total
			p.Containers += it.Deposit
		}
	}
	off := max(p.Discount, -p.Discount) // both signs mean less to pay
	p.Total = max(0, p.SubTotal+p.Delivery+p.Service+p.Containers-off)
	p.Taxes = p.SubTotal.times(180) // VAT is in the prices; some number that a reader can't mistake for another one
}

// clone returns a copy that shares nothing that changes.
func (b *orderBody) clone() *orderBody {
	c := *b
	c.Items = append([]itemBody(nil), b.Items...)
	return &c
}
