package config

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "90d": 90 * 24 * time.Hour, "1d12h": 36 * time.Hour, "2h30m": 150 * time.Minute,
		"500ms": 500 * time.Millisecond, "0s": 0, "1d1ms": 24*time.Hour + time.Millisecond, "1h0m5s": time.Hour + 5*time.Second,
	} {
		got, err := ParseDuration(text)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%s: got %v, %v", text, time.Duration(got), err)
		}
		if got.String() != text {
			t.Errorf("%s prints as %s", text, got)
		}
	}
	for _, text := range []string{"", "15", "d", "-1s", "-1d", "+1s", "1.5d", "1 d", "12h1d", "1d2d", "1w", "200000d", "106751d24h", "9999999999d"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q was taken for %v", text, got)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"500MB": 500_000_000, "64KiB": 65536, "2GB": 2_000_000_000, "1TiB": 1 << 40, "7B": 7, "0B": 0, "1500kB": 1_500_000,
	} {
		got, err := ParseSize(text)
		if err != nil || int64(got) != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
		back, err := ParseSize(got.String())
		if err != nil || back != got {
			t.Errorf("%s prints as %s", text, got)
		}
	}
	for _, same := range []string{"500 MB", "500mb", "500Mb", "500000kb"} {
		if got, err := ParseSize(same); err != nil || got != 500e6 {
			t.Errorf("%q: got %d, %v", same, got, err)
		}
	}
	for _, text := range []string{"", "500", "MB", "-1MB", "1.5GB", "9999999TiB", "1 0MB", "1XB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q was taken for %d bytes", text, got)
		}
	}
	if got := DefaultMinFree.String(); got != "500MB" {
		t.Errorf("500 MB print as %s", got)
	}
}

func TestPercent(t *testing.T) {
	for text, want := range map[string]Percent{"20%": 0.2, "0%": 0, "100%": 1, "12.5%": 0.125, "30 %": 0.3} {
		if got, err := ParsePercent(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, float64(got), err)
		}
	}
	for text, want := range map[string]string{
		"0.2": "want a percentage; write 20%", "20": "want a percentage; write 20%", "1": "want a percentage; write 1% or 100%",
		"101%": errPercent.Error(), "-1%": errPercent.Error(), "NaN%": errPercent.Error(), "": errPercent.Error(), "%": errPercent.Error(),
		"20%%": errPercent.Error(), "Inf": errPercent.Error(), "0x10%": errPercent.Error(), "0": "want a percentage; write 0%",
	} {
		if got, err := ParsePercent(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, %v; want %s", text, got, err, want)
		}
	}
	if got := Percent(0.07).String(); got != "7%" {
		t.Errorf("7%% prints as %s", got)
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]string{"40%": "40%", "0%": "0%", "150%": "150%", "1000%": "1000%", "off": "off"} {
		if got, err := ParseLimit(text); err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "40", "0.4", "-1%", "1001%", "NaN%", "none"} {
		if got, err := ParseLimit(text); err == nil || err.Error() != errLimit.Error() {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
}
