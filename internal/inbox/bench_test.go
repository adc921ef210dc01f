package inbox_test

import (
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

var discard = slog.New(slog.DiscardHandler)

// BenchmarkIngestion is what senders get through with everything, beside a bare group commit into a database of its own behind the same
// HTTP server: there nothing is checked, known again or counted.
func BenchmarkIngestion(b *testing.B) {
	for _, clients := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("bare/%d", clients), func(b *testing.B) { ingest(b, bare(b), clients) })
		b.Run(fmt.Sprintf("whole/%d", clients), func(b *testing.B) { ingest(b, run(b, newTestStore(b, b.TempDir())), clients) })
	}
}

// bare serves a group commit and nothing else.
func bare(b *testing.B) string {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE events (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	commit := func(bodies [][]byte) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		add, err := tx.Prepare(`INSERT INTO events (body) VALUES ($1)`)
		if err != nil {
			return err
		}
		defer func() { _ = add.Close() }()
		for _, body := range bodies {
			if _, err := add.Exec(body); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
	type waiting struct {
		body []byte
		done chan error
	}
	queue := make(chan waiting)
	go func() {
		for w := range queue {
			batch, bodies := []waiting{w}, [][]byte{w.body}
			for more := true; more && len(batch) < 256; {
				select {
				case w := <-queue:
					batch, bodies = append(batch, w), append(bodies, w.body)
				default:
					more = false
				}
			}
			err := commit(bodies)
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
		one := waiting{body, make(chan error, 1)}
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
