//go:build !windows

package supervisor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// machine is a root of a system with a systemctl and a useradd that write down what they were told.
type machine struct {
	t    *testing.T
	root string
	told string // file
}

const fakeSystemctl = `#!/bin/sh
echo "$(basename "$0") $*" >> "$TOLD"
case "$*" in
*broken*) echo "Job for broken.service failed." >&2; exit 1 ;;
show*absent*) echo LoadState=not-found; echo ActiveState=inactive; echo SubState=dead ;;
show*) cat <<X
LoadState=loaded
ActiveState=active
SubState=running
StatusText=ok; 3 stores, 2 feeds
MainPID=4711
ActiveEnterTimestamp=Thu 2026-11-26 08:15:00 UTC
UnitFileState=enabled
NRestarts=2
FragmentPath=/etc/systemd/system/gondola.service
X
;;
esac
`

func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{t: t, root: t.TempDir(), told: filepath.Join(t.TempDir(), "told")}
	for _, dir := range []string{bootedDir, unitDir} {
		if err := os.MkdirAll(filepath.Join(m.root, dir), 0o755); err != nil { //nolint:gosec // as the system's are
			t.Fatal(err)
		}
	}
	bin := t.TempDir()
	for _, name := range []string{"systemctl", "useradd"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(fakeSystemctl), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("TOLD", m.told)
	return m
}

// heard returns what systemctl and useradd were told since the last time.
func (m machine) heard() []string {
	m.t.Helper()
	text, err := os.ReadFile(m.told)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	_ = os.Remove(m.told)
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

// needRoot skips a test that gives files to other users.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
}

func TestInstall(t *testing.T) {
	needRoot(t)
	m := newMachine(t)
	home := filepath.Join(m.root, "srv")
	state, drop, theirs := filepath.Join(home, "state"), filepath.Join(home, "drop"), filepath.Join(home, "theirs")
	for _, dir := range []string{filepath.Join(state, "shelf"), filepath.Join(drop, ".gondola", "work"), theirs} {
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as folders of a shop are
			t.Fatal(err)
		}
	}
	config := filepath.Join(home, "config.yaml")
	staffs := filepath.Join(drop, "precios.csv")
	for _, file := range []string{filepath.Join(state, "gondola.db"), staffs, config} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const staff = 12345
	for _, path := range []string{staffs, theirs} {
		if err := os.Chown(path, staff, staff); err != nil {
			t.Fatal(err)
		}
	}
	s := Service{
		Name: "gondola", User: "daemon", Program: "/bin/sh", Config: config, State: state,
		Shared: []string{drop, theirs, filepath.Join(home, "none")},
	}
	manager := Manager{Root: m.root}
	notes, err := manager.Install(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	owner := func(path string) int {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Sys().(*syscall.Stat_t).Uid)
	}
	daemon := owner(state)
	if daemon == 0 {
		t.Fatal("the state is still root's")
	}
	for path, want := range map[string]int{
		filepath.Join(state, "shelf"): daemon, filepath.Join(state, "gondola.db"): daemon, drop: daemon,
		filepath.Join(drop, ".gondola", "work"): daemon, staffs: staff, theirs: staff, config: 0,
	} {
		if got := owner(path); got != want {
			t.Errorf("%s belongs to %d, want %d", path, got, want)
		}
	}
	if info, err := os.Stat(drop); err != nil || info.Mode().Perm() != 0o775 || info.Mode()&os.ModeSetgid == 0 {
		t.Errorf("drop folder: %v, %v", info.Mode(), err)
	}
	text := strings.Join(notes, "\n")
	for _, want := range []string{
		"daemon can't read " + config, "There is no folder " + filepath.Join(home, "none"), "setfacl -m u:daemon:rwx " + theirs,
		drop + " is now the group daemon's",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no note says %q:\n%s", want, text)
		}
	}
	want, err := s.Unit()
	if err != nil {
		t.Fatal(err)
	}
	unit, err := os.ReadFile(filepath.Join(m.root, unitDir, "gondola.service"))
	if err != nil || string(unit) != want {
		t.Errorf("unit: %v\n%s", err, unit)
	}
	if diff := cmp.Diff([]string{"systemctl daemon-reload", "systemctl enable gondola.service"}, m.heard()); diff != "" {
		t.Errorf("systemctl was told (-want +got):\n%s", diff)
	}

	// Once more changes nothing, and says less.
	again, err := manager.Install(t.Context(), s)
	if err != nil || strings.Contains(strings.Join(again, "\n"), "is now the group") {
		t.Errorf("installed again: %v, %v", again, err)
	}
	m.heard()
	if err := manager.Uninstall(t.Context(), "gondola"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"systemctl disable --now gondola.service", "systemctl daemon-reload"}, m.heard()); diff != "" {
		t.Errorf("systemctl was told (-want +got):\n%s", diff)
	}
	if err := manager.Uninstall(t.Context(), "gondola"); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("uninstalled twice: %v", err)
	}
}

// TestInstallMakesUser asks for a user that is not there. The one who is to make it does not, so that nothing else is done.
func TestInstallMakesUser(t *testing.T) {
	needRoot(t)
	m := newMachine(t)
	s := Service{Name: "gondola", User: "gondola-not-there", Program: "/bin/sh", State: filepath.Join(m.root, "state")}
	_, err := Manager{Root: m.root}.Install(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), `look for the user "gondola-not-there"`) {
		t.Errorf("installed without a user: %v", err)
	}
	if heard := m.heard(); len(heard) != 1 || !strings.HasPrefix(heard[0], "useradd --system") || !strings.HasSuffix(heard[0], " gondola-not-there") {
		t.Errorf("told: %v", heard)
	}
}

// TestHandOverKeepsForeignNames has a file of root under a second name in a drop folder: whoever put it there must not be given it.
func TestHandOverKeepsForeignNames(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	drop, secret := filepath.Join(dir, "drop"), filepath.Join(dir, "secret")
	if err := os.Mkdir(drop, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Link(secret, filepath.Join(drop, "hard")), os.Symlink(secret, filepath.Join(drop, "soft"))); err != nil {
		t.Fatal(err)
	}
	if notes := (account{name: "daemon", uid: 1, gid: 1}).share(drop); len(notes) != 1 {
		t.Errorf("notes %v", notes)
	}
	if info, err := os.Stat(secret); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("the secret was given away: %v", err)
	}
}

func TestManagerOfSystemd(t *testing.T) {
	m := newMachine(t)
	manager := Manager{Root: m.root}
	got, err := manager.Status(t.Context(), "gondola")
	want := Status{
		Name: "gondola", Installed: true, Enabled: true, Running: true, State: "active (running)", Line: "ok; 3 stores, 2 feeds", PID: 4711,
		Since: "Thu 2026-11-26 08:15:00 UTC", Restarts: 2, Where: "/etc/systemd/system/gondola.service",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("status: %v (-want +got):\n%s", err, diff)
	}
	if got, err := manager.Status(t.Context(), "absent"); err != nil || got.Installed || got.Running {
		t.Errorf("status of a service that is not there: %+v, %v", got, err)
	}
	needRoot(t)
	m.heard()
	if err := errors.Join(manager.Start(t.Context(), "gondola"), manager.Stop(t.Context(), "gondola")); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"systemctl start gondola.service", "systemctl stop gondola.service"}, m.heard()); diff != "" {
		t.Errorf("systemctl was told (-want +got):\n%s", diff)
	}
	if err := manager.Start(t.Context(), "broken"); err == nil || !strings.Contains(err.Error(), "Job for broken.service failed.") ||
		!strings.Contains(err.Error(), "journalctl -u broken") {
		t.Errorf("a start that fails: %v", err)
	}
}

// TestWithoutSystemd is told what to do instead.
func TestWithoutSystemd(t *testing.T) {
	m := Manager{Root: t.TempDir()}
	_, installed := m.Install(t.Context(), Service{})
	_, status := m.Status(t.Context(), "gondola")
	for _, err := range []error{installed, status, m.Start(t.Context(), "gondola"), m.Stop(t.Context(), "x"), m.Uninstall(t.Context(), "x")} {
		if !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "gondola run") {
			t.Errorf("without systemd: %v", err)
		}
	}
}
