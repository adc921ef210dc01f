package table

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// charmaps are the code pages as the Go project has them.
var charmaps = map[Encoding]*charmap.Charmap{
	Windows1252: charmap.Windows1252, Latin9: charmap.ISO8859_15, CP850: charmap.CodePage850,
}

// Every defined byte decodes as in the tables of the Go project; those that no text has are named.
func TestPages(t *testing.T) {
	undefined := map[Encoding]string{Windows1252: "\x81\x8d\x8f\x90\x9d"}
	for c := 0x80; c < 0xa0; c++ {
		undefined[Latin9] += string([]byte{byte(c)})
	}
	for _, p := range pages {
		for c := 0x80; c <= 0xff; c++ {
			text, bad := p.append(nil, []byte{'<', byte(c), '>'})
			if strings.IndexByte(undefined[p.name], byte(c)) >= 0 {
				if bad != 1 {
					t.Errorf("%s %X: bad byte at %d, want 1", p.name, c, bad)
				}
				continue
			}
			if want := "<" + string(charmaps[p.name].DecodeByte(byte(c))) + ">"; string(text) != want || bad != -1 {
				t.Errorf("%s %X: %q, want %q; bad %d", p.name, c, text, want, bad)
			}
		}
	}
}

// Names as price lists have them, in the encodings that they come in.
func TestCodePagesApart(t *testing.T) {
	lists := map[string]string{
		"spanish":          "Azúcar ruña\nJamón ibérico\nMaíz\nPiña\nCamarón N° 5\nChampiñón ½ kg\n¡Oferta!\nPingüino\n",
		"spanish capitals": "AZÚCAR\nJAMÓN\nMAÍZ\nPIÑA\nCAMARÓN\nCHAMPIÑÓN\nTÉ\n",
		"portuguese":       "Açúcar\nPão de queijo\nMaçã\nFeijão\nAçaí\nÓleo\nPromoções à vista\nCafé\nPêssego\n",
		"one word":         "Jabón\n",
	}
	for name, list := range lists {
		for _, test := range []struct {
			name string
			page *charmap.Charmap
			want Encoding // "" = refused
		}{
			{"windows-1252", charmap.Windows1252, Windows1252},
			{"iso-8859-1", charmap.ISO8859_1, Windows1252}, // the same, as far as text goes
			{"dos 850", charmap.CodePage850, CP850},
			{"dos 437", charmap.CodePage437, CP850}, // the same, as far as it has our letters
			{"mac", charmap.Macintosh, ""},
		} {
			raw, err := test.page.NewEncoder().String(list)
			if err != nil {
				continue // the page lacks letters
			}
			rows, got, err := readAll(t, raw, Options{})
			if test.want == "" {
				if err == nil {
					t.Errorf("%s in %s is %s: %q", name, test.name, got.Encoding, rows)
				}
				continue
			}
			if err != nil || got.Encoding != test.want {
				t.Errorf("%s in %s is %s, error %v, want %s", name, test.name, got.Encoding, err, test.want)
			} else if text := strings.Join(rows, "\n") + "\n"; text != list {
				t.Errorf("%s in %s reads %q, want %q", name, test.name, text, list)
			}
		}
	}
}

// readAll returns the rows of a text, with "|" between the cells, and its format.
func readAll(t testing.TB, content string, o Options) ([]string, Format, error) {
	t.Helper()
	tab, err := Open(write(t, content), o)
	if err != nil {
		return nil, Format{}, err
	}
	rows, err := collect(t, tab)
	var texts []string
	for _, r := range rows {
		texts = append(texts, strings.Join(r.Cells, "|"))
	}
	return texts, tab.Sheets()[0].Format(), err
}

func TestWindows1252Signs(t *testing.T) {
	for _, text := range []string{
		"caf\xe9 l\xe9gal", "Coca\xa0Cola", "1\xa0234,50", "precio \x80 5", "N\xba 3 \x96 fino", "L\x92Or\xe9al", "H\xe4agen", "5 \xb5m", "1\xaa calidad",
		"\x93Art\xedculo\x94", "CAMI\xf3N", "\xd810 mm", "marca\xae", "\xbfQu\xe9?", "20\xb0C", "2 \xd7 1", "Cura\xe7ao", "\xe0 vista",
	} {
		tab, err := Open(write(t, "name\n"+text+"\n"), Options{})
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if f := tab.Sheets()[0].Format(); f.Encoding != Windows1252 || !strings.Contains(f.Evidence, "Windows-1252") {
			t.Errorf("%q: %s, %s", text, f.Encoding, f.Evidence)
		}
	}
}

// Characters that lie across the edges of the blocks that the survey reads are whole.
func TestSurveyAcrossBlocks(t *testing.T) {
	for shift := range 9 {
		for _, c := range []string{"ñ", "€", "😀"} {
			content := strings.Repeat("x", headSize-8+shift) + c + strings.Repeat("y", headSize-4) + c + "\n"
			var s survey
			if err := s.read(strings.NewReader(content)); err != nil {
				t.Fatal(err)
			}
			if s.multi != 2 || s.single != 0 {
				t.Errorf("%s shifted by %d: %d characters, %d single bytes", c, shift, s.multi, s.single)
			}
		}
		content := strings.Repeat("x", headSize-8+shift) + " \xf1o" + strings.Repeat("y", headSize) + " ma\xf1a\r\nb"
		var s survey
		if err := s.read(strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		if s.single != 2 || s.votes[0].good != 2 || s.firstSingle.offset != int64(headSize-7+shift) {
			t.Errorf("shifted by %d: %d single bytes, %d good pieces, the first at %d", shift, s.single, s.votes[0].good, s.firstSingle.offset)
		}
	}
}

// The line of a refusal is right behind many blocks, also where CR and LF lie in different ones.
func TestLineOfFarByte(t *testing.T) {
	for shift := range 3 {
		content := strings.Repeat("x", 5+shift) + "\r\n" + strings.Repeat("A1;10\r\n", 100_000) + "A2;x\x81\r\n"
		_, err := Open(write(t, content), Options{Encoding: Windows1252})
		if want := (&Refusal{RefusedEncoding, []string{"windows-1252", "81", "100002"}}).Error(); err == nil || err.Error() != want {
			t.Errorf("shift %d: %v, want %s", shift, err, want)
		}
	}
}

// UTF-16 of any text decodes as the Go project's decoder has it, in reads of any size.
func TestUTF16AsOracle(t *testing.T) {
	text := strings.Repeat("Ñandú 😀;€\r\nx;y\n", 9000)
	for _, e := range []Encoding{UTF16LE, UTF16BE} {
		order := unicode.LittleEndian
		if e == UTF16BE {
			order = unicode.BigEndian
		}
		raw, err := unicode.UTF16(order, unicode.IgnoreBOM).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{4, 5, 7, 4096} {
			r := newUTF16Reader(strings.NewReader(raw), e)
			var got []byte
			for buf := make([]byte, size); ; {
				n, err := r.Read(buf)
				got = append(got, buf[:n]...)
				if err != nil {
					break
				}
			}
			if string(got) != text || !utf8.Valid(got) {
				t.Errorf("%s in reads of %d: %d bytes, want %d", e, size, len(got), len(text))
			}
		}
	}
}

// archive makes a zip file with these entries.
func archive(t *testing.T, comment string, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		name, content, _ := strings.Cut(n, "=")
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestArchives(t *testing.T) {
	picture := "xl/media/image1.png=" + strings.Repeat("\x89", headSize)
	for _, test := range []struct {
		want, content string
	}{
		{"xlsb", archive(t, "", "xl/workbook.bin=")},
		{"xlsb", archive(t, "", picture, "xl/workbook.bin=")},
		{"ods", archive(t, "", "mimetype=application/vnd.oasis.opendocument.spreadsheet", "content.xml=")},
		{"word", archive(t, "", "word/document.xml=<x/>")},
		{"numbers", archive(t, "", picture, "Index/Document.iwa=", "Index/Tables/DataList.iwa=")},
		{"zip", archive(t, "", "sku.csv=a;b")},
		{"zip", archive(t, "")},
	} {
		_, err := Open(write(t, test.content), Options{})
		if want := refuseKind(test.want).Error(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestComplete(t *testing.T) {
	whole := archive(t, "a comment", "xl/workbook.xml=<x/>")
	for _, test := range []struct {
		name, content string
		want          bool
	}{
		{"empty", "", false},
		{"LF", "a;b\n", true},
		{"CR LF", "a;b\r\n", true},
		{"CR", "a;b\r", true},
		{"one byte", "\n", true},
		{"no end", "a;b\n1;2", false},
		{"end mark", "a;b\r\n\x1a", true},
		{"end mark behind a cell", "a;b\x1a", true},
		{"UTF-16 LE", "\xff\xfe" + utf16Text("le", "a;b\n"), true},
		{"UTF-16 LE, end mark", "\xff\xfe" + utf16Text("le", "a;b\r\n\x1a"), true},
		{"UTF-16 LE without mark", utf16Text("le", "a;b\r\n"), true},
		{"UTF-16 LE without mark, no end", utf16Text("le", "a;b\r\nx"), false},
		{"UTF-16 LE in the middle of the line end", "\xff\xfe" + utf16Text("le", "a;b") + "\n", false},
		{"UTF-16 BE", "\xfe\xff" + utf16Text("be", "a;b\n"), true},
		{"UTF-16 BE that ends in U+010A", "\xfe\xff" + utf16Text("be", "a;\u010a"), false},
		{"UTF-16 BE without mark", utf16Text("be", "a;b\n"), true},
		{"NULs where nothing is written yet", "a;b\n\x00\x00", false},
		{"archive", whole, true},
		{"archive, cut", whole[:len(whole)-1], false},
		{"archive, still growing", whole[:len(whole)/2], false},
		{"archive with something behind", whole + "x", false},
		{"archive with a record in its comment", archive(t, zipEndMark+"x", "a="), true},
	} {
		got, err := Complete(write(t, test.content))
		if err != nil || got != test.want {
			t.Errorf("%s: %v, error %v, want %v", test.name, got, err, test.want)
		}
	}
	if _, err := Complete(t.TempDir() + "/nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
