package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/config"
	"gondola/internal/drop"
	"gondola/internal/durable"
	"gondola/internal/platform"
	"gondola/internal/sandbox"
	"gondola/internal/store"
)

const casePassword = "invented for the cases"

func TestMain(m *testing.M) {
	if err := os.Setenv("GONDOLA_CASE_PASSWORD", casePassword); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestCases runs every folder of testdata/cases: what is dropped step by step, and what then lies on a real SFTP server.
func TestCases(t *testing.T) {
	root := filepath.Join("..", "..", "testdata", "cases")
	dirs, err := filepath.Glob(filepath.Join(root, "*", "config.yaml"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases in %s: %v", root, err)
	}
	for _, c := range dirs {
		dir := filepath.Dir(c)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			newCase(t, dir).run()
		})
	}
}

// caseRun is one case under way.
type caseRun struct {
	*testing.T
	dir, work string
	clock     time.Time
	house     *House
	platform  *sandbox.Sandbox
	seenOps   int

	requests *fakeAPI // takes every request
	seenReqs int
}

func newCase(t *testing.T, dir string) *caseRun {
	c := &caseRun{T: t, dir: dir, work: t.TempDir(), clock: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	c.requests = &fakeAPI{jobs: map[string]platform.Job{}, files: map[string]string{}}
	cfg := c.config(filepath.Join(dir, "config.yaml"))
	vendors := make([]sandbox.Vendor, 0, len(cfg.Vendors))
	for _, v := range cfg.Vendors {
		vendors = append(vendors, sandbox.Vendor{ID: v.ID, Name: v.Name})
	}
	c.platform = newTestSandbox(t, sandbox.Options{Vendors: vendors, Password: casePassword})
	c.open(cfg)
	t.Cleanup(c.close)
	return c
}

// config reads a config as the case means it.
func (c *caseRun) config(file string) *config.Config {
	text, err := os.ReadFile(file)
	if err != nil {
		c.Fatal(err)
	}
	cfg, err := config.Parse(filepath.Join(c.work, "config.yaml"), text)
	if err != nil {
		c.Fatal(err)
	}
	return cfg
}

// open starts the house with a config.
func (c *caseRun) open(cfg *config.Config) { c.openWith(cfg, Options{}) }

// openWith starts the house with a config and options beside the clock.
func (c *caseRun) openWith(cfg *config.Config, o Options) {
	pointAt(cfg, c.platform)
	cfg.State.Dir = filepath.Join(c.work, "state")
	cfg.State.MinFree = 0
	o.Now = func() time.Time { return c.clock }
	var err error
	o.Requests = c.requests
	if c.house, err = Open(c.Context(), cfg, o); err != nil {
		c.Fatal(err)
	}
}

func (c *caseRun) close() {
	if err := c.house.Close(); err != nil {
		c.Error(err)
	}
}

// newTestSandbox starts a strict platform that reads files only when it is told to.
func newTestSandbox(t testing.TB, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	o.Dir, o.User = t.TempDir(), "gondola"
	s, err := sandbox.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// pointAt makes a config talk to a sandbox.
func pointAt(cfg *config.Config, s *sandbox.Sandbox) {
	cfg.SFTP.Host, cfg.SFTP.Port = s.SFTPAddr()
	cfg.SFTP.User = "gondola"
	cfg.SFTP.HostKeys = []string{s.HostKey()}
	cfg.SFTP.KnownHosts = ""
}

func (c *caseRun) run() {
	for n := 1; ; n++ {
		step := filepath.Join(c.dir, fmt.Sprint(n))
		if _, err := os.Stat(step); err != nil {
			if n == 1 {
				c.Fatalf("%s has no step 1", c.dir)
			}
			return
		}
		c.clock = c.clock.Add(time.Minute)
		c.step(n, step)
	}
}

func (c *caseRun) step(n int, dir string) {
	ctx := c.Context()
	if file := filepath.Join(dir, "config.yaml"); exists(file) {
		c.close()
		c.open(c.config(file))
	}
	if _, err := os.Stat(filepath.Join(dir, "settle")); err == nil {
		c.clock = c.clock.Add(time.Duration(c.house.cfg.SFTP.ReadWindow) + time.Second)
		c.requests.endAll(lines(c.optional(filepath.Join(dir, "reject"))))
		if err := c.house.askJobs(ctx); err != nil {
			c.Fatal(err)
		}
		c.flush()
	}
	before, err := c.house.store.Newest(ctx)
	if err != nil {
		c.Fatal(err)
	}
	for _, line := range lines(c.optional(filepath.Join(dir, "decide"))) {
		c.decide(line)
	}
	drops, err := filepath.Glob(filepath.Join(dir, "drop", "*", "*"))
	if err != nil {
		c.Fatal(err)
	}
	slices.Sort(drops)
	for _, d := range drops {
		c.take(filepath.Base(filepath.Dir(d)), d)
	}
	switch tick := strings.TrimSpace(c.optional(filepath.Join(dir, "tick"))); tick {
	case "", "difference", "full":
		if err := c.house.store.RecordSlot(ctx, "case", c.clock, c.house.targetNames(), tick == "full"); err != nil {
			c.Fatal(err)
		}
		if err := c.house.planDue(ctx); err != nil {
			c.Fatal(err)
		}
		c.flush()
	case "none":
	default:
		c.Fatalf("step %d: unknown tick %q; use difference, full or none", n, tick)
	}
	if diff := cmp.Diff(c.wantPut(filepath.Join(dir, "put")), c.put()); diff != "" {
		c.Errorf("step %d: what was put on the server (-want +got):\n%s", n, diff)
	}
	if diff := cmp.Diff(lines(c.optional(filepath.Join(dir, "issues.txt"))), c.issues(before, len(drops) > 1)); diff != "" {
		c.Errorf("step %d: issues (-want +got):\n%s", n, diff)
	}
	if diff := cmp.Diff(lines(c.optional(filepath.Join(dir, "feedback.txt"))), c.feedback()); diff != "" {
		c.Errorf("step %d: feedback (-want +got):\n%s", n, diff)
	}
	if diff := cmp.Diff(lines(c.optional(filepath.Join(dir, "held"))), c.held(before)); diff != "" {
		c.Errorf("step %d: held (-want +got):\n%s", n, diff)
	}
}

// take hands an export to the house as the drop folder's watcher does once it has claimed it.
func (c *caseRun) take(feedName, file string) {
	ctx := c.Context()
	f, ok := c.house.feed(feedName)
	if !ok {
		c.Fatalf("%s: the config has no feed %q", file, feedName)
	}
	c.clock = c.clock.Add(time.Second)
	t := taker{c.house, []feedSetup{f}}
	seq, err := t.NextSeq(ctx)
	if err != nil {
		c.Fatal(err)
	}
	archived := filepath.Join(c.house.cfg.State.Dir, archiveDir, fmt.Sprintf("%d-%s", seq, filepath.Base(file)))
	size, sum, err := durable.CopyFile(archived, file)
	if err != nil {
		c.Fatal(err)
	}
	_, err = t.Take(ctx, drop.Claim{
		Seq: seq, Name: filepath.Base(file), Archived: archived, Size: size, SHA256: sum, ModTime: c.clock, FirstSeen: c.clock,
	})
	if err != nil {
		c.Fatal(err)
	}
}

func (c *caseRun) flush() {
	r, err := c.house.flushAll(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	if r.Dial != nil || r.Held != nil || len(r.Failures) > 0 {
		c.Fatalf("flush: %+v", r)
	}
}

// put returns the files that came under a final name since the last call, as the server's own log has them.
func (c *caseRun) put() map[string]string {
	got := map[string]string{}
	ops := c.platform.Operations()
	for _, op := range ops[c.seenOps:] {
		if op.Err == "" && op.To != "" && strings.HasSuffix(op.To, ".csv") {
			got[op.To] = ""
		}
	}
	c.seenOps = len(ops)
	for name := range got {
		data, err := os.ReadFile(filepath.Join(c.platform.Home(), filepath.FromSlash(name)))
		if err != nil {
			c.Fatal(err)
		}
		got[name] = string(data)
	}
	for ; c.seenReqs < len(c.requests.sent); c.seenReqs++ {
		r := c.requests.sent[c.seenReqs]
		got[fmt.Sprintf("api%s-%d.json", r.Path, c.seenReqs+1)] = strings.TrimSpace(r.Body)
	}
	return got
}

// feedback returns what the platform did not take, with the rows that it comes from.
func (c *caseRun) feedback() []string {
	var all []string
	for _, t := range c.house.targets {
		rows, err := c.house.store.FeedbackOf(c.Context(), t.String())
		if err != nil {
			c.Fatal(err)
		}
		for _, f := range rows {
			all = append(all, fmt.Sprintf("%s %s drop %d row %d: %s", t, f.SKU, f.Seq, f.Line, f.Reason))
		}
	}
	return all
}

func (c *caseRun) wantPut(dir string) map[string]string {
	want := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		name, relErr := filepath.Rel(dir, file)
		if err != nil || relErr != nil {
			return err
		}
		if strings.HasSuffix(name, ".json") {
			var body bytes.Buffer // how it is laid out is the writer's own affair
			if err := json.Indent(&body, data, "", " "); err != nil {
				return err
			}
			data = bytes.TrimSpace(body.Bytes())
		}
		want[path.Clean(filepath.ToSlash(name))] = string(data)
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
	return want
}

func (c *caseRun) issues(before int64, several bool) []string {
	drops, err := c.house.store.DropsAfter(c.Context(), before)
	if err != nil {
		c.Fatal(err)
	}
	var all []string
	for _, d := range drops {
		for _, is := range d.Outcome.Issues {
			column := is.Column
			if column == "" {
				column = "-"
			}
			line := fmt.Sprintf("%s %s %d %s", is.Code, is.Severity, is.Row, column)
			if several {
				line = d.Name + " " + line
			}
			all = append(all, line)
		}
	}
	return all
}

func (c *caseRun) held(before int64) []string {
	layers, err := c.house.store.Layers(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	var all []string
	for _, l := range layers {
		if l.State != store.LayerHeld || l.Seq <= before {
			continue
		}
		for _, f := range l.Findings {
			all = append(all, string(f.Code))
		}
	}
	open, err := c.house.store.OpenFindings(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	for _, f := range open {
		all = append(all, fmt.Sprintf("%s %s %d", f.Code, f.Target, f.Count))
	}
	return all
}

// decide approves or rejects the rows that are held for a code.
func (c *caseRun) decide(line string) {
	verb, code, _ := strings.Cut(line, " ")
	open, err := c.house.store.OpenFindings(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	decided := 0
	for _, f := range open {
		if string(f.Code) != code {
			continue
		}
		decide := c.house.RejectFinding
		if verb == "approve" {
			decide = c.house.ApproveFinding
		}
		if ok, err := decide(c.Context(), f.ID, "somebody"); err != nil || !ok {
			c.Fatalf("%s: %v, %v", line, ok, err)
		}
		decided++
	}
	if decided == 0 {
		c.Fatalf("%s: nothing is held for it", line)
	}
}

func (c *caseRun) optional(file string) string {
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		c.Fatal(err)
	}
	return string(data)
}

func lines(text string) []string {
	var all []string
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}
