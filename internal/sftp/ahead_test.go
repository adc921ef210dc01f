package sftp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/outbox"
)

// readingBack is a server whose files are read back, and a client that sends many at once.
func readingBack(t *testing.T) (*server, Config) {
	t.Helper()
	s := newServer(t, posix)
	s.reads = true
	s.put(t, "catalog/other", "x")
	c := s.client()
	c.Parallel, c.ReadBack = 64, 1<<20
	return s, c
}

// closesWhatItReads checks that nothing is open any more that was read.
func closesWhatItReads(t *testing.T, s *server, reads int) {
	t.Helper()
	opened, closed := s.operations("Read "), s.operations("Done ")
	if len(opened) != reads || len(closed) != reads {
		t.Errorf("%d opened to be read, %d closed, want %d", len(opened), len(closed), reads)
	}
}

// TestRenamedAhead has a server refuse a rename while the file is open, for all we know. Once may be for that, and tells nothing.
func TestRenamedAhead(t *testing.T) {
	for _, tc := range []struct {
		refuses int32
		way     string
		closed  bool // before the last rename began
	}{{0, outbox.WayPosixRename, false}, {1, outbox.WayPosixRename, true}, {2, outbox.WayRename, true}} {
		s, c := readingBack(t)
		var renames atomic.Int32
		s.before = func(op, _, _ string) error {
			if op == "PosixRename" && renames.Add(1) <= tc.refuses {
				return errors.New("it is in use by another process")
			}
			return nil
		}
		r := dial(t, c)
		d := document(t, 7, 1000)
		got, err := r.Replace(t.Context(), d)
		if err != nil || got.Way != tc.way || got.Proof != outbox.ProofDigest {
			t.Errorf("refused %d times: %+v, %v", tc.refuses, got, err)
		}
		if lacks := r.Passport().Lacks(outbox.PosixRename); lacks != (tc.refuses > 1) {
			t.Errorf("refused %d times: the passport says that it can't: %v", tc.refuses, lacks)
		}
		closesWhatItReads(t, s, 1)
		done, renamed := 0, 0
		for i, op := range s.operations("") {
			if strings.HasPrefix(op, "Done ") {
				done = i
			} else if strings.Contains(op, "Rename ") {
				renamed = i
			}
		}
		if tc.closed && renamed < done {
			t.Errorf("refused %d times, and renamed while it was open: %q", tc.refuses, s.operations(""))
		}
		holds(t, s.local("catalog"), d, map[string]string{final: "", "other": "x"})
	}
}

// TestForeignBesideReading has somebody else's file come while ours is read back: it is not replaced.
func TestForeignBesideReading(t *testing.T) {
	s, c := readingBack(t)
	s.before = func(op, name, _ string) error {
		if op == "Close" && strings.HasSuffix(name, suffixTemp) {
			s.put(t, "catalog/"+final, "somebody else's")
		}
		return nil
	}
	r := dial(t, c)
	_, err := r.Replace(t.Context(), document(t, 7, 1000))
	wantClass(t, err, outbox.Foreign, "did not put")
	closesWhatItReads(t, s, 1)
	holds(t, s.local("catalog"), outbox.Delivery{}, map[string]string{final: "somebody else's", "other": "x"})
}

// TestOpenedBeforeItWasClosed has a server show something else to who opens a file while it is being closed.
func TestOpenedBeforeItWasClosed(t *testing.T) {
	for name, shown := range map[string]string{"empty": "", "a part": "abc", "as long": strings.Repeat("x", 1000)} {
		t.Run(name, func(t *testing.T) {
			s, c := readingBack(t)
			s.put(t, "shown", shown)
			var reads atomic.Int32
			s.shows = func(name string) string {
				if reads.Add(1) == 1 {
					return "shown"
				}
				return name
			}
			r := dial(t, c)
			d := document(t, 7, 1000)
			got, err := r.Replace(t.Context(), d)
			if err != nil || got.Proof != outbox.ProofDigest || !r.Passport().Has(outbox.ReadBack) {
				t.Errorf("Replace = %+v, %v", got, err)
			}
			closesWhatItReads(t, s, 2)
			holds(t, s.local("catalog"), d, map[string]string{final: "", "other": "x"})
		})
	}
}

// TestRefusedBeforeItWasClosed has a server refuse to open a file while another is open. Once may be for its own close, and tells nothing;
// when it is refused in its turn, too, it waits for the other.
func TestRefusedBeforeItWasClosed(t *testing.T) {
	for _, tc := range []struct{ refuses, most int64 }{{1, 64}, {2, 1}} {
		s, c := readingBack(t)
		var reads atomic.Int64
		s.before = func(op, _, _ string) error {
			if op == "Read" && reads.Add(1) <= tc.refuses {
				return errors.New("too many open files")
			}
			return nil
		}
		r := dial(t, c)
		got, err := besideAnother(t, r, document(t, 7, 1000))
		if err != nil || got.Proof != outbox.ProofDigest || !r.Passport().Has(outbox.ReadBack) || len(r.Passport().Doubts) != 0 {
			t.Errorf("refused %d times: %+v, %v, doubts %q", tc.refuses, got, err, r.Passport().Doubts)
		}
		if most, _ := r.files.state(); most != tc.most {
			t.Errorf("refused %d times: %d files at once from then on, want %d", tc.refuses, most, tc.most)
		}
	}
}

// TestOpenedAheadInVain has a file fail, or not be read back after all, once it was opened for that.
func TestOpenedAheadInVain(t *testing.T) {
	temp := "catalog/." + final + ".7.tmp"
	for _, tc := range []struct {
		name, on string
		do       func(s *server, r *Remote) error
		proof    outbox.Proof
	}{
		{name: "not closed", on: "Close", do: func(*server, *Remote) error { return errors.New("no") }},
		{name: "cut short", on: "Stat", do: func(s *server, _ *Remote) error { return os.Truncate(s.local(temp), 10) }},
		{name: "vanished", on: "Stat", do: func(s *server, _ *Remote) error { return os.Remove(s.local(temp)) }},
		{name: "not read any more", on: "Read", proof: outbox.ProofSize, do: func(_ *server, r *Remote) error {
			r.contradict(outbox.ReadBack, outbox.Cannot, nil)
			return nil
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := readingBack(t)
			var r *Remote
			s.before = func(op, name, _ string) error {
				if op == tc.on && name == temp {
					return tc.do(s, r)
				}
				return nil
			}
			r = dial(t, c)
			got, err := r.Replace(t.Context(), document(t, 7, 1000))
			if (err == nil) != (tc.proof != "") || got.Proof != tc.proof {
				t.Errorf("Replace = %+v, %v", got, err)
			}
			closesWhatItReads(t, s, 1)
			if files, bytes := shares(r); files != 0 || bytes != 0 || len(r.claims) != 0 {
				t.Errorf("%d files and %d bytes are never given back, claims %v", files, bytes, r.claims)
			}
		})
	}
}

func shares(r *Remote) (files, bytes int64) {
	_, files = r.files.state()
	_, bytes = r.bytes.state()
	return files, bytes
}

// TestNothingOpenedAhead has a server refuse the first one that opens a file to read it. Where that was not ahead of its turn, the file
// is not read back.
func TestNothingOpenedAhead(t *testing.T) {
	for _, tc := range []struct {
		name     string
		passport outbox.Passport
		parallel int
		attempts int
		narrow   int64
		want     outbox.Proof
	}{
		{name: "as a rule it is", parallel: 64, want: outbox.ProofDigest},
		{name: "refused so many over this connection", parallel: 64, narrow: 32, want: outbox.ProofSize},
		{name: "refused so many over another", parallel: 64, passport: outbox.Passport{Most: 40}, want: outbox.ProofSize},
		{name: "refused a probe", parallel: 3, passport: outbox.Passport{Files: 3}, want: outbox.ProofSize},
		{name: "second attempt", parallel: 64, attempts: 1, want: outbox.ProofSize},
		{name: "one at a time", parallel: 1, want: outbox.ProofSize},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := readingBack(t)
			var reads atomic.Int32
			s.before = func(op, name, _ string) error {
				if op == "Read" && path.Ext(name) == suffixTemp && reads.Add(1) == 1 {
					return errors.New("too many open files")
				}
				return nil
			}
			c.Parallel, c.Passport = tc.parallel, tc.passport
			c.Passport.At = time.Now()
			r := dial(t, c)
			if tc.narrow > 0 {
				r.files.set(tc.narrow)
			}
			d := document(t, 7, 1000)
			d.Attempts = tc.attempts
			if got, err := r.Replace(t.Context(), d); err != nil || got.Proof != tc.want {
				t.Errorf("Replace = %+v, %v; want proof by %s", got, err, tc.want)
			}
		})
	}
}

// TestMeasuredBeforeItWasClosed has a server tell nothing of a file, or not the truth, while it is being closed: what it tells then
// counts only where it is as it should be, and then the final name is looked at once more, too.
func TestMeasuredBeforeItWasClosed(t *testing.T) {
	temp, whole := "catalog/."+final+".7.tmp", int64(1000)
	refused := errors.New("it is in use by another process")
	for _, tc := range []struct {
		name         string
		early, final error // what is said of the temporary file, and of the final name, at first
		shorter      bool
		measured     int32 // times; where it is refused its folder's listing tells
		again        bool  // the final name is looked at
	}{
		{name: "as it is", measured: 1},
		{name: "not there yet", early: os.ErrNotExist, measured: 2, again: true},
		{name: "refused", early: refused, measured: 1},
		{name: "shorter", shorter: true, measured: 2, again: true},
		{name: "the final name refused", final: refused, measured: 2, again: true},
	} {
		for _, foreign := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, foreign %v", tc.name, foreign), func(t *testing.T) {
				s := newServer(t, posix)
				s.put(t, "catalog/other", "x")
				c := s.client()
				c.Parallel, c.ReadBack = 64, 0
				var measured, looks, lists atomic.Int32
				s.before = func(op, name, _ string) error {
					switch {
					case op == "Stat" && name == temp:
						switch n := measured.Add(1); {
						case n == 1 && tc.shorter:
							return os.Truncate(s.local(temp), 10)
						case n == 1:
							return tc.early
						case tc.shorter:
							return os.Truncate(s.local(temp), whole)
						}
					case op == "Stat" && name == "catalog/"+final:
						switch n := looks.Add(1); { // before anything is written, beside the close, again
						case n == 2:
							return tc.final
						case n == 3 && foreign && tc.again:
							s.put(t, "catalog/"+final, "somebody else's")
						}
					case op == "List" && tc.final != nil && lists.Add(1) == 1:
						return tc.final
					}
					return nil
				}
				r := dial(t, c)
				got, err := r.Replace(t.Context(), document(t, 7, int(whole)))
				if n := measured.Load(); n != tc.measured {
					t.Errorf("it was measured %d times, want %d", n, tc.measured)
				}
				if foreign && tc.again {
					wantClass(t, err, outbox.Foreign, "did not put")
				} else if err != nil || got.Proof != outbox.ProofSize || got.Way != outbox.WayPosixRename {
					t.Errorf("Replace = %+v, %v", got, err)
				}
				if _, err := os.Stat(s.local(temp)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the temporary file: %v", err)
				}
			})
		}
	}
}

// TestMeasuredLongBeforeItWasClosed does not believe what was told long before the answer to the close.
func TestMeasuredLongBeforeItWasClosed(t *testing.T) {
	s := newServer(t, posix)
	r := dial(t, s.client())
	now := time.Now()
	for early, counts := range map[time.Duration]bool{-time.Second: true, 0: true, overtaken - 1: true, overtaken: false} {
		d := document(t, 7, 1000)
		s.put(t, "catalog/"+final, "somebody else's")
		s.put(t, "temp", strings.Repeat("x", 10)) // shorter than the document, as it turns out
		p := &replacement{
			r: r, d: d, folder: "catalog", final: "catalog/" + final, temp: "temp",
			measuredAt: now.Add(-early), ended: now, again: &looked{},
		}
		proof, err := p.prove(t.Context())
		if counts != (err == nil && proof == outbox.ProofSize && p.again.err == nil) {
			t.Errorf("told %s before: %s, %v, the final name %v", early, proof, err, p.again.err)
		}
		if !counts {
			wantClass(t, p.again.err, outbox.Foreign, "did not put")
		}
	}
}

// TestShareLastsUntilTheName keeps a file's share while its name changes, and no longer: no more files without their names lie there than
// may be on their way.
func TestShareLastsUntilTheName(t *testing.T) {
	s, c := readingBack(t)
	var r *Remote
	var renaming, looking atomic.Int64
	s.before = func(op, name, _ string) error {
		switch files, _ := shares(r); {
		case op == "PosixRename":
			renaming.Store(files)
		case op == "Stat" && name == "catalog/"+final:
			looking.Store(files) // the last look is once it has its name
		}
		return nil
	}
	r = dial(t, c)
	if _, err := r.Replace(t.Context(), document(t, 7, 1000)); err != nil {
		t.Fatal(err)
	}
	if renaming.Load() != 1 || looking.Load() != 0 {
		t.Errorf("%d shares while its name changed, %d once it had it; want 1 and 0", renaming.Load(), looking.Load())
	}
}
