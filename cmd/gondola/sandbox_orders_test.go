package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gondola/internal/sandbox"
)

// newOrderSandbox starts a simulated platform that one store has articles at.
func newOrderSandbox(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.Start(t.Context(), sandbox.Options{
		Dir: t.TempDir(), User: "u", Password: "p",
		Vendors: []sandbox.Vendor{{ID: "7", Articles: []sandbox.Article{{SKU: "A", Price: "1.5", Active: true}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSandboxOrders(t *testing.T) {
	s := newOrderSandbox(t)
	page := s.HTTPURL() + "/"
	for _, c := range []struct {
		args  string
		stdin string
		code  int
		want  string
	}{
		{args: "--rate 100/s --count 3 --step 0s", code: exitDone, want: "3 orders\n"},
		{args: "--script -", stdin: "0s a new 7 PICKUP A:2\n0s a READY_FOR_PICKUP\n", code: exitDone, want: "1 order\n"},
		{args: "--script -", stdin: "0s a new 8\n", code: exitRemote, want: "line 1"},
		{args: "--rate 3/year", code: exitUsage, want: "rate"},
		{args: "--cancel 200%", code: exitUsage, want: "--cancel"},
		{args: "--script /nowhere", code: exitUsage, want: "script"},
		{args: "--store 9 --count 1", code: exitRemote, want: "no store"},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"sandbox", "orders", "--page", page}, strings.Fields(c.args)...)
		code := run(t.Context(), args, strings.NewReader(c.stdin), &stdout, &stderr)
		if out := stdout.String() + stderr.String(); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, %s", c.args, code, out)
		}
	}
	orders := s.Orders()
	if len(orders) != 4 || orders[0].State == sandbox.StateReceived || orders[3].State != sandbox.StateReady {
		t.Errorf("%+v", orders)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"sandbox", "orders", "--page", page, "--count", "2", "--step", "0s", "--rate", "50/s", "--json"}, nil, &stdout, &stderr)
	var made sandbox.Streamed
	if err := json.Unmarshal(stdout.Bytes(), &made); err != nil || code != exitDone || len(made.Orders) != 2 {
		t.Errorf("exit code %d, %s%s (%v)", code, stdout.String(), stderr.String(), err)
	}
}

// TestSandboxOrdersElsewhere asks what is no sandbox, or not there.
func TestSandboxOrdersElsewhere(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer other.Close()
	for page, code := range map[string]int{other.URL: exitRemote, "http://127.0.0.1:1": exitRemote, "127.0.0.1": exitUsage} {
		var stdout, stderr bytes.Buffer
		if got := run(t.Context(), []string{"sandbox", "orders", "--page", page}, nil, &stdout, &stderr); got != code {
			t.Errorf("%s: exit code %d, %s", page, got, stderr.String())
		}
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]float64{"20/s": 20, "6/m": 0.1, "3600/h": 1, "2": 2, "0.5/s": 0.5} {
		if got, err := parseRate(text); err != nil || got != want {
			t.Errorf("%s is %v (%v)", text, got, err)
		}
	}
	for _, text := range []string{"", "x/s", "1/d", "0/s", "-1/s", "99999/s", "NaN/s"} {
		if got, err := parseRate(text); err == nil {
			t.Errorf("%s is %v", text, got)
		}
	}
}

// TestSandboxFlags looks at what gondola sandbox refuses before it begins, and at orders from the start.
func TestSandboxFlags(t *testing.T) {
	for _, args := range []string{"--fault rain", "--fault help", "--job-delay 0s"} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"sandbox", "--dir", t.TempDir()}, strings.Fields(args)...), nil, &stdout, &stderr)
		if code != exitUsage {
			t.Errorf("%s: exit code %d, %s", args, code, stderr.String())
		}
	}
	s := newOrderSandbox(t)
	f := sandboxAPIFlags{faults: []string{"server-errors"}}
	f.orders.rate = "100/s"
	f.orders.during, f.orders.count = time.Minute, 2
	over, err := f.begin(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-over:
	case <-time.After(30 * time.Second):
		t.Fatal("two orders take more than 30 seconds")
	}
	if n := len(s.Orders()); n != 2 {
		t.Errorf("%d orders", n)
	}
}
