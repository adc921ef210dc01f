package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func measured(context.Context) ([]Metric, error) {
	return []Metric{
		{Name: "gondola_orders", Help: "Orders by state.", Label: "state", Samples: []Sample{{"READY", 3}, {"CANCELLED", 1}}},
		{Name: "gondola_webhook_events_total", Help: "Events.", Counter: true, Samples: []Sample{{"", 7}}},
	}, nil
}

func TestMetrics(t *testing.T) {
	s := newServed(t, Config{Look: fixed(Page{}), Measure: measured})
	res, got := ask(t, http.MethodGet, s.url+"/metrics")
	want := `# HELP gondola_orders Orders by state.
# TYPE gondola_orders gauge
gondola_orders{state="CANCELLED"} 1
gondola_orders{state="READY"} 3
# HELP gondola_webhook_events_total Events.
# TYPE gondola_webhook_events_total counter
gondola_webhook_events_total 7
`
	if res.code != http.StatusOK || only(got, "gondola_") != want {
		t.Errorf("%d\n%s", res.code, got)
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", "process_open_fds"} {
		if !strings.Contains(got, "\n"+name+" ") {
			t.Errorf("no %s", name)
		}
	}
	if res, _ := ask(t, http.MethodGet, s.url+"/metrics", "Host", "evil.example"); res.code != http.StatusMisdirectedRequest {
		t.Errorf("another host's name: %d", res.code)
	}
	registry, err := s.registry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// only returns the lines about metrics whose names begin with prefix.
func only(text, prefix string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "); strings.HasPrefix(name, prefix) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestMetricsBroken(t *testing.T) {
	s := newServed(t, Config{Look: fixed(Page{}), Measure: func(context.Context) ([]Metric, error) { return nil, errors.New("secret words") }})
	res, got := ask(t, http.MethodGet, s.url+"/metrics")
	if res.code != http.StatusServiceUnavailable || strings.Contains(got, "secret words") {
		t.Errorf("%d %s", res.code, got)
	}
	s = newServed(t, Config{Look: fixed(Page{})})
	if res, _ := ask(t, http.MethodGet, s.url+"/metrics"); res.code != http.StatusNotFound {
		t.Errorf("nothing is measured: %d", res.code)
	}
}
