package catalog

import (
	"testing"
	"time"
)

func TestWall(t *testing.T) {
	zone, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 8, 23, 59, 59, 0, zone)
	w := WallOf(at)
	if w.String() != "2026-05-08 23:59:59" || w != WallAt(2026, 5, 8, 23, 59, 59) {
		t.Errorf("wall of %v: %s", at, w)
	}
	back, err := ParseWall(w.String())
	if err != nil || back != w {
		t.Errorf("parsed: %v, %v", back, err)
	}
	if w.Day() != WallAt(2026, 5, 8, 0, 0, 0).Day() || w.Day()+1 != (w+1).Day() || Wall(-1).Day() != -1 {
		t.Errorf("days: %d, %d, %d", w.Day(), (w + 1).Day(), Wall(-1).Day())
	}
	for _, text := range []string{"", "2026-05-08", "2026-02-30 00:00:00", "08/05/2026 10:00:00"} {
		if _, err := ParseWall(text); err == nil {
			t.Errorf("%q was parsed", text)
		}
	}
}

func TestPercent(t *testing.T) {
	for p, want := range map[Percent]string{20_000: "20", 12_500: "12.5", Hundred: "100", 33_333: "33.333"} {
		if got := p.String(); got != want {
			t.Errorf("%d: %s, want %s", int64(p), got, want)
		}
	}
}

func TestDetails(t *testing.T) {
	for text, want := range map[string][2]int{"B2G1": {2, 1}, "b1g1": {1, 1}, "B12G3": {12, 3}} {
		buy, get, err := ParseDetails(text)
		if err != nil || [2]int{buy, get} != want {
			t.Errorf("%s: %d, %d, %v", text, buy, get, err)
		}
	}
	for _, text := range []string{"", "3x2", "B2", "B0G1", "B1G0", "B1G1x", "B-1G1", "B100G1"} {
		if _, _, err := ParseDetails(text); err == nil {
			t.Errorf("%q was parsed", text)
		}
	}
	if got := (Promotion{Type: SameItemBundle, Buy: 2, Get: 1}).Details(); got != "B2G1" {
		t.Errorf("details: %q", got)
	}
	if got := (Promotion{Type: Strikethrough, Buy: 2, Get: 1}).Details(); got != "" {
		t.Errorf("details of a strikethrough: %q", got)
	}
}

func TestPromotionSame(t *testing.T) {
	sent := Promotion{Type: Strikethrough, Percent: 20_000, Price: 8000, Active: true}
	for _, c := range []struct {
		name   string
		wanted Promotion
		want   bool
	}{
		{"the share again, not priced yet", Promotion{Type: Strikethrough, Percent: 20_000, Active: true}, true},
		{"another share", Promotion{Type: Strikethrough, Percent: 30_000, Active: true}, false},
		{"the price that the share came to", Promotion{Type: Strikethrough, Price: 8000, Active: true}, true},
		{"another price", Promotion{Type: Strikethrough, Price: 7000, Active: true}, false},
		{"only another status", Promotion{Type: Strikethrough, Percent: 20_000}, true},
		{"another limit", Promotion{Type: Strikethrough, Percent: 20_000, MaxOrders: 5}, false},
		{"another reason", Promotion{Type: Strikethrough, Percent: 20_000, Reason: "trading"}, false},
	} {
		if got := c.wanted.Same(sent); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPromotionTimes(t *testing.T) {
	a := Promotion{Start: 100, End: 200}
	if a.Over(200) || !a.Over(201) {
		t.Error("a promotion holds until its last second and no longer")
	}
	if !a.Overlaps(Promotion{Start: 200, End: 300}) || a.Overlaps(Promotion{Start: 201, End: 300}) || a.Overlaps(Promotion{Start: 1, End: 99}) {
		t.Error("overlap")
	}
}
