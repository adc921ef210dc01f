package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		os.Exit(work(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// TestEverythingIsMeasured holds every contest once, at a size at which the figures mean nothing, without the programs of others.
func TestEverythingIsMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a daemon to be idle")
	}
	if runtime.GOOS != "linux" {
		t.Skip("what a process takes is asked of Linux")
	}
	dir := t.TempDir()
	gondola := filepath.Join(dir, "gondola")
	if out, err := exec.Command("go", "build", "-o", gondola, "../gondola").CombinedOutput(); err != nil {
		t.Fatalf("build gondola: %v\n%s", err, out)
	}
	var out bytes.Buffer
	var log heard
	if err := run(t.Context(), []string{"-tiny", "-alone", "-dir", dir, "-gondola", gondola}, &out, &log); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, bad := range []string{"failed:", "Not measured:"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q in the table:\n%s\n%s", bad, text, log.String())
		}
	}
	for _, contest := range []string{
		"CSV", "XLSX-SHARED", "XLSX-INLINE", "XLSX-LARGE-SHARED", "PLAN", "PUSH", "UPLOAD-LARGE-NEAR", "UPLOAD-SMALL-FAR", "WEBHOOK-1", "WEBHOOK-64",
		"START", "CROWD", "DROPS", "IDLE", "CURVE-ROWS", "CURVE-STORES", "CURVE-HISTORY", "CURVE-ORDERS", "CURVE-LEDGER", "CURVE-FOLDER",
	} {
		if !strings.Contains(text, "\n"+contest+": ") {
			t.Errorf("no contest %s in the table:\n%s", contest, text)
		}
	}
	chart, err := os.ReadFile(filepath.Join(dir, "bench.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(chart, []byte("<polyline")); n != 6 {
		t.Errorf("%d curves in the chart, want 6", n)
	}
}

// heard is what several processes at once have to say.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{[]float64{3, 1, 2}, "2.00 (1.00..3.00)"},
		{[]float64{4, 1, 2, 3}, "2.50 (1.00..4.00)"},
		{[]float64{7}, "7.00"},
		{nil, "0.0000"},
	} {
		if got := spreadOf(c.values).String(); got != c.want {
			t.Errorf("%v: %s, want %s", c.values, got, c.want)
		}
	}
}

// TestSlope fits powers that are known.
func TestSlope(t *testing.T) {
	c := curve{points: []point{{x: 10, m: spread{median: 2}}, {x: 100, m: spread{median: 20}}, {x: 1000, m: spread{median: 2000}}}}
	if fitted, last := c.slope(); fitted < 1.49 || fitted > 1.51 || last < 1.99 || last > 2.01 {
		t.Errorf("exponents %f and %f, want 1.5 and 2", fitted, last)
	}
}

// TestRatio takes ratios within a round, so that a slow round is slow for all.
func TestRatio(t *testing.T) {
	o := outcome{rounds: map[string][]measure{"a": {{Seconds: 2}, {Seconds: 20}}, "b": {{Seconds: 1}, {Seconds: 10}, {Seconds: 5}}}}
	if r, ok := o.ratio("a", "b"); !ok || r.String() != "2.00" {
		t.Errorf("%s, %t; want 2.00", r, ok)
	}
	if _, ok := o.ratio("a", "nobody"); ok {
		t.Error("a ratio to nobody")
	}
}

// TestGoals says of values on both sides of a bound whether they reach it.
func TestGoals(t *testing.T) {
	for _, c := range []struct {
		g     goal
		value float64
		met   bool
	}{
		{goal{most: 4}, 4, true},
		{goal{most: 4}, 4.01, false},
		{goal{least: 4}, 4, true},
		{goal{least: 4}, 3.99, false},
	} {
		if got := (verdict{goal: c.g, value: spread{median: c.value}}).met(); got != c.met {
			t.Errorf("%+v with %g: %t", c.g, c.value, got)
		}
	}
}

// TestAtMost is the least time that nineteen of twenty take at most.
func TestAtMost(t *testing.T) {
	for n, want := range map[int]float64{1: 1, 5: 5, 19: 19, 20: 19, 21: 20, 60: 57, 100: 95} {
		var all []time.Duration
		for i := range n {
			all = append(all, time.Duration(n-i)*time.Millisecond)
		}
		if got := atMost(all, 95); got != want {
			t.Errorf("of %d: %g, want %g", n, got, want)
		}
	}
}
