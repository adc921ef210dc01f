package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/drop"
)

// TestAnswersStaff drops a faulty export as a person would, corrects the annotated copy beside the answer, and drops that: only the
// repaired row changes anything.
func TestAnswersStaff(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.put("precios.csv", "Sucursal;Código;Precio;Activo\n001;A1;10,50;S\n001;A2;diez;S\n001;A3;20,00;S\n002;A1;11,00;S\n")
	answers := filepath.Join(l.drops, "respuestas")
	page := filepath.Join(answers, "precios.csv.html")
	book := filepath.Join(answers, "precios.csv.corregir.xlsx")
	l.await("the page", func() bool { return exists(page) && exists(book) && exists(filepath.Join(answers, "index.html")) })
	for file, wants := range map[string][]string{
		page:                                 {"C3", "precios.csv.corregir.xlsx", "diez", "RECIBIDO"},
		filepath.Join(answers, "index.html"): {`href="./precios.csv.html"`, "precios.csv"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(strings.ToUpper(string(text)), strings.ToUpper(want)) {
				t.Errorf("%s does not say %q", filepath.Base(file), want)
			}
		}
	}
	l.push()
	l.awaitEvent(EventSent, 2)
	l.await("the page to say that it arrived", func() bool {
		text, err := os.ReadFile(page)
		return err == nil && strings.Contains(string(text), "comprob")
	})

	// The copy as it is: nothing new is understood, and nothing changes.
	copied, err := os.ReadFile(book)
	if err != nil {
		t.Fatal(err)
	}
	before := len(l.heard(EventDocument))
	l.put("precios.csv.corregir.xlsx", string(copied))
	l.awaitEvent(EventRead, 2)
	l.push()
	l.awaitEvent(EventNothing, 2)
	if n := len(l.heard(EventDocument)); n != before {
		t.Errorf("an unchanged copy made %d documents", n-before)
	}
}

// TestCorrectionsAreTaken drops the annotated copy of a file whose feed takes files of another ending only.
func TestCorrectionsAreTaken(t *testing.T) {
	match := withCorrections([]string{"stock_*.csv"})
	feeds := []feedSetup{{}, {}}
	feeds[0].Name, feeds[0].Match = "books", []string{"*.xlsx"}
	feeds[1].Name, feeds[1].Match = "stock", []string{"stock_*.csv"}
	for name, want := range map[string]string{
		"stock_001.csv": "stock", "STOCK_001.CSV.corregir.xlsx": "stock", "stock_001.csv.correct.xlsx": "stock",
		"precios.xlsx.corrigir.xlsx": "books", "precios.xlsx": "books",
		"stock_001.csv.corregir (1).xlsx": "stock", "stock_001.csv.corregir - copia.xlsx": "stock",
	} {
		if got := (taker{feeds: feeds}).feedOf(name); got.Name != want {
			t.Errorf("%s goes to %s, want %s", name, got.Name, want)
		}
	}
	if !drop.Takes(match, "stock_001.csv.corregir (1).xlsx") || drop.Takes(match, "precios.csv.corregir.xlsx") {
		t.Errorf("patterns %v take the wrong copies", match)
	}
	if len(match) != 4 || match[0] != "stock_*.csv" {
		t.Errorf("patterns %v", match)
	}
}

// TestOldCorrectionIsHeld drops the copy of an export that another one has taken the place of since: its other rows would bring back
// what held then.
func TestOldCorrectionIsHeld(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: partial, vendor: {ids: ["1"]}}`, "")
	c.named("full", "p1.csv", "sku,price\nA1,10.00\nA2,xx\n")
	c.named("full", "p2.csv", "sku,price\nA1,12.00\nA2,5.50\n")
	c.push(false)
	c.named("full", "p1.csv.corregir.xlsx", "sku,price\nA1,10.00\nA2,7.00\n")
	if files := c.push(false); len(files) > 0 {
		t.Errorf("an old copy was sent: %v", files)
	}
	held, err := c.house.HeldExports(t.Context())
	if err != nil || len(held) != 1 || held[0].Findings[0].Code != catalog.DropOlder {
		t.Errorf("held: %+v, %v; want the copy, for being older", held, err)
	}
	// The copy of the export that counts is taken.
	c.named("full", "p2.csv.corregir.xlsx", "sku,price\nA1,12.00\nA2,6.50\n")
	if files := c.push(false); !strings.Contains(files["catalog/gondola_1.csv"], "A2,6.50") {
		t.Errorf("the copy of the newest export was not sent: %v", files)
	}
}

// named drops an export under a name of its own.
func (c *caseRun) named(feed, name, text string) {
	c.Helper()
	file := filepath.Join(c.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	c.clock = c.clock.Add(time.Hour)
	c.take(feed, file)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
