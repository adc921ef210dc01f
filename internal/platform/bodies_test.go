package platform

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

// body returns a recorded body. All of them are made up.
func body(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "bodies", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// wholeOrder is order-event.json, by hand.
var wholeOrder = Order{
	ID: "9d4a63b5-3e07-4440-96af-aa04797da3a0", ExternalID: "12345678", Code: "wxfr-2440-rtbs", State: StateReady, Type: "DELIVERY",
	Transport: "LOGISTICS_DELIVERY", Vendor: "nbet", Chain: "11111111-2222-3333-4444-555555555555", Partner: "001",
	AcceptedFor: at("2024-09-30T10:01:00Z"), PromisedFor: at("2024-09-30T10:40:00Z"), Comment: "sin bolsa",
	Created: at("2024-09-30T10:00:36.947Z"), Updated: at("2024-09-30T10:05:36.947Z"),
	Customer: Customer{
		ID: "cu-1", NationalID: "0", FirstName: "Nombre", LastName: "Apellido", Phone: "+000", LoyaltyCard: "L1", Country: "AR", City: "Ciudad",
		Street: "Calle Falsa", Number: "123", Zip: "1000", Instructions: "timbre", FullAddress: "Calle Falsa 123", Latitude: "-34.6", Longitude: "-58.38",
	},
	Items: []OrderItem{{
		ID: "it-1", SKU: "HSMVTE", Barcodes: []string{"7790000000017", "17"}, Name: "Yerba 1 kg", State: "IN_CART", Discount: "0", Deposit: "0",
		Pricing:  Pricing{Type: "UNIT", UnitPrice: "39.75", Total: "39.75", Quantity: "1", Weight: "0", VAT: "21"},
		Original: Pricing{Type: "UNIT", UnitPrice: "39.75", Total: "39.75", Quantity: "1"},
		Promoted: []ItemPromotion{{Amount: "20", Vendor: "5", Platform: "15"}},
	}},
	Payment: Payment{
		SubTotal: "39.75", Total: "41.75", DeliveryFee: "1", ServiceFee: "0", Discount: "-2.5", Taxes: "1", ContainerCharge: "0", Minimum: "0",
		CollectAtPickup: "0", Type: "PAID",
	},
}

// oddOrder is order-odd.json: what can be read of it.
var oddOrder = Order{
	ID: "7", ExternalID: "12345678901234567890", State: StatePickedUp, Preorder: true, Vendor: "290056",
	AcceptedFor: at("2024-09-30T10:01:00Z"), Created: at("2024-09-30T10:00:36Z"), Updated: at("2024-09-30T10:05:36.947Z"),
	Items: []OrderItem{
		{
			ID: "1", SKU: "33", Barcodes: []string{"7790000000017"}, State: "IN_CART",
			Pricing: Pricing{Type: "KG", UnitPrice: "15", Quantity: "0.83", Weight: "0.83"},
		},
		{SKU: "B", Promoted: []ItemPromotion{{Amount: "2"}}},
	},
	Payment: Payment{Total: "41.75", Discount: "0", Type: "PAID"},
}

func TestEvents(t *testing.T) {
	const id = "5d1c8b0a-0000-4000-8000-00000000000"
	order := func(o Order) Event { return Event{Kind: EventOrder, Order: &o} }
	job := func(kind EventKind, j Job) Event { return Event{Kind: kind, Job: &j} }
	for name, want := range map[string]Event{
		"order-event.json": order(wholeOrder),
		"order-odd.json":   order(oddOrder),
		"order-cancelled.json": order(Order{
			ID: "0b8b5a0e-0000-4000-8000-000000000001", State: StateCancelled, Vendor: "nbet", CancelReason: "ITEM_UNAVAILABLE", CancelledBy: "VENDOR",
		}),
		"order-no-state.json": order(Order{ID: "0b8b5a0e-0000-4000-8000-000000000002"}),
		"catalog-job-event.json": job(EventCatalogJob, Job{
			ID: id + "1", Kind: JobCatalog, Status: JobCompleted, Vendor: "nbet", DownloadURL: "https://files.example.net/feedback.csv?sig=1",
		}),
		"catalog-job-event-other.json": job(EventCatalogJob, Job{ID: id + "2", Kind: JobCatalog, Status: JobInProgress, Vendor: "290056"}),
		"catalog-job.json": job(EventCatalogJob, Job{
			ID: id + "3", Kind: JobCatalog, Status: JobCompleted, Vendor: "nbet", Rejected: []Rejection{
				{"nbet", "A2", "price: must be above 0; unknown product"}, {"nbet", "A3", "FAILED"}, {"nbet", "4", "barcode is taken"},
			},
		}),
		"promotion-job-event.json": job(EventPromotionJob, Job{
			ID: id + "4", Kind: JobPromotion, Status: JobCompleted, InvalidVendors: []string{"gone"}, Rejected: []Rejection{
				{"aaaa", "ABC", ReasonMissing}, {"s8ym", "ABC", ReasonMissing}, {"s8ym", "DEF", ReasonMissing}, {"s8ym", "D14", ReasonDiscounted},
			},
		}),
		"promotion-job-lists.json": job(EventPromotionJob, Job{
			ID: id + "5", Kind: JobPromotion, Status: JobFailed, Rejected: []Rejection{{"", "ABC", ReasonMissing}},
		}),
		"promotion-job-short.json": job(EventPromotionJob, Job{ID: id + "6", Kind: JobPromotion, Status: JobDuplicate}),
		"job-plain.json":           job(EventCatalogJob, Job{ID: id + "7", Kind: JobCatalog, Status: JobQueued}),
	} {
		raw := body(t, name)
		got, err := ParseEvent(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want.Order != nil {
			want.Order.Raw = raw
		} else {
			want.Job.Raw = raw
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNoEvents(t *testing.T) {
	for name, want := range map[string]string{
		"not-an-event.json": "read event: neither an order (order_id) nor a job (job_id)",
		"not-an-id.json":    "read event: neither an order (order_id) nor a job (job_id)",
		"not-a-list.json":   "read event: no JSON object",
		"not-whole.json":    "read event: no JSON: unexpected end of JSON input",
	} {
		if _, err := ParseEvent(body(t, name)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	for name, raw := range map[string]string{
		"empty": "", "null": "null", "text": `"order_id"`,
		"deep":  strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1),
		"large": `{"order_id":"` + strings.Repeat("a", MaxBody) + `"}`,
	} {
		if _, err := ParseEvent([]byte(raw)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := ParseOrder(body(t, "catalog-job.json")); err == nil {
		t.Error("a job was taken for an order")
	}
	if _, err := ParseJob(JobCatalog, body(t, "order-event.json")); err == nil {
		t.Error("an order was taken for a job")
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]Number{
		"39.75": "39.75", "39.750": "39.75", "2": "2", "2.0": "2", "-0.50": "-0.5", "+1": "1", "007": "7", ".5": "0.5", "5.": "5", "0": "0", "-0.0": "0",
		"1e3": "1000", "1.5E+2": "150", "12e-3": "0.012", "1e-1": "0.1", "123456789012345678901234567890.1": "123456789012345678901234567890.1",
		"": "", ".": "", "-": "", "1,5": "", "1.2.3": "", "NaN": "", "1e": "", "1e41": "", "0x10": "", "e5": "", "--1": "", strings.Repeat("9", 41): "",
	} {
		if got := ParseNumber(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFeedback(t *testing.T) {
	var got []Rejection
	err := ReadFeedback(bytes.NewReader(body(t, "feedback.csv")), "nbet", func(r Rejection) error { got = append(got, r); return nil })
	want := []Rejection{{"nbet", "A2", `["price is 0", "x, y"]`}, {"nbet", "A3", "FAILED"}, {"nbet", "A5", "taken twice"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"": "read feedback: it is empty", "sku,price\n": "read feedback: it has no columns sku, state and errors",
	} {
		if err := ReadFeedback(strings.NewReader(text), "", nil); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestExport(t *testing.T) {
	var got []string
	err := ReadExport(bytes.NewReader(body(t, "export.csv")), func(it catalog.Item, line int) error {
		got = append(got, fmt.Sprintf("%d %+v", line, it))
		return nil
	})
	all := catalog.Price | catalog.Active | catalog.MaxSales
	var want []string
	for _, one := range []struct {
		line int
		it   catalog.Item
	}{
		{2, catalog.Item{SKU: "A1", Barcode: "07790000000017", Set: all, Price: 10500, Active: true, MaxSales: 3}},
		{3, catalog.Item{SKU: "A2", Set: catalog.Active}},
		{4, catalog.Item{Barcode: "7790000000024"}},
		{6, catalog.Item{SKU: `A "5"`, Set: catalog.Price | catalog.Active, Price: 99999, Active: true}},
	} {
		want = append(want, fmt.Sprintf("%d %+v", one.line, one.it))
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := ReadExport(strings.NewReader("price,active\n1,1\n"), nil); err == nil {
		t.Error("a file without articles was taken")
	}
}

func FuzzEvent(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "bodies", "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		f.Add(body(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := ParseEvent(raw)
		switch {
		case err != nil:
		case e.Kind == EventOrder:
			again, err := ParseOrder(e.Order.Raw)
			if err != nil || cmp.Diff(*e.Order, again) != "" {
				t.Errorf("what was kept of an order reads otherwise: %v", err)
			}
			for _, it := range e.Order.Items {
				for _, n := range []Number{it.Pricing.UnitPrice, it.Pricing.Total, it.Discount} {
					if ParseNumber(string(n)) != n {
						t.Errorf("number %q is not in its shortest form", n)
					}
				}
			}
		case e.Job.ID == "" || e.Job.Kind == "":
			t.Errorf("a job without id or kind: %+v", e.Job)
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add(body(f, "feedback.csv"))
	f.Add(body(f, "export.csv"))
	f.Add([]byte("sku,state,errors\n\"a\nb,\"\"c\",x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = ReadFeedback(bytes.NewReader(raw), "v", func(r Rejection) error {
			if r.SKU == "" || r.Reason == "" {
				t.Errorf("rejection %+v", r)
			}
			return nil
		})
		_ = ReadExport(bytes.NewReader(raw), func(it catalog.Item, line int) error {
			if it.SKU == "" && it.Barcode == "" || line < 1 || it.Set.Has(catalog.Price) && it.Price <= 0 {
				t.Errorf("line %d: %+v", line, it)
			}
			return nil
		})
	})
}
