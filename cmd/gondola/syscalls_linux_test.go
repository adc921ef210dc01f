package main

import (
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gondola/internal/sandbox"
	"gondola/internal/supervisor"
)

// refusedWell are system calls that the unit refuses and that are made all the same: who makes them goes on without.
var refusedWell = []string{
	"prlimit64", "setrlimit", // the Go runtime wants as many open files as there may be; the unit sets that
	"fchown", // SQLite gives its files the owner of the database where it runs as root, as in this test; the unit never does
}

// TestUnitAllowsWhatIsCalled runs the daemon through a drop, an upload and a look at its page, and holds every system call that it makes
// against the ones that the unit allows: nothing of the daemon's may end at systemd's filter.
func TestUnitAllowsWhatIsCalled(t *testing.T) {
	strace := findStrace(t)
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("systemd-analyze is missing; .ci/run installs it")
		}
		t.Skip("no systemd-analyze here (Debian's package systemd)")
	}
	binary := buildBinary(t)
	t.Setenv("PASSWORD", "invented")
	platform, err := sandbox.Start(t.Context(), sandbox.Options{
		Dir: t.TempDir(), User: "gondola", Password: "invented", Vendors: []sandbox.Vendor{{ID: "290056"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	page := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	host, port := platform.SFTPAddr()
	text := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056"}]
state: {min_free: 1MB}
sftp: {host: ` + host + `, port: ` + strconv.Itoa(port) + `, user: gondola, password: env:PASSWORD, host_keys: ["` + platform.HostKey() + `"]}
drops: {settle: 100ms, quiet: 200ms, scan: 100ms}
feeds: [{name: precios, drop: drop, vendor: all}]
send: {catalog: {schedule: "0 0 29 2 *", full: "off"}}
web: {listen: ` + page + `}
`
	for name, text := range map[string]string{"config.yaml": text, "drop/precios.csv": "sku;precio\nA;1,50\nB;2,50\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	once, stays := filepath.Join(t.TempDir(), "once"), filepath.Join(t.TempDir(), "run")
	if out, err := exec.Command(strace, "-f", "-qq", "-o", once, binary, "once", "--config", config).CombinedOutput(); err != nil {
		t.Fatalf("gondola once: %v\n%s", err, out)
	}
	c := exec.Command(strace, "-f", "-qq", "-o", stays, binary, "run", "--config", config, "--log-dir", filepath.Join(dir, "logs"))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the signal is for the daemon, too
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for over := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get("http://" + page + "/healthz")
		if err == nil {
			answer.Body.Close()
		}
		if err == nil && answer.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(over) {
			t.Errorf("the page does not answer: %v", err)
			break
		}
	}
	if err := syscall.Kill(-c.Process.Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the daemon ended badly: %v", err)
	}
	called := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllStringSubmatch(readText(t, once)+readText(t, stays), -1) {
		called[m[1]] = true
	}
	if len(called) < 30 || !called["fsync"] || !called["connect"] {
		t.Fatalf("only these calls were seen: %v", slices.Sorted(maps.Keys(called)))
	}
	allowed := allowedCalls(t, analyze)
	for _, name := range slices.Sorted(maps.Keys(called)) {
		if !allowed[name] && !slices.Contains(refusedWell, name) {
			t.Errorf("the unit refuses %s", name)
		}
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// allowedCalls returns the system calls that the unit's filter lets through, as systemd's own sets have them.
func allowedCalls(t *testing.T, analyze string) map[string]bool {
	t.Helper()
	out, err := exec.Command(analyze, "syscall-filter", "--no-pager").Output()
	if err != nil {
		t.Fatal(err)
	}
	sets, set := map[string][]string{}, ""
	for line := range strings.Lines(string(out)) {
		word := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "@"):
			set = word
		case word != "" && !strings.HasPrefix(word, "#"):
			sets[set] = append(sets[set], word)
		}
	}
	unit, err := supervisor.Service{Name: "gondola", Program: "/bin/true", State: "/var/lib/gondola"}.Unit()
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	var mark func(word string, as bool)
	mark = func(word string, as bool) {
		if !strings.HasPrefix(word, "@") {
			allowed[word] = as
		}
		for _, inner := range sets[word] {
			mark(inner, as)
		}
	}
	filters := regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.*)$`).FindAllStringSubmatch(unit, -1)
	if len(filters) == 0 {
		t.Fatal("the unit has no filter")
	}
	for _, f := range filters {
		for word := range strings.FieldsSeq(f[2]) {
			mark(word, f[1] == "")
		}
	}
	return allowed
}
