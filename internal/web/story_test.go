package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fullStory has something of everything.
func fullStory() Story {
	at := time.Date(2026, 11, 26, 17, 5, 0, 0, time.UTC)
	price := func(text string) []Says {
		return []Says{{Values: []Value{{Name: "price", Text: text, Amount: true}, {Name: "active", Text: "true"}, {Name: "quantity", Text: "12"}}}}
	}
	arrived := StoryDocument{
		Delivery: Delivery{
			Name: "catalog/gondola_290056.csv", State: "taken", Rows: 2, Planned: at.Add(-time.Hour), Began: at.Add(-time.Hour), Verified: at.Add(-time.Hour),
			Proof: "digest", Fate: "taken",
		},
		Says: price("1199.9"), SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Whole: true,
	}
	before := StoryDocument{Delivery: Delivery{Name: "catalog/gondola_290056.csv", State: "queued", Planned: at}, Says: price("1100"), SHA256: "2c26b46b"}
	return Story{
		Key: "0042", At: at,
		Shelves: []StoryShelf{
			{
				Store: "Centro", Shelf: "catalog", Wanted: price("1234.5"), Sent: price("1199.9"),
				Next: &StoryNext{Differs: true, Says: price("1234.5"), Unsettled: true, Waiting: 1, Withheld: []string{"Sin precio"}},
				Pending: []StorySource{
					{Feed: "precios", Drop: 14, Name: "precios.xlsx", Came: at, State: "held", Says: price("12.34"), Issues: []string{"Precios que cambian demasiado"}},
				},
				Sources: []StorySource{
					{Name: "", Came: at, State: "counts", Says: []Says{{Values: []Value{{Name: "active", Text: "false"}}}}, Wins: []string{"active"}, Note: "gondola on undoes it"},
					{
						Feed: "precios", Drop: 12, Name: "precios <b>.xlsx", Came: at.Add(-time.Hour), State: "counts", Says: price("1234.5"), Wins: []string{"price"},
						Rows: []StoryRow{{
							Drop: 12, Sheet: "Hoja 1", Row: 17,
							Cells: []StoryCell{{"A17", "Cód. Artículo", "sku", "0042"}, {"C17", "Precio c/IVA", "price", "1.143,06"}},
							Steps: []StoryStep{
								{"read", "price", Value{Text: "1.143,06"}, Value{Text: "1143.06", Amount: true}},
								{"price.markup", "price", Value{Text: "1143.06", Amount: true}, Value{Text: "1234.50", Amount: true}},
								{"read", "active", Value{}, Value{Name: "active", Text: "true"}},
							},
						}},
					},
					{
						Feed: "stock", Drop: 9, Name: "stock.csv", State: "counts", Says: []Says{{Missing: true}},
						Rows: []StoryRow{{Drop: 9, Row: 3, Rejected: true, Issues: []string{"“x” no es una cantidad."}}, {Drop: 9, Row: 4, Excluded: true}},
					},
				},
				Refused:   []Refusal{{Reason: "Product <not> found", Drop: 12, Row: 17, At: at}},
				Documents: []StoryDocument{arrived}, Before: &before,
			},
			{Shelf: "promotions", Next: &StoryNext{HeldBy: []string{"F7"}}},
		},
	}
}

// TestStories compares the page of a story in every language to goldens.
func TestStories(t *testing.T) {
	for _, language := range []string{"es", "pt", "en"} {
		c := storied(fullPage())
		c.Language, c.Now = language, func() time.Time { return fullStory().At }
		s := newServed(t, c)
		_, got := ask(t, http.MethodGet, s.url+"/sku?q=0042&store=290056")
		golden := filepath.Join("testdata", "sku."+language+".html")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", language, diff)
		}
	}
}

// TestStoryQuestions asks for what there is and is not.
func TestStoryQuestions(t *testing.T) {
	var asked About
	var fails error
	many := make([]Named, manyStores+1)
	for i := range many {
		many[i] = Named{ID: string(rune('a' + i)), Name: "Tienda"}
	}
	ask1 := func(stores []Named, query string) (int, string) {
		c := storied(fullPage())
		c.Language, c.Stores, c.Zone = "en", stores, time.FixedZone("", -3*60*60)
		c.Story = func(_ context.Context, a About) (Story, error) {
			asked = a
			return fullStory(), fails
		}
		s := newServed(t, c)
		res, body := ask(t, http.MethodGet, s.url+query)
		return res.code, body
	}
	for _, c := range []struct {
		name, query string
		fails       error
		stores      []Named
		want        int
		says        string
	}{
		{"nothing yet", "/sku", nil, nil, 200, "Why the shop shows what it shows"},
		{"blanks", "/sku?q=%20%20", nil, nil, 200, "Why the shop shows what it shows"},
		{"a story", "/sku?q=0042", nil, nil, 200, "As it stands now"},
		{"of a day", "/sku?q=0042&day=2026-11-25", nil, nil, 200, "As it stood"},
		{"no day", "/sku?q=0042&day=2026-13-25", nil, nil, 400, "There is no such day"},
		{"unknown", "/sku?q=<b>", ErrNoArticle, nil, 404, "No store has “&lt;b&gt;”"},
		{"too old", "/sku?q=1", ErrNoHistory, nil, 404, "Nothing is kept of that day"},
		{"no store", "/sku?q=1&store=9", ErrNoStore, nil, 404, "That store is not in the config"},
		{"slow", "/sku?q=1", context.DeadlineExceeded, nil, 503, "It takes too long"},
		{"broken", "/sku?q=1", errors.New("SELECT secret"), nil, 503, "the reason is in the log"},
		{"many stores", "/sku?q=1", nil, many, 200, "There are many stores: choose one."},
		{"one of many", "/sku?q=1&store=b", nil, many, 200, "As it stands now"},
		{"too long", "/sku?q=" + strings.Repeat("ñ", 5000), nil, nil, 200, "As it stands now"},
	} {
		fails, asked = c.fails, About{}
		code, body := ask1(c.stores, c.query)
		if code != c.want || !strings.Contains(body, c.says) || strings.Contains(body, "SELECT") {
			t.Errorf("%s: %d, want %d and %q:\n%s", c.name, code, c.want, c.says, body)
		}
		if len(asked.Article) > maxFind {
			t.Errorf("%s: asked for %d bytes", c.name, len(asked.Article))
		}
		if c.name == "of a day" && asked.Day.Format(time.RFC3339) != "2026-11-25T00:00:00-03:00" {
			t.Errorf("asked for %s", asked.Day)
		}
	}
	for query, want := range map[string]int{"/answer?drop=12": 200, "/answer?drop=13": 404, "/answer?drop=x": 404, "/answer": 404} {
		if code, body := ask1(nil, query); code != want || (want == 200) != strings.Contains(body, "Leímos bien 9 de 10 filas.") {
			t.Errorf("%s: %d, want %d: %s", query, code, want, body)
		}
	}
}

// TestOneStoryAtATime tells somebody who waits too long for their turn so.
func TestOneStoryAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := storied(fullPage())
		c.Language, c.Listen = "en", "127.0.0.1:0"
		began, goOn := make(chan struct{}), make(chan struct{})
		c.Story = func(context.Context, About) (Story, error) {
			close(began)
			<-goOn
			return fullStory(), nil
		}
		s, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		told := make(chan int)
		tell := func() {
			w := httptest.NewRecorder()
			s.sku(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sku?q=0042", http.NoBody))
			told <- w.Code
		}
		go tell()
		<-began
		go tell()
		if code := <-told; code != http.StatusServiceUnavailable {
			t.Errorf("the second one got %d", code)
		}
		close(goOn)
		if code := <-told; code != http.StatusOK {
			t.Errorf("the first one got %d", code)
		}
	})
}
