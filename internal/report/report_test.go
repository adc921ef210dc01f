package report

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

var update = flag.Bool("update", false, "write the golden receipts anew; read them before you keep them")

func zone(t *testing.T) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// at is a time on the day that the golden receipts tell of, a Sunday.
func at(t *testing.T, hour, minute int) time.Time {
	return time.Date(2026, time.November, 22, hour, minute, 0, 0, zone(t)).UTC()
}

func row(code catalog.Code, s catalog.Severity, n int, column string, args ...string) catalog.Issue {
	return catalog.Issue{Code: code, Severity: s, Row: n, Column: column, Args: args}
}

func base(t *testing.T, lang string) Answer {
	return Answer{
		Language: lang, Zone: zone(t), Name: "precios.csv", Feed: "precios", Seq: 12, Time: at(t, 15, 30),
		Reading: Reading{
			Encoding: "windows-1252", Delimiter: ';', HeaderRow: 3,
			Columns: []Column{
				{Role: "vendor", Header: "Sucursal"},
				{Role: "sku", Header: "Cód. Artículo"},
				{Role: "price", Header: "Precio c/IVA", Decimal: "comma"},
			},
		},
	}
}

// moves are more price changes than an answer shows.
func moves() []Move {
	all := []Move{
		{Key: "7730241003654", Name: "Yerba mate compuesta 1 kg", Old: 189_000, New: 329_500},
		{Key: "LS-33", Name: "Dulce de leche <light> & crema", Old: 12_345_500, New: 9_999_000},
		{Key: "LS-34", Old: 99_000, New: 990_000},
	}
	for i := range 12 {
		all = append(all, Move{Key: fmt.Sprint("A-", 100+i), Name: "Artículo de todos los días", Old: 100_000, New: 100_500 + catalog.Money(i)*500})
	}
	return append(all, Move{Key: "none", Old: 5, New: 5}, Move{Key: "new", New: 5})
}

// answers are the situations that a receipt has to tell of.
func answers(t *testing.T, lang string) map[string]Answer {
	t.Helper()
	good := base(t, lang)
	good.Verdict, good.Rows = Accepted, 1
	good.Stores = []StoreAnswer{{ID: "290056", Name: "Centro", Changes: Changes{PriceUp: 1}, Next: at(t, 15, 45)}}

	issues := base(t, lang)
	issues.Verdict, issues.Rows, issues.RowsRejected = AcceptedWithIssues, 12_345, 41
	issues.Counts = map[catalog.Code]int{catalog.PriceText: 38}
	for i := range 22 {
		issues.Issues = append(issues.Issues, row(catalog.PriceText, catalog.Error, 4+i*3, "Precio c/IVA", "consultar"))
	}
	issues.Issues = append(issues.Issues,
		row(catalog.BarcodeLost, catalog.Warning, 9, "Código de barras", "7,79E+12"),
		row(catalog.VendorUnknown, catalog.Error, 77, "Sucursal", "009"),
		row(catalog.KeyMissing, catalog.Error, 5012, "Cód. Artículo", "sku"),
		row(catalog.RowTotal, catalog.Note, 12_349, "", "TOTAL GENERAL"),
		catalog.Issue{Code: catalog.VendorAbsent, Severity: catalog.Warning, Args: []string{"s8ym", "Cordón"}},
	)
	for i := range issues.Reading.Columns {
		issues.Reading.Columns[i].Number = i + 1
	}
	issues.Workbook = true
	issues.Stores = []StoreAnswer{
		{
			ID: "290056", Name: "Centro", Next: at(t, 15, 45),
			Changes: Changes{New: 3, PriceUp: 1800, PriceDown: 1, SwitchedOn: 2, SwitchedOff: 12, Other: 5, Same: 10_250, Missing: 1},
			Moves:   moves(),
		},
		{ID: "290057", Name: "Puerto", Unchanged: true, Changes: Changes{Same: 4100}},
		{ID: "290058", Unchanged: true, Changes: Changes{Same: 4100}},
	}

	held := base(t, lang)
	held.Verdict, held.Rows = Held, 900
	held.Stores = []StoreAnswer{
		{
			ID: "290056", Name: "Centro", Changes: Changes{SwitchedOff: 412, Same: 88},
			Held: []catalog.Issue{{Code: catalog.BrakeInactive, Severity: catalog.Error, Args: []string{"412", "1500", "27%", "20%"}}},
		},
		{ID: "290057", Name: "Puerto", Changes: Changes{PriceUp: 4}, Next: at(t, 15, 45)},
	}

	older := base(t, lang)
	older.Verdict, older.Rows = Held, 900
	older.Held = []catalog.Issue{{
		Code: catalog.DropOlder, Severity: catalog.Error,
		Args: []string{"2026-11-20T11:00:00Z", "2026-11-21T18:30:00-03:00"},
	}}
	older.Stores = []StoreAnswer{{ID: "290056", Name: "Centro", Changes: Changes{PriceUp: 4}}}

	stale := base(t, lang)
	stale.Verdict, stale.Rows = Held, 900
	stale.Stores = []StoreAnswer{{
		ID: "290056", Name: "Centro", Changes: Changes{PriceUp: 4},
		Held: []catalog.Issue{{Code: catalog.DropStale, Severity: catalog.Warning, Args: []string{"2026-11-20T11:00:00Z", "1", "days"}}},
	}}

	paused := base(t, lang)
	paused.Verdict, paused.Rows, paused.Updated = Accepted, 120, at(t, 16, 2)
	paused.Stores = []StoreAnswer{
		{ID: "290056", Name: "Centro", Changes: Changes{PriceUp: 100}, Next: at(t, 16, 15), Paused: true},
		{ID: "290057", Name: "Puerto", Changes: Changes{PriceUp: 100}, Trouble: Trouble(lang, "transient"), Paused: true, PausedUntil: at(t, 18, 0)},
		{ID: "290058", Name: "Norte", Changes: Changes{PriceUp: 100}, Sent: at(t, 15, 45), Verified: at(t, 15, 46), Paused: true},
	}

	rejected := base(t, lang)
	rejected.Verdict, rejected.Reading = Rejected, Reading{}
	rejected.Name = "lista de precios.pdf.csv"
	rejected.Issues = []catalog.Issue{{Code: catalog.FileKind, Severity: catalog.Error, Args: []string{"pdf"}}}

	sent := base(t, lang)
	sent.Verdict, sent.Rows, sent.Updated = Accepted, 120, at(t, 16, 2)
	sent.Stores = []StoreAnswer{
		{ID: "290056", Name: "Centro", Changes: Changes{PriceUp: 100}, Sent: at(t, 15, 45), Verified: at(t, 15, 46)},
		{ID: "290057", Name: "Puerto", Changes: Changes{PriceUp: 100}, Sent: at(t, 15, 45)},
		{ID: "290058", Name: "Norte", Changes: Changes{PriceUp: 100}, Trouble: Trouble(lang, "transient"), Next: at(t, 16, 5)},
		{ID: "290059", Name: "Sur", Changes: Changes{PriceUp: 100}, Superseded: true},
		{ID: "290060", Name: "Este", Changes: Changes{New: 1}},
	}
	return map[string]Answer{
		"promotions": promotions(t, lang), "promotions-sent": promotionsSent(t, lang),
		"accepted": good, "issues": issues, "held": held, "older": older, "stale": stale, "paused": paused, "rejected": rejected, "sent": sent,
	}
}

func TestTextGolden(t *testing.T) {
	for _, lang := range Languages() {
		for name, a := range answers(t, lang) {
			t.Run(lang+"/"+name, func(t *testing.T) {
				got, err := Text(a)
				if err != nil {
					t.Fatal(err)
				}
				checkText(t, got)
				path := filepath.Join("testdata", name+"."+lang+".txt")
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("receipt differs (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// checkText fails for what no receipt may show, whatever it is about.
func checkText(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{"<no value>", "%!", "{{", "}}", "<nil>", "\r", "\t", nbsp, "\n\n\n", " \n"} {
		if strings.Contains(text, bad) {
			t.Errorf("receipt holds %q:\n%s", bad, text)
		}
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > Width {
			t.Errorf("line has %d characters: %q", n, line)
		}
	}
	if !strings.HasSuffix(text, "\n") || strings.HasPrefix(text, "\n") {
		t.Errorf("receipt does not begin and end with a line:\n%s", text)
	}
}

func TestTextOfHardNames(t *testing.T) {
	for _, lang := range Languages() {
		a := answers(t, lang)["issues"]
		a.Name = strings.Repeat("lista_de_precios_", 15)
		a.Issues = append(a.Issues,
			row(catalog.PriceText, catalog.Error, 2, strings.Repeat("columna ", 40), "a\r\nb\x00c\ufeff\xff"+strings.Repeat("ñ", 100)),
			row("G-NEW-99", catalog.Warning, 3, "", "something"),
			row(catalog.RowShort, catalog.Warning, 4, ""),
		)
		a.Stores[0].Name = strings.Repeat("Sucursal", 30)
		a.Stores[0].Trouble = "<no route>\n" + strings.Repeat("x", 1000)
		got, err := Text(a)
		if err != nil {
			t.Fatal(err)
		}
		checkText(t, got)
		if !strings.Contains(got, "G-NEW-99") {
			t.Errorf("an issue without words is not told:\n%s", got)
		}
	}
}

func TestTextOfNothing(t *testing.T) {
	got, err := Text(Answer{Verdict: Accepted})
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, got)
	if _, err := Text(Answer{Verdict: "unheard of"}); err == nil {
		t.Error("a verdict without words is no error")
	}
}

// A chain's export says the same of most stores; that stands there once.
func TestTextJoinsStores(t *testing.T) {
	a := base(t, Spanish)
	a.Verdict, a.Rows = Accepted, 10
	for i := range 40 {
		a.Stores = append(a.Stores, StoreAnswer{ID: fmt.Sprint(1000 + i), Unchanged: true})
	}
	got, err := Text(a)
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, got)
	if n := strings.Count(got, "Sin cambios"); n != 1 {
		t.Errorf("one sentence stands there %d times:\n%s", n, got)
	}
	for _, s := range a.Stores {
		if !strings.Contains(got, s.ID) {
			t.Errorf("store %s is not named", s.ID)
		}
	}
}

func TestTextListsAndCounts(t *testing.T) {
	a := base(t, English)
	a.Verdict, a.Rows, a.RowsRejected = AcceptedWithIssues, 100, 55
	for i := range 30 {
		a.Issues = append(a.Issues, row(catalog.PriceZero, catalog.Error, 60-i, "", "0"))
	}
	a.Counts = map[catalog.Code]int{catalog.PriceZero: 55}
	got, err := Text(a)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got, "    row "); n != MaxLines {
		t.Errorf("%d rows are listed, want %d", n, MaxLines)
	}
	if !strings.Contains(got, "(55)") || !strings.Contains(got, "and 35 more") {
		t.Errorf("the others are not counted:\n%s", got)
	}
	if first, second := strings.Index(got, "row 31"), strings.Index(got, "row 32"); first < 0 || second < first {
		t.Errorf("rows are not in order:\n%s", got)
	}
}

func TestUnknownLanguageIsSpanish(t *testing.T) {
	a := base(t, "xx")
	a.Verdict = Accepted
	got, err := Text(a)
	if err != nil || !strings.HasPrefix(got, "RECIBIDO") {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestFolderNames(t *testing.T) {
	want := map[string]Folders{
		"es": {"respuestas", "rechazados", ".respuesta.txt", ".corregir.xlsx", "index.html", "LEEME.html"},
		"pt": {"respostas", "rejeitados", ".resposta.txt", ".corrigir.xlsx", "index.html", "LEIAME.html"},
		"en": {"answers", "rejected", ".answer.txt", ".correct.xlsx", "index.html", "README.html"},
		"":   {"respuestas", "rechazados", ".respuesta.txt", ".corregir.xlsx", "index.html", "LEEME.html"},
	}
	for lang, f := range want {
		if got := FolderNames(lang); got != f {
			t.Errorf("FolderNames(%q) = %+v, want %+v", lang, got, f)
		}
	}
}

func TestTroubleHasWords(t *testing.T) {
	for _, lang := range Languages() {
		other := Trouble(lang, "meteor")
		for _, class := range []string{"transient", "credentials", "host-key", "permission", "no-space", "protocol", "foreign", "local"} {
			if got := Trouble(lang, class); got == other || strings.Contains(got, class) {
				t.Errorf("%s: %s has no words of its own: %q", lang, class, got)
			}
		}
		if strings.Contains(other, "trouble") && lang != English {
			t.Errorf("%s: an unknown class has no words: %q", lang, other)
		}
	}
}

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	a := answers(t, Spanish)["issues"]
	// Twice: a receipt is written again whenever something new is known.
	for range 2 {
		if err := Write(folder, a); err != nil {
			t.Fatal(err)
		}
	}
	text, err := Text(a)
	if err != nil {
		t.Fatal(err)
	}
	want := "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
	for _, path := range []string{filepath.Join("respuestas", "precios.csv.txt"), "precios.csv.respuesta.txt"} {
		got, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", path, diff)
		}
	}
	for dir, n := range map[string]int{folder: 2, filepath.Join(folder, "respuestas"): 2} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != n {
			t.Errorf("%s has %d entries, want %d: %v", dir, len(entries), n, entries)
		}
	}
}

func TestWriteLongAndOddNames(t *testing.T) {
	for _, name := range []string{
		strings.Repeat("ñ", 125) + ".csv", // 254 bytes
		strings.Repeat("a", 255),
		"precios bajos (1).xlsx",
		"mal\xffo.csv",
		"100%.csv",
		"{{.}}.csv",
	} {
		folder := t.TempDir()
		a := answers(t, Portuguese)["accepted"]
		a.Name = name
		if err := Write(folder, a); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		beside, err := filepath.Glob(filepath.Join(folder, "*.resposta.txt"))
		if err != nil || len(beside) != 1 {
			t.Errorf("%q: beside it lie %q, %v", name, beside, err)
			continue
		}
		if len(filepath.Base(beside[0])) > maxFileName {
			t.Errorf("%q: the answer's name has %d bytes", name, len(filepath.Base(beside[0])))
		}
	}
}

func TestWriteRefusesPaths(t *testing.T) {
	for _, name := range []string{"", ".", "..", "../x.csv", "/etc/x", `a\b.csv`, "a/b.csv"} {
		a := answers(t, Spanish)["accepted"]
		a.Name = name
		folder := t.TempDir()
		if err := Write(folder, a); err == nil {
			t.Errorf("%q is written", name)
		}
	}
}

// One place that can't be written must not cost the other.
func TestWriteOneOfTwo(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "respuestas"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := Write(folder, answers(t, Spanish)["accepted"])
	if err == nil || !strings.Contains(err.Error(), "write permission") {
		t.Errorf("error %v, want one that says what to do", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "precios.csv.respuesta.txt")); err != nil {
		t.Errorf("the answer beside the file: %v", err)
	}
	if err := Write(filepath.Join(folder, "gone"), answers(t, Spanish)["accepted"]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
}

func TestFolderOfAnswersIsAsOpenAsTheDropFolder(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Write(folder, answers(t, English)["accepted"]); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "answers"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o777 {
		t.Errorf("folder of answers has mode %v", info.Mode())
	}
}

func TestReceiptNamesTheSheet(t *testing.T) {
	for lang, want := range map[string]string{"es": "hoja “Precios”", "pt": "planilha “Precios”", "en": "sheet “Precios”"} {
		text, err := Text(Answer{
			Language: lang, Name: "precios.xlsx", Verdict: Accepted, Rows: 1, Reading: Reading{Sheet: "Precios", HeaderRow: 2},
		})
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("%s: %v\n%s", lang, err, text)
		}
	}
}
