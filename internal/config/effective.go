package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Effective is a config as it is understood: with every default filled in, paths absolute, merges and aliases worked out, and no secret
// in it. As YAML it can be loaded again; what was written into the config itself instead of a reference is then <secret>.
type Effective struct {
	root     *yaml.Node
	defaults []string // paths of what is not in the file
	source   string
}

// defaultMark is the comment on what is not in the file.
const defaultMark = "default"

// Effective returns the config as it is understood.
func (c *Config) Effective() Effective {
	e := effecter{file: c.file, switches: c.switches()}
	root := e.section("", reflect.ValueOf(c).Elem())
	return Effective{root: root, defaults: e.defaults, source: c.file.name}
}

// YAML returns the config as a file, in the order of its sections, with a comment on every default.
func (e Effective) YAML() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n# %s as gondola understands it.\n\n", SchemaLine, strings.Map(oneLine, e.source))
	d, err := yaml.NewDumper(&b, yaml.WithIndent(2), yaml.WithCompactSeqIndent(false), yaml.WithLineWidth(-1))
	if err == nil {
		err = d.Dump(e.root)
	}
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("write effective config: %w", err)
	}
	return b.Bytes(), nil
}

// oneLine keeps a comment from ending early.
func oneLine(r rune) rune {
	if r < ' ' || r == '\u0085' || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}

// MarshalJSON returns an object with the config and the paths of its defaults.
func (e Effective) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"config":`)
	jsonOf(&b, e.root)
	b.WriteString(`,"defaults":`)
	text, err := json.Marshal(append([]string{}, e.defaults...))
	if err != nil {
		return nil, fmt.Errorf("write effective config: %w", err)
	}
	b.Write(text)
	b.WriteString("}")
	return b.Bytes(), nil
}

// jsonOf writes a node that effecter made.
func jsonOf(b *bytes.Buffer, n *yaml.Node) {
	switch {
	case n.Kind == yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(jsonText(n.Content[i].Value))
			b.WriteByte(':')
			jsonOf(b, n.Content[i+1])
		}
		b.WriteByte('}')
	case n.Kind == yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			jsonOf(b, item)
		}
		b.WriteByte(']')
	case n.Tag == "!!str":
		b.Write(jsonText(n.Value))
	default:
		b.WriteString(n.Value)
	}
}

func jsonText(text string) []byte {
	out, err := json.Marshal(text)
	if err != nil {
		panic("config: encode a text: " + err.Error()) // there is no text that can't be
	}
	return out
}

// effecter makes YAML of a config.
type effecter struct {
	file     positions
	switches []*string // for which off is written where there is nothing
	defaults []string
}

// value returns the node of a value, nil where nothing is set and there is no default.
func (e *effecter) value(path string, v reflect.Value) *yaml.Node {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if n, own := e.written(v); own {
		return n
	}
	switch v.Kind() {
	case reflect.Struct:
		if n := e.section(path, v); len(n.Content) > 0 {
			return n
		}
		return nil
	case reflect.Slice:
		return e.list(path, v)
	case reflect.Map:
		return e.table(path, v)
	case reflect.Bool:
		return scalar("!!bool", strconv.FormatBool(v.Bool()))
	case reflect.Int:
		return scalar("!!int", strconv.FormatInt(v.Int(), 10))
	}
	switch {
	case v.String() != "":
		return text(v.String())
	case v.CanAddr() && slices.Contains(e.switches, v.Addr().Interface().(*string)):
		return text(scheduleOff)
	}
	return nil
}

// written returns the node of a value that has a notation or a short form of its own.
func (e *effecter) written(v reflect.Value) (n *yaml.Node, own bool) {
	switch value := v.Interface().(type) {
	case Secret:
		if !value.IsSet() {
			return nil, true
		}
		return text(value.ref().name()), true
	case Amount:
		if value == 0 {
			return text(scheduleOff), true
		}
		return text(value.String()), true
	case VendorSource:
		if value.All {
			return text("all"), true
		}
	case Column:
		if value.From != "" && (value == Column{From: value.From}) {
			return text(value.From), true
		}
	case fmt.Stringer:
		return text(value.String()), true
	}
	return nil, false
}

// section returns the node of a struct, with a comment on each default.
func (e *effecter) section(path string, v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for f, value := range v.Fields() {
		key := f.Tag.Get("yaml")
		if key == "" || key == "-" || value.IsZero() && v.Type() == reflect.TypeFor[VendorSource]() { // of its ways only one is taken
			continue
		}
		at := join(path, key)
		if inner := e.value(at, value); inner != nil {
			if place, ok := e.file.at[at]; (!ok || place.null) && inner.Kind != yaml.MappingNode {
				e.defaults = append(e.defaults, at)
				inner.LineComment = "# " + defaultMark
			}
			n.Content = append(n.Content, text(key), inner)
		}
	}
	return n
}

// list returns the node of a slice: texts side by side, sections below each other. An empty one that is written says something.
func (e *effecter) list(path string, v reflect.Value) *yaml.Node {
	if v.IsNil() {
		return nil
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	if kind := v.Type().Elem().Kind(); kind == reflect.String || v.Type().Elem() == reflect.TypeFor[Secret]() || v.Len() == 0 {
		n.Style = yaml.FlowStyle
	}
	for i := range v.Len() {
		item := e.value(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		if item == nil {
			item = text("") // nothing that check has passed
		}
		n.Content = append(n.Content, item)
	}
	return n
}

// table returns the node of a map, in the order of its keys.
func (e *effecter) table(path string, v reflect.Value) *yaml.Node {
	if v.IsNil() {
		return nil
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if v.Len() == 0 {
		n.Style = yaml.FlowStyle
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		inner := e.value(join(path, key.String()), v.MapIndex(key))
		if inner == nil {
			inner = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle}
		}
		n.Content = append(n.Content, text(key.String()), inner)
	}
	return n
}

func scalar(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

func text(value string) *yaml.Node { return scalar("!!str", value) }
