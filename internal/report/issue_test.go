package report

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
	"gondola/templates"
)

// samples are arguments as they come with each code.
func samples() map[catalog.Code][]string {
	return map[catalog.Code][]string{
		catalog.FileEmpty:        nil,
		catalog.FileKind:         {"pdf"},
		catalog.FileEncoding:     {"utf-8", "f3ed"},
		catalog.FileLimit:        {"row bytes", "1048576"},
		catalog.FileQuote:        nil,
		catalog.FileNoRows:       nil,
		catalog.FileDamaged:      {"xl/worksheets/sheet1.xml"},
		catalog.HeadNone:         {"Código", "Precio", "Stock"},
		catalog.HeadMissing:      {"sku", "Descripción", "Importe"},
		catalog.HeadTwice:        {"price", "Precio", "PVP"},
		catalog.HeadConfig:       {"price", "Precio c/IVA", "Código", "Importe"},
		catalog.HeadNothing:      {"Código", "Descripción"},
		catalog.HeadSheets:       {"Precios", "Stock"},
		catalog.HeadHidden:       nil,
		catalog.HeadClose:        {"price", "Preico", "precio"},
		catalog.VendorUnknown:    {"009"},
		catalog.VendorMissing:    nil,
		catalog.VendorName:       {"stock.csv", "009"},
		catalog.VendorAbsent:     {"s8ym", "Cordón"},
		catalog.KeyMissing:       {"barcode"},
		catalog.KeyInvalid:       {"1,23E+05"},
		catalog.BarcodeCheck:     {"7791234567890"},
		catalog.BarcodeLost:      {"7,79E+12"},
		catalog.BarcodeLength:    {"77912"},
		catalog.BarcodeZeros:     {"12345670", "0012345670"},
		catalog.BarcodeInStore:   {"4011"},
		catalog.PriceText:        {"consultar"},
		catalog.PriceZero:        {"0,00"},
		catalog.PriceAmbiguous:   {"1.234", "Precio"},
		catalog.PriceLarge:       {"99999999999999"},
		catalog.PriceRounded:     {"10,555", "10.56"},
		catalog.PricePercent:     {"15%"},
		catalog.QuantityText:     {"muchos"},
		catalog.QuantityNegative: {"-3"},
		catalog.QuantityFraction: {"3,5 kg", "3"},
		catalog.ActiveText:       {"quizás"},
		catalog.DateText:         {"31/02/2026"},
		catalog.DateAmbiguous:    {"05/06/2026", "Desde"},
		catalog.DateMissing:      {"end_date"},
		catalog.DateOrder:        {"2026-05-10 00:00:00", "2026-05-08 23:59:59"},
		catalog.DateMidnight:     {"Hasta"},
		catalog.PromoMissing:     nil,
		catalog.PromoText:        {"consultar"},
		catalog.PromoRead:        {"2da al 40%", "same_item_bundle", "percentage_value_off", "B1G1", "40"},
		catalog.PromoBoth:        {"3x2", "99,90"},
		catalog.PromoPercent:     {"120%"},
		catalog.PromoField:       {"promotion_type", "combo"},
		catalog.PromoOverlap:     {"LS-33", "77"},
		catalog.PromoNotBelow:    {"99.9", "95", "Centro"},
		catalog.PromoNoPrice:     {"LS-33", "Centro"},
		catalog.PromoUnknown:     {"LS-33", "Centro"},
		catalog.PromoOver:        {"2026-05-08 23:59:59"},
		catalog.PromoLimit:       {"max_no_of_orders", "varios"},
		catalog.PromoCampaign:    {"Semana" + strings.Repeat("!", 20)},
		catalog.PromoRenamed:     {"LS-33", "Semana 2", "Semana"},
		catalog.PromoUndercut:    {"LS-33", "95", "99.9", "Centro"},
		catalog.PromoElsewhere:   nil,
		catalog.CellError:        {"#N/A"},
		catalog.CellFormula:      {"=B2*1.22"},
		catalog.RowShort:         {"1", "6"},
		catalog.RowLong:          {"8", "1"},
		catalog.RowTotal:         {"TOTAL"},
		catalog.RowTwice:         {"LS-33", "77"},
		catalog.RowConflict:      {"LS-33", "77"},
		catalog.RowSwitchSkipped: {"3"},
		catalog.RowHidden:        {"3"},
		catalog.RowCut:           nil,
		catalog.RowOpen:          nil,
		catalog.RuleFloor:        {"0.90", "1.00"},
		catalog.RuleCeiling:      {"120000", "99999"},
		catalog.RuleCeilingOff:   {"120000", "99999"},
		catalog.RuleExcluded:     {"envase retornable"},
		catalog.RuleNoResult:     {"price", "÷ 0"},
		catalog.DropOlder:        {"2026-11-20T08:00:00-03:00", "2026-11-21T18:30:00-03:00"},
		catalog.DropNoGood:       {"1500"},
		catalog.DropStale:        {"2026-11-20T08:00:00-03:00", "36", "hours"},
		catalog.FileGuess:        {"windows-1252", "café", "cp850", "cafÚ"},
		catalog.FileNUL:          nil,
		catalog.FileStray:        nil,
		catalog.PriceCurrency:    {"U$S 45,00"},
		catalog.FeedRival:        {"price", "gerencia"},
		catalog.PlatformRow:      {"LS-33", "price: below the minimum", "Centro"},
		catalog.PlatformRequest:  {"closed", "Centro"},
		catalog.BrakeInactive:    {"412", "1500", "27%", "20%"},
		catalog.BrakeShrunk:      {"900", "1500", "40%", "30%"},
		catalog.BrakeNew:         {"800", "1200", "67%", "50%", "", "", "A-1||99.9|2"},
		catalog.BrakeEqual:       {"1190", "1200", "99%", "90%", "", "", "||99.5|"},
		catalog.BrakeSwapped:     {"700", "1200", "58%", "50%"},
		catalog.BrakeFirst:       {"1200", "1200", "100%", "0%", "", ""},
		catalog.BrakeLate:        {"12", "12", "100%", "0%", "late", "2026-11-20T09:00:00Z"},
		catalog.BrakePrice:       {"3", "1200", "0%", "40%", "decimals", "100", "A-1|10.5|1050|14", "A-2|99|9900|"},
		catalog.BrakeFactor:      {"900", "1200", "75%", "60%", "vat-on", "1.21", "A-1|100|121|2"},
		catalog.BrakeDeep:        {"2", "0", "0%", "70%", "", "", "A-1|100|9.9|3"},
		catalog.BrakeClock:       {"2", "0", "0%", "0%", "clock", "3m20s", "A-1||49.9|7"},
		catalog.BrakeUnknown:     {"2", "0", "0%", "0%", "", "", "A-9||49.9|7", "A-10||5|8"},
	}
}

// quoted are the codes about a text that a person wrote: the sentence must show it, or nobody finds the cell.
var quoted = []catalog.Code{
	catalog.VendorUnknown, catalog.VendorName, catalog.KeyInvalid,
	catalog.BarcodeCheck, catalog.BarcodeLost, catalog.BarcodeLength, catalog.BarcodeZeros, catalog.BarcodeInStore, catalog.RuleExcluded,
	catalog.PriceText, catalog.PriceZero, catalog.PriceAmbiguous, catalog.PriceLarge, catalog.PriceRounded, catalog.PricePercent,
	catalog.CellError, catalog.CellFormula, catalog.HeadSheets,
	catalog.QuantityText, catalog.QuantityNegative, catalog.QuantityFraction, catalog.ActiveText, catalog.RowTotal,
	catalog.DateText, catalog.DateAmbiguous, catalog.PromoText, catalog.PromoRead, catalog.PromoBoth, catalog.PromoPercent, catalog.PromoCampaign,
}

// unsaid are the arguments, by their place, that a sentence does without: the place of the issue says the same, or, of the brake, whose
// arguments are the same for all codes, they would say nothing.
var unsaid = map[catalog.Code][]int{
	catalog.PriceAmbiguous: {1}, catalog.BrakeSwapped: {2, 3}, catalog.BrakeFirst: {1, 2, 3, 4, 5}, catalog.BrakeLate: {1, 2, 3, 4}, catalog.BrakePrice: {1, 2},
	catalog.BrakeDeep: {1, 2, 4, 5}, catalog.BrakeUnknown: {1, 2, 3, 4, 5}, catalog.BrakeClock: {1, 2, 3, 4}, catalog.BrakeNew: {4, 5}, catalog.BrakeEqual: {4, 5, 6},
}

// Every argument that comes with a code says something.
func TestSentenceUsesItsArguments(t *testing.T) {
	for _, lang := range Languages() {
		for _, kind := range []catalog.Kind{catalog.KindCatalog, catalog.KindPromotions} {
			w := newWords(lang)
			w.kind = kind
			for code, args := range samples() {
				said := w.what(catalog.Issue{Code: code, Args: args})
				for i := range args {
					other := slices.Clone(args)
					other[i] += "9"
					what := w.what(catalog.Issue{Code: code, Args: other})
					if what == said && !slices.Contains(unsaid[code], i) {
						t.Errorf("%s %s %s: argument %d, %q, is not in %q", lang, kind, code, i, args[i], said)
					}
				}
			}
		}
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	for _, kind := range []catalog.Kind{catalog.KindCatalog, catalog.KindPromotions} {
		t.Run(string(kind), func(t *testing.T) { everyCodeHasWords(t, kind) })
	}
}

func everyCodeHasWords(t *testing.T, kind catalog.Kind) {
	jargon := regexp.MustCompile(`(?i)\b(parse|parsear|null|nulo|token|string|delimiter|UTF-16|regex|checksum|SKUs)\b`)
	for _, lang := range Languages() {
		w := newWords(lang)
		w.kind = kind
		for _, code := range catalog.Codes {
			args, ok := samples()[code]
			if !ok {
				t.Fatalf("%s has no sample", code)
			}
			for _, s := range []catalog.Severity{catalog.Note, catalog.Warning, catalog.Error} {
				what, do := SentenceFor(lang, kind, catalog.Issue{Code: code, Severity: s, Args: args})
				for _, text := range []string{what, do, w.title(code)} {
					if text == string(code) || strings.TrimSpace(text) != text || text == "" || jargon.MatchString(text) {
						t.Errorf("%s %s: %q", lang, code, text)
					}
					if strings.ContainsAny(text, "{}<>\n…") || strings.Contains(text, "%!") {
						t.Errorf("%s %s: %q", lang, code, text)
					}
				}
				if !strings.HasSuffix(what, ".") || !strings.HasSuffix(do, ".") || capital(do) != do {
					t.Errorf("%s %s: %q, %q are no sentences", lang, code, what, do)
				}
				if slices.Contains(quoted, code) && !strings.Contains(what, "“"+args[0]+"”") {
					t.Errorf("%s %s: %q does not quote %q", lang, code, what, args[0])
				}
				if w.err != nil {
					t.Errorf("%s %s: %v", lang, code, w.err)
				}
			}
		}
	}
}

// Arguments come from other rooms. Too few, too many or odd ones must not break a receipt.
func TestSentenceTakesAnyArguments(t *testing.T) {
	for _, lang := range Languages() {
		for _, code := range catalog.Codes {
			_, usual := Sentence(lang, catalog.Issue{Code: code, Args: samples()[code]})
			for _, args := range [][]string{nil, {""}, {"x"}, {"%s", "{{.}}", "<no>", "-1", "z"}, {"1", "1", "1", "1", "1"}} {
				what, do := Sentence(lang, catalog.Issue{Code: code, Severity: catalog.Error, Args: args})
				if what == "" || what == string(code) || strings.Contains(what, "%!") || strings.Contains(what, "<no value>") {
					t.Errorf("%s %s %q: %q", lang, code, args, what)
				}
				// One line says what to do about all issues of a code, so it can't depend on one of them.
				if do != usual {
					t.Errorf("%s %s: what to do depends on the arguments: %q, %q", lang, code, do, usual)
				}
			}
		}
	}
	if what, do := Sentence(Spanish, catalog.Issue{Code: "G-NEW-99"}); what != "G-NEW-99" || do != "G-NEW-99" {
		t.Errorf("unknown code: %q, %q", what, do)
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct {
		lang, want string
		is         catalog.Issue
	}{
		{Spanish, "“consultar” no es un precio.", row(catalog.PriceText, catalog.Error, 4, "", "consultar")},
		{
			Spanish, "Falta la columna de código de artículo. El archivo tiene: Desc, Importe.",
			row(catalog.HeadMissing, catalog.Error, 0, "", "sku", "Desc", "Importe"),
		},
		{Portuguese, "“77” não é um código de barras; o produto foi usado sem ele.", row(catalog.BarcodeLength, catalog.Warning, 4, "", "77")},
		{Portuguese, "“77” não é um código de barras.", row(catalog.BarcodeLength, catalog.Error, 4, "", "77")},
		{English, "It has 1 cell and there are 6 titles; what is missing was taken as blank.", row(catalog.RowShort, catalog.Warning, 4, "", "1", "6")},
		{
			English, "1 row has no code that can be read; so we did not switch off the articles that are missing from the file.",
			row(catalog.RowSwitchSkipped, catalog.Warning, 0, "", "1"),
		},
		{
			English, "This file is of Fri 20 Nov 2026 08:00, and we already used one of yesterday.",
			row(catalog.DropOlder, catalog.Warning, 0, "", "2026-11-20T08:00:00-03:00", "yesterday"),
		},
		{
			Spanish, "El archivo tiene demasiado de esto: texto en una fila (bytes). El máximo es 1\u00a0048\u00a0576.",
			row(catalog.FileLimit, catalog.Error, 0, "", "row bytes", "1048576"),
		},
		{English, "The name “stock.csv” does not tell which store it is for.", row(catalog.VendorName, catalog.Error, 0, "", "stock.csv", "")},
		{English, "The content is parquet, neither an Excel workbook (.xlsx) nor CSV.", row(catalog.FileKind, catalog.Error, 0, "", "parquet")},
		{Spanish, "“129,995” se redondeó a 130,00.", row(catalog.PriceRounded, catalog.Note, 4, "", "129,995", "130.00")},
		{Portuguese, "“1299,995” foi arredondado para 1.300,00.", row(catalog.PriceRounded, catalog.Note, 4, "", "1299,995", "1300.00")},
		{English, "“1299.995” was rounded to 1,300.00.", row(catalog.PriceRounded, catalog.Note, 4, "", "1299.995", "1300.00")},
		{Spanish, "“10,5” se redondeó a 11.", row(catalog.PriceRounded, catalog.Note, 4, "", "10,5", "11")},
		{English, "“a b c” is not a price.", row(catalog.PriceText, catalog.Error, 4, "", "a\nb\x00c\r\n")},
	} {
		if what, _ := Sentence(c.lang, c.is); what != c.want {
			t.Errorf("%s %s:\n got %q\nwant %q", c.lang, c.is.Code, what, c.want)
		}
	}
}

// Whoever drops a file of another kind is told how to save it in the program that they have.
func TestOtherKindsAreToldHow(t *testing.T) {
	for lang, steps := range map[string][]string{
		Spanish: {
			"En Excel: Archivo, Guardar como, tipo “Libro de Excel (*.xlsx)”", "En LibreOffice: Archivo, Guardar como",
			"En Hojas de cálculo de Google: Archivo, Descargar, “Microsoft Excel (.xlsx)”", "La contraseña se quita", "PDF", "foto",
		},
		Portuguese: {
			"No Excel: Arquivo, Salvar como, tipo “Pasta de Trabalho do Excel (*.xlsx)”", "No LibreOffice: Arquivo, Salvar como",
			"No Planilhas Google: Arquivo, Fazer download, “Microsoft Excel (.xlsx)”", "A senha se tira", "PDF", "foto",
		},
		English: {
			"In Excel: File, Save As, type “Excel Workbook (*.xlsx)”", "In LibreOffice: File, Save As",
			"In Google Sheets: File, Download, “Microsoft Excel (.xlsx)”", "The password is taken off", "PDF", "photo",
		},
	} {
		_, do := Sentence(lang, catalog.Issue{Code: catalog.FileKind, Severity: catalog.Error, Args: []string{"xls"}})
		for _, step := range steps {
			if !strings.Contains(do, step) {
				t.Errorf("%s: %q does not say %q", lang, do, step)
			}
		}
	}
}

func TestPlace(t *testing.T) {
	is := catalog.Issue{Sheet: "Hoja1", Row: 12345, Column: "Precio\nc/IVA"}
	for lang, want := range map[string]string{
		Spanish:    "hoja “Hoja1”, fila 12345, columna “Precio c/IVA”",
		Portuguese: "planilha “Hoja1”, linha 12345, coluna “Precio c/IVA”",
		English:    "sheet “Hoja1”, row 12345, column “Precio c/IVA”",
	} {
		if got := newWords(lang).place(is, ""); got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
	if got := newWords(English).place(catalog.Issue{}, ""); got != "" {
		t.Errorf("whole export: %q", got)
	}
}

// Every language has the same phrases, and every phrase can be said.
func TestPhrases(t *testing.T) {
	names := func(lang string) []string {
		var all []string
		for _, p := range newWords(lang).phrases.Templates() {
			if !strings.HasSuffix(p.Name(), ".tmpl") {
				all = append(all, p.Name())
			}
		}
		slices.Sort(all)
		return all
	}
	want := names(Spanish)
	if len(want) < 3*len(catalog.Codes) {
		t.Fatalf("only %d phrases", len(want))
	}
	for _, lang := range Languages() {
		if diff := cmp.Diff(want, names(lang)); diff != "" {
			t.Errorf("%s has other phrases than Spanish (-es +%s):\n%s", lang, lang, diff)
		}
		w := newWords(lang)
		for _, name := range want {
			if got := w.say(name, 2, 2, 2, 2, 2); w.err != nil || got == "" || got == name {
				t.Errorf("%s %s: %q, %v", lang, name, got, w.err)
				w = newWords(lang)
			}
		}
	}
	for _, name := range want {
		name, ok := strings.CutPrefix(name, instead)
		if ok && !slices.Contains(want, name) {
			t.Errorf("%s%s stands in for no phrase", instead, name)
		}
		if code, _, ok := strings.Cut(name, ".what"); ok && !slices.Contains(catalog.Codes, catalog.Code(code)) {
			t.Errorf("%s has words and is no code", code)
		}
	}
}

// A phrase defined twice would hide the first one without a word.
func TestPhrasesAreDefinedOnce(t *testing.T) {
	define := regexp.MustCompile(`\{\{define "([^"]+)"\}\}`)
	for _, lang := range Languages() {
		text, err := fs.ReadFile(templates.Files, "receipt."+lang+".txt.tmpl")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range define.FindAllStringSubmatch(string(text), -1) {
			if seen[m[1]] {
				t.Errorf("%s: %s is defined twice", lang, m[1])
			}
			seen[m[1]] = true
		}
	}
}

// The phrases for each role, and for each kind of file and limit that a reader names, are looked up by those names.
func TestNamesHaveWords(t *testing.T) {
	for _, lang := range Languages() {
		w := newWords(lang)
		for prefix, list := range map[string]string{
			"role.": "sku,barcode,price,active,quantity,maximum_sales_quantity,vendor," +
				"campaign_name,reason,start_date,end_date,offer,promotion_type,promotion_sub_type,bundle_details,bundle_discount," +
				"discounted_price,discount_percent,discount_usage_limit,max_no_of_orders,campaign_status",
			"kind.":  "xls,xlsb,encrypted,ods,numbers,xml,dbf,word,pdf,html,rtf,image,zip,binary",
			"limit.": "columns,row bytes,cell bytes,rows,sheets,styles,unzipped bytes",
		} {
			for _, name := range strings.Split(list, ",") {
				if !w.has(prefix + name) {
					t.Errorf("%s has no words for %s%s", lang, prefix, name)
				}
			}
		}
	}
}

func TestBrokenPhraseIsAnError(t *testing.T) {
	w := &words{phrases: template.Must(template.New("").Parse(`{{define "a"}}{{.Nothing}}{{end}}`))}
	if got := w.say("a"); got != "a" || w.err == nil {
		t.Errorf("%q, %v", got, w.err)
	}
	if got := w.say("missing"); got != "missing" {
		t.Errorf("%q", got)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		lang, want string
		n          int
	}{
		{Spanish, "0", 0},
		{Spanish, "9999", 9999},
		{Spanish, "10\u00a0000", 10000},
		{Spanish, "1\u00a0234\u00a0567", 1234567},
		{Portuguese, "999", 999},
		{Portuguese, "1.000", 1000},
		{English, "1,234,567", 1234567},
	} {
		if got := newWords(c.lang).number(c.n); got != c.want {
			t.Errorf("%s: %d is %q, want %q", c.lang, c.n, got, c.want)
		}
	}
}

func TestGroups(t *testing.T) {
	issues := []catalog.Issue{
		row(catalog.RowTotal, catalog.Note, 9, ""),
		row(catalog.PriceText, catalog.Error, 8, ""),
		row(catalog.BarcodeCheck, catalog.Warning, 3, ""),
		row(catalog.VendorUnknown, catalog.Error, 5, ""),
		row(catalog.PriceText, catalog.Error, 2, ""),
		row(catalog.BarcodeCheck, catalog.Error, 4, ""),
	}
	counts := map[catalog.Code]int{catalog.PriceText: 7, catalog.ActiveText: 3, catalog.KeyMissing: 0}
	var got []string
	for _, g := range groups(issues, counts) {
		rows := ""
		for _, is := range g.issues {
			rows += fmt.Sprint(" ", is.Row)
		}
		got = append(got, fmt.Sprintf("%s %s %d:%s", g.code, g.severity, g.total, rows))
	}
	want := []string{
		"G-STORE-01 error 1: 5",
		"G-BARCODE-01 error 2: 3 4",
		"G-PRICE-01 error 7: 2 8",
		"G-ACTIVE-01 warning 3:",
		"G-ROW-03 note 1: 9",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups differ (-want +got):\n%s", diff)
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text        string
		first, rest int
		want        []string
	}{
		{"", 5, 5, []string{""}},
		{"a b c", 5, 5, []string{"a b c"}},
		{"a b c", 4, 5, []string{"a b", "c"}},
		{"aa bb cc dd", 5, 8, []string{"aa bb", "cc dd"}},
		{"abcdefgh", 3, 4, []string{"abc", "defg", "h"}},
		{"x abcdefgh y", 3, 4, []string{"x", "abcd", "efgh", "y"}},
		{"ñandú ñandú", 5, 5, []string{"ñandú", "ñandú"}},
		{"10" + nbsp + "000 a", 6, 6, []string{"10" + nbsp + "000", "a"}},
		{"a   b", 5, 5, []string{"a b"}},
	} {
		if diff := cmp.Diff(c.want, wrap(c.text, c.first, c.rest)); diff != "" {
			t.Errorf("%q in %d, %d (-want +got):\n%s", c.text, c.first, c.rest, diff)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("precios.csv", "Precio", "consultar", 3)
	f.Add("a\xffb", "\n", strings.Repeat("ñ", 300), -1)
	f.Add(strings.Repeat("x", 500), "{{.}}", "%!d(string=x) <no value>", 1<<40)
	f.Fuzz(func(t *testing.T, name, column, text string, n int) {
		a := Answer{Language: Languages()[len(name)%3], Name: name, Feed: column, Verdict: Held, Rows: n, RowsRejected: n}
		if n%2 == 0 {
			a.Kind = catalog.KindPromotions
		}
		for _, code := range catalog.Codes {
			a.Issues = append(a.Issues, row(code, catalog.Error, n, column, text, name))
		}
		a.Stores = []StoreAnswer{{ID: column, Name: name, Changes: Changes{New: n, Same: n, Changed: n}, Waiting: n, Trouble: text}}
		a.Reading.Columns = []Column{{Role: "price", Header: column, Decimal: text, Proof: text, ProofRow: n}}
		got, err := Text(a)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(got) {
			if c := strings.TrimSuffix(line, "\n"); len([]rune(c)) > Width || strings.ContainsAny(c, "\r\t\x00") {
				t.Errorf("line %q", c)
			}
		}
	})
}
