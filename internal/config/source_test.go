package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// marked shows an excerpt as check does, without care for wide characters.
func marked(e *Excerpt) string {
	if e == nil {
		return ""
	}
	return e.Text + "\n" + strings.Repeat(" ", e.Column-1) + strings.Repeat("^", e.Length)
}

// TestExcerpts has one problem each and what is shown of its line.
func TestExcerpts(t *testing.T) {
	t.Setenv(testPassword, "x")
	for _, tc := range []struct{ name, old, replacement, path, want string }{
		{
			"a value among others", "sftp.example.net", "a b", "sftp.host",
			"  host: a b\n        ^^^",
		},
		{
			"an unknown key, whose value may be anything", "host: sftp.example.net", "hsot: [a, {b: c}]", "sftp.hsot",
			"  hsot: […, {…: …}]\n  ^^^^",
		},
		{
			"an inline secret", "password: env:" + testPassword, `password: "hun\"ter2" # was hunter2`, "sftp.password",
			"  password: <secret>\n            ^^^^^^^^",
		},
		{
			"a reference that leads nowhere", "password: env:" + testPassword, "password: 'env:GONDOLA_TEST_NONE'  # note", "sftp.password",
			"  password: 'env:GONDOLA_TEST_NONE'\n            ^^^^^^^^^^^^^^^^^^^^^^^",
		},
		{
			"an address with a login", "feeds:", "api: {url: 'http://me:hunter2@example.net', per_minute: 0}\nfeeds:", "api.per_minute",
			"api: {url: <secret>, per_minute: 0}\n                                 ^",
		},
		{
			"a section that is a text", "feeds:", "brake: hunter2\nfeeds:", "brake",
			"brake: …\n       ^",
		},
		{
			"a list that is a text", "feeds:", "orders: {webhook: {secrets: hunter2}}\nfeeds:", "orders.webhook.secrets",
			"orders: {webhook: {secrets: …}}\n                            ^",
		},
		{
			"what is missing shows at its section", "  user: PY_UY_test\n", "", "sftp.user",
			"sftp:\n^^^^",
		},
		{
			"an entry in braces", `{id: "290056", erp_code: "001"}`, `{name: "Ñandú"}`, "vendors[0].id",
			"  - {name: \"Ñandú\"}\n    ^",
		},
		{
			"a quoted value with escapes", `"001"`, `"0\u00e91"`, "vendors[1].erp_code",
			"  - {id: norte-2, erp_code: \"002\"}\n                            ^^^^^",
		},
		{
			"an anchor and an alias", `time_zone: America/Montevideo}`, "time_zone: &zone Mars/Base, language: *zone}", "chain.language",
			"chain: {id: 5c1e7f0a-2b34-4d6e-8f90-a1b2c3d4e5f6, time_zone: &zone Mars/Base, language: *zone}\n" + strings.Repeat(" ", 88) + "^^^^^",
		},
		{
			"what goes on in the next line", "sftp.example.net", "\"a b\n    hunter2\"", "sftp.host",
			"  host: …\n        ^",
		},
		{
			"a block text", "sftp.example.net", "|\n    a b", "sftp.host",
			"  host: …\n        ^",
		},
		{
			"a value that is a secret elsewhere", "host: sftp.example.net", "host: &h hunter 2\n  key_passphrase: *h", "sftp.host",
			"  host: &h <secret>\n        ^",
		},
	} {
		c, err := Parse("c.yaml", []byte(strings.Replace(minimal(t), tc.old, tc.replacement, 1)))
		found := problemsOf(err)
		if c != nil {
			found = c.Warnings
			if p := c.Problem(tc.path, "x"); len(found) == 0 {
				found = append(found, p)
			}
		}
		got := "no problem at " + tc.path
		for _, p := range found {
			if p.Path == tc.path {
				got = marked(p.Excerpt)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%v", tc.name, diff, err)
		}
	}
}

// TestExcerptsBehindByteOrderMarks: the mark in front of a file is no column; of UTF-16 nothing is shown, for its lines are not known.
func TestExcerptsBehindByteOrderMarks(t *testing.T) {
	const text = "brake: {min_rows: -1, approval: hunter2}\r\n"
	utf16 := []byte{0xff, 0xfe}
	for _, r := range text {
		utf16 = append(utf16, byte(r), 0)
	}
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"UTF-8":  {[]byte("\ufeff" + text), "brake: {min_rows: -1, approval: hunter2}\n                  ^^"},
		"UTF-16": {utf16, ""},
	} {
		_, err := Parse("c.yaml", tc.data)
		for _, p := range problemsOf(err) {
			if got := marked(p.Excerpt); p.Path == "brake.min_rows" && got != tc.want {
				t.Errorf("%s:\n%s\nwant\n%s", name, got, tc.want)
			}
		}
	}
}

// TestExcerptsOfBrokenFiles: of what is no YAML only a known key is shown.
func TestExcerptsOfBrokenFiles(t *testing.T) {
	for text, want := range map[string]string{
		"sftp:\n  password: 'hunter2\n":            "",
		"sftp:\n\tpassword: hunter2\n":             "\tpassword: …\n^",
		"sftp:\n  user: a\n password: hunter2\n":   " password: …\n ^",
		"chain: {id: hunter2]\n":                   "chain: …\n       ^",
		"hunter2: [}\n":                            "",
		"sftp:\n  host: \"hunter2\" hunter3\n":     "  host: …\n        ^",
		"vendors:\n  - name: Almac\xe9n hunter2\n": "  - name: …\n          ^",
		"vendors:\n  - name: \x01hunter2\n":        "  - name: …\n          ^",
	} {
		_, err := Parse("c.yaml", []byte(text))
		var p Problem
		if !errors.As(err, &p) {
			t.Fatalf("%q was taken", text)
		}
		if got := marked(p.Excerpt); got != want {
			t.Errorf("%q:%d:%d %s\n%s\nwant\n%s", text, p.Line, p.Column, p.Message, got, want)
		}
	}
}

// TestExcerptsKeepSecrets puts a secret wherever people put them, asks about every line, and looks for it.
func TestExcerptsKeepSecrets(t *testing.T) {
	t.Setenv(testPassword, "x")
	const canary = "hunter2"
	for _, line := range []string{
		"sftp: {host: h, password: %s, port: 0}", "sftp: {password: '%s', port: 0}", "sftp: {pasword: %s, port: 0}",
		"sftp: {port: 0, password: \"%s\"} # %[1]s", "sftp: {port: 0} # %s", "sftp: {port: 0, tokens: [%s]}", "sftp: {port: 0, folders: %s}",
		"sftp: {port: 0, password: &p %s, user: *p}", "sftp: {port: 0, host_keys: {%s: 1}}", "sftp: {port: 0, key_passphrase: %s}",
		"sftp:\n  password: >\n    %s\n  port: 0", "sftp:\n  port: 0\n  password: 'a\n    %s'", "sftp: {port: 0, password: 'a\n    %s', parallel: 0}",
		"sftp: {host: 'me:%s@example.net'}", "sftp: {host: 'sftp://me:%s@example.net'}", "alerts: [{ping: %s}, {port: 1}]", "alerts: [%s, {port: 1}]", "alerts: %s", "alerts: [{post: 'https://x/%s'}]", "alerts: {ping: %s}",
		"api: {tokens: {catalog: %s, orders: [%[1]s]}, per_minute: 0}", "api: {tokens: %s, per_minute: 0}", "api: {token: %s, per_minute: 0}",
		"api: {oauth: {client_id: a, client_secret: %s, x: %[1]s}}", "api: {url: 'https://a:%s@b/', per_minute: 0}",
		"orders: {webhook: {secrets: [%s], listen: x}}", "orders: {webhook: {secrets: %s, listen: x}}", "orders: {webhook: {secret: %s, listen: x}}",
		"x: {<<: {port: %s}}", "sftp: {<<: {pasword: %s}, port: 0}", "sftp: {port: 0, password: !!str %s}", "sftp: {port: 0, password: !x %s}",
		"sftp: {port: 0, [%s]: 1}", "sftp: {port: 0, ? [%s] : 1}", "sftp: {port: 0, password: %s, password: %[1]s}", "sftp: [%s]",
		"sftp: {port: 0, password: {a: %s}}", "sftp: {port: 0, password: [%s]}", "sftp: {port: 0\n, password: %s}}",
	} {
		text := fmt.Sprintf(line, canary) + "\n"
		_, err := Parse("c.yaml", []byte(text))
		found := problemsOf(err)
		if len(found) == 0 {
			t.Fatalf("%s: no problem", text)
		}
		data, _ := json.Marshal(found)
		if strings.Contains(string(data), canary) {
			t.Errorf("%s: %s", text, data)
		}
	}
}
