package config

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// compiled returns the embedded schema, ready to be asked.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(SchemaName, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(SchemaName)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask validates a YAML text, as an editor does. ok is false where it is no YAML at all.
func ask(t *testing.T, s *jsonschema.Schema, text []byte) (problem error, ok bool) {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, false
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value), true
}

// TestSchemaTakesWhatIsRight validates the example and every good file.
func TestSchemaTakesWhatIsRight(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d good files: %v", len(files), err)
	}
	for _, file := range append(files, examplePath) {
		if problem, ok := ask(t, s, readFile(t, file)); problem != nil || !ok {
			t.Errorf("%s: %v", file, problem)
		}
	}
}

// blind are the mistakes that no schema can see: they are about several values, files, ranges of what has a notation, or YAML itself.
var blind = []string{
	"drop-in-state", "drop-nested", "drop-same-folder", "feed-deactivate-needs-full", "feed-file-name-group", "feed-file-name-regexp",
	"feed-name-twice", "feed-promotion-keys", "feed-vendor-unknown-id", "home-path", "orders-no-secret", "password-env-missing",
	"password-file-is-folder", "password-file-missing", "rules-contradictions", "rules-promotions", "rules-stores", "second-document",
	"send-chain-single", "send-chain", "sftp-folder", "sftp-missing", "state-in-drop", "tag", "time-zone", "vendor-erp-code-is-id",
	"vendor-erp-code-twice", "vendor-id-twice", "web-open",
}

// TestSchemaSeesMistakes gives the schema the files that Parse refuses. One that it takes must be known to be beyond it.
func TestSchemaSeesMistakes(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	var taken []string
	for _, file := range files {
		if problem, ok := ask(t, s, readFile(t, file)); problem == nil && ok {
			taken = append(taken, strings.TrimSuffix(filepath.Base(file), ".yaml"))
		}
	}
	if !slices.Equal(taken, blind) {
		t.Errorf("the schema takes\n%q\nwant\n%q", taken, blind)
	}
}

// TestSchemaKnowsNotations holds the schema's patterns against those who read the values.
func TestSchemaKnowsNotations(t *testing.T) {
	s := compiled(t)
	texts := []string{
		"", "0", "1", "9", "-1", "90", "990", "0.10", ".90", "0.90", "99.90", "99.9999", "1234567890", "off", "on", "abc", "0s", "30s", "1.5h",
		".5h", "2h30m", "90d", "1d12h", "1d12", "d", "12", "500ms", "-3s", "+3s", "3 s", "500MB", "500 mb", "64KiB", "64kib", "5B", "MB", "1.5GB",
		"20%", "12.5%", "0%", "100%", "101%", "1000%", "1001%", "-5%", "+22%", "-22%", "-100%", "+99.9%", "8%", "8.1234%", "20 %", "%", ".5%", "50.", "050",
	}
	for typ, where := range map[reflect.Type]string{
		reflect.TypeFor[Duration](): "brake:\n  approval", reflect.TypeFor[Size](): "state:\n  min_free",
		reflect.TypeFor[Percent](): "brake:\n  shrink", reflect.TypeFor[Limit](): "brake:\n  discount",
	} {
		for _, text := range texts {
			err := reflect.New(typ).Interface().(textual).parse(text)
			problem, _ := ask(t, s, []byte(minimal(t)+"\n"+where+": "+quoteYAML(text)+"\n"))
			if (err == nil) != (problem == nil) {
				t.Errorf("%s %q: read with %v, validated with %v", typ, text, err, problem)
			}
		}
	}
	for typ, key := range map[reflect.Type]string{
		reflect.TypeFor[Rate](): "markup", reflect.TypeFor[VAT](): "vat", reflect.TypeFor[Amount](): "floor", reflect.TypeFor[Ending](): "ending",
	} {
		for _, text := range texts {
			err := reflect.New(typ).Interface().(textual).parse(text)
			config := strings.Replace(minimal(t), "vendor: {column: Sucursal}", "vendor: {column: Sucursal}\n    rules: {price: {"+key+": "+quoteYAML(text)+"}}", 1)
			problem, ok := ask(t, s, []byte(config))
			if !ok || (err == nil) != (problem == nil) {
				t.Errorf("%s %q: read with %v, validated with %v", typ, text, err, problem)
			}
		}
	}
}

// TestSchemaKnowsOrderStates: they are offered as the platform spells them, and taken as the program takes them.
func TestSchemaKnowsOrderStates(t *testing.T) {
	s := compiled(t)
	for state, good := range map[string]bool{"CANCELLED": true, "ready_for_pickup": true, "READY": false, "1": false} {
		problem, _ := ask(t, s, []byte(minimal(t)+"\norders: {export: {dir: out, on: ["+state+"]}}\n"))
		if (problem == nil) != good {
			t.Errorf("%s: %v", state, problem)
		}
	}
}

// TestExampleNamesSchema holds the first line of the example to its promise. The schema lies here, where it is embedded, and not beside the
// example as it lies beside every config that init writes.
func TestExampleNamesSchema(t *testing.T) {
	first, _, _ := strings.Cut(string(readFile(t, examplePath)), "\n")
	name, ok := strings.CutPrefix(first, strings.TrimSuffix(SchemaLine, SchemaName))
	if !ok || filepath.Base(name) != SchemaName {
		t.Fatalf("the example begins with %q, want the line %q with the way to the schema", first, SchemaLine)
	}
	if !bytes.Equal(readFile(t, filepath.Join(filepath.Dir(examplePath), filepath.FromSlash(name))), Schema()) {
		t.Errorf("%s is another schema than that of the program", name)
	}
}
