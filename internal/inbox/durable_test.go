package inbox_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/inbox"
	"gondola/internal/store"
)

const madeUpSecret = "invented for the tests"

// childVar makes this binary the server that is killed.
const childVar = "GONDOLA_INBOX_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child serves on the state in a folder until it is killed.
func child(dir string) error {
	st, err := store.Open(context.Background(), dir)
	if err != nil {
		return err
	}
	s, err := newServer(st)
	if err != nil {
		return err
	}
	fmt.Println(s.Addr())
	return s.Run(context.Background())
}

func newServer(k inbox.Keeper) (*inbox.Server, error) {
	return inbox.New(inbox.Config{
		Listen: "127.0.0.1:0", Path: "/webhook", Keeper: k,
		Secrets: []func() (string, error){func() (string, error) { return madeUpSecret, nil }},
	})
}

func newTestStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// run serves until the test ends and returns the address.
func run(t testing.TB, k inbox.Keeper) string {
	t.Helper()
	s, err := newServer(k)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr().String() + "/webhook"
}

func post(client *http.Client, url, body string) (int, error) {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", madeUpSecret)
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// all returns what is kept, by digest.
func all(t *testing.T, st *store.Store) map[[32]byte]string {
	t.Helper()
	events, err := st.DueEvents(t.Context(), time.Now().Add(time.Hour), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[[32]byte]string{}
	for _, e := range events {
		kept[sha256.Sum256(e.Body)] = string(e.Body)
	}
	if len(kept) != len(events) {
		t.Errorf("%d events are kept of %d bodies", len(events), len(kept))
	}
	return kept
}

// TestKillAfterAnswer kills the server while many send: every event that was answered with 200 is there afterwards.
func TestKillAfterAnswer(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVar+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		addr, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		var mu sync.Mutex
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
		for c := range 16 {
			wait.Go(func() {
				for i := 0; ; i++ {
					body := fmt.Sprintf(`{"made up": "%d %d %d"}`, round, c, i/2) // each is sent twice
					code, err := post(client, "http://"+strings.TrimSpace(addr)+"/webhook", body)
					if err != nil {
						return
					}
					if code == http.StatusOK {
						mu.Lock()
						acknowledged[body] = true
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(100+37*round) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		wait.Wait()
		client.CloseIdleConnections()
		_ = cmd.Wait() // it was killed
	}
	kept := all(t, newTestStore(t, dir))
	if len(acknowledged) < 100 {
		t.Fatalf("only %d were acknowledged: nothing is proved", len(acknowledged))
	}
	for body := range acknowledged {
		if _, is := kept[sha256.Sum256([]byte(body))]; !is {
			t.Errorf("acknowledged and not kept: %s", body)
		}
	}
	t.Logf("%d acknowledged, %d kept", len(acknowledged), len(kept))
}

// TestRepeats sends one event over and over, also at once: it is kept once.
func TestRepeats(t *testing.T) {
	st := newTestStore(t, t.TempDir())
	url := run(t, st)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 5 {
				if code, err := post(client, url, `{"made up": true}`); code != http.StatusOK {
					t.Errorf("%d, %v", code, err)
				}
			}
		})
	}
	wait.Wait()
	if kept := all(t, st); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
	state, err := st.Inbox(t.Context())
	if err != nil || state.Accepted.N != 1 || state.Repeats.N != 39 || state.Waiting != 1 {
		t.Errorf("%+v, %v", state, err)
	}
}

// TestDrain hands on what came: in order, what fails again later and without keeping others waiting, what is no good never again.
func TestDrain(t *testing.T) {
	st := newTestStore(t, t.TempDir())
	now := time.UnixMilli(1_700_000_000_000)
	for _, body := range []string{"one", "broken", "two", "busy", "three"} {
		e := inbox.Event{Digest: sha256.Sum256([]byte(body)), Body: []byte(body), At: now}
		if err := st.AcceptEvents(t.Context(), []inbox.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	var handled []string
	busy := true
	d := inbox.Drain{Queue: st, Now: func() time.Time { return now }, Log: discard, Handle: func(ctx context.Context, events []inbox.Event) error {
		for _, e := range events {
			switch string(e.Body) {
			case "broken":
				return &inbox.Aside{Reason: "malformed", Err: errors.New("unexpected end")}
			case "busy":
				if busy {
					return errors.New("busy")
				}
			}
		}
		for _, e := range events {
			if err := st.EventHandled(ctx, e.ID, "order", now); err != nil {
				return err
			}
			handled = append(handled, string(e.Body))
		}
		return nil
	}}
	flush := func(want string) {
		t.Helper()
		if err := d.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(handled, " "); got != want {
			t.Errorf("handled: %s, want %s", got, want)
		}
	}
	flush("one two three")
	flush("one two three")
	state, err := st.Inbox(t.Context())
	if err != nil || state.Waiting != 1 || state.Failing != 1 || state.Aside["malformed"].N != 1 {
		t.Errorf("%+v, %v", state, err)
	}
	busy = false
	flush("one two three") // not due yet
	now = now.Add(time.Second)
	flush("one two three busy")
	aside, err := st.AsideEvents(t.Context(), 10)
	if err != nil || len(aside) != 1 || aside[0].Reason != "malformed" || aside[0].Detail != "unexpected end" || aside[0].Size != 6 {
		t.Errorf("%+v, %v", aside, err)
	}
}

// TestDrainGivesUp puts aside what failed for a day.
func TestDrainGivesUp(t *testing.T) {
	st := newTestStore(t, t.TempDir())
	begun := time.UnixMilli(1_700_000_000_000)
	now := begun
	if err := st.AcceptEvents(t.Context(), []inbox.Event{{Body: []byte("never"), At: now}}); err != nil {
		t.Fatal(err)
	}
	tries := 0
	d := inbox.Drain{Queue: st, Now: func() time.Time { return now }, Log: discard, Handle: func(context.Context, []inbox.Event) error {
		tries++
		return errors.New("never")
	}}
	for {
		if err := d.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		state, err := st.Inbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if state.Aside[inbox.ReasonFailed].N == 1 {
			break
		}
		now = now.Add(2 * time.Minute)
	}
	if took := now.Sub(begun); took < 20*time.Hour || took > 28*time.Hour || tries > 60 {
		t.Errorf("gave up after %s and %d attempts", took, tries)
	}
}

// TestForget removes what people said when its time has come, and knows the event again for as long once more.
func TestForget(t *testing.T) {
	st := newTestStore(t, t.TempDir())
	day := func(n int) time.Time { return time.UnixMilli(1_700_000_000_000).Add(time.Duration(n) * 24 * time.Hour) }
	e := inbox.Event{Digest: sha256.Sum256([]byte("somebody")), Body: []byte("somebody"), At: day(0)}
	repeats := func() int64 {
		t.Helper()
		if err := st.AcceptEvents(t.Context(), []inbox.Event{e}); err != nil {
			t.Fatal(err)
		}
		state, err := st.Inbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return state.Repeats.N
	}
	forget := func(now time.Time) {
		t.Helper()
		if _, err := st.ForgetEvents(t.Context(), now.AddDate(0, 0, -60), now.AddDate(0, 0, -120)); err != nil {
			t.Fatal(err)
		}
	}
	repeats()
	forget(day(90)) // nothing that still waits is forgotten
	if kept := all(t, st); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
	if err := st.PutEventAside(t.Context(), 1, &inbox.Aside{Reason: "malformed"}, day(1)); err != nil {
		t.Fatal(err)
	}
	forget(day(62))
	if n := repeats(); n != 1 {
		t.Errorf("%d repeats, want 1", n)
	}
	forget(day(122))
	if n := repeats(); n != 1 {
		t.Errorf("%d repeats, want 1: everything about it is gone", n)
	}
}

// TestSampleHidesNoOrder has somebody try the way with an order that the platform then sends: the order is handed on.
func TestSampleHidesNoOrder(t *testing.T) {
	st := newTestStore(t, t.TempDir())
	at := time.UnixMilli(1_700_000_000_000)
	e := inbox.Event{Digest: sha256.Sum256([]byte("order")), Body: []byte("order"), At: at, Test: true}
	accept := func(test bool, at time.Time) {
		t.Helper()
		e.Test, e.At = test, at
		if err := st.AcceptEvents(t.Context(), []inbox.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	accept(true, at)
	accept(true, at)
	if _, err := st.ForgetEvents(t.Context(), at.Add(time.Hour), at); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // the platform's, its repeat, and one more sample
		accept(i == 2, at.Add(2*time.Hour))
		due, err := st.DueEvents(t.Context(), at.Add(2*time.Hour), 10)
		if err != nil || len(due) != 1 || string(due[0].Body) != "order" || !due[0].At.Equal(at.Add(2*time.Hour)) {
			t.Errorf("due: %+v, %v", due, err)
		}
	}
	state, err := st.Inbox(t.Context())
	if err != nil || state.Accepted.N != 1 || state.Repeats.N != 1 || !state.Repeats.Last.Equal(at.Add(2*time.Hour)) {
		t.Errorf("%+v, %v", state, err)
	}
}

// TestClockSetBack has an event fail while the clock is years ahead: it is not left alone for years.
func TestClockSetBack(t *testing.T) {
	st := newTestStore(t, t.TempDir())
	now := time.UnixMilli(1_900_000_000_000)
	if err := st.AcceptEvents(t.Context(), []inbox.Event{{Body: []byte("order"), At: now}}); err != nil {
		t.Fatal(err)
	}
	tries := 0
	d := inbox.Drain{Queue: st, Now: func() time.Time { return now }, Log: discard, Handle: func(context.Context, []inbox.Event) error {
		tries++
		return errors.New("busy")
	}}
	for _, at := range []int64{1_900_000_000_000, 1_700_000_000_000} {
		now = time.UnixMilli(at)
		if err := d.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if tries != 2 {
		t.Errorf("%d attempts, want 2", tries)
	}
}

// TestCancelledCommits ends transactions at every moment: what was acknowledged is there, and the database goes on.
func TestCancelledCommits(t *testing.T) {
	st := newTestStore(t, t.TempDir())
	acknowledged := map[[32]byte]bool{}
	refused := 0
	begun := time.Now()
	for i := 0; time.Since(begun) < time.Second/2; i++ {
		var events []inbox.Event
		for n := range 20 {
			body := []byte(fmt.Sprint(i, " ", n, strings.Repeat(" ", 2000)))
			events = append(events, inbox.Event{Digest: sha256.Sum256(body), Body: body, At: begun})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%100)*50*time.Microsecond)
		err := st.AcceptEvents(ctx, events)
		cancel()
		if err != nil {
			refused++
			continue
		}
		for _, e := range events {
			acknowledged[e.Digest] = true
		}
	}
	if err := st.AcceptEvents(t.Context(), []inbox.Event{{Body: []byte("last"), At: begun}}); err != nil {
		t.Fatal(err)
	}
	for digest := range acknowledged {
		if is, err := st.HasEvent(t.Context(), digest); err != nil || !is {
			t.Fatalf("an event was acknowledged and is not there: %v", err)
		}
	}
	if len(acknowledged) == 0 || refused == 0 {
		t.Errorf("%d acknowledged, %d refused", len(acknowledged), refused)
	}
}

// TestLargeEventsComeApart keeps many large bodies: they are handed on, and never all in memory at once.
func TestLargeEventsComeApart(t *testing.T) {
	st := newTestStore(t, t.TempDir())
	now := time.UnixMilli(1_700_000_000_000)
	body := make([]byte, 6<<20)
	for i := range 5 {
		body[0] = byte(i)
		if err := st.AcceptEvents(t.Context(), []inbox.Event{{Digest: sha256.Sum256(body), Body: body, At: now}}); err != nil {
			t.Fatal(err)
		}
	}
	handled := 0
	d := inbox.Drain{Queue: st, Now: func() time.Time { return now }, Log: discard, Handle: func(ctx context.Context, events []inbox.Event) error {
		if len(events) > 3 {
			t.Errorf("%d large events at once", len(events))
		}
		for _, e := range events {
			handled++
			if err := st.EventHandled(ctx, e.ID, "order", now); err != nil {
				return err
			}
		}
		return nil
	}}
	if err := d.Flush(t.Context()); err != nil || handled != 5 {
		t.Errorf("%d handled, %v", handled, err)
	}
}
