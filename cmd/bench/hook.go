package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gondola/internal/inbox"
	"gondola/internal/store"
)

// hookSecret opens nothing but the benchmark's own listeners.
const hookSecret = "invented for the benchmark"

// The contenders.
const (
	hookRun   = "gondola run: the whole program"
	hookInbox = "gondola: inbox and store"
	hookGroup = "limit: SQLite, group commit"
	hookFile  = "append to a file, group fsync"

	// Receivers as they are written in an afternoon: each event is brought to the disk before the next one is looked at.
	hookPython = "Python, append and fsync"
	hookNode   = "Node, append and fsync"
	// One that lets four threads wait for the disk side by side, which the kernel serves in one go.
	hookThreads = "Node, fsyncs side by side"
)

// holdWebhooks compares receivers of events that answer only when the event is on disk.
func (b *bench) holdWebhooks(ctx context.Context) ([]outcome, error) {
	var all []outcome
	for _, clients := range []int{1, 16, 64} {
		// The program lets callers go first for five seconds. Here they are through before or soon after, so that what it does with the
		// orders is told by itself, and how many it takes in and merges all told.
		requests := b.size.requests
		if clients == 1 {
			requests /= 5
		}
		some := max(requests/4, clients)
		worker := func(name string) func(context.Context) (measure, error) {
			return b.hook(clients, requests, func(ctx context.Context, dir string) (*server, error) { return b.serveWorker(ctx, name, dir) })
		}
		c := contest{
			name: fmt.Sprintf("webhook-%d", clients), title: fmt.Sprintf("%s events of 4 KB from %d clients", thousands(requests), clients),
			contenders: []contender{
				{name: hookRun, role: ours, do: b.hook(clients, requests, b.runForHooks)},
				{name: hookInbox, role: ours, do: worker("hook-inbox")},
				{name: hookGroup, role: limit, do: worker("hook-group")},
				{name: hookFile, role: limit, do: worker("hook-file")},
				{name: hookPython, role: peer, need: []string{"python3"}, share: 0.25, do: b.hook(clients, some, func(ctx context.Context, dir string) (*server, error) {
					return b.serve(ctx, "python3", b.script("receive.py"), filepath.Join(dir, "events"))
				})},
				{name: hookNode, role: peer, need: []string{"node"}, share: 0.25, do: b.hook(clients, some, func(ctx context.Context, dir string) (*server, error) {
					return b.serve(ctx, "node", b.script("receive.cjs"), filepath.Join(dir, "events"))
				})},
				{name: hookThreads, role: peer, need: []string{"node"}, share: 0.25, do: b.hook(clients, some, func(ctx context.Context, dir string) (*server, error) {
					return b.serve(ctx, "node", b.script("receive.cjs"), filepath.Join(dir, "events"), "side by side")
				})},
				{name: "webhook, running a command", role: peer, need: []string{"webhook"}, share: 0.1, do: b.hook(clients, max(requests/10, clients), b.runWebhook)},
			},
			goals: []goal{
				{text: "whole, of SQLite group commit", least: 0.7, unit: "×", measure: times(hookGroup, hookRun)},
				{text: "inbox, of SQLite group commit", least: 0.7, unit: "×", measure: times(hookGroup, hookInbox)},
				{text: "memory of the whole program", most: 64, unit: "MiB", measure: memory(hookRun)},
			},
		}
		if clients > 1 {
			c.goals = append(c.goals,
				goal{text: "ahead of the faster of Python and Node", least: 4, unit: "×", measure: ahead(hookRun, hookPython, hookNode)},
				goal{text: "ahead of Node with fsyncs side by side", least: 1, unit: "×", measure: ahead(hookRun, hookThreads)})
		}
		if clients == 64 {
			c.goals = append(c.goals, goal{text: "p99 of the whole program", most: 25, unit: "ms", measure: told(hookRun, "p99")})
		}
		all = append(all, b.run(ctx, c))
	}
	return all, nil
}

// hook measures a receiver: it is started, called by so many clients, and stopped.
func (b *bench) hook(clients, requests int, start func(ctx context.Context, dir string) (*server, error)) func(context.Context) (measure, error) {
	return func(ctx context.Context) (m measure, err error) {
		dir := b.path("work")
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
			return m, err
		}
		s, err := start(ctx, dir)
		if err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		before := s.cpu()
		m, err = b.worker("hook-load", s.addr, strconv.Itoa(clients), strconv.Itoa(requests))(ctx)
		m.CPU = (s.cpu() - before).Seconds()
		if state := filepath.Join(dir, "state", "gondola.db"); err == nil && isThere(state) {
			begun := time.Now()
			if err = untilHandled(ctx, state); err == nil {
				after := time.Since(begun).Seconds()
				m.tell("orders merged after the last answer", after, "s")
				m.tell("orders/s taken and merged", float64(requests)/(m.Seconds+after), "")
			}
		}
		m.RSS = s.peak()
		return m, err
	}
}

// untilHandled waits until the program has handled all events that it has kept: callers go first.
func untilHandled(ctx context.Context, state string) (err error) {
	db, err := sql.Open("sqlite", "file:"+state+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for begun := time.Now(); time.Since(begun) < time.Minute; {
		waiting := true
		if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'new')`).Scan(&waiting); err != nil || !waiting {
			return err
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("events wait to be handled for a minute")
}

// hookLoad calls a receiver, each time with another event, and says how long it waited. What it takes of the processors the receiver does not
// have: calls are written before the clock runs, and answers are read without a client that keeps books.
func hookLoad(args []string, m *measure) error {
	clients, err := strconv.Atoi(args[1])
	requests, err2 := strconv.Atoi(args[2])
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	calls := make([][]byte, requests)
	for i := range calls {
		body := event(int64(i + 1))
		calls[i] = fmt.Appendf(nil, "POST /webhook HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			args[0], hookSecret, len(body), body)
	}
	conns := make([]net.Conn, clients)
	for c := range conns {
		if conns[c], err = net.Dial("tcp", args[0]); err != nil {
			return err
		}
		defer func() { _ = conns[c].Close() }() // all answers are there
	}
	var next atomic.Int64
	took := make([][]time.Duration, clients)
	errs := make([]error, clients)
	var wait sync.WaitGroup
	begun := time.Now()
	for c, conn := range conns {
		wait.Go(func() {
			answers := bufio.NewReader(conn)
			for errs[c] == nil {
				n := next.Add(1)
				if n > int64(requests) {
					return
				}
				begun := time.Now()
				errs[c] = call(conn, answers, calls[n-1])
				took[c] = append(took[c], time.Since(begun))
			}
		})
	}
	wait.Wait()
	m.Seconds = time.Since(begun).Seconds()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	m.tell("requests/s", float64(requests)/m.Seconds, "")
	m.tell("p99", atMost(slices.Concat(took...), 99), "ms")
	return nil
}

// call sends a call and reads its answer.
func call(conn net.Conn, answers *bufio.Reader, text []byte) error {
	if _, err := conn.Write(text); err != nil {
		return err
	}
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err = errors.Join(err, res.Body.Close()); err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered with %s", res.Status)
	}
	return err
}

// event returns an order as the platform tells of it, of 4 KB.
func event(n int64) []byte {
	items := make([]string, 0, 20)
	for i := range 20 {
		items = append(items, fmt.Sprintf(`{"_id":"%d-%d","sku":"%08d","name":"Galletitas de limón","barcode":["%s"],`+
			`"pricing":{"quantity":%d,"unit_price":%d.5,"pricing_type":"UNIT"},"status":"IN_CART","comment":""}`, n, i, i, ean(i), i%3+1, 90+i))
	}
	return fmt.Appendf(nil, `{"order_id":"bench-%d","external_order_id":"%d","status":"RECEIVED","client":{"store_id":"290000","chain_id":%q},`+
		`"customer":{"first_name":"Sentinela","phone_number":"0"},"payment":{"order_total":%d.5},"items":[%s],"sys":{"created_at":"2026-11-22T12:00:00Z"}}`,
		n, n, chain, n%1000, strings.Join(items, ","))
}

// hookKeep is the inbox over the real store, without what comes after it.
func hookKeep(args []string, _ *measure) (err error) {
	ctx, cancel := context.WithCancel(context.Background())
	st, err := store.Open(ctx, args[0])
	if err != nil {
		cancel()
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	s, err := inbox.New(inbox.Config{
		Listen: "127.0.0.1:0", Path: "/webhook", Keeper: st, Secrets: []func() (string, error){func() (string, error) { return hookSecret, nil }},
	})
	if err != nil {
		cancel()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	err = untilStopped(s.Addr())
	cancel()
	return errors.Join(err, <-ended)
}

// together makes one commit of what many callers want kept at the same time, in the order in which they came.
type together struct {
	queue chan waiting
	keep  func(bodies [][]byte) error
}

// waiting is a body whose sender waits.
type waiting struct {
	body []byte
	done chan error
}

func (t *together) run() {
	for w := range t.queue {
		batch, bodies := []waiting{w}, [][]byte{w.body}
		for more := true; more && len(batch) < 256; {
			select {
			case w := <-t.queue:
				batch, bodies = append(batch, w), append(bodies, w.body)
			default:
				more = false
			}
		}
		err := t.keep(bodies)
		for _, w := range batch {
			w.done <- err
		}
	}
}

// ServeHTTP implements http.Handler.
func (t *together) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		one := waiting{body, make(chan error, 1)}
		t.queue <- one
		err = <-one.done
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// receive answers when keep has kept what came, and knows nothing else.
func receive(keep func([][]byte) error) error {
	t := &together{queue: make(chan waiting), keep: keep}
	go t.run()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: t, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }() // until it is closed
	return errors.Join(untilStopped(l.Addr()), s.Close())
}

// hookGroupCommit keeps events in a table of a database.
func hookGroupCommit(args []string, _ *measure) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(args[0], "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE events (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`); err != nil {
		return err
	}
	err = receive(func(bodies [][]byte) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // does nothing after the commit
		add, err := tx.Prepare(`INSERT INTO events (body) VALUES ($1)`)
		if err != nil {
			return err
		}
		defer func() { _ = add.Close() }() // the commit tells
		for _, body := range bodies {
			if _, err := add.Exec(body); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
	return errors.Join(err, db.Close())
}

// hookAppend keeps events in a file.
func hookAppend(args []string, _ *measure) error {
	f, err := os.Create(filepath.Join(args[0], "events"))
	if err != nil {
		return err
	}
	err = receive(func(bodies [][]byte) error {
		_, err := f.Write(bytes.Join(bodies, []byte("\n")))
		return errors.Join(err, f.Sync())
	})
	return errors.Join(err, f.Close())
}

// runForHooks starts gondola itself.
func (b *bench) runForHooks(ctx context.Context, dir string) (*server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	h := house{dir: dir, hook: addr}
	if err := h.write(); err != nil {
		return nil, err
	}
	return start(ctx, addr, h.log(), b.gondola, "run", "--log-level", "warn", "--config", h.config())
}

// runWebhook starts adnanh/webhook, which keeps nothing itself: it runs a command for each event.
func (b *bench) runWebhook(ctx context.Context, dir string) (*server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	hooks, err := json.Marshal([]map[string]any{{
		"id": "webhook", "execute-command": b.script("keep.sh"), "command-working-directory": dir, "include-command-output-in-response": true,
		"pass-arguments-to-command": []map[string]string{{"source": "entire-payload"}},
	}})
	path := filepath.Join(dir, "hooks.json")
	if err := errors.Join(err, os.WriteFile(path, hooks, 0o600), os.Chmod(b.script("keep.sh"), 0o755)); err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return start(ctx, addr, io.Discard, b.peers.path("webhook"), "-hooks", path, "-ip", host, "-port", port, "-urlprefix", "")
}
