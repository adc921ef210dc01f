package config

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sameConfig compares what two files say, not where it stands in them.
var sameConfig = cmp.Options{
	cmpopts.IgnoreUnexported(Config{}), cmpopts.IgnoreFields(Config{}, "Warnings", "Digest"),
	cmp.Comparer(func(a, b Secret) bool {
		return a.IsSet() == b.IsSet() && (!a.IsSet() || a.ref() == b.ref())
	}),
}

func effective(t *testing.T, c *Config) string {
	t.Helper()
	text, err := c.Effective().YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// full has what the example can't have at once.
const full = `
chain: {id: 5c1e7f0a-2b34-4d6e-8f90-a1b2c3d4e5f6, time_zone: UTC}
vendors: [{id: "0012", name: "yes", erp_code: "1e5"}, {id: b, erp_code: "~", time_zone: America/Lima}]
sftp: {host: "::1", user: "null", password: "systemd:x", key: id, key_passphrase: "file:a b", host_keys: [], known_hosts: kh, parallel: }
feeds:
  - name: a
    drop: "drop/# it's a \"name\""
    vendor: {ids: ["0012", b]}
    columns: {sku: "null", price: {from: "a: b", decimal: comma}, active: }
    rules:
      price: {vat: -22%, markup: -5.5%, round: 0.10, ending: .90, floor: 1, ceiling: off, above_ceiling: inactive}
      quantity: {threshold: 0}
      active: {default: false}
      exclude: {columns: [], words: []}
      stores: {b: {price: {expr: "price * 1.1", ending: 990}}, "0012": }
  - {name: b, drop: drop/b, vendor: {file_name: "^(?P<id>.)"}, max_age: 1d12h, rules: {price: {vat: 0%, ending: .0}}}
  - {name: c, drop: drop/c, vendor: all, kind: promotions, campaign: "#1"}
send: {catalog: {full: off}, vendors: all, exclude: [c]}
brake: {price_change: off, deactivate: 12.5%}
api: {oauth: {client_id: x, client_secret: "env:GONDOLA_TEST_PASSWORD"}}
alerts: [{ping: "env:GONDOLA_TEST_PING"}, {post: "env:GONDOLA_TEST_PING"}]
`

// TestEffectiveLoadsAgain: what is printed is the same config, and prints the same.
func TestEffectiveLoadsAgain(t *testing.T) {
	t.Setenv(testPassword, "x")
	t.Setenv("GONDOLA_SFTP_PASSWORD", "x")
	t.Setenv("GONDOLA_TEST_PING", "https://example.net/x")
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d good files: %v", len(files), err)
	}
	dir := t.TempDir()
	texts := map[string]string{filepath.Join(dir, "full.yaml"): full}
	for _, file := range append(files, examplePath) {
		texts[file] = string(readFile(t, file))
	}
	s := compiled(t)
	for file, in := range texts {
		c, err := parseFor(file, []byte(in), false)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out := effective(t, c)
		// In another folder: no path counts from there.
		again, err := parseFor(filepath.Join(t.TempDir(), "c.yaml"), []byte(out), false)
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, out)
		}
		if diff := cmp.Diff(c, again, sameConfig); diff != "" {
			t.Errorf("%s is not the same config (-file +effective):\n%s\n%s", file, diff, out)
		}
		if problem, ok := ask(t, s, []byte(out)); problem != nil || !ok {
			t.Errorf("%s: the schema refuses it: %v\n%s", file, problem, out)
		}
		twice := effective(t, again)
		if diff := cmp.Diff(withoutComments(out), withoutComments(twice)); diff != "" {
			t.Errorf("%s prints otherwise when it is read again (-once +twice):\n%s", file, diff)
		}
		if strings.Contains(twice, defaultMark+"\n") {
			t.Errorf("%s: a default is left where all is written:\n%s", file, twice)
		}
	}
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(strings.TrimSuffix(strings.TrimRight(line, "\n"), " # "+defaultMark) + "\n")
		}
	}
	return b.String()
}

// FuzzEffective: whatever is taken can be printed, is taken again, and prints the same.
func FuzzEffective(f *testing.F) {
	f.Setenv(testPassword, "x")
	f.Setenv("GONDOLA_TEST_PING", "https://example.net/x")
	f.Add([]byte(full))
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		f.Add(readFile(f, file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseFor("/c/c.yaml", data, false)
		if err != nil {
			return
		}
		once := effective(t, c)
		again, err := parseFor("/c/c.yaml", []byte(once), false)
		if err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if diff := cmp.Diff(withoutComments(once), withoutComments(effective(t, again))); diff != "" {
			t.Errorf("printed again (-once +twice):\n%s", diff)
		}
	})
}

// TestEffectiveMarksDefaults looks at some lines.
func TestEffectiveMarksDefaults(t *testing.T) {
	c := mustParse(t, "feeds:", "web: {listen: }\nsend: {promotions: {full: off}}\nfeeds:")
	got := effective(t, c)
	for _, want := range []string{
		SchemaLine + "\n# " + c.file.name + " as gondola understands it.\n\nchain:\n  id: 5c1e7f0a-2b34-4d6e-8f90-a1b2c3d4e5f6\n  brand: pedidosya # default\n",
		"\n  time_zone: America/Montevideo\n", "\n    name: '290056' # default\n", "\n    time_zone: America/Montevideo # default\n",
		"\n  password: env:" + testPassword + "\n", "\n  min_free: 500MB # default\n",
		"\n    match: ['*.csv', '*.tsv', '*.txt', '*.xlsx', '*.xlsm', '*.xls'] # default\n",
		"\n    full: 30 4 * * * # default\n", "\n    full: off\n", "\n  listen: off # default\n", "\n      column: Sucursal\n", "\n  price_change: 40% # default\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	for _, unset := range []string{"key:", "rules", "columns", "campaign", "api.tokens", "oauth", "template"} {
		if strings.Contains(got, unset+"\n") || strings.Contains(got, unset+" ") {
			t.Errorf("%s is not set and is there:\n%s", unset, got)
		}
	}
}

// TestEffectiveKeepsSecrets prints a config with secrets in it.
func TestEffectiveKeepsSecrets(t *testing.T) {
	const canary = "hunter2"
	c := mustParse(t, "env:"+testPassword, canary+"\n  key_passphrase: "+canary)
	data, err := json.Marshal(c.Effective())
	if err != nil {
		t.Fatal(err)
	}
	text := effective(t, c)
	if strings.Contains(text+string(data), canary) {
		t.Errorf("the secret is there:\n%s\n%s", text, data)
	}
	if !strings.Contains(text, "\n  password: <secret>\n") {
		t.Errorf("the masked secret is not there:\n%s", text)
	}
	again, err := Parse("c.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(withoutComments(text), withoutComments(effective(t, again))); diff != "" {
		t.Errorf("printed again (-once +twice):\n%s", diff)
	}
}

func TestEffectiveAsJSON(t *testing.T) {
	c := mustParse(t, "", "")
	data, err := json.Marshal(c.Effective())
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Config struct {
			SFTP struct {
				Port     int
				Password string
			}
			Brake struct {
				ApproveByFile *bool `json:"approve_by_file"`
				Deactivate    string
			}
			Feeds []struct{ Vendor struct{ Column string } }
		}
		Defaults []string
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	if got.Config.SFTP.Port != 22 || got.Config.SFTP.Password != "env:"+testPassword || got.Config.Brake.Deactivate != "20%" ||
		got.Config.Brake.ApproveByFile == nil || got.Config.Feeds[0].Vendor.Column != "Sucursal" {
		t.Errorf("%s", data)
	}
	if !slices.Contains(got.Defaults, "sftp.port") || slices.Contains(got.Defaults, "sftp.host") || !slices.Contains(got.Defaults, "feeds[0].match") {
		t.Errorf("defaults %q", got.Defaults)
	}
}

// TestNotationsAreWrittenAsTheyAreRead writes what was read and reads it again.
func TestNotationsAreWrittenAsTheyAreRead(t *testing.T) {
	for _, tc := range []struct {
		value textual
		texts []string
	}{
		{new(Rate), []string{"0%", "8%", "-5.5%", "-0.001%", "1000%"}},
		{new(VAT), []string{"+0%", "+22%", "-22%", "-0.5%"}},
		{new(Ending), []string{"off", ".9", ".0", ".05", ".999", "9", "990", "9.9", "12345"}},
		{new(Duration), []string{"0s", "90d", "1d12h", "1h30m", "500ms"}},
	} {
		for _, text := range tc.texts {
			v := reflect.New(reflect.TypeOf(tc.value).Elem())
			if err := v.Interface().(textual).parse(text); err != nil {
				t.Errorf("%s %q: %v", v.Type(), text, err)
			}
			if got := v.Elem().Interface().(interface{ String() string }).String(); got != text {
				t.Errorf("%s %q is written %q", v.Type(), text, got)
			}
		}
	}
}
