package platform

import (
	"encoding/json"
	"time"
)

// OrderState is where an order stands, as the platform spells it in capitals. Some pages write states in lower case [doc]; ParseOrder
// folds them.
type OrderState string

// The states of orders [doc]. StateAccepted is known at some brands only.
const (
	StateReceived  OrderState = "RECEIVED"
	StateAccepted  OrderState = "ACCEPTED"
	StateReady     OrderState = "READY_FOR_PICKUP"
	StateDispatch  OrderState = "DISPATCHED"
	StatePickedUp  OrderState = "PICKED_UP"
	StateDelivered OrderState = "DELIVERED"
	StateCancelled OrderState = "CANCELLED"
)

// Number is a decimal number in its shortest form without exponent, exact as the platform sent it: "39.75", "-0.5", "2"; "" where it
// sent none. Nothing is added up or rounded here, so nothing can be off by a cent.
type Number string

// Order is an order as an event or an answer told it. Fields that it did not have are zero; what this type has no field for is in Raw.
type Order struct {
	ID         string // for calls of the interface, a UUID
	ExternalID string // what customers and reconciliation see
	Code       string // the rider's short code
	State      OrderState
	Type       string // DELIVERY or PICKUP
	Transport  string // LOGISTICS_DELIVERY or VENDOR_DELIVERY
	Preorder   bool
	Vendor     string // client.store_id
	Chain      string // client.chain_id
	Partner    string // client.external_partner_config_id: the store's id as the partner has mapped it

	AcceptedFor, PromisedFor time.Time
	Created, Updated         time.Time // by the platform's clock
	Comment                  string

	Customer     Customer
	Items        []OrderItem
	Payment      Payment
	CancelReason string
	CancelledBy  string

	Raw json.RawMessage // every byte that the platform sent about it
}

// Customer is who ordered. All of it is personal data.
type Customer struct {
	ID, NationalID, TaxID          string
	FirstName, LastName, Phone     string
	LoyaltyCard                    string
	Country, City, Street, Number  string
	Zip, Instructions, FullAddress string
	Latitude, Longitude            string // as written
}

// OrderItem is one line of an order.
type OrderItem struct {
	ID       string // _id
	SKU      string
	Barcodes []string
	Name     string
	State    string // NOT_PROCESSED, IN_CART, NOT_FOUND, REPLACED, ADDITION
	Note     string // instructions; may hold personal data
	Pricing  Pricing
	Original Pricing // as it was ordered
	Discount Number
	Deposit  Number // container_deposit
	Promoted []ItemPromotion
}

// Pricing is what a line costs.
type Pricing struct {
	Type      string // UNIT or KG
	UnitPrice Number
	Total     Number
	Quantity  Number
	Weight    Number // kilograms
	VAT       Number // percent
}

// ItemPromotion is a discount of a line, and who pays for it.
type ItemPromotion struct {
	Amount   Number
	Vendor   Number
	Platform Number
}

// Payment is what an order costs as a whole. Discount may be negative [doc].
type Payment struct {
	SubTotal, Total, DeliveryFee, ServiceFee Number
	Discount, Taxes, ContainerCharge         Number
	Minimum                                  Number // difference_to_minimum
	CollectAtPickup                          Number
	Type                                     string // such as PAID
}
