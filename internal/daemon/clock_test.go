package daemon

import (
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/store"
)

// TestWrongClockHoldsPromotions has the server's clock differ from ours: articles go on, promotions neither start nor end, until the
// clock is right again, which is found out though nothing is sent that would tell.
func TestWrongClockHoldsPromotions(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {ids: ["1"]}}
  - {name: promos, kind: promotions, drop: promos, export: full, missing: deactivate, vendor: {ids: ["1"]}}`, "")
	offers := func(skus ...string) string {
		text := "SKU;Campaña;Precio oferta;Desde;Hasta\n"
		for _, sku := range skus {
			text += sku + ";Semana;8,00;2026-11-20;2026-11-30\n"
		}
		return text
	}
	c.export("full", "sku,precio\nA,10.00\nB,10.00\n")
	c.export("promos", offers("A"))
	if put := c.push(false); !strings.Contains(put["promotions/gondola_1.csv"], ",A,") {
		t.Fatalf("put: %v", put)
	}
	if skew, ok, err := c.house.ClockSkew(t.Context()); err != nil || !ok || skew.Skew.Abs() > time.Minute {
		t.Fatalf("the clock as measured: %+v, %v, %v", skew, ok, err)
	}
	if err := c.house.keepClock(t.Context(), 3*time.Minute+20*time.Second); err != nil {
		t.Fatal(err)
	}
	c.export("full", "sku,precio\nA,11.00\nB,10.00\n")
	c.export("promos", offers("B"))
	seq, err := c.house.store.Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(time.Minute)
	if err := c.house.store.RecordSlot(t.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.house.planDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := c.house.HeldFindings(t.Context())
	if err != nil || len(rows) != 1 || rows[0].Code != catalog.BrakeClock || rows[0].Count != 2 || !strings.Contains(rows[0].Text, "3m20s") {
		t.Fatalf("held: %+v, %v", rows, err)
	}
	effects, err := c.house.store.Effects(t.Context(), seq)
	if err != nil || len(effects) != 1 || effects[0].State != store.EffectRowsHeld || len(effects[0].Held) != 1 {
		t.Errorf("effects of the promotions: %+v, %v", effects, err)
	}
	s, err := c.house.Status(t.Context())
	if err != nil || len(s.Rows) != 1 || s.OK() {
		t.Errorf("status: %+v, %v", s.Rows, err)
	}

	// A measurement that is fresh is believed; an old one is made again, by a probe in the login's home.
	if err := c.house.measureClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if wrong, err := c.house.clockWrong(t.Context()); err != nil || wrong == 0 {
		t.Errorf("the clock is believed to be right after %s, %v", wrong, err)
	}
	// Where nothing can be removed no probe is made every ten minutes.
	server, err := c.house.server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known, err := c.house.store.Passport(t.Context(), server.Account())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.house.store.SetPassport(t.Context(), server.Account(), known.With(outbox.Delete, outbox.Cannot)); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(measureEvery)
	if err := c.house.measureClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if wrong, err := c.house.clockWrong(t.Context()); err != nil || wrong == 0 {
		t.Errorf("the clock was measured where nothing can be removed: %s, %v", wrong, err)
	}
	if err := c.house.store.SetPassport(t.Context(), server.Account(), known); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(measureEvery)
	if err := c.house.measureClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if wrong, err := c.house.clockWrong(t.Context()); err != nil || wrong != 0 {
		t.Errorf("the clock is still wrong by %s, %v", wrong, err)
	}
	if err := c.house.planDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.flush()
	put := c.put()
	if got := put["promotions/gondola_1.csv"]; !strings.Contains(got, ",A,Semana") || !strings.HasSuffix(strings.TrimSpace(strings.Split(got, "\n")[1]), ",0") || !strings.Contains(got, ",B,Semana") {
		t.Errorf("put: %v", put)
	}
	if !strings.Contains(put["catalog/gondola_1.csv"], "A,11.00") {
		t.Errorf("the catalogue waited, too: %v", put)
	}
	if rows, err := c.house.HeldFindings(t.Context()); err != nil || len(rows) != 0 {
		t.Errorf("still held: %+v, %v", rows, err)
	}
}
