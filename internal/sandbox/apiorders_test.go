package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listIDs asks for a page of orders.
func listIDs(t testing.TB, s *Sandbox, query string) (ids []string, pages int) {
	t.Helper()
	status, body := ask(t, s, "GET", vendorPath+"/orders?"+query, "")
	var page struct {
		Orders []struct {
			ID string `json:"order_id"`
		}
		Page  int `json:"page_number"`
		Size  int `json:"page_size"`
		Pages int `json:"total_pages"`
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s (%v)", query, status, body, err)
	}
	for _, o := range page.Orders {
		ids = append(ids, o.ID)
	}
	return ids, page.Pages
}

const march = "start_time=2026-03-01T00:00:00&end_time=2026-04-01T00:00:00"

func TestOrderList(t *testing.T) {
	c := newClock()
	s := newRESTSandbox(t, func(o *Options) { o.Now, o.Rules.NoBan = c.Now, true })
	var ids []string
	for range 45 {
		ids = append(ids, addOrder(t, s, NewOrder{Vendor: "290056"}))
		c.add(time.Minute)
	}
	addOrder(t, s, NewOrder{Vendor: "s8ym"})
	slices.Reverse(ids) // the newest is first
	var got []string
	for page := 1; page <= 3; page++ {
		found, pages := listIDs(t, s, march+"&page="+strconv.Itoa(page))
		got = append(got, found...)
		if pages != 3 {
			t.Errorf("%d pages", pages)
		}
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if found, pages := listIDs(t, s, march+"&page_size=500"); len(found) != 45 || pages != 1 {
		t.Errorf("%d orders on %d pages", len(found), pages)
	}
	// The first minute's order is in, that of the end is not.
	if found, _ := listIDs(t, s, "start_time=2026-03-01T12:00:00&end_time=2026-03-01T12:01:00"); len(found) != 1 || found[0] != ids[44] {
		t.Errorf("half open: %v", found)
	}
	s.Faults().ShiftPages(true)
	if found, _ := listIDs(t, s, march+"&page=2"); found[0] != ids[21] {
		t.Error("the second page is not shifted")
	}
	for query, want := range map[string]string{
		"": "start_time", "start_time=2026-03-01T00:00:00": "end_time", "start_time=2026-03-01T00:00:00Z&end_time=2026-03-02T00:00:00": "start_time",
		"start_time=2026-03-01T00:00:00&end_time=2026-05-01T00:00:00": "60 days", "start_time=2026-03-01T00:00:00&end_time=2026-03-01T00:00:00": "not after",
		march + "&page=0": "page", march + "&page_size=501": "page_size",
	} {
		if status, body := ask(t, s, "GET", vendorPath+"/orders?"+query, ""); status != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	if status, body := ask(t, s, "GET", vendorPath+"?"+march, ""); status != http.StatusNotFound || body != "" {
		t.Errorf("the path as printed: %d %q", status, body)
	}
}

func TestOrderListSwitches(t *testing.T) {
	c := newClock()
	s := newRESTSandbox(t, func(o *Options) {
		o.Now = c.Now
		o.Rules.WindowByUpdate, o.Rules.OldestFirst, o.Rules.CutPageSize, o.Rules.BareOrderList, o.Rules.AnyUseToken = true, true, true, true, true
	})
	first := addOrder(t, s, NewOrder{Vendor: "290056"})
	c.add(time.Minute)
	second := addOrder(t, s, NewOrder{Vendor: "290056"})
	c.add(time.Hour)
	advance(t, s, first, StateReady)
	if found, _ := listIDs(t, s, "start_time=2026-03-01T13:00:00&end_time=2026-03-01T14:00:00"); len(found) != 1 || found[0] != first {
		t.Errorf("by update: %v", found)
	}
	if found, _ := listIDs(t, s, march+"&page_size=9999"); !slices.Equal(found, []string{second, first}) {
		t.Errorf("oldest first: %v", found)
	}
	if status, _ := ask(t, s, "GET", vendorPath+"?"+march, ""); status != http.StatusOK {
		t.Errorf("the path as printed: %d", status)
	}
}

func TestOrdersOfSixtyDays(t *testing.T) {
	c := newClock()
	s := newRESTSandbox(t, func(o *Options) { o.Now = c.Now })
	id := addOrder(t, s, NewOrder{Vendor: "290056"})
	c.add(60 * 24 * time.Hour)
	if status, _ := ask(t, s, "GET", chainPath+"/orders/"+id, ""); status != http.StatusOK {
		t.Errorf("after 60 days: %d", status)
	}
	c.add(time.Second)
	if status, body := ask(t, s, "GET", chainPath+"/orders/"+id, ""); status != http.StatusNotFound || body != "" {
		t.Errorf("after more: %d %q", status, body)
	}
	if found, _ := listIDs(t, s, march); len(found) != 0 {
		t.Errorf("listed: %v", found)
	}
}

func TestOrderPaths(t *testing.T) {
	for name, c := range map[string]struct {
		set       func(*Rules)
		new, old  int
		emptyBody bool
	}{
		"new":  {func(*Rules) {}, 200, 404, true},
		"old":  {func(r *Rules) { r.OldOrderPath = true }, 404, 200, true},
		"both": {func(r *Rules) { r.BothOrderPaths, r.NotFoundBody = true, true }, 200, 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRESTSandbox(t, func(o *Options) { c.set(&o.Rules) })
			id := addOrder(t, s, NewOrder{Vendor: "290056"})
			if status, _ := ask(t, s, "GET", chainPath+"/orders/"+id, ""); status != c.new {
				t.Errorf("new path: %d", status)
			}
			if status, _ := ask(t, s, "GET", "/v2/orders/"+id, ""); status != c.old {
				t.Errorf("old path: %d", status)
			}
			if status, body := ask(t, s, "GET", chainPath+"/orders/x", ""); status != 404 || (body == "") != c.emptyBody {
				t.Errorf("unknown order: %d %q", status, body)
			}
		})
	}
}

func TestPartnerPicking(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL, o.Rules.PartnerPicking = l.URL, true })
	lines := []OrderLine{{SKU: "A-1", Quantity: 2}, {SKU: "B-2", Quantity: 1}}
	id := addOrder(t, s, NewOrder{Vendor: "290056", Transport: TransportPlatform, Lines: lines})
	items := s.orders.byID[id].body.Items
	path := chainPath + "/orders/" + id
	put := func(body string) (int, string) {
		return ask(t, s, "PUT", path, strings.NewReplacer("ID", id, "FIRST", items[0].ID, "SECOND", items[1].ID).Replace(body))
	}
	for body, want := range map[string]int{
		`{"order_id":"x","status":"UPDATE_CART"}`:                                            400,
		`{"order_id":"ID","status":"DISPATCHED"}`:                                            409, // that is the end of the other transport
		`{"order_id":"ID","status":"PICKED_UP"}`:                                             409,
		`{"order_id":"ID","status":"UPDATE_CART","items":[{"_id":"x"}]}`:                     409,
		`{"order_id":"ID","status":"UPDATE_CART","items":[{"_id":"FIRST","status":"LOST"}]}`: 409,
		`{"order_id":"ID","status":"UPDATE_CART","items":[{"sku":"x","status":"ADDITION"}]}`: 409,
		`{"order_id":"ID","status":"CANCELLED","cancellation":{"reason":"RAIN"}}`:            409,
	} {
		if status, answer := put(body); status != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	status, answer := put(`{"order_id":"ID","status":"UPDATE_CART","items":[
		{"_id":"FIRST","sku":"A-1","status":"IN_CART","pricing":{"pricing_type":"UNIT","quantity":3}},
		{"_id":"SECOND","sku":"B-2","status":"REPLACED"},
		{"sku":"A-1","status":"ADDITION","replaced_id":"SECOND","pricing":{"pricing_type":"UNIT","quantity":1}}]}`)
	if o := s.Orders()[0]; status != 200 || o.State != StateReceived || o.Carts != 1 || o.Items != 3 || !strings.Contains(answer, `"sub_total":42,`) {
		t.Errorf("%d %+v %s", status, o, answer)
	}
	if status, _ := put(`{"order_id":"ID","status":"READY_FOR_PICKUP"}`); status != 200 || s.Orders()[0].State != StateReady {
		t.Errorf("%d %+v", status, s.Orders()[0])
	}
	if status, _ := put(`{"order_id":"ID","status":"CANCELLED","cancellation":{"reason":"CLOSED"}}`); status != 409 {
		t.Errorf("after its end: %d", status)
	}
	if events := l.got(t, s); len(events) != 3 {
		t.Errorf("%d events", len(events))
	}
	id = addOrder(t, s, NewOrder{Vendor: "290056", Transport: TransportVendor})
	path = chainPath + "/orders/" + id
	if status, _ := put(`{"order_id":"ID","status":"CANCELLED","cancellation":{"reason":"TOO_BUSY"}}`); status != 200 || s.Orders()[1].State != StateCancelled {
		t.Errorf("%d %+v", status, s.Orders()[1])
	}
	if status, _ := ask(t, s, "PUT", chainPath+"/orders/x", `{"order_id":"x","status":"UPDATE_CART"}`); status != 404 {
		t.Errorf("an unknown order: %d", status)
	}
	pelican := newRESTSandbox(t, nil)
	if status, _ := ask(t, pelican, "PUT", chainPath+"/orders/x", `{"order_id":"x","status":"UPDATE_CART"}`); status != 403 {
		t.Errorf("where the platform picks: %d", status)
	}
}
