package templates

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

// The starters are opened in Excel, which needs the mark to show accents, and the separator that it has in each language.
func TestStarterSpreadsheets(t *testing.T) {
	for lang, comma := range map[string]rune{"es": ';', "pt": ';', "en": ','} {
		data, err := Files.ReadFile("init/" + lang + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		text, marked := bytes.CutPrefix(data, []byte("\ufeff"))
		if !marked || bytes.Count(text, []byte("\n")) != bytes.Count(text, []byte("\r\n")) {
			t.Errorf("%s: no byte order mark, or other line ends than CRLF: %q", lang, data)
		}
		r := csv.NewReader(bytes.NewReader(text))
		r.Comma = comma
		rows, err := r.ReadAll()
		if err != nil || len(rows) != 3 || len(rows[0]) != 6 {
			t.Errorf("%s: %q, %v: want a header and two rows of six cells", lang, rows, err)
		}
		// Codes that no shop has: a starter that is dropped as it is must not change the price of an article.
		for _, row := range rows[1:] {
			if !strings.HasPrefix(row[1], "E") {
				t.Errorf("%s: article code %q could be a real one", lang, row[1])
			}
		}
	}
}

func TestStarterConfigAsksForWhatItCannotKnow(t *testing.T) {
	data, err := Files.ReadFile("init/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"id: CHANGE-ME", "time_zone: CHANGE-ME", "- id: CHANGE-ME", "user: CHANGE-ME", "- CHANGE-ME", "password: env:",
		"gondola check", "language: es ", "column: Sucursal",
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("starter config has no %q", want)
		}
	}
}
