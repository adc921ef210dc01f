package report

import (
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
)

// TestPreviewPart says every kind of preview in every language, and never lets foreign text be anything but text.
func TestPreviewPart(t *testing.T) {
	const mean = `<script>"x"</script>`
	at := time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC)
	issue := catalog.Issue{Code: catalog.RowHidden, Severity: catalog.Note, Args: []string{mean}}
	full := func(v Verdict) Preview {
		return Preview{Answer: Answer{
			Name: mean, Feed: mean, Verdict: v, Rows: 3, RowsRejected: 1,
			Reading: Reading{Encoding: "utf-8", Evidence: "strict UTF-8", Delimiter: ';', HeaderRow: 1, Columns: []Column{
				{Role: "price", Header: mean, Number: 1, Decimal: "comma", Proof: mean, ProofRow: 2},
				{Role: "start_date", Header: "d", Number: 2, Date: "day-first"},
				{Role: "never heard of", Header: "x", Number: 3},
			}},
			Issues: []catalog.Issue{issue},
			Stores: []StoreAnswer{
				{ID: "1", Name: "Centro", Changes: Changes{New: 2, SwitchedOff: 1}, Next: at, Moves: []Move{{Key: mean, Old: 100, New: 200}}},
				{ID: "2", Name: "Puerto", Held: []catalog.Issue{issue}},
				{ID: "3", Name: "Cerro", Unchanged: true},
				{ID: "4", Name: "Unión", Paused: true},
				{ID: "5", Name: "Prado"},
			},
		}}
	}
	for name, one := range map[string]struct {
		preview Preview
		says    map[string]string // by language
	}{
		"accepted": {full(Accepted), map[string]string{Spanish: "Así se tomaría: todo bien", Portuguese: "Assim seria recebido", English: "1 switched off"}},
		"remarks":  {full(AcceptedWithIssues), map[string]string{Spanish: "decimales con coma, como muestra", English: "day/month/year"}},
		"held":     {full(Held), map[string]string{English: "somebody would have to confirm"}},
		"rejected": {full(Rejected), map[string]string{English: "Choose it again once it is corrected"}},
		"partial": {Preview{Answer: Answer{Name: "a", Feed: "f", Kind: catalog.KindPromotions, Partial: true, Verdict: Accepted}}, map[string]string{
			English: "promotions, export f", Spanish: "solo lo que está en el archivo",
		}},
		"off":    {Preview{Answer: Answer{Name: "a", Feed: "f", Verdict: Accepted}, Off: true}, map[string]string{English: "goes off sale"}},
		"late":   {Preview{Answer: Answer{Name: "a", Feed: "f", Verdict: Accepted}, Late: true}, map[string]string{English: "no time to work out"}},
		"unread": {Preview{Answer: Answer{Name: mean}, Unread: true}, map[string]string{English: "too large to be looked through"}},
	} {
		for _, lang := range Languages() {
			one.preview.Language = lang
			got, err := PreviewPart(one.preview)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, lang, err)
			}
			if !strings.Contains(got, one.says[lang]) {
				t.Errorf("%s, %s: no %q in:\n%s", name, lang, one.says[lang], got)
			}
			if strings.Contains(got, "<script") || strings.Contains(got, "preview.") {
				t.Errorf("%s, %s:\n%s", name, lang, got)
			}
		}
	}
}

// TestPart is the answer that HTML returns, without what makes it a page.
func TestPart(t *testing.T) {
	a := Answer{Language: English, Name: "a.csv", Seq: 7, By: "ana", Verdict: Rejected, Rows: 3, Workbook: true}
	got, err := Part(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<section class="verdict rejected">`, "The file could not be used", "sent by ana"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "href") || strings.Contains(got, "<style") {
		t.Errorf("it refers to other files, or has a style:\n%s", got)
	}
	style, err := Style()
	if err != nil || !strings.Contains(style, ".verdict {") || strings.Contains(style, "<") {
		t.Errorf("%v\n%s", err, style)
	}
}
