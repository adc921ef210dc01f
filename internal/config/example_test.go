package config

import (
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const examplePath = "../../config.example.yaml"

func loadExample(t *testing.T) *Config {
	t.Helper()
	t.Setenv("GONDOLA_SFTP_PASSWORD", "x")
	c, err := Load(examplePath)
	if err != nil {
		t.Fatalf("the example has problems:\n%v", err)
	}
	return c
}

func TestExampleLoads(t *testing.T) {
	c := loadExample(t)
	if len(c.Warnings) != 0 {
		t.Errorf("warnings:\n%v", Problems(c.Warnings))
	}
	if len(c.Vendors) != 3 || len(c.Feeds) != 3 {
		t.Errorf("%d stores and %d feeds, want 3 and 3", len(c.Vendors), len(c.Feeds))
	}
	if want, _ := filepath.Abs("../../drop/precios"); c.Feeds[0].Drop != want {
		t.Errorf("drop folder %q, want %q", c.Feeds[0].Drop, want)
	}
}

// TestExampleShowsDefaults holds the example to its promise that optional values in it are the defaults.
func TestExampleShowsDefaults(t *testing.T) {
	c, want := loadExample(t), defaults()
	c.Orders.Webhook.Secrets, c.Orders.Webhook.TrustedProxies = nil, nil
	c.Web.Hosts, c.Web.Users = nil, nil
	c.State.Dir, _ = filepath.Rel(filepath.Dir(mustAbs(t, examplePath)), c.State.Dir)
	c.Chain.ID, c.Chain.TimeZone = "", ""
	c.SFTP.Host, c.SFTP.User, c.SFTP.Password, c.SFTP.HostKeys = "", "", Secret{}, nil
	for _, section := range []struct{ got, want any }{
		{c.Chain, want.Chain},
		{c.State, want.State},
		{c.Retention, want.Retention},
		{c.SFTP, want.SFTP},
		{c.Drops, want.Drops},
		{c.Send, want.Send},
		{c.Brake, want.Brake},
		{len(c.Alerts), len(want.Alerts)},
		{c.AlertsAfter, want.AlertsAfter},
		{c.Web, want.Web},
		{c.API, want.API},
		{c.Orders, want.Orders},
		{c.Audit, want.Audit},
	} {
		if !reflect.DeepEqual(section.got, section.want) {
			t.Errorf("the example has %+v, the defaults are %+v", section.got, section.want)
		}
	}
	if !strings.Contains(string(readFile(t, examplePath)), `Default ["`+strings.Join(DefaultMatch(), `", "`)+`"]`) {
		t.Error("the default of feeds[].match is not in the example")
	}
}

// TestExampleNamesEveryKey walks the structs: what can be written in the file is in the example, as a value, or in a comment where
// it excludes another value.
func TestExampleNamesEveryKey(t *testing.T) {
	c := loadExample(t)
	used := map[string]bool{}
	index, column := regexp.MustCompile(`\[\d+\]`), regexp.MustCompile(`\.columns\.\w+`)
	rules := "feeds[].rules."
	for path := range c.file.at {
		// What can be said of one column can be said of any.
		path = column.ReplaceAllString(index.ReplaceAllString(path, "[]"), ".columns.price")
		used[path] = true
		if key, ok := strings.CutPrefix(path, rules); ok { // and what of all stores, of one
			used[rules+"stores.price."+key] = true
		}
	}
	var comments []string
	for line := range strings.Lines(string(readFile(t, examplePath))) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok {
			comments = append(comments, text)
		}
	}
	paths := keyPaths(reflect.TypeFor[Config](), "")
	if len(paths) < 50 {
		t.Fatalf("only %d keys were found in the structs", len(paths))
	}
	for _, path := range paths {
		key := regexp.MustCompile(`\b` + path[strings.LastIndex(path, ".")+1:] + `:`)
		if !used[path] && !key.MatchString(strings.Join(comments, "\n")) {
			t.Errorf("the example does not name %s", path)
		}
	}
}

// keyPaths lists the paths of all keys below t. It fails on a type that the decoder does not know.
func keyPaths(t reflect.Type, parent string) []string {
	var paths []string
	for f := range t.Fields() {
		key := f.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		path, typ := join(parent, key), f.Type
		paths = append(paths, path)
		switch typ.Kind() {
		case reflect.Slice:
			path, typ = path+"[]", typ.Elem()
		case reflect.Map:
			path, typ = path+".price", typ.Elem()
		}
		if typ.Kind() == reflect.Struct && typ != reflect.TypeFor[Secret]() {
			paths = append(paths, keyPaths(typ, path)...)
		}
	}
	return paths
}

// TestEveryKindIsDecoded writes a list where each key wants something else: a kind of value that the decoder passes over in
// silence shows as a missing problem.
func TestEveryKindIsDecoded(t *testing.T) {
	for _, path := range keyPaths(reflect.TypeFor[Config](), "") {
		if strings.Contains(path, "[]") || strings.Contains(path, "host_keys") || path == "send.exclude" || strings.HasPrefix(path, "orders.") && slices.Contains([]string{"secrets", "trusted_proxies", "on"}, path[strings.LastIndex(path, ".")+1:]) || slices.Contains([]string{"web.hosts", "web.open", "web.users"}, path) || path == "vendors" || path == "feeds" || path == "alerts" {
			continue
		}
		yaml, indent := "", ""
		for key := range strings.SplitSeq(path, ".") {
			yaml += "\n" + indent + key + ":"
			indent += "  "
		}
		_, err := Parse("c.yaml", []byte(yaml+" [[x]]\n"))
		if err == nil || !strings.Contains(err.Error(), path+": want ") {
			t.Errorf("%s: a list was taken: %v", path, err)
		}
	}
}

func TestExampleUsesShortAndLongForms(t *testing.T) {
	c := loadExample(t)
	want := map[string]Column{"sku": {From: "Cód. Artículo"}, "price": {From: "Precio c/IVA", Decimal: "comma"}}
	if diff := cmp.Diff(want, c.Feeds[0].Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	wantVendor := VendorSource{FileName: `^stock_(?P<erp_code>\d+)`}
	if diff := cmp.Diff(wantVendor, c.Feeds[1].Vendor); diff != "" {
		t.Errorf("vendor (-want +got):\n%s", diff)
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
