package daemon

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/sandbox"
)

func (c *caseRun) switchOff(a OffAsk) {
	c.Helper()
	a.Who = "ana"
	if err := c.house.SwitchOff(c.Context(), a); err != nil {
		c.Fatal(err)
	}
}

func (c *caseRun) switchOn(a OffAsk) {
	c.Helper()
	a.Who = "ana"
	if err := c.house.SwitchOn(c.Context(), a); err != nil {
		c.Fatal(err)
	}
}

// want compares what was put under a name with what should have been; "" is nothing.
func (c *caseRun) want(what string, put map[string]string, name, text string) {
	c.Helper()
	if got := put["catalog/"+name]; got != text {
		c.Errorf("%s: put %q, want %q", what, got, text)
	}
}

// settle lets everything that left be read.
func (c *caseRun) settle() {
	c.Helper()
	c.clock = c.clock.Add(3 * time.Hour)
	c.flush()
	c.put()
}

// TestOffKeepsTheHold: who takes an article off does not know of a refused login, and does not have it tried again.
func TestOffKeepsTheHold(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	if err := c.house.queue.SetHold(t.Context(), &outbox.Hold{Class: outbox.Credentials, Text: "refused"}); err != nil {
		t.Fatal(err)
	}
	c.switchOff(OffAsk{Articles: []string{"A000"}, Reason: "recalled"})
	if hold, err := c.house.store.Hold(t.Context(), outbox.BySFTP); err != nil || hold == nil {
		t.Errorf("hold: %+v, %v", hold, err)
	}
	due, err := c.house.store.TargetOf(t.Context(), "catalog/1")
	if err != nil || !due.PlanDue {
		t.Errorf("target: %+v, %v", due, err)
	}
}

// TestOffWhateverExportsSay takes an article off, lets feeds say otherwise in every way they can, and undoes it.
func TestOffWhateverExportsSay(t *testing.T) {
	const header = "Sucursal;sku;precio;activo\n"
	for _, feed := range []struct {
		name, before, during string
		off, still, full, on string // what is put: switched off, after an export, full, on again
	}{
		{
			name: "says that it is on", before: "001;A;10,50;S\n001;B;20,00;S\n", during: "001;A;10,90;S\n",
			off: "sku,price,active\nA,10.50,0\n", still: "sku,price,active\nA,10.90,0\n",
			full: "sku,price,active\nA,10.90,0\nB,20.00,1\n", on: "sku,price,active\nA,10.90,1\n",
		},
		{
			name: "says nothing of it", before: "001;A;10,50;\n001;B;20,00;\n", during: "001;A;10,90;\n",
			off: "sku,price,active\nA,10.50,0\n", still: "sku,price,active\nA,10.90,0\n",
			full: "sku,price,active\nA,10.90,0\nB,20.00,\n", on: "sku,price,active\nA,10.90,1\n",
		},
		{
			name: "says that it is off", before: "001;A;10,50;N\n001;B;20,00;S\n", during: "001;A;10,90;N\n",
			off: "", still: "sku,price,active\nA,10.90,0\n", full: "sku,price,active\nA,10.90,0\nB,20.00,1\n", on: "",
		},
	} {
		t.Run(feed.name, func(t *testing.T) {
			c := newRules(t, twoPartialFeeds, "")
			c.export("precios", header+feed.before+strings.ReplaceAll(feed.before, "001;", "002;"))
			c.slot(false)
			c.settle()
			c.switchOff(OffAsk{Articles: []string{"A"}, Vendors: []string{"1"}, Reason: "recalled"})
			put := c.send()
			c.want("off", put, "gondola_1.csv", feed.off)
			c.want("off, the other store", put, "gondola_2.csv", "")
			c.settle()
			c.export("precios", header+feed.during)
			c.want("an export", c.slot(false), "gondola_1.csv", feed.still)
			c.settle()
			c.restart(func(*config.Config) {})
			c.want("full", c.slot(true), "gondola_1.csv", feed.full)
			c.settle()
			c.want("nothing new", c.slot(false), "gondola_1.csv", "")
			c.switchOn(OffAsk{Articles: []string{"A"}})
			c.want("on again", c.send(), "gondola_1.csv", feed.on)
			c.settle()
			if put := c.slot(false); len(put) > 0 {
				t.Errorf("put once more: %v", put)
			}
			if offs, err := c.house.Offs(t.Context()); err != nil || len(offs) > 0 {
				t.Errorf("still off: %+v, %v", offs, err)
			}
		})
	}
}

// TestOffWithStock has the feeds speak of stock alone, which switches articles, too.
func TestOffWithStock(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.export("precios", "Sucursal;sku;precio\n001;A;10,50\n")
	c.export("stock", "Sucursal;sku;stock\n001;A;7\n")
	c.want("first", c.slot(false), "gondola_1.csv", "sku,price,quantity\nA,10.50,7\n")
	c.settle()
	c.switchOff(OffAsk{Articles: []string{"A"}})
	c.want("off", c.send(), "gondola_1.csv", "sku,price,active\nA,10.50,0\n")
	c.settle()
	c.export("stock", "Sucursal;sku;stock\n001;A;9\n")
	c.want("stock comes", c.slot(false), "gondola_1.csv", "sku,price,active\nA,10.50,0\n")
	c.settle()
	c.switchOn(OffAsk{Articles: []string{"A"}})
	c.want("on again", c.send(), "gondola_1.csv", "sku,price,quantity\nA,10.50,9\n")
}

// TestOffOnThePlatform looks at the shelf that customers see, in the minute before the platform has read any of it, too.
func TestOffOnThePlatform(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {min_rows: 1}")
	for _, sku := range []string{"A", "B"} {
		if err := c.platform.AddArticle("1", sandbox.Article{SKU: sku, Price: "1", Active: false}); err != nil {
			t.Fatal(err)
		}
	}
	on := func() string {
		c.platform.Scan()
		var on []string
		for _, a := range c.platform.Shelf("1") {
			if a.Active {
				on = append(on, a.SKU)
			}
		}
		return strings.Join(on, " ")
	}
	c.export("full", "sku,precio,activo\nA,10.50,S\nB,20.50,S\n")
	c.slot(false)
	if got := on(); got != "A B" {
		t.Fatalf("on sale: %q", got)
	}
	// All of the shelf goes off, which no export may do.
	c.switchOff(OffAsk{Articles: []string{"A", "B"}, Until: c.clock.Add(time.Hour)})
	c.send()
	if got := on(); got != "" {
		t.Errorf("on sale: %q", got)
	}
	if held := c.status().Held; len(held) > 0 {
		t.Errorf("held: %+v", held)
	}
	c.switchOn(OffAsk{Articles: []string{"B"}})
	c.switchOff(OffAsk{Articles: []string{"B"}})
	c.switchOn(OffAsk{Articles: []string{"B"}})
	c.send()
	if got := on(); got != "B" {
		t.Errorf("on sale after one was undone: %q", got)
	}
	if off := c.status().Off; len(off) != 1 || off[0].Key != "A" || off[0].Vendor != "*" || off[0].Who != "ana" {
		t.Errorf("status: %+v", off)
	}
	// The other one comes back by itself, without any slot.
	c.clock = c.clock.Add(time.Hour)
	c.send()
	if got := on(); got != "A B" {
		t.Errorf("on sale when the time had come: %q", got)
	}
}

// TestOffOfAnArticleThatGoesAndComes has a full export lose the article while it is off, and find it again.
func TestOffOfAnArticleThatGoesAndComes(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {min_rows: 1000}")
	c.export("full", "sku,precio\nA,10.50\nB,20.50\n")
	c.slot(false)
	c.settle()
	c.switchOff(OffAsk{Articles: []string{"B"}})
	c.want("off", c.send(), "gondola_1.csv", "sku,price,active\nB,20.50,0\n")
	c.settle()
	c.export("full", "sku,precio\nA,10.50\n")
	c.want("gone", c.slot(false), "gondola_1.csv", "")
	c.switchOn(OffAsk{Articles: []string{"B"}})
	c.want("undone while it is gone", c.send(), "gondola_1.csv", "")
	c.export("full", "sku,precio\nA,10.50\nB,21.50\n")
	c.want("back", c.slot(false), "gondola_1.csv", "sku,price,active\nB,21.50,1\n")
}

// TestOffInChainFile has one file for all stores.
func TestOffInChainFile(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: all}`, "send: {catalog: {shape: chain}}")
	c.export("full", "sku,precio\nA,10.50\n")
	c.slot(false)
	if err := c.house.SwitchOff(t.Context(), OffAsk{Articles: []string{"A"}, Vendors: []string{"1"}}); !errors.Is(err, ErrNoArticle) {
		t.Errorf("off in one store of a file for all: %v", err)
	}
	c.switchOff(OffAsk{Articles: []string{"A"}})
	if put := c.send()["catalog/gondola.csv"]; !strings.Contains(put, "A,10.50,0") {
		t.Errorf("put: %q", put)
	}
}

// TestOffByBarcode compares barcodes as everywhere: without leading zeros.
func TestOffByBarcode(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.restart(func(cfg *config.Config) { cfg.Chain.IdentifyBy = "barcode" })
	c.export("precios", "Sucursal;ean;precio\n001;07730241003654;10,50\n")
	c.slot(false)
	c.settle()
	c.switchOff(OffAsk{Articles: []string{"7730241003654"}})
	c.want("off", c.send(), "gondola_1.csv", "barcode,price,active\n07730241003654,10.50,0\n")
}

// TestOffRefusesWhatNobodyKnows names what is near, and changes nothing.
func TestOffRefusesWhatNobodyKnows(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.export("precios", "Sucursal;sku;precio\n001;7730241003654;10,50\n001;A-17;1,00\n002;B-20;1,00\n")
	c.slot(false)
	for _, one := range []struct {
		articles, vendors []string
		words             string
	}{
		{[]string{"7730241003645"}, nil, `no store had "7730241003645" in an export; near it: 7730241003654`},
		{[]string{"A-17", "A-18"}, []string{"1"}, `store 1 never had "A-18" in an export; near it: A-17`},
		{[]string{"B-20"}, []string{"1", "2"}, `store 1 never had "B-20"`},
		{[]string{"nothing like it"}, nil, `no store had "nothing like it" in an export`},
		{[]string{"A-17"}, []string{"9"}, `no such store: "9"`},
	} {
		err := c.house.SwitchOff(t.Context(), OffAsk{Articles: one.articles, Vendors: one.vendors})
		if err == nil || !strings.Contains(err.Error(), one.words) {
			t.Errorf("%v in %v: %v, want %q", one.articles, one.vendors, err, one.words)
		}
	}
	c.switchOff(OffAsk{Articles: []string{"A-17"}})
	for _, one := range []struct {
		articles, vendors []string
		words             string
	}{
		{[]string{"B-20"}, nil, `"B-20" is not switched off; gondola off --list shows what is`},
		{[]string{"A-17"}, []string{"1"}, "switched off in all stores"},
		{[]string{"A-17", "A-18"}, nil, `"A-18" is not switched off`},
	} {
		err := c.house.SwitchOn(t.Context(), OffAsk{Articles: one.articles, Vendors: one.vendors})
		if !errors.Is(err, ErrNoArticle) || !strings.Contains(err.Error(), one.words) {
			t.Errorf("on %v in %v: %v, want %q", one.articles, one.vendors, err, one.words)
		}
	}
	offs, err := c.house.Offs(t.Context())
	if err != nil || len(offs) != 1 || offs[0].Key != "A-17" {
		t.Errorf("off: %+v, %v", offs, err)
	}
}

// TestOffWaitsForThePause: the stop button stops everything. What was switched meanwhile leaves with the newest state.
func TestOffWaitsForThePause(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.export("precios", bothStores)
	c.slot(false)
	c.settle()
	c.pause(PauseAsk{})
	out, err := c.house.SwitchNow(t.Context(), c.house.SwitchOff, OffAsk{Articles: []string{"A"}, Vendors: []string{"1"}, Who: "ana"})
	if err != nil || out.Paused != 1 || out.Verified != 0 {
		t.Errorf("off during a pause: %+v, %v", out, err)
	}
	c.resume()
	c.want("off after the pause", c.send(), "gondola_1.csv", "sku,price,active\nA,10.50,0\n")
}

// TestOffIsKept keeps what is off through a year, a tidy and another identifier.
func TestOffIsKept(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.export("precios", "Sucursal;sku;ean;precio\n001;A;7730241003654;10,50\n001;B;7790895000430;20,00\n")
	c.slot(false)
	c.settle()
	c.switchOff(OffAsk{Articles: []string{"A"}})
	c.send()
	c.settle()
	c.clock = c.clock.AddDate(1, 0, 0)
	if err := c.house.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.want("full after a year", c.slot(true), "gondola_1.csv", "sku,price,active\nA,10.50,0\nB,20.00,\n")
	c.restart(func(cfg *config.Config) { cfg.Chain.IdentifyBy = "barcode" })
	if put := c.slot(true)["catalog/gondola_1.csv"]; !strings.Contains(put, "7730241003654,10.50,0") {
		t.Errorf("known by another identifier: %q", put)
	}
}
