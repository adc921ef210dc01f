package sftp

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// This file starts other people's servers, as Debian packages them, on the loopback address and as whoever runs the test. Their
// config, keys and files lie in the test's folder and go with it.

// otherUser is the login at both.
const otherUser = "gondola"

// otherID is the account that ProFTPD becomes where the test is run by root; Debian gives it to nobody by itself.
const otherID = 59871

// otherServer is a running server.
type otherServer struct {
	home   string
	config Config
}

// program finds an executable. Without it the test is skipped, but fails where CI is 1: there it must be.
func program(t *testing.T, file, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(file)
	if err != nil {
		for _, dir := range []string{"/usr/sbin/", "/usr/bin/"} {
			if _, serr := os.Stat(dir + file); serr == nil {
				return dir + file
			}
		}
		if os.Getenv("CI") == "1" {
			t.Fatalf("%s is missing: install %s", file, pkg)
		}
		t.Skipf("%s is missing: install %s", file, pkg)
	}
	return path
}

// keyFile makes a key, keeps it where a server can read it and returns it.
func keyFile(t *testing.T, name string) (ed25519.PrivateKey, ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, pemOf(t, key), 0o600); err != nil {
		t.Fatal(err)
	}
	return key, signer(t, key)
}

// startRclone starts `rclone serve sftp`.
func startRclone(t *testing.T) otherServer {
	t.Helper()
	rclone := program(t, "rclone", "rclone")
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	_, host := keyFile(t, filepath.Join(dir, "host_key"))
	password := rand.Text()
	cmd := exec.Command(rclone, "serve", "sftp", home, "--addr", "127.0.0.1:0", "--user", otherUser, "--key", filepath.Join(dir, "host_key"),
		"--config", filepath.Join(dir, "rclone.conf"), "--cache-dir", filepath.Join(dir, "cache"),
		// The test looks at the folder behind the server's back.
		"--dir-cache-time", "1ns", "--poll-interval", "0")
	cmd.Env = append(os.Environ(), "RCLONE_PASS="+password) // arguments can be read by everybody
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log lines
	run(t, cmd, &log)
	_, port, err := net.SplitHostPort(log.after(t, stderr, "SFTP server listening on "))
	if err != nil {
		t.Fatal(err)
	}
	s := otherServer{home: home, config: Config{
		Host: "127.0.0.1", User: otherUser, HostKeys: []string{fingerprint(host)},
		Password: func() (string, error) { return password, nil },
	}}
	if _, err := fmt.Sscan(port, &s.config.Port); err != nil {
		t.Fatal(err)
	}
	return s
}

// lines keeps what a program says.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	wg   sync.WaitGroup
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(line + "\n")
}

// after waits for a line with a mark and returns what follows it. The rest is kept for the log.
func (l *lines) after(t *testing.T, r io.Reader, mark string) string {
	t.Helper()
	found := make(chan string, 1)
	l.wg.Go(func() {
		scanner := bufio.NewScanner(r)
		for scanner.Scan() {
			l.add(scanner.Text())
			if _, rest, ok := strings.Cut(scanner.Text(), mark); ok {
				select {
				case found <- strings.TrimSpace(rest):
				default:
				}
			}
		}
		close(found)
	})
	select {
	case rest := <-found:
		return rest
	case <-time.After(20 * time.Second):
		return ""
	}
}

// run starts a program and ends it with the test.
func run(t *testing.T, cmd *exec.Cmd, log *lines) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		log.wg.Wait()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", cmd.Path, log.text.String())
		}
	})
}

// startProFTPD starts ProFTPD with mod_sftp: a process for each connection, as inetd would.
func startProFTPD(t *testing.T) otherServer {
	t.Helper()
	proftpd := program(t, "proftpd", "proftpd-basic and proftpd-mod-crypto")
	const modules = "/usr/lib/proftpd"
	if _, err := os.Stat(filepath.Join(modules, "mod_sftp.so")); err != nil {
		if os.Getenv("CI") == "1" {
			t.Fatalf("%v: install proftpd-mod-crypto", err)
		}
		t.Skipf("%v: install proftpd-mod-crypto", err)
	}
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	uid, gid, jail := os.Getuid(), os.Getgid(), ""
	if uid != 0 {
		jail = whoRuns(t)
	} else {
		// It drops what it does not need, and sees the home alone.
		uid, gid, jail = otherID, otherID, "DefaultRoot ~\n"
		// The folders of tests are their owner's alone; the keys in this one are, too.
		if err := errors.Join(os.Chown(home, uid, gid), os.Chmod(filepath.Dir(dir), 0o711)); err != nil {
			t.Fatal(err)
		}
	}
	_, host := keyFile(t, filepath.Join(dir, "host_key"))
	own, client := keyFile(t, filepath.Join(dir, "client_key"))
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys := write("keys", "---- BEGIN SSH2 PUBLIC KEY ----\n"+base64.StdEncoding.EncodeToString(client.PublicKey().Marshal())+
		"\n---- END SSH2 PUBLIC KEY ----\n")
	users := write("passwd", fmt.Sprintf("%s:*:%d:%d::%s:/bin/false\n", otherUser, uid, gid, home))
	groups := write("group", fmt.Sprintf("%s:x:%d:\n", otherUser, gid))
	config := write("proftpd.conf", fmt.Sprintf(`ModulePath %s
LoadModule mod_sftp.c
ServerType inetd
ServerName gondola
%sAuthOrder mod_auth_file.c
AuthUserFile %s
AuthGroupFile %s
RequireValidShell off
UseReverseDNS off
DelayEngine off
WtmpLog off
TransferLog none
SystemLog %s
PidFile %s
ScoreboardFile none
SFTPEngine on
SFTPLog %s
SFTPHostKey %s
SFTPAuthMethods publickey
SFTPAuthorizedUserKeys file:%s
`, modules, jail, users, groups, filepath.Join(dir, "system.log"), filepath.Join(dir, "pid"), filepath.Join(dir, "sftp.log"),
		filepath.Join(dir, "host_key"), keys))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveEach(t, l, func() *exec.Cmd { return exec.Command(proftpd, "-n", "-q", "-c", config) })
	t.Cleanup(func() {
		for _, name := range []string{"system.log", "sftp.log"} {
			if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil && t.Failed() {
				t.Logf("%s:\n%s", name, text)
			}
		}
	})
	return otherServer{home: home, config: Config{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: otherUser, HostKeys: []string{ssh.FingerprintSHA256(host.PublicKey())},
		KeyPEM: func() ([]byte, error) { return pemOf(t, own), nil },
	}}
}

// whoRuns returns the lines of ProFTPD's config for an account that can become no other.
func whoRuns(t *testing.T) string {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("User %s\nGroup %s\n", me.Username, group.Name)
}

// serveEach gives every connection to a process of its own and ends them all with the test.
func serveEach(t *testing.T, l net.Listener, command func() *exec.Cmd) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var running []*exec.Cmd
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			socket, err := c.(*net.TCPConn).File()
			_ = c.Close() // the process has a copy
			if err != nil {
				t.Error(err)
				return
			}
			cmd := command()
			cmd.Stdin, cmd.Stdout = socket, socket
			mu.Lock()
			err = cmd.Start()
			running = append(running, cmd)
			mu.Unlock()
			_ = socket.Close()
			if err != nil {
				t.Errorf("start %s: %v", cmd.Path, err)
				return
			}
			wg.Go(func() { _ = cmd.Wait() })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, cmd := range running {
			if cmd.Process != nil {
				_ = cmd.Process.Kill() // it may have ended
			}
		}
		mu.Unlock()
		wg.Wait()
	})
}
