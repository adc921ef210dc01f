package sftp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"gondola/internal/outbox"
	"gondola/internal/sandbox"
	"gondola/internal/sftp/sshdtest"
)

// The conformance suite: what delivery promises, one named case each, asked of every kind of server. What can't hold somewhere is
// listed there by name, with the reason; a listed exception that does not occur is a mistake, too.

// readBackLimit is up to which size the suite reads back: the documents of most cases are smaller, those of one are larger.
const readBackLimit = 300_000

// profile is a kind of server.
type profile struct {
	name  string
	start func(t *testing.T) rig
	// shared keeps one server for all cases: it takes long to start, and has no faults to be cleared.
	shared bool
	keeps  []string // folders that the account can't make anew

	way        string // how a file is replaced there
	proof      outbox.Proof
	exceptions map[string]string // by case: why it can't hold

	// arm breaks something before each delivery, mend is what time or a person does about it. Each delivery then fails once.
	arm  func(s *sandbox.Sandbox)
	mend func(b *bench)
	// stall is after how long a delivery takes the line for frozen, where lines freeze.
	stall time.Duration
	// scans and eats say that the platform takes files away: after a scan, or as they are closed; single, that it stands one connection.
	scans, eats, single bool
}

// rig is a running server.
type rig struct {
	home    string
	config  Config
	put     func(name, content string)
	sandbox *sandbox.Sandbox // nil where it is somebody else's
}

// sandboxed starts the simulated platform.
func sandboxed(change func(o *sandbox.Options), servers ...string) func(t *testing.T) rig {
	return func(t *testing.T) rig {
		t.Helper()
		if err := sftp.SetSFTPExtensions(posix); err != nil { // the sandbox hides it where it has to
			t.Fatal(err)
		}
		o := sandbox.Options{Dir: t.TempDir(), User: "chain", Password: testPassword}
		for _, name := range servers {
			if err := o.SetServer(name); err != nil {
				t.Fatal(err)
			}
		}
		if change != nil {
			change(&o)
		}
		s, err := sandbox.Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		host, port := s.SFTPAddr()
		return rig{home: s.Home(), sandbox: s, put: putter(t, s.Home(), -1), config: Config{
			Host: host, Port: port, User: o.User, HostKeys: []string{s.HostKey()},
			Password: func() (string, error) { return testPassword, nil },
		}}
	}
}

// putter puts files into a home, for an account.
func putter(t *testing.T, home string, owner int) func(name, content string) {
	return func(name, content string) {
		t.Helper()
		file := filepath.Join(home, filepath.FromSlash(name))
		err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o600))
		if owner >= 0 && os.Getuid() == 0 {
			err = errors.Join(err, os.Chown(filepath.Dir(file), owner, owner), os.Chown(file, owner, owner))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func openSSH(o sshdtest.Options) func(t *testing.T) rig {
	return func(t *testing.T) rig {
		t.Helper()
		s := sshdtest.Start(t, o)
		return rig{home: s.Home(), config: sshdConfig(s), put: s.Put}
	}
}

func other(start func(t *testing.T) otherServer, owner int) func(t *testing.T) rig {
	return func(t *testing.T) rig {
		t.Helper()
		s := start(t)
		return rig{home: s.home, config: s.config, put: putter(t, s.home, owner)}
	}
}

// Reasons of exceptions.
const (
	inPlace     = "no rename works: a file can only be written in place, and a cut leaves a part of it until it is sent again"
	takenInPart = "what is closed is taken, and the server closes what the line leaves open"
	noListing   = "nothing tells how a folder is spelled, or what lies in it"
	closedHome  = "nothing can be made in the home"
	blind       = "nothing tells what lies under a name"
	noDeleting  = "nothing can be removed"
)

// inPlaceExceptions are those of servers without a rename.
func inPlaceExceptions() map[string]string {
	return map[string]string{"cut keeps the old file": inPlace, "stall keeps the old file": inPlace, "never partial": inPlace}
}

// profiles are the kinds of servers.
func profiles() []profile {
	const aside, posixRename = outbox.WayAside, outbox.WayPosixRename
	digest := outbox.ProofDigest
	eaten := func(o *sandbox.Options) { o.Limits.EatsOnClose = true }
	withCatalog := func(start func(t *testing.T) rig) func(t *testing.T) rig {
		return func(t *testing.T) rig {
			r := start(t)
			if err := os.MkdirAll(filepath.Join(r.home, "catalog"), 0o755); err != nil {
				t.Fatal(err)
			}
			return r
		}
	}
	return []profile{
		{name: "OpenSSH", start: openSSH(sshdtest.Options{}), shared: true, way: posixRename, proof: digest},
		{
			name: "OpenSSH, jailed", start: openSSH(sshdtest.Options{Jail: true}), shared: true, keeps: []string{"catalog", "promotions"},
			way: posixRename, proof: digest,
			exceptions: map[string]string{"folder made": closedHome, "folder removed meanwhile": closedHome},
		},
		{name: "ProFTPD", start: other(startProFTPD, otherID), shared: true, way: posixRename, proof: digest},
		{name: "rclone", start: other(startRclone, -1), shared: true, way: posixRename, proof: digest},
		{name: "strict", start: sandboxed(nil), way: aside, proof: digest},
		{name: "posix-rename", start: sandboxed(nil, "posix-rename"), way: posixRename, proof: digest},
		{name: "rename-over", start: sandboxed(nil, "rename-over"), way: outbox.WayRenameOver, proof: digest},
		{
			name: "no rename", start: sandboxed(nil, "no-rename"), way: outbox.WayDirect, proof: digest,
			exceptions: inPlaceExceptions(),
		},
		{name: "setstat", start: sandboxed(nil, "setstat"), way: aside, proof: digest},
		{
			name: "eats on close", start: sandboxed(eaten), eats: true, way: outbox.WayDirect, proof: outbox.ProofSize,
			exceptions: map[string]string{
				"cut keeps the old file": takenInPart, "stall keeps the old file": takenInPart, "never partial": takenInPart,
			},
		},
		{
			name: "eats on scan", start: sandboxed(func(o *sandbox.Options) { o.Fate = sandbox.Eat }), scans: true, way: aside, proof: digest,
		},
		{name: "keeps", start: sandboxed(func(o *sandbox.Options) { o.Fate = sandbox.Keep }), way: aside, proof: digest},
		{
			name: "no list", start: sandboxed(nil, "no-list"), way: aside, proof: digest,
			exceptions: map[string]string{"folder spelled otherwise": noListing, "leftovers swept": noListing, "cut leaves nothing in the end": noListing},
		},
		{name: "no stat", start: sandboxed(nil, "no-stat"), way: aside, proof: digest},
		{
			name: "tells nothing", start: sandboxed(nil, "no-stat", "no-list"), way: aside, proof: digest,
			exceptions: map[string]string{
				"folder spelled otherwise": noListing, "leftovers swept": noListing, "cut leaves nothing in the end": noListing,
				"foreign file refused": blind, "look": blind, "one failing file": blind,
			},
		},
		{
			name: "tells and shows nothing", start: sandboxed(nil, "no-stat", "no-list", "no-read-back"), way: aside, proof: outbox.ProofClosed,
			exceptions: map[string]string{
				"folder spelled otherwise": noListing, "leftovers swept": noListing, "cut leaves nothing in the end": noListing,
				"foreign file refused": blind, "look": blind, "one failing file": blind,
			},
		},
		{name: "no read-back", start: sandboxed(nil, "no-read-back"), way: aside, proof: outbox.ProofSize},
		{name: "no dot-names", start: sandboxed(nil, "no-dot-names"), way: aside, proof: digest},
		{name: "one folder renames", start: sandboxed(nil, "one-folder-renames"), way: aside, proof: digest},
		{name: "one folder renames, no dot-names", start: sandboxed(nil, "one-folder-renames", "no-dot-names"), way: aside, proof: digest},
		{
			name: "no home", start: withCatalog(sandboxed(nil, "no-home")), way: aside, proof: digest,
			exceptions: map[string]string{"folder made": closedHome, "folder removed meanwhile": closedHome},
		},
		{
			name: "no delete", start: sandboxed(nil, "no-delete"), way: aside, proof: digest,
			exceptions: map[string]string{
				"probe leaves nothing": noDeleting, "replace": noDeleting, "replace with the same size": noDeleting, "larger, then smaller": noDeleting,
				"leftovers swept": noDeleting, "adopt": noDeleting, "failed upload keeps the old file": noDeleting, "cancel leaves nothing": noDeleting,
				"retry after a cut": noDeleting, "retry after an answer that was lost": noDeleting,
				"full disk keeps the old file": noDeleting, "empty file": noDeleting, "cut leaves nothing in the end": noDeleting,
			},
		},
		{name: "one session", start: sandboxed(nil, "one-session"), way: aside, proof: digest, single: true},
		{name: "one file at a time", start: sandboxed(nil, "one-file"), way: aside, proof: digest},
		{
			name: "slow", start: sandboxed(func(o *sandbox.Options) { o.Limits.Delay = 3 * time.Millisecond }), way: aside, proof: digest,
		},
		{name: "clock ahead", start: sandboxed(nil, "clock-ahead"), way: aside, proof: digest},
		{
			name: "stalls at byte N", start: sandboxed(nil), way: aside, proof: digest, stall: 400 * time.Millisecond,
			arm: func(s *sandbox.Sandbox) { s.Faults().StallAfter(5000) }, mend: func(b *bench) { b.sandbox.Faults().Clear() },
		},
		{
			name: "hangs at byte N", start: sandboxed(nil), way: aside, proof: digest, stall: 400 * time.Millisecond,
			arm: func(s *sandbox.Sandbox) { s.Faults().HangAfter(5000) },
		},
		{name: "cut at byte N", start: sandboxed(nil), way: aside, proof: digest, arm: func(s *sandbox.Sandbox) { s.Faults().CutAfter(5000) }},
		{
			name: "cut at byte N, no rename", start: sandboxed(nil, "no-rename"), way: outbox.WayDirect, proof: digest,
			arm: func(s *sandbox.Sandbox) { s.Faults().CutAfter(5000) }, exceptions: inPlaceExceptions(),
		},
		{
			name: "full at byte N", start: sandboxed(nil), way: aside, proof: digest,
			arm: func(s *sandbox.Sandbox) { s.Faults().NoSpaceAfter(5000) }, mend: func(b *bench) { b.sandbox.Faults().Clear() },
		},
		{
			name: "read-only", start: sandboxed(nil), way: aside, proof: digest,
			arm: func(s *sandbox.Sandbox) { s.Faults().ReadOnly(true) }, mend: func(b *bench) { b.sandbox.Faults().Clear() },
		},
		{
			name: "key changed", start: sandboxed(nil), way: aside, proof: digest,
			arm: func(s *sandbox.Sandbox) {
				if _, err := s.Faults().RotateHostKey(); err != nil {
					panic(err)
				}
				s.Faults().CutAll()
			},
			mend: func(b *bench) {
				b.config.Accepted = func() ([]string, error) { return []string{b.sandbox.HostKey()}, nil }
			},
		},
	}
}

// bench is one case on one server.
type bench struct {
	t *testing.T
	rig
	p    profile
	pass outbox.Passport
	r    *Remote
	last map[string]outbox.Delivery // by name: what was delivered
	// sending is set while faults are expected; patience is the open connection's.
	sending  bool
	patience time.Duration
	// failed counts deliveries that failed before they succeeded.
	failed int
}

// remote returns a connection, making one where there is none.
func (b *bench) remote() (*Remote, error) {
	c := b.config
	c.Passport, c.ReadBack = b.pass, readBackLimit
	if c.StallTimeout == 0 {
		c.StallTimeout = 20 * time.Second // a busy machine is no stall
		if b.sending && b.p.stall > 0 {
			c.StallTimeout = b.p.stall
		}
	}
	if b.r != nil && b.r.lost() == nil && b.patience == c.StallTimeout {
		return b.r, nil
	}
	if b.r != nil {
		_ = b.r.Close()
	}
	r, err := Dial(b.t.Context(), c)
	// Who closes a connection knows of it before the server does, which then refuses the next one for the last.
	for end := time.Now().Add(5 * time.Second); b.p.single && err != nil && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
		r, err = Dial(b.t.Context(), c)
	}
	if err != nil {
		return nil, err
	}
	b.t.Cleanup(func() { _ = r.Close() })
	b.r, b.patience = r, c.StallTimeout
	return r, nil
}

// doc makes a document for a name.
func (b *bench) doc(id int64, size int) outbox.Delivery {
	b.t.Helper()
	return document(b.t, id, size)
}

// send delivers as the outbox would: it arms what the profile breaks, tries again after a failure, and lets the platform scan.
func (b *bench) send(d outbox.Delivery) (outbox.Receipt, error) {
	d = b.known(d)
	b.sending = true
	defer func() { b.sending = false }()
	if b.p.arm != nil {
		b.p.arm(b.sandbox)
	}
	var got outbox.Receipt
	var err error
	for range 4 {
		var r *Remote
		if r, err = b.remote(); err == nil {
			_ = sweep(b.t.Context(), r, d.Folder) // never fails a delivery
			if got, err = r.Replace(b.t.Context(), d); err == nil {
				break
			}
			d.Attempts++
		}
		b.failed++
		if b.p.mend != nil {
			b.p.mend(b)
		}
	}
	if err != nil {
		return got, err
	}
	b.last[d.Folder+"/"+d.Name] = d
	if b.p.scans {
		b.sandbox.Scan()
	}
	return got, nil
}

// known tells a delivery of the one before it, as the queue does.
func (b *bench) known(d outbox.Delivery) outbox.Delivery {
	if old, ok := b.last[d.Folder+"/"+d.Name]; ok {
		d.Known = append(d.Known, old.Size)
		d.Previous = &outbox.Document{Path: old.Path, Size: old.Size, SHA256: old.SHA256}
	}
	return d
}

// arrived says whether the platform has, or had, a document under its name, and nothing else of ours lies about.
func (b *bench) arrived(d outbox.Delivery) error {
	if err := b.holds(d); err != nil {
		return err
	}
	return b.clean(d.Folder, d.Name)
}

// holds says whether the final name has, or had, a document.
func (b *bench) holds(d outbox.Delivery) error {
	name := d.Folder + "/" + d.Name
	got, err := os.ReadFile(filepath.Join(b.home, filepath.FromSlash(name)))
	switch {
	case err == nil:
		want, err := os.ReadFile(d.Path)
		if err != nil {
			return err
		}
		if string(got) != string(want) {
			return fmt.Errorf("%s holds %d bytes that are not the document's", name, len(got))
		}
		return nil
	case !b.p.eats && !b.p.scans:
		return err
	}
	for _, j := range slices.Backward(b.sandbox.Jobs()) {
		if j.File == name {
			if j.SHA256 != d.SHA256 {
				return fmt.Errorf("the platform read %s, which is not the document", j.SHA256)
			}
			return nil
		}
	}
	return fmt.Errorf("the platform read nothing of %s", name)
}

// clean says whether nothing lies about in the folder but files of these names, and nothing in the home.
func (b *bench) clean(folder string, names ...string) error {
	for _, at := range []string{folder, "."} {
		entries, err := os.ReadDir(filepath.Join(b.home, at))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for _, e := range entries {
			if at == "." && e.IsDir() && e.Name() != probeFolder || at != "." && slices.Contains(names, e.Name()) {
				continue
			}
			return fmt.Errorf("%s lies in %s", e.Name(), at)
		}
	}
	return nil
}

// behind connects over a line that stops after so many bytes.
func (b *bench) behind(bytes int64, stall time.Duration) *proxy {
	b.t.Helper()
	if b.r != nil {
		_ = b.r.Close()
		b.r = nil
	}
	line := newProxy(b.t, b.config.Port)
	b.config.Port, b.config.StallTimeout = line.port, stall
	line.limit.Store(bytes)
	return line
}

// straight takes the line away again.
func (b *bench) straight(port int) {
	if b.r != nil {
		_ = b.r.Close()
		b.r = nil
	}
	b.config.Port, b.config.StallTimeout = port, 0
}

// conformance is one case: it returns what does not hold.
type conformance struct {
	name    string
	sandbox bool // it needs the sandbox's faults or log
	run     func(b *bench) error
}

func TestConformance(t *testing.T) {
	cases := conformances()
	for _, p := range profiles() {
		t.Run(p.name, func(t *testing.T) {
			for name := range p.exceptions {
				if !slices.ContainsFunc(cases, func(c conformance) bool { return c.name == name }) {
					t.Errorf("the exception %q is of no case", name)
				}
			}
			var s rig
			if p.shared {
				s = p.start(t)
			}
			probed := s
			if !p.shared {
				probed = p.start(t) // a server of its own: some keep what a probe leaves
			}
			pass := (&bench{t: t, p: p, rig: probed}).probe()
			failed := 0
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					b := &bench{t: t, p: p, rig: s, last: make(map[string]outbox.Delivery)}
					if !p.shared {
						b.rig = p.start(t)
					} else {
						empty(t, s, p.keeps)
					}
					if c.sandbox && b.sandbox == nil {
						t.Skip("it needs the faults or the log of the simulated platform")
					}
					b.pass = pass
					err := c.run(b)
					failed += b.failed
					why, excepted := p.exceptions[c.name]
					switch {
					case err != nil && !excepted:
						t.Error(err)
					case err == nil && excepted:
						t.Errorf("it holds, though it is listed as an exception: %s", why)
					case err != nil:
						t.Logf("exception: %s: %v", why, err)
					}
				})
			}
			if p.arm != nil && failed == 0 {
				t.Error("nothing failed: what the profile breaks was not met")
			}
			t.Log(pass.Line(readBackLimit))
		})
	}
}

// probe learns what the server allows.
func (b *bench) probe() outbox.Passport {
	b.t.Helper()
	r, err := b.remote()
	if err != nil {
		b.t.Fatal(err)
	}
	p, err := r.Probe(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	_ = r.Close()
	b.r = nil
	return p
}

// empty clears a home for the next case, and the folders that are kept in it.
func empty(t *testing.T, s rig, keeps []string) {
	t.Helper()
	home := s.home
	for _, dir := range append([]string{"."}, keeps...) {
		if dir != "." {
			s.put(dir+"/x", "makes the folder anew where a case removed it")
		}
		entries, err := os.ReadDir(filepath.Join(home, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if dir == "." && slices.Contains(keeps, e.Name()) {
				continue
			}
			if err := os.RemoveAll(filepath.Join(home, dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// conformances are the cases.
func conformances() []conformance {
	small := 20_000
	return []conformance{
		{name: "probe leaves nothing", run: func(b *bench) error {
			before := b.tree()
			p := b.probe()
			if after := b.tree(); !slices.Equal(before, after) {
				return fmt.Errorf("before %q, after %q; the passport names %q", before, after, p.Left)
			}
			if len(p.Left) > 0 {
				return fmt.Errorf("the passport says that %q is left", p.Left)
			}
			return nil
		}},
		{name: "probe keeps out of scanned folders", sandbox: true, run: func(b *bench) error {
			b.probe()
			for _, op := range b.sandbox.Operations() {
				for _, name := range []string{op.Path, op.To} {
					first, _, _ := strings.Cut(name, "/")
					if slices.Contains([]string{"catalog", "promotions", "assortment"}, first) || strings.HasSuffix(name, ".csv") {
						return fmt.Errorf("it did %+v", op)
					}
				}
			}
			return nil
		}},
		{name: "new file", run: func(b *bench) error {
			d := b.doc(1, small)
			got, err := b.send(d)
			if err != nil {
				return err
			}
			if got.Size != d.Size || got.SHA256 != d.SHA256 || got.At.IsZero() {
				return fmt.Errorf("receipt %+v", got)
			}
			return b.arrived(d)
		}},
		{name: "folder made", run: func(b *bench) error {
			d := b.doc(1, small)
			d.Folder = "made/deep"
			if _, err := b.send(d); err != nil {
				return err
			}
			if b.p.eats || b.p.scans {
				_, err := os.Stat(filepath.Join(b.home, "made", "deep"))
				return err
			}
			return b.arrived(d)
		}},
		{name: "folder spelled otherwise", run: func(b *bench) error {
			b.put("Prices/other.txt", "x")
			d := b.doc(1, small)
			d.Folder = "prices"
			if _, err := b.send(d); err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(b.home, "prices")); err == nil {
				return errors.New("a second folder was made")
			}
			if b.p.eats {
				return nil
			}
			d.Folder = "Prices"
			return b.holds(d)
		}},
		{name: "folder removed meanwhile", run: func(b *bench) error {
			d := b.doc(1, small)
			if _, err := b.send(d); err != nil {
				return err
			}
			if err := os.RemoveAll(filepath.Join(b.home, "catalog")); err != nil {
				return err
			}
			d = b.doc(2, small)
			if _, err := b.send(d); err != nil {
				return err
			}
			if doubts := b.r.Passport().Doubts; len(doubts) > 0 {
				return fmt.Errorf("the passport doubts %q", doubts)
			}
			return b.arrived(d)
		}},
		{name: "replace", run: replaces(small, 2*small)},
		{name: "replace with the same size", run: replaces(small, small)},
		{name: "larger, then smaller", run: replaces(small, 200_000, 7)},
		{name: "empty file", run: replaces(0, small)},
		{name: "way and proof", run: func(b *bench) error {
			got, err := b.send(b.doc(1, small))
			if err != nil {
				return err
			}
			if got.Proof != b.p.proof {
				return fmt.Errorf("proved by %s, want %s", got.Proof, b.p.proof)
			}
			if p := b.pass.Proof(int64(small), readBackLimit); p != b.p.proof && b.pass.Has(outbox.Home) {
				return fmt.Errorf("the passport promises %s, want %s", p, b.p.proof)
			}
			if got, err = b.send(b.doc(2, small+1)); err != nil {
				return err
			}
			want := b.p.way
			if b.p.scans { // the name was free again
				want = outbox.WayRename
			}
			if got.Way != want {
				return fmt.Errorf("replaced by %s, want %s", got.Way, want)
			}
			return nil
		}},
		{name: "large file is proved by size", run: func(b *bench) error {
			got, err := b.send(b.doc(1, readBackLimit+1))
			if err != nil {
				return err
			}
			want := b.p.proof
			if want == outbox.ProofDigest {
				want = outbox.ProofSize
				if b.pass.Lacks(outbox.Stat) && b.pass.Lacks(outbox.List) {
					want = outbox.ProofClosed
				}
			}
			if got.Proof != want {
				return fmt.Errorf("proved by %s, want %s", got.Proof, want)
			}
			return nil
		}},
		{name: "clock", run: func(b *bench) error {
			got, err := b.send(b.doc(1, small))
			if err != nil {
				return err
			}
			if known := b.p.proof != outbox.ProofClosed && (b.pass.Has(outbox.Stat) || b.pass.Has(outbox.List)) || b.pass.Lacks(outbox.Home); got.SkewKnown != known {
				return fmt.Errorf("the server's clock is known: %t, want %t", got.SkewKnown, known)
			}
			want := time.Duration(0)
			if b.p.name == "clock ahead" {
				want = 5 * time.Minute
			}
			if diff := (got.Skew - want).Abs(); got.SkewKnown && diff > 2*time.Second {
				return fmt.Errorf("the clock is off by %v, want %v", got.Skew, want)
			}
			return nil
		}},
		{name: "foreign file refused", run: func(b *bench) error {
			b.put("catalog/"+final, old)
			r, err := b.remote()
			if err != nil {
				return err
			}
			_, err = r.Replace(b.t.Context(), b.doc(7, small))
			if f, ok := errors.AsType[*outbox.Failure](err); !ok || f.Class != outbox.Foreign {
				return fmt.Errorf("Replace: %w", orNil(err))
			}
			if got := readFile(b.t, filepath.Join(b.home, "catalog", final)); got != old {
				return fmt.Errorf("it holds %.20q now", got)
			}
			return b.clean("catalog", final)
		}},
		{name: "adopt", run: func(b *bench) error {
			b.put("catalog/"+final, old)
			d := b.doc(7, small)
			d.Adopt = true
			if _, err := b.send(d); err != nil {
				return err
			}
			return b.arrived(d)
		}},
		{name: "failed upload keeps the old file", run: func(b *bench) error {
			return b.keepsOld(func(r *Remote, d outbox.Delivery) (outbox.Class, error) {
				d.SHA256 = strings.Repeat("0", 64) // found out while it is on its way
				_, err := r.Replace(b.t.Context(), d)
				return outbox.Local, err
			})
		}},
		{name: "full disk keeps the old file", sandbox: true, run: func(b *bench) error {
			return b.keepsOld(func(r *Remote, d outbox.Delivery) (outbox.Class, error) {
				b.sandbox.Faults().NoSpaceAfter(50_000)
				_, err := r.Replace(b.t.Context(), d)
				b.sandbox.Faults().Clear()
				return outbox.NoSpace, err
			})
		}},
		{name: "read-only keeps the old file", sandbox: true, run: func(b *bench) error {
			return b.keepsOld(func(r *Remote, d outbox.Delivery) (outbox.Class, error) {
				b.sandbox.Faults().ReadOnly(true)
				_, err := r.Replace(b.t.Context(), d)
				b.sandbox.Faults().ReadOnly(false)
				return outbox.Permission, err
			})
		}},
		{name: "cut keeps the old file", run: func(b *bench) error {
			_, err := b.cutMidway(false)
			return err
		}},
		{name: "retry after a cut", run: func(b *bench) error {
			d, err := b.cutMidway(true)
			if err != nil {
				return err
			}
			d.Attempts = 1
			if _, err := b.send(d); err != nil {
				return err
			}
			return b.arrived(d)
		}},
		{name: "cut leaves nothing in the end", sandbox: true, run: func(b *bench) error {
			d, err := b.cutMidway(true)
			if err != nil {
				return err
			}
			// Another document comes instead: only the sweep knows of the first one's leftovers.
			next := b.doc(d.ID+1, small+5)
			next.Known, next.Adopt = []int64{d.Size}, true
			if _, err := b.send(next); err != nil {
				return err
			}
			return b.clean("catalog", final)
		}},
		{name: "stall keeps the old file", run: func(b *bench) error {
			first, port := b.doc(1, small), b.config.Port
			if _, err := b.send(first); err != nil {
				return err
			}
			b.behind(150_000, 300*time.Millisecond)
			r, err := b.remote()
			if err != nil {
				return err
			}
			start := time.Now()
			_, err = r.Replace(b.t.Context(), b.known(b.doc(2, 2_000_000)))
			if !errors.Is(err, outbox.ErrLost) {
				return fmt.Errorf("Replace: %w, want a lost connection", orNil(err))
			}
			if took := time.Since(start); took > 10*time.Second {
				return fmt.Errorf("it took %v", took)
			}
			b.straight(port)
			return b.holds(first)
		}},
		{name: "retry after an answer that was lost", sandbox: true, run: func(b *bench) error {
			first, second := b.doc(1, small), b.doc(2, small+1)
			if _, err := b.send(first); err != nil {
				return err
			}
			r, err := b.remote()
			if err != nil {
				return err
			}
			for _, kind := range []sandbox.Kind{sandbox.OpRename, sandbox.OpPosixRename, sandbox.OpClose} {
				if b.uses(kind) {
					b.sandbox.Faults().CutOn(kind, true)
					break
				}
			}
			second = b.known(second)
			if _, err = r.Replace(b.t.Context(), second); err == nil {
				return errors.New("the lost answer was not missed")
			}
			second.Attempts = 1
			if _, err := b.send(second); err != nil {
				return err
			}
			return b.arrived(second)
		}},
		{name: "cancel leaves nothing", run: func(b *bench) error {
			return b.keepsOld(func(r *Remote, d outbox.Delivery) (outbox.Class, error) {
				ctx, cancel := context.WithCancel(b.t.Context())
				go func() {
					for r.wire.written.Load() < 300_000 && ctx.Err() == nil {
						time.Sleep(time.Millisecond)
					}
					cancel()
				}()
				_, err := r.Replace(ctx, d)
				if err != nil && !errors.Is(err, context.Canceled) {
					return "", err
				}
				return outbox.Transient, err
			})
		}},
		{name: "leftovers swept", run: func(b *bench) error {
			b.put("catalog/.x.csv.3.tmp", "left")
			b.put("catalog/x.csv.4.gondola.tmp", "left")
			b.put("catalog/.someone.tmp", "not ours")
			r, err := b.remote()
			if err != nil {
				return err
			}
			if err := sweep(b.t.Context(), r, "catalog"); err != nil {
				return err
			}
			return b.clean("catalog", ".someone.tmp")
		}},
		{name: "look", run: func(b *bench) error {
			b.put("catalog/"+final, old)
			r, err := b.remote()
			if err != nil {
				return err
			}
			for _, tc := range []struct {
				folder, name string
				want         outbox.Seen
			}{
				{"catalog", final, outbox.Seen{Exists: true, Size: int64(len(old))}},
				{"catalog", "none.csv", outbox.Seen{}},
				{"no-such", final, outbox.Seen{}},
			} {
				if got, err := r.Look(b.t.Context(), tc.folder, tc.name); err != nil || got != tc.want {
					return fmt.Errorf("Look(%s/%s) = %+v, %w; want %+v", tc.folder, tc.name, got, orNil(err), tc.want)
				}
			}
			return nil
		}},
		{name: "many names at once", run: func(b *bench) error { return b.many(false) }},
		{name: "one failing file", run: func(b *bench) error { return b.many(true) }},
		{name: "never partial", sandbox: true, run: func(b *bench) error {
			for i, size := range []int{small, 100_000, small} {
				if _, err := b.send(b.doc(int64(i+1), size)); err != nil {
					return err
				}
			}
			for _, c := range b.sandbox.Changes() {
				if !c.Gone && !c.Complete {
					return fmt.Errorf("a name showed %+v", c)
				}
			}
			return nil
		}},
		{name: "no temporary .csv, nothing but what is needed", sandbox: true, run: func(b *bench) error {
			if _, err := b.send(b.doc(1, small)); err != nil {
				return err
			}
			for _, op := range b.sandbox.Operations() {
				for _, name := range []string{op.Path, op.To} {
					if strings.HasSuffix(name, ".csv") && path.Base(name) != final {
						return fmt.Errorf("a name that the platform reads: %+v", op)
					}
					if b.pass.Has(outbox.RenameAcross) && !b.p.eats && strings.HasPrefix(name, "catalog/") && strings.HasSuffix(name, ".tmp") {
						return fmt.Errorf("a temporary file in a scanned folder: %+v", op)
					}
				}
			}
			return nil
		}},
	}
}

// orNil keeps a nil error printable behind %w.
func orNil(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// replaces delivers documents of these sizes one after the other.
func replaces(sizes ...int) func(b *bench) error {
	return func(b *bench) error {
		for i, size := range sizes {
			d := b.doc(int64(i+1), size)
			got, err := b.send(d)
			if err != nil {
				return fmt.Errorf("document %d: %w", i+1, err)
			}
			// Where nothing tells, the careful answer is yes; a retry may have met what its first attempt left.
			if want := i > 0 && !b.p.eats && !b.p.scans; got.Replaced != want && b.pass.Has(outbox.StatAfterClose) && b.p.arm == nil {
				return fmt.Errorf("document %d: replaced %t, want %t", i+1, got.Replaced, want)
			}
			if err := b.arrived(d); err != nil {
				return fmt.Errorf("document %d: %w", i+1, err)
			}
		}
		return nil
	}
}

// keepsOld lets a delivery fail and says whether the one before it is still there, alone.
func (b *bench) keepsOld(fail func(r *Remote, d outbox.Delivery) (outbox.Class, error)) error {
	first := b.doc(1, 20_000)
	if _, err := b.send(first); err != nil {
		return err
	}
	r, err := b.remote()
	if err != nil {
		return err
	}
	class, err := fail(r, b.known(b.doc(2, 8_000_000)))
	if f, ok := errors.AsType[*outbox.Failure](err); !ok || f.Class != class {
		return fmt.Errorf("Replace: %w, want class %s", orNil(err), class)
	}
	return b.arrived(first)
}

// cutMidway breaks the line in the middle of a delivery. With partly the old file may have been touched.
func (b *bench) cutMidway(partly bool) (outbox.Delivery, error) {
	first, port := b.doc(1, 20_000), b.config.Port
	if _, err := b.send(first); err != nil {
		return first, err
	}
	line := b.behind(400_000, 10*time.Second)
	r, err := b.remote()
	if err != nil {
		return first, err
	}
	d := b.doc(2, 2_000_000)
	failed := make(chan error, 1)
	go func() {
		_, err := r.Replace(b.t.Context(), b.known(d))
		failed <- err
	}()
	waitFor(b.t, line.frozen.Load)
	line.cut()
	if err := <-failed; !errors.Is(err, outbox.ErrLost) {
		return d, fmt.Errorf("Replace: %w, want a lost connection", orNil(err))
	}
	b.straight(port)
	if b.sandbox != nil { // the server finds out in its own time
		waitFor(b.t, func() bool {
			ops := b.sandbox.Operations()
			lost := slices.IndexFunc(ops, func(o sandbox.Op) bool { return o.Kind == sandbox.OpClose && o.Err != "" })
			// One that takes files as they are closed takes this one, too, and has to be done with it before the next comes.
			return lost >= 0 && (b.p.name != "eats on close" || slices.ContainsFunc(ops[lost:], func(o sandbox.Op) bool { return o.Kind == sandbox.OpEat }))
		})
	}
	if partly {
		return d, nil
	}
	return d, b.holds(first)
}

// uses reports whether the deliveries so far asked for an operation that was obeyed.
func (b *bench) uses(kind sandbox.Kind) bool {
	return slices.ContainsFunc(b.sandbox.Operations(), func(o sandbox.Op) bool { return o.Kind == kind && o.Err == "" })
}

// many delivers many names at once, one of which may meet a foreign file.
func (b *bench) many(foreign bool) error {
	const n = 8
	if foreign {
		b.put("catalog/gondola_n0.csv", "somebody else's")
	}
	if b.p.arm != nil { // faults strike once, and the cases before have shown what follows
		return nil
	}
	r, err := b.remote()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	failures := map[int]error{}
	docs := make([]outbox.Delivery, n)
	for i := range docs {
		docs[i] = b.doc(int64(i+1), 30_000+i)
		docs[i].Name = fmt.Sprintf("gondola_n%d.csv", i)
		wg.Go(func() {
			if _, err := r.Replace(b.t.Context(), docs[i]); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures[i] = err
			}
		})
	}
	wg.Wait()
	if b.p.scans {
		b.sandbox.Scan()
	}
	if foreign {
		f, ok := errors.AsType[*outbox.Failure](failures[0])
		if !ok || f.Class != outbox.Foreign {
			return fmt.Errorf("the foreign name: %w", orNil(failures[0]))
		}
		delete(failures, 0)
		docs = docs[1:]
	}
	for _, i := range slices.Sorted(maps.Keys(failures)) {
		return fmt.Errorf("name %d: %w", i, failures[i])
	}
	for _, d := range docs {
		if err := b.holds(d); err != nil {
			return err
		}
	}
	return nil
}

// tree lists everything in the home.
func (b *bench) tree() (names []string) {
	b.t.Helper()
	err := filepath.Walk(b.home, func(name string, _ os.FileInfo, err error) error {
		names = append(names, name)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return names
}
