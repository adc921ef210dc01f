package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	const hidden = "hunter2"
	c := mustParse(t, "env:"+testPassword, hidden)
	holder := struct{ inner Secret }{c.SFTP.Password} // fmt calls no methods on unexported fields
	var printed []string
	for _, value := range []any{c, *c, c.SFTP, c.SFTP.Password, &c.SFTP.Password, holder, &holder} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		printed = append(printed, string(data), log.String())
	}
	printed = append(printed, c.SFTP.Password.String(), c.SFTP.Password.GoString(), Problems(c.Warnings).Error(),
		fmt.Sprintf("%+v", c.Warnings), fmt.Sprintf("%+v", c.Problem("sftp.password", "x")))
	for _, text := range printed {
		for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), strings.Trim(fmt.Sprintf("%d", []byte(hidden)), "[]")} {
			if strings.Contains(text, form) {
				t.Errorf("the secret was printed as %q in %s", form, text)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if got := fmt.Sprintf(verb, c.SFTP.Password); got != "<secret>" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if data, err := json.Marshal(c.SFTP.Password); err != nil || string(data) != `"\u003csecret\u003e"` {
		t.Errorf("JSON %s, %v", data, err)
	}
	if got, err := c.SFTP.Password.Value(); err != nil || got != hidden {
		t.Errorf("value %q, %v", got, err)
	}
}

// TestMistakesKeepSecrets writes passwords where an admin's slip puts them.
func TestMistakesKeepSecrets(t *testing.T) {
	const line = "  password: env:" + testPassword + "\n"
	for _, slip := range []string{
		"  pasword: hunter2\n", "  password: [hunter2]\n", "  password: {x: hunter2}\n", "  port: 0\n  password:\n    hunter2\n",
		"  password: !x hunter2\n", "  password: \"hunter2\n", "  password: hunter2\n  password: hunter2\n  port: 0\n",
		"  password: file:none\n  key_passphrase: hunter2\n",
	} {
		_, err := parse(t, t.TempDir(), line, slip)
		if err == nil {
			t.Errorf("%q: no problem", slip)
			continue
		}
		if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "hunter2") {
			t.Errorf("%q: the secret is in %s", slip, text)
		}
	}
}

func TestSecretValue(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"plain": "s3cret", "lf": "s3cret\n", "crlf": "s3cret\r\n", "two": "s3cret\n\n", "spaces": " s3cret \n", "empty": "\n",
		"large": strings.Repeat("x", maxSecret+1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GONDOLA_TEST_SECRET", "from the environment")
	t.Setenv("GONDOLA_TEST_EMPTY", "")
	t.Setenv(credentialsVar, dir)
	for _, tc := range []struct{ ref, want, wantErr string }{
		{ref: "env:GONDOLA_TEST_SECRET", want: "from the environment"},
		{ref: "env:GONDOLA_TEST_NOT_SET", wantErr: "env:GONDOLA_TEST_NOT_SET: no such environment variable"},
		{ref: "env:GONDOLA_TEST_EMPTY", wantErr: "it is empty"},
		{ref: "file:plain", want: "s3cret"},
		{ref: "file:lf", want: "s3cret"},
		{ref: "file:crlf", want: "s3cret"},
		{ref: "file:two", want: "s3cret\n"},
		{ref: "file:spaces", want: " s3cret "},
		{ref: "file:" + filepath.Join(dir, "lf"), want: "s3cret"},
		{ref: "file:empty", wantErr: "it is empty"},
		{ref: "file:none", wantErr: "create the file or correct the path"},
		{ref: "file:large", wantErr: "larger than"},
		{ref: "systemd:lf", want: "s3cret"},
		{ref: "systemd:none", wantErr: "create the file"},
		{ref: "systemd:../lf", wantErr: "not a credential's name"},
		{ref: "s3:cret", want: "s3:cret"},
		{ref: "s3cret", want: "s3cret"},
	} {
		got, err := newSecret(tc.ref, dir).Value()
		if got != tc.want || (err != nil) != (tc.wantErr != "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
			t.Errorf("%s: got %q, %v; want %q, %q", tc.ref, got, err, tc.want, tc.wantErr)
		}
	}
	if _, err := (Secret{}).Value(); err == nil || (Secret{}).IsSet() {
		t.Errorf("a secret that is not set: %v", err)
	}
}

func TestSecretIsReadAnew(t *testing.T) {
	t.Setenv("GONDOLA_TEST_SECRET", "old")
	s := newSecret("env:GONDOLA_TEST_SECRET", "")
	t.Setenv("GONDOLA_TEST_SECRET", "new")
	if got, err := s.Value(); err != nil || got != "new" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSecretWarnings(t *testing.T) {
	t.Setenv(credentialsVar, "")
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"private": 0o600, "shared": 0o640} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("s3cret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for ref, want := range map[string]string{
		"file:private":  "",
		"file:shared":   "can be read by other users; run chmod 600",
		"s3cret":        "inline secret; better: env:NAME, file:PATH or systemd:NAME",
		"systemd:login": "$CREDENTIALS_DIRECTORY is not set",
	} {
		if ref == "file:shared" && runtime.GOOS == "windows" {
			continue
		}
		c, err := parse(t, dir, "env:"+testPassword, ref)
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		if want == "" {
			if len(c.Warnings) != 0 {
				t.Errorf("%s: %v", ref, Problems(c.Warnings))
			}
			continue
		}
		if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Message, want) || c.Warnings[0].Line != 8 || !c.Warnings[0].Warning {
			t.Errorf("%s: warnings %+v, want one with %q", ref, c.Warnings, want)
		}
	}
	t.Setenv(credentialsVar, dir)
	if _, err := parse(t, dir, "env:"+testPassword, "systemd:login"); err == nil {
		t.Error("a credential that systemd did not hand over is only a warning")
	}
}

// TestLook reads a config whose password is there for the daemon alone.
func TestLook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	text := strings.Replace(minimal(t), "env:"+testPassword, "env:GONDOLA_TEST_NOT_THERE", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "no such environment variable") {
		t.Errorf("load: %v, want the secret to be missed", err)
	}
	c, err := Look(path)
	if err != nil {
		t.Fatalf("look: %v", err)
	}
	if len(c.Warnings) != 1 || c.Warnings[0].Path != "sftp.password" || !c.Warnings[0].Warning {
		t.Errorf("warnings %+v, want one of the password", c.Warnings)
	}
}
