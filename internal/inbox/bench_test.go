package inbox_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/inbox"
)

var discard = slog.New(slog.DiscardHandler)

// BenchmarkIngestion is what 64 senders get through with everything, beside a bare group commit into the same database behind the
// same HTTP server: nothing is checked there.
func BenchmarkIngestion(b *testing.B) {
	for _, clients := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("bare/%d", clients), func(b *testing.B) { ingest(b, bare(b), clients) })
		b.Run(fmt.Sprintf("whole/%d", clients), func(b *testing.B) { ingest(b, run(b, newTestStore(b, b.TempDir())), clients) })
	}
}

// bare serves a group commit and nothing else.
func bare(b *testing.B) string {
	st := newTestStore(b, b.TempDir())
	type waiting struct {
		inbox.Event
		done chan error
	}
	queue := make(chan waiting)
	go func() {
		for w := range queue {
			batch, events := []waiting{w}, []inbox.Event{w.Event}
			for more := true; more && len(batch) < 256; {
				select {
				case w := <-queue:
					batch, events = append(batch, w), append(events, w.Event)
				default:
					more = false
				}
			}
			err := st.AcceptEvents(context.Background(), events)
			for _, w := range batch {
				w.done <- err
			}
		}
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		one := waiting{inbox.Event{Digest: sha256.Sum256(body), Body: body, At: time.Now()}, make(chan error, 1)}
		queue <- one
		if err := <-one.done; err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})}
	go func() { _ = server.Serve(l) }()
	b.Cleanup(func() { _ = server.Close(); close(queue) })
	return "http://" + l.Addr().String() + "/webhook"
}

// ingest sends bodies of 4 KB, each another one.
func ingest(b *testing.B, url string, clients int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	padding := strings.Repeat("x", 4<<10)
	var next atomic.Int64
	var wait sync.WaitGroup
	took := make([][]time.Duration, clients)
	b.ResetTimer()
	for c := range clients {
		wait.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				begun := time.Now()
				code, err := post(client, url, fmt.Sprintf(`{"n": %d, "padding": "%s"}`, n, padding))
				if err != nil || code != http.StatusOK {
					b.Errorf("%d, %v", code, err)
					return
				}
				took[c] = append(took[c], time.Since(begun))
			}
		})
	}
	wait.Wait()
	b.StopTimer()
	every := slices.Concat(took...)
	slices.Sort(every)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(every[len(every)*99/100].Microseconds())/1000, "p99-ms")
}
