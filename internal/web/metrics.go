package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metric is one number, or several of one name, for /metrics.
type Metric struct {
	Name    string // begins with gondola_; a counter's ends in _total
	Help    string // one sentence
	Counter bool   // it only grows, but for a state folder that is new
	Label   string // name of the one label, "" for none
	Samples []Sample
}

// Sample is a number of a Metric.
type Sample struct {
	Label string // value of the label, one of a few
	Value float64
}

// gatherer hands out what was measured for one scrape.
type gatherer []Metric

// Describe implements prometheus.Collector. It says nothing: what there is is known when it is asked for.
func (gatherer) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (g gatherer) Collect(out chan<- prometheus.Metric) {
	for _, m := range g {
		var labels []string
		if m.Label != "" {
			labels = []string{m.Label}
		}
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		desc := prometheus.NewDesc(m.Name, m.Help, labels, nil)
		for _, s := range m.Samples {
			var values []string
			if m.Label != "" {
				values = []string{s.Label}
			}
			one, err := prometheus.NewConstMetric(desc, kind, s.Value, values...)
			if err != nil {
				one = prometheus.NewInvalidMetric(desc, err)
			}
			out <- one
		}
	}
}

// registry returns a registry of what is measured now, and of how the process is doing: memory, files, goroutines.
func (s *Server) registry(ctx context.Context) (*prometheus.Registry, error) {
	all, err := s.c.Measure(ctx)
	if err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	r := prometheus.NewPedanticRegistry()
	for _, c := range []prometheus.Collector{
		gatherer(all), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return r, nil
}

// metrics answers with numbers for Prometheus. One scrape at a time is worked out; another one meanwhile is refused.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if !s.measuring.TryLock() {
		http.Error(w, "another scrape is under way", http.StatusServiceUnavailable)
		return
	}
	defer s.measuring.Unlock()
	registry, err := s.registry(r.Context())
	if err != nil {
		s.broken(w, err)
		return
	}
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: promLog{s.c.Log}}).ServeHTTP(w, r)
}

// promLog hands what goes wrong with an answer to our log.
type promLog struct{ log *slog.Logger }

// Println implements promhttp.Logger.
func (p promLog) Println(v ...any) { p.log.Warn("metrics can't be shown", "error", fmt.Sprint(v...)) }
