package platform_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gondola/internal/catalog"
	"gondola/internal/platform"
	"gondola/internal/sandbox"
)

// The tokens of tests.
const (
	catalogToken   = "token-for-the-catalogue"
	promotionToken = "token-for-promotions"
	orderToken     = "token-for-orders"
)

// newSandbox starts a simulated platform with one store of some articles and some orders, and a client of it.
func newSandbox(t *testing.T, articles int, rules sandbox.RESTRules, change func(*platform.ClientConfig)) (*sandbox.Sandbox, *platform.Client) {
	t.Helper()
	o := sandbox.Options{Dir: t.TempDir(), User: "gondola", Password: "made up", Vendors: []sandbox.Vendor{{ID: "290056"}, {ID: "290057"}}}
	for i := range articles {
		o.Vendors[0].Articles = append(o.Vendors[0].Articles, sandbox.Article{SKU: fmt.Sprintf("A%03d", i), Price: "10.5", Active: true})
	}
	rules.NoBan = true // requests do not wait for each other here
	o.Rules.RESTRules = rules
	o.API.Tokens = sandbox.Tokens{Catalog: catalogToken, Promotions: promotionToken, Orders: orderToken}
	o.API.ClientID, o.API.ClientSecret = "delta", "hush"
	s, err := sandbox.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	cfg := platform.ClientConfig{
		BaseURL: s.RESTURL(), Chain: sandbox.DefaultChainID, PerMinute: 600_000, Timeout: 5 * time.Second, Pause: time.Millisecond,
		Token: func(use platform.Use) (string, error) {
			return map[platform.Use]string{
				platform.UseCatalog: catalogToken, platform.UsePromotions: promotionToken, platform.UseOrders: orderToken,
			}[use], nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	c := platform.NewClient(cfg)
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, c
}

func withOAuth(cfg *platform.ClientConfig) {
	cfg.Token = nil
	cfg.OAuth = &platform.OAuthLogin{ClientID: "delta", Secret: func() (string, error) { return "hush", nil }}
}

// everything asks for all that a client asks for, and compares it with what the platform has.
func everything(t *testing.T, s *sandbox.Sandbox, c *platform.Client) {
	t.Helper()
	ctx := t.Context()
	id, err := s.AddOrder(sandbox.NewOrder{Vendor: "290056"})
	if err != nil {
		t.Fatal(err)
	}
	order, err := c.Order(ctx, id)
	if err != nil || order.ID != id || order.Vendor != "290056" || order.State != platform.StateReceived || len(order.Items) == 0 {
		t.Errorf("order %+v, %v", order, err)
	}
	if _, err := c.Order(ctx, "9d4a63b5-3e07-4440-96af-aa04797da3a0"); !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("an order that is not there: %v", err)
	}
	found := map[string]bool{}
	q := platform.OrderQuery{Vendor: "290056", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), PageSize: 1}
	if err := c.AllOrders(ctx, q, func(p platform.OrderPage) error {
		for _, o := range p.Orders {
			found[o.ID] = true
		}
		return nil
	}); err != nil || len(found) != len(s.Orders()) || !found[id] {
		t.Errorf("orders %v, %v, want %d", found, err, len(s.Orders()))
	}
	products := map[string]catalog.Item{}
	pages, err := c.AllCatalog(ctx, "290056", func(p platform.CatalogPage) error {
		for _, it := range p.Products {
			products[it.SKU] = it
		}
		return nil
	})
	want := catalog.Item{SKU: "A001", Set: catalog.Price | catalog.Active, Price: 10500, Active: true}
	if err != nil || len(products) != len(s.Shelf("290056")) || pages < 1 || products["A001"] != want {
		t.Errorf("%d products on %d pages, %v; %+v", len(products), pages, err, products["A001"])
	}
	ref, err := c.Send(ctx, platform.UseCatalog, http.MethodPut, c.CatalogPath("290056"),
		[]byte(`{"products":[{"sku":"A000","price":11},{"sku":"none","price":11}]}`))
	if err != nil || ref.ID == "" || ref.Status != string(platform.JobQueued) {
		t.Fatalf("job %+v, %v", ref, err)
	}
	s.ProcessJobs()
	job, err := c.CatalogJob(ctx, ref.ID)
	if err != nil || !job.Status.Final() || len(job.Rejected) != 1 || job.Rejected[0].SKU != "none" || job.Rejected[0].Reason == "" {
		t.Errorf("job %+v, %v", job, err)
	}
}

func TestClientAgainstTheSandbox(t *testing.T) {
	for name, rules := range map[string]sandbox.RESTRules{
		"as assumed":     {},
		"old order path": {OldOrderPath: true}, "both order paths": {BothOrderPaths: true}, "bare list": {BareOrderList: true},
		"404 with words": {NotFoundBody: true}, "404 with words, old path": {NotFoundBody: true, OldOrderPath: true}, "lower states": {LowerStates: true},
		"few fields": {FewFields: true}, "more fields": {MoreFields: true}, "oldest first": {OldestFirst: true}, "plain errors": {PlainErrors: true},
		"first page is zero": {FirstPageIsZero: true}, "rejections fail": {RejectionsFail: true}, "only rejected": {OnlyRejected: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := newSandbox(t, 7, rules, nil)
			everything(t, s, c)
		})
	}
	t.Run("oauth", func(t *testing.T) {
		t.Parallel()
		s, c := newSandbox(t, 3, sandbox.RESTRules{}, withOAuth)
		everything(t, s, c)
		s.Faults().ExpireTokens()
		everything(t, s, c)
	})
}

// TestCatalogPages looks that all pages are found, whichever number the first one has.
func TestCatalogPages(t *testing.T) {
	for _, zero := range []bool{false, true} {
		for _, articles := range []int{0, 1, 500, 501, 1000, 1001} {
			_, c := newSandbox(t, articles, sandbox.RESTRules{FirstPageIsZero: zero}, nil)
			seen := map[string]bool{}
			_, err := c.AllCatalog(t.Context(), "290056", func(p platform.CatalogPage) error {
				for _, it := range p.Products {
					seen[it.SKU] = true
				}
				return nil
			})
			if err != nil || len(seen) != articles {
				t.Errorf("first page is 0: %t; %d of %d articles, %v", zero, len(seen), articles, err)
			}
		}
	}
}

// TestFaultsPass has each fault of the interface befall a client that asks for everything.
func TestFaultsPass(t *testing.T) {
	for name, fault := range map[string]func(*sandbox.Faults){
		"401 once":  func(f *sandbox.Faults) { f.Unauthorized(1) },
		"429":       func(f *sandbox.Faults) { f.TooMany(2, "") },
		"429 after": func(f *sandbox.Faults) { f.TooMany(1, "1") },
		"500":       func(f *sandbox.Faults) { f.ServerErrors(2) },
		"reset":     func(f *sandbox.Faults) { f.ResetRequests(1) },
		"cut":       func(f *sandbox.Faults) { f.CutBodies(1) },
		"truncated": func(f *sandbox.Faults) { f.TruncateBodies(1) },
		"slow":      func(f *sandbox.Faults) { f.SlowBodies(10 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := newSandbox(t, 3, sandbox.RESTRules{}, nil)
			fault(s.Faults())
			everything(t, s, c)
		})
	}
	t.Run("too slow", func(t *testing.T) {
		t.Parallel()
		s, c := newSandbox(t, 3, sandbox.RESTRules{}, func(cfg *platform.ClientConfig) { cfg.Timeout = 100 * time.Millisecond })
		s.Faults().SlowBodies(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.CatalogPage(ctx, "290056", 1, 20); err == nil {
			t.Error("no error")
		}
	})
}

func TestExportAgainstTheSandbox(t *testing.T) {
	for name, rules := range map[string]sandbox.RESTRules{"own host": {DownloadInJob: true}, "presigned": {DownloadInJob: true, Presigned: true}} {
		t.Run(name, func(t *testing.T) {
			s, c := newSandbox(t, 5, rules, nil)
			ref, err := c.ExportCatalog(t.Context(), "290056")
			if err != nil || ref.ID == "" {
				t.Fatal(ref, err)
			}
			s.ProcessJobs()
			job, err := c.CatalogJob(t.Context(), ref.ID)
			if err != nil || job.DownloadURL == "" {
				t.Fatalf("%+v, %v", job, err)
			}
			body, err := c.Download(t.Context(), job.DownloadURL, platform.UseCatalog)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			var skus []string
			if err := platform.ReadExport(body, func(it catalog.Item, _ int) error { skus = append(skus, it.SKU); return nil }); err != nil {
				t.Error(err)
			}
			if got := strings.Join(skus, " "); got != "A000 A001 A002 A003 A004" {
				t.Errorf("exported %s", got)
			}
		})
	}
}

// TestNothingIsLeftRunning looks for goroutines that outlive a client.
func TestNothingIsLeftRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("use", func(t *testing.T) {
		s, c := newSandbox(t, 3, sandbox.RESTRules{DownloadInJob: true}, withOAuth)
		everything(t, s, c)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Order(ctx, "o"); err == nil {
			t.Error("no error")
		}
		ref, err := c.ExportCatalog(t.Context(), "290056")
		if err != nil {
			t.Fatal(err)
		}
		s.ProcessJobs()
		job, err := c.CatalogJob(t.Context(), ref.ID)
		if err != nil {
			t.Fatal(err)
		}
		body, err := c.Download(t.Context(), job.DownloadURL, platform.UseCatalog)
		if err != nil {
			t.Fatal(err)
		}
		if err := body.Close(); err != nil { // before its end
			t.Error(err)
		}
	})
	goleak.VerifyNone(t, before)
}
