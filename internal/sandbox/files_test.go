package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pkg/sftp"
)

const posixRename = "posix-rename@openssh.com"

func digestOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

// code returns an error's SFTP status, 0 for none.
func code(err error) uint32 {
	var status *sftp.StatusError
	switch {
	case errors.As(err, &status):
		return status.Code
	case errors.Is(err, fs.ErrNotExist):
		return 2
	case errors.Is(err, fs.ErrPermission):
		return 3
	case err != nil:
		return 99
	}
	return 0
}

// The SFTP status codes.
const (
	ok          = 0
	noSuchFile  = 2
	denied      = 3
	failure     = 4
	unsupported = 8
)

func TestStrictByDefault(t *testing.T) {
	tests := []struct {
		name    string
		do      func(c *sftp.Client) error
		strict  uint32
		allow   func(f *Features)
		allowed uint32
	}{
		{
			"rename over", func(c *sftp.Client) error { return c.Rename("catalog/new", "catalog/old") }, failure,
			func(f *Features) { f.RenameOver = true }, ok,
		},
		{
			"posix-rename over", func(c *sftp.Client) error { return c.PosixRename("catalog/new", "catalog/old") }, unsupported,
			func(f *Features) { f.PosixRename = true }, ok,
		},
		{"rename to a free name", func(c *sftp.Client) error { return c.Rename("catalog/new", "free") }, ok, nil, ok},
		{"rename of nothing", func(c *sftp.Client) error { return c.Rename("catalog/nothing", "free") }, noSuchFile, nil, noSuchFile},
		{
			"rename of a folder", func(c *sftp.Client) error { return c.Rename("catalog", "katalog") }, failure,
			func(f *Features) { f.RenameOver = true }, failure,
		},
		{
			"chmod", func(c *sftp.Client) error { return c.Chmod("catalog/old", 0o600) }, unsupported,
			func(f *Features) { f.Setstat = true }, ok,
		},
		{
			"chtimes", func(c *sftp.Client) error { return c.Chtimes("catalog/old", time.Unix(1, 0), time.Unix(2, 0)) }, unsupported,
			func(f *Features) { f.Setstat = true }, ok,
		},
		{
			"truncate", func(c *sftp.Client) error { return c.Truncate("catalog/old", 1) }, unsupported,
			func(f *Features) { f.Setstat = true }, unsupported,
		},
		{
			"append", func(c *sftp.Client) error { return open(c, os.O_WRONLY|os.O_APPEND) }, unsupported,
			func(f *Features) { f.Append = true }, ok,
		},
		{
			"write without truncating", func(c *sftp.Client) error { return open(c, os.O_WRONLY) }, unsupported,
			func(f *Features) { f.Append = true }, ok,
		},
		{
			"read-write", func(c *sftp.Client) error { return open(c, os.O_RDWR|os.O_CREATE|os.O_TRUNC) }, unsupported,
			func(f *Features) { f.ReadWrite = true }, ok,
		},
		{"write-only", func(c *sftp.Client) error { return open(c, os.O_WRONLY|os.O_CREATE|os.O_TRUNC) }, ok, nil, ok},
		{"exclusive", func(c *sftp.Client) error { return open(c, os.O_WRONLY|os.O_CREATE|os.O_EXCL) }, failure, nil, failure},
		{"read", func(c *sftp.Client) error { return open(c, os.O_RDONLY) }, ok, nil, ok},
		{"stat", func(c *sftp.Client) error { _, err := c.Stat("catalog/old"); return err }, ok, nil, ok},
		{"stat of nothing", func(c *sftp.Client) error { _, err := c.Stat("catalog/nothing"); return err }, noSuchFile, nil, noSuchFile},
		{"list of nothing", func(c *sftp.Client) error { _, err := c.ReadDir("nothing"); return err }, noSuchFile, nil, noSuchFile},
		{"mkdir", func(c *sftp.Client) error { return c.Mkdir("more") }, ok, nil, ok},
		{"mkdir again", func(c *sftp.Client) error { return c.Mkdir("catalog") }, failure, nil, failure},
		{"rmdir of a full one", func(c *sftp.Client) error { return c.RemoveDirectory("catalog") }, failure, nil, failure},
		{"remove", func(c *sftp.Client) error { return c.Remove("catalog/old") }, ok, nil, ok},
		{"remove of nothing", func(c *sftp.Client) error { return c.Remove("catalog/nothing") }, noSuchFile, nil, noSuchFile},
		{"symbolic link", func(c *sftp.Client) error { return c.Symlink("catalog/old", "link") }, unsupported, nil, unsupported},
		{"hard link", func(c *sftp.Client) error { return c.Link("catalog/old", "link") }, unsupported, nil, unsupported},
		{"outside of home", func(c *sftp.Client) error { _, err := c.Stat("/etc"); return err }, denied, nil, denied},
		{"above home", func(c *sftp.Client) error { _, err := c.Stat("../../host_key"); return err }, denied, nil, denied},
	}
	for _, tt := range tests {
		for _, kind := range []bool{false, true} {
			want, name := tt.strict, tt.name+"/strict"
			if kind {
				want, name = tt.allowed, tt.name+"/kind"
			}
			t.Run(name, func(t *testing.T) {
				s := newTestSandbox(t, func(o *Options) {
					if kind && tt.allow != nil {
						tt.allow(&o.Features)
					}
				})
				put(t, s, "catalog/old", "old")
				put(t, s, "catalog/new", "new")
				err := tt.do(newTestClient(t, s))
				if got := code(err); got != want {
					t.Errorf("status is %d (%v), want %d", got, err, want)
				}
				if err != nil && strings.Contains(err.Error(), s.opts.Dir) {
					t.Errorf("the error shows a path of this machine: %v", err)
				}
				ops := s.Operations()
				if last := ops[len(ops)-1]; (last.Err == "") != (want == ok) {
					t.Errorf("the log's last operation is %+v", last)
				}
			})
		}
	}
}

func open(c *sftp.Client, flags int) error {
	f, err := c.OpenFile("catalog/old", flags)
	if err != nil {
		return err
	}
	return f.Close()
}

func TestRefusedRenameChangesNothing(t *testing.T) {
	s := newTestSandbox(t, nil)
	put(t, s, "catalog/old", "old")
	put(t, s, "catalog/new", "new")
	c := newTestClient(t, s)
	if c.Rename("catalog/new", "catalog/old") == nil || c.PosixRename("catalog/new", "catalog/old") == nil {
		t.Fatal("a rename over a file was obeyed")
	}
	for _, name := range []string{"old", "new"} {
		if got, err := os.ReadFile(filepath.Join(s.Home(), "catalog", name)); err != nil || string(got) != name {
			t.Errorf("%s holds %q (%v)", name, got, err)
		}
	}
}

func TestConnectionAndSessionLimits(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.Limits.MaxConnections, o.Limits.MaxSessions = 1, 2 })
	conn, err := login(t, s)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := sftp.NewClient(conn); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sftp.NewClient(conn); err == nil {
		t.Error("a third session was opened")
	}
	if second, err := login(t, s); err == nil {
		if err := second.Wait(); err == nil {
			t.Error("a second connection stays open")
		}
	}
}

func TestOnlySFTPIsServed(t *testing.T) {
	s := newTestSandbox(t, nil)
	conn, err := login(t, s)
	if err != nil {
		t.Fatal(err)
	}
	session, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Run("true"); err == nil {
		t.Error("a command was run")
	}
	if _, err := conn.Dial("tcp", "127.0.0.1:1"); err == nil {
		t.Error("a port was forwarded")
	}
}

func TestExtensionsAreEachSandboxsOwn(t *testing.T) {
	kind := newTestSandbox(t, func(o *Options) { o.Features.PosixRename = true })
	strict := newTestSandbox(t, nil)
	for _, tt := range []struct {
		s    *Sandbox
		want bool
	}{{kind, true}, {strict, false}, {kind, true}} {
		c := newTestClient(t, tt.s)
		if _, got := c.HasExtension(posixRename); got != tt.want {
			t.Errorf("posix-rename advertised: %t, want %t", got, tt.want)
		}
		for _, other := range []string{"hardlink@openssh.com", "statvfs@openssh.com"} {
			if _, got := c.HasExtension(other); got {
				t.Errorf("%s is advertised", other)
			}
		}
	}
}

func TestVersionFilter(t *testing.T) {
	str := func(s string) string { return string([]byte{0, 0, 0, byte(len(s))}) + s }
	packet := func(body string) string { return string([]byte{0, 0, 0, byte(len(body))}) + body }
	version := "\x02\x00\x00\x00\x03"
	a, b := str("a@x")+str("1"), str("b@x")+str("")
	tests := []struct{ name, in, want string }{
		{"one goes", packet(version+a+b) + "rest", packet(version+b) + "rest"},
		{"the same packet later is left alone", packet(version+b) + packet(version+a), packet(version+b) + packet(version+a)},
		{"no extensions", packet(version), packet(version)},
		{"another packet", packet("\x65abcdefgh"), packet("\x65abcdefgh")},
		{"name cut short", packet(version + "\x00\x00\x00\x09abc"), packet(version + "\x00\x00\x00\x09abc")},
		{"no data", packet(version + str("a@x")), packet(version + str("a@x"))},
	}
	for _, tt := range tests {
		for size := 1; size <= len(tt.in); size++ {
			var out bytes.Buffer
			v := &versionFilter{ReadWriteCloser: &pipe{&out}, keep: func(e string) bool { return e != "a@x" }}
			for rest := tt.in; rest != ""; {
				n := min(size, len(rest))
				if _, err := io.WriteString(v, rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if out.String() != tt.want {
				t.Errorf("%s, in pieces of %d: got %q, want %q", tt.name, size, out.String(), tt.want)
			}
		}
	}
}

type pipe struct{ *bytes.Buffer }

func (pipe) Close() error { return nil }

func FuzzVersionFilter(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x05\x02\x00\x00\x00\x03"))
	f.Add([]byte("\x00\x00\x00\x10\x02\x00\x00\x00\x03\x00\x00\x00\x03a@x\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		before := bytes.Clone(packet)
		if got := filterVersion(packet, func(string) bool { return true }); !bytes.Equal(got[min(4, len(got)):], before[min(4, len(before)):]) {
			t.Errorf("keeping everything made %q of %q", got, before)
		}
		if got := filterVersion(packet, func(string) bool { return false }); len(got) > len(before) {
			t.Errorf("%q grew to %q", before, got)
		}
	})
}

func TestHome(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	if got, err := c.Getwd(); err != nil || got != "/home/CHAIN_1" {
		t.Errorf("home is %q (%v)", got, err)
	}
	if err := send(c, "/home/CHAIN_1/catalog/x.csv", []byte("x")); err != nil {
		t.Errorf("absolute path in home: %v", err)
	}
	entries, err := c.ReadDir("catalog")
	if err != nil || len(entries) != 1 || entries[0].Name() != "x.csv" || entries[0].Size() != 1 {
		t.Errorf("listing is %v (%v)", entries, err)
	}
}

func TestConcurrentWritesAtOffsets(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s, sftp.UseConcurrentWrites(true), sftp.MaxPacketUnchecked(1<<12))
	data := bytes.Repeat([]byte("sku,price\nA-1,10.50\n"), 40_000)
	f, err := c.OpenFile("catalog/.tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(s.Home(), "catalog/.tmp")); err != nil || info.Size() != int64(len(data)) {
		t.Errorf("before the close the file is not there as written: %v, %v", info, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ops := s.Operations()
	want := Op{
		N: len(ops), At: s.opts.Now(), Session: 1, Kind: OpClose, Path: "catalog/.tmp",
		Bytes: int64(len(data)), Size: int64(len(data)), SHA256: digestOf(string(data)),
	}
	if diff := cmp.Diff(want, ops[len(ops)-1]); diff != "" {
		t.Errorf("close (-want +got):\n%s", diff)
	}
}

func TestOperationsAndChanges(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.Features.PosixRename = true })
	put(t, s, "catalog/.by-hand", "hand")
	c := newTestClient(t, s)
	steps := []error{
		send(c, "catalog/.tmp", []byte("one")),
		c.Rename("catalog/.tmp", "catalog/g_1.csv"),
		c.PosixRename("catalog/.by-hand", "catalog/g_1.csv"),
		send(c, "catalog/g_1.csv", []byte("three")), // in place: partial under the final name
		c.Remove("catalog/g_1.csv"),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	type short struct {
		Kind                  Kind
		Path, To, SHA256, Err string
		Bytes                 int64
	}
	var got []short
	for i, op := range s.Operations() {
		if op.N != i+1 || op.Session != 1 || !op.At.Equal(s.opts.Now()) {
			t.Errorf("operation %d is %+v", i, op)
		}
		got = append(got, short{op.Kind, op.Path, op.To, op.SHA256, op.Err, op.Bytes})
	}
	want := []short{
		{Kind: OpOpenWrite, Path: "catalog/.tmp"},
		{Kind: OpClose, Path: "catalog/.tmp", Bytes: 3, SHA256: digestOf("one")},
		{Kind: OpRename, Path: "catalog/.tmp", To: "catalog/g_1.csv"},
		{Kind: OpPosixRename, Path: "catalog/.by-hand", To: "catalog/g_1.csv"},
		{Kind: OpOpenWrite, Path: "catalog/g_1.csv"},
		{Kind: OpClose, Path: "catalog/g_1.csv", Bytes: 5, SHA256: digestOf("three")},
		{Kind: OpRemove, Path: "catalog/g_1.csv"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	name := "catalog/g_1.csv"
	changes := []Change{
		{N: 3, Path: name, By: OpRename, Complete: true, Size: 3, SHA256: digestOf("one")},
		{N: 4, Path: name, By: OpPosixRename, Complete: true, Size: 4, SHA256: digestOf("hand")},
		{N: 5, Path: name, By: OpOpenWrite},
		{N: 6, Path: name, By: OpClose, Complete: true, Size: 5, SHA256: digestOf("three")},
		{N: 7, Path: name, By: OpRemove, Gone: true},
	}
	noTime := cmpopts.IgnoreFields(Change{}, "At")
	if diff := cmp.Diff(changes, s.Changes(), noTime); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(changes, s.History(name), noTime); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if got := len(s.History("catalog/.tmp")); got != 3 { // opened, closed, renamed away
		t.Errorf("the temporary name has %d changes, want 3", got)
	}
}

func TestRenamedWhileWritten(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	f, err := c.OpenFile("catalog/.tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	_, writeErr := f.Write([]byte("half"))
	renameErr := c.Rename("catalog/.tmp", "catalog/g_1.csv")
	_, moreErr := f.Write([]byte(" whole"))
	if err := errors.Join(writeErr, renameErr, moreErr, f.Close()); err != nil {
		t.Fatal(err)
	}
	want := []Change{
		{N: 2, Path: "catalog/g_1.csv", By: OpRename},
		{N: 3, Path: "catalog/g_1.csv", By: OpClose, Complete: true, Size: 10, SHA256: digestOf("half whole")},
	}
	if diff := cmp.Diff(want, s.Changes(), cmpopts.IgnoreFields(Change{}, "At")); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestReadIsLogged(t *testing.T) {
	s := newTestSandbox(t, nil)
	put(t, s, "catalog/g_1.csv", "sku\n")
	c := newTestClient(t, s, sftp.UseConcurrentReads(false))
	f, err := c.Open("catalog/g_1.csv")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || string(got) != "sku\n" {
		t.Fatalf("read %q, %v", got, err)
	}
	ops := s.Operations()
	last := ops[len(ops)-1]
	if last.Kind != OpRead || last.Path != "catalog/g_1.csv" || last.Bytes != 4 {
		t.Errorf("last operation is %+v", last)
	}
}

func TestSessionsAreNumbered(t *testing.T) {
	s := newTestSandbox(t, nil)
	for n := 1; n <= 2; n++ {
		if _, err := newTestClient(t, s).Stat("catalog"); err != nil {
			t.Fatal(err)
		}
		ops := s.Operations()
		if got := ops[len(ops)-1].Session; got != n {
			t.Errorf("session is %d, want %d", got, n)
		}
	}
}

func TestKeepAliveIsAnswered(t *testing.T) {
	conn, err := login(t, newTestSandbox(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		t.Error(err)
	}
}
