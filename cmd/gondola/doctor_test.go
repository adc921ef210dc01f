package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoctorCodes ends with the code of what is wrong: a config with a mistake, a folder that is missing, a server that is not there.
func TestDoctorCodes(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GONDOLA_DOCTOR_PASSWORD", "invented")
	good := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056"}]
sftp: {host: 127.0.0.1, port: 1, user: someone, password: "env:GONDOLA_DOCTOR_PASSWORD", host_keys: ["SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw"]}
feeds: [{name: precios, drop: drop, vendor: all}]
`
	doctor := func(text string) (int, diagnosis) {
		t.Helper()
		path := filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"doctor", "--json", "--config", path}, nil, &stdout, &stderr)
		var d diagnosis
		if err := json.Unmarshal(stdout.Bytes(), &d); err != nil {
			t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
		}
		return code, d
	}
	if code, d := doctor("bogus: 1\n" + good); code != exitUsage || d.OK || !strings.Contains(d.Checks[0].Text, "config.yaml:1:1: bogus") {
		t.Errorf("a mistake ends with %d: %+v", code, d)
	}
	if code, d := doctor(good); code != exitError || d.OK {
		t.Errorf("a missing folder ends with %d: %+v", code, d)
	}
	if err := os.Mkdir(filepath.Join(dir, "drop"), 0o755); err != nil {
		t.Fatal(err)
	}
	if code, d := doctor(good); code != exitRemote || d.OK {
		t.Errorf("a dead server ends with %d: %+v", code, d)
	}
	if _, err := os.Stat(filepath.Join(dir, "state")); !os.IsNotExist(err) {
		t.Error("it made a state")
	}
}
