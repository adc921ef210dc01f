package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCompletionScripts has each shell read its script. A shell that is not here is left out; CI has all but powershell.
func TestCompletionScripts(t *testing.T) {
	for shell, check := range map[string][]string{
		"bash": {"bash", "-n"}, "zsh": {"zsh", "-n"}, "fish": {"fish", "--no-execute"},
		"powershell": {"pwsh", "-NoProfile", "-File"},
	} {
		t.Run(shell, func(t *testing.T) {
			var script, stderr bytes.Buffer
			if code := run(t.Context(), []string{"completion", shell}, nil, &script, &stderr); code != exitDone || stderr.Len() > 0 {
				t.Fatalf("exit code %d, %s", code, stderr.String())
			}
			if script.Len() < 1000 || !strings.Contains(script.String(), "gondola") {
				t.Fatalf("script:\n%s", script.String())
			}
			program, err := exec.LookPath(check[0])
			if err != nil {
				if os.Getenv("CI") != "" && shell != "powershell" {
					t.Fatalf("%s is missing; .ci/run installs it", check[0])
				}
				t.Skipf("no %s here", check[0])
			}
			path := filepath.Join(t.TempDir(), "gondola.ps1")
			if err := os.WriteFile(path, script.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(program, append(check[1:], path)...).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", check[0], err, out)
			}
		})
	}
}

// TestCompletion asks as the scripts do.
func TestCompletion(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.yaml")
	text := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056", name: Almacén Centro}, {id: "290057"}]
sftp: {host: sftp.example, user: someone, password: env:NONE, host_keys: ["SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw"]}
feeds: [{name: precios, drop: drop, vendor: all}]
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ line, want string }{
		{"serv", "service\tInstall gondola as a service that starts with the machine, and start or stop it\n:4\n"},
		{"service st", "start\nstatus\nstop\n:4\n"},
		{"push --config " + config + " --vendor ", "290056\tAlmacén Centro\n290057\t290057\n:4\n"},
		{"convert --config " + config + " --feed ", "precios\t" + filepath.Join(filepath.Dir(config), "drop") + "\n:4\n"},
		{"push --config none.yaml --vendor ", ":4\n"},
		{"run --log-level ", "debug\nerror\ninfo\nwarn\n:4\n"},
		{"init --language e", "es\npt\nen\n:4\n"},
		{"check --config ", "yaml\nyml\n:8\n"},
		{"run --log-dir ", ":16\n"},
	} {
		args := append([]string{"__complete"}, strings.Split(tt.line, " ")...)
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), args, nil, &stdout, &stderr)
		got := sortedLines(stdout.String())
		if code != exitDone || got != sortedLines(tt.want) {
			t.Errorf("%q: exit code %d\n%s\nwant\n%s", tt.line, code, stdout.String(), tt.want)
		}
	}
}

// sortedLines returns lines in an order of their own: which one comes first is the shell's business.
func sortedLines(text string) string { return strings.Join(slices.Sorted(strings.Lines(text)), "") }
