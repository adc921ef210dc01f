package shelf

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

func TestAudit(t *testing.T) {
	files := Files{Dir: t.TempDir()}
	write := func(records ...Record) []Digest {
		w, err := files.Create()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			r.Item.SKU = r.Key
			if err := w.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		d, err := w.Commit()
		if err != nil {
			t.Fatal(err)
		}
		return []Digest{d}
	}
	item := func(set catalog.Fields, price catalog.Money, active bool) catalog.Item {
		return catalog.Item{Set: set, Price: price, Active: active, Quantity: 3, MaxSales: 5}
	}
	const both = catalog.Price | catalog.Active
	q := AuditQuestion{
		Sent: write(
			Record{Key: "a-same", Item: item(both, 1000, true)},
			Record{Key: "b-price", Item: item(both, 1000, true)},
			Record{Key: "c-state", Item: item(both, 1000, true)},
			Record{Key: "d-both", Item: item(both|catalog.MaxSales, 1000, false)},
			Record{Key: "e-unknown", Item: item(both, 1000, true)},
			Record{Key: "f-gone", Item: item(catalog.Active, 0, false), Gone: 20000},
			Record{Key: "g-gone-still-on", Item: item(catalog.Active, 0, false), Gone: 20000},
			Record{Key: "h-quantity", Item: item(catalog.Price|catalog.Quantity, 1000, false)},
			Record{Key: "i-state-beside-quantity", Item: item(both|catalog.Quantity, 1000, false)},
			Record{Key: "j-price-not-told", Item: item(both, 1000, true)},
			Record{Key: "k-unread", Item: item(both, 1000, true)},
			Record{Key: "l-unread-unknown", Item: item(both, 1000, true)},
		),
		There: write(
			Record{Key: "a-same", Item: item(both|catalog.MaxSales, 1000, true)},
			Record{Key: "b-price", Item: item(both, 1001, true)},
			Record{Key: "c-state", Item: item(both, 1000, false)},
			Record{Key: "d-both", Item: catalog.Item{Set: both | catalog.MaxSales, Price: 2, Active: true, MaxSales: 6}},
			Record{Key: "g-gone-still-on", Item: item(both, 7, true)},
			Record{Key: "h-quantity", Item: item(both, 1000, true)},
			Record{Key: "i-state-beside-quantity", Item: item(both, 1000, true)},
			Record{Key: "j-price-not-told", Item: item(catalog.Active, 0, true)},
			Record{Key: "k-unread", Item: item(both, 9, true)},
			Record{Key: "m-unsent", Item: item(both, 9, true)},
		),
		Unread: write(Record{Key: "0"}, Record{Key: "k-unread"}, Record{Key: "l-unread-unknown"}),
	}
	var got []string
	counts, err := files.Audit(q, func(a Audited) error {
		got = append(got, fmt.Sprint(a.Key, " ", a.Finding, " ", a.Fields.Names()))
		return nil
	})
	want := []string{
		"b-price drifted [price]", "c-state drifted [active]", "d-both drifted [price active maximum_sales_quantity]", "e-unknown unknown []",
		"g-gone-still-on drifted [active]", "m-unsent unsent []",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	wantCounts := AuditCounts{There: 10, Sent: 11, Same: 4, Unknown: 1, Unsent: 1, Drifted: 4, Price: 2, State: 3, MaxSales: 1, Unread: 2}
	if counts != wantCounts {
		t.Errorf("counts %+v\nwant   %+v", counts, wantCounts)
	}
	if counts, err = files.Audit(AuditQuestion{}, nil); counts != (AuditCounts{}) || err != nil {
		t.Errorf("nothing compared with nothing: %+v, %v", counts, err)
	}
}
