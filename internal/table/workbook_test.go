package table

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func TestSheet(t *testing.T) {
	for _, c := range []struct {
		name string
		book book
		want []string
	}{
		{
			"every type",
			newBook(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>in line</t></is></c><c r="C1"><v>10.5</v></c>` +
				`<c r="D1" t="n"><v>7</v></c><c r="E1" t="b"><v>1</v></c><c r="F1" t="b"><v>0</v></c><c r="G1" t="e"><v>#N/A</v></c>` +
				`<c r="H1" t="str"><f>A1&amp;B1</f><v>both</v></c><c r="I1" t="d"><v>2026-11-22</v></c></row>`).withStrings("<t>shared</t>"),
			[]string{"1: shared|in line|10.5 number|7 number|1 bool shown TRUE|0 bool shown FALSE|#N/A error|both formula|2026-11-22 date"},
		},
		{
			"formulas",
			newBook(`<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1"><f>A1*2</f></c><c r="C1"><f>A1*2</f><v></v></c><c r="D1"><f>A1&lt;2</f><v/></c>` +
				`<c r="E1" t="str"><f>IF(A1,"","")</f><v></v></c><c r="F1" t="str"><f>X</f></c><c r="G1"><f t="shared" si="0"/></c>` +
				`<c r="H1" t="b"><f>A1=2</f><v>1</v></c><c r="I1" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>`),
			[]string{
				"1: 2 number formula|=A1*2 uncalculated|=A1*2 uncalculated|=A1<2 uncalculated||=X uncalculated|= uncalculated|" +
					"1 bool formula shown TRUE|#DIV/0! error formula",
			},
		},
		{
			"rich text, and phonetic runs left out",
			newBook(`<row r="1"><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="inlineStr"><is><r><t>a</t></r><r><t> b</t></r></is></c></row>`).
				withStrings(`<r><rPr><b/></rPr><t xml:space="preserve">Galletitas </t></r><r><t>de limón</t></r>`,
					`<t>東京</t><rPh sb="0" eb="2"><t>とうきょう</t></rPh><phoneticPr fontId="1"/>`, ``),
			[]string{"1: Galletitas de limón|東京||a b"},
		},
		{
			"references, CDATA, comments, prefixes and line ends",
			book{}.merge(newBook(`<x:row r="2"><!-- <c> --><x:c r='A2' t="inlineStr"><x:is><x:t>a &amp; b &lt;c&gt; &#241;&#xF1;&quot;&apos;</x:t></x:is></x:c>` +
				`<x:c t="inlineStr"><x:is><x:t><![CDATA[<&amp;>]]></x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:t>1` + "\r\n2\r3" + `_x000D_4_x005F_x000D_</x:t></x:is></x:c></x:row>`)),
			[]string{"2: a & b <c> ññ\"'|<&amp;>|1\n2\n3\r4_x000D_"},
		},
		{
			"without references and dimension",
			newBook(`<row><c><v>1</v></c><c><v>2</v></c></row><row/><row r="5"><c r="C5"><v>3</v></c><c><v>4</v></c></row><row><c><v>5</v></c></row>`),
			[]string{"1: 1 number|2 number", "5: ||3 number|4 number", "6: 5 number"},
		},
		{
			"formatted and not filled",
			newBook(`<row r="1" s="1" customFormat="1"><c r="A1" s="1"/><c r="B1" s="1"></c></row><row r="2"><c r="A2"><v>1</v></c><c r="XFD2" s="1"/></row>` +
				`<row r="1048576"><c r="A1048576" t="inlineStr"><is><t></t></is></c></row>`),
			[]string{"2: 1 number"},
		},
		{
			"hidden rows and columns",
			newBook(`<row r="1" hidden="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row><row r="2" hidden="true"><c r="C2"><v>3</v></c></row>`).
				replace("xl/worksheets/sheet1.xml", "<sheetData>", `<cols><col min="1" max="1" width="9"/><col min="2" max="3" hidden="1"/></cols><sheetData>`),
			[]string{"1 hidden: 1 number|2 number hidden", "2 hidden: ||3 number hidden"},
		},
		{
			"formats",
			newBook(`<row r="1"><c s="1"><v>12345670</v></c><c s="2"><v>0.15</v></c><c s="3"><v>46348</v></c><c s="4"><v>7790895000997</v></c>`+
				`<c s="5"><v>1234.5</v></c><c s="3"><v>46348.75</v></c><c s="3"><v>0.5</v></c><c s="99"><v>1</v></c><c s="6" t="inlineStr"><is><t>007</t></is></c></row>`).
				withFormats("0000000000000", "0%", "dd/mm/yyyy", "0.00E+00", `"$" #,##0.00`, "@"),
			[]string{
				"1: 12345670 number shown 0000012345670|0.15 number shown 15%|46348 date shown 2026-11-22|7790895000997 number|1234.5 number|" +
					"46348.75 date shown 2026-11-22 18:00:00|0.5 date shown 12:00:00|1 number|007",
			},
		},
		{
			"days from 1904",
			newBook(`<row r="1"><c s="1"><v>44886</v></c></row>`).withFormats("d-m-yy").
				replace("xl/workbook.xml", "<sheets>", `<workbookPr date1904="1"/><sheets>`),
			[]string{"1: 44886 date shown 2026-11-22"},
		},
		{
			"a long formula is cut between letters",
			newBook(`<row r="1"><c><f>` + strings.Repeat("é", 300) + `</f></c></row>`),
			[]string{"1: =" + strings.Repeat("é", 100) + " uncalculated"},
		},
		{
			"a number that is none is text",
			newBook(`<row r="1"><c><v>1,5</v></c><c><v>1e999</v></c><c><v> 12 </v></c></row>`),
			[]string{"1: 1,5|1e999|12 number"},
		},
		{
			"what else may stand in rows and cells",
			newBook(`<row r="1"><extLst><ext><c><v>9</v></c></ext></extLst><c r="A1"><extLst><ext><v>9</v></ext></extLst><v>1</v></c></row>`).
				replace("xl/worksheets/sheet1.xml", "</sheetData>", `</sheetData><mergeCells count="1"><mergeCell ref="A1:C1"/></mergeCells>`),
			[]string{"1: 1 number"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(t, openBook(t, c.book.save(t), Options{}).Sheets()[0])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// merge copies the parts of another book.
func (b book) merge(other book) book {
	for name, content := range other {
		b[name] = content
	}
	return b
}

func TestSheets(t *testing.T) {
	b := newSheets("Precios &amp; más", "<row><c><v>1</v></c></row>", "-Viejos", "<row><c><v>2</v></c></row>", "Tercera", "")
	b.with("chartsheet", "").replace("xl/workbook.xml", "</sheets>", `<sheet name="Gráfico" sheetId="9" r:id="xchartsheet"/></sheets>`)
	var got []string
	for _, s := range openBook(t, b.save(t), Options{}).Sheets() {
		rows, err := read(t, s)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(s.Name, " ", s.Hidden, " ", rows, " ", s.Format().Sheet == s.Name))
	}
	want := []string{"Precios & más false [1: 1 number] true", "Viejos true [1: 2 number] true", "Tercera false [] true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
}

// Strict packages have other type addresses, some programs write backslashes or capitals, and XML may be UTF-16.
func TestPackagesOfOtherPrograms(t *testing.T) {
	row := `<row><c t="inlineStr"><is><t>ñ</t></is></c></row>`
	rename := func(from, to string) book {
		b := newBook(row)
		b[to] = b[from]
		delete(b, from)
		return b
	}
	strict := newBook(row)
	for name, content := range strict {
		strict[name] = strings.ReplaceAll(content, relationship, "http://purl.oclc.org/ooxml/officeDocument/relationships")
	}
	wide := newBook(row)
	for _, part := range []string{"xl/workbook.xml", "xl/worksheets/sheet1.xml"} {
		wide[part] = "\xff\xfe" + utf16Text("le", strings.Replace(wide[part], "UTF-8", "UTF-16", 1))
	}
	marked := newBook(row)
	marked["xl/worksheets/sheet1.xml"] = "\xef\xbb\xbf" + marked["xl/worksheets/sheet1.xml"]
	for name, b := range map[string]book{
		"strict": strict, "UTF-16": wide, "byte order mark": marked,
		"backslashes": rename("xl/worksheets/sheet1.xml", `xl\worksheets\sheet1.xml`),
		"capitals":    rename("xl/workbook.xml", "XL/Workbook.xml"),
		"absolute":    newBook(row).replace("_rels/.rels", `Target="xl/`, `Target="/xl/`),
	} {
		got, err := read(t, openBook(t, b.save(t), Options{}).Sheets()[0])
		if err != nil || !slices.Equal(got, []string{"1: ñ"}) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// refusalOf opens the book and reads its sheets until something refuses it.
func refusalOf(t *testing.T, path string, o Options) string {
	t.Helper()
	tab, err := Open(path, o)
	if err == nil {
		defer tab.Close()
		for _, s := range tab.Sheets() {
			if _, err = read(t, s); err != nil {
				break
			}
		}
	}
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		return fmt.Sprint("no refusal: ", err)
	}
	return strings.TrimSpace(string(refusal.Kind) + " " + strings.Join(refusal.Args, " "))
}

func TestHostileWorkbooks(t *testing.T) {
	const sheet = "xl/worksheets/sheet1.xml"
	ok := `<row r="1"><c r="A1"><v>1</v></c></row>`
	without := func(part string) book {
		b := newBook(ok)
		delete(b, part)
		return b
	}
	many := newSheets(slices.Repeat([]string{"H", ""}, 201)...)
	for _, c := range []struct {
		name string
		book book
		want string
	}{
		{"no relations", without("_rels/.rels"), "damaged _rels/.rels"},
		{"no workbook", without("xl/workbook.xml"), "damaged xl/workbook.xml"},
		{"no relations of the workbook", without("xl/_rels/workbook.xml.rels"), "damaged xl/_rels/workbook.xml.rels"},
		{"no sheet", without(sheet), "damaged Hoja1"},
		{"no such relation", newBook(ok).replace("xl/workbook.xml", "rId1", "rId7"), "damaged Hoja1"},
		{"relation to outside", newBook(ok).replace("xl/_rels/workbook.xml.rels", `Target="worksheets`, `TargetMode="External" Target="http://x`), "damaged Hoja1"},
		{"relation that climbs out", newBook(ok).replace("xl/_rels/workbook.xml.rels", `Target="`, `Target="../../../../etc/`), "damaged Hoja1"},
		{"entities", newBook(ok).replace(sheet, "<worksheet>", `<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>`), "damaged " + sheet},
		{"an entity", newBook(`<row><c t="str"><v>&a;</v></c></row>`), "damaged " + sheet + " 1"},
		{"a reference to no character", newBook(`<row><c t="str"><v>&#xD800;</v></c></row>`), "damaged " + sheet + " 1"},
		{"no text", newBook(`<row r="4"><c t="str"><v>a` + "\xff" + `</v></c></row>`), "encoding utf-8 ff 4"},
		{"Latin-1", newBook(ok).replace(sheet, "UTF-8", "ISO-8859-1"), "damaged " + sheet},
		{"cut off", newBook(ok).replace(sheet, "</c></row></sheetData></worksheet>", ""), "damaged " + sheet + " 1"},
		{"cut off in a tag", newBook(ok+"<row r=").replace(sheet, "</sheetData></worksheet>", ""), "damaged " + sheet + " 1"},
		{"no rows at all", book{sheet: "<html>"}.over(newBook("")), "damaged " + sheet},
		{"row behind the last", newBook(ok + `<row r="1048577"><c><v>1</v></c></row>`), "limit rows 1048576 1"},
		{"absurd row", newBook(ok + `<row r="1000000000"><c><v>1</v></c></row>`), "damaged " + sheet + " 1"},
		{"row that overflows", newBook(`<row r="99999999999999999999"/>`), "damaged " + sheet},
		{"row zero", newBook(`<row r="0"/>`), "damaged " + sheet},
		{"row twice", newBook(ok + ok), "damaged " + sheet + " 1"},
		{"rows backwards", newBook(`<row r="7"/><row r="6"/>`), "damaged " + sheet + " 7"},
		{"column behind the last", newBook(`<row r="2"><c r="XFE2"><v>1</v></c></row>`), "damaged " + sheet + " 2"},
		{"absurd column", newBook(`<row r="2"><c r="ZZZZZZ2"><v>1</v></c></row>`), "damaged " + sheet + " 2"},
		{"column beyond the limit", newBook(`<row r="2"><c r="ALM2"><v>1</v></c></row>`), "limit columns 1000 2"},
		{"cell twice", newBook(`<row><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>`), "damaged " + sheet + " 1"},
		{"cells backwards", newBook(`<row><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>`), "damaged " + sheet + " 1"},
		{"cell in another row", newBook(`<row r="2"><c r="A3"><v>1</v></c></row>`), "damaged " + sheet + " 2"},
		{"two values", newBook(`<row><c t="str"><v>1</v><is><t>2</t></is></c></row>`), "damaged " + sheet + " 1"},
		{"absurdly many columns", newBook(ok).replace(sheet, "<sheetData>", strings.Repeat("<col/>", maxColumn+1)+"<sheetData>"), "damaged " + sheet},
		{"unknown type", newBook(`<row><c t="zip"><v>1</v></c></row>`), "damaged " + sheet + " 1"},
		{"no such string", newBook(`<row r="3"><c t="s"><v>1</v></c></row>`).withStrings("<t>a</t>"), "damaged " + sheet + " 3"},
		{"no strings", newBook(`<row r="3"><c t="s"><v>0</v></c></row>`), "damaged " + sheet + " 3"},
		{"string that is no number", newBook(`<row r="3"><c t="s"><v>-1</v></c></row>`).withStrings("<t>a</t>"), "damaged " + sheet + " 3"},
		{"long cell", newBook(`<row r="3"><c t="str"><v>` + strings.Repeat("é", 33_000) + `</v></c></row>`), "limit cell bytes 65536 3"},
		{"long string", newBook(ok).withStrings("<t>" + strings.Repeat("é", 33_000) + "</t>"), "limit cell bytes 65536 0"},
		{"long tag", newBook(`<row r="3" x="` + strings.Repeat("é", 1<<20) + `"/>`), "damaged " + sheet},
		{"too many sheets", many, "limit sheets 200 0"},
		{"no sheets", newBook(ok).replace("xl/workbook.xml", "<sheet name", "<leaf name"), "empty"},
		{"two parts of one name", book{"XL/Worksheets/sheet1.xml": ""}.merge(newBook(ok)), "damaged " + sheet},
		{"a bomb", newBook(ok).replace(sheet, "<worksheet>", "<worksheet>"+strings.Repeat(" ", 17<<20)), "limit unzipped bytes 16777216 0"},
		{"a binary workbook", newBook(ok).replace("_rels/.rels", "workbook.xml", "workbook.bin"), "not-a-table xlsb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refusalOf(t, c.book.save(t), Options{}); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// over copies the parts of another book that this one does not have.
func (b book) over(other book) book {
	for name, content := range other {
		if _, ok := b[name]; !ok {
			b[name] = content
		}
	}
	return b
}

// A package that is cut anywhere, or has any byte changed, is refused or reads the same: never something else, never a crash.
func TestDamagedPackage(t *testing.T) {
	path := newBook(`<row r="1"><c t="s"><v>0</v></c><c s="1"><v>12.5</v></c></row>`).withStrings("<t>a</t>").withFormats("0%").save(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := read(t, openBook(t, path, Options{}).Sheets()[0])
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		tab, err := Open(path, Options{})
		if err == nil {
			defer tab.Close()
			var got []string
			if got, err = read(t, tab.Sheets()[0]); err == nil && !slices.Equal(got, whole) && len(content) >= 4 {
				t.Errorf("%s: %q", what, got)
			}
		}
		if _, ok := errors.AsType[*Refusal](err); err != nil && !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	for n := 0; n < len(data); n += 7 {
		check(fmt.Sprint("cut at ", n), data[:n])
		changed := slices.Clone(data)
		changed[n] ^= 0x11
		check(fmt.Sprint("changed at ", n), changed)
	}
}

func TestEncryptedWorkbook(t *testing.T) {
	name := ""
	for _, u := range utf16.Encode([]rune("EncryptedPackage")) {
		name += string([]byte{byte(u), byte(u >> 8)})
	}
	old := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 2000)
	for want, content := range map[string]string{"not-a-table encrypted": old + name, "not-a-table xls": old} {
		if got := refusalOf(t, write(t, content), Options{}); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
