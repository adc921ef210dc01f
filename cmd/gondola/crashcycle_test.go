package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// The cycle of the crash matrix: everything that an export, a promotion, a rejection, a correction, the brake and a push go through. Each
// step says what is dropped, which command deals with it, and what customers see when it is done.

// crashStep is one step of the cycle.
type crashStep struct {
	name    string
	drop    func(w *crashWorld) (file string, data []byte) // nil: nothing is dropped
	rejects bool                                           // the drop ends in the folder of rejected ones
	command []string
	want    func(s *crashShelf) // changes what customers see
	// after says how long the step before must be over: the end of a promotion has to be read before the next one starts.
	after time.Duration
	// owes says that customers see what they should only when further runs have come.
	owes bool
	// asks says that the step only leaves a request: what comes of it, and is said of it, is the next step's.
	asks bool
}

// crashShelf is what customers see: by store and SKU.
type crashShelf struct {
	price  map[string]string // on the shelf
	pays   map[string]string // with promotions; where they differ
	hidden map[string]bool   // switched off
}

func (s *crashShelf) clone() *crashShelf {
	return &crashShelf{price: maps.Clone(s.price), pays: maps.Clone(s.pays), hidden: maps.Clone(s.hidden)}
}

const crashArticles = 20

var crashVendors = []string{"s1", "s2"}

func crashSKU(i int) string { return fmt.Sprintf("A%02d", i) }

// crashWindow is sftp.read_window: the least that the config takes.
const crashWindow = time.Second

// crashCycle returns the steps.
func crashCycle() []crashStep {
	once := []string{"once"}
	csv := func(name, text string) func(*crashWorld) (string, []byte) {
		return func(*crashWorld) (string, []byte) { return name, []byte(text) }
	}
	from, to := time.Now().AddDate(0, 0, -2).Format(time.DateOnly), time.Now().AddDate(0, 0, 30).Format(time.DateOnly)
	offer := func(price string) string {
		return "tienda;sku;campaña;precio oferta;desde;hasta;activa\n" +
			fmt.Sprintf("s1;A00;Semana;%s;%s;%s;sí\ns2;A01;Semana;%s;%s;%s;sí\n", price, from, to, price, from, to)
	}
	return []crashStep{
		{
			name: "full export", drop: csv("full/todo.csv", crashExport(0, crashArticles)), command: once,
			want: func(s *crashShelf) {
				for _, v := range crashVendors {
					for i := range crashArticles {
						s.price[v+" "+crashSKU(i)] = fmt.Sprint(100 + i)
					}
				}
			},
		},
		{
			name: "partial export", drop: csv("partial/algo.csv", "tienda;sku;precio\ns1;A02;250,50\ns2;A03;351,50\n"), command: once,
			want: func(s *crashShelf) { s.price["s1 A02"], s.price["s2 A03"] = "250.5", "351.5" },
		},
		{
			name: "promotions start", drop: csv("promos/ofertas.csv", offer("80")), command: once,
			want: func(s *crashShelf) { s.pays["s1 A00"], s.pays["s2 A01"] = "80", "80" },
		},
		{
			name: "promotions end for others", drop: csv("promos/ofertas.csv", offer("70")), command: once, owes: true,
			want: func(s *crashShelf) { s.pays["s1 A00"], s.pays["s2 A01"] = "70", "70" },
		},
		{name: "the end was read", command: once, after: 2 * crashWindow, owes: true},
		{name: "promotions start again", command: once},
		{name: "rejected export", drop: csv("partial/carta.csv", "Estimado cliente: no hay datos hoy.\n"), rejects: true, command: once},
		{
			name:    "export with a mistake",
			drop:    csv("partial/errores.csv", "tienda;sku;precio\ns1;A04;260,50\ns1;A05;dos mil\ns1;A06;262,50\n"),
			command: once,
			want:    func(s *crashShelf) { s.price["s1 A04"], s.price["s1 A06"] = "260.5", "262.5" },
		},
		{
			name: "correction dropped back", drop: func(w *crashWorld) (string, []byte) {
				return "partial/errores.csv.corregir.xlsx", w.corrected("errores.csv.corregir.xlsx", "dos mil", 261.5)
			},
			command: once,
			want:    func(s *crashShelf) { s.price["s1 A05"] = "261.5" },
		},
		{name: "export that the brake holds", drop: csv("full/corto.csv", crashExport(0, crashArticles/2)), command: once},
		{name: "approval", command: []string{"approve", "--who", "ana", "HELD"}, asks: true},
		{
			name: "push", command: []string{"push"},
			want: func(s *crashShelf) {
				for _, v := range crashVendors {
					for i := range crashArticles {
						if i < crashArticles/2 {
							continue
						}
						s.hidden[v+" "+crashSKU(i)] = true
					}
				}
			},
		},
	}
}

// crashExport is a full export of both stores with some of the articles. The promotions' articles and those that the partial feed speaks of
// keep what that feed says: it is the later one in the config.
func crashExport(from, to int) string {
	var b strings.Builder
	b.WriteString("tienda;sku;precio;activo\n")
	for _, v := range crashVendors {
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "%s;%s;%d,00;sí\n", v, crashSKU(i), 100+i)
		}
	}
	return b.String()
}

// corrected returns an annotated copy with one cell put right, as staff would do it.
func (w *crashWorld) corrected(name, wrong string, right any) []byte {
	f, err := excelize.OpenFile(filepath.Join(w.dir, "drop", "partial", "respuestas", name))
	if err != nil {
		w.Fatalf("open the copy to correct: %v", err)
	}
	defer f.Close()
	sheet := f.GetSheetName(0)
	cells, err := f.SearchSheet(sheet, wrong)
	if err != nil || len(cells) != 1 {
		w.Fatalf("%q stands in %v of the copy (%v), want one cell", wrong, cells, err)
	}
	if err := f.SetCellValue(sheet, cells[0], right); err != nil {
		w.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		w.Fatal(err)
	}
	return b.Bytes()
}

// copyTree copies a folder; what lies at the target goes.
func copyTree(t testing.TB, to, from string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
