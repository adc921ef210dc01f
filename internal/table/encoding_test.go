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

// Every defined byte decodes as in the table of the Go project; the five undefined ones are named.
func TestWindows1252Table(t *testing.T) {
	for c := 0x80; c <= 0xff; c++ {
		text, bad := appendWindows1252(nil, []byte{'<', byte(c), '>'})
		if strings.IndexByte("\x81\x8d\x8f\x90\x9d", byte(c)) >= 0 {
			if bad != 1 {
				t.Errorf("%X: bad byte at %d, want 1", c, bad)
			}
			continue
		}
		if want := "<" + string(charmap.Windows1252.DecodeByte(byte(c))) + ">"; string(text) != want || bad != -1 {
			t.Errorf("%X: %q, want %q; bad %d", c, text, want, bad)
		}
	}
}

// Names as price lists have them, in the encodings that they come in. Only Windows-1252 may be taken for it.
func TestCodePagesApart(t *testing.T) {
	lists := map[string]string{
		"spanish":          "Azúcar ruña\nJamón ibérico\nMaíz\nPiña\nCamarón N° 5\nChampiñón ½ kg\n¡Oferta!\nPingüino\n",
		"spanish capitals": "AZÚCAR\nJAMÓN\nMAÍZ\nPIÑA\nCAMARÓN\nCHAMPIÑÓN\nTÉ\n",
		"portuguese":       "Açúcar\nPão de queijo\nMaçã\nFeijão\nAçaí\nÓleo\nPromoções à vista\nCafé\nPêssego\n",
		"one word":         "Jabón\n",
	}
	pages := []struct {
		name string
		page *charmap.Charmap
		ok   bool
	}{
		{"windows-1252", charmap.Windows1252, true},
		{"iso-8859-1", charmap.ISO8859_1, true}, // the same, as far as text goes
		{"dos 850", charmap.CodePage850, false},
		{"dos 437", charmap.CodePage437, false},
		{"mac", charmap.Macintosh, false},
	}
	for name, list := range lists {
		for _, p := range pages {
			var raw []byte
			for _, r := range list {
				if c, ok := p.page.EncodeRune(r); ok {
					raw = append(raw, c)
				}
			}
			tab, err := Open(write(t, string(raw)), Options{})
			if (err == nil) != p.ok {
				t.Errorf("%s in %s: error %v, want one: %v", name, p.name, err, !p.ok)
			}
			if err == nil && tab.Sheets()[0].Format().Encoding != Windows1252 {
				t.Errorf("%s in %s is %s", name, p.name, tab.Sheets()[0].Format().Encoding)
			}
		}
	}
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
		content := strings.Repeat("x", headSize-8+shift) + "\xf1o" + strings.Repeat("y", headSize) + "\xe1\r\nb"
		var s survey
		if err := s.read(strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		if s.single != 2 || s.fit != 2 || s.firstSingle.offset != int64(headSize-8+shift) {
			t.Errorf("shifted by %d: %d single bytes, %d fit, the first at %d", shift, s.single, s.fit, s.firstSingle.offset)
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
		{"zip", archive(t, "", "word/document.xml=<x/>")},
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
