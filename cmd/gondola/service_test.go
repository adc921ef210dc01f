package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestRunUnderSupervisor runs the daemon with a socket in the place of systemd's: it is ready once the state is open and the page has its
// port, it gives signs of life while its loops run, and it says that it stops.
func TestRunUnderSupervisor(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("datagrams to a socket in a folder are not for Windows")
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "90000")
	t.Setenv("PASSWORD", "invented")
	config := filepath.Join(dir, "config.yaml")
	text := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056"}]
state: {min_free: 1MB}
sftp: {host: 127.0.0.1, port: 9, user: someone, password: env:PASSWORD, host_keys: ["SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw"]}
feeds: [{name: precios, drop: drop, vendor: all}]
send: {catalog: {schedule: "0 0 29 2 *", full: "off"}}
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "drop"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stderr bytes.Buffer
	done := make(chan int, 1)
	logs := filepath.Join(dir, "logs")
	go func() {
		done <- run(ctx, []string{"run", "--config", config, "--log-dir", logs}, nil, &bytes.Buffer{}, &stderr)
	}()

	heard := func() string {
		buf := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("nothing is told: %v; %s", err, stderr.String())
		}
		return string(buf[:n])
	}
	if got := heard(); !strings.HasPrefix(got, "READY=1\n") {
		t.Fatalf("told first: %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "state", "gondola.db")); err != nil {
		t.Errorf("ready before the state is open: %v", err)
	}
	alive, line := 0, ""
	for alive < 3 || line == "" {
		switch got := heard(); {
		case got == "WATCHDOG=1":
			alive++
		case strings.HasPrefix(got, "STATUS="):
			line = got
		default:
			t.Fatalf("told: %q", got)
		}
	}
	if !strings.Contains(line, "stores 1, feeds 1") {
		t.Errorf("line of status: %q", line)
	}
	stop()
	for got := ""; !strings.HasPrefix(got, "STOPPING=1\n"); {
		got = heard()
	}
	if code := <-done; code != exitDone || stderr.Len() > 0 {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
	files, err := filepath.Glob(filepath.Join(logs, "*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("log files: %v, %v", files, err)
	}
	log, err := os.ReadFile(files[0])
	for _, want := range []string{`"msg":"started"`, `"msg":"stopped"`} {
		if err != nil || !strings.Contains(string(log), want) {
			t.Errorf("the log has no %s: %v\n%s", want, err, log)
		}
	}
}

// TestRunTellsLogWhyItEnds has a daemon that can't start: where the log goes into files, the reason is in them.
func TestRunTellsLogWhyItEnds(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "logs")
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"run", "--config", "not-there.yaml", "--log-dir", logs}, nil, &bytes.Buffer{}, &stderr)
	if code != exitUsage || !strings.Contains(stderr.String(), "not-there.yaml") {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
	files, err := filepath.Glob(filepath.Join(logs, "*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("log files: %v, %v", files, err)
	}
	if log, err := os.ReadFile(files[0]); err != nil || !strings.Contains(string(log), "not-there.yaml") {
		t.Errorf("log: %v, %s", err, log)
	}
}

// TestServiceOf makes the service of a config: what it writes to, and what a person has to see to.
func TestServiceOf(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the notes are others on Windows")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	text := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056"}]
sftp: {host: sftp.example, user: someone, password: systemd:sftp, host_keys: ["SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw"]}
feeds:
  - {name: precios, drop: drop/a, vendor: all, match: ["p*"]}
  - {name: stock, drop: drop/a, vendor: all, match: ["s*"]}
  - {name: promos, kind: promotions, drop: drop/b, vendor: all}
web: {listen: 127.0.0.1:80}
alerts: [{ping: "env:PING"}, {post: "file:post.url"}]
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{ConfigPath: config}
	s, notes, err := a.serviceOf(serviceFlags{name: "gondola"})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(s.User, s.State, s.Shared, s.Secret, s.Credentials, s.Environment)
	want := fmt.Sprintln("gondola", dir+"/state", []string{dir + "/drop/a", dir + "/drop/b"}, []string{dir + "/post.url"},
		"[{sftp "+dir+"/credentials/sftp}]", dir+"/gondola.env")
	if got != want {
		t.Errorf("service\n got %s\nwant %s", got, want)
	}
	if len(notes) != 3 || !strings.HasPrefix(notes[0], "Port 80 ") || !strings.Contains(notes[1], dir+"/credentials/sftp") ||
		!strings.Contains(notes[2], "PING=...") {
		t.Errorf("notes: %q", notes)
	}
}
