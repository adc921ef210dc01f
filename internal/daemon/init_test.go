package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/feed"
	"gondola/internal/report"
)

// starterNames are the catalogue's and the promotions' feed in each language.
var starterNames = map[string][2]string{
	report.Spanish:    {"catalogo", "promociones"},
	report.Portuguese: {"catalogo", "promocoes"},
	report.English:    {"catalogue", "promotions"},
}

// newInstallation runs Init and fills in what only the admin knows.
func newInstallation(t *testing.T, language string) (string, *setup) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if _, err := Init(dir, Installation{Language: language}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, configName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, fill := range [][2]string{
		{"  id: CHANGE-ME", "  id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3"},
		{"time_zone: CHANGE-ME", "time_zone: America/Montevideo"},
		{"- id: CHANGE-ME", `- id: "290056"`},
		{"name: CHANGE-ME", "name: Uno"},
		{"user: CHANGE-ME", "user: someone"},
		{"- CHANGE-ME", "- SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
	} {
		if !bytes.Contains(text, []byte(fill[0])) {
			t.Fatalf("the config has no %q to fill in:\n%s", fill[0], text)
		}
		text = bytes.Replace(text, []byte(fill[0]), []byte(fill[1]), 1)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GONDOLA_SFTP_PASSWORD", "secret")
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSetup(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return dir, s
}

// An untouched starter is read without a single issue under the config that came with it, also where articles go by barcode or the
// currency has no decimals.
func TestStartersAreReadWithoutIssues(t *testing.T) {
	for language, names := range starterNames {
		t.Run(language, func(t *testing.T) {
			dir, s := newInstallation(t, language)
			if got := s.feedNames(); !slices.Equal(got, names[:]) {
				t.Fatalf("feeds %v, want %v", got, names)
			}
			want := map[string][]string{
				names[0]: {"sku", "barcode", "price", "active", "quantity", "vendor"},
				names[1]: {
					"sku", "barcode", "campaign_name", "start_date", "end_date", "offer", "discounted_price", "campaign_status", "vendor",
				},
			}
			for _, name := range names {
				f, _ := s.feed(name)
				for _, by := range []catalog.IdentifyBy{catalog.BySKU, catalog.ByBarcode} {
					for _, decimals := range []int{0, 2} {
						spec := f.spec
						spec.By, spec.PriceDecimals = by, decimals
						starterReads(t, spec, filepath.Join(dir, name+starterSuffix), want[name])
					}
				}
			}
		})
	}
}

// starterReads converts a starter and looks that its one row and all of its columns but the one for people were understood.
func starterReads(t *testing.T, spec feed.Spec, path string, roles []string) {
	t.Helper()
	var records []feed.Record
	res, err := feed.Convert(t.Context(), spec, path, filepath.Base(path), func(r feed.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if res.Refused || len(res.Issues) > 0 || len(records) != 1 || records[0].Rejected {
		t.Errorf("%s by %s, %d decimals: refused %v, issues %+v, records %+v: want one record and no issue",
			filepath.Base(path), spec.By, spec.PriceDecimals, res.Refused, res.Issues, records)
	}
	var got []string
	for _, c := range res.Header.Columns {
		got = append(got, string(c.Role))
	}
	slices.Sort(got)
	slices.Sort(roles)
	if diff := cmp.Diff(roles, got); diff != "" {
		t.Errorf("%s: roles (-want +got):\n%s", filepath.Base(path), diff)
	}
}

// The examples must not be articles of anybody, whatever the chain identifies them by: the barcode is one of GS1's for examples, and
// the promotion was over before the starter existed.
func TestStarterExamplesHarmNobody(t *testing.T) {
	for language := range starterNames {
		w, err := readStarterWords(language)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []bookWords{w.Catalogue, w.Promotions} {
			if sku := b.Columns["sku"].Example; sku != "EJEMPLO-1" && sku != "EXEMPLO-1" && sku != "EXAMPLE-1" {
				t.Errorf("%s, %s: article %q could be a real one", language, b.Name, sku)
			}
			if code := b.Columns["barcode"].Example; !strings.HasPrefix(code, "952") {
				t.Errorf("%s, %s: barcode %q could be a real one", language, b.Name, code)
			}
		}
		if end := w.Promotions.Columns["end"].Example; end > "2026-05-08" {
			t.Errorf("%s: the example's promotion is on until %s", language, end)
		}
	}
}

func TestStarterGuidesNameTheirFolders(t *testing.T) {
	for language, names := range starterNames {
		w, err := readStarterWords(language)
		if err != nil {
			t.Fatal(err)
		}
		folders := report.FolderNames(language)
		for i, b := range []bookWords{w.Catalogue, w.Promotions} {
			columns := [][]starterColumn{catalogueColumns, promotionColumns}[i]
			var text strings.Builder
			for _, row := range w.guideSheet(b, columns, folders).Rows {
				for _, c := range row {
					text.WriteString(c.Text + "\n")
				}
			}
			for _, want := range []string{"drop/" + names[i], folders.Answers, folders.AnswerSuffix, b.Columns["barcode"].Header} {
				if !strings.Contains(text.String(), want) {
					t.Errorf("%s: the guide of %s does not say %q", language, b.Name, want)
				}
			}
			if strings.ContainsAny(text.String(), "{}") {
				t.Errorf("%s: the guide of %s has a name that nobody filled in:\n%s", language, b.Name, text.String())
			}
		}
	}
}

// A file that exists stops init before anything is written.
func TestInitOverwritesNothing(t *testing.T) {
	for _, name := range []string{configName, "catalogo.xlsx", "promociones.xlsx"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Init(dir, Installation{Language: report.Spanish}); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("with %s: error %v", name, err)
		}
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != "mine" {
			t.Errorf("%s is now %q, %v", name, data, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("beside %s there are now %v, %v", name, entries, err)
		}
	}
}

func TestInitMakesTheSameFilesEverywhere(t *testing.T) {
	for language, names := range starterNames {
		first, second := t.TempDir(), t.TempDir()
		made, err := Init(first, Installation{Language: language})
		if err != nil {
			t.Fatal(err)
		}
		sep := string(filepath.Separator)
		want := []string{
			filepath.Join("drop", names[0]) + sep, filepath.Join("drop", names[1]) + sep,
			configName, config.SchemaName,
			filepath.Join("drop", names[0], report.FolderNames(language).Guide), names[0] + starterSuffix,
			filepath.Join("drop", names[1], report.FolderNames(language).Guide), names[1] + starterSuffix,
		}
		if !slices.Equal(made, want) {
			t.Errorf("%s: made %q, want %q", language, made, want)
		}
		if _, err := Init(second, Installation{Language: language}); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(first, configName)); err != nil || !bytes.HasPrefix(text, []byte(config.SchemaLine+"\n")) {
			t.Errorf("%s: the config's first line does not name the schema (%v):\n%.100s", language, err, text)
		}
		if text, err := os.ReadFile(filepath.Join(first, config.SchemaName)); err != nil || !bytes.Equal(text, config.Schema()) {
			t.Errorf("%s: the schema beside it is not that of the program (%v)", language, err)
		}
		for _, name := range want[2:] {
			a, errA := os.ReadFile(filepath.Join(first, name))
			b, errB := os.ReadFile(filepath.Join(second, name))
			if errA != nil || errB != nil || !bytes.Equal(a, b) {
				t.Errorf("%s: %s differs from one time to the next (%v, %v)", language, name, errA, errB)
			}
		}
	}
}

// TestSchemaTakesWhatInitWrites validates what init writes as an editor does: whole, it is right; what is to be filled in is not.
func TestSchemaTakesWhatInitWrites(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(config.SchemaName, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(config.SchemaName)
	if err != nil {
		t.Fatal(err)
	}
	whole := fullInstallation()
	open := whole
	open.HostKeys = nil
	for _, tt := range []struct {
		name string
		in   Installation
		ok   bool
	}{{"nothing known", Installation{Language: report.Spanish}, false}, {"no host key", open, false}, {"whole", whole, true}} {
		w, err := readStarterWords(tt.in.Language)
		if err != nil {
			t.Fatal(err)
		}
		text, err := tt.in.config(w)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := yaml.Unmarshal(text, &value); err != nil {
			t.Fatalf("%s: %v\n%s", tt.name, err, text)
		}
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if value, err = jsonschema.UnmarshalJSON(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if problem := schema.Validate(value); (problem == nil) != tt.ok {
			t.Errorf("%s: %v\n%s", tt.name, problem, text)
		}
	}
}

// fullInstallation has everything that can be told, with texts that YAML would misread.
func fullInstallation() Installation {
	return Installation{
		Language: report.Portuguese, Brand: "talabat", ChainID: "7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3", TimeZone: "America/Port-au-Prince",
		IdentifyBy: "barcode", PriceDecimals: NoDecimals, Host: "sftp.example", Port: 2022, User: "no", Password: "file:password", Secret: "x: y",
		HostKeys: []string{"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		Stores: []config.Vendor{
			{ID: "290056", Name: "Loja: nova #1", ERPCode: "001"}, {ID: "7e9", Name: `"Ao" 'lado'`}, {ID: "null", Name: "\u00a0\t{x}", ERPCode: "0x1F"},
		},
		Feeds: []Draft{{
			Sample: "a\n# b: c.csv", Doubts: []Doubt{{Field: "price", What: doubtColumn, Headers: []string{"Preço\nfeeds: []", "PVP"}}},
			Feed: config.Feed{
				Name: "precos", Kind: "catalog", Drop: "drop/precos", Export: "full", Vendor: config.VendorSource{FileName: `^stock \'(?P<id>[a-z]+)`},
				Columns: map[string]config.Column{"sku": {From: "- Cód: #"}, "price": {Decimal: "comma"}},
			},
		}},
	}
}

// TestConfigSaysWhatWasTold reads back every text that was told.
func TestConfigSaysWhatWasTold(t *testing.T) {
	in := fullInstallation()
	dir := t.TempDir()
	if _, err := Init(dir, in); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(filepath.Join(dir, configName))
	if err != nil {
		t.Fatal(err)
	}
	if problems := Check(cfg); len(problems) > 0 {
		t.Error(problems)
	}
	if secret, err := cfg.SFTP.Password.Value(); err != nil || secret != in.Secret {
		t.Errorf("the password is %q, %v", secret, err)
	}
	if info, err := os.Stat(filepath.Join(dir, PasswordName)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info, err)
	}
	c, f := cfg.Chain, cfg.Feeds[0]
	got := []any{c.Brand, c.ID, c.TimeZone, c.IdentifyBy, c.PriceDecimals, cfg.SFTP.Host, cfg.SFTP.Port, cfg.SFTP.User, cfg.SFTP.HostKeys}
	want := []any{in.Brand, in.ChainID, in.TimeZone, in.IdentifyBy, 0, in.Host, in.Port, in.User, in.HostKeys}
	for i, s := range in.Stores {
		got = append(got, cfg.Vendors[i].ID, cfg.Vendors[i].Name, cfg.Vendors[i].ERPCode)
		want = append(want, s.ID, s.Name, s.ERPCode)
	}
	got, want = append(got, f.Export, f.Vendor, f.Columns), append(want, "full", in.Feeds[0].Vendor, in.Feeds[0].Columns)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-told +read):\n%s", diff)
	}
}

// TestInitLeavesNothingBehind ends in the middle: what was made is gone again, and what was there before stays.
func TestInitLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	// A file where a drop folder has to be.
	if err := os.WriteFile(filepath.Join(dir, "drop"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if made, err := Init(dir, Installation{Language: report.Spanish}); err == nil || made != nil {
		t.Errorf("made %v, %v", made, err)
	}
	// A folder where the last file has to be, which is found only when it is written.
	other := t.TempDir()
	w, err := readStarterWords(report.Spanish)
	if err != nil {
		t.Fatal(err)
	}
	in := Installation{Language: report.Spanish, Feeds: []Draft{{Sample: "x.csv", Feed: config.Feed{
		Name: "x", Kind: "catalog", Drop: "deep/er/x", Export: "full", Vendor: config.VendorSource{All: true},
	}}}}
	if _, err := in.config(w); err != nil {
		t.Fatal(err)
	}
	in.Feeds = append(in.Feeds, Draft{Sample: "y.csv", Feed: config.Feed{Name: "y", Kind: "catalog", Drop: "deep/er/x/" + report.FolderNames("es").Guide}})
	if made, err := Init(other, in); err == nil || made != nil {
		t.Errorf("made %v, %v", made, err)
	}
	for _, folder := range []string{dir, other} {
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].Name() != "drop" {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	}
}
