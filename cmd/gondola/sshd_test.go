package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gondola/internal/sftp/sshdtest"
)

// TestOpenSSH runs the program against OpenSSH's server: a drop goes all the way, and scripts learn from the exit code when the server
// is down.
func TestOpenSSH(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{})
	host, port := s.Addr()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("config.yaml", fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056", name: Tienda Uno}]
state: {dir: state, min_free: 1MB}
sftp: {host: %s, port: %d, user: %s, password: "file:password", known_hosts: known_hosts}
drops: {settle: 100ms, quiet: 500ms, scan: 100ms}
feeds:
  - {name: precios, drop: drop/precios, vendor: all}
`, host, port, sshdtest.User))
	write("password", sshdtest.Password+"\n")
	write("known_hosts", s.KnownHosts(sshdtest.ECDSA))
	write("drop/precios/export.csv", "SKU;Precio;Activo\nA-1;10,50;S\nA-2;20,00;S\n")
	gondola := func(code int, args ...string) string {
		t.Helper()
		cmd := exec.Command("gondola", append(args, "--config", filepath.Join(dir, "config.yaml"))...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
			t.Fatal(err)
		} else if got := cmd.ProcessState.ExitCode(); got != code {
			t.Fatalf("gondola %s: exit code %d (%v), want %d\n%s%s", strings.Join(args, " "), got, exit, code, stdout.String(), stderr.String())
		}
		return stdout.String()
	}
	sent := func(out string, verified int) {
		t.Helper()
		var outcome struct{ Documents, Verified int }
		if err := json.Unmarshal([]byte(out), &outcome); err != nil || outcome.Documents != 1 || outcome.Verified != verified {
			t.Errorf("%d of %d documents verified (%v), want %d of 1:\n%s", outcome.Verified, outcome.Documents, err, verified, out)
		}
	}
	lies := func(want string) {
		t.Helper()
		const name = "gondola_290056.csv"
		folder := filepath.Join(s.Home(), "catalog")
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != 1 {
			t.Fatalf("the folder holds %v (%v), want one file", entries, err)
		}
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != want {
			t.Errorf("%s (%v) holds:\n%s\nwant:\n%s", name, err, got, want)
		}
	}

	if out := gondola(exitDone, "probe", "--json"); !strings.Contains(out, `"posix-rename": "yes"`) || !strings.Contains(out, "never absent") {
		t.Errorf("OpenSSH's passport:\n%s", out)
	}
	sent(gondola(exitDone, "once", "--json"), 1)
	lies("sku,price,active\nA-1,10.50,1\nA-2,20.00,1\n")
	write("drop/precios/export.csv", "SKU;Precio;Activo\nA-1;11,20;S\nA-2;20,00;S\n")
	sent(gondola(exitDone, "once", "--json"), 1)
	lies("sku,price,active\nA-1,11.20,1\nA-2,20.00,1\n")

	s.Stop()
	if out := gondola(exitRemote, "probe"); !strings.Contains(out, "connect to "+host) {
		t.Errorf("the probe does not say what is wrong:\n%s", out)
	}
	sent(gondola(exitRemote, "push", "--full", "--json"), 0)
	if out := gondola(exitRemote, "status"); !strings.Contains(out, "connect to "+host) {
		t.Errorf("the status does not say what is wrong:\n%s", out)
	}
	s.Restart()
	sent(gondola(exitDone, "push", "--full", "--json"), 1)
	lies("sku,price,active\nA-1,11.20,1\nA-2,20.00,1\n")
}
