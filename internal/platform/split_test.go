package platform

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzSplit splits whatever is valid JSON as the decoder does, on every level.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"a":1,"b":[1,2,{"c":null}],"a":"twice"}`, " {\t\"a\\n\" : \"q\\\"}\" ,\n\"b\":\r[ true , -1.5e+3,\"]\" ] } ", `[[],{},"",0]`,
		`{"":{"":[{"":""}]}}`, "{\"\xff\":\"\xff\",\"\\ud800\":\"é\"}", `[1 , 2]`, `"text"`, `12`, `null`, `{"a":"\\"}`, `["\\\"",{"}":"{"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if deepest, _ := measure(raw); deepest > maxDepth || !json.Valid(raw) {
			return
		}
		split(t, raw[pastBlank(raw, 0):])
	})
}

// split compares what is inside of a value.
func split(t *testing.T, raw json.RawMessage) {
	t.Helper()
	var fields object
	if json.Unmarshal(raw, &fields) != nil {
		fields = nil
	}
	if got := fieldsOf(raw); !reflect.DeepEqual(got, fields) {
		t.Fatalf("fields of %q: %q, want %q", raw, got, fields)
	}
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || len(elements) == 0 {
		elements = nil
	}
	if got := elementsOf(raw); !reflect.DeepEqual(got, elements) {
		t.Fatalf("elements of %q: %q, want %q", raw, got, elements)
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && raw[0] == '"' {
		if got := textOf(raw); got != text {
			t.Fatalf("text of %q: %q, want %q", raw, got, text)
		}
	}
	for _, inner := range fields {
		split(t, inner)
	}
	for _, inner := range elements {
		split(t, inner)
	}
}
