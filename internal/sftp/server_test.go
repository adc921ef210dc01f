package sftp

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"gondola/internal/outbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testPassword = "correct horse"

// server is an SFTP server in the process, strict where the platform may be: rename refuses to replace, and any operation can be
// made to fail. Its files are real, under dir.
type server struct {
	dir      string
	port     int
	listener net.Listener
	keys     []ssh.Signer

	start sync.Once
	// Each is optional and set before the first call of client. An error is what the client gets.
	before  func(op, name, target string) error
	written func(name string, end int64) error
	reads   bool                     // lets files be read back
	shows   func(name string) string // the file that is opened for reading in place of one
	hides   bool                     // lists no name that begins with a dot
	methods []string                 // login methods on offer; default password
	speak   func(c io.ReadWriter)    // instead of SFTP
	// loggedIn is called when a login succeeded, before the client hears of it.
	loggedIn func()

	passwords atomic.Int32 // attempts seen
	mu        sync.Mutex
	log       []string // operations, "Rename catalog/a -> catalog/b"
	conns     []net.Conn
	wg        sync.WaitGroup
}

// newServer starts a server without extensions: SetSFTPExtensions is the library's only switch, and global.
func newServer(t *testing.T, extensions ...string) *server {
	t.Helper()
	if err := sftp.SetSFTPExtensions(extensions...); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{dir: t.TempDir(), listener: l, port: l.Addr().(*net.TCPAddr).Port, keys: []ssh.Signer{newEd25519(t)}}
	t.Cleanup(func() {
		_ = l.Close()
		s.drop()
		s.wg.Wait()
	})
	return s
}

func newEd25519(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer(t, key)
}

func newRSA(t testing.TB) ssh.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer(t, key)
}

func signer(t testing.TB, key any) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.wg.Go(func() { s.serve(c) })
	}
}

// drop breaks all connections.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
}

func (s *server) config() *ssh.ServerConfig {
	offers := func(m string) bool { return slices.Contains(s.methods, m) || len(s.methods) == 0 && m == "password" }
	c := &ssh.ServerConfig{}
	check := func(password string) (*ssh.Permissions, error) {
		if password != testPassword {
			return nil, errors.New("wrong")
		}
		if s.loggedIn != nil {
			s.loggedIn()
		}
		return nil, nil
	}
	if offers("password") {
		c.PasswordCallback = func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
			s.passwords.Add(1)
			return check(string(p))
		}
	}
	if offers("keyboard-interactive") {
		c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			s.passwords.Add(1) // servers count a prompt that is not answered, too
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil || len(answers) != 1 {
				return nil, errors.New("no answer")
			}
			return check(answers[0])
		}
	}
	for _, k := range s.keys {
		c.AddHostKey(k)
	}
	return c
}

func (s *server) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	conn, chans, reqs, err := ssh.NewServerConn(c, s.config())
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	s.wg.Go(func() { ssh.DiscardRequests(reqs) })
	for offered := range chans {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() {
			for r := range requests {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		})
		if s.speak != nil {
			s.wg.Go(func() {
				s.speak(channel)
				_ = channel.Close()
			})
			continue
		}
		s.wg.Go(func() {
			rs := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: s, FilePut: s, FileCmd: s, FileList: s})
			_ = rs.Serve()
			_ = channel.Close()
		})
	}
}

func (s *server) local(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// op notes an operation and asks whether it may happen.
func (s *server) op(op, name, target string) error {
	name, target = strings.TrimPrefix(name, "/"), strings.TrimPrefix(target, "/")
	line := op + " " + name
	if target != "" {
		line += " -> " + target
	}
	s.mu.Lock()
	s.log = append(s.log, line)
	s.mu.Unlock()
	if s.before != nil {
		return s.before(op, name, target)
	}
	return nil
}

func (s *server) operations(prefix string) (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.log {
		if strings.HasPrefix(l, prefix) {
			lines = append(lines, l)
		}
	}
	return lines
}

func (s *server) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	if !s.reads {
		return nil, os.ErrPermission
	}
	if err := s.op("Read", r.Filepath, ""); err != nil {
		return nil, err
	}
	name := strings.TrimPrefix(r.Filepath, "/")
	file := name
	if s.shows != nil {
		file = s.shows(name)
	}
	f, err := os.Open(s.local(file))
	if err != nil {
		return nil, err
	}
	return &download{File: f, s: s, name: name}, nil
}

type download struct {
	*os.File
	s    *server
	name string
}

func (d *download) Close() error {
	return errors.Join(d.File.Close(), d.s.op("Done", d.name, ""))
}

func (s *server) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	if f := r.Pflags(); f.Read || f.Append || !f.Creat || !f.Trunc {
		return nil, sftp.ErrSSHFxOpUnsupported
	}
	if err := s.op("Open", r.Filepath, ""); err != nil {
		return nil, err
	}
	f, err := os.Create(s.local(r.Filepath))
	if err != nil {
		return nil, err
	}
	return &upload{File: f, s: s, name: strings.TrimPrefix(r.Filepath, "/")}, nil
}

type upload struct {
	*os.File
	s    *server
	name string
}

func (u *upload) WriteAt(p []byte, off int64) (int, error) {
	if u.s.written != nil {
		if err := u.s.written(u.name, off+int64(len(p))); err != nil {
			return 0, err
		}
	}
	return u.File.WriteAt(p, off)
}

func (u *upload) Close() error {
	err := u.File.Close()
	if berr := u.s.op("Close", u.name, ""); berr != nil {
		return berr
	}
	return err
}

func (s *server) Filecmd(r *sftp.Request) error {
	if err := s.op(r.Method, r.Filepath, r.Target); err != nil {
		return err
	}
	switch r.Method {
	case "Rename":
		if _, err := os.Lstat(s.local(r.Target)); err == nil {
			return errors.New("file exists")
		}
		return os.Rename(s.local(r.Filepath), s.local(r.Target))
	case "Remove":
		return os.Remove(s.local(r.Filepath))
	case "Rmdir":
		if info, err := os.Stat(s.local(r.Filepath)); err == nil && !info.IsDir() {
			return errors.New("not a folder")
		}
		return os.Remove(s.local(r.Filepath))
	case "Mkdir":
		return os.Mkdir(s.local(r.Filepath), 0o755)
	default: // Setstat and everything else that cloud services refuse
		return sftp.ErrSSHFxOpUnsupported
	}
}

func (s *server) PosixRename(r *sftp.Request) error {
	if err := s.op("PosixRename", r.Filepath, r.Target); err != nil {
		return err
	}
	return os.Rename(s.local(r.Filepath), s.local(r.Target))
}

func (s *server) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if err := s.op(r.Method, r.Filepath, ""); err != nil {
		return nil, err
	}
	if r.Method == "List" {
		entries, err := os.ReadDir(s.local(r.Filepath))
		if err != nil {
			return nil, err
		}
		var infos listing
		for _, e := range entries {
			if info, err := e.Info(); err == nil && (!s.hides || !strings.HasPrefix(e.Name(), ".")) {
				infos = append(infos, info)
			}
		}
		return infos, nil
	}
	info, err := os.Stat(s.local(r.Filepath))
	if err != nil {
		return nil, err
	}
	return listing{info}, nil
}

type listing []os.FileInfo

func (l listing) ListAt(to []os.FileInfo, off int64) (int, error) {
	if off >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[off:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

// client starts the server and returns a config that fits it.
func (s *server) client() Config {
	s.start.Do(func() { s.wg.Go(s.accept) })
	return Config{
		Host: "127.0.0.1", Port: s.port, User: "PY_UY_test",
		Password: func() (string, error) { return testPassword, nil },
		HostKeys: []string{ssh.FingerprintSHA256(s.keys[0].PublicKey())},
	}
}

func dial(t *testing.T, c Config) *Remote {
	t.Helper()
	r, err := Dial(t.Context(), c)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// proxy stands between client and server, and can stop passing bytes without closing anything.
type proxy struct {
	port   int
	frozen atomic.Bool
	limit  atomic.Int64 // freezes when so many bytes have passed; 0 = never
	passed atomic.Int64
	wg     sync.WaitGroup
	mu     sync.Mutex
	conns  []net.Conn
}

func newProxy(t *testing.T, to int) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{port: l.Addr().(*net.TCPAddr).Port}
	p.wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(to)))
			if err != nil {
				_ = in.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, in, out)
			p.mu.Unlock()
			p.wg.Go(func() { p.pass(in, out) })
			p.wg.Go(func() { p.pass(out, in) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.wg.Wait()
	})
	return p
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// pass copies until frozen; a frozen proxy reads nothing either, as a stopped process would not.
func (p *proxy) pass(from, to net.Conn) {
	buf := make([]byte, 4<<10)
	for !p.frozen.Load() {
		_ = from.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := from.Read(buf)
		if _, werr := to.Write(buf[:n]); werr != nil {
			return
		}
		if total, limit := p.passed.Add(int64(n)), p.limit.Load(); limit > 0 && total >= limit {
			p.frozen.Store(true)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			_ = to.Close()
			return
		}
	}
}

// document writes size bytes and returns their delivery.
func document(t *testing.T, id int64, size int) outbox.Delivery {
	t.Helper()
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i*7 + i>>8 + int(id))
	}
	file := filepath.Join(t.TempDir(), "doc")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return outbox.Delivery{ID: id, Folder: "catalog", Name: "gondola_s1.csv", Path: file, Size: int64(size), SHA256: hex.EncodeToString(sum[:])}
}

func (s *server) put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.local(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.local(name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// holds checks that the folder has exactly these files; "" as content means d's bytes.
func holds(t *testing.T, dir string, d outbox.Delivery, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) != len(want) {
		t.Errorf("folder holds %q, want %d files", names, len(want))
	}
	for name, content := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("folder holds %q: %v", names, err)
			continue
		}
		if content == "" {
			sum := sha256.Sum256(got)
			if hex.EncodeToString(sum[:]) != d.SHA256 {
				t.Errorf("%s: %d bytes that are not the document's", name, len(got))
			}
		} else if string(got) != content {
			t.Errorf("%s: %.20q…, want %q", name, got, content)
		}
	}
}

func wantClass(t *testing.T, err error, class outbox.Class, words ...string) {
	t.Helper()
	f, ok := errors.AsType[*outbox.Failure](err)
	if !ok || f.Class != class {
		t.Fatalf("error %v (%T), want class %s", err, err, class)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func pemOf(t *testing.T, key ed25519.PrivateKey) []byte {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}

func fingerprint(s ssh.Signer) string { return ssh.FingerprintSHA256(s.PublicKey()) }

func authorizedLine(host string, key ssh.PublicKey) string {
	return fmt.Sprintf("%s %s", host, ssh.MarshalAuthorizedKey(key))
}

func digestOfBytes(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// sweep clears a folder over a connection, all of it.
func sweep(ctx context.Context, r *Remote, folder string) error {
	rest, err := r.Sweep(ctx, folder, nil)
	if err != nil {
		return err
	}
	return rest(ctx)
}
