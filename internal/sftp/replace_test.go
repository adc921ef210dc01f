package sftp

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pkg/sftp"

	"gondola/internal/outbox"
)

const (
	old   = "the old file"
	final = "gondola_s1.csv"
	posix = "posix-rename@openssh.com"
)

func TestReplaceWays(t *testing.T) {
	refuse := func(refused string, err error) func(op, name, target string) error {
		return func(op, _, _ string) error {
			if op == refused {
				return err
			}
			return nil
		}
	}
	for _, tc := range []struct {
		name       string
		extensions []string
		before     func(op, name, target string) error
		old        bool
		way        string
		proof      outbox.Proof
	}{
		{name: "posix-rename over a file", extensions: []string{posix}, old: true, way: "posix-rename", proof: outbox.ProofSize},
		{name: "posix-rename to a free name", extensions: []string{posix}, way: "posix-rename", proof: outbox.ProofSize},
		{
			name: "announced and refused", extensions: []string{posix}, old: true, way: "aside", proof: outbox.ProofSize,
			before: refuse("PosixRename", sftp.ErrSSHFxOpUnsupported),
		},
		{name: "rename", way: "rename", proof: outbox.ProofSize},
		{name: "aside", old: true, way: "aside", proof: outbox.ProofSize},
		{name: "stat refused, listing tells", old: true, way: "aside", proof: outbox.ProofSize, before: refuse("Stat", sftp.ErrSSHFxPermissionDenied)},
		{name: "nothing tells", old: true, way: "aside", proof: outbox.ProofClosed, before: func(op, _, _ string) error {
			if op == "Stat" || op == "List" {
				return sftp.ErrSSHFxPermissionDenied
			}
			return nil
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t, tc.extensions...)
			s.put(t, "catalog/other", "x")
			if tc.old {
				s.put(t, "catalog/"+final, old)
			}
			s.before = tc.before
			now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
			c := s.client()
			c.Now = func() time.Time { return now }
			d := document(t, 7, 200_000)
			d.Known = []int64{3, int64(len(old))}
			got, err := dial(t, c).Replace(t.Context(), d)
			if err != nil {
				t.Fatalf("Replace: %v", err)
			}
			want := outbox.Receipt{
				Size: d.Size, SHA256: d.SHA256, Proof: tc.proof, Way: tc.way, Replaced: tc.old, At: now,
				SkewKnown: tc.proof != outbox.ProofClosed, // the server that tells the size tells the time
			}
			if !cmp.Equal(got, want) {
				t.Errorf("receipt: %s", cmp.Diff(want, got))
			}
			holds(t, s.local("catalog"), d, map[string]string{final: "", "other": "x"})
			if ops := s.operations("Setstat"); len(ops) != 0 {
				t.Errorf("the server was asked for %q", ops)
			}
		})
	}
}

// A failure at any step leaves the old file under its name, or under the aside name when even putting it back fails.
func TestReplaceFailsAtEachStep(t *testing.T) {
	temp, visible, aside := "catalog/."+final+".7.tmp", "catalog/"+final+".7.gondola.tmp", "catalog/."+final+".7.old"
	whole := map[string]string{final: old}
	for _, tc := range []struct {
		name       string
		extensions []string
		fails      []string
		err        error
		class      outbox.Class
		left       map[string]string
	}{
		{name: "open", fails: []string{"Open " + temp, "Open " + visible}, err: sftp.ErrSSHFxPermissionDenied, class: outbox.Permission, left: whole},
		{name: "open, in words", fails: []string{"Open " + temp, "Open " + visible}, err: errors.New("Access denied"), class: outbox.Permission, left: whole},
		{name: "close", fails: []string{"Close " + temp}, err: errors.New("No space left on device"), class: outbox.NoSpace, left: whole},
		{
			name: "posix-rename", extensions: []string{posix}, fails: []string{"PosixRename " + temp}, err: sftp.ErrSSHFxPermissionDenied,
			class: outbox.Permission, left: whole,
		},
		{name: "move aside", fails: []string{"Rename catalog/" + final}, err: sftp.ErrSSHFxPermissionDenied, class: outbox.Permission, left: whole},
		{name: "move in", fails: []string{"Rename " + temp}, err: errors.New("busy"), class: outbox.Transient, left: whole},
		{
			name: "move in and back", fails: []string{"Rename " + temp, "Rename " + aside}, err: errors.New("busy"), class: outbox.Transient,
			left: map[string]string{"." + final + ".7.old": old},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t, tc.extensions...)
			s.put(t, "catalog/"+final, old)
			s.before = func(op, name, _ string) error {
				for _, f := range tc.fails {
					if f == op+" "+name {
						return tc.err
					}
				}
				return nil
			}
			d := document(t, 7, 100_000)
			d.Known = []int64{int64(len(old))}
			_, err := dial(t, s.client()).Replace(t.Context(), d)
			wantClass(t, err, tc.class)
			holds(t, s.local("catalog"), d, tc.left)
		})
	}
}

// TestForeignFileDuringTheUpload has somebody else put a file under the final name while ours is on its way to the temporary one.
func TestForeignFileDuringTheUpload(t *testing.T) {
	for _, extensions := range [][]string{nil, {posix}} {
		s := newServer(t, extensions...)
		s.put(t, "catalog/"+final, old)
		s.written = func(_ string, end int64) error {
			if end < 3_000_000 {
				return nil
			}
			return os.WriteFile(s.local("catalog/"+final), []byte("somebody else's file"), 0o600)
		}
		d := document(t, 7, 3_000_000)
		d.Known = []int64{int64(len(old))}
		_, err := dial(t, s.client()).Replace(t.Context(), d)
		wantClass(t, err, outbox.Foreign, "20 bytes")
		holds(t, s.local("catalog"), d, map[string]string{final: "somebody else's file"})
	}
}

func TestReplaceNoSpace(t *testing.T) {
	s := newServer(t)
	s.put(t, "catalog/"+final, old)
	s.written = func(_ string, end int64) error {
		if end > 500_000 {
			return errors.New("Disk quota exceeded")
		}
		return nil
	}
	d := document(t, 7, 3_000_000)
	d.Known = []int64{int64(len(old))}
	_, err := dial(t, s.client()).Replace(t.Context(), d)
	wantClass(t, err, outbox.NoSpace, "tell the platform")
	holds(t, s.local("catalog"), d, map[string]string{final: old})
}

// The connection breaks in the middle of an upload: the old file is intact, and the next connection sweeps what stayed.
func TestReplaceCutAtByte(t *testing.T) {
	for _, at := range []int64{1, 400_000, 2_900_000} {
		s := newServer(t)
		s.put(t, "catalog/"+final, old)
		s.put(t, "catalog/.someone.tmp", "not ours")
		var once sync.Once // writes that came before the cut are carried out after it
		s.written = func(_ string, end int64) error {
			if end >= at {
				once.Do(s.drop)
			}
			return nil
		}
		d := document(t, 7, 3_000_000)
		d.Known = []int64{int64(len(old))}
		r := dial(t, s.client())
		_, err := r.Replace(t.Context(), d)
		wantClass(t, err, outbox.Transient)
		if !errors.Is(err, outbox.ErrLost) {
			t.Errorf("cut at %d: %v is not ErrLost", at, err)
		}
		if got := readFile(t, s.local("catalog/"+final)); got != old {
			t.Errorf("cut at %d: final name holds %.20q", at, got)
		}
		if _, err := os.Stat(s.local("catalog/." + final + ".7.tmp")); err != nil {
			t.Errorf("cut at %d: nothing for the sweep to do: %v", at, err)
		}
		if _, err := r.Look(t.Context(), "catalog", final); !errors.Is(err, outbox.ErrLost) {
			t.Errorf("look over a lost connection: %v", err)
		}
		if err := sweep(t.Context(), dial(t, s.client()), "catalog"); err != nil {
			t.Errorf("sweep: %v", err)
		}
		holds(t, s.local("catalog"), d, map[string]string{final: old, ".someone.tmp": "not ours"})
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The connection breaks between the two renames of an aside swap.
func TestReplaceCutBetweenRenames(t *testing.T) {
	s := newServer(t)
	s.put(t, "catalog/"+final, old)
	broken := false
	s.before = func(op, name, _ string) error {
		if op == "Rename" && strings.HasSuffix(name, ".tmp") && !broken {
			broken = true
			s.drop()
			return errors.New("cut")
		}
		return nil
	}
	d := document(t, 7, 1000)
	d.Known = []int64{int64(len(old))}
	_, err := dial(t, s.client()).Replace(t.Context(), d)
	wantClass(t, err, outbox.Transient)

	r := dial(t, s.client())
	if err := sweep(t.Context(), r, "catalog"); err != nil {
		t.Fatal(err)
	}
	aside := "." + final + ".7.old"
	holds(t, s.local("catalog"), d, map[string]string{aside: old}) // the last the platform has of the shelf
	d.Attempts = 1
	got, err := r.Replace(t.Context(), d)
	if err != nil || got.Way != "rename" || got.Replaced {
		t.Fatalf("Replace = %+v, %v", got, err)
	}
	holds(t, s.local("catalog"), d, map[string]string{final: ""})
}

func TestReplaceNameTakenMeanwhile(t *testing.T) {
	for _, tc := range []struct {
		content string
		class   outbox.Class
	}{{old, ""}, {"a stranger's file", outbox.Foreign}} {
		s := newServer(t)
		s.put(t, "catalog/other", "x")
		s.before = func(op, name, _ string) error {
			if op == "Close" && strings.HasSuffix(name, ".tmp") {
				return os.WriteFile(s.local("catalog/"+final), []byte(tc.content), 0o600)
			}
			return nil
		}
		d := document(t, 7, 1000)
		d.Known = []int64{int64(len(old))}
		got, err := dial(t, s.client()).Replace(t.Context(), d)
		if tc.class != "" {
			wantClass(t, err, tc.class, "17 bytes", "ours has 1000", "gondola push --adopt")
			holds(t, s.local("catalog"), d, map[string]string{final: tc.content, "other": "x"})
			continue
		}
		if err != nil || got.Way != "aside" || !got.Replaced {
			t.Errorf("Replace = %+v, %v", got, err)
		}
		holds(t, s.local("catalog"), d, map[string]string{final: "", "other": "x"})
	}
}

func TestReplaceEatenAtOnce(t *testing.T) {
	s := newServer(t)
	s.before = func(op, name, _ string) error {
		if op == "Stat" && name == "catalog/"+final {
			_ = os.Remove(s.local(name))
		}
		return nil
	}
	got, err := dial(t, s.client()).Replace(t.Context(), document(t, 7, 1000))
	if err != nil || got.Proof != outbox.ProofSize {
		t.Errorf("Replace = %+v, %v; want the proof of the temporary file", got, err)
	}
}

// What the server does to the file behind our back is found before or after the swap.
func TestReplaceVerifies(t *testing.T) {
	temp := "catalog/." + final + ".7.tmp"
	for _, tc := range []struct {
		name  string
		on    string // this operation does it
		file  string
		do    func(s *server, file string) error
		class outbox.Class
		words string
	}{
		{
			name: "cut short", on: "Close", file: temp, class: outbox.Transient, words: "10 of 1000 bytes",
			do: func(_ *server, file string) error { return os.Truncate(file, 10) },
		},
		{
			name: "taken before its time", on: "Close", file: temp, class: outbox.Transient, words: "vanished",
			do: func(_ *server, file string) error { return os.Remove(file) },
		},
		{
			name: "another writer", on: "Stat", file: "catalog/" + final, class: outbox.Foreign, words: "somebody else writes there",
			do: func(_ *server, file string) error { return os.Truncate(file, 10) },
		},
		{
			name: "cut after the swap", on: "Stat", file: "catalog/" + final,
			do: func(s *server, _ string) error { s.drop(); return nil },
		},
		{
			name: "rename refused, name free", on: "Rename", file: temp, class: outbox.Transient, words: "busy",
			do: func(*server, string) error { return errors.New("busy") },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t)
			seen := 0
			s.before = func(op, name, _ string) error {
				if op == "Rename" {
					seen = 1
				}
				if op == tc.on && name == tc.file && (op != "Stat" || seen == 1) {
					return tc.do(s, s.local(name))
				}
				return nil
			}
			got, err := dial(t, s.client()).Replace(t.Context(), document(t, 7, 1000))
			if tc.class != "" {
				wantClass(t, err, tc.class, tc.words)
				return
			}
			if err != nil || got.Proof != outbox.ProofSize {
				t.Errorf("Replace = %+v, %v; want the proof from before the swap", got, err)
			}
		})
	}
}

func TestFolderTrouble(t *testing.T) {
	t.Run("may not be made", func(t *testing.T) {
		s := newServer(t)
		s.before = func(op, _, _ string) error {
			if op == "Mkdir" {
				return sftp.ErrSSHFxPermissionDenied
			}
			return nil
		}
		_, err := dial(t, s.client()).Replace(t.Context(), document(t, 7, 10))
		wantClass(t, err, outbox.Permission, "make folder", "PY_UY_test")
	})
	t.Run("may not be looked into", func(t *testing.T) {
		s := newServer(t)
		s.put(t, "catalog/"+final, old)
		s.before = func(op, _, _ string) error {
			if op == "Stat" || op == "List" {
				return sftp.ErrSSHFxPermissionDenied
			}
			return nil
		}
		r := dial(t, s.client())
		_, err := r.Look(t.Context(), "catalog", final)
		wantClass(t, err, outbox.Permission, "list the folder")
		wantClass(t, sweep(t.Context(), r, "catalog"), outbox.Permission)
	})
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for range 1000 {
		if what() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatal("waited in vain")
}

// A swap that began is finished, whatever happens to ctx.
func TestReplaceCancelledInSwap(t *testing.T) {
	s := newServer(t)
	s.put(t, "catalog/"+final, old)
	ctx, cancel := context.WithCancel(t.Context())
	s.before = func(op, _, _ string) error {
		if op == "Rename" {
			cancel()
		}
		return nil
	}
	d := document(t, 7, 1000)
	d.Known = []int64{int64(len(old))}
	if got, err := dial(t, s.client()).Replace(ctx, d); err != nil || got.Way != "aside" {
		t.Errorf("Replace = %+v, %v", got, err)
	}
	holds(t, s.local("catalog"), d, map[string]string{final: ""})
}

// Calls for the same name wait for each other, and stop waiting when they are cancelled.
func TestClaim(t *testing.T) {
	s := newServer(t)
	r := dial(t, s.client())
	release, err := r.claim(t.Context(), "catalog/"+final)
	if err != nil {
		t.Fatal(err)
	}
	d := document(t, 7, 10)
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error, 1)
	go func() {
		_, err := r.Replace(ctx, d)
		cancelled <- err
	}()
	waitFor(t, func() bool { return len(s.operations("List")) > 0 }) // then it has nothing left to do but wait
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while waiting: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := r.Replace(t.Context(), d)
		done <- err
	}()
	release()
	if err := <-done; err != nil {
		t.Errorf("after the release: %v", err)
	}
}

func TestLeftover(t *testing.T) {
	for name, want := range map[string]string{
		".gondola_s1.csv.7.tmp":  "gondola_s1.csv .tmp",
		".gondola.csv.12345.old": "gondola.csv .old",
		"gondola_s1.csv.7.tmp":   "",
		".gondola_s1.csv.tmp":    "",
		".gondola_s1.csv.x.tmp":  "",
		".gondola_s1.csv.07.tmp": "",
		".gondola_s1.csv.+7.tmp": "",
		".gondola_s1.txt.7.tmp":  "",
		".csv.7.tmp":             "",
		"..7.tmp":                "",
		".tmp":                   "",
		"":                       "",
		".gondola_s1.csv.7.part": "",

		"gondola_s1.csv.7.gondola.tmp":  "gondola_s1.csv .tmp",
		"gondola_s1.csv.7.gondola.old":  "gondola_s1.csv .old",
		"gondola_s1.csv.gondola.tmp":    "",
		"gondola_s1.csv.07.gondola.tmp": "",
		"7.gondola.tmp":                 "",
		".gondola.tmp":                  "",
	} {
		final, suffix, ok := leftover(name)
		got := final + " " + suffix
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("leftover(%q) = %q, want %q", name, got, want)
		}
	}
}

// Whatever is taken for ours has the shape of ours.
func FuzzLeftover(f *testing.F) {
	f.Add(".gondola_s1.csv.7.tmp")
	f.Add(".a.csv.-1.old")
	f.Fuzz(func(t *testing.T, name string) {
		final, suffix, ok := leftover(name)
		if ok && (!strings.HasPrefix(strings.TrimPrefix(name, "."), final+".") || !strings.HasSuffix(name, suffix) || !strings.HasSuffix(final, ".csv")) {
			t.Errorf("leftover(%q) = %q, %q", name, final, suffix)
		}
	})
}
