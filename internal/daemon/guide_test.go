package daemon

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/report"
)

// guides returns the pages of every language: of the starters, and of an export with a name as long as they come.
func guides(t *testing.T) map[string][]byte {
	t.Helper()
	pages := map[string][]byte{}
	for _, language := range report.Languages() {
		w, err := readStarterWords(language)
		if err != nil {
			t.Fatal(err)
		}
		in := Installation{Language: language}
		long := Draft{Sample: "Listado de precios & existencias de todas las sucursales al 21-11-2026 (final).xlsx", Feed: config.Feed{
			Name: "precios", Kind: "catalog", Drop: "drop/precios",
		}}
		for _, f := range append(in.feeds(w), long) {
			page, err := w.guidePage(in, f)
			if err != nil {
				t.Fatal(err)
			}
			pages[language+"-"+f.Name] = page
		}
	}
	return pages
}

// TestGuides looks that every page is well-formed, stands for itself, and has no name or word left to be filled in.
func TestGuides(t *testing.T) {
	for name, page := range guides(t) {
		d := xml.NewDecoder(strings.NewReader(string(page)))
		d.Strict, d.Entity = true, xml.HTMLEntity
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
			if e, ok := token.(xml.StartElement); ok {
				if e.Name.Local == "script" || e.Name.Local == "img" || e.Name.Local == "link" {
					t.Errorf("%s: has a %s", name, e.Name.Local)
				}
			}
		}
		_, body, _ := strings.Cut(string(page), "</head>")
		for _, wrong := range []string{"{", "}", "<no value>", "http", "<td></td>", "<li></li>", "<h2></h2>", "<p></p>", "&amp;lt;"} {
			if strings.Contains(body, wrong) {
				t.Errorf("%s: has %q:\n%s", name, wrong, body)
			}
		}
	}
}

// pdfPage is a page in a PDF.
var pdfPage = regexp.MustCompile(`/Type\s*/Page\b`)

// TestGuidesAreOnePage prints all pages as one document in which each begins a sheet, in a font that is wider than the usual ones: it must
// have as many sheets as pages.
func TestGuidesAreOnePage(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing: install it, as .ci/run does")
		}
		t.Skip("no chromium on this machine")
	}
	pages := guides(t)
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		head, body, ok := strings.Cut(string(pages[name]), "<body>")
		if all.Len() == 0 {
			wide := strings.Replace(head, `"Segoe UI"`, `"DejaVu Sans"`, 1)
			if wide == head {
				t.Fatal("the page's font is not where this test looks for it")
			}
			all.WriteString(wide + "<body>")
		} else {
			all.WriteString(`<div style="break-before: page"></div>`)
		}
		body, _, closed := strings.Cut(body, "</body>")
		if !ok || !closed {
			t.Fatalf("%s has no body", name)
		}
		all.WriteString(body)
	}
	if n := printedPages(t, browser, all.String()+"</body></html>"); n != len(pages) {
		t.Errorf("%d pages of staff guides make %d sheets", len(pages), n)
	}
}

// printedPages prints a page and counts the sheets.
func printedPages(t *testing.T, browser, text string) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "guides.html")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "gondola-browser")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(profile) }() // what the browser leaves behind may still write there
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--user-data-dir="+profile,
		"--print-to-pdf="+path+".pdf", "file://"+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("print: %v\n%s", err, out)
	}
	data, err := os.ReadFile(path + ".pdf")
	if err != nil {
		t.Fatal(err)
	}
	return len(pdfPage.FindAll(data, -1))
}
