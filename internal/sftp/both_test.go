package sftp

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/sftp/sshdtest"
)

// The tests of this file need nothing but a server that works, or one behind a line that does not. So each runs against the strict
// one in the process and against OpenSSH.

// place is a server, whichever it is.
type place struct {
	dir    string // the account's home, as the test sees it
	config Config
	put    func(t *testing.T, name, content string)

	inside *server          // nil where it is OpenSSH
	sshd   *sshdtest.Server // nil where it is in the process
}

// both runs a test against each server.
func both(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	t.Run("in the process", func(t *testing.T) {
		s := newServer(t)
		test(t, place{dir: s.dir, config: s.client(), put: s.put, inside: s})
	})
	t.Run("OpenSSH", func(t *testing.T) {
		s := sshdtest.Start(t, sshdtest.Options{})
		put := func(_ *testing.T, name, content string) { s.Put(name, content) }
		test(t, place{dir: s.Home(), config: sshdConfig(s), put: put, sshd: s})
	})
}

// behind puts a proxy in front of the server.
func (p *place) behind(t *testing.T) *proxy {
	t.Helper()
	line := newProxy(t, p.config.Port)
	p.config.Port = line.port
	return line
}

func (p *place) folder(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

// way is how the server lets a file be replaced.
func (p *place) way() string {
	if p.sshd != nil {
		return "posix-rename"
	}
	return "aside"
}

func TestReplaceTwice(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		r := dial(t, p.config)
		first, second := document(t, 1, 3_000_000), document(t, 2, 200_000)
		got, err := r.Replace(t.Context(), first)
		if err != nil || got.Replaced || got.Size != first.Size || got.SHA256 != first.SHA256 || got.Proof != outbox.ProofSize {
			t.Fatalf("Replace = %+v, %v", got, err)
		}
		holds(t, p.folder("catalog"), first, map[string]string{final: ""})
		second.Known = []int64{first.Size}
		got, err = r.Replace(t.Context(), second)
		if err != nil || !got.Replaced || got.Way != p.way() || got.Proof != outbox.ProofSize {
			t.Fatalf("Replace = %+v, %v; want %s", got, err, p.way())
		}
		holds(t, p.folder("catalog"), second, map[string]string{final: ""})
		if seen, err := r.Look(t.Context(), "catalog", final); err != nil || seen != (outbox.Seen{Exists: true, Size: second.Size}) {
			t.Errorf("Look = %+v, %v", seen, err)
		}
	})
}

func TestReplaceSmallestDocument(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		r := dial(t, p.config)
		for _, size := range []int{0, 1, writeSize - 1, writeSize, writeSize + 1} {
			d := document(t, 1, size)
			d.Adopt = true
			if _, err := r.Replace(t.Context(), d); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			holds(t, p.folder("catalog"), d, map[string]string{final: ""})
		}
	})
}

func TestReplaceForeign(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		p.put(t, "catalog/"+final, old)
		r := dial(t, p.config)
		d := document(t, 7, 1000)
		d.Known = []int64{5, 6}
		_, err := r.Replace(t.Context(), d)
		wantClass(t, err, outbox.Foreign, "12 bytes", "1000", "gondola push --adopt")
		holds(t, p.folder("catalog"), d, map[string]string{final: old})
		if p.inside != nil {
			if ops := p.inside.operations("Open"); len(ops) != 0 {
				t.Errorf("wrote %q before looking", ops)
			}
		}
		d.Adopt = true
		if _, err := r.Replace(t.Context(), d); err != nil {
			t.Errorf("adopted: %v", err)
		}
		holds(t, p.folder("catalog"), d, map[string]string{final: ""})
	})
}

func TestReplaceDocumentTrouble(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		r := dial(t, p.config)
		for name, damage := range map[string]func(*outbox.Delivery){
			"gone":    func(d *outbox.Delivery) { d.Path += "-gone" },
			"shorter": func(d *outbox.Delivery) { d.Size++ },
			"longer":  func(d *outbox.Delivery) { d.Size-- },
			"changed": func(d *outbox.Delivery) { d.SHA256 = strings.Repeat("0", 64) },
			"folder":  func(d *outbox.Delivery) { d.Path = filepath.Dir(d.Path) },
			"no name": func(d *outbox.Delivery) { d.Name = "../x.csv" },
		} {
			d := document(t, 7, 1000)
			damage(&d)
			_, err := r.Replace(t.Context(), d)
			wantClass(t, err, outbox.Local)
			if t.Failed() {
				t.Fatal(name)
			}
		}
		holds(t, p.folder("catalog"), outbox.Delivery{}, map[string]string{})
	})
}

func TestFolders(t *testing.T) {
	for _, tc := range []struct {
		name, there, configured, want string
		fromRoot                      bool // says more than OpenSSH allows outside a jail, where the root is not the home
	}{
		{name: "missing", configured: "catalog", want: "catalog"},
		{name: "missing, nested", configured: "a/b", want: "a/b"},
		{name: "other spelling", there: "Catalog", configured: "catalog", want: "Catalog"},
		{name: "other spelling of the parent", there: "Home/x", configured: "home/catalog", want: "Home/catalog"},
		{name: "absolute", there: "catalog", configured: "/catalog", want: "catalog", fromRoot: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, p place) {
				if tc.fromRoot && p.sshd != nil {
					s := sshdtest.Start(t, sshdtest.Options{Jail: true})
					p.dir, p.config, p.put = s.Home(), sshdConfig(s), func(_ *testing.T, name, content string) { s.Put(name, content) }
				}
				if tc.there != "" {
					p.put(t, tc.there+"/other", "x")
				}
				r := dial(t, p.config)
				if seen, err := r.Look(t.Context(), tc.configured, final); err != nil || seen.Exists {
					t.Errorf("Look = %+v, %v; want nothing", seen, err)
				}
				if err := sweep(t.Context(), r, tc.configured); err != nil {
					t.Errorf("Sweep: %v", err)
				}
				if tc.there == "" {
					holds(t, p.dir, outbox.Delivery{}, map[string]string{}) // looking made no folder
				}
				for id := int64(1); id <= 2; id++ {
					d := document(t, id, 500)
					d.Folder, d.Known = tc.configured, []int64{500}
					if _, err := r.Replace(t.Context(), d); err != nil {
						t.Fatalf("Replace: %v", err)
					}
				}
				if _, err := os.Stat(filepath.Join(p.dir, tc.want, final)); err != nil {
					t.Error(err)
				}
				if seen, err := r.Look(t.Context(), tc.configured, final); err != nil || seen.Size != 500 {
					t.Errorf("Look = %+v, %v; want 500 bytes", seen, err)
				}
			})
		})
	}
}

func TestFolderIsRemovedWhileConnected(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		r := dial(t, p.config)
		d := document(t, 7, 10)
		if _, err := r.Replace(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(p.folder("catalog")); err != nil {
			t.Fatal(err)
		}
		_, err := r.Replace(t.Context(), d)
		wantClass(t, err, outbox.Transient)
		if _, err := r.Replace(t.Context(), d); err != nil {
			t.Errorf("next attempt: %v", err)
		}
	})
}

func TestFolderUnderTheFinalName(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		p.put(t, "catalog/"+final+"/x", "x")
		_, err := dial(t, p.config).Replace(t.Context(), document(t, 7, 10))
		wantClass(t, err, outbox.Foreign, "it is a folder")
	})
}

func TestReplaceManyAtOnce(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		var running, most int
		if s := p.inside; s != nil {
			s.before = func(op, name, _ string) error {
				if !strings.HasSuffix(name, ".tmp") {
					return nil
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				switch op {
				case "Open":
					running++
					most = max(most, running)
				case "Rename":
					running--
				}
				return nil
			}
		}
		p.config.Parallel = 3
		r := dial(t, p.config)
		want := map[string]string{}
		var wg sync.WaitGroup
		for i := range 20 {
			d := document(t, int64(i), 50_000)
			d.Name = "gondola_" + string(rune('a'+i)) + ".csv"
			want[d.Name] = readFile(t, d.Path)
			wg.Go(func() {
				if got, err := r.Replace(t.Context(), d); err != nil || got.Replaced {
					t.Errorf("%s: %+v, %v", d.Name, got, err)
				}
			})
		}
		wg.Wait()
		holds(t, p.folder("catalog"), outbox.Delivery{}, want)
		if s := p.inside; s != nil {
			if len(s.operations("Rename")) != 20 || most > 3 {
				t.Errorf("%d renamed, %d at once; want 20 and at most 3", len(s.operations("Rename")), most)
			}
			if n := len(s.operations("List")); n != 1 {
				t.Errorf("the parent was listed %d times, want once", n)
			}
		}
	})
}

// A delivery that stopped after moving the old file aside, and again after taking the name, meets its own aside file.
func TestReplaceMeetsItsOwnAside(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		d := document(t, 7, 1000)
		p.put(t, "catalog/"+final, strings.Repeat("x", 1000))
		p.put(t, "catalog/."+final+".7.old", old)
		d.Attempts = 1
		r := dial(t, p.config)
		r.advertised = false // nobody makes aside files where there is a better way
		if got, err := r.Replace(t.Context(), d); err != nil || got.Way != "aside" {
			t.Errorf("Replace = %+v, %v", got, err)
		}
		holds(t, p.folder("catalog"), d, map[string]string{final: ""})
	})
}

func TestSweepLeavesWhatIsUnderWay(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		p.put(t, "catalog/"+final, old)
		p.put(t, "catalog/.someone.tmp", "not ours")
		p.put(t, "catalog/.other.csv.3.tmp", "left")
		p.put(t, "catalog/.other.csv.4.old", "left, its name is free")
		p.put(t, "catalog/."+final+".2.tmp", "of a name that is being replaced")
		p.put(t, "catalog/."+final+".2.old", "of a name that is being replaced")
		r := dial(t, p.config)
		release, err := r.claim(t.Context(), "catalog/"+final)
		if err != nil {
			t.Fatal(err)
		}
		sweepOnce := func() {
			t.Helper()
			if err := sweep(t.Context(), r, "catalog"); err != nil {
				t.Errorf("Sweep: %v", err)
			}
		}
		sweepOnce()
		holds(t, p.folder("catalog"), outbox.Delivery{}, map[string]string{
			final: old, ".someone.tmp": "not ours", ".other.csv.4.old": "left, its name is free",
			"." + final + ".2.tmp": "of a name that is being replaced", "." + final + ".2.old": "of a name that is being replaced",
		})
		release()
		sweepOnce()
		holds(t, p.folder("catalog"), outbox.Delivery{}, map[string]string{
			final: old, ".someone.tmp": "not ours", ".other.csv.4.old": "left, its name is free",
		})
	})
}

// A cancelled upload stops, tidies up and leaves the old file; nothing reaches the server afterwards.
func TestReplaceCancelled(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		p.put(t, "catalog/"+final, old)
		line := p.behind(t)
		ctx, cancel := context.WithCancel(t.Context())
		d := document(t, 7, 30_000_000)
		d.Known = []int64{int64(len(old))}
		r := dial(t, p.config)
		failed := make(chan error, 1)
		go func() {
			_, err := r.Replace(ctx, d)
			failed <- err
		}()
		waitFor(t, func() bool { return line.passed.Load() > 1_000_000 })
		cancel()
		start := time.Now()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Fatalf("Replace: %v", err)
		}
		if took := time.Since(start); took > cancelGrace+time.Second {
			t.Errorf("took %v", took)
		}
		holds(t, p.folder("catalog"), d, map[string]string{final: old})
		// The connection is not spoiled for others.
		if seen, err := r.Look(t.Context(), "catalog", final); err != nil || !seen.Exists {
			t.Errorf("Look = %+v, %v", seen, err)
		}
	})
}

// A peer that stops in the middle of an upload is noticed, and Replace and Close return.
func TestStallInUpload(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		p.put(t, "catalog/"+final, old)
		p.config.StallTimeout = 300 * time.Millisecond
		p.behind(t).limit.Store(2_000_000)
		r := dial(t, p.config)
		d := document(t, 7, 40_000_000)
		d.Known = []int64{int64(len(old))}
		start := time.Now()
		_, err := r.Replace(t.Context(), d)
		wantClass(t, err, outbox.Transient, "said nothing for 300ms", "sftp.stall_timeout")
		if !errors.Is(err, outbox.ErrLost) {
			t.Errorf("%v is not ErrLost", err)
		}
		_ = r.Close()
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("took %v", took)
		}
		if got := readFile(t, p.folder("catalog/"+final)); got != old {
			t.Errorf("final name holds %.20q", got)
		}
	})
}

// An idle, healthy connection lives; an idle one whose peer stopped is noticed.
func TestKeepAlive(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		p.config.StallTimeout = 200 * time.Millisecond
		line := p.behind(t)
		r := dial(t, p.config)
		select {
		case <-r.down:
			t.Fatalf("an idle connection was cut: %v", r.lost())
		case <-time.After(time.Second):
		}
		if _, err := r.Look(t.Context(), "catalog", final); err != nil {
			t.Errorf("Look after idling: %v", err)
		}
		line.frozen.Store(true)
		select {
		case <-r.down:
		case <-time.After(5 * time.Second):
			t.Error("a stopped peer was not noticed")
		}
	})
}
