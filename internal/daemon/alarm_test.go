package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/alert"
	"gondola/internal/config"
	"gondola/internal/outbox"
)

var update = flag.Bool("update", false, "write the golden files anew; read the difference before keeping them")

// alarmSecret is in the addresses of every receiver here.
const alarmSecret = "hidden-t0ken"

// receiver is an alarm service. How it answers can be changed.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []string
	bodies []string
	handle func(w http.ResponseWriter, r *http.Request) // nil = 200
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		handle := r.handle
		said := strings.TrimPrefix(strings.TrimPrefix(req.URL.Path, "/ping/"+alarmSecret), "/")
		if strings.HasPrefix(req.URL.Path, "/post/") {
			said = stateIn(body)
		}
		r.got, r.bodies = append(r.got, req.URL.Path[1:5]+" "+said), append(r.bodies, string(body))
		r.mu.Unlock()
		if handle != nil {
			handle(w, req)
		}
	}))
	t.Cleanup(r.Close)
	t.Setenv("GONDOLA_TEST_PING", r.URL+"/ping/"+alarmSecret)
	t.Setenv("GONDOLA_TEST_POST", r.URL+"/post/"+alarmSecret)
	return r
}

// stateIn returns the state that a post tells, with the keys of its problems.
func stateIn(body []byte) string {
	var m struct {
		State    string
		Problems []struct{ Key string }
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return err.Error()
	}
	for _, p := range m.Problems {
		m.State += " " + p.Key
	}
	return m.State
}

// answer makes the service answer so from now on.
func (r *receiver) answer(handle func(w http.ResponseWriter, r *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handle = handle
}

// heard returns what was told since the last call.
func (r *receiver) heard() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := strings.Join(r.got, ", ")
	r.got = nil
	return got
}

const (
	alarmPing = `alerts: [{ping: "env:GONDOLA_TEST_PING"}]`
	alarmPost = `alerts: [{post: "env:GONDOLA_TEST_POST"}]`
)

// alarmed is a house with alarms, on a clock that only the test moves.
type alarmed struct {
	*caseRun
	*receiver
	log bytes.Buffer
}

func newAlarmed(t *testing.T, rest string) *alarmed {
	t.Helper()
	a := &alarmed{receiver: newReceiver(t)}
	a.caseRun = newRules(t, oneFullFeed, rest)
	if err := os.MkdirAll(a.house.feeds[0].Drop, 0o755); err != nil {
		t.Fatal(err)
	}
	a.reopen()
	return a
}

// reopen starts the house again, with a log.
func (a *alarmed) reopen() {
	a.Helper()
	cfg := a.house.cfg
	a.close()
	var err error
	log := slog.New(slog.NewTextHandler(&a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if a.house, err = Open(context.Background(), cfg, Options{Now: func() time.Time { return a.clock }, Log: log}); err != nil {
		a.Fatal(err)
	}
}

// slot lets a slot come by and sends.
func (a *alarmed) slot() {
	a.Helper()
	if err := a.house.store.RecordSlot(a.Context(), a.house.timetables[0].name, a.clock, a.house.targetNames(), false); err != nil {
		a.Fatal(err)
	}
	a.send()
}

func (a *alarmed) send() {
	a.Helper()
	if err := a.house.planDue(a.Context()); err != nil {
		a.Fatal(err)
	}
	if _, err := a.house.flush(a.Context()); err != nil {
		a.Fatal(err)
	}
}

// look looks for alarms and compares what was told.
func (a *alarmed) look(what, want string) {
	a.Helper()
	if err := a.house.lookForAlarms(context.Background()); err != nil {
		a.Error(err)
	}
	if got := a.heard(); got != want {
		a.Errorf("%s: told %q, want %q", what, got, want)
	}
}

// TestRefusedLoginIsToldOnce goes through a wrong password, two restarts, and the right one, and looks for secrets in the log.
func TestRefusedLoginIsToldOnce(t *testing.T) {
	for way, want := range map[string][3]string{
		alarmPost: {"post stopped server", "post ok", ""},
		alarmPing: {"ping start, ping fail", "ping ", "ping start, ping "},
	} {
		t.Run(way, func(t *testing.T) {
			a := newAlarmed(t, way)
			a.look("at the start", "")
			a.export("full", articles(3, 0, "10.50"))
			t.Setenv("GONDOLA_CASE_PASSWORD", "not-this-one")
			a.clock = a.clock.Add(time.Minute)
			a.slot()
			a.look("the password is wrong", want[0])
			a.clock = a.clock.Add(time.Minute)
			a.look("nothing has changed", "")
			a.reopen()
			a.look("after a start", "")
			t.Setenv("GONDOLA_CASE_PASSWORD", casePassword)
			a.reopen()
			a.send()
			a.look("the password is right", want[1])
			a.look("nothing has changed", "")
			a.clock = a.clock.Add(time.Minute)
			a.slot()
			a.look("the next slot", want[2])
			for _, secret := range []string{alarmSecret, "not-this-one", casePassword, strings.TrimPrefix(a.URL, "http://")} {
				if strings.Contains(a.log.String(), secret) {
					t.Errorf("the log shows %q:\n%s", secret, a.log.String())
				}
			}
			if !strings.Contains(a.log.String(), "alarm told") {
				t.Errorf("the log does not say who was told:\n%s", a.log.String())
			}
		})
	}
}

// TestOutageIsToldWhenItLasts has the server away for hours, with an attempt a minute.
func TestOutageIsToldWhenItLasts(t *testing.T) {
	a := newAlarmed(t, alarmPost)
	a.export("full", articles(3, 0, "10.50"))
	dial := a.house.outbox.Dial
	attempts := 0
	a.house.outbox.Dial = func(context.Context) (outbox.Remote, error) {
		attempts++
		return nil, fmt.Errorf("connect: attempt %d: no route to host", attempts)
	}
	a.look("at the start", "")
	a.slot()
	began := a.clock
	for a.clock.Sub(began) < 3*time.Hour {
		want := ""
		if a.clock.Sub(began) == 15*time.Minute {
			want = "post failing server"
		}
		a.look(a.clock.Sub(began).String(), want)
		a.clock = a.clock.Add(time.Minute)
		a.send()
	}
	if attempts < 10 {
		t.Errorf("only %d attempts were made", attempts)
	}
	a.house.outbox.Dial = dial
	a.clock = a.clock.Add(time.Hour)
	a.send()
	a.look("it is back", "post ok")
}

// TestCrashBetweenChangeAndPost ends the process at the two moments that matter: nothing is lost, and no more than the message that
// was on its way is doubled.
func TestCrashBetweenChangeAndPost(t *testing.T) {
	a := newAlarmed(t, alarmPost)
	a.look("at the start", "")
	a.export("full", articles(3, 0, "10.50"))
	t.Setenv("GONDOLA_CASE_PASSWORD", "not-this-one")
	a.slot()
	// The state is known, and nobody was told yet.
	gone, cancel := context.WithCancel(context.Background())
	a.answer(func(http.ResponseWriter, *http.Request) {
		cancel() // the process ends while the message is there and its answer is not
		panic(http.ErrAbortHandler)
	})
	if err := a.house.lookForAlarms(gone); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := a.heard(); got != "post stopped server" {
		t.Errorf("told %q", got)
	}
	a.answer(nil)
	a.reopen()
	a.look("after the crash", "post stopped server")
	a.reopen()
	a.look("after another start", "")
}

// TestServiceThatIsDown has the service away while things change and change again. The newest state is told when it is back.
func TestServiceThatIsDown(t *testing.T) {
	a := newAlarmed(t, `alerts: [{post: "env:GONDOLA_TEST_POST"}, {ping: "env:GONDOLA_TEST_PING"}]`)
	a.look("at the start", "")
	a.export("full", articles(3, 0, "10.50"))
	a.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	t.Setenv("GONDOLA_CASE_PASSWORD", "not-this-one")
	a.slot()
	tries := 0
	for range 100 {
		if err := a.house.lookForAlarms(t.Context()); err != nil {
			t.Fatal(err)
		}
		tries += strings.Count(a.heard(), "post")
		a.clock = a.clock.Add(3 * time.Second)
	}
	if tries < 3 || tries > 8 {
		t.Errorf("%d attempts in five minutes", tries)
	}
	s, err := a.house.Status(t.Context())
	if err != nil || !strings.Contains(encode(s.Problems), `"alarm/alerts[0]"`) || strings.Contains(encode(s), alarmSecret) {
		t.Errorf("status: %s, %v", encode(s.Problems), err)
	}
	a.reopen()
	a.answer(nil)
	a.look("not its turn yet", "")
	a.clock = a.clock.Add(20 * time.Minute)
	if err := a.house.lookForAlarms(t.Context()); err != nil {
		t.Error(err)
	}
	if got := a.heard(); !strings.Contains(got, "post stopped server") || !strings.Contains(got, "ping start, ") || !strings.Contains(got, "ping fail") {
		t.Errorf("told %q when it was back", got)
	}
	// It goes away, all becomes well meanwhile, and it comes back more than a day later: it is told all the same, within hours.
	a.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	t.Setenv("GONDOLA_CASE_PASSWORD", casePassword)
	a.send()
	for range 60 {
		a.clock = a.clock.Add(30 * time.Minute)
		if err := a.house.lookForAlarms(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a.heard()
	a.answer(nil)
	a.clock = a.clock.Add(alert.LongestRetry)
	if err := a.house.lookForAlarms(t.Context()); err != nil {
		t.Error(err)
	}
	// Both are told at once, in no order.
	if got := a.heard(); got != "post ok, ping " && got != "ping , post ok" {
		t.Errorf("back after more than a day: told %q, want the post and the ping", got)
	}
	a.clock = a.clock.Add(30 * time.Minute)
	a.slot()
	if err := a.house.lookForAlarms(t.Context()); err != nil {
		t.Error(err)
	}
	if got := a.heard(); got != "ping start, ping " {
		t.Errorf("told %q at the next slot", got)
	}
}

// TestAddressThatCannotBeRead has a secret go and come back: whom it is about is told nothing twice.
func TestAddressThatCannotBeRead(t *testing.T) {
	a := newAlarmed(t, alarmPost)
	a.export("full", articles(3, 0, "10.50"))
	t.Setenv("GONDOLA_CASE_PASSWORD", "not-this-one")
	a.slot()
	a.look("the password is wrong", "post stopped server")
	address := os.Getenv("GONDOLA_TEST_POST")
	t.Setenv("GONDOLA_TEST_POST", "")
	a.look("nobody to tell", "")
	t.Setenv("GONDOLA_TEST_POST", address)
	a.look("again somebody", "")
	t.Setenv("GONDOLA_TEST_POST", address+"/other")
	a.look("somebody else", "post stopped server")
	if rows, err := a.house.store.AlertTargets(t.Context()); err != nil || len(rows) != 1 {
		t.Errorf("%d targets are remembered, %v", len(rows), err)
	}
}

// TestHangingTargetKeepsNobodyWaiting has one of two services take a message and not answer.
func TestHangingTargetKeepsNobodyWaiting(t *testing.T) {
	a := newAlarmed(t, `alerts: [{ping: "env:GONDOLA_TEST_PING"}, {post: "env:GONDOLA_TEST_POST"}]`)
	told := make(chan struct{})
	a.answer(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/post/") {
			close(told)
			return
		}
		<-r.Context().Done()
	})
	a.export("full", articles(3, 0, "10.50"))
	t.Setenv("GONDOLA_CASE_PASSWORD", "not-this-one")
	a.slot()
	ctx, stop := context.WithCancel(t.Context())
	looked := make(chan error, 1)
	go func() { looked <- a.house.lookForAlarms(ctx) }()
	<-told
	stop()
	if err := <-looked; err != nil {
		t.Error(err)
	}
	if rows, err := a.house.store.AlertTargets(t.Context()); err != nil || len(rows) != 2 || rows[0].Failures != 0 {
		t.Errorf("what is remembered: %+v, %v", rows, err)
	}
}

// TestAlarmWords makes everything wrong at once, in each language, and compares what is posted.
func TestAlarmWords(t *testing.T) {
	for _, language := range []string{"es", "pt", "en"} {
		t.Run(language, func(t *testing.T) {
			a := newAlarmed(t, alarmPost+"\nalerts_after: 0s\nbrake: {min_rows: 1, equal_prices: off}")
			a.export("full", articles(10, 0, "10.50"))
			a.push(false)
			a.restart(func(c *config.Config) { c.Chain.Language = language })
			a.export("full", articles(10, 0, "11.50"))
			a.export("full", articles(2, 0, "11.50")) // held
			a.slotOnly()
			waiting, err := a.house.store.Waiting(t.Context())
			if err != nil || len(waiting) != 1 {
				t.Fatalf("waiting: %+v, %v", waiting, err)
			}
			id := waiting[0].ID
			a.everythingWrong(true)
			a.look("", "post failing held/full/1 folder/full trouble/send answers/"+a.house.feeds[0].Drop)
			a.everythingWrong(false)
			a.clock = a.clock.Add(time.Hour)
			a.look("", "")
			a.clock = a.clock.Add(time.Hour) // what only loops know lingers
			if _, err := a.house.Approve(t.Context(), 3, nil, "ana"); err != nil {
				t.Fatal(err)
			}
			a.look("", "post ok")
			for _, class := range []outbox.Class{
				outbox.Transient, outbox.HostKey, outbox.Permission, outbox.NoSpace, outbox.Foreign, outbox.Local, "unheard of",
			} {
				a.fail(a.house.queue.Deferred(t.Context(), id, a.clock, class, "the server's words"))
			}
			a.fail(a.house.queue.SetHold(t.Context(), &outbox.Hold{Class: outbox.Credentials, Text: "the server's words", At: a.clock}))
			a.fail(a.house.queue.Parked(t.Context(), id, outbox.Local, "the disk's words"))
			a.fail(a.house.queue.SetHold(t.Context(), nil))
			got := strings.ReplaceAll(strings.Join(a.bodies, ""), a.work, "$WORK")
			golden := filepath.Join("testdata", "alarm."+language+".json")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("posts (-want +got):\n%s", diff)
			}
		})
	}
}

// slotOnly makes the plans of a slot and sends nothing.
func (a *alarmed) slotOnly() {
	a.Helper()
	a.clock = a.clock.Add(time.Minute)
	if err := a.house.store.RecordSlot(a.Context(), a.house.timetables[0].name, a.clock, a.house.targetNames(), false); err != nil {
		a.Fatal(err)
	}
	if err := a.house.planDue(a.Context()); err != nil {
		a.Fatal(err)
	}
}

// everythingWrong breaks, or mends, what has nothing to do with the server.
func (a *alarmed) everythingWrong(is bool) {
	a.Helper()
	drop := a.house.feeds[0].Drop
	problem, trouble := "", ""
	delete(a.house.answers[drop].slow, 1)
	if is {
		problem, trouble = "open folder: permission denied", "write document: no space left on device"
		a.house.answers[drop].slow[1] = lateReceipt{why: "write answer: read-only file system"}
	}
	if err := a.house.store.SetFact(a.Context(), watchFact, encode(map[string]FeedStatus{drop: {Problem: problem}})); err != nil {
		a.Fatal(err)
	}
	a.house.troubles.note("send", trouble)
}

// fail looks after something has failed.
func (a *alarmed) fail(err error) {
	a.Helper()
	a.clock = a.clock.Add(time.Second)
	if err := errors.Join(err, a.house.lookForAlarms(a.Context())); err != nil {
		a.Fatal(err)
	}
}

// TestLittleSpace is told of with numbers.
func TestLittleSpace(t *testing.T) {
	a := newAlarmed(t, alarmPost)
	a.house.cfg.State.MinFree = 1 << 62
	s, err := a.house.Status(t.Context())
	if err != nil || len(s.Problems) != 1 || s.Problems[0].Key != "disk" || s.State != "ok" {
		t.Fatalf("problems: %s, %v", encode(s.Problems), err)
	}
	if text := s.Problems[0].Text; !strings.Contains(text, a.house.cfg.State.Dir) || !strings.Contains(text, "state.min_free") {
		t.Errorf("text: %s", text)
	}
}

// TestOncePings does everything once, twice: with a service that takes its time, and with one that is not there.
func TestOncePings(t *testing.T) {
	r := newReceiver(t)
	l := newLive(t, liveOptions{})
	l.stop()
	l.put("precios.csv", liveExport)
	l.cfg.Alerts = parsedAlerts(t)
	once := func() Outcome {
		t.Helper()
		h, err := Open(t.Context(), l.cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := h.Once(t.Context())
		if err := errors.Join(err, h.Close()); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := once(); out.Verified != 2 {
		t.Errorf("outcome: %+v", out)
	}
	if got := r.heard(); got != "ping start, ping " {
		t.Errorf("told %q", got)
	}
	r.Close()
	if out := once(); out.Remote != "" {
		t.Errorf("a service that is not there failed the run: %+v", out)
	}
}

// parsedAlerts returns the alerts of a config with a ping and a post.
func parsedAlerts(t *testing.T) []config.Alert {
	t.Helper()
	text := fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056"}]
sftp: {host: x, user: x, password: "env:GONDOLA_CASE_PASSWORD", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds: [{name: x, drop: %q, vendor: all}]
alerts: [{ping: "env:GONDOLA_TEST_PING"}, {post: "env:GONDOLA_TEST_POST"}]
`, t.TempDir())
	cfg, err := config.Parse("config.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Alerts
}

// TestAlarmServiceThatHangs sends, and stops at once, while a service takes messages and never answers; the page shows how it stands.
func TestAlarmServiceThatHangs(t *testing.T) {
	r := newReceiver(t)
	r.answer(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	l := newLive(t, liveOptions{})
	l.stop()
	l.cfg.Alerts, l.cfg.Web.Listen = parsedAlerts(t), "127.0.0.1:0"
	// Held from the start, so that there is something to tell.
	l.writeFile("password", "not-this-one")
	l.start()
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.await("a message under way", func() bool { return r.heard() != "" })
	l.await("the page to say so", func() bool { return strings.Contains(l.get("/"), "No se envía nada hasta que alguien lo arregle") })
	l.writeFile("password", casePassword)
	l.awaitEvent(EventSent, 2)
	l.await("the page to say so", func() bool { return strings.Contains(l.get("/status.json"), `"verified"`) })
	if got := l.get("/healthz"); got != "ok\n" {
		t.Errorf("health: %q", got)
	}
	page := l.get("/")
	for _, want := range []string{"Centro", "Puerto", "1 precios.csv", "leído"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	var s Status
	if err := json.Unmarshal([]byte(l.get("/status.json")), &s); err != nil || !s.Running || len(s.Stores) != 2 {
		t.Errorf("status: %+v, %v", s, err)
	}
	if _, err := Open(t.Context(), l.cfg, Options{Serve: true}); err == nil {
		t.Error("two houses on one state")
	}
	began := time.Now()
	l.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %s", took)
	}
}

// get returns what the page answers.
func (l *live) get(path string) string {
	res, err := http.Get("http://" + l.house.PageAddr() + path) //nolint:noctx // a test that ends anyway
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// TestPortOfThePageIsTaken says which key to change, and leaves the state free.
func TestPortOfThePageIsTaken(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	cfg := c.house.cfg
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	c.close()
	cfg.Web.Listen = strings.TrimPrefix(taken.URL, "http://")
	if _, err := Open(t.Context(), cfg, Options{Serve: true}); err == nil || !strings.Contains(err.Error(), "web.listen") {
		t.Errorf("error %v", err)
	}
	cfg.Web.Listen = ""
	c.open(cfg)
}
