//go:build !windows

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gondola/internal/daemon"
	"gondola/internal/sandbox"
)

// reloadRun is the real daemon beside a simulated platform, and the config that it runs by.
type reloadRun struct {
	*killRun
	address string // of the webhook
	page    string
	alarms  string // where alarms go
}

// newReloadRun starts a platform on which every operation takes so long more.
func newReloadRun(t *testing.T, slow time.Duration) *reloadRun {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	r := &reloadRun{killRun: &killRun{T: t, dir: t.TempDir()}, address: freeAddress(t), page: freeAddress(t)}
	r.binary = buildBinary(t)
	o := sandbox.Options{Dir: t.TempDir(), User: "gondola", Password: "invented for the reload test"}
	o.Limits.Delay = slow
	for _, id := range killVendors {
		o.Vendors = append(o.Vendors, sandbox.Vendor{ID: id, Articles: []sandbox.Article{{SKU: "A", Price: "1", Active: true}}})
	}
	var err error
	if r.platform, err = sandbox.Start(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.platform.Close() })
	for _, folder := range []string{"drop/full", "drop/more", "erp"} {
		r.write(folder+"/.keep", "")
	}
	t.Setenv("GONDOLA_RELOAD_PASSWORD", o.Password)
	t.Setenv("GONDOLA_RELOAD_SECRET", orderSecret)
	return r
}

// reloadConfig is what differs between the configs of a run.
type reloadConfig struct {
	vendors, schedule, more string
}

// configure writes a config as an editor does: whole, under another name, and then renamed.
func (r *reloadRun) configure(c reloadConfig) {
	r.Helper()
	host, port := r.platform.SFTPAddr()
	text := fmt.Sprintf(`
chain: {id: %s, time_zone: America/Montevideo}
vendors: [%s]
state: {dir: state, min_free: 1MB}
sftp: {host: %s, port: %d, user: gondola, password: "env:GONDOLA_RELOAD_PASSWORD", host_keys: ["%s"]}
drops: {settle: 100ms, quiet: 1s, scan: 1s}
feeds:
  - {name: full, drop: drop/full, export: full, vendor: {column: tienda}}
%s
send: {catalog: {schedule: "%s", full: "off"}}
brake: {min_rows: 100000, price_change: off}
orders:
  webhook: {listen: "%s", secrets: ["env:GONDOLA_RELOAD_SECRET"]}
  poll: {every: 0s}
  export: {dir: erp, format: json, on: [READY_FOR_PICKUP], on_change: ignore}
web: {listen: "%s"}
`, sandbox.DefaultChainID, c.vendors, host, port, r.platform.HostKey(), c.more, c.schedule, r.address, r.page)
	if r.alarms != "" {
		text += "alerts: [{post: \"" + r.alarms + "\"}]\n"
	}
	r.replace(text)
}

func (r *reloadRun) replace(text string) {
	r.Helper()
	r.write("config.yaml.new", text)
	if err := os.Rename(filepath.Join(r.dir, "config.yaml.new"), filepath.Join(r.dir, "config.yaml")); err != nil {
		r.Fatal(err)
	}
}

// command runs a command beside the daemon and returns its exit code, what it printed, and what it complained of.
func (r *reloadRun) command(args ...string) (code int, out, complaint string) {
	r.Helper()
	c := exec.Command(r.binary, append(args, "--config", filepath.Join(r.dir, "config.yaml"))...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if _, is := errors.AsType[*exec.ExitError](err); err != nil && !is {
		r.Fatal(err)
	}
	return c.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

func (r *reloadRun) status() (s daemon.Status, code int) {
	r.Helper()
	code, out, complaint := r.command("status", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		r.Fatalf("status: %v\n%s%s", err, out, complaint)
	}
	return s, code
}

// hangUp asks the daemon to read its config once more.
func (p *process) hangUp() {
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.r.Fatal(err)
	}
}

// end stops the daemon, which must end well.
func (p *process) end() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		if err := p.cmd.Wait(); err != nil {
			p.r.Errorf("the daemon ended: %v\n%s", err, p.out)
		}
	})
}

func (p *process) await(what string, true func() bool) {
	p.r.Helper()
	for deadline := time.Now().Add(time.Minute); !true(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.r.Fatalf("in vain: %s\n%s", what, p.out)
		}
	}
}

// awaitLog waits until the daemon has logged a text n times.
func (p *process) awaitLog(text string, n int) {
	p.r.Helper()
	p.await(fmt.Sprintf("%d times %q", n, text), func() bool { return strings.Count(p.out.String(), text) >= n })
}

// TestReloadFinishesWhatIsOnItsWay hangs up on the daemon while a file is half sent: it arrives once, and then stores, feeds and schedule
// are those of the new config.
func TestReloadFinishesWhatIsOnItsWay(t *testing.T) {
	r := newReloadRun(t, 150*time.Millisecond)
	r.configure(reloadConfig{vendors: "{id: s1}", schedule: "0 0 29 2 *"})
	d := r.start()
	defer d.end()
	d.awaitLog("started", 1)
	r.drop("full", "tienda;sku;precio\ns1;A;10,50\n")
	d.awaitLog("drop read", 1)
	if code, _, complaint := r.command("probe"); code != exitDone { // so that the daemon does not do it first
		t.Fatal(complaint)
	}
	r.push(false)
	opened := func() bool {
		for _, op := range r.platform.Operations() {
			if op.Kind == sandbox.OpOpenWrite && strings.Contains(op.Path, "gondola_") {
				return true
			}
		}
		return false
	}
	d.await("an upload under way", opened)
	if len(r.platform.Changes()) > 0 {
		t.Fatal("the file is there already: this run shows nothing")
	}
	r.configure(reloadConfig{
		vendors: "{id: s1}, {id: s2}", schedule: "0 5 * * *", more: "  - {name: more, drop: drop/more, export: partial, vendor: {column: tienda}}",
	})
	d.hangUp()
	d.awaitLog("config changed", 1)
	if n := strings.Count(d.out.String(), "delivery sent"); n != 1 {
		t.Errorf("%d deliveries before the change, want 1\n%s", n, d.out)
	}
	r.drop("more", "tienda;sku;precio\ns2;A;12,50\n")
	d.awaitLog("drop read", 2)
	r.push(true)
	puts := map[string]int{}
	for _, c := range r.platform.Changes() {
		if !c.Complete {
			t.Errorf("a final name showed a partial file: %+v", c)
		}
		puts[c.Path]++
	}
	if len(puts) != 2 || puts["catalog/gondola_s1.csv"] != 1 || puts["catalog/gondola_s2.csv"] != 1 {
		t.Errorf("files that were put: %v\n%s", puts, d.out)
	}
	s, code := r.status()
	if code != exitDone || len(s.Stores) != 2 || len(s.Feeds) != 2 || s.Stores[0].Next.UTC().Hour() != 8 {
		t.Errorf("status ends with %d: %+v", code, s)
	}
	_, ledger, _ := r.command("ledger", "--kind", "config", "--json")
	if strings.Count(ledger, `"kind":"config"`) != 1 || !strings.Contains(ledger, "before ") {
		t.Errorf("the ledger says of the change:\n%s", ledger)
	}
	if _, begun, _ := r.command("ledger", "--kind", "failed", "--json"); strings.Contains(begun, `"kind"`) {
		t.Errorf("the ledger says of failures:\n%s", begun)
	}
}

// badFeed has a mistake in its third key.
const badFeed = "  - {name: more, drop: drop/more, exprot: full, vendor: all}"

// TestReloadRefusesABadConfig puts a config there that has a mistake: the one before goes on, and everybody says so until it is mended.
func TestReloadRefusesABadConfig(t *testing.T) {
	r := newReloadRun(t, 0)
	told := make(chan string, 100)
	alarms := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		told <- string(body)
	}))
	defer alarms.Close()
	r.alarms = alarms.URL
	good := reloadConfig{vendors: "{id: s1}", schedule: "0 0 29 2 *"}
	r.configure(good)
	d := r.start()
	defer d.end()
	d.awaitLog("started", 1)

	r.configure(reloadConfig{vendors: "{id: s1}", schedule: "0 0 29 2 *", more: badFeed})
	d.awaitLog("config refused", 1)
	d.hangUp()
	d.hangUp()
	s, code := r.status()
	if code != exitUsage || s.Refused == nil || len(s.Refused.Problems) == 0 || s.Refused.Problems[0].Line != 9 || !s.Running {
		t.Fatalf("status ends with %d: %+v\n%s", code, s.Refused, d.out)
	}
	_, text, complaint := r.command("status")
	if !strings.Contains(text, "config.yaml:9:35: feeds[1].exprot") || !strings.Contains(complaint, "the daemon goes on by the config before") {
		t.Errorf("status says:\n%s\n%s", text, complaint)
	}
	d.await("an alarm", func() bool { return strings.Contains(drain(told), `"kind":"config"`) })
	if page := get(t, "http://"+r.page+"/"); !strings.Contains(page, "config.yaml:9:35: feeds[1].exprot") {
		t.Errorf("the page does not say so:\n%s", page)
	}
	if code, _, complaint := r.command("pause", "--reason", "x"); code != exitDone {
		t.Errorf("pause ends with %d: %s", code, complaint)
	}
	text = r.read("config.yaml")
	r.write("config.yaml", "vendors: [\n"+text) // no YAML at all
	if code, _, complaint := r.command("resume"); code != exitDone || !strings.Contains(complaint, "not valid YAML") {
		t.Errorf("resume ends with %d: %s", code, complaint)
	}
	r.write("config.yaml", text)
	r.command("pause")
	r.drop("full", "tienda;sku;precio\ns1;A;10,50\n")
	d.awaitLog("drop read", 1)
	if n := strings.Count(d.out.String(), "config refused"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}

	for want, c := range map[string]string{
		"state.dir: can't change while gondola runs": strings.Replace(r.read("config.yaml"), "dir: state", "dir: other", 1),
		"another program has this port":              strings.Replace(r.read("config.yaml"), r.page, busyAddress(t), 1),
	} {
		r.replace(strings.Replace(c, badFeed, "", 1))
		d.hangUp()
		d.await(want, func() bool { return strings.Contains(d.out.String(), want) })
	}
	r.configure(good)
	d.awaitLog("config is well again", 1)
	if s, code := r.status(); s.Refused != nil || code != exitBrake { // it is paused
		t.Errorf("status ends with %d: %+v", code, s.Refused)
	}
	d.await("the end of the alarm", func() bool { return strings.Contains(drain(told), `"state":"ok"`) })
	if n := strings.Count(d.out.String(), "config changed"); n != 0 {
		t.Errorf("it was changed %d times, the file is the one of the start", n)
	}
}

// TestReloadLosesNoEvent posts events all the while that the config is read ten times: who posts is answered, and what was acknowledged
// goes to the ERP once.
func TestReloadLosesNoEvent(t *testing.T) {
	r := newReloadRun(t, 0)
	schedules := []string{"0 0 29 2 *", "0 5 * * *"}
	r.configure(reloadConfig{vendors: "{id: s1}", schedule: schedules[0]})
	d := r.start()
	defer d.end()
	d.awaitLog("started", 1)
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	defer others.Wait()
	defer stop()
	erp := &eatingERP{T: t, dir: filepath.Join(r.dir, "erp"), eaten: map[handedOver]int{}}
	others.Go(func() { erp.eat(ctx) })
	posts := &posting{T: t, url: "http://" + r.address + "/webhook"}
	posted, enough := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(posted)
		posts.run(enough)
	}()
	for n := 1; n <= 10; n++ {
		r.configure(reloadConfig{vendors: "{id: s1}", schedule: schedules[n%2]})
		d.hangUp()
		d.awaitLog("config changed", n)
	}
	close(enough)
	<-posted
	d.await("every order at the ERP", func() bool { return erp.count() >= len(posts.kept) })
	time.Sleep(time.Second) // for what should not come
	stop()
	others.Wait()
	t.Logf("%d posted and acknowledged, %d asked to come back, the longest answer took %s", len(posts.kept), posts.again, posts.longest)
	if len(posts.kept) < 100 {
		t.Error("too little happened: this run shows nothing")
	}
	for h, n := range erp.all() {
		if n != 1 {
			t.Errorf("handed over %d times: %s", n, h.ID)
		}
		delete(posts.kept, h.ID)
	}
	for id := range posts.kept {
		t.Errorf("acknowledged and lost: %s", id)
	}
}

// posting is a platform that tells of new orders without a break, on several connections and new ones.
type posting struct {
	*testing.T
	url string

	mu      sync.Mutex
	kept    map[string]bool // acknowledged
	again   int             // answered with 503
	longest time.Duration
}

func (p *posting) run(enough <-chan struct{}) {
	p.kept = map[string]bool{}
	var all sync.WaitGroup
	for i := range 4 {
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-enough:
					return
				default:
					p.post(client, fmt.Sprintf("order-%d-%05d", i, n))
				}
			}
		})
	}
	all.Wait()
}

func (p *posting) post(client *http.Client, id string) {
	body := fmt.Sprintf(`{"order_id":%q,"status":"READY_FOR_PICKUP","client":{"chain_id":%q,"store_id":"s1"},"items":[]}`, id, sandbox.DefaultChainID)
	req, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.url, strings.NewReader(body))
	if err != nil {
		p.Error(err)
		return
	}
	req.Header.Set("Authorization", orderSecret)
	begin := time.Now()
	res, err := client.Do(req)
	took := time.Since(begin)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.longest = max(p.longest, took)
	if err != nil {
		p.Errorf("%s got no answer: %v", id, err)
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		p.kept[id] = true
	case http.StatusServiceUnavailable:
		p.again++
	default:
		p.Errorf("%s was answered with %d", id, res.StatusCode)
	}
}

// drain returns what is in a channel, as one text.
func drain(from <-chan string) string {
	var b strings.Builder
	for {
		select {
		case text := <-from:
			b.WriteString(strings.ReplaceAll(text, `": "`, `":"`))
		default:
			return b.String()
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// busyAddress returns an address that somebody else listens on.
func busyAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func (r *reloadRun) read(name string) string {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}
