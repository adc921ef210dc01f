package table

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// someOf draws a few pieces, one behind another.
func someOf(t *rapid.T, name string, least, most int, pieces ...string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), least, most).Draw(t, name), "")
}

// readMarkup reads a sheet and a list of strings from their markup, through a window of a few bytes or of many.
func readMarkup(rows, items string, window int) (all []Row, refused string) {
	limits := Limits{Columns: 30, CellBytes: 40, RowBytes: 200}.orDefaults()
	shared := &sharedStrings{memory: 1 << 20}
	defer shared.close()
	if err := shared.read(newMarkup(strings.NewReader("<sst>"+items+"</sst>"), make([]byte, window)), limits.CellBytes); err != nil {
		return nil, "strings: " + err.Error()
	}
	book := &workbook{limits: limits, strings: shared, styles: []Style{{}, {ID: 1, Class: FormatDate}}}
	text := "<worksheet><sheetData>" + rows + "</sheetData></worksheet>"
	s := newSheetRows(&Sheet{book: book}, &part{body: openReader{strings.NewReader(text)}, limit: 1 << 30})
	s.m.buf = make([]byte, window)
	for s.Next() {
		r := s.Row()
		r.Cells, r.Typed = append([]string(nil), r.Cells...), append([]Cell(nil), r.Typed...)
		all = append(all, r)
	}
	if s.Err() != nil {
		refused = s.Err().Error()
	}
	return all, refused
}

// TestPlainCellsReadLikeTokens writes the same sheet once more so that nothing in it is plain: with a tab where a blank stands, and a
// blank where nothing does.
func TestPlainCellsReadLikeTokens(t *testing.T) {
	tokens := strings.NewReplacer("<c ", "<c\t", "<si>", "<si >")
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		text := func() string {
			return someOf(t, "text", 0, 4, "a", "7", "1.50", " ", "ñ", "_x0041_", "_", "&amp;", "&x;", "\r\n", "\xff", "<b/>", "<![CDATA[c]]>", strings.Repeat("x", 30))
		}
		var items, rows strings.Builder
		for range rapid.IntRange(0, 4).Draw(t, "items") {
			items.WriteString(someOf(t, "item", 1, 1, "<si><t>", "<si><t xml:space=\"preserve\">", "<si><r><t>") + text() +
				someOf(t, "close", 1, 1, "</t></si>", "</t></si>", "</t></r></si>", "</t></si><si/>"))
		}
		for i := range rapid.IntRange(1, 3).Draw(t, "rows") {
			line := string(rune('1' + i))
			rows.WriteString(`<row r="` + line + `">`)
			for j := range rapid.IntRange(0, 5).Draw(t, "cells") {
				at := ` r="` + someOf(t, "column", 1, 1, string(rune('A'+j)), string(rune('A'+j)), string(rune('A'+j)), "A", "AZ", "", "é") + line + `"`
				other := someOf(t, "other", 0, 2, ` s="1"`, ` s="9"`, ` t="s"`, ` t="str"`, ` t="inlineStr"`, ` t="b"`, ` t="x1"`, ` cm="1"`, ` s='1'`)
				rows.WriteString("<c" + someOf(t, "order", 1, 1, at+other, other+at, other))
				switch content := text(); rapid.IntRange(0, 6).Draw(t, "content") {
				case 0:
					rows.WriteString("/>")
				case 1:
					rows.WriteString("><is><t>" + content + "</t></is></c>")
				case 2:
					rows.WriteString("><f>" + content + "</f><v>1</v></c>")
				case 3:
					rows.WriteString("><v>" + content + "</v><v>2</v></c>")
				case 4:
					rows.WriteString("><v>" + someOf(t, "number", 1, 1, "0", "1", " 2", "12.5", "12.50", "99") + "</v></c>")
				default:
					rows.WriteString("><v>" + content + "</v></c>")
				}
			}
			rows.WriteString("</row>")
		}
		window := rapid.SampledFrom([]int{3, 50, 1 << 16}).Draw(t, "window")
		want, wantRefused := readMarkup(tokens.Replace(rows.String()), tokens.Replace(items.String()), window)
		got, refused := readMarkup(rows.String(), items.String(), window)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Style{})); diff != "" || refused != wantRefused {
			t.Fatalf("%s\n%s\nrefused %q, want %q (-want +got):\n%s", items.String(), rows.String(), refused, wantRefused, diff)
		}
		if wantRefused == "" && len(want) > 0 {
			plain++
		}
	})
	if plain == 0 {
		t.Error("nothing was ever readable")
	}
}

// TestPlainNumbersAreAsWritten holds the short way for numbers against the long one.
func TestPlainNumbersAreAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := someOf(t, "number", 0, 17, "0", "1", "5", "9", "00", ".", "12345678", "-", "E")
		if !isPlainNumber([]byte(raw)) {
			return
		}
		n, ok := scanDecimal([]byte(raw))
		n.round()
		want := "0"
		if len(n.digits) > 0 {
			want = string(n.append(nil))
		}
		if !ok || want != raw {
			t.Fatalf("%s reads %s, %v", raw, want, ok)
		}
	})
}

// TestCellThatIsNotPlainIsLeftAsItIs holds that the bytes of a cell which turns out not to be plain are the tokens' as they were.
func TestCellThatIsNotPlainIsLeftAsItIs(t *testing.T) {
	for _, end := range []string{"</t> </is></c>", "</t></is>\n</c>", `</t><phoneticPr fontId="1"/></is></c>`} {
		rows, refused := readMarkup(`<row r="1"><c r="A1" t="inlineStr"><is><t>L_x0041_mpara`+end+"</row>", "", 1<<16)
		if refused != "" || len(rows) != 1 || rows[0].Cells[0] != "LAmpara" {
			t.Errorf("%q: %v, %s", end, rows, refused)
		}
	}
}
