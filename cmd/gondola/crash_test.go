package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/sandbox"
	"gondola/internal/store"
)

var (
	crashAll  = flag.Bool("crash.all", false, "die at every seam of the cycle on every kind of server, not at a sample of them")
	crashSeed = flag.Uint64("crash.seed", 0, "which sample; 0 = another one each time")
)

// crashServers are the kinds of server that the cycle runs against.
var crashServers = []crashServer{
	{"renames over, keeps", true, sandbox.Keep},
	{"renames over, eats", true, sandbox.Eat},
	{"does not rename over, keeps", false, sandbox.Keep},
	{"does not rename over, eats", false, sandbox.Eat},
}

type crashServer struct {
	name        string
	posixRename bool
	fate        sandbox.Fate
}

// crashSample is how long the sample may take, all in all; crashLeast is how many deaths it must see, however slow the machine.
const (
	crashSample = 55 * time.Second
	crashLeast  = 12
)

// TestCrash lets the program die at each seam of a full cycle in turn, or at a sample of the seams, starts it again, and looks from
// outside: at the server's log and the platform's shelves, at drop folder, archive and answers, at what status says.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	begin := time.Now()
	binary := filepath.Join(t.TempDir(), "gondola")
	if out, err := exec.Command("go", "build", "-tags", "crash", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Setenv("GONDOLA_CRASH_PASSWORD", crashPassword)
	seed := cmp.Or(*crashSeed, uint64(time.Now().UnixNano()))
	rnd := rand.New(rand.NewPCG(seed, 5))
	servers, workers, until := crashServers, 2*runtime.NumCPU(), begin.Add(24*time.Hour)
	if !*crashAll {
		t.Logf("seed %d (-crash.seed)", seed)
		i := rnd.IntN(len(crashServers))
		servers, workers, until = crashServers[i:i+1], max(2, runtime.NumCPU()), begin.Add(crashSample)
	}
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			from := time.Now()
			m := newCrashMatrix(t, binary, server, workers)
			points := m.all()
			if !*crashAll {
				points = m.sample(rnd)
			}
			done, missed := m.run(points, until)
			t.Logf("%d seams, %d deaths, %d that came too late to happen, %s", m.seams(), done, missed, time.Since(from).Round(time.Second))
			switch {
			case *crashAll && done+missed < len(points), missed > len(points)/20:
				t.Errorf("of %d seams %d were died at, and %d not reached", len(points), done, missed)
			case done < crashLeast && !t.Failed():
				t.Errorf("only %d deaths in %s: this run shows little", done, time.Since(from).Round(time.Second))
			}
		})
	}
}

const crashPassword = "invented for the crash matrix"

// crashMatrix is one kind of server, the worlds in which the program dies against it, and the seams of each step.
type crashMatrix struct {
	*testing.T
	worlds []*crashWorld
	steps  []crashStep
	names  [][]string // by step: the seams, in their order
}

// crashPoint is a seam of a step, from 1.
type crashPoint struct{ step, n int }

// newCrashMatrix runs the cycle once in each world without dying, and remembers how each step began.
func newCrashMatrix(t *testing.T, binary string, server crashServer, workers int) *crashMatrix {
	m := &crashMatrix{T: t, steps: crashCycle()}
	for range workers {
		m.worlds = append(m.worlds, &crashWorld{
			T: t, binary: binary, server: server, root: t.TempDir(), steps: m.steps,
		})
	}
	var wg sync.WaitGroup
	for _, w := range m.worlds {
		wg.Go(w.rehearse)
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for i, step := range m.worlds[0].begins {
		m.names = append(m.names, step.seams)
		t.Logf("%-26s %4d seams", m.steps[i].name, len(step.seams))
	}
	return m
}

func (m *crashMatrix) seams() int {
	n := 0
	for _, names := range m.names {
		n += len(names)
	}
	return n
}

// all lists every seam of the cycle.
func (m *crashMatrix) all() (points []crashPoint) {
	for step, names := range m.names {
		for i := range names {
			points = append(points, crashPoint{step, i + 1})
		}
	}
	return points
}

// sample lists all of them in another order: first those that always belong to it, then the others at random.
func (m *crashMatrix) sample(rnd *rand.Rand) []crashPoint {
	var fixed []crashPoint
	for step, names := range m.names {
		if m.steps[step].drop == nil {
			continue
		}
		// The one in the middle of its kind: of files the document's, of words to the server those around the swap of names.
		for _, kind := range []string{"after claim", "after rename", "after commit", "sftp answer", "before putting away"} {
			var at []int
			for i, name := range names {
				if name == kind {
					at = append(at, i+1)
				}
			}
			if len(at) > 0 {
				fixed = append(fixed, crashPoint{step, at[len(at)/2]})
			}
		}
	}
	rest := slices.DeleteFunc(m.all(), func(p crashPoint) bool { return slices.Contains(fixed, p) })
	rnd.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	return append(fixed, rest...)
}

// run dies at each of the points until the time is over, though not before there were some, and returns at how many it did and how many
// were not reached.
func (m *crashMatrix) run(points []crashPoint, until time.Time) (done, missed int) {
	var died, late, next atomic.Int64
	var wg sync.WaitGroup
	for _, w := range m.worlds {
		wg.Go(func() {
			for (time.Now().Before(until) || died.Load() < crashLeast) && (*crashAll || !m.Failed()) {
				i := int(next.Add(1)) - 1
				if i >= len(points) {
					return
				}
				if w.die(points[i], uint64(i)) {
					died.Add(1)
				} else {
					late.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return int(died.Load()), int(late.Load())
}

// crashWorld is one place in which the cycle happens: the program's folder and the platform that it talks to.
type crashWorld struct {
	*testing.T
	binary   string
	server   crashServer
	root     string
	steps    []crashStep
	begins   []crashBegin
	dir      string // of the program; always the same one, since the state knows absolute paths
	platform *sandbox.Sandbox
	reads    []crashRead // what the platform read in the rehearsal
	readMu   sync.Mutex  // guards reads

	point  crashPoint
	folder string // of the platform, below root
}

// crashBegin is how things stood before a step of the rehearsal, and what the step was.
type crashBegin struct {
	saved    string            // the program's folder
	home     map[string]bool   // what lay on the server
	reads    int               // how many of the reads had been
	drops    map[string][]byte // everything dropped so far, the step's own included
	verified map[int64]bool    // deliveries that had arrived
	args     []string
	code     int         // the step's exit code
	status   int         // that of status after it
	want     *crashShelf // after it
	over     time.Time   // when it was over
	seams    []string
}

// crashRead is a file as the platform read it.
type crashRead struct {
	path string
	data []byte
}

// rehearse goes through the cycle without dying.
func (w *crashWorld) rehearse() {
	w.dir = filepath.Join(w.root, "shop")
	w.open("rehearsal")
	for _, d := range []string{"full", "partial", "promos"} {
		if err := os.MkdirAll(filepath.Join(w.dir, "drop", d), 0o750); err != nil {
			w.Fatal(err)
		}
	}
	w.configure()
	shelf := &crashShelf{price: map[string]string{}, pays: map[string]string{}, hidden: map[string]bool{}}
	drops := map[string][]byte{}
	for i, step := range w.steps {
		b := crashBegin{saved: filepath.Join(w.root, fmt.Sprintf("step-%02d", i)), reads: len(w.reads), home: w.home(), args: w.args(step)}
		w.wait(i)
		copyTree(w.T, b.saved, w.dir)
		b.verified = w.arrived()
		if step.drop != nil {
			name, data := step.drop(w)
			drops[fmt.Sprintf("%02d %s", i, name)] = data
			w.put(name, data)
		}
		b.drops = make(map[string][]byte, len(drops))
		for name, data := range drops {
			b.drops[name] = data
		}
		log := filepath.Join(w.root, fmt.Sprintf("seams-%02d", i))
		b.code = w.gondola("GONDOLA_CRASH_LOG="+log, b.args...)
		b.seams = strings.Split(strings.TrimSuffix(w.read(log), "\n"), "\n")
		w.platform.Scan()
		if step.want != nil {
			step.want(shelf)
		}
		b.want = shelf.clone()
		b.status = w.gondola("", "status")
		b.over = time.Now()
		w.begins = append(w.begins, b)
		if wrong := w.wrong(b.want); len(wrong) > 0 && !step.owes {
			w.Errorf("%s: without any death %s", step.name, strings.Join(wrong, "; "))
			return
		}
	}
	w.close()
}

// wait waits until the step before is over for as long as a step wants.
func (w *crashWorld) wait(step int) {
	if after := w.steps[step].after; after > 0 {
		time.Sleep(time.Until(w.begins[step-1].over.Add(after)))
	}
}

// die goes back to the beginning of a step, lets the program die at a seam of it and starts it again. It reports whether it died.
func (w *crashWorld) die(p crashPoint, seed uint64) bool {
	rnd := rand.New(rand.NewPCG(seed, 6))
	b, step := w.begins[p.step], w.steps[p.step]
	w.point = p
	w.open(fmt.Sprintf("%02d-%04d", p.step, p.n))
	defer w.close()
	copyTree(w.T, w.dir, b.saved)
	w.configure()
	for _, r := range w.reads[:b.reads] {
		w.place(r)
		w.platform.Scan()
	}
	w.wait(p.step)
	if step.drop != nil {
		name, data := step.drop(w)
		b.drops = withDrop(b.drops, fmt.Sprintf("%02d %s", p.step, name), data)
		w.put(name, data)
	}
	if code := w.gondola(fmt.Sprintf("GONDOLA_CRASH_AT=%d", p.n), b.args...); code >= 0 {
		return false
	}
	w.standing(b)
	// The platform reads before the program is there again, or it does not.
	if rnd.IntN(2) == 0 {
		w.platform.Scan()
	}
	code := w.gondola("", b.args...)
	if approved := step.command[0] == "approve" && code == exitUsage; code != b.code && !approved && code != exitDone && code != exitBrake {
		w.failf("started again it ended with %d, want %d", code, b.code)
	}
	w.settle(b)
	w.inspect(b)
	return true
}

func withDrop(drops map[string][]byte, name string, data []byte) map[string][]byte {
	all := make(map[string][]byte, len(drops))
	for n, d := range drops {
		all[n] = d
	}
	all[name] = data
	return all
}

// settle lets the platform read, and what is still owed go, until customers see what they should.
func (w *crashWorld) settle(b crashBegin) {
	w.platform.Scan()
	// A file that was perhaps eaten unread goes once more; a promotion starts after the end of the one before was read.
	for range 8 {
		if len(w.wrong(b.want)) == 0 {
			return
		}
		time.Sleep(crashWindow + 100*time.Millisecond)
		w.gondola("", "push")
		w.platform.Scan()
	}
	if wrong := w.wrong(b.want); len(wrong) > 0 {
		w.failf("after quiet time %s", strings.Join(wrong, "; "))
	}
}

// standing looks right after the death: of every name that the platform had, the old file or the new one is there to be had.
func (w *crashWorld) standing(b crashBegin) {
	now := w.home()
	for name := range b.home {
		aside := path.Dir(name) + "/." + path.Base(name) + "."
		if !now[name] && w.server.fate == sandbox.Keep &&
			!slices.ContainsFunc(slicesOf(now), func(n string) bool { return strings.HasPrefix(n, aside) && strings.HasSuffix(n, ".old") }) {
			w.failf("the old file %s is lost", name)
		}
	}
}

// inspect holds the invariants against what is to be seen from outside.
func (w *crashWorld) inspect(b crashBegin) {
	w.dropsOnce(b)
	w.shownInOrder()
	w.verifiedOnServer(b)
	if code := w.gondola("", "status"); code != b.status {
		w.failf("status ends with %d, want %d", code, b.status)
	}
	// The next send leaves nothing of ours beside the files, and changes nothing that customers see.
	if code := w.gondola("", "push", "--full"); code != exitDone && code != exitBrake {
		w.failf("the next push ended with %d", code)
	}
	for name := range w.home() {
		if strings.HasPrefix(path.Base(name), ".") {
			w.failf("%s was left on the server", name)
		}
	}
	w.platform.Scan()
	want := b.want
	if w.steps[w.point.step].asks {
		want = w.begins[w.point.step+1].want
	}
	if wrong := w.wrong(want); len(wrong) > 0 {
		w.failf("after the next full push %s", strings.Join(wrong, "; "))
	}
	for _, c := range w.platform.Changes() {
		if !c.Gone && !c.Complete {
			w.failf("%s showed a partial file: %+v", c.Path, c)
		}
	}
}

// dropsOnce holds that each file that was dropped lies once in the archive, nowhere else, and has its answer.
func (w *crashWorld) dropsOnce(b crashBegin) {
	archived := map[string]int{} // by name and content
	w.walk(filepath.Join("state", "archive"), func(name string, data []byte) {
		_, name, _ = strings.Cut(path.Base(name), "-")
		archived[name+"\n"+string(data)]++
	})
	wanted := map[string]int{}
	for key, data := range b.drops {
		_, name, _ := strings.Cut(key, " ")
		wanted[path.Base(name)+"\n"+string(data)]++
		if answer := filepath.Join(w.dir, "drop", filepath.FromSlash(name)+".respuesta.txt"); !isFile(answer) {
			w.failf("%s has no answer", name)
		}
	}
	for key, n := range wanted {
		if archived[key] != n {
			name, _, _ := strings.Cut(key, "\n")
			w.failf("%s lies %d times in the archive, want %d", name, archived[key], n)
		}
	}
	if len(archived) != len(wanted) {
		w.failf("%d different files in the archive, %d were dropped", len(archived), len(wanted))
	}
	rejected := 0
	w.walk("drop", func(name string, _ []byte) {
		switch {
		case strings.Contains(name, "/rechazados/"):
			rejected++
		case strings.HasSuffix(name, ".respuesta.txt"), strings.Contains(name, "/respuestas/"):
		default:
			w.failf("%s still lies there", name)
		}
	})
	want := 0
	for _, s := range w.steps[:w.point.step+1] {
		if s.rejects {
			want++
		}
	}
	if rejected != want {
		w.failf("%d files among the rejected ones, want %d", rejected, want)
	}
	w.database(func(s *store.Store) error {
		drops, err := s.DropsAfter(context.Background(), 0)
		if err != nil {
			return err
		}
		if len(drops) != len(b.drops) {
			w.failf("%d drops in the books, %d were dropped", len(drops), len(b.drops))
		}
		due, err := s.ReceiptsDue(context.Background())
		for _, d := range due {
			if w.steps[w.point.step].asks {
				break
			}
			w.failf("the answer for drop %d is still due", d.Seq)
		}
		return err
	})
}

// shownInOrder holds that no name went back to what it had shown before something else.
func (w *crashWorld) shownInOrder() {
	shown := map[string][]string{}
	for _, c := range w.platform.Changes() {
		if list := shown[c.Path]; !c.Gone && (len(list) == 0 || list[len(list)-1] != c.SHA256) {
			if slices.Contains(list, c.SHA256) {
				w.failf("%s shows again what it had shown before: %v, then %s", c.Path, list, c.SHA256)
			}
			shown[c.Path] = append(list, c.SHA256)
		}
	}
}

// verifiedOnServer holds that what is called verified was under its name, whole.
func (w *crashWorld) verifiedOnServer(b crashBegin) {
	whole := map[string]bool{}
	for _, c := range w.platform.Changes() {
		if c.Complete {
			whole[c.Path+" "+c.SHA256] = true
		}
	}
	w.database(func(s *store.Store) error {
		all, err := s.Deliveries(context.Background(), 0)
		for _, d := range all {
			if !d.Verified.IsZero() && !b.verified[d.ID] && !whole[d.Folder+"/"+d.Name+" "+d.SHA256] {
				w.failf("delivery %d is called verified; the server's log has no such %s/%s", d.ID, d.Folder, d.Name)
			}
		}
		return err
	})
}

// arrived returns the deliveries that have arrived so far.
func (w *crashWorld) arrived() map[int64]bool {
	ids := map[int64]bool{}
	w.database(func(s *store.Store) error {
		all, err := s.Deliveries(context.Background(), 0)
		for _, d := range all {
			ids[d.ID] = !d.Verified.IsZero()
		}
		return err
	})
	return ids
}

// database looks into the books beside the program.
func (w *crashWorld) database(look func(*store.Store) error) {
	s, err := store.OpenShared(context.Background(), filepath.Join(w.dir, "state"))
	if errors.Is(err, store.ErrNone) {
		return
	}
	if err == nil {
		err = errors.Join(look(s), s.Close())
	}
	if err != nil {
		w.failf("look into the books: %v", err)
	}
}

// wrong says where customers do not see what they should.
func (w *crashWorld) wrong(want *crashShelf) (all []string) {
	for _, v := range crashVendors {
		for _, a := range w.platform.Shelf(v) {
			key := v + " " + a.SKU
			if price := want.price[key]; price != "" && a.Price != price {
				all = append(all, fmt.Sprintf("%s costs %s, want %s", key, a.Price, price))
			}
			if a.Active == want.hidden[key] {
				all = append(all, fmt.Sprintf("%s is on sale: %t", key, a.Active))
			}
			pays := cmp.Or(want.pays[key], want.price[key])
			if got, ok := w.platform.EffectivePrice(v, a.SKU); pays != "" && !want.hidden[key] && (!ok || got != pays) {
				all = append(all, fmt.Sprintf("customers pay %s for %s, want %s", got, key, pays))
			}
		}
	}
	return all
}

// open starts a platform that has read nothing.
func (w *crashWorld) open(folder string) {
	o := sandbox.Options{
		Dir: filepath.Join(w.root, "platform", folder), User: "gondola", Password: crashPassword, Fate: w.server.fate,
		OnRead: w.onRead,
	}
	o.Features.PosixRename = w.server.posixRename
	for _, id := range crashVendors {
		v := sandbox.Vendor{ID: id, Name: id}
		for i := range crashArticles {
			v.Articles = append(v.Articles, sandbox.Article{SKU: crashSKU(i), Price: "1", Active: true})
		}
		o.Vendors = append(o.Vendors, v)
	}
	var err error
	w.folder = o.Dir
	if w.platform, err = sandbox.Start(context.Background(), o); err != nil {
		w.Fatal(err)
	}
}

func (w *crashWorld) close() {
	if err := errors.Join(w.platform.Close(), os.RemoveAll(w.folder)); err != nil {
		w.Error(err)
	}
}

func (w *crashWorld) onRead(name string) {
	data, err := os.ReadFile(filepath.Join(w.platform.Home(), filepath.FromSlash(name)))
	if err != nil {
		w.Errorf("look at what the platform reads: %v", err)
	}
	w.readMu.Lock()
	defer w.readMu.Unlock()
	if w.point.n > 0 {
		return
	}
	w.reads = append(w.reads, crashRead{name, data})
}

// place puts a file where the platform read it in the rehearsal.
func (w *crashWorld) place(r crashRead) {
	name := filepath.Join(w.platform.Home(), filepath.FromSlash(r.path))
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, r.data, 0o644)); err != nil {
		w.Fatal(err)
	}
}

// home lists the files on the server.
func (w *crashWorld) home() map[string]bool {
	names := map[string]bool{}
	err := fs.WalkDir(os.DirFS(w.platform.Home()), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names[name] = true
		}
		return err
	})
	if err != nil {
		w.failf("list the server's home: %v", err)
	}
	return names
}

func (w *crashWorld) configure() {
	host, port := w.platform.SFTPAddr()
	text := fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: s1}, {id: s2}]
state: {dir: state, min_free: 1MB}
sftp: {host: %s, port: %d, user: gondola, password: "env:GONDOLA_CRASH_PASSWORD", host_keys: ["%s"], read_window: %s, parallel: 1}
drops: {settle: 100ms, quiet: 100ms, scan: 100ms}
feeds:
  - {name: full, drop: drop/full, export: full, missing: deactivate, vendor: {column: tienda}}
  - {name: partial, drop: drop/partial, export: partial, vendor: {column: tienda}}
  - {name: promos, kind: promotions, drop: drop/promos, export: partial, vendor: {column: tienda}}
send: {catalog: {full: "off"}, promotions: {full: "off"}}
brake: {min_rows: 5, price_change: off, new_articles: off}
`, host, port, w.platform.HostKey(), crashWindow)
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// put drops a file as a careful writer does.
func (w *crashWorld) put(name string, data []byte) {
	temp := filepath.Join(w.dir, ".incoming")
	if err := errors.Join(os.WriteFile(temp, data, 0o600), os.Rename(temp, filepath.Join(w.dir, "drop", filepath.FromSlash(name)))); err != nil {
		w.Fatal(err)
	}
}

// args returns a step's command line; HELD stands for the drop that the brake holds.
func (w *crashWorld) args(step crashStep) []string {
	args := slices.Clone(step.command)
	i := slices.Index(args, "HELD")
	if i < 0 {
		return args
	}
	out, err := w.command("", "status", "--json").Output()
	var status struct {
		Held []struct {
			Drop int64 `json:"drop"`
		} `json:"held"`
	}
	if jerr := json.Unmarshal(out, &status); jerr != nil || len(status.Held) == 0 {
		w.Fatalf("nothing is held (%v, %v):\n%s", err, jerr, out)
	}
	args[i] = fmt.Sprint(status.Held[0].Drop)
	return args
}

func (w *crashWorld) command(env string, args ...string) *exec.Cmd {
	c := exec.Command(w.binary, append(slices.Clone(args), "--config", filepath.Join(w.dir, "config.yaml"))...)
	c.Env = os.Environ()
	if env != "" {
		c.Env = append(c.Env, env)
	}
	return c
}

// gondola runs the program and returns its exit code, -1 when it was killed.
func (w *crashWorld) gondola(env string, args ...string) int {
	c := w.command(env, args...)
	out, err := c.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		w.failf("run gondola: %v", err)
	} else if ok && exit.ExitCode() == exitError || ok && exit.ExitCode() == exitRemote {
		w.failf("gondola %s ends with %d:\n%s", strings.Join(args, " "), exit.ExitCode(), out)
	}
	return c.ProcessState.ExitCode()
}

func (w *crashWorld) walk(folder string, each func(name string, data []byte)) {
	err := fs.WalkDir(os.DirFS(w.dir), filepath.ToSlash(folder), func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(name)))
		each(name, data)
		return err
	})
	if err != nil {
		w.failf("look through %s: %v", folder, err)
	}
}

func (w *crashWorld) read(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		w.failf("%v", err)
	}
	return string(data)
}

// failf fails the test and says at which seam the program had died.
func (w *crashWorld) failf(format string, args ...any) {
	w.Helper()
	name := "the rehearsal"
	if w.point.n > 0 {
		seams := w.begins[w.point.step].seams
		name = fmt.Sprintf("died in step %q at seam %d of %d (%s)", w.steps[w.point.step].name, w.point.n, len(seams), seams[w.point.n-1])
		if w.point.n > 1 {
			name += fmt.Sprintf(", after %q", seams[max(0, w.point.n-6):w.point.n-1])
		}
	}
	w.Errorf("%s: "+format, append([]any{name}, args...)...)
}

func slicesOf(set map[string]bool) []string {
	var all []string
	for name := range set {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Size() > 0
}
