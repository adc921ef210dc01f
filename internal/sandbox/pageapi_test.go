package sandbox

import (
	"strings"
	"testing"
)

func TestPageShowsOrders(t *testing.T) {
	l := newListener(t)
	l.answer = func(n int) int { return []int{200, 500}[n%2] }
	s := newRESTSandbox(t, func(o *Options) { o.Webhook = Webhook{URL: l.URL, Secret: "not to be seen"} })
	if _, err := s.StreamOrders(t.Context(), Stream{Count: 40, Seed: 3, Cancel: 0.2, Cart: 0.3, Unknown: 0.2}); err != nil {
		t.Fatal(err)
	}
	s.Faults().DropEvents(true)
	advance(t, s, addOrder(t, s, NewOrder{Vendor: "290056"}), StateReady)
	l.got(t, s)
	updates(t, s, `{"products":[{"sku":"A-1","price":5},{"sku":"zzz","price":1}]}`)
	s.ProcessJobs()
	s.Faults().Unauthorized(1)
	statuses(t, s, 1)
	_, _, body := fetch(t, s, "/")
	for _, want := range []string{
		"41 orders", "41 in all", "PICKED_UP", "CANCELLED", "cart changed", "The last 30 are shown.", s.RESTURL(), l.URL, "catalog · 290056", "1 rejected",
		"taken over", "not sent", "unauthorized", "PUT " + vendorPath + "/catalog", "✗", "✓",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, secret := range []string{"not to be seen", catalogToken, "Ñandú", "+000"} {
		if strings.Contains(body, secret) {
			t.Errorf("the page shows %q", secret)
		}
	}
}
