package table

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a hostile workbook may cost before it is refused, or found to be harmless. The house promises 128 MiB; the bytes counted here
// are all that were allocated, of which few ever live at a time, and yet they are far less.
const (
	hostileTime   = 2 * time.Second
	hostileMemory = 12 << 20
)

// Each of them would take a reader that trusts it more time or memory than the file is worth.
func TestHostileCosts(t *testing.T) {
	const (
		main  = "xl/workbook.xml"
		rels  = "xl/_rels/workbook.xml.rels"
		sheet = "xl/worksheets/sheet1.xml"
	)
	ok := `<row r="1"><c r="A1"><v>1</v></c></row>`
	long := strings.Repeat("x", 1<<19)
	runs := strings.Repeat("<r><t>"+long+"</t></r>", 12)
	pieces := strings.Repeat(long+"<!---->", 12)
	for _, c := range []struct {
		name string
		book book
		want string // "" when it is harmless
	}{
		{"a million empty rows", newBook(strings.Repeat("<row/>", maxRow)), ""},
		{"more rows than a sheet has", newBook(strings.Repeat("<row/>", maxRow+1)), "limit rows 1048576 1048576"},
		{"a million empty cells", newBook("<row>" + strings.Repeat("<c/>", 1<<20) + "</row>"), "damaged " + sheet + " 1"},
		{"a million elements in each other", newBook("<row>" + strings.Repeat("<a>", 1<<20)), "damaged " + sheet + " 1"},
		{"a text of many runs", newBook(`<row><c t="inlineStr"><is>` + runs + `</is></c></row>`), "limit cell bytes 65536 1"},
		{"a value of many pieces", newBook(`<row><c t="str"><v>` + pieces + `</v></c></row>`), "limit cell bytes 65536 1"},
		{"a formula of many pieces", newBook(`<row><c><f>` + pieces + `</f></c></row>`), "limit cell bytes 65536 1"},
		{"a shared text of many runs", newBook(ok).withStrings(runs), "limit cell bytes 65536 0"},
		{"long names of sheets", newSheets(slices.Repeat([]string{long, ""}, 12)...), "damaged " + main},
		{"long targets", newBook(ok).replace(rels, "</", repeat(12, `<Relationship Id="a%d" Type="a/b" Target="`+long+`"/>`)+"</"), "damaged " + rels},
		{"long formats", newBook(ok).withFormats(slices.Repeat([]string{long}, 12)...), "damaged xl/styles.xml"},
		{"ten thousand sheets", newBook(ok).replace(main, "</sheets>", repeat(10_000, `<sheet name="H%d" r:id="rId1"/>`)+"</sheets>"), "limit sheets 200 0"},
		{"ten thousand relations", newBook(ok).replace(rels, "</", repeat(maxRelations, `<Relationship Id="a%d" Type="a/b" Target="c"/>`)+"</"), "damaged " + rels},
		{"a bomb of strings", newBook(ok).withStrings(strings.Repeat(" ", 17<<20)), "limit unzipped bytes 16777216 0"},
	} {
		t.Run(c.name, func(t *testing.T) { costs(t, c.book.save(t), c.want) })
	}
}

// repeat repeats a pattern with the numbers from 1.
func repeat(n int, pattern string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, pattern, i+1)
	}
	return b.String()
}

// costs reads a workbook and holds it to what it may cost.
func costs(t *testing.T, path, want string) {
	t.Helper()
	if want == "" {
		want = "no refusal: <nil>"
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	got := refusalOf(t, path, Options{})
	spent := time.Since(start)
	runtime.ReadMemStats(&after)
	if spent > hostileTime { // once more: the machine may have been busy with something else
		start = time.Now()
		refusalOf(t, path, Options{})
		spent = time.Since(start)
	}
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if memory := after.TotalAlloc - before.TotalAlloc; memory > hostileMemory || spent > hostileTime {
		t.Errorf("took %v and %d MiB", spent, memory>>20)
	}
}

// The directory of a package may lie: about sizes, about how much there is of it, and with two names for one thing.
func TestHostilePackages(t *testing.T) {
	const sheet = "xl/worksheets/sheet1.xml"
	ok := `<row r="1"><c r="A1"><v>1</v></c></row>`
	for _, c := range []struct {
		name string
		add  func(z *zip.Writer) error
		skip string // part that add writes
		want string
	}{
		{"a bomb that tells a small size", func(z *zip.Writer) error { return liar(z, sheet, 17<<20) }, sheet, "damaged " + sheet},
		{"one part twice", func(z *zip.Writer) error { return store(z, sheet, "") }, "", "damaged " + sheet},
		{"two cases of one name", func(z *zip.Writer) error { return store(z, "XL/WORKSHEETS/sheet1.xml", "") }, "", "damaged XL/WORKSHEETS/sheet1.xml"},
		{"two slashes of one name", func(z *zip.Writer) error { return store(z, `xl\worksheets\sheet1.xml`, "") }, "", `damaged xl\worksheets\sheet1.xml`},
		{"a name from the root as well", func(z *zip.Writer) error { return store(z, "/"+sheet, "") }, "", "damaged /" + sheet},
		{"names that climb are other names", func(z *zip.Writer) error { return store(z, "xl/../xl/worksheets/sheet1.xml", "") }, sheet, "damaged Hoja1"},
		{"what climbs out is not read", func(z *zip.Writer) error { return store(z, "../../etc/passwd", "") }, "", "no refusal: <nil>"},
		{"parts without end", func(z *zip.Writer) error {
			for i := range 60 {
				if err := store(z, fmt.Sprint("xl/media/image", i, strings.Repeat("x", 20_000)), ""); err != nil {
					return err
				}
			}
			return nil
		}, "", "damaged"},
		{"another packing", func(z *zip.Writer) error {
			_, err := z.CreateRaw(&zip.FileHeader{Name: sheet, Method: 12})
			return err
		}, sheet, "damaged " + sheet},
		{"a password", func(z *zip.Writer) error {
			_, err := z.CreateRaw(&zip.FileHeader{Name: sheet, Flags: 1})
			return err
		}, sheet, "not-a-table encrypted"},
		{"a directory for a sheet", func(z *zip.Writer) error { return store(z, sheet+"/", "") }, sheet, "damaged Hoja1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBook(ok)
			delete(b, c.skip)
			var out bytes.Buffer
			z := zip.NewWriter(&out)
			for name, content := range b {
				must(t, store(z, name, content))
			}
			must(t, c.add(z))
			must(t, z.Close())
			got := write(t, out.String())
			costs(t, got, strings.TrimPrefix(c.want, "no refusal: <nil>"))
		})
	}
}

// store adds a part.
func store(z *zip.Writer, name, content string) error {
	w, err := z.Create(name)
	if err != nil || strings.HasSuffix(name, "/") {
		return err
	}
	_, err = w.Write([]byte(content))
	return err
}

// liar adds a sheet of so many bytes, of which the directory says that it has a hundred.
func liar(z *zip.Writer, name string, size int) error {
	var packed bytes.Buffer
	inner := zip.NewWriter(&packed)
	if err := store(inner, "x", "<worksheet>"+strings.Repeat(" ", size)); err != nil {
		return err
	}
	if err := inner.Close(); err != nil {
		return err
	}
	r, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		return err
	}
	h := r.File[0].FileHeader
	from, err := r.File[0].DataOffset()
	if err != nil {
		return err
	}
	h.Name, h.UncompressedSize64 = name, 100
	w, err := z.CreateRaw(&h)
	if err != nil {
		return err
	}
	_, err = w.Write(packed.Bytes()[from : from+int64(h.CompressedSize64)])
	return err
}

// The end of an archive says where its directory is, and may say anything.
func TestHostileDirectory(t *testing.T) {
	whole, err := os.ReadFile(newBook("").save(t))
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.LastIndex(whole, []byte(zipEndMark))
	for _, field := range []int{8, 10, 12, 16} {
		for _, v := range []uint32{0, 1, 0xffff, 1 << 20, 0x7fffffff, 0xffffffff} {
			changed := slices.Clone(whole)
			binary.LittleEndian.PutUint32(changed[end+field:], v)
			path := write(t, string(changed))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := refusalOf(t, path, Options{})
			runtime.ReadMemStats(&after)
			if strings.HasPrefix(got, "no refusal") && got != "no refusal: <nil>" || after.TotalAlloc-before.TotalAlloc > hostileMemory {
				t.Errorf("%d at %d: %s, %d bytes", v, field, got, after.TotalAlloc-before.TotalAlloc)
			}
		}
	}
}

// What could be read in two ways, or in none, is refused: in each part, and with every spelling of a number.
func TestHostileParts(t *testing.T) {
	const (
		sheet = "xl/worksheets/sheet1.xml"
		main  = "xl/workbook.xml"
		rels  = "xl/_rels/workbook.xml.rels"
	)
	ok := `<row r="1"><c r="A1"><v>1</v></c></row>`
	type hostile struct {
		name string
		book book
		want string
	}
	all := []hostile{
		{"a relation twice", newBook(ok).replace(rels, "</", `<Relationship Id="rId1" Type="a/worksheet" Target="worksheets/sheet2.xml"/></`), "damaged " + rels},
		{"two workbooks", newBook(ok).replace("_rels/.rels", "</", `<Relationship Id="rId0" Type="a/officeDocument" Target="xl/book.xml"/></`), "damaged xl/workbook.xml"},
		{"two lists of formats", newBook(ok).withFormats("0%").replace(rels, "</", `<Relationship Id="z" Type="a/styles" Target="styles2.xml"/></`), "damaged xl/styles2.xml"},
		{"two lists of strings", newBook(ok).withStrings("<t>a</t>").replace(rels, "</", `<Relationship Id="z" Type="a/sharedStrings" Target="a.xml"/></`), "damaged xl/sharedStrings.xml"},
		{"a file of the system", newBook(ok).replace(rels, `Target="worksheets/sheet1.xml"`, `Target="file:///etc/passwd"`), "damaged Hoja1"},
		{"a path of Windows", newBook(ok).replace(rels, `Target="worksheets/sheet1.xml"`, `Target="..\..\..\windows\win.ini"`), "damaged Hoja1"},
		{"UTF-16 without a mark", book{sheet: utf16Text("le", newBook(ok)[sheet])}.over(newBook(ok)), "damaged " + sheet},
		{"UTF-16 that is told and not so", newBook(ok).replace(sheet, "UTF-8", "UTF-32"), "damaged " + sheet},
		{"UTF-7", newBook(ok).replace(sheet, "UTF-8", "UTF-7"), "damaged " + sheet},
		{"half a character of UTF-16", book{sheet: "\xff\xfe" + utf16Text("le", newBook(ok)[sheet]) + "x"}.over(newBook(ok)), "encoding utf-16le 78 2"},
		{"rows twice", newBook(ok).replace(sheet, "</sheetData>", "</sheetData><sheetData>"+strings.ReplaceAll(ok, "1", "2")+"</sheetData>"), "damaged " + sheet + " 1"},
		{"cut off behind the rows", newBook(ok).replace(sheet, "</worksheet>", "<mergeCells"), "damaged " + sheet + " 1"},
	}
	doctype := `<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c SYSTEM "file:///etc/passwd">]>`
	for _, part := range []string{"_rels/.rels", main, rels, sheet, "xl/sharedStrings.xml", "xl/styles.xml"} {
		all = append(all, hostile{"entities in " + part, newBook(ok).withStrings("<t>a</t>").withFormats("0").replace(part, "?>", "?>"+doctype), "damaged " + part})
	}
	for _, r := range []string{"-1", "+1", "1.5", " 1", "0x1", "", "1e3", "١"} {
		all = append(all, hostile{"row " + r, newBook(`<row r="` + r + `"/>`), "damaged " + sheet})
	}
	for _, r := range []string{"A0", "1A", "A", "1", "", "$A$1", "A-1", "A 1", "A1:B1", "R1C1", "A01048577", "Á1", "AAAA1"} {
		all = append(all, hostile{"cell " + r, newBook(`<row r="1"><c r="` + r + `"><v>1</v></c></row>`), "damaged " + sheet + " 1"})
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) { costs(t, c.book.save(t), c.want) })
	}
}
