//go:build !windows

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"gondola/internal/durable"
)

// Manager installs, starts and stops the service by systemd.
type Manager struct {
	// Root is put before the paths of the system's own folders, for tests. "" is the machine itself.
	Root string
}

// Where systemd has its things.
const (
	bootedDir = "/run/systemd/system" // there while systemd runs the machine
	unitDir   = "/etc/systemd/system" // the administrator's units
)

// withoutSystemd is what to do on a machine without systemd.
const withoutSystemd = "this machine is not run by systemd; let your own service manager start \"gondola run\" and end it with SIGTERM " +
	"(it takes up to 30 s), or your scheduler start \"gondola once\"; gondola service print shows what systemd would be told"

// ready reports what keeps services from being changed here.
func (m Manager) ready(change bool) error {
	if _, err := os.Stat(m.Root + bootedDir); err != nil {
		return fmt.Errorf("%w: %s", ErrNone, withoutSystemd)
	}
	if change && os.Geteuid() != 0 {
		return fmt.Errorf("%w: say it once more with sudo", ErrRights)
	}
	return nil
}

// Install makes the user, gives it its folders, writes the unit and has it started with the machine. It may be repeated, and has to be
// when the config names other folders or credentials. What is left for a person to do is returned, a sentence each.
func (m Manager) Install(ctx context.Context, s Service) ([]string, error) {
	if err := m.ready(true); err != nil {
		return nil, err
	}
	for _, path := range append([]string{s.State}, s.Shared...) {
		for _, temp := range []string{"/tmp/", "/var/tmp/"} {
			if m.Root == "" && strings.HasPrefix(path, temp) {
				return nil, fmt.Errorf("install %s: %s lies in %s, which a service has of its own and the machine empties; move it", s.Name, path, temp)
			}
		}
	}
	text, err := s.Unit()
	if err != nil {
		return nil, err
	}
	who, err := m.account(ctx, s.User)
	if err != nil {
		return nil, err
	}
	notes, err := who.handOver(s)
	if err != nil {
		return notes, err
	}
	err = durable.WriteFile(m.unitPath(s.Name), 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		return notes, fmt.Errorf("install %s: %w", s.Name, err)
	}
	if err := m.systemctl(ctx, "daemon-reload"); err != nil {
		return notes, err
	}
	return notes, m.systemctl(ctx, "enable", s.Name+".service")
}

// Uninstall stops the service and forgets it. State, folders, config and user stay.
func (m Manager) Uninstall(ctx context.Context, name string) error {
	if err := m.ready(true); err != nil {
		return err
	}
	path := m.unitPath(name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("uninstall %s: %w: there is no %s; a unit of a package goes with the package", name, ErrNotInstalled, path)
	}
	if err := m.systemctl(ctx, "disable", "--now", name+".service"); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("uninstall %s: %w", name, err)
	}
	return m.systemctl(ctx, "daemon-reload")
}

// Start starts the service and waits until it works.
func (m Manager) Start(ctx context.Context, name string) error {
	if err := m.ready(true); err != nil {
		return err
	}
	if err := m.systemctl(ctx, "start", name+".service"); err != nil {
		return fmt.Errorf("%w; why: journalctl -u %s -n 20", err, name)
	}
	return nil
}

// Stop stops the service and waits until what was on its way is finished.
func (m Manager) Stop(ctx context.Context, name string) error {
	if err := m.ready(true); err != nil {
		return err
	}
	return m.systemctl(ctx, "stop", name+".service")
}

// Status returns how the service is.
func (m Manager) Status(ctx context.Context, name string) (Status, error) {
	s := Status{Name: name}
	if err := m.ready(false); err != nil {
		return s, err
	}
	const wanted = "LoadState,ActiveState,SubState,StatusText,MainPID,ActiveEnterTimestamp,UnitFileState,NRestarts,FragmentPath"
	out, err := exec.CommandContext(ctx, "systemctl", "show", name+".service", "--property="+wanted).Output()
	if err != nil {
		return s, fmt.Errorf("ask systemd: %w%s", err, said(err))
	}
	facts := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		facts[key] = value
	}
	s.Installed, s.Enabled = facts["LoadState"] == "loaded", facts["UnitFileState"] == "enabled"
	s.Running = facts["ActiveState"] == "active"
	s.State = facts["ActiveState"]
	if sub := facts["SubState"]; sub != "" && s.Installed {
		s.State += " (" + sub + ")"
	}
	s.Line, s.Since, s.Where = facts["StatusText"], facts["ActiveEnterTimestamp"], facts["FragmentPath"]
	s.PID, _ = strconv.Atoi(facts["MainPID"]) // not there: it does not run
	s.Restarts, _ = strconv.Atoi(facts["NRestarts"])
	return s, nil
}

func (m Manager) unitPath(name string) string { return filepath.Join(m.Root+unitDir, name+".service") }

func (m Manager) systemctl(ctx context.Context, args ...string) error {
	if _, err := exec.CommandContext(ctx, "systemctl", args...).Output(); err != nil {
		return fmt.Errorf("systemctl %s: %w%s", strings.Join(args, " "), err, said(err))
	}
	return nil
}

// said returns what a program that failed complained of.
func said(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		return ": " + oneLine(string(exit.Stderr))
	}
	return ""
}

// account returns the user that the service runs as, and makes it where there is none.
func (m Manager) account(ctx context.Context, name string) (account, error) {
	u, err := user.Lookup(name)
	if _, unknown := errors.AsType[user.UnknownUserError](err); unknown {
		add := exec.CommandContext(ctx, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
			"--shell", "/usr/sbin/nologin", name)
		if _, err := add.Output(); err != nil {
			return account{}, fmt.Errorf("make the user %q: %w%s; make it by hand, or name another one with --user", name, err, said(err))
		}
		u, err = user.Lookup(name)
	}
	if err != nil {
		return account{}, fmt.Errorf("look for the user %q: %w", name, err)
	}
	return accountOf(u)
}
