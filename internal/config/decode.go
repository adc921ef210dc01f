package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// placeholder stands in a fresh config wherever only the admin knows the value.
const placeholder = "CHANGE-ME"

// Aliases and merges let a small file mean a large one; these end such a game long after any real config.
const (
	maxValues = 100_000
	maxMerges = 8
)

// decoder fills the config's structs from a YAML tree. The library's own decoding is not used: it stops or forgets places where
// this goes on, and an admin who mistyped three keys wants to hear of all three.
type decoder struct {
	file     positions
	source   source
	dir      string // relative paths count from here
	problems Problems
	tainted  map[string]bool // paths with a problem already; nothing more is said about them or what is below
	values   int
}

// scalarForm is a section that may be written as one value too.
type scalarForm interface{ setScalar(text string) error }

// keyed is the element of a map whose keys are known.
type keyed interface{ keys() []string }

// newDecoder returns a decoder for a file called name.
func newDecoder(name, dir string, data []byte) *decoder {
	return &decoder{
		file: positions{name: name, at: map[string]place{}}, source: newSource(data), dir: dir, tainted: map[string]bool{},
	}
}

// root decodes the top of the document.
func (d *decoder) root(n *yaml.Node, c *Config) {
	if n.Kind != yaml.MappingNode {
		d.at(n.Line, n.Column, "want keys such as chain:, sftp:, feeds:, found %s; run `gondola init DIR` for an example", found(n))
		d.tainted[""] = true
		return
	}
	d.value("", n, reflect.ValueOf(c).Elem())
}

// at adds a problem that has a place but no path.
func (d *decoder) at(line, column int, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: d.file.name, Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

// onKey adds a problem about a key: key is not decoded, so its place is in no table.
func (d *decoder) onKey(key *yaml.Node, p Problem) {
	d.source.reveal(key)
	p.File, p.Line, p.Column = d.file.name, key.Line, key.Column
	d.problems = append(d.problems, p)
}

// wrong adds a problem about the value at path and silences follow-on problems about it.
func (d *decoder) wrong(path, format string, args ...any) {
	d.problems = append(d.problems, d.file.problem(path, fmt.Sprintf(format, args...)))
	d.tainted[path] = true
}

// value decodes n, found at path, into v. An empty value leaves the default.
func (d *decoder) value(path string, n *yaml.Node, v reflect.Value) {
	if d.values++; d.values > maxValues {
		if !d.tainted[""] {
			d.wrong("", "more than %d values, counted with aliases; remove the nested aliases", maxValues)
		}
		return
	}
	n = resolve(n)
	if n.Style&yaml.TaggedStyle != 0 && !strings.HasPrefix(n.Tag, "!!") {
		d.wrong(path, "the tag %s means nothing here; remove it", n.Tag)
		return
	}
	if isNull(n) {
		return
	}
	if v.Kind() == reflect.Pointer { // nil is how a value tells that it is not in the file
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if form, ok := v.Addr().Interface().(scalarForm); ok && n.Kind == yaml.ScalarNode {
		d.scalar(path, n, "", form.setScalar)
		return
	}
	switch target := v.Addr().Interface().(type) {
	case *Secret:
		if parseReference(n.Value, "").scheme == "" {
			d.source.mask[n] = masked
		}
		d.scalar(path, n, "a text such as env:NAME", func(text string) error {
			*target = newSecret(text, d.dir)
			return nil
		})
		return
	case textual:
		d.scalar(path, n, "a value with its unit", target.parse)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.section(path, n, v)
	case reflect.Slice:
		d.list(path, n, v)
	case reflect.Map:
		d.table(path, n, v)
	default:
		d.plain(path, n, v)
	}
}

// section decodes a mapping into a struct.
func (d *decoder) section(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		// The text is not shown: a password lands here when its colon is forgotten.
		d.wrong(path, "want keys (%s), found %s", strings.Join(keysOf(v.Type()), ", "), found(n))
		return
	}
	known := keysOf(v.Type())
	for _, e := range d.entries(path, n) {
		if field, ok := fieldOf(v, e.name()); ok {
			d.entry(path, e, field)
		} else {
			d.unknown(path, e, known)
		}
	}
}

// table decodes a mapping with elements of one kind into a map.
func (d *decoder) table(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.wrong(path, "want keys and values, found %s", found(n))
		return
	}
	known, _ := reflect.New(v.Type().Elem()).Interface().(keyed)
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range d.entries(path, n) {
		if known != nil && !slices.Contains(known.keys(), e.name()) {
			d.unknown(path, e, known.keys())
			continue
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		d.entry(path, e, elem)
		v.SetMapIndex(reflect.ValueOf(e.name()), elem)
	}
}

// entry decodes one key of a section and remembers where it stands.
func (d *decoder) entry(parent string, e entry, v reflect.Value) {
	d.source.reveal(e.key)
	path := join(parent, e.name())
	d.file.at[path] = placeOf(e.key, e.value, v)
	d.value(path, e.value, v)
}

// unknown reports a key that does not exist. The key that was probably meant is not missed as well.
func (d *decoder) unknown(parent string, e entry, known []string) {
	p := Problem{
		Path: join(parent, e.name()), Text: e.name(), Message: fmt.Sprintf("unknown key %q", e.name()),
		Choices: known, Suggest: suggest(e.name(), known),
	}
	d.onKey(e.key, p)
	if p.Suggest != "" {
		d.tainted[join(parent, p.Suggest)] = true
	}
}

// list decodes a sequence into a slice, which it replaces.
func (d *decoder) list(path string, n *yaml.Node, v reflect.Value) {
	switch {
	case n.Kind == yaml.ScalarNode && v.Type().Elem().Kind() == reflect.String:
		d.wrong(path, "want a list, found a text; write [%s]", quoteYAML(n.Value))
		return
	case n.Kind == yaml.MappingNode:
		d.wrong(path, `want a list, found keys; begin every entry with "- "`)
		return
	case n.Kind != yaml.SequenceNode:
		d.wrong(path, "want a list, found %s", found(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		elem, at := v.Index(i), fmt.Sprintf("%s[%d]", path, i)
		if e, ok := elem.Addr().Interface().(element); ok {
			e.setDefaults()
		}
		d.file.at[at] = placeOf(item, item, elem)
		if isNull(resolve(item)) {
			d.wrong(at, "an empty entry; fill it in or remove it")
			continue
		}
		d.value(at, item, elem)
	}
}

// scalar hands the source text of a value to set, and reports what set says.
func (d *decoder) scalar(path string, n *yaml.Node, want string, set func(text string) error) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(path, "want %s, found %s", want, found(n))
		return
	}
	d.source.reveal(n)
	if strings.Contains(n.Value, placeholder) {
		d.wrong(path, "still to be filled in; replace %s", placeholder)
		return
	}
	if err := set(n.Value); err != nil {
		d.wrong(path, "%s, found %q", err, n.Value)
	}
}

// plain decodes a text, a number or a switch. Text takes any value as it is written: an id like 0012 or 1e5 is not a number.
func (d *decoder) plain(path string, n *yaml.Node, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		d.scalar(path, n, "a text", func(text string) error {
			v.SetString(text)
			return nil
		})
	case reflect.Int:
		d.scalar(path, n, "a whole number", func(text string) error {
			i, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("want a whole number such as %d", v.Int())
			}
			v.SetInt(int64(i))
			return nil
		})
	case reflect.Bool:
		d.scalar(path, n, "true or false", func(text string) error {
			if text != "true" && text != "false" {
				return fmt.Errorf("want true or false")
			}
			v.SetBool(text == "true")
			return nil
		})
	}
}
