package table

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// write puts content into a file and returns its path.
func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// collect reads all rows; the cells are copied.
func collect(t testing.TB, tab *Table) ([]Row, error) {
	t.Helper()
	r, err := tab.Sheets()[0].Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	var rows []Row
	for r.Next() {
		rows = append(rows, Row{Line: r.Row().Line, Cells: append([]string{}, r.Row().Cells...)})
	}
	return rows, r.Err()
}

func mustOpen(t testing.TB, path string, o Options) *Table {
	t.Helper()
	tab, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func utf16Text(order, s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		if order == "le" {
			b.WriteByte(byte(u))
			b.WriteByte(byte(u >> 8))
		} else {
			b.WriteByte(byte(u >> 8))
			b.WriteByte(byte(u))
		}
	}
	return b.String()
}

func row(line int, cells ...string) Row { return Row{Line: line, Cells: cells} }

func TestRows(t *testing.T) {
	semicolons := Format{Encoding: UTF8, Evidence: "ASCII only", Delimiter: ';', LineEnd: "\n"}
	with := func(change func(*Format)) Format {
		f := semicolons
		change(&f)
		return f
	}
	tests := []struct {
		name    string
		content string
		format  Format
		want    []Row
	}{
		{
			"plain", "sku;price\nA1;10\nA2;20\n", semicolons,
			[]Row{row(1, "sku", "price"), row(2, "A1", "10"), row(3, "A2", "20")},
		},
		{
			"last line without end", "sku;price\nA1;10", semicolons,
			[]Row{row(1, "sku", "price"), row(2, "A1", "10")},
		},
		{
			"empty last cell at the end", "sku;price\nA1;", semicolons,
			[]Row{row(1, "sku", "price"), row(2, "A1", "")},
		},
		{
			"CR LF", "sku;price\r\nA1;10\r\n", with(func(f *Format) { f.LineEnd = "\r\n" }),
			[]Row{row(1, "sku", "price"), row(2, "A1", "10")},
		},
		{
			"CR", "sku;price\rA1;10\rA2;20", with(func(f *Format) { f.LineEnd = "\r" }),
			[]Row{row(1, "sku", "price"), row(2, "A1", "10"), row(3, "A2", "20")},
		},
		{
			"mixed line ends", "sku;price\r\nA1;10\nA2;20\rA3;30\n", semicolons,
			[]Row{row(1, "sku", "price"), row(2, "A1", "10"), row(3, "A2", "20"), row(4, "A3", "30")},
		},
		{
			"blank lines count", "\n\nsku;price\n\r\nA1;10\n\n\n", semicolons,
			[]Row{row(3, "sku", "price"), row(5, "A1", "10")},
		},
		{
			"a row of blanks is a row", "sku;price\n;\nA1;10\n", semicolons,
			[]Row{row(1, "sku", "price"), row(2, "", ""), row(3, "A1", "10")},
		},
		{
			"end mark of DOS", "sku;price\r\nA1;10\r\n\x1a", with(func(f *Format) { f.LineEnd = "\r\n" }),
			[]Row{row(1, "sku", "price"), row(2, "A1", "10")},
		},
		{
			"end marks behind a cell", "sku;price\nA1;10\x1a\x1a\x1a", semicolons,
			[]Row{row(1, "sku", "price"), row(2, "A1", "10")},
		},
		{
			"end mark elsewhere is text", "sku;price\nA1;1\x1a0\n", semicolons,
			[]Row{row(1, "sku", "price"), row(2, "A1", "1\x1a0")},
		},
		{
			"ragged", "sku;name;price\nA1;x\nA2;x;1;2\n", semicolons,
			[]Row{row(1, "sku", "name", "price"), row(2, "A1", "x"), row(3, "A2", "x", "1", "2")},
		},
		{
			"quotes", "sku;name\n\"A;1\";\"say \"\"hi\"\"\"\n\"\";\"\"\"\"\n", with(func(f *Format) { f.Quoted = true }),
			[]Row{row(1, "sku", "name"), row(2, "A;1", `say "hi"`), row(3, "", `"`)},
		},
		{
			"line breaks in quotes", "sku;name\nA1;\"one\ntwo\r\nthree\rfour\"\nA2;x\n", with(func(f *Format) { f.Quoted = true }),
			[]Row{row(1, "sku", "name"), row(2, "A1", "one\ntwo\r\nthree\rfour"), row(6, "A2", "x")},
		},
		{
			"quote at the very end", "sku;name\nA1;\"x\"", with(func(f *Format) { f.Quoted = true }),
			[]Row{row(1, "sku", "name"), row(2, "A1", "x")},
		},
		{
			"stray quote in a bare cell", "sku;name\nA1;tv 24\" full\nA2;a \"b\" c\n", semicolons,
			[]Row{row(1, "sku", "name"), row(2, "A1", `tv 24" full`), row(3, "A2", `a "b" c`)},
		},
		{
			"blanks behind a quote", "sku;name\n\"A1\" ;\"x\"  \n", with(func(f *Format) { f.Quoted = true }),
			[]Row{row(1, "sku", "name"), row(2, "A1", "x")},
		},
		{
			"quotes nobody doubled", "sku;name\n\"A1\";\"pipe 1/2\" steel\"\nA2;\"24\" tv\n", with(func(f *Format) { f.Quoted = true }),
			[]Row{row(1, "sku", "name"), row(2, "A1", `pipe 1/2" steel`), row(3, "A2", `"24" tv`)},
		},
		{
			"quote that never closes", "sku;name;price\nA1;\"Galleta;10,50\nA2;\"Pan \"\"x\"\"\";2\nA3;24\" tv;3\n",
			with(func(f *Format) { f.Quoted, f.QuotesPlain, f.StrayQuote = true, true, 2 }),
			[]Row{row(1, "sku", "name", "price"), row(2, "A1", `"Galleta`, "10,50"), row(3, "A2", `Pan "x"`, "2"), row(4, "A3", `24" tv`, "3")},
		},
		{
			"quote that swallows rows", "sku;name\nA1;\"forgot\nA2;\"closed\"\nA3;x\n",
			with(func(f *Format) { f.Quoted, f.QuotesPlain, f.StrayQuote = true, true, 2 }),
			[]Row{row(1, "sku", "name"), row(2, "A1", `"forgot`), row(3, "A2", "closed"), row(4, "A3", "x")},
		},
		{
			"quotes that fit together over rows", "sku;name;price\nA1;\"Galleta;10\nA2;Otra\";20\nA3;x;5\n",
			with(func(f *Format) { f.QuotesPlain, f.StrayQuote = true, 2 }),
			[]Row{row(1, "sku", "name", "price"), row(2, "A1", `"Galleta`, "10"), row(3, "A2", `Otra"`, "20"), row(4, "A3", "x", "5")},
		},
		{
			"a line break that looks like a row, in a file with titles", "list\nsku;name;price\nA1;\"one;1\ntwo;2\";20\nA3;x;5\n",
			with(func(f *Format) { f.Quoted = true }),
			[]Row{row(1, "list"), row(2, "sku", "name", "price"), row(3, "A1", "one;1\ntwo;2", "20"), row(5, "A3", "x", "5")},
		},
		{
			"stray quote in a code page", "sku;name\nA1;\"caf\xe9\nA2;Jam\xf3n\n",
			with(func(f *Format) {
				f.Encoding, f.Evidence, f.QuotesPlain, f.StrayQuote = Windows1252, "bytes 0xE9 0xF3 fit Spanish in Windows-1252", true, 2
				f.Quoted = false
			}),
			[]Row{row(1, "sku", "name"), row(2, "A1", `"café`), row(3, "A2", "Jamón")},
		},
		{
			"stray quote in UTF-16", "\xff\xfe" + utf16Text("le", "sku\tname\nA1\t\"ñ\nA2\tx\n"),
			Format{
				Encoding: UTF16LE, Evidence: "byte order mark", Delimiter: '\t', LineEnd: "\n", BOM: true, QuotesPlain: true, StrayQuote: 2,
			},
			[]Row{row(1, "sku", "name"), row(2, "A1", `"ñ`), row(3, "A2", "x")},
		},
		{
			"CP850", "sku;name\nA1;CAMAR\xe0N\nA2;PI\xa5A\nA3;\"az\xa3car;\"\n",
			with(func(f *Format) {
				f.Encoding, f.Evidence, f.Quoted = CP850, "bytes 0xA3 0xA5 fit Spanish in CP850", true
			}),
			[]Row{row(1, "sku", "name"), row(2, "A1", "CAMARÓN"), row(3, "A2", "PIÑA"), row(4, "A3", "azúcar;")},
		},
		{
			"ISO-8859-15", "sku;name\nA1;Jam\xf3n 5,50 \xa4\nA2;x\n",
			with(func(f *Format) { f.Encoding, f.Evidence = Latin9, "byte 0xF3 fits Spanish in ISO-8859-15" }),
			[]Row{row(1, "sku", "name"), row(2, "A1", "Jamón 5,50 €"), row(3, "A2", "x")},
		},
		{
			"sep line", "sep=;\nsku;price\nA1;1,5\n", with(func(f *Format) { f.SepLine = true }),
			[]Row{row(2, "sku", "price"), row(3, "A1", "1,5")},
		},
		{
			"sep line quoted, against the evidence", "\"SEP=|\"\r\na;b|c\r\n1;2|3\r\n",
			Format{Encoding: UTF8, Evidence: "ASCII only", Delimiter: '|', Quoted: true, LineEnd: "\r\n", SepLine: true},
			[]Row{row(2, "a;b", "c"), row(3, "1;2", "3")},
		},
		{
			"byte order mark", "\xef\xbb\xbf\"sku\";price\nñ;10\n",
			with(func(f *Format) { f.Quoted, f.BOM, f.Evidence = true, true, "byte order mark" }),
			[]Row{row(1, "sku", "price"), row(2, "ñ", "10")},
		},
		{
			"UTF-8", "sku;name\nA1;Ñandú €\n", with(func(f *Format) { f.Evidence = "strict UTF-8" }),
			[]Row{row(1, "sku", "name"), row(2, "A1", "Ñandú €")},
		},
		{
			"UTF-8 that happens to be pairs of Windows-1252 as well", "sku;name\nA1;Škoda\nA2;\xc5\xa0\n",
			with(func(f *Format) { f.Evidence = "strict UTF-8" }),
			[]Row{row(1, "sku", "name"), row(2, "A1", "Škoda"), row(3, "A2", "Š")},
		},
		{
			"Windows-1252", "sku;name\nA1;Camar\xf3n \x80\nA2;Ma\xedz\nA3;Salm\xf3n\n",
			with(func(f *Format) {
				f.Encoding, f.Evidence = Windows1252, "bytes 0xF3 0xED fit Spanish in Windows-1252"
			}),
			[]Row{row(1, "sku", "name"), row(2, "A1", "Camarón €"), row(3, "A2", "Maíz"), row(4, "A3", "Salmón")},
		},
		{
			"Windows-1252 in quotes", "sku;name\nA1;\"Camar\xf3n;\"\"A\xd1O\"\"\"\n\"\xf3\" x;\"caf\xe9\" ol\xe9\"\n",
			with(func(f *Format) {
				f.Encoding, f.Evidence, f.Quoted = Windows1252, "bytes 0xE9 0xF3 fit Spanish in Windows-1252", true
			}),
			[]Row{row(1, "sku", "name"), row(2, "A1", `Camarón;"AÑO"`), row(3, `"ó" x`, `café" olé`)},
		},
		{
			"Portuguese", "sku;nome\nA1;Ma\xe7\xe3\nA2;P\xe3o de a\xe7a\xed\nA3;PROMO\xc7\xc3O\n",
			with(func(f *Format) {
				f.Encoding, f.Evidence = Windows1252, "bytes 0xE3 0xE7 fit Portuguese in Windows-1252"
			}),
			[]Row{row(1, "sku", "nome"), row(2, "A1", "Maçã"), row(3, "A2", "Pão de açaí"), row(4, "A3", "PROMOÇÃO")},
		},
		{
			"capital before a sign, which is UTF-8 by accident", "sku;name\nA1;CAF\xc9\xae\nA2;Jam\xf3n\n",
			with(func(f *Format) {
				f.Encoding, f.Evidence = Windows1252, "bytes 0xC9 0xF3 fit Spanish in Windows-1252"
			}),
			[]Row{row(1, "sku", "name"), row(2, "A1", "CAFÉ®"), row(3, "A2", "Jamón")},
		},
		{
			"UTF-16 LE with mark", "\xff\xfe" + utf16Text("le", "sku;name\r\nA1;Ñandú 😀\r\n"),
			Format{Encoding: UTF16LE, Evidence: "byte order mark", Delimiter: ';', LineEnd: "\r\n", BOM: true},
			[]Row{row(1, "sku", "name"), row(2, "A1", "Ñandú 😀")},
		},
		{
			"UTF-16 BE with mark", "\xfe\xff" + utf16Text("be", "sku\tname\nA1\t\"Ñ\nx\"\n"),
			Format{Encoding: UTF16BE, Evidence: "byte order mark", Delimiter: '\t', LineEnd: "\n", BOM: true, Quoted: true},
			[]Row{row(1, "sku", "name"), row(2, "A1", "Ñ\nx")},
		},
		{
			"UTF-16 LE without", utf16Text("le", "sku;name\nA1;Ñandú €\n\x1a"),
			Format{Encoding: UTF16LE, Evidence: "every second byte is NUL", Delimiter: ';', LineEnd: "\n"},
			[]Row{row(1, "sku", "name"), row(2, "A1", "Ñandú €")},
		},
		{
			"UTF-16 BE without", utf16Text("be", "sku;name\nA1;Ñandú\n"),
			Format{Encoding: UTF16BE, Evidence: "every second byte is NUL", Delimiter: ';', LineEnd: "\n"},
			[]Row{row(1, "sku", "name"), row(2, "A1", "Ñandú")},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tab := mustOpen(t, write(t, test.content), Options{})
			if diff := cmp.Diff(test.format, tab.Sheets()[0].Format()); diff != "" {
				t.Errorf("format (-want +got):\n%s", diff)
			}
			for range 2 { // every pass begins at the top
				rows, err := collect(t, tab)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, rows); diff != "" {
					t.Fatalf("rows (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestDelimiter(t *testing.T) {
	tests := []struct {
		name, content string
		want          rune
	}{
		{"comma", "sku,price\nA1,10\n", ','},
		{"tab", "sku\tname\nA1\tx, y\nA2\tx; y\n", '\t'},
		{"pipe", "sku|name\nA1|x, y\nA2|x; y\n", '|'},
		{"decimal commas under a header", "sku;price\n1001;12,50\n1002;8,00\n1003;9,90\n", ';'},
		{"decimal commas in every column", "sku;a;b\n1;1,5;2,5\n2;1,5;2,5\n3;3,5;9,5\n", ';'},
		{"decimal commas without a header", "1001;12,50\n1002;8,00\n1003;9,90\n", ';'},
		{"decimal commas and ragged rows", "sku;name;price\n1;x;1,5\n2;x;y;2,5\n3;x;3,5\n4;a;b;c;4,5\n", ';'},
		{"a single column of decimal commas", "precio\n10,50\n20,30\n15,00\n", 0},
		{"numbers with commas between, no header", "1001,50\n1002,30\n1003,12\n", ','},
		{"titles above", "Lista de precios\nSucursal: Centro, Norte\n\nsku;name;price\n1;x;1\n2;y;2\n3;z;3\n", ';'},
		{"title with the other sign", "Precios, stock, ofertas\nsku;price\n1;2\n3;4\n", ';'},
		{"descriptions with commas", "sku;name\n1;milk, whole\n2;bread\n3;oil, olive, 1 l\n4;tea, green\n", ';'},
		{"descriptions with semicolons", "sku,name\n1,a; b\n2,c\n3,d\n", ','},
		{"lists in a column", "sku,tags\n1,a|b|c\n2,a|b|d\n3,e|f|g\n", ','},
		{"delimiter within quotes", "sku,name\n1,\"a;b\"\n2,\"c;d\"\n3,\"e;f\"\n", ','},
		{"single column", "sku\nA1\nA2\nA3\n", 0},
		{"single column with a comma now and then", "name\nmilk\noil, olive\ntea\nbread\nrice\nsugar\n", 0},
		{"single column with a sentence", "name\nmilk, whole\n", 0},
		{"header only", "sku;price", ';'},
		{"one word", "sku", 0},
		{"all quoted", "\"sku\";\"price\"\n\"A1\";\"1,5\"\n\"A2\";\"2,5\"\n", ';'},
		{"empty columns", ";;;\n;;;\nsku;name;price;\n1;x;1,5;\n", ';'},
		{"total line below", "sku;price\nA1;10,5\nA2;20,5\nTOTAL;;31\n", ';'},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := mustOpen(t, write(t, test.content), Options{}).Sheets()[0].Format().Delimiter; got != test.want {
				t.Errorf("delimiter %q, want %q", got, test.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name, content string
		o             Options
		want          Refusal
	}{
		{"empty", "", Options{}, Refusal{RefusedEmpty, nil}},
		{"blanks only", " \r\n\t\n\x1a", Options{}, Refusal{RefusedEmpty, nil}},
		{"byte order mark only", "\xff\xfe", Options{}, Refusal{RefusedEmpty, nil}},
		{"old excel", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Options{}, Refusal{RefusedKind, []string{"xls"}}},
		{"pdf", "%PDF-1.7\n%\xe2\xe3", Options{}, Refusal{RefusedKind, []string{"pdf"}}},
		{"rtf", `{\rtf1\ansi`, Options{}, Refusal{RefusedKind, []string{"rtf"}}},
		{"web page", "\xef\xbb\xbf\r\n <!DOCTYPE html><html>", Options{}, Refusal{RefusedKind, []string{"html"}}},
		{"web table", "<table border=1><tr><td>sku", Options{}, Refusal{RefusedKind, []string{"html"}}},
		{"xml in UTF-16", "\xff\xfe" + utf16Text("le", "<?xml version='1.0'?>"), Options{}, Refusal{RefusedKind, []string{"html"}}},
		{
			"XML of Excel 2003", `<?xml version="1.0"?>` + "\n" + `<?mso-application progid="Excel.Sheet"?><Workbook>`,
			Options{},
			Refusal{RefusedKind, []string{"xml"}},
		},
		{
			"XML of Excel 2003 without its program", `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">`,
			Options{},
			Refusal{RefusedKind, []string{"xml"}},
		},
		{"Numbers", "PK\x03\x04" + strings.Repeat("\x00", 26) + "Index/Document.iwa", Options{}, Refusal{RefusedKind, []string{"numbers"}}},
		{"Word", "PK\x03\x04" + strings.Repeat("\x00", 26) + "word/document.xml", Options{}, Refusal{RefusedKind, []string{"word"}}},
		{"old Word", oldMagic + "\xa1\xb1\x1a\xe1" + "W\x00o\x00r\x00d\x00D\x00o\x00c\x00u\x00m\x00e\x00n\x00t\x00", Options{}, Refusal{RefusedKind, []string{"word"}}},
		{
			"dBASE", "\x03\x7e\x03\x0c\x02\x00\x00\x00\x61\x00\x15\x00" + strings.Repeat("\x00", 20) + "CODIGO\x00\x00\x00\x00\x00C",
			Options{},
			Refusal{RefusedKind, []string{"dbf"}},
		},
		{"FoxPro", "\x30\x1a\x0b\x1e\x02\x00\x00\x00\x28\x01\x15\x00" + strings.Repeat("\x00", 30), Options{}, Refusal{RefusedKind, []string{"dbf"}}},
		{"a photo", "\xff\xd8\xff\xe0\x00\x10JFIF", Options{}, Refusal{RefusedKind, []string{"image"}}},
		{"a picture", "\x89PNG\r\n\x1a\n\x00\x00", Options{}, Refusal{RefusedKind, []string{"image"}}},
		{"a picture of a phone", "\x00\x00\x00\x18ftypheic\x00\x00", Options{}, Refusal{RefusedKind, []string{"image"}}},
		{"a picture of a chat", "RIFF\x10\x00\x00\x00WEBPVP8 ", Options{}, Refusal{RefusedKind, []string{"image"}}},
		{"gzip", "\x1f\x8b\x08\x08abc", Options{}, Refusal{RefusedKind, []string{"binary"}}},
		{"control characters", "a\x01\x02\x03\x04\x05", Options{}, Refusal{RefusedKind, []string{"binary"}}},
		{"NULs in front", "\x00\x00sku;price\n", Options{}, Refusal{RefusedNUL, []string{"1"}}},
		{"NULs behind", "sku;price\nA1;10\n\x00\x00\x00", Options{}, Refusal{RefusedNUL, []string{"3"}}},
		{"a NUL in a cell", "sku;name\r\nA1;Leche\x00\r\n", Options{}, Refusal{RefusedNUL, []string{"2"}}},
		{"NULs in a program", "\x7fELF\x02\x01\x01\x00\x00\x00\x02\x00", Options{}, Refusal{RefusedKind, []string{"binary"}}},
		{
			"NUL far behind", strings.Repeat("A1;10\n", headSize) + "\x00",
			Options{},
			Refusal{RefusedNUL, []string{"262145"}},
		},
		{
			"one word of two code pages", "sku;name\nA1;x\nA2;ca\xa0da 5\n",
			Options{},
			Refusal{RefusedGuess, []string{"windows-1252", "ca\u00a0da 5", "cp850", "caáda 5", "3"}},
		},
		{
			"two code pages, pasted together", "sku;name\nA1;Jam\xf3n\nA2;Jam\xa2n\n",
			Options{},
			Refusal{RefusedEncoding, []string{"windows-1252", "a2", "3"}},
		},
		{
			"configured ISO-8859-15", "sku;name\nA1;12 \x80\n",
			Options{Encoding: Latin9},
			Refusal{RefusedEncoding, []string{"iso-8859-15", "80", "2"}},
		},
		{"undefined byte", "sku;name\nA1;Jam\xf3n\nA2;x\x81\n", Options{}, Refusal{RefusedEncoding, []string{"windows-1252", "81", "3"}}},
		{
			"Cyrillic", "sku;name\nA1;\xcc\xee\xeb\xee\xea\xee\nA2;\xd5\xeb\xe5\xe1\n",
			Options{},
			Refusal{RefusedEncoding, []string{"windows-1252", "cc", "2"}},
		},
		{
			"UTF-8 with a broken byte", "sku;name\r\nA1;Ñandú\r\nA2;Jam\xf3n\r\n",
			Options{},
			Refusal{RefusedEncoding, []string{"utf-8", "f3", "3"}},
		},
		{
			"Windows-1252 with some UTF-8", "sku;name\nA1;Jam\xf3n\nA2;Ma\xedz\nA3;Ñ\n",
			Options{},
			Refusal{RefusedEncoding, []string{"windows-1252", "c391", "4"}},
		},
		{
			"mark of UTF-8 and another encoding", "\xef\xbb\xbfsku;name\nA1;Jam\xf3n\n",
			Options{Encoding: Windows1252},
			Refusal{RefusedEncoding, []string{"utf-8", "f3", "2"}},
		},
		{
			"configured UTF-8", "sku\nA1;Jam\xf3n\n",
			Options{Encoding: UTF8},
			Refusal{RefusedEncoding, []string{"utf-8", "f3", "2"}},
		},
		{
			"configured Windows-1252", "sku\rA1\rá\x8d\r",
			Options{Encoding: Windows1252},
			Refusal{RefusedEncoding, []string{"windows-1252", "8d", "3"}},
		},
		{
			"configured UTF-16", "sku;name\n1",
			Options{Encoding: UTF16LE},
			Refusal{RefusedEncoding, []string{"utf-16le", "736b", "1"}},
		},
		{
			"half a surrogate pair", utf16Text("be", "sku;name\r\nA1;plain\r\n\nA2;") + "\xd8\x3d\x00;",
			Options{},
			Refusal{RefusedEncoding, []string{"utf-16be", "d83d", "4"}},
		},
		{
			"odd byte at the end", "\xff\xfe" + utf16Text("le", "sku;name\n") + "a",
			Options{},
			Refusal{RefusedEncoding, []string{"utf-16le", "61", "2"}},
		},
		{
			"quote that never closes", "sku;name\n\nA1;\"x\ny\"\nA2;\"never\nA3;x\n",
			Options{},
			Refusal{RefusedQuote, []string{"5"}},
		},
		{
			"quote that swallows rows, and others that hold delimiters", "sku;name\nA1;\"forgot\nA2;\"closed\"\nA3;\"x;y\"\n",
			Options{},
			Refusal{RefusedQuote, []string{"2"}},
		},
		{
			"columns", "a;b;c\n1;2;3;4\n",
			Options{Limits: Limits{Columns: 3}},
			Refusal{RefusedLimit, []string{"columns", "3", "2"}},
		},
		{
			"columns with quotes", "a;b;c\n\n1;2;3;\"4\"\n",
			Options{Limits: Limits{Columns: 3}},
			Refusal{RefusedLimit, []string{"columns", "3", "3"}},
		},
		{
			"cell", "a;b;c\n1;2;34567\n1;2;3\n",
			Options{Limits: Limits{CellBytes: 4}},
			Refusal{RefusedLimit, []string{"cell bytes", "4", "2"}},
		},
		{
			"row", "a;b;c\n1;2;34567\n",
			Options{Limits: Limits{RowBytes: 8}},
			Refusal{RefusedLimit, []string{"row bytes", "8", "2"}},
		},
		{
			"row with quotes", "a;b;c\n1;2;\"34567\"\n",
			Options{Limits: Limits{RowBytes: 8}},
			Refusal{RefusedLimit, []string{"row bytes", "8", "2"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(write(t, test.content), test.o)
			got, ok := errors.AsType[*Refusal](err)
			if !ok {
				t.Fatalf("error %v, want a refusal", err)
			}
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if text := got.Error(); len(text) < 20 || strings.Contains(text, "line :") {
				t.Errorf("text %q", text)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "nothing.csv"), Options{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	_, err = Open(write(t, "sku;price\n"), Options{Encoding: "latin1"})
	if err == nil || !strings.Contains(err.Error(), `"latin1" is unknown; use auto`) {
		t.Errorf("an unknown encoding: %v", err)
	}
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("a folder was opened as a table")
	}
}
