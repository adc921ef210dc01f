package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// entry is a key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// name returns the key as written.
func (e entry) name() string { return resolve(e.key).Value }

// entries returns the entries of a mapping: its own, then those that `<<` merges in and it has not itself. A key that stands
// there twice counts once, and is a problem.
func (d *decoder) entries(path string, n *yaml.Node) []entry {
	return d.merged(path, n, map[string]int{}, 0)
}

// merged adds the entries of n whose keys are not in seen, which holds the line of each.
func (d *decoder) merged(path string, n *yaml.Node, seen map[string]int, depth int) []entry {
	var own []entry
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		e := entry{n.Content[i], n.Content[i+1]}
		switch line, twice := seen[e.name()]; {
		case resolve(e.key).Kind != yaml.ScalarNode:
			text := "want a key, found " + found(resolve(e.key)) + "; put values with braces or brackets in quotes"
			d.onKey(e.key, Problem{Path: path, Message: text})
		case e.key.Tag == "!!merge":
			d.source.reveal(e.key)
			merges = append(merges, e.value)
		case !twice:
			seen[e.name()] = e.key.Line
			own = append(own, e)
		case depth == 0:
			text := fmt.Sprintf("duplicate key %q, first on line %d; keep one of them", e.name(), line)
			d.onKey(e.key, Problem{Path: join(path, e.name()), Text: e.name(), Message: text})
		}
	}
	for _, m := range merges {
		own = append(own, d.merge(path, m, seen, depth+1)...)
	}
	return own
}

// merge returns the entries that a `<<` brings: its value is a mapping or a list of them, usually aliases.
func (d *decoder) merge(path string, n *yaml.Node, seen map[string]int, depth int) []entry {
	target := resolve(n)
	switch {
	case depth > maxMerges:
		d.onKey(n, Problem{Path: path, Message: fmt.Sprintf("merges (<<) nested more than %d deep; write the keys out", maxMerges)})
	case target.Kind == yaml.MappingNode:
		return d.merged(path, target, seen, depth)
	case target.Kind == yaml.SequenceNode:
		var all []entry
		for _, item := range target.Content {
			all = append(all, d.merge(path, item, seen, depth+1)...)
		}
		return all
	default:
		d.onKey(n, Problem{Path: path, Message: "<< merges keys of another section, found " + found(target) + "; write <<: *name"})
	}
	return nil
}

// placeOf returns where a value stands, as an editor should open it: the value itself where it is one word, else its key.
func placeOf(key, value *yaml.Node, into reflect.Value) place {
	at := place{line: key.Line, column: key.Column}
	target := resolve(value)
	if at.null = isNull(target); target.Kind != yaml.ScalarNode || at.null {
		return at
	}
	if value.Line > 0 {
		at.line, at.column = value.Line, value.Column
	}
	at.text = withoutLogin(target.Value)
	switch _, form := into.Addr().Interface().(scalarForm); {
	case into.Type() == reflect.TypeFor[Secret]():
		at.text = parseReference(target.Value, "").name()
	case into.Kind() == reflect.Struct && !form, into.Kind() == reflect.Slice && into.Type().Elem().Kind() == reflect.Struct:
		at.text = "" // a section, or a list of them, in whose place there is a text
	}
	return at
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// isNull reports whether nothing is written: `key:`, `key: ~` or `key: null`.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// found says in an admin's words what a node is.
func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	}
	return "a text"
}

// keysOf returns the keys of a section, sorted.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		if key := f.Tag.Get("yaml"); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// isKey reports whether some section has a key of that name.
func isKey(name string) bool {
	var below func(t reflect.Type) bool
	below = func(t reflect.Type) bool {
		switch t.Kind() {
		case reflect.Slice, reflect.Map, reflect.Pointer:
			if known, ok := reflect.New(t.Elem()).Interface().(keyed); ok && slices.Contains(known.keys(), name) {
				return true
			}
			return below(t.Elem())
		case reflect.Struct:
			for f := range t.Fields() {
				if key := f.Tag.Get("yaml"); key != "" && key != "-" && (key == name || below(f.Type)) {
					return true
				}
			}
		}
		return false
	}
	return below(reflect.TypeFor[Config]())
}

// fieldOf returns the field that a key of the file goes into.
func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("yaml"); tag == key && tag != "" && tag != "-" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// join returns the path of a key below parent.
func join(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}

// quoteYAML returns text as a YAML value in double quotes.
func quoteYAML(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}
