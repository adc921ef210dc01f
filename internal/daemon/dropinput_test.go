package daemon

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDropPageTakesAnything sends what people and programs choose by mistake, and worse.
func TestDropPageTakesAnything(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	zipped := func(parts map[string]string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for name, text := range parts {
			part, err := w.Create(name)
			if err == nil {
				_, err = part.Write([]byte(text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	const old = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" // of what Office wrote before 2007
	for name, one := range map[string]struct {
		file sentFile
		code int
		says string
		send bool
	}{
		"empty":               {text("precios.csv", ""), 200, "El archivo está vacío", false},
		"only a header":       {text("precios.csv", "Sucursal;Código;Precio\n"), 200, "Así no se puede usar", false},
		"an old workbook":     {sentFile{name: "precios.xls", data: append([]byte(old), make([]byte, 4096)...)}, 200, "Así no se puede usar", false},
		"a document":          {text("precios.pdf", "%PDF-1.7\n%âãÏÓ\n1 0 obj\n"), 200, "un documento PDF", false},
		"a document as a csv": {text("precios.csv", "%PDF-1.7\n%âãÏÓ\n1 0 obj\n"), 200, "un documento PDF", false},
		"a table of no name":  {text("precios.doc", liveExport), 422, "ninguna exportación toma el archivo", false},
		"hidden":              {text(".precios.csv", liveExport), 422, "ninguna exportación toma el archivo", false},
		"a lock":              {text("~$precios.xlsx", "x"), 422, "ninguna exportación toma el archivo", false},
		"an answer of ours":   {text("precios.csv.respuesta.txt", "x"), 422, "ninguna exportación toma el archivo", false},
		"an archive":          {sentFile{name: "precios.xlsx", data: zipped(map[string]string{"a.txt": "x"})}, 200, "Así no se puede usar", false},
		"a bomb": {sentFile{name: "precios.xlsx", data: zipped(map[string]string{
			"[Content_Types].xml": `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
			"_rels/.rels": `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
				`<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
			"xl/workbook.xml": `<?xml version="1.0"?>` + strings.Repeat(" ", 20<<20),
		})}, 200, "Así no se puede usar", false},
		"a huge cell":     {text("precios.csv", "Sucursal;Código;Precio\n001;\""+strings.Repeat("x", 2<<20)+"\";1,00\n"), 200, "Así no se puede usar", false},
		"cut off":         {text("precios.csv", "Sucursal;Código;Precio\n001;A1;1,00\n001;A2;1,"), 200, "Así se tomaría", true},
		"a path":          {text(`C:\\fakepath\\precios.csv`, liveExport), 200, "Enviar precios.csv", true},
		"a path upwards":  {text("../../precios.csv", liveExport), 200, "Enviar precios.csv", true},
		"a device":        {text("CON.csv", liveExport), 200, "Enviar _CON.csv", true},
		"a line end":      {sentFile{header: `form-data; name="file"; filename="pre%0d%0acios.csv"`, data: []byte(liveExport)}, 200, "Enviar pre", true},
		"latin-1":         {sentFile{header: "form-data; name=\"file\"; filename=\"\xf1and\xfa.csv\"", data: []byte(liveExport)}, 200, "Enviar _and_.csv", true},
		"encoded":         {sentFile{header: `form-data; name="file"; filename*=UTF-8''%C3%B1and%C3%BA.csv`, data: []byte(liveExport)}, 200, "Enviar ñandú.csv", true},
		"marks of others": {text("<script>alert(1)</script>.csv", liveExport), 200, "script_.csv", true},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			code, page := d.upload("", one.file)
			said := words(page)
			if code != one.code || !strings.Contains(said, one.says) || tokenIn.MatchString(page) != one.send {
				t.Errorf("%d, want %d and %q in:\n%s", code, one.code, one.says, said)
			}
			if strings.Contains(page, "<script>alert") {
				t.Error("a name is no text")
			}
			t.Logf("%v", time.Since(began).Round(time.Millisecond))
		})
	}
	if files, err := os.ReadDir(d.drops); err != nil || len(files) > 1 {
		t.Errorf("the drop folder holds %v, %v", files, err)
	}
}

// TestDropSeveralAtOnce sends files in one form, one of which can't be used.
func TestDropSeveralAtOnce(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	code, page := d.upload("precios", text("a.csv", liveExport), text("b.pdf", "%PDF-1.7\n"), text(".c.csv", "x"), text("d.csv", liveExport))
	all := tokenIn.FindAllStringSubmatch(page, -1)
	if code != http.StatusOK || len(all) != 2 || strings.Count(page, `<article class="result"`) != 4 {
		t.Fatalf("%d, %d can be sent:\n%s", code, len(all), words(page))
	}
	for _, one := range all {
		if code, _ := d.post("/drop/send", url.Values{"token": {one[1]}}); code != http.StatusOK {
			t.Errorf("sent: %d", code)
		}
	}
	d.await("both answers", func() bool { return d.receipt("a.csv") != "" && d.receipt("d.csv") != "" })
}

// TestDropPageAfterRestart sends what was previewed before the daemon started again.
func TestDropPageAfterRestart(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	_, page := d.upload("", text("precios.csv", liveExport))
	token := d.token(page)
	d.stop()
	if left, err := filepath.Glob(filepath.Join(d.cfg.State.Dir, incomingDir, "*", "file")); err != nil || len(left) != 1 {
		t.Fatalf("a process that ends leaves %v, %v", left, err)
	}
	d.start()
	d.serve()
	if left, err := filepath.Glob(filepath.Join(d.cfg.State.Dir, incomingDir, "*")); err != nil || len(left) != 0 {
		t.Errorf("swept: %v, %v", left, err)
	}
	code, page := d.post("/drop/send", url.Values{"token": {token}, "name": {"precios.csv"}})
	if code != http.StatusGone || !strings.Contains(words(page), "Elija el archivo otra vez") {
		t.Errorf("%d\n%s", code, words(page))
	}
}

// TestDropStarter sends a starter spreadsheet as it was downloaded.
func TestDropStarter(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	_, page := d.get("/drop")
	for _, name := range []string{"catalogo.xlsx", "promociones.xlsx"} {
		if !strings.Contains(page, `href="/starter/`+name+`"`) {
			t.Errorf("%s is not offered", name)
		}
	}
	code, book := d.get("/starter/catalogo.xlsx")
	if code != http.StatusOK {
		t.Fatalf("%d", code)
	}
	code, page = d.upload("", text("catalogo.xlsx", book))
	if said := words(page); code != http.StatusOK || !strings.Contains(said, "hoja “Catálogo”") || !strings.Contains(said, "1 artículo nuevo") {
		t.Errorf("%d\n%s", code, said)
	}
}

// TestDropPageDownloadsTheMarkedWorkbook follows a spreadsheet with a mistake to the copy in which it is marked.
func TestDropPageDownloadsTheMarkedWorkbook(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	_, page := d.upload("", text("precios.csv", strings.ReplaceAll(liveExport, "11,00", "gratis")))
	d.post("/drop/send", url.Values{"token": {d.token(page)}})
	d.await("the link to the copy", func() bool {
		_, page = d.get("/drop/answer/1")
		return strings.Contains(page, `href="/drop/answer/1/workbook"`)
	})
	code, book := d.get("/drop/answer/1/workbook")
	if code != http.StatusOK || !strings.HasPrefix(book, "PK") {
		t.Errorf("%d, %d bytes", code, len(book))
	}
	// The corrected copy comes back as what it is of.
	code, page = d.upload("", text("precios.csv.corregir.xlsx", book))
	if code != http.StatusOK || !strings.Contains(words(page), "Enviar precios.csv.corregir.xlsx") {
		t.Errorf("%d\n%s", code, words(page))
	}
	// Whoever writes to the folder may put a link there: it leads to nothing that only we may read.
	copies, err := filepath.Glob(filepath.Join(d.dir, "drop", "*", "*.xlsx"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies: %v, %v", copies, err)
	}
	if err := errors.Join(os.Rename(copies[0], copies[0]+".own"), os.Symlink(copies[0]+".own", copies[0])); err != nil {
		t.Skip("no links here: ", err)
	}
	if code, _ := d.get("/drop/answer/1/workbook"); code != http.StatusNotFound {
		t.Errorf("a link in its place: %d", code)
	}
	if _, page = d.get("/drop/answer/1"); strings.Contains(page, "/workbook") {
		t.Error("the link is offered")
	}
}

// TestPreviewsAtOnce looks at several files while exports are dropped and taken.
func TestPreviewsAtOnce(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	done := make(chan string)
	const readers = 6
	for i := range readers {
		go func() {
			code, page := d.upload("", text(fmt.Sprintf("p%d.csv", i), priceList(2000, 2+i)))
			if code != http.StatusOK || !tokenIn.MatchString(page) {
				done <- fmt.Sprintf("%d\n%s", code, words(page))
				return
			}
			done <- ""
		}()
	}
	d.put("precios.csv", priceList(2000, 1))
	for range readers {
		if trouble := <-done; trouble != "" {
			t.Error(trouble)
		}
	}
	d.await("the answer", func() bool { return d.receipt("precios.csv") != "" })
}
