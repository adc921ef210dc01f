package sftp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pkg/sftp"

	"gondola/internal/outbox"
	"gondola/internal/sandbox"
)

// TestProbe asks each kind of server and compares the passport, feature by feature, with what the server was made to be.
func TestProbe(t *testing.T) {
	const yes, no, unknown = outbox.Can, outbox.Cannot, outbox.Unknown
	strict := map[outbox.Feature]outbox.Ability{
		outbox.Home: yes, outbox.DotNames: yes, outbox.PosixRename: no, outbox.RenameOver: no, outbox.Rename: yes, outbox.RenameAcross: yes,
		outbox.EatsOnClose: no, outbox.Stat: yes, outbox.StatAfterClose: yes, outbox.List: yes, outbox.ReadBack: yes, outbox.Delete: yes,
		outbox.Setstat: no, outbox.Fsync: no,
	}
	for _, tc := range []struct {
		servers  string
		differs  map[outbox.Feature]outbox.Ability
		sessions int
		blind    bool
		left     bool
	}{
		{servers: ""},
		{servers: "posix-rename", differs: map[outbox.Feature]outbox.Ability{outbox.PosixRename: yes}},
		{servers: "rename-over", differs: map[outbox.Feature]outbox.Ability{outbox.RenameOver: yes}},
		{servers: "no-rename", differs: map[outbox.Feature]outbox.Ability{outbox.Rename: no, outbox.RenameAcross: unknown}},
		{servers: "setstat", differs: map[outbox.Feature]outbox.Ability{outbox.Setstat: yes}},
		{servers: "no-stat", differs: map[outbox.Feature]outbox.Ability{outbox.Stat: no, outbox.StatAfterClose: no}},
		{servers: "no-list", differs: map[outbox.Feature]outbox.Ability{outbox.List: no}},
		{
			servers: "no-stat no-list", blind: true,
			differs: map[outbox.Feature]outbox.Ability{outbox.Stat: no, outbox.StatAfterClose: no, outbox.List: no},
		},
		{servers: "no-read-back", differs: map[outbox.Feature]outbox.Ability{outbox.ReadBack: no}},
		{servers: "no-dot-names", differs: map[outbox.Feature]outbox.Ability{outbox.DotNames: no}},
		{servers: "no-delete", differs: map[outbox.Feature]outbox.Ability{outbox.Delete: no}, left: true},
		{servers: "one-folder-renames", differs: map[outbox.Feature]outbox.Ability{outbox.RenameAcross: no}},
		{servers: "one-session", sessions: 1},
		{servers: "one-file"},
		{servers: "eats-on-close", blind: true, differs: map[outbox.Feature]outbox.Ability{
			outbox.EatsOnClose: yes, outbox.StatAfterClose: unknown, outbox.ReadBack: unknown, outbox.Rename: unknown,
			outbox.RenameOver: unknown, outbox.RenameAcross: unknown, outbox.Delete: unknown, outbox.Setstat: unknown,
		}},
		{servers: "eats-on-close no-stat no-list", blind: true, differs: map[outbox.Feature]outbox.Ability{
			outbox.EatsOnClose: yes, outbox.StatAfterClose: no, outbox.ReadBack: unknown, outbox.Rename: unknown, outbox.Stat: no,
			outbox.List: no, outbox.RenameOver: unknown, outbox.RenameAcross: unknown, outbox.Delete: unknown, outbox.Setstat: unknown,
		}},
		{servers: "no-home", blind: true, differs: map[outbox.Feature]outbox.Ability{
			outbox.Home: no, outbox.DotNames: unknown, outbox.EatsOnClose: unknown, outbox.StatAfterClose: unknown, outbox.ReadBack: unknown,
			outbox.Rename: unknown, outbox.RenameOver: unknown, outbox.RenameAcross: unknown, outbox.Delete: unknown,
			outbox.Setstat: unknown, outbox.Fsync: unknown,
		}},
	} {
		t.Run("server "+tc.servers, func(t *testing.T) {
			s := sandboxed(nil, strings.Fields(tc.servers)...)(t)
			r := dial(t, s.config)
			got, err := r.Probe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range outbox.Features() {
				want, ok := tc.differs[f]
				if !ok {
					want = strict[f]
				}
				if got.Says(f) != want {
					t.Errorf("%s: %q, want %q", f, got.Says(f), want)
				}
			}
			sessions := max(tc.sessions, 1)
			if tc.sessions == 0 {
				sessions = askedFor
			}
			files := askedFor
			if tc.servers == "one-file" {
				files = 1
			} else if got.Lacks(outbox.Home) {
				files = 0
			}
			if got.Files != files {
				t.Errorf("%d files at once, want %d", got.Files, files)
			}
			if got.Sessions != sessions || got.SkewKnown == tc.blind || got.Broke != "" || len(got.Left) > 0 != tc.left {
				t.Errorf("%d sessions, clock known: %t, broke %q, left %q", got.Sessions, got.SkewKnown, got.Broke, got.Left)
			}
			if diff := cmp.Diff(got, r.Passport()); diff != "" {
				t.Errorf("the connection goes by another one (-found +used):\n%s", diff)
			}
		})
	}
}

// TestProbeBreaksOff cuts the line at each kind of step: what was found until then is known, and where it ended.
func TestProbeBreaksOff(t *testing.T) {
	for kind, step := range map[sandbox.Kind]string{
		sandbox.OpOpenRead: "read back", sandbox.OpRename: "rename", sandbox.OpMkdir: "rename across", sandbox.OpSetstat: "setstat",
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := sandboxed(nil)(t)
			s.sandbox.Faults().CutOn(kind, false)
			got, err := dial(t, s.config).Probe(t.Context())
			wantClass(t, err, outbox.Transient)
			if !errors.Is(err, outbox.ErrLost) || got.Broke != step || got.Tries != 1 || !got.Stale() || !got.Has(outbox.Home) {
				t.Errorf("Probe = %+v, %v; want broken off at %q", got, err, step)
			}
			// A later one clears away what stayed, and counts on from the first.
			s.config.Passport = got
			again, err := dial(t, s.config).Probe(t.Context())
			if err != nil || again.Stale() || !again.Has(outbox.Rename) || !again.Has(outbox.RenameAcross) {
				t.Fatalf("Probe = %+v, %v", again, err)
			}
			holds(t, s.home, outbox.Delivery{}, map[string]string{})
		})
	}
}

// TestProbeDied lets a probe end without a word of its own, as if the process died. What it had kept before its first file is enough for
// the next one to remove all that it left, while files of one that may be under way beside it stay.
func TestProbeDied(t *testing.T) {
	for _, servers := range [][]string{nil, {"no-list"}, {"no-dot-names"}} {
		for _, kind := range []sandbox.Kind{sandbox.OpRename, sandbox.OpMkdir, sandbox.OpSetstat} {
			t.Run(strings.Join(append(servers, string(kind)), " "), func(t *testing.T) {
				s := sandboxed(nil, servers...)(t)
				var kept []outbox.Passport
				c := s.config
				c.Learned = func(p outbox.Passport) { kept = append(kept, p) }
				s.sandbox.Faults().CutOn(kind, false)
				if _, err := dial(t, c).Probe(t.Context()); !errors.Is(err, outbox.ErrLost) {
					t.Fatalf("Probe = %v", err)
				}
				if len(kept) == 0 || kept[0].Probing == 0 || !kept[0].Stale() {
					t.Fatalf("kept %+v before the first file", kept)
				}
				other := nameOf(probeFinal, time.Now().Add(time.Minute).UnixMilli()*perProbe+1, suffixTemp, !slices.Contains(servers, "no-dot-names"))
				s.put(other, probeOne)
				c.Passport = kept[0]
				if p, err := dial(t, c).Probe(t.Context()); err != nil || p.Probing != 0 || p.Stale() {
					t.Fatalf("Probe = %+v, %v", p, err)
				}
				holds(t, s.home, outbox.Delivery{}, map[string]string{other: probeOne})
			})
		}
	}
}

// TestProbeIsRefused has each kind of operation refused, in each way: that is a result, never an error.
func TestProbeIsRefused(t *testing.T) {
	for _, op := range []string{"Open", "Close", "Rename", "PosixRename", "Remove", "Mkdir", "Setstat", "Stat", "List"} {
		for name, refusal := range map[string]error{
			"unsupported": sftp.ErrSSHFxOpUnsupported, "denied": sftp.ErrSSHFxPermissionDenied, "failure": errors.New("not today"),
		} {
			t.Run(op+" "+name, func(t *testing.T) {
				s := newServer(t, posix)
				s.before = func(asked, _, _ string) error {
					if asked == op {
						return refusal
					}
					return nil
				}
				p, err := dial(t, s.client()).Probe(t.Context())
				if err != nil || p.Broke != "" || p.Stale() {
					t.Errorf("Probe = %+v, %v", p, err)
				}
				if lacks := map[string]outbox.Feature{
					"Open": outbox.Home, "Close": outbox.Home, "Rename": outbox.Rename, "PosixRename": outbox.PosixRename, "Remove": outbox.Delete,
					"Mkdir": outbox.RenameAcross, "Setstat": outbox.Setstat, "Stat": outbox.Stat, "List": outbox.List,
				}[op]; !p.Lacks(lacks) {
					t.Errorf("%s: %q, want no", lacks, p.Says(lacks))
				}
			})
		}
	}
}

// TestProbeOfAServerThatHides probes servers that list no dot-files: that takes no file away, and where only the listing tells, names
// without a dot are used.
func TestProbeOfAServerThatHides(t *testing.T) {
	for _, stat := range []bool{true, false} {
		t.Run(fmt.Sprint("stat ", stat), func(t *testing.T) {
			s := newServer(t)
			s.hides = true
			s.before = func(op, _, _ string) error {
				if op == "Stat" && !stat {
					return sftp.ErrSSHFxOpUnsupported
				}
				return nil
			}
			r := dial(t, s.client())
			p, err := r.Probe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !p.Lacks(outbox.EatsOnClose) || p.Way() != outbox.WayAside || p.Has(outbox.DotNames) != stat || len(p.Left) > 0 {
				t.Errorf("passport: %+v", p)
			}
			holds(t, s.dir, outbox.Delivery{}, map[string]string{})
			d := document(t, 1, 100)
			if got, err := r.Replace(t.Context(), d); err != nil || got.Way != outbox.WayRename || got.Proof != outbox.ProofSize {
				t.Errorf("Replace = %+v, %v", got, err)
			}
			holds(t, s.local("catalog"), d, map[string]string{final: ""})
		})
	}
}

// TestProbeAmongOthers sweeps the home, and probes it once more, while a probe is under way: it finds what it wrote.
func TestProbeAmongOthers(t *testing.T) {
	s := newServer(t, posix)
	var others [2]*Remote
	asked := false
	s.before = func(op, name, _ string) error {
		if op != "Close" || !strings.HasSuffix(name, "1.tmp") || asked {
			return nil
		}
		asked = true
		if err := sweep(t.Context(), others[0], "catalog"); err != nil {
			t.Errorf("Sweep: %v", err)
		}
		if _, err := others[1].Probe(t.Context()); err != nil {
			t.Errorf("Probe: %v", err)
		}
		return nil
	}
	s.put(t, "catalog/other", "x")
	c := s.client()
	c.Passport = outbox.Passport{At: time.Now()}.With(outbox.RenameAcross, outbox.Can)
	others[0] = dial(t, c)
	c.Now = func() time.Time { return time.Now().Add(time.Minute) }
	others[1] = dial(t, c)
	p, err := dial(t, s.client()).Probe(t.Context())
	if err != nil || !asked || !p.Lacks(outbox.EatsOnClose) || !p.Has(outbox.Rename) || !p.Has(outbox.StatAfterClose) || p.Way() != outbox.WayPosixRename {
		t.Errorf("Probe = %+v, %v", p, err)
	}
	// What a probe left long ago is swept.
	s.put(t, "."+probeFinal+".100.tmp", probeOne)
	if err := sweep(t.Context(), others[0], "catalog"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.local("." + probeFinal + ".100.tmp")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a probe left long ago: %v", err)
	}
}

// TestProbeAgain probes a server that keeps what the first probe left: the second one finds the same.
func TestProbeAgain(t *testing.T) {
	s := sandboxed(nil, "no-delete")(t)
	r := dial(t, s.config)
	var all []map[outbox.Feature]outbox.Ability
	for range 2 {
		time.Sleep(2 * time.Millisecond) // no two probes of one login begin in the same millisecond
		p, err := r.Probe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Abilities)
	}
	if diff := cmp.Diff(all[0], all[1]); diff != "" {
		t.Errorf("passports (-first +second):\n%s", diff)
	}
}

// TestContradiction meets servers that do not do what their passports say. The file arrives, at the second attempt at the latest, and the
// passport is corrected.
func TestContradiction(t *testing.T) {
	claims := outbox.Passport{At: time.Now(), Abilities: map[outbox.Feature]outbox.Ability{
		outbox.Home: outbox.Can, outbox.DotNames: outbox.Can, outbox.Rename: outbox.Can, outbox.Stat: outbox.Can, outbox.List: outbox.Can,
		outbox.StatAfterClose: outbox.Can, outbox.Delete: outbox.Can,
	}}
	for _, tc := range []struct {
		name, servers string
		claim         outbox.Feature // that the server has it, or
		claimNot      outbox.Feature // has not
		way           string
		proof         outbox.Proof
		tries         int
	}{
		{name: "posix-rename", claim: outbox.PosixRename, way: outbox.WayAside},
		{name: "rename over", claim: outbox.RenameOver, way: outbox.WayAside},
		{name: "rename across", servers: "one-folder-renames", claim: outbox.RenameAcross, way: outbox.WayAside, tries: 1},
		{name: "rename across, posix-rename", servers: "one-folder-renames posix-rename", claim: outbox.RenameAcross, way: outbox.WayPosixRename, tries: 1},
		{name: "dot-names", servers: "no-dot-names", claim: outbox.DotNames, way: outbox.WayAside},
		{name: "rename", servers: "no-rename", claim: outbox.Rename, way: outbox.WayDirect, tries: 1},
		{name: "read back", servers: "no-read-back", claim: outbox.ReadBack, way: outbox.WayAside, proof: outbox.ProofSize},
		{name: "does not eat", servers: "eats-on-close", claimNot: outbox.EatsOnClose, way: outbox.WayDirect, proof: outbox.ProofSize, tries: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sandboxed(nil, strings.Fields(tc.servers)...)(t)
			s.put("catalog/"+final, old)
			s.config.Passport, s.config.ReadBack = claims, 1<<20
			wrong := tc.claim
			if tc.claim != "" {
				s.config.Passport = claims.With(tc.claim, outbox.Can)
			} else {
				wrong = tc.claimNot
				s.config.Passport = claims.With(wrong, outbox.Cannot)
			}
			var learned []outbox.Passport
			s.config.Learned = func(p outbox.Passport) { learned = append(learned, p) }
			r := dial(t, s.config)
			d := document(t, 7, 5000)
			d.Adopt = true
			var got outbox.Receipt
			var err error
			tries := 0
			for ; tries < 4; tries++ {
				d.Attempts = tries
				if got, err = r.Replace(t.Context(), d); err == nil {
					break
				}
			}
			if err != nil || got.Way != tc.way || tries != tc.tries {
				t.Fatalf("Replace = %+v, %v after %d failures; want %s after %d", got, err, tries, tc.way, tc.tries)
			}
			want := tc.proof
			if want == "" {
				want = outbox.ProofDigest
			}
			if got.Proof != want {
				t.Errorf("proved by %s, want %s", got.Proof, want)
			}
			if len(learned) == 0 {
				t.Fatal("nobody was told")
			}
			p := learned[len(learned)-1]
			if !slices.Contains(p.Doubts, wrong) || !p.Stale() || p.Says(wrong) == s.config.Passport.Says(wrong) {
				t.Errorf("passport %+v, want %s in doubt", p, wrong)
			}
		})
	}
}

// TestOneVanishedFile has a temporary file removed by somebody, after an earlier failure: the document goes under another name at once,
// and the server is not taken for one that takes files.
func TestOneVanishedFile(t *testing.T) {
	for _, hidden := range []bool{true, false} {
		s := newServer(t)
		s.put(t, "catalog/"+final, old)
		once := false
		s.before = func(op, name, _ string) error {
			if op == "Open" && !hidden && strings.HasPrefix(path.Base(name), ".") {
				return sftp.ErrSSHFxPermissionDenied
			}
			if op == "Close" && strings.HasSuffix(name, ".tmp") && !once {
				once = true
				return os.Remove(s.local(name))
			}
			return nil
		}
		c := s.client()
		c.Passport = outbox.Passport{At: time.Now()}.With(outbox.EatsOnClose, outbox.Cannot)
		r := dial(t, c)
		d := document(t, 7, 5000)
		d.Attempts, d.Adopt = 1, true
		got, err := r.Replace(t.Context(), d)
		if hidden && (err != nil || got.Way != outbox.WayAside) {
			t.Errorf("Replace = %+v, %v", got, err)
		}
		if !hidden {
			wantClass(t, err, outbox.Transient, "vanished")
		}
		if !once || r.Passport().Has(outbox.EatsOnClose) {
			t.Errorf("passport: %+v", r.Passport())
		}
		if hidden {
			holds(t, s.local("catalog"), d, map[string]string{final: ""})
		} else {
			holds(t, s.local("catalog"), d, map[string]string{final: old})
		}
	}
}

// TestUseTeaches sends where nothing could be tried beforehand: what works is known from there on.
func TestUseTeaches(t *testing.T) {
	s := sandboxed(nil, "no-home", "posix-rename")(t)
	s.put("catalog/other", "x")
	r := dial(t, s.config)
	if _, err := r.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.Passport().Says(outbox.PosixRename) != outbox.Unknown {
		t.Fatal("it was tried, though the home is closed")
	}
	if got, err := r.Replace(t.Context(), document(t, 1, 10)); err != nil || got.Way != outbox.WayPosixRename {
		t.Fatalf("Replace = %+v, %v", got, err)
	}
	if !r.Passport().Has(outbox.PosixRename) || r.Passport().Stale() {
		t.Errorf("passport %+v, want posix-rename known and nothing in doubt", r.Passport())
	}
}

func TestSkewOf(t *testing.T) {
	begun := time.Date(2026, 3, 2, 12, 0, 0, 700e6, time.UTC)
	ended := begun.Add(5 * time.Second)
	for _, tc := range []struct {
		told  time.Time
		want  time.Duration
		known bool
	}{
		{time.Time{}, 0, false},
		{time.Unix(0, 0), 0, false},
		{begun.Truncate(time.Second), 0, true},
		{begun.Add(2 * time.Second), 0, true},
		{ended, 0, true},
		{ended.Add(3 * time.Minute), 3 * time.Minute, true},
		{begun.Truncate(time.Second).Add(-2 * time.Hour), -2 * time.Hour, true},
	} {
		if got, known := skewOf(begun, ended, tc.told); got != tc.want || known != tc.known {
			t.Errorf("skewOf(%v) = %v, %t; want %v, %t", tc.told, got, known, tc.want, tc.known)
		}
	}
}

func TestCheckFingerprint(t *testing.T) {
	good := fingerprint(newEd25519(t))
	for _, text := range []string{"", "SHA256:", good[7:], good[:len(good)-1], good + "A", good + "=", "MD5:" + good[7:], strings.ToLower(good), " " + good} {
		if CheckFingerprint(text) == nil {
			t.Errorf("%q is taken for a fingerprint", text)
		}
	}
	if err := CheckFingerprint(good); err != nil {
		t.Error(err)
	}
}
