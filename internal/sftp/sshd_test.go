package sftp

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"gondola/internal/outbox"
)

const sshdProgram = "/usr/sbin/sshd"

// sshd is OpenSSH's server, whose home is dir, with an Ed25519 and an RSA host key.
type sshd struct {
	dir    string
	port   int
	keys   []ssh.Signer
	client ed25519.PrivateKey
}

func newSSHD(t *testing.T) *sshd {
	t.Helper()
	needProgram(t, sshdProgram, "openssh-server")
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "1" {
			t.Fatal("sshd needs root")
		}
		t.Skip("sshd needs root")
	}
	// The folder in which sshd drops its privileges; systemd makes it elsewhere.
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	etc := t.TempDir()
	s := &sshd{dir: t.TempDir(), port: freePort(t)}
	write := func(name string, data []byte) string {
		name = filepath.Join(etc, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	var err error
	var public ed25519.PublicKey
	if public, s.client, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	sshPublic, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	authorized := write("authorized_keys", ssh.MarshalAuthorizedKey(sshPublic))
	var config strings.Builder
	fmt.Fprintf(&config, "ListenAddress 127.0.0.1:%d\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n"+
		"KbdInteractiveAuthentication no\nPermitRootLogin yes\nAuthorizedKeysFile %s\nSubsystem sftp internal-sftp\n"+
		"ForceCommand internal-sftp -d %s\n", s.port, authorized, s.dir)
	for _, kind := range []string{"ed25519", "rsa"} {
		file := filepath.Join(etc, "host_"+kind)
		if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ssh.ParsePrivateKey(data)
		if err != nil {
			t.Fatal(err)
		}
		s.keys = append(s.keys, key)
		fmt.Fprintf(&config, "HostKey %s\n", file)
	}
	s.run(t, write("sshd_config", []byte(config.String())))
	return s
}

func (s *sshd) run(t *testing.T, config string) {
	t.Helper()
	cmd := exec.Command(sshdProgram, "-D", "-e", "-f", config)
	var out strings.Builder
	cmd.Stderr = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd: %s", out.String())
		}
	})
	for range 200 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("sshd does not listen")
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *sshd) config(t *testing.T) Config {
	return Config{
		Host: "127.0.0.1", Port: s.port, User: "root", HostKeys: []string{fingerprint(s.keys[0])},
		KeyPEM: func() ([]byte, error) { return pemOf(t, s.client), nil },
	}
}

func TestOpenSSH(t *testing.T) {
	s := newSSHD(t)
	t.Run("replace, look, sweep", func(t *testing.T) {
		if err := os.Mkdir(filepath.Join(s.dir, "Catalog"), 0o755); err != nil {
			t.Fatal(err)
		}
		r := dial(t, s.config(t))
		d := document(t, 1, 5_000_000)
		for _, replaced := range []bool{false, true} {
			got, err := r.Replace(t.Context(), d)
			if err != nil || got.Way != "posix-rename" || got.Proof != outbox.ProofSize || got.Replaced != replaced {
				t.Fatalf("Replace = %+v, %v; want posix-rename, replaced %v", got, err, replaced)
			}
			d.Known = []int64{d.Size}
		}
		left := filepath.Join(s.dir, "Catalog", ".gondola_s9.csv.4.tmp")
		if err := os.WriteFile(left, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.Sweep(t.Context(), "catalog"); err != nil {
			t.Errorf("Sweep: %v", err)
		}
		holds(t, filepath.Join(s.dir, "Catalog"), d, map[string]string{final: ""})
		if seen, err := r.Look(t.Context(), "catalog", final); err != nil || seen != (outbox.Seen{Exists: true, Size: d.Size}) {
			t.Errorf("Look = %+v, %v", seen, err)
		}
		if seen, err := r.Look(t.Context(), "promotions", final); err != nil || seen.Exists {
			t.Errorf("Look in a missing folder = %+v, %v", seen, err)
		}
	})
	t.Run("without posix-rename", func(t *testing.T) {
		r := dial(t, s.config(t))
		r.posixRename = false
		d := document(t, 1, 70_000)
		d.Folder = "plain/deep"
		for _, way := range []string{"rename", "aside"} {
			got, err := r.Replace(t.Context(), d)
			if err != nil || got.Way != way {
				t.Fatalf("Replace = %+v, %v; want %s", got, err, way)
			}
			d.Known = []int64{d.Size}
		}
		holds(t, filepath.Join(s.dir, "plain/deep"), d, map[string]string{final: ""})
	})
	t.Run("host keys", func(t *testing.T) {
		c := s.config(t)
		c.HostKeys = []string{fingerprint(s.keys[1])}
		_ = dial(t, c)
		c.HostKeys = []string{fingerprint(newEd25519(t))}
		_, err := Dial(t.Context(), c)
		wantClass(t, err, outbox.HostKey, fingerprint(s.keys[0]), fingerprint(s.keys[1]))
		known := filepath.Join(t.TempDir(), "known_hosts")
		line := authorizedLine(fmt.Sprintf("[127.0.0.1]:%d", s.port), s.keys[1].PublicKey())
		if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		c.HostKeys, c.KnownHosts = nil, known
		_ = dial(t, c)
	})
	t.Run("stranger's key", func(t *testing.T) {
		c := s.config(t)
		_, other, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c.KeyPEM = func() ([]byte, error) { return pemOf(t, other), nil }
		_, err = Dial(t.Context(), c)
		wantClass(t, err, outbox.Credentials, `"root"`, "sftp.key")
	})
	t.Run("password where only keys are taken", func(t *testing.T) {
		c := s.config(t)
		c.KeyPEM, c.Password = nil, func() (string, error) { return "secret", nil }
		_, err := Dial(t.Context(), c)
		wantClass(t, err, outbox.Credentials)
	})
	t.Run("stopped in the middle", func(t *testing.T) {
		p := newProxy(t, s.port)
		c := s.config(t)
		c.Port, c.StallTimeout = p.port, 300*time.Millisecond
		p.limit.Store(3_000_000)
		r := dial(t, c)
		d := document(t, 9, 40_000_000)
		d.Folder = "stalled"
		start := time.Now()
		_, err := r.Replace(t.Context(), d)
		if !errors.Is(err, outbox.ErrLost) || time.Since(start) > 6*time.Second {
			t.Errorf("Replace after %v: %v", time.Since(start), err)
		}
		_ = r.Close()
	})
}
