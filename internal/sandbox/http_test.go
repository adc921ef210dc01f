package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fetch gets a page of the sandbox.
func fetch(t testing.TB, s *Sandbox, path string) (status int, kind, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.HTTPURL()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(data)
}

func TestJSON(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.Fate = Eat })
	for _, path := range []string{"/jobs.json", "/operations.json"} {
		if _, _, body := fetch(t, s, path); strings.TrimSpace(body) != "[]" {
			t.Errorf("%s is %s at first", path, body)
		}
	}
	put(t, s, "catalog/gondola_290056.csv", "sku,price\nA-1,5\nx,1\n")
	s.Scan()
	at := "2026-03-01T12:00:00Z"
	for path, want := range map[string]string{
		"/shelf/290056.json": `[{"sku":"A-1","barcode":"07790001","name":"Arroz","price":"5","active":true,"sales_buffer":3,"maximum_sales_quantity":0},
			{"sku":"B-2","barcode":"","name":"Yerba","price":"120","active":true,"sales_buffer":1,"maximum_sales_quantity":0}]`,
		"/jobs.json": `[{"job_id":"00000000-0000-4000-8000-000000000001","at":"` + at + `","file":"catalog/gondola_290056.csv",
			"sha256":"` + digestOf("sku,price\nA-1,5\nx,1\n") + `","vendor":"290056","status":"COMPLETED","rows":2,"applied":1,"rejected":1,
			"errors":[{"line":3,"sku":"x","reason":"missing sku"}]}]`,
		"/operations.json": `[{"n":1,"at":"` + at + `","session":0,"kind":"eat","path":"catalog/gondola_290056.csv"}]`,
	} {
		status, kind, body := fetch(t, s, path)
		if status != http.StatusOK || kind != "application/json" {
			t.Errorf("%s: %d, %s", path, status, kind)
		}
		var got, expected any
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestOtherAddresses(t *testing.T) {
	s := newTestSandbox(t, nil)
	for path, want := range map[string]int{"/healthz": 200, "/": 200, "/shelf/zzz.json": 404, "/shelf/290056": 404, "/other": 404} {
		if status, _, _ := fetch(t, s, path); status != want {
			t.Errorf("%s answers %d, want %d", path, status, want)
		}
	}
}

func TestPage(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) {
		o.Vendors[1].Name = "<b>Puerto</b>"
		for i := range pageRows {
			o.Vendors[0].Articles = append(o.Vendors[0].Articles, Article{SKU: "Z-" + strconv.Itoa(i), Name: "Fideos"})
		}
	})
	put(t, s, "catalog/gondola_290056.csv", "sku,price\nA-1,4321.5\nx,1\n")
	put(t, s, "catalog/gondola_000.csv", "sku,price\n")
	s.Scan()
	status, kind, body := fetch(t, s, "/")
	if status != http.StatusOK || kind != "text/html; charset=utf-8" {
		t.Fatalf("%d, %s", status, kind)
	}
	for _, want := range []string{
		"Almacenes Prueba", "Centro", "Arroz", "4321.5", "202 articles, 2 on sale", "the first 200 are shown",
		"COMPLETED", "FAILED", "unknown vendor", "line 3: missing sku x", "1 of 2", "1 rejected",
		`http-equiv="refresh" content="2"`, s.HostKey(), "&lt;b&gt;Puerto",
	} {
		if !strings.Contains(body, want) && !strings.Contains(body, strings.ReplaceAll(want, "+", "&#43;")) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "open sesame") || strings.Contains(body, "<b>") {
		t.Error("the page shows what it must not")
	}
	if got := strings.Count(body, "Fideos"); got != pageRows-2 {
		t.Errorf("%d of the long shelf's articles are shown", got)
	}
}
