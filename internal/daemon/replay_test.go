package daemon

import (
	"fmt"
	"testing"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/store"
)

// TestReplayOfManyIsNotOneTransaction hands over once more what came in days, and nobody else who writes waits for all of it.
func TestReplayOfManyIsNotOneTransaction(t *testing.T) {
	r := newOrders(t, "format: csv")
	var seen []order.Seen
	var ids []string
	for i := range 2*replayPage + 1 {
		id := fmt.Sprintf("o%d", i)
		raw := fmt.Appendf(nil, `{"order_id":%q,"status":"READY_FOR_PICKUP","client":{"store_id":"1"},"items":[{"sku":"a"}]}`, id)
		o, err := platform.ParseOrder(raw)
		if err != nil {
			t.Fatal(err)
		}
		seen, ids = append(seen, order.Seen{Order: o, By: order.ByPoll, At: r.clock}), append(ids, id)
	}
	r.house.store.OrderRules = order.Rules{Vendors: []string{"1"}} // before they were handed over at all
	if err := r.house.store.MergeOrders(t.Context(), seen, nil); err != nil {
		t.Fatal(err)
	}
	r.again()
	if n, err := r.house.Replay(t.Context(), ids, ReplayAsk{Who: "ana"}); err != nil || n != len(ids) {
		t.Errorf("%d due, %v", n, err)
	}
	var pages []int
	err := r.house.Ledger(t.Context(), time.Time{}, store.EntryReplay, func(e store.Entry) error {
		pages = append(pages, e.Facts.Rows)
		return nil
	})
	if got := fmt.Sprint(pages); err != nil || (got != "[500 500 1]" && got != "[1 500 500]") {
		t.Errorf("transactions of %s, %v", got, err)
	}
}
