package sshdtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// helpers are the programs that newer versions of sshd (9.8 and later) are made of.
var helpers = []string{"/usr/lib/openssh/sshd-session", "/usr/lib/openssh/sshd-auth"}

// build makes the server's root directory: all that sshd looks at, and nothing else.
func (s *Server) build(o Options) error {
	// Whatever the umask is: sshd insists on folders that only root can write to, and the account must get through.
	if err := os.Chmod(s.root, 0o755); err != nil {
		return err
	}
	for _, dir := range []string{"bin", "etc", "dev", "run/sshd", "home"} {
		if err := s.mkdir(dir); err != nil {
			return err
		}
	}
	if err := s.programs(); err != nil {
		return err
	}
	authorized, err := s.keys()
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"etc/passwd": fmt.Sprintf("root:x:0:0::/:/bin/false\nsshd:x:%d:%[1]d::/run/sshd:/bin/false\n%s:x:%d:%[3]d::/home:/bin/false\n",
			sshdID, User, userID),
		"etc/group":           fmt.Sprintf("root:x:0:\nsshd:x:%d:\n%s:x:%d:\n", sshdID, User, userID),
		"etc/shadow":          "root:*:19000::::::\nsshd:*:19000::::::\n" + User + ":" + hash + ":19000::::::\n",
		"etc/authorized_keys": authorized,
		"etc/sshd_config":     config(o),
		"dev/null":            "", // a plain file will do, and needs no right to make devices
		"bin/false":           "", // sshd insists on a shell that exists; ForceCommand keeps it from being run
	} {
		if err := s.write(name, text); err != nil {
			return err
		}
	}
	for name, mode := range map[string]os.FileMode{"dev/null": 0o666, "bin/false": 0o755} {
		if err := os.Chmod(filepath.Join(s.root, name), mode); err != nil {
			return err
		}
	}
	if !o.Jail {
		return os.Chown(s.home, userID, userID)
	}
	for _, folder := range []string{"home/catalog", "home/promotions"} {
		if err := s.mkdir(folder); err != nil {
			return err
		}
		if err := os.Chown(filepath.Join(s.root, folder), userID, userID); err != nil {
			return err
		}
	}
	return nil
}

// config returns sshd_config. At DEBUG1 sshd says what it was asked for before a login.
func config(o Options) string {
	var b strings.Builder
	b.WriteString("LogLevel DEBUG1\nPidFile none\nUsePAM no\nUseDNS no\nKbdInteractiveAuthentication no\n" +
		"PermitRootLogin no\nAllowUsers " + User + "\nAuthorizedKeysFile /etc/authorized_keys\n" +
		"Subsystem sftp internal-sftp\nForceCommand internal-sftp\nDisableForwarding yes\n")
	for _, kind := range []string{Ed25519, ECDSA, RSA} {
		b.WriteString("HostKey /etc/host_" + kind + "\n")
	}
	if o.KeyOnly {
		b.WriteString("PasswordAuthentication no\n")
	} else {
		b.WriteString("PasswordAuthentication yes\n")
	}
	if o.Jail {
		b.WriteString("ChrootDirectory %h\n")
	}
	return b.String()
}

// keys makes the host keys and the account's key, and returns the line that lets the latter in.
func (s *Server) keys() (authorized string, err error) {
	for _, kind := range []string{Ed25519, ECDSA, RSA} {
		if err := keygen(kind, filepath.Join(s.root, "etc", "host_"+kind)); err != nil {
			return "", err
		}
	}
	own := filepath.Join(s.t.TempDir(), "id")
	if err := keygen(Ed25519, own); err != nil {
		return "", err
	}
	if s.client, err = os.ReadFile(own); err != nil {
		return "", err
	}
	line, err := os.ReadFile(own + ".pub")
	return string(line), err
}

func keygen(kind, file string) error {
	args := []string{"-q", "-t", kind, "-N", "", "-C", "", "-f", file}
	if kind == RSA {
		args = append(args, "-b", "2048") // found faster than the default's 3072, and good enough for a test
	}
	if out, err := exec.Command(keygenProgram, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("make a key of type %s: %w: %s", kind, err, out)
	}
	return nil
}

// programs copies sshd and the libraries that it is linked with to the same paths below the root.
func (s *Server) programs() error {
	programs := []string{sshdProgram}
	for _, helper := range helpers {
		if _, err := os.Stat(helper); err == nil {
			programs = append(programs, helper)
		}
	}
	copied := map[string]bool{}
	for _, program := range programs {
		out, err := exec.Command("ldd", program).Output()
		if err != nil {
			return fmt.Errorf("list the libraries of %s: %w", program, err)
		}
		files := []string{program}
		// "libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x…)", or the path alone.
		for _, word := range strings.Fields(string(out)) {
			if filepath.IsAbs(word) {
				files = append(files, word)
			}
		}
		for _, file := range files {
			if copied[file] {
				continue
			}
			copied[file] = true
			if err := s.copy(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// copy copies a file of the machine to the same path below the root, and lets everybody read and run it.
func (s *Server) copy(file string) (err error) {
	if err := s.mkdir(filepath.Dir(file)); err != nil {
		return err
	}
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(filepath.Join(s.root, file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := to.Close(); err == nil {
			err = cerr
		}
	}()
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.Chmod(0o755)
}

// mkdir makes a folder below the root, with its parents, that everybody can pass through and only root can write to.
func (s *Server) mkdir(dir string) error {
	path := s.root
	for part := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		path = filepath.Join(path, part)
		if err := os.Mkdir(path, 0o755); os.IsExist(err) {
			continue
		} else if err != nil {
			return err
		}
		if err := os.Chmod(path, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) write(name, text string) error {
	file := filepath.Join(s.root, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	// All are world-readable: glibc reads the account files for sshd's unprivileged half as well. The hash is in the source anyway.
	return os.Chmod(file, 0o644)
}
