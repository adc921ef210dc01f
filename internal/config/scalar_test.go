package config

import (
	"testing"

	"go.yaml.in/yaml/v4"
)

// FuzzScalar reads back what was written, alone and inside of a section in braces and a list.
func FuzzScalar(f *testing.F) {
	for _, text := range []string{
		"Precio", "Precio c/IVA", "001", "no", "0x1F", "1e3", "- a", "a: b", "a #b", "{x}", "'", `"`, "\\", "\n", "\t", " a ", "", "~", "null", "=", "<<",
		"2026-11-21", "12:30", "a-b", "a -b", "Cód.", "\u00a0", "\u2028", "\ufeff", "\x00", "\x7f", "\U0001f6d2", "?", "!x", "&x", "*x", "%x", "@x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if string([]rune(text)) != text {
			t.Skip("no UTF-8: nothing that was read is such")
		}
		for _, form := range []string{"a: %\n", "{a: %, b: c}\n", "a: [%]\n"} {
			doc := []byte(form[:len(form)-len(after(form))-1] + Scalar(text) + after(form))
			var got map[string]any
			if err := yaml.Unmarshal(doc, &got); err != nil {
				t.Fatalf("%q as %s: %v", text, doc, err)
			}
			value := got["a"]
			if list, ok := value.([]any); ok && len(list) == 1 {
				value = list[0]
			}
			if value != text {
				t.Fatalf("%q as %s is read as %#v", text, doc, value)
			}
		}
	})
}

// after returns what comes behind the % of a form.
func after(form string) string {
	for i, r := range form {
		if r == '%' {
			return form[i+1:]
		}
	}
	return ""
}
