package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// minimal is the smallest good config; tests replace parts of it.
func minimal(t testing.TB) string {
	t.Helper()
	return string(readFile(t, "testdata/good/minimal.yaml"))
}

// parse reads the minimal config with old replaced by new, as if it lay in dir.
func parse(t *testing.T, dir, old, replacement string) (*Config, error) {
	t.Helper()
	t.Setenv(testPassword, "x")
	text := minimal(t)
	if !strings.Contains(text, old) {
		t.Fatalf("the minimal config has no %q", old)
	}
	return Parse(filepath.Join(dir, "c.yaml"), []byte(strings.Replace(text, old, replacement, 1)))
}

func mustParse(t *testing.T, old, replacement string) *Config {
	t.Helper()
	c, err := parse(t, t.TempDir(), old, replacement)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := mustParse(t, "", "")
	wantVendors := []Vendor{
		{ID: "290056", Name: "290056", ERPCode: "001", TimeZone: "America/Montevideo"},
		{ID: "norte-2", Name: "norte-2", ERPCode: "002", TimeZone: "America/Montevideo"},
	}
	if diff := cmp.Diff(wantVendors, c.Vendors); diff != "" {
		t.Errorf("vendors (-want +got):\n%s", diff)
	}
	f := c.Feeds[0]
	f.Drop = ""
	wantFeed := Feed{
		Name: "precios", Kind: "catalog", Export: "partial", Missing: "keep", Encoding: "auto", InStore: "refuse",
		Match: DefaultMatch(), Vendor: VendorSource{Column: "Sucursal"}, Expect: Expect{Days: Workdays()},
	}
	if diff := cmp.Diff(wantFeed, f); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}
	day := 24 * Duration(time.Hour)
	if want := (Retention{Drops: 90 * day, Layers: 90 * day, Ledger: 730 * day, Orders: 60 * day}); c.Retention != want {
		t.Errorf("retention %+v, want %+v", c.Retention, want)
	}
	want := Brake{
		Deactivate: 0.2, Shrink: 0.3, NewArticles: 0.5, EqualPrices: 0.9, MinRows: 50, PriceChange: 0.4, SameFactor: 0.6, Discount: 0.7,
		UnknownArticles: "hold", Approval: Duration(4 * time.Hour), FirstPush: FirstPush{Deactivate: 0.8},
	}
	if c.Brake != want {
		t.Errorf("brake %+v, want %+v", c.Brake, want)
	}
	if c.SFTP.Port != 22 || c.SFTP.Prefix != "gondola" || c.SFTP.Folders.Catalog != "catalog" || c.SFTP.Key != "" {
		t.Errorf("sftp %+v", c.SFTP)
	}
}

func TestEmptySectionsKeepDefaults(t *testing.T) {
	c := mustParse(t, "feeds:", "brake:\nstate: ~\nsend: {catalog: }\ndrops: {scan: }\nfeeds:")
	want := defaults()
	if c.Brake != want.Brake || c.State.MinFree != want.State.MinFree || !reflect.DeepEqual(c.Send, want.Send) || c.Drops != want.Drops {
		t.Errorf("defaults were lost: %+v", c)
	}
}

func TestElementDefaultsAreNotShared(t *testing.T) {
	c := mustParse(t, "feeds:", "feeds:\n  - {name: a, drop: a, vendor: all, export: full, match: [x]}\n  - {name: b, drop: b, vendor: all}")
	if c.Feeds[1].Export != "partial" || len(c.Feeds[1].Match) != len(DefaultMatch()) {
		t.Errorf("the second feed has %q and %v of the first", c.Feeds[1].Export, c.Feeds[1].Match)
	}
}

func TestFullOff(t *testing.T) {
	for written, want := range map[string]string{"off": "", `"off"`: "", `""`: "", "": DefaultFull, `"0 3 * * *"`: "0 3 * * *"} {
		c := mustParse(t, "feeds:", "send: {catalog: {full: "+written+"}}\nfeeds:")
		if c.Send.Catalog.Full != want {
			t.Errorf("full: %s became %q, want %q", written, c.Send.Catalog.Full, want)
		}
	}
}

func TestUnions(t *testing.T) {
	for written, want := range map[string]VendorSource{
		"all":                            {All: true},
		`"all"`:                          {All: true},
		"{all: true}":                    {All: true},
		"{column: Tienda}":               {Column: "Tienda"},
		"{ids: [290056, norte-2]}":       {IDs: []string{"290056", "norte-2"}},
		`{file_name: "(?P<id>[a-z]+)"}`:  {FileName: "(?P<id>[a-z]+)"},
		"{all: false, column: Sucursal}": {Column: "Sucursal"},
	} {
		c := mustParse(t, "{column: Sucursal}", written)
		if diff := cmp.Diff(want, c.Feeds[0].Vendor); diff != "" {
			t.Errorf("vendor: %s (-want +got):\n%s", written, diff)
		}
	}
	c := mustParse(t, "{column: Sucursal}", "all\n    columns: {price: Precio, sku: {from: Código}, active: }")
	want := map[string]Column{"price": {From: "Precio"}, "sku": {From: "Código"}, "active": {}}
	if diff := cmp.Diff(want, c.Feeds[0].Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestTextIsTakenAsWritten(t *testing.T) {
	for _, written := range []string{"0012", "1e5", "0x10", "1_000", "2024-01-02", "true", "1.50", "no", ".5", "Ñ-1"} {
		c := mustParse(t, `"001"`, written)
		if got := c.Vendors[0].ERPCode; got != written {
			t.Errorf("erp_code: %s became %q", written, got)
		}
	}
}

func TestPathsCountFromTheFile(t *testing.T) {
	dir := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "x")
	c, err := parse(t, dir, "  user:", "  key: keys/id\n  known_hosts: "+elsewhere+"\n  user:")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.State.Dir, c.SFTP.Key, c.SFTP.KnownHosts, c.Feeds[0].Drop}
	want := []string{filepath.Join(dir, "state"), filepath.Join(dir, "keys", "id"), elsewhere, filepath.Join(dir, "drop", "precios")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestRelativeFileNameStillGivesAbsolutePaths(t *testing.T) {
	t.Setenv(testPassword, "x")
	t.Chdir(t.TempDir())
	c, err := Parse("c.yaml", []byte(strings.Replace(minimal2, "DROP", "in", 1)))
	if err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(wd, "in"); c.Feeds[0].Drop != want {
		t.Errorf("drop %q, want %q", c.Feeds[0].Drop, want)
	}
}

// minimal2 is a config for tests that leave the package's folder; the login is a key, as it may be.
const minimal2 = `
chain: {id: 5c1e7f0a-2b34-4d6e-8f90-a1b2c3d4e5f6, time_zone: UTC}
vendors: [{id: a}]
sftp: {host: sftp.example.net, user: u, key: id, known_hosts: kh}
feeds: [{name: f, drop: DROP, vendor: all}]
`

func TestDigest(t *testing.T) {
	c := mustParse(t, "", "")
	sum := sha256.Sum256([]byte(minimal(t)))
	if want := hex.EncodeToString(sum[:]); c.Digest != want {
		t.Errorf("digest %s, want %s", c.Digest, want)
	}
}

func TestLoadSaysWhatToDo(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	_, err := Load(missing)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Base(missing)) || !strings.Contains(err.Error(), "gondola init DIR") {
		t.Errorf("missing file: %v", err)
	}
	var ps *Problems
	if errors.As(err, &ps) {
		t.Error("a file that can't be read is no problem in the file")
	}
	if _, err := Load(t.TempDir()); err == nil || strings.Contains(err.Error(), "gondola init") {
		t.Errorf("folder: %v", err)
	}
}

func TestProblemsAreFoundByType(t *testing.T) {
	_, err := parse(t, t.TempDir(), "sftp.example.net", "a b")
	var ps *Problems
	var p Problem
	if !errors.As(err, &ps) || !errors.As(err, &p) {
		t.Fatalf("%T is not *Problems of Problem", err)
	}
	var value Problems
	if !errors.As(err, &value) || len(value) != 1 {
		t.Errorf("not found as a value: %v", value)
	}
	if !errors.As(fmt.Errorf("check: %w", value), &ps) {
		t.Error("a value is not found as a pointer")
	}
	want := Problem{
		File: p.File, Line: 6, Column: 9, Path: "sftp.host", Text: "a b",
		Message: `want the host's name alone, found "a b"; remove what stands around it`,
		Excerpt: &Excerpt{Text: "  host: a b", Column: 9, Length: 3},
	}
	if diff := cmp.Diff(Problems{want}, *ps); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestUnknownKeyCarriesChoices(t *testing.T) {
	_, err := parse(t, t.TempDir(), "erp_code", "erp-code")
	var p Problem
	if !errors.As(err, &p) {
		t.Fatalf("no problem: %v", err)
	}
	want := Problem{
		File: p.File, Line: 3, Column: 20, Path: "vendors[0].erp-code", Text: "erp-code", Message: `unknown key "erp-code"`,
		Choices: []string{"erp_code", "id", "name", "time_zone"}, Suggest: "erp_code",
		Excerpt: &Excerpt{Text: `  - {id: "290056", erp-code: …}`, Column: 20, Length: 8},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("problem (-want +got):\n%s", diff)
	}
}

func TestHugeFiles(t *testing.T) {
	if _, err := Parse("c.yaml", make([]byte, maxFile+1)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("large file: %v", err)
	}
	// One list of a thousand patterns, used by ten thousand feeds.
	bomb := "feeds:\n- match: &m [" + strings.Repeat("a,", 1000) + "]\n" + strings.Repeat("- match: *m\n", 10_000)
	if _, err := Parse("c.yaml", []byte(bomb)); err == nil || !strings.Contains(err.Error(), "remove the nested aliases") {
		t.Error("a file that unfolds to ten million values was read")
	}
}

// TestByteOrderMarks reads a config that was saved by editors which put a mark in front of it.
func TestByteOrderMarks(t *testing.T) {
	utf16 := []byte{0xff, 0xfe}
	for _, r := range minimal2 {
		utf16 = append(utf16, byte(r), 0)
	}
	for name, data := range map[string][]byte{"UTF-8": []byte("\ufeff" + minimal2), "UTF-16": utf16} {
		if _, err := Parse("c.yaml", data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Setenv(testPassword, "x")
	for _, pattern := range []string{"testdata/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds: %v", err)
		}
		for _, file := range files {
			f.Add(readFile(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("c.yaml", data)
		if (c == nil) != (err != nil) {
			t.Fatalf("config %v and error %v", c, err)
		}
		if c != nil {
			return
		}
		var ps *Problems
		if !errors.As(err, &ps) || len(*ps) == 0 {
			t.Fatalf("%T instead of problems", err)
		}
		// YAML 1.1 ends lines in more ways than editors do.
		breaks := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")
		lines := strings.Count(breaks.Replace(string(data)), "\n") + 1
		for _, p := range *ps {
			if utf16 := strings.Contains(string(data[:min(len(data), 2)]), "\xff"); utf16 {
				lines = len(data)
			}
			if e := p.Excerpt; e != nil && (e.Column < 1 || e.Length < 1 && e.Text != "" || e.Column+e.Length > len([]rune(e.Text))+1) {
				t.Errorf("excerpt %+v", *e)
			}
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Column > len(data)+1 || p.Message == "" {
				t.Errorf("%d lines, problem %+v", lines, p)
			}
		}
	})
}
