package table

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

// encode returns text as it is written in an encoding; ok is false where that lacks one of its characters.
func encode(t testing.TB, name, text string) (raw string, ok bool) {
	t.Helper()
	e, mark, _ := strings.Cut(name, " ")
	if mark != "" {
		raw = Encoding(e).mark()
	}
	page := charmaps[Encoding(e)]
	switch e {
	case string(UTF8):
		return raw + text, true
	case string(UTF16LE):
		return raw + utf16Text("le", text), true
	case string(UTF16BE):
		return raw + utf16Text("be", text), true
	case "mixed":
		first, second, _ := strings.Cut(text, "|")
		a, okA := encode(t, string(Windows1252), first)
		b, okB := encode(t, string(CP850), second)
		return a + "\n" + b, okA && okB
	case "mac":
		page = charmap.Macintosh
	case "windows-1251":
		page = charmap.Windows1251
	}
	if page == nil {
		t.Fatalf("no encoding %q", name)
	}
	raw, err := page.NewEncoder().String(text)
	return raw, err == nil
}

// Every text of the reviewed corpus is decided as it is written, or asked for; none is decided wrongly.
func TestEncodingCorpus(t *testing.T) {
	content, err := os.ReadFile("testdata/encodings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for i, line := range strings.Split(strings.TrimSpace(string(content)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 3 {
			t.Fatalf("line %d has %d fields", i+1, len(fields))
		}
		written, want := fields[0], fields[1]
		text, err := strconv.Unquote(`"` + fields[2] + `"`)
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		raw, ok := encode(t, written, text)
		if !ok {
			t.Fatalf("line %d is no text in %s", i+1, written)
		}
		count[want]++
		rows, f, err := readAll(t, raw, Options{})
		refusal, refused := errors.AsType[*Refusal](err)
		switch {
		case err == nil && string(f.Encoding) == want:
			cut := strings.NewReplacer(";", "|", ",", "|").Replace
			if got := cut(strings.Join(rows, "\n")); got != cut(text) {
				t.Errorf("line %d reads %q, want %q", i+1, got, cut(text))
			}
		case refused && want == "asks" && refusal.Kind == RefusedGuess:
			if !strings.Contains(text, refusal.Args[1]) && !strings.Contains(text, refusal.Args[3]) {
				t.Errorf("line %d: neither %q nor %q is in %q", i+1, refusal.Args[1], refusal.Args[3], text)
			}
		case refused && want == "refused":
		default:
			t.Errorf("line %d, %q in %s: %s, error %v, want %s", i+1, text, written, f.Encoding, err, want)
		}
	}
	for _, want := range []string{"utf-8", "utf-16le", "utf-16be", "windows-1252", "iso-8859-15", "cp850", "asks"} {
		if count[want] < 3 {
			t.Errorf("%d texts are to be %s", count[want], want)
		}
	}
}
