package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// sshd is OpenSSH's server with a key that is made for it. Who runs the benchmark logs in to himself, and nobody else can.
type sshd struct {
	*server
	dir  string // of its keys and of what is uploaded
	user string

	emptied int // times that many files were taken out of the way
}

// startSSHD starts a server on the loopback interface.
func (b *bench) startSSHD(ctx context.Context) (*sshd, error) {
	s := &sshd{dir: b.path("sshd")}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	s.user = me.Username
	if os.Getuid() == 0 {
		// The folder that it becomes another user in; Debian's service makes it otherwise.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(os.RemoveAll(s.dir), os.MkdirAll(filepath.Join(s.dir, "home"), 0o700)); err != nil {
		return nil, err
	}
	for _, key := range []string{"host", "client"} {
		if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, key)).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ssh-keygen: %w: %s", err, out)
		}
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`ListenAddress 127.0.0.1
Port %s
HostKey %s
AuthorizedKeysFile %s
Subsystem sftp internal-sftp -d %s
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
MaxStartups 100
LogLevel ERROR
`, port, filepath.Join(s.dir, "host"), filepath.Join(s.dir, "client.pub"), filepath.Join(s.dir, "home"))
	if err := os.WriteFile(filepath.Join(s.dir, "sshd_config"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	s.server, err = start(ctx, addr, b.log, b.peers.path("sshd"), "-D", "-e", "-f", filepath.Join(s.dir, "sshd_config"))
	return s, err
}

// options returns what OpenSSH's clients are told about a way to the server.
func (s *sshd) options(addr string) []string {
	_, port, _ := net.SplitHostPort(addr)
	return []string{
		"-o", "Port=" + port, "-o", "User=" + s.user, "-o", "IdentityFile=" + filepath.Join(s.dir, "client"), "-o", "IdentitiesOnly=yes",
		"-o", "UserKnownHostsFile=" + filepath.Join(s.dir, "known_hosts"), "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-F", "none",
	}
}

// ssh returns the options as one word of a shell's line.
func (s *sshd) ssh(addr string) string { return "ssh " + strings.Join(s.options(addr), " ") }

// empty takes what was uploaded out of the way. Many files are not removed before the end: for seconds after that file systems search
// long for the place of a new one, and whoever is next would pay for it.
func (s *sshd) empty() error {
	home, gone := filepath.Join(s.dir, "home"), filepath.Join(s.dir, "gone")
	old, err := os.ReadDir(filepath.Join(home, "catalog"))
	if err == nil && len(old) > 10 {
		if err = os.MkdirAll(gone, 0o700); err == nil {
			s.emptied++
			err = os.Rename(home, filepath.Join(gone, strconv.Itoa(s.emptied)))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(home), os.MkdirAll(filepath.Join(home, "catalog"), 0o700))
}

// end stops the server and removes what was uploaded.
func (s *sshd) end() error {
	return errors.Join(s.stop(), os.RemoveAll(filepath.Join(s.dir, "gone")), os.RemoveAll(filepath.Join(s.dir, "home")))
}
