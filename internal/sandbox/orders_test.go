package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exampleOrder is the documented order, from the contract: every field that it names.
const exampleOrder = `{"order_id":"9d4a63b5-3e07-4440-96af-aa04797da3a0","external_order_id":"12345678","order_code":"wxfr-2440-rtbs","status":"READY_FOR_PICKUP",
 "order_type":"DELIVERY","transport_type":"LOGISTICS_DELIVERY","isPreorder":false,"accepted_for":"…","promised_for":"…","comment":"…",
 "promotion_status":"AVAILABLE",
 "client":{"id":"…","chain_id":"…","name":"…","country_code":"ar","store_id":"nbet","external_partner_config_id":"…"},
 "customer":{"_id":"…","national_id":"…","tax_id":"…","first_name":"…","last_name":"…","phone_number":"…","loyalty_card":"…",
  "delivery_address":{"country":"…","city":"…","street":"…","number":"…","latitude":0,"longitude":0,"zipcode":"…","instructions":"…","formattedAddress":"…"}},
 "items":[{"_id":"…","sku":"HSMVTE","barcode":["…"],"name":"…","status":"IN_CART","instructions":"","image_url":"","discount":0,"container_deposit":0,
  "pricing":{"pricing_type":"UNIT","unit_price":39.75,"vat_percent":0,"total_price":39.75,"quantity":1,"min_quantity":1,"max_quantity":1,"weight":0,"weighted_pieces":0},
  "original_pricing":{"pricing_type":"UNIT","unit_price":39.75,"total_price":39.75,"quantity":1},
  "promotion":[{"discount_amount":20,"sponsorships":[{"sponsor":"VENDOR","amount":5},{"sponsor":"PLATFORM","amount":15}]}]}],
 "payment":{"sub_total":39.75,"order_total":41.75,"delivery_fee":1,"service_fee":0,"difference_to_minimum":0,"discount":0,"discounts":[{"name":"…","value":0}],
  "vouchers":[],"container_charge":0,"collect_at_pickup":0,"total_taxes":1,"type":"PAID"},
 "cancellation":{"reason":"…","cancelled_by":"…"},
 "sys":{"created_at":"2024-09-30T10:00:36.947Z","created_by":"…","updated_at":"2024-09-30T10:05:36.947Z","updated_by":"…"}}`

// shape replaces values by the names of their types, and lists by their first elements.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = shape(v[k])
		}
		return v
	case []any:
		if len(v) == 0 {
			return "list"
		}
		return []any{shape(v[0])}
	case string:
		return "text"
	case float64:
		return "number"
	}
	return "switch"
}

// TestOrderBody holds an order against the documented one: the same fields with the same types.
func TestOrderBody(t *testing.T) {
	s := newPromotionRESTSandbox(t, false)
	putPromotion(t, s, weekBody)
	var want any
	if err := json.Unmarshal([]byte(exampleOrder), &want); err != nil {
		t.Fatal(err)
	}
	want = shape(want)
	discounted := 0
	for range 200 {
		id := addOrder(t, s, NewOrder{Vendor: "290056", Lines: []OrderLine{{SKU: "A-1", Quantity: 2}}})
		data, _ := s.OrderBody(id)
		var got, body map[string]any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(data, &body) // as above
		payment, _ := body["payment"].(map[string]any)
		if d, _ := payment["discounts"].([]any); len(d) == 0 {
			continue // the list is empty: its shape is not to be seen
		}
		discounted++
		if diff := cmp.Diff(want, shape(got)); diff != "" {
			t.Fatalf("order (-want +got):\n%s", diff)
		}
	}
	if discounted == 0 {
		t.Error("no order has a discount")
	}
}

// addOrder makes an order.
func addOrder(t testing.TB, s *Sandbox, n NewOrder) string {
	t.Helper()
	id, err := s.AddOrder(n)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// advance puts an order through states.
func advance(t testing.TB, s *Sandbox, id string, states ...string) {
	t.Helper()
	for _, state := range states {
		if err := s.Advance(id, state); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMadeUpOrders looks at many: sums are right, both kinds of everything occur, and nobody is real.
func TestMadeUpOrders(t *testing.T) {
	s := newRESTSandbox(t, nil)
	seen := map[string]bool{}
	for range 300 {
		data, _ := s.OrderBody(addOrder(t, s, NewOrder{Vendor: "290056"}))
		var b struct {
			ID       string `json:"order_id"`
			Type     string `json:"order_type"`
			Customer struct {
				Phone string `json:"phone_number"`
			}
			Items []struct {
				Pricing struct {
					Type  string  `json:"pricing_type"`
					Unit  float64 `json:"unit_price"`
					Total float64 `json:"total_price"`
					N     float64 `json:"quantity"`
					Kilos float64 `json:"weight"`
				}
			}
			Payment struct {
				Sub      float64 `json:"sub_total"`
				Total    float64 `json:"order_total"`
				Delivery float64 `json:"delivery_fee"`
				Service  float64 `json:"service_fee"`
				Discount float64
			}
		}
		if err := json.Unmarshal(data, &b); err != nil {
			t.Fatal(err)
		}
		sub := 0.0
		for _, i := range b.Items {
			n := i.Pricing.N
			if i.Pricing.Type == "KG" {
				n = i.Pricing.Kilos
			}
			if d := i.Pricing.Total - i.Pricing.Unit*n; d > 0.00501 || d < -0.00501 {
				t.Errorf("%v at %v is %v", n, i.Pricing.Unit, i.Pricing.Total)
			}
			sub += i.Pricing.Total
			seen[i.Pricing.Type] = true
		}
		total := max(0, sub+b.Payment.Delivery+b.Payment.Service-max(b.Payment.Discount, -b.Payment.Discount))
		if d := b.Payment.Total - total; d > 0.001 || d < -0.001 {
			t.Errorf("total %v, want %v: %s", b.Payment.Total, total, data)
		}
		seen[b.Type] = true
		seen["negative"] = seen["negative"] || b.Payment.Discount < 0
		seen["positive"] = seen["positive"] || b.Payment.Discount > 0
		if seen[b.ID] || len(b.ID) != 36 || !strings.HasPrefix(b.Customer.Phone, "+000 000 ") {
			t.Errorf("%s", data)
		}
		seen[b.ID] = true
	}
	for _, want := range []string{"UNIT", "KG", "DELIVERY", "PICKUP", "negative", "positive"} {
		if !seen[want] {
			t.Errorf("no order is %s", want)
		}
	}
}

func TestOrdersAreTheSeeds(t *testing.T) {
	body := func(seed uint64) string {
		s := newRESTSandbox(t, func(o *Options) { o.API.OrderSeed = seed })
		data, _ := s.OrderBody(addOrder(t, s, NewOrder{Vendor: "290056"}))
		return string(data)
	}
	if one, again := body(1), body(1); one != again || one == body(2) {
		t.Error("the seed does not make the order")
	}
}

func TestRefusedOrders(t *testing.T) {
	s := newRESTSandbox(t, func(o *Options) { o.Vendors[1].Articles = nil })
	for _, n := range []NewOrder{
		{Vendor: "zzz"},
		{Vendor: "s8ym"},
		{Vendor: "290056", Lines: []OrderLine{{SKU: "zzz"}}},
		{Vendor: "290056", Lines: []OrderLine{{SKU: "A-1", Weight: "much"}}},
	} {
		if _, err := s.AddOrder(n); err == nil {
			t.Errorf("%+v was made", n)
		}
	}
	if s.Advance("x", StateReady) == nil || s.Cancel("x", "", "") == nil || s.ChangeCart("x") == nil || len(s.Orders()) != 0 {
		t.Error("an order that is not there was changed")
	}
}

// eventsOf lets one order live under some rules and returns the states that were told.
func eventsOf(t *testing.T, set func(*Rules), states ...string) []string {
	t.Helper()
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL = l.URL; set(&o.Rules) })
	advance(t, s, addOrder(t, s, NewOrder{Vendor: "290056"}), states...)
	var got []string
	for _, body := range l.got(t, s) {
		var b struct{ Status string }
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			t.Fatal(err)
		}
		got = append(got, b.Status)
	}
	return got
}

func TestWhatEventsTell(t *testing.T) {
	all := []string{StateAccepted, StateReady, StateDispatch, StatePickedUp, StateDelivered, UnknownState, StateCancelled}
	for name, c := range map[string]struct {
		set  func(*Rules)
		want []string
	}{
		"pelican":   {func(*Rules) {}, []string{StateReady, UnknownState, StateCancelled}},
		"picked up": {func(r *Rules) { r.PickedUpEvents = true }, []string{StateReady, StatePickedUp, UnknownState, StateCancelled}},
		"partner": {
			func(r *Rules) { r.PartnerPicking = true },
			[]string{StateReceived, StateReady, StateDispatch, StateDelivered, UnknownState, StateCancelled},
		},
		"accepted": {
			func(r *Rules) { r.PartnerPicking, r.AcceptedOrders = true, true },
			[]string{StateReceived, StateAccepted, StateReady, StateDispatch, StateDelivered, UnknownState, StateCancelled},
		},
		"lower": {func(r *Rules) { r.LowerStates = true }, []string{"ready_for_pickup", "waiting_at_counter", "cancelled"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, eventsOf(t, c.set, all...)); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCartChanges(t *testing.T) {
	for _, silent := range []bool{false, true} {
		l := newListener(t)
		s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL, o.Rules.SilentCarts = l.URL, silent })
		id := addOrder(t, s, NewOrder{Vendor: "290056", Lines: []OrderLine{{SKU: "A-1", Quantity: 1}, {SKU: "B-2", Weight: "1"}}})
		advance(t, s, id, StateReady)
		before := s.Orders()[0]
		for range 10 {
			if err := s.ChangeCart(id); err != nil {
				t.Fatal(err)
			}
		}
		after := s.Orders()[0]
		if after.State != StateReady || after.Carts != 10 || after.Total == before.Total || !after.Updated.After(before.Updated) {
			t.Errorf("%+v, before %+v", after, before)
		}
		events := l.got(t, s)
		if want := map[bool]int{false: 11, true: 1}[silent]; len(events) != want {
			t.Errorf("silent %v: %d events", silent, len(events))
		}
		slices.Sort(events)
		if len(slices.Compact(events)) != len(events) {
			t.Error("two events are the same")
		}
	}
}

func TestFewAndMoreFields(t *testing.T) {
	s := newRESTSandbox(t, func(o *Options) { o.Rules.FewFields, o.Rules.MoreFields = true, true })
	data, _ := s.OrderBody(addOrder(t, s, NewOrder{Vendor: "290056", Type: TypePickup}))
	var b map[string]any
	if err := json.Unmarshal(data, &b); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	if _, has := b["cancellation"]; has || b["isPreorder"] != nil || b["new_field"] == nil || strings.Contains(string(data), `""`) {
		t.Errorf("%s", data)
	}
}
