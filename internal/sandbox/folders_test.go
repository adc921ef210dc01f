package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The folders share one reader. These tests hold its promises for those that reader_test.go does not look at.

func TestPromotionsAreReadAgainOnlyWhenChanged(t *testing.T) {
	s := newPromotionSandbox(t, nil)
	scanOne(t, s, centroPromotions, promotionsOf(strikeRow))
	if again := s.Scan(); len(again) != 0 {
		t.Errorf("unchanged, it made jobs again: %+v", again)
	}
	scanOne(t, s, centroPromotions, promotionsOf(with(t, strikeRow, "campaign_status", "0")))
	if diff := cmp.Diff([]string{"B-2 99 ended"}, live(s, "290056", s.opts.Now())); diff != "" {
		t.Errorf("promotions (-want +got):\n%s", diff)
	}
}

func TestPromotionsReplacedBetweenReadingAndEating(t *testing.T) {
	for fate, want := range map[Fate][]string{Keep: {"A-1 2+1 running*", "B-2 99 running*"}, Eat: {"B-2 99 running*"}} {
		t.Run(string(fate), func(t *testing.T) {
			var s *Sandbox
			s = newPromotionSandbox(t, func(o *Options) {
				o.Fate = fate
				o.OnRead = func(path string) {
					if path == centroPromotions && len(s.Promotions("290056")) == 0 { // only the first time
						put(t, s, path, promotionsOf(freeRow))
					}
				}
			})
			scanOne(t, s, centroPromotions, promotionsOf(strikeRow))
			s.Scan()
			if diff := cmp.Diff(want, live(s, "290056", s.opts.Now())); diff != "" {
				t.Errorf("promotions (-want +got):\n%s", diff)
			}
			if got := exists(t, s, centroPromotions); got != (fate == Keep) {
				t.Errorf("after both scans the file is there: %t", got)
			}
		})
	}
}

func TestChangesOfAllFolders(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	for _, dir := range []string{"Promotions", "assortment", "other"} {
		if err := c.Mkdir(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		centroFile, "Promotions/gondola_290056.csv", "Promotions/.gondola_290056.csv", "assortment/assortment_290056.csv",
		"other/gondola_290056.csv",
	} {
		if err := send(c, name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, ch := range s.Changes() {
		if ch.By == OpClose {
			got = append(got, ch.Path)
		}
	}
	if diff := cmp.Diff([]string{centroFile, "Promotions/gondola_290056.csv"}, got); diff != "" {
		t.Errorf("final names (-want +got):\n%s", diff)
	}
}

func TestOrderAcrossFolders(t *testing.T) {
	// The price and the promotion arrive together: which is read first decides whether the promotion is below the price.
	outcomes := map[string]bool{}
	for seed := range uint64(20) {
		s := newPromotionSandbox(t, func(o *Options) { o.OrderSeed = seed })
		put(t, s, centroFile, "sku,price\nB-2,90\n")
		put(t, s, centroPromotions, promotionsOf(strikeRow))
		if got := len(s.Scan()); got != 2 {
			t.Fatalf("%d jobs", got)
		}
		text := strings.Join(live(s, "290056", s.opts.Now()), ";")
		outcomes[text] = true
		if seed == 0 && text != "" {
			t.Errorf("sorted, the catalogue is first; promotions are %s", text)
		}
	}
	if len(outcomes) != 2 {
		t.Errorf("20 orders had the outcomes %v, want both", outcomes)
	}
}

func TestFolderNames(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) {
		o.CatalogFolder, o.PromotionsFolder, o.AssortmentFolder, o.Rules.SingleFile = "Productos", "Ofertas", "Surtido", true
	})
	if err := errors.Join(
		os.Mkdir(filepath.Join(s.Home(), "productos"), 0o755), os.Mkdir(filepath.Join(s.Home(), "OFERTAS"), 0o755),
		os.Mkdir(filepath.Join(s.Home(), "surtido"), 0o755),
	); err != nil {
		t.Fatal(err)
	}
	put(t, s, centroFile, "sku,price\nB-2,90\n") // its folder is any folder now
	scanOne(t, s, "productos/gondola_290056.csv", "sku,price\nB-2,130\n")
	scanOne(t, s, "OFERTAS/gondola_290056.csv", promotionsOf(with(t, strikeRow, "discounted_price", "125")))
	scanOne(t, s, "surtido/assortment_290056.csv", "sku,price\nB-2,140\n")
	if got, _ := s.EffectivePrice("290056", "B-2"); got != "125" || shelfOf(s, "290056")["B-2"].price != "140" {
		t.Errorf("effective price is %s, shelf is %v", got, shelfOf(s, "290056"))
	}
	o := testOptions(t)
	o.PromotionsFolder = "Catalog"
	if two, err := Start(t.Context(), o); err == nil {
		_ = two.Close()
		t.Error("one name for two folders was taken")
	}
}

// TestLookingWhileReading is for the race detector: everything may be asked while files are read.
func TestLookingWhileReading(t *testing.T) {
	s := newPromotionSandbox(t, nil)
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = s.EffectivePriceAt("290056", "B-2", at)
				_ = s.Promotions("290056")
				fetch(t, s, "/")
			}
		}
	})
	rows := []string{strikeRow, freeRow}
	for i := range 20 {
		slices.Reverse(rows)
		scanOne(t, s, centroPromotions, promotionsOf(rows...)+strings.Repeat(rows[0]+"\n", i))
	}
	close(stop)
	wg.Wait()
	if got := len(s.Promotions("290056")); got != 2 {
		t.Errorf("%d promotions", got)
	}
}
