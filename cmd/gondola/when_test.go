package main

import (
	"testing"
	"time"
)

func TestMomentOf(t *testing.T) {
	zone, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-11-25 09:30":          time.Date(2026, 11, 25, 12, 30, 0, 0, time.UTC),
		"2026-11-25T09:30":          time.Date(2026, 11, 25, 12, 30, 0, 0, time.UTC),
		"2026-11-25 09:30:15":       time.Date(2026, 11, 25, 12, 30, 15, 0, time.UTC),
		"2026-11-25":                time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC),
		"2026-11-25T09:30:15Z":      time.Date(2026, 11, 25, 9, 30, 15, 0, time.UTC),
		"2026-11-25T09:30:15+02:00": time.Date(2026, 11, 25, 7, 30, 15, 0, time.UTC),
		"6h ago":                    now.Add(-6 * time.Hour),
		"6h":                        now.Add(-6 * time.Hour),
		"1d12h ago":                 now.Add(-36 * time.Hour),
	} {
		if got, err := momentOf("--to", text, now, zone); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "ago", "-6h", "2026-13-01", "25/11/2026", "12:30"} {
		if got, err := momentOf("--to", text, now, zone); exitCode(err) != exitUsage {
			t.Errorf("%q: %v, %v; want that it is refused", text, got, err)
		}
	}
}
