package daemon

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gondola/internal/config"
	"gondola/internal/report"
)

// newInterviewed returns what init knows of the chain of a config before it sees an export.
func newInterviewed(cfg *config.Config) Installation {
	return Installation{
		Language: cfg.Chain.Language, Brand: cfg.Chain.Brand, ChainID: cfg.Chain.ID, TimeZone: cfg.Chain.TimeZone, Stores: cfg.Vendors,
		User: "someone", Password: "env:GONDOLA_CASE_PASSWORD", HostKeys: cfg.SFTP.HostKeys,
	}
}

// answered drafts a feed for a sample as somebody does who knows what stands in the config of the case: doubts are decided as it does.
func answered(t *testing.T, in *Installation, sample string, known config.Feed) Draft {
	t.Helper()
	d, _, err := in.Draft(t.Context(), sample)
	if err != nil {
		t.Fatal(err)
	}
	d.Export = known.Export
	for range 5 {
		if len(d.Doubts) == 0 {
			break
		}
		switch doubt := d.Doubts[0]; {
		case doubt.What == doubtDate:
			d.SetReading(doubt, "day-first")
		case doubt.What == doubtDecimal:
			d.SetReading(doubt, "comma")
		case doubt.Field == "vendor":
			d.Vendor = known.Vendor
		default:
			if err := d.SetColumn(doubt.Field, doubt.Headers[0]); err != nil {
				t.Fatal(err)
			}
		}
		if d, _, err = in.Look(t.Context(), d, sample); err != nil {
			t.Fatal(err)
		}
	}
	in.IdentifyBy = in.Identify(d)
	in.Feeds = append(in.Feeds, d)
	return d
}

// written makes the installation and returns its config as it is loaded: not a problem may be left.
func written(t *testing.T, in Installation) (string, *config.Config) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if _, err := Init(dir, in); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, configName)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(name)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if problems := Check(cfg); len(problems) > 0 || len(cfg.Warnings) > 0 {
		t.Errorf("problems %v, warnings %v:\n%s", problems, cfg.Warnings, text)
	}
	if strings.Contains(string(text), unknown) || !strings.HasPrefix(string(text), config.SchemaLine+"\n") {
		t.Errorf("the config is not whole, or does not name its schema:\n%s", text)
	}
	return dir, cfg
}

// TestDraftsMakeTheDocumentsOfTheCases gives init the exports of cases, whose configs were written by hand, and wants the same bytes on the
// platform. The config is the one that init writes, without a change.
func TestDraftsMakeTheDocumentsOfTheCases(t *testing.T) {
	for _, name := range []string{
		"barcode-identifier", "decimal-ambiguous", "decimal-comma-proved", "header-below-titles", "promo-bundles-in-words",
		"quoted-cells", "sep-line", "utf16-tab", "vendor-fixed-ids", "windows-1252-semicolon", "xlsx-padded-barcodes", "xlsx-sheet-by-header",
		"active-words", "full-first-push", "sku-as-text-formula", "store-code-lost-zeros", "maximum-sales-quantity",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("..", "..", "testdata", "cases", name)
			known, err := config.Look(filepath.Join(dir, configName))
			if err != nil {
				t.Fatal(err)
			}
			samples, err := filepath.Glob(filepath.Join(dir, "1", "drop", "*", "*"))
			if err != nil || len(samples) != 1 {
				t.Fatalf("samples %v, %v: want one", samples, err)
			}
			in := newInterviewed(known)
			d := answered(t, &in, samples[0], known.Feeds[0])
			_, cfg := written(t, in)
			found, err := Inspect(t.Context(), InspectAs{Config: cfg, Feed: d.Name}, samples[0])
			if err != nil || found.Refused || found.Records == 0 {
				t.Errorf("inspected: %+v, %v", found, err)
			}
			out := t.TempDir()
			converted, err := Convert(t.Context(), cfg, d.Name, samples[0], out)
			if err != nil || converted.Rejected || len(converted.Documents) == 0 {
				t.Fatalf("converted: %+v, %v", converted, err)
			}
			if name == "decimal-ambiguous" {
				return // that nobody decided there is what the case is about
			}
			for _, doc := range converted.Documents {
				at := path.Join(doc.Folder, doc.Name)
				got, errGot := os.ReadFile(filepath.Join(out, filepath.FromSlash(at)))
				want, errWant := os.ReadFile(filepath.Join(dir, "1", "put", filepath.FromSlash(at)))
				if errGot != nil || errWant != nil || string(got) != string(want) {
					t.Errorf("%s is\n%swant\n%s%v %v", at, got, want, errGot, errWant)
				}
			}
		})
	}
}

// TestDraftsOfTheDemo makes one config of all of the demo's exports.
func TestDraftsOfTheDemo(t *testing.T) {
	demo := filepath.Join("..", "..", "testdata", "demo")
	in := Installation{
		Language: report.Spanish, ChainID: "7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3", TimeZone: "America/Montevideo", User: "someone",
		Password: "env:GONDOLA_CASE_PASSWORD", HostKeys: []string{"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		Stores: []config.Vendor{
			{ID: "290056", Name: "Centro", ERPCode: "001"}, {ID: "290057", Name: "Puerto", ERPCode: "002"}, {ID: "s8ym", Name: "Cordón", ERPCode: "003"},
		},
	}
	for _, file := range []string{"precios.csv", "stock_001.csv", "promociones.xlsx"} {
		if d := answered(t, &in, filepath.Join(demo, file), config.Feed{Export: "partial"}); len(d.Doubts) > 0 {
			t.Errorf("%s: doubts %v", file, d.Doubts)
		}
	}
	_, cfg := written(t, in)
	var names []string
	for _, f := range cfg.Feeds {
		names = append(names, f.Name)
	}
	if want := []string{"precios", "stock", "promociones"}; !slices.Equal(names, want) {
		t.Errorf("feeds %v, want %v", names, want)
	}
	// The second store's stock has other headers than the sample, so it is not for this feed.
	for file, feed := range map[string]string{
		"precios.csv": "precios", "stock_001.csv": "stock", "stock_003.csv": "stock", "promociones.xlsx": "promociones",
	} {
		converted, err := Convert(t.Context(), cfg, feed, filepath.Join(demo, file), t.TempDir())
		if err != nil || converted.Rejected || converted.Records == 0 {
			t.Errorf("%s: %d records, rejected %v, %v", file, converted.Records, converted.Rejected, err)
		}
	}
}
