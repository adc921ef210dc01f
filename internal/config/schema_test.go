package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v4"

	"gondola/internal/order"
	"gondola/internal/platform"
)

const schemaPath = SchemaName

// TestSchemaIsCurrent makes the schema anew: types, defaults, choices and words are those of the code and of the example.
func TestSchemaIsCurrent(t *testing.T) {
	got := makeSchema(t)
	if *update {
		if err := os.WriteFile(schemaPath, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, schemaPath)), string(got)); diff != "" {
		t.Errorf("the schema is not that of the config any more; go test ./internal/config -run Schema -update (-file +made):\n%s", diff)
	}
}

// makeSchema reflects the types and adds what they don't say.
func makeSchema(t *testing.T) []byte {
	t.Helper()
	m := schemaMaker{t: t, says: exampleComments(t), base: probeBase(t)}
	r := jsonschema.Reflector{
		FieldNameTag: "yaml", Anonymous: true, DoNotReference: true, RequiredFromJSONSchemaTags: true, Mapper: m.leaf,
	}
	if err := r.AddGoComments("gondola/internal/config", "."); err != nil {
		t.Fatal(err)
	}
	// The reflector knows packages by their folders, which here is this one.
	r.LookupComment = func(typ reflect.Type, field string) string {
		for key, text := range r.CommentMap {
			if strings.HasSuffix(key, "/"+"config."+typ.Name()+"."+field) && field != "" {
				return text
			}
		}
		return ""
	}
	s := r.Reflect(&Config{})
	// Editors know this draft best, and nothing of a later one is needed.
	s.Version = "http://json-schema.org/draft-07/schema#"
	s.Title, s.Description = "Gondola's configuration", "config.example.yaml explains it as a whole; gondola check says what this schema can't see."
	m.decorate("", reflect.ValueOf(defaults()).Elem(), s)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", " "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

type schemaMaker struct {
	t    *testing.T
	says map[string]string // descriptions, by path
	base []byte            // a good config in which values are tried
}

// notations are how values with a notation of their own are written. Numbers are taken where they need no sign of their unit.
var notations = map[reflect.Type]struct{ types, pattern, example string }{
	reflect.TypeFor[Duration]():  {"string integer", `^(0|[0-9]+d|([0-9]+d)?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`, "15m"},
	reflect.TypeFor[Size]():      {"string", `^[0-9]+\s*([kKmMgGtT][iI]?)?[bB]$`, "500MB"},
	reflect.TypeFor[Percent]():   {"string", `^\s*\+?(100(\.0*)?|[0-9]{1,2}(\.[0-9]*)?|\.[0-9]+)\s*%$`, "20%"},
	reflect.TypeFor[Limit]():     {"string", `^(off|\s*\+?(1000(\.0*)?|[0-9]{1,3}(\.[0-9]*)?|\.[0-9]+)\s*%)$`, "40%"},
	reflect.TypeFor[Rate]():      {"string", `^\s*(\+?(1000(\.0{0,3})?|[0-9]{1,3}(\.[0-9]{0,3})?|\.[0-9]{1,3})|-([0-9]{1,2}(\.[0-9]{0,3})?|\.[0-9]{1,3}))\s*%$`, "8%"},
	reflect.TypeFor[VAT]():       {"string", `^([+-]([0-9]{1,2}(\.[0-9]{0,3})?|\.[0-9]{1,3})|\+?0+(\.0{0,3})?)\s*%$`, "+22%"},
	reflect.TypeFor[Amount]():    {"string number", `^(off|[0-9]{1,9}(\.[0-9]{0,3})?|\.[0-9]{1,3})$`, "99.90"},
	reflect.TypeFor[TimeOfDay](): {"string", `^(off|([01]?[0-9]|2[0-3]):[0-5][0-9])$`, "09:30"},
	reflect.TypeFor[Days]():      {"string", `^ *(sun|mon|tue|wed|thu|fri|sat)(-(sun|mon|tue|wed|thu|fri|sat))? *(, *(sun|mon|tue|wed|thu|fri|sat)(-(sun|mon|tue|wed|thu|fri|sat))? *)*$`, "mon-fri"},
	reflect.TypeFor[Ending]():    {"string number", `^(off|0?\.[0-9]{1,3}|[1-9][0-9]{0,4}(\.[0-9]{0,3})?)$`, ".90"},
}

// patterns are what texts must look like, by path: the same expressions that check uses.
var patterns = map[string]string{
	"chain.id":             uuidForm.String(),
	"vendors[].id":         vendorIDForm.String(),
	"sftp.prefix":          prefixForm.String(),
	"sftp.host":            `^([^/@:\s]+|[0-9A-Fa-f:.]+)$`,
	"sftp.host_keys[]":     hostKeyForm.String(),
	"feeds[].name":         feedNameForm.String(),
	"sftp.folders.catalog": `^[^/]`, "sftp.folders.promotions": `^[^/]`, "sftp.folders.assortment": `^[^/]`,
	"feeds[].match[]":     `^[^/\\]+$`,
	"send.exclude[]":      vendorIDForm.String(),
	"api.locale":          "^$|" + localeForm.String(),
	"web.listen":          `^$|^off$|:[0-9]+$`,
	"orders.webhook.path": `^/[^?#{} ]*$`,

	"orders.webhook.listen": `^$|^off$|:[0-9]+$`,
}

// leaf maps the types that are written as one value, and those that have a short form.
func (m schemaMaker) leaf(t reflect.Type) *jsonschema.Schema {
	if n, ok := notations[t]; ok {
		return typed(&jsonschema.Schema{Pattern: n.pattern, Examples: []any{n.example}}, strings.Fields(n.types)...)
	}
	if t == reflect.TypeFor[Secret]() {
		return typed(&jsonschema.Schema{Examples: []any{"env:NAME", "file:PATH", "systemd:NAME"}}, "string", "number", "boolean")
	}
	return nil
}

// typed sets the types that a value may have.
func typed(s *jsonschema.Schema, types ...string) *jsonschema.Schema {
	s.Type = ""
	if s.Extras == nil {
		s.Extras = map[string]any{}
	}
	s.Extras["type"] = types
	return s
}

// emptied allows a value to be left empty, which keeps its default.
func emptied(s *jsonschema.Schema) {
	types, ok := s.Extras["type"].([]string)
	if !ok {
		types = []string{s.Type}
	}
	typed(s, append(slices.Clone(types), "null")...)
	if s.Enum != nil {
		s.Enum = append(s.Enum, nil)
	}
}

// decorate adds to the schema of the value at a path, whose default v is, what the types don't say.
func (m schemaMaker) decorate(path string, v reflect.Value, s *jsonschema.Schema) {
	t := v.Type()
	entry := strings.HasSuffix(path, "[]")
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
		v = reflect.Zero(t)
	} else if text, ok := v.Interface().(fmt.Stringer); ok && t != reflect.TypeFor[Secret]() && !entry {
		s.Default = text.String()
	}
	if says := m.says[path]; says != "" || entry {
		s.Description = says // of an entry only the type has a comment, which is for programmers
	}
	s.Description = strings.TrimSpace(s.Description)
	if _, own := notations[t]; own {
		if slices.Contains(s.Extras["type"].([]string), "integer") {
			s.Minimum, s.Maximum = "0", "0" // all others need their unit
		} else if slices.Contains(s.Extras["type"].([]string), "number") {
			s.Minimum = "0"
		}
		emptied(s)
		return
	}
	switch {
	case t == reflect.TypeFor[Secret]():
	case t.Kind() == reflect.Struct:
		m.section(path, v, s)
	case t.Kind() == reflect.Slice:
		if m.needed(path) || m.try(path, []any{}) != nil {
			s.MinItems = new(uint64(1))
		}
		if t.Elem().Kind() == reflect.String && v.Len() > 0 {
			s.Default = v.Interface()
		}
		elem := reflect.New(t.Elem()).Elem()
		if e, ok := elem.Addr().Interface().(element); ok {
			e.setDefaults()
		}
		m.decorate(path+"[]", elem, s.Items)
	case t.Kind() == reflect.Map:
		m.table(path, t, s)
	default:
		m.plain(path, v, s)
	}
	if path != "" && !entry && !m.needed(path) {
		emptied(s)
	}
}

// section decorates the keys of a struct, and its short form.
func (m schemaMaker) section(path string, v reflect.Value, s *jsonschema.Schema) {
	for f, value := range v.Fields() {
		key := f.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		inner, ok := s.Properties.Get(key)
		if !ok {
			m.t.Fatalf("the reflector knows no %s of %s", key, path)
		}
		m.decorate(join(path, key), value, inner)
		if m.needed(join(path, key)) {
			s.Required = append(s.Required, key)
		}
	}
	switch v.Interface().(type) {
	case VendorSource:
		s.OneOf = oneOf("column", "file_name", "ids", "all")
		m.short(s, &jsonschema.Schema{Const: "all"})
	case Column:
		m.short(s, typed(&jsonschema.Schema{}, "string", "number", "boolean"))
	case Alert:
		s.OneOf = oneOf("ping", "post", "mail")
	}
}

// oneOf wants exactly one of some keys to say something.
func oneOf(keys ...string) []*jsonschema.Schema {
	var all []*jsonschema.Schema
	for _, key := range keys {
		says := typed(&jsonschema.Schema{MinLength: new(uint64(1)), MinItems: new(uint64(1)), Not: &jsonschema.Schema{Const: false}}, "string", "number", "array", "boolean")
		if key == "all" {
			says = &jsonschema.Schema{Const: true}
		}
		if key == "mail" {
			says = typed(&jsonschema.Schema{MinProperties: new(uint64(1))}, "object")
		}
		p := jsonschema.NewProperties()
		p.Set(key, says)
		all = append(all, &jsonschema.Schema{Required: []string{key}, Properties: p})
	}
	return all
}

// short lets a section be written as one value, too.
func (m schemaMaker) short(s, value *jsonschema.Schema) {
	long := *s
	long.Description, long.Default = "", nil
	*s = jsonschema.Schema{Description: s.Description, AnyOf: []*jsonschema.Schema{value, &long}, Extras: map[string]any{}}
	typed(s, "string", "number", "boolean", "object")
}

// table decorates a map: with the keys that there are, where they are known.
func (m schemaMaker) table(path string, t reflect.Type, s *jsonschema.Schema) {
	inner := s.AdditionalProperties
	elem := reflect.New(t.Elem())
	m.decorate(path+".*", elem.Elem(), inner)
	if known, ok := elem.Interface().(keyed); ok {
		s.Properties = jsonschema.NewProperties()
		for _, key := range known.keys() {
			s.Properties.Set(key, inner)
		}
		s.AdditionalProperties = jsonschema.FalseSchema
	}
}

// plain decorates a text, a number or a switch.
func (m schemaMaker) plain(path string, v reflect.Value, s *jsonschema.Schema) {
	switch v.Kind() {
	case reflect.Bool:
		s.Default = v.Bool()
	case reflect.Int:
		if least, most, ok := m.within(path); ok {
			s.Minimum, s.Maximum = json.Number(least), json.Number(most)
		}
		s.Default = v.Int()
	case reflect.String:
		if v.String() != "" {
			s.Default = v.String()
		}
		if strings.HasSuffix(path, ".expr") {
			s.MaxLength = new(uint64(maxFormula))
		}
		if path == "orders.export.on[]" { // offered as the platform spells them, taken in any case
			*s = jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Enum: anys(order.States())}, {Pattern: anyCase(order.States())}}}
			typed(s, "string")
			return
		}
		if s.Pattern = patterns[path]; s.Pattern != "" {
			typed(s, "string", "number", "boolean")
			return
		}
		if s.Enum = m.choices(path); s.Enum == nil {
			typed(s, "string", "number", "boolean") // as it is written
		}
	}
	if strings.Contains(path, ".rules.") {
		s.Default = nil // a rule that is not written is none
	}
}

// The checks themselves say what may stand somewhere: values are tried in a good config.

// probeBase is a config with all that excludes nothing else, so that no key is missed for want of another one.
func probeBase(t *testing.T) []byte {
	t.Setenv(testPassword, "x")
	return []byte(`
chain: {id: 5c1e7f0a-2b34-4d6e-8f90-a1b2c3d4e5f6, time_zone: UTC}
vendors: [{id: a}]
sftp: {host: sftp.example.net, user: u, password: env:` + testPassword + `, key: id, host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"], known_hosts: kh}
feeds: [{name: f, drop: d, vendor: all}]
alerts: [{ping: env:` + testPassword + `}]
`)
}

// try returns what is wrong with a value at a path, nil for nothing.
func (m schemaMaker) try(path string, value any) *Problem {
	m.t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal(m.base, &doc); err != nil {
		m.t.Fatal(err)
	}
	at := put(&doc, strings.NewReplacer("[]", ".0", ".columns.*", ".columns.price", ".stores.*", ".stores.a").Replace(path), value)
	text, err := yaml.Marshal(doc)
	if err != nil {
		m.t.Fatal(err)
	}
	_, err = Parse("c.yaml", text)
	for _, p := range problemsOf(err) {
		if p.Path == at {
			return &p
		}
	}
	return nil
}

func problemsOf(err error) (ps Problems) {
	_ = errors.As(err, &ps)
	return ps
}

// put sets the value at a path like feeds.0.name and returns the path as the config has it.
func put(doc *map[string]any, path string, value any) string {
	var at any = *doc
	set := func(v any) { *doc = v.(map[string]any) }
	name := ""
	for key := range strings.SplitSeq(path, ".") {
		if i, err := strconv.Atoi(key); err == nil {
			list, _ := at.([]any)
			if len(list) <= i {
				list = append(list, nil)
				set(list)
			}
			name += fmt.Sprintf("[%d]", i)
			at, set = list[i], func(v any) { list[i] = v }
			continue
		}
		section, _ := at.(map[string]any)
		if section == nil {
			section = map[string]any{}
			set(section)
		}
		name = join(name, key)
		at, set = section[key], func(v any) { section[key] = v }
	}
	set(value)
	return name
}

// choices returns what may stand at a path, nil where that is no short list. An empty text is one of them where it is taken.
func (m schemaMaker) choices(path string) []any {
	if path == "chain.brand" { // the profiles are another room's
		return anys(platform.BrandNames())
	}
	p := m.try(path, "none-of-the-choices")
	if p == nil || len(p.Choices) == 0 || !strings.HasPrefix(p.Message, "unknown value") {
		return nil
	}
	all := anys(p.Choices)
	if m.try(path, "") == nil {
		all = append(all, "")
	}
	return all
}

func anys[T ~string](texts []T) []any {
	var all []any
	for _, text := range texts {
		all = append(all, string(text))
	}
	return all
}

// anyCase returns an expression for some words, whatever their case.
func anyCase[T ~string](words []T) string {
	var all []string
	for _, word := range words {
		var b strings.Builder
		for _, r := range string(word) {
			if upper, lower := unicode.ToUpper(r), unicode.ToLower(r); upper != lower {
				fmt.Fprintf(&b, "[%c%c]", upper, lower)
			} else {
				b.WriteRune(r)
			}
		}
		all = append(all, b.String())
	}
	return "^(" + strings.Join(all, "|") + ")$"
}

var wantRange = regexp.MustCompile(`^want (-?\d+) to (-?\d+), found`)

// within returns the range of a number.
func (m schemaMaker) within(path string) (least, most string, ok bool) {
	if p := m.try(path, -1<<40); p != nil {
		if found := wantRange.FindStringSubmatch(p.Message); found != nil {
			return found[1], found[2], true
		}
	}
	return "", "", false
}

// needed reports whether a key must be there.
func (m schemaMaker) needed(path string) bool {
	if strings.HasSuffix(path, "[]") || path == "chain" {
		return path == "chain"
	}
	if path == "sftp" || strings.HasPrefix(path, "sftp.") {
		return false // where nothing goes as files, no login is needed
	}
	p := m.try(path, nil)
	return p != nil && strings.HasPrefix(p.Message, "missing; ") && !strings.HasPrefix(path, "alerts[]")
}

var indexes = regexp.MustCompile(`\[\d+\]`)

// exampleComments returns what the example says above each key, by path.
func exampleComments(t *testing.T) map[string]string {
	c := loadExample(t)
	byLine := map[int]string{} // the outermost path of the line
	for _, path := range slices.Sorted(maps.Keys(c.file.at)) {
		line := c.file.at[path].line
		if before := byLine[line]; !strings.HasSuffix(path, "]") && (before == "" || len(path) < len(before)) {
			byLine[line] = path
		}
	}
	says := map[string]string{}
	var block []string
	number := 0
	for line := range strings.Lines(string(readFile(t, examplePath))) {
		number++
		text := strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(text, "#"); ok {
			block = append(block, strings.TrimPrefix(comment, " "))
			continue
		}
		path := indexes.ReplaceAllString(byLine[number], "[]")
		if says[path] == "" && len(block) > 0 && path != "" {
			says[path] = prose(block)
		}
		block = nil
	}
	const columns = "feeds[].columns." // what is said of some holds for all
	says[columns+"*"], says[columns+"*.decimal"], says[columns+"*.date"] = says[columns+"sku"], says[columns+"price"], says[columns+"start_date"]
	for path, text := range says { // what can be said of all stores can be said of one
		if key, ok := strings.CutPrefix(path, "feeds[].rules."); ok {
			says["feeds[].rules.stores.*."+key] = text
		}
	}
	return says
}

// prose joins the lines of a comment; indented ones stay lines of their own.
func prose(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		switch {
		case i == 0:
		case strings.HasPrefix(line, " ") || strings.HasPrefix(lines[i-1], " "):
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(line)
	}
	return b.String()
}
