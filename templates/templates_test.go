package templates

import (
	"encoding/json"
	"strings"
	"testing"
)

// The starters' texts are those of the same places in every language. What they must be able to do is tested where they are written.
func TestStarterTextsMatch(t *testing.T) {
	places := map[string]map[string]bool{}
	for _, lang := range []string{"es", "pt", "en"} {
		data, err := Files.ReadFile("init/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts any
		if err := json.Unmarshal(data, &texts); err != nil {
			t.Fatalf("%s: %v", lang, err)
		}
		places[lang] = map[string]bool{}
		walk("", texts, func(place, text string) {
			places[lang][place] = true
			if strings.TrimSpace(text) != text || text == "" {
				t.Errorf("%s: %s is blank or has blanks around it: %q", lang, place, text)
			}
		})
	}
	if len(places["es"]) < 60 {
		t.Errorf("only %d texts in Spanish: %v", len(places["es"]), places["es"])
	}
	for lang, have := range places {
		for place := range places["es"] {
			if !have[place] {
				t.Errorf("%s has no %s", lang, place)
			}
		}
		for place := range have {
			if !places["es"][place] {
				t.Errorf("es has no %s, which %s has", place, lang)
			}
		}
	}
}

// walk calls f for every text with the keys that lead to it.
func walk(place string, v any, f func(place, text string)) {
	switch v := v.(type) {
	case string:
		f(place, v)
	case []any:
		for _, e := range v {
			walk(place+"[]", e, f)
		}
	case map[string]any:
		for key, e := range v {
			walk(place+"."+key, e, f)
		}
	}
}
