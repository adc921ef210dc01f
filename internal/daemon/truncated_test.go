package daemon

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"gondola/internal/config"
	"gondola/internal/drop"
	"gondola/internal/outbox"
	"gondola/internal/store"
	"gondola/internal/table"
)

// truncatedRows is how many articles the exports have.
const truncatedRows = 40

// truncated is a shape of export.
type truncated struct {
	name string
	file string                               // its name
	make func(t *testing.T, price int) []byte // whole, with prices a little above price
	ends bool                                 // its last line is ended, or it is no text
}

// The price stands last, which is the worst place for it: what is left of 1250.00 is still a price.
var truncatedExports = []truncated{
	{"lines", "e.csv", func(_ *testing.T, price int) []byte { return truncatedText(price, ",", ".00\n", "%s") }, true},
	{"last line open", "e.csv", func(_ *testing.T, price int) []byte {
		return bytes.TrimSuffix(truncatedText(price, ",", ".00\n", "%s"), []byte("\n"))
	}, false},
	{"semicolons, CR LF", "e.csv", func(_ *testing.T, price int) []byte { return truncatedText(price, ";", ",00\r\n", "%s") }, true},
	{"quotes", "e.csv", func(_ *testing.T, price int) []byte { return truncatedText(price, ",", ".00\"\n", "%q") }, true},
	{"whole prices", "e.csv", func(_ *testing.T, price int) []byte { return truncatedText(price, ";", "\n", "%s") }, true},
	// Where nothing in the file tells, the brake does: a price that lost a digit is a tenth.
	{"whole prices, last line open", "e.csv", func(_ *testing.T, price int) []byte {
		return bytes.TrimSuffix(truncatedText(price, ";", "\n", "%s"), []byte("\n"))
	}, false},
	{"UTF-16", "e.csv", func(_ *testing.T, price int) []byte { return utf16Of(truncatedText(price, "\t", ",00\r\n", "%s")) }, true},
	{"workbook", "e.xlsx", truncatedWorkbook, true},
}

// truncatedText is an export as text. end stands behind each price, quote is how texts are written.
func truncatedText(price int, delimiter, end, quote string) []byte {
	var b bytes.Buffer
	text := func(s string) string { return fmt.Sprintf(quote, s) }
	fmt.Fprintln(&b, strings.Join([]string{text("sku"), text("descripción"), text("activo"), text("precio")}, delimiter))
	for i := range truncatedRows {
		last := fmt.Sprint(price + i)
		if quote == "%q" {
			last = `"` + last
		}
		b.WriteString(strings.Join([]string{text(fmt.Sprintf("A%04d", i)), text("Piña y ñandú"), text("sí"), last + end}, delimiter))
	}
	return b.Bytes()
}

// utf16Of is a text in UTF-16 with its mark, as spreadsheets save "Unicode text".
func utf16Of(text []byte) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(text))) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func truncatedWorkbook(t *testing.T, price int) []byte {
	f := excelize.NewFile()
	defer f.Close()
	rows := [][]any{{"sku", "activo", "precio"}}
	for i := range truncatedRows {
		rows = append(rows, []any{fmt.Sprintf("A%04d", i), "sí", float64(price+i) + 0.25})
	}
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTruncatedExports cuts exports of every shape at every hundredth of their length, as a disk that is full or a program that dies does
// it. None switches off more than the brake lets pass, and nothing where the end shows that there was more to come; and the platform gets no
// price that stands in neither the export before nor the whole one.
func TestTruncatedExports(t *testing.T) {
	for _, e := range truncatedExports {
		for _, feed := range []string{"full", "partial"} {
			t.Run(e.name+", "+feed, func(t *testing.T) {
				t.Parallel()
				w := newTruncatedWorld(t, e, feed)
				for percent := 1; percent < 100; percent++ {
					w.cut(percent)
				}
				t.Logf("99 cuts: %d refused, %d held, %d passed with a row refused, %d passed; at most %d of %d articles switched off",
					w.refused, w.held, w.partly, w.passed, w.mostOff, truncatedRows)
				if w.refused == 0 || e.file == "e.csv" && w.refused == 99 {
					t.Error("every cut ended in the same way: this run shows little")
				}
			})
		}
	}
}

// truncatedWorld is a house that gets whole and cut exports of one feed in turn.
type truncatedWorld struct {
	*testing.T
	e      truncated
	feed   string
	clock  time.Time
	house  *House
	reader *reader
	first  map[string]string // what the export before says

	refused, held, partly, passed, mostOff int
}

const truncatedConfig = `
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "1"}]
state: {dir: state, min_free: 0MB}
sftp: {host: sandbox, user: sandbox, password: "env:GONDOLA_CASE_PASSWORD", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds:
  - {name: full, drop: drop/full, export: full, missing: deactivate, vendor: {ids: ["1"]}}
  - {name: partial, drop: drop/partial, export: partial, vendor: {ids: ["1"]}}
brake: {min_rows: 1}
`

func newTruncatedWorld(t *testing.T, e truncated, feed string) *truncatedWorld {
	w := &truncatedWorld{T: t, e: e, feed: feed, clock: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	cfg, err := config.Parse(filepath.Join(t.TempDir(), "config.yaml"), []byte(truncatedConfig))
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return w.clock }
	w.reader = &reader{now: now, files: map[string][]byte{}, read: map[string][]byte{}, shelf: map[string]map[string]string{}}
	w.house, err = Open(t.Context(), cfg, Options{Now: now, Dial: func(context.Context) (outbox.Remote, error) { return w.reader, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.house.Close() })
	w.take(e.make(t, truncatedFirst))
	w.first = w.prices()
	if len(w.first) != truncatedRows {
		t.Fatalf("%d articles have a price, want %d", len(w.first), truncatedRows)
	}
	return w
}

// What the prices begin at before and after.
const truncatedFirst, truncatedSecond = 1250, 1320

// cut drops what is left of an export after it was cut, and then a whole one where the next cut would not stand by itself.
func (w *truncatedWorld) cut(percent int) {
	whole := w.e.make(w.T, []int{truncatedFirst, truncatedSecond}[percent%2]) // in turn, so that prices change with each
	data := whole[:len(whole)*percent/100]
	outcome := w.take(data)
	second := func(sku string) string {
		return strings.Replace(w.first[sku], fmt.Sprint(truncatedFirst+w.number(sku)), fmt.Sprint(truncatedSecond+w.number(sku)), 1)
	}
	off, now := w.off(), w.prices()
	for key, price := range now {
		if price != w.first[key] && price != second(key) {
			w.Errorf("cut at %d %%, after %q: %s costs %s", percent, data[max(0, len(data)-30):], key, price)
		}
	}
	complete, err := table.Complete(w.path(outcome))
	if err != nil {
		w.Fatal(err)
	}
	switch limit := truncatedRows / 5; {
	case off > limit:
		w.Errorf("cut at %d %%: %d of %d articles are switched off, the brake's limit is %d", percent, off, truncatedRows, limit)
	case off > 0 && !complete && w.e.ends:
		w.Errorf("cut at %d %%, in the middle of a line: %d articles are switched off", percent, off)
	}
	w.mostOff = max(w.mostOff, off)
	switch layers, err := w.house.store.LayersOf(w.Context(), outcome.Seq); {
	case err != nil:
		w.Fatal(err)
	case outcome.State == store.DropRejected:
		w.refused++
		return // nothing of it counts
	case len(layers) > 0 && layers[0].State == store.LayerHeld:
		w.held++
	case outcome.Outcome.Rejected > 0:
		w.partly++
		return // what it says is in one of the two whole ones
	default:
		w.passed++
	}
	w.take(w.e.make(w.T, truncatedFirst))
}

// take drops an export that nobody finishes any more, makes a plan, and returns what is in the books about it.
func (w *truncatedWorld) take(data []byte) store.Drop {
	ctx := context.Background()
	w.clock = w.clock.Add(time.Minute)
	seq, err := w.house.store.NextSeq(ctx)
	if err != nil {
		w.Fatal(err)
	}
	file := w.path(store.Drop{Seq: seq})
	if err := os.WriteFile(file, data, 0o600); err != nil {
		w.Fatal(err)
	}
	feeds := w.house.feeds[:1]
	if w.feed == "partial" {
		feeds = w.house.feeds[1:]
	}
	verdict, err := taker{w.house, feeds}.Take(ctx, drop.Claim{Seq: seq, Name: w.e.file, Archived: file, ModTime: w.clock, FirstSeen: w.clock})
	if err != nil {
		w.Fatal(err)
	}
	if verdict == drop.Rejected {
		return w.book(seq)
	}
	if err := w.house.store.RecordSlot(ctx, "test", w.clock, w.house.targetNames(), false); err != nil {
		w.Fatal(err)
	}
	if err := w.house.planDue(ctx); err != nil {
		w.Fatal(err)
	}
	if _, err := w.house.flushAll(ctx); err != nil {
		w.Fatal(err)
	}
	w.reader.begin()
	return w.book(seq)
}

// book returns what is in the books about a drop.
func (w *truncatedWorld) book(seq int64) store.Drop {
	d, _, err := w.house.store.Drop(context.Background(), seq)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

func (w *truncatedWorld) path(d store.Drop) string {
	return filepath.Join(w.house.cfg.State.Dir, archiveDir, fmt.Sprintf("%d-%s", d.Seq, w.e.file))
}

// number returns which one of the articles it is.
func (w *truncatedWorld) number(sku string) (n int) {
	if _, err := fmt.Sscanf(sku, "A%04d", &n); err != nil {
		w.Fatalf("the platform has an article %q: %v", sku, err)
	}
	return n
}

// prices returns what the platform shows.
func (w *truncatedWorld) prices() map[string]string {
	all := map[string]string{}
	for sku, article := range w.reader.shelf {
		all[sku] = article["price"]
	}
	return all
}

// off counts the articles that the platform does not sell.
func (w *truncatedWorld) off() (n int) {
	for _, article := range w.reader.shelf {
		if article["active"] == "0" {
			n++
		}
	}
	return n
}
