package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"gondola/internal/sandbox"
	samples "gondola/testdata/demo"
)

// demoLimit is how long a demo that ends by itself may take.
const demoLimit = time.Minute

// What the customers of the demo order, and how often an order of theirs is in a state that is handed over.
const (
	demoOrderCount = 5
	demoHandOvers  = 6
)

// expectedDemo is what the samples say of themselves.
func expectedDemo(t *testing.T) (expected struct{ Drops, Issues int }) {
	t.Helper()
	data, err := samples.Files.ReadFile("expected.json")
	if err == nil {
		err = json.Unmarshal(data, &expected)
	}
	if err != nil {
		t.Fatal(err)
	}
	return expected
}

// shelfSizes is how many articles each store's golden has.
func shelfSizes(t *testing.T) map[string]int {
	t.Helper()
	s, err := loadSamples()
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{}
	for _, store := range s.stores {
		sizes[store.id] = len(store.after)
	}
	return sizes
}

// offerSizes is how many promotions each store's golden has.
func offerSizes(t *testing.T) map[string]int {
	t.Helper()
	s, err := loadSamples()
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{}
	for _, store := range s.stores {
		sizes[store.id] = len(store.offers)
	}
	return sizes
}

func TestDemoOnce(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Setenv("TMPDIR", t.TempDir())
	var story bytes.Buffer
	began := time.Now()
	got, err := runDemo(t.Context(), demoOptions{Once: true, Out: &story})
	if err != nil {
		t.Fatalf("%v\n%s", err, &story)
	}
	if took := time.Since(began); took > demoLimit {
		t.Errorf("took %s", took)
	}
	expected := expectedDemo(t)
	// How many documents there are depends on whether a slot of the schedule came between the drops.
	if got.Documents < 6 || got.Verified != got.Documents {
		t.Errorf("%d documents, %d verified", got.Documents, got.Verified)
	}
	// A cart that changes before its order is in a file is no file of its own.
	if got.HandOvers < demoHandOvers || got.HandOvers > demoHandOvers+1 {
		t.Errorf("%d hand-overs to the ERP", got.HandOvers)
	}
	want := demoResult{
		Orders: demoOrderCount, HandOvers: got.HandOvers,
		Drops: expected.Drops, Issues: expected.Issues, Documents: got.Documents, Verified: got.Verified, Shelf: shelfSizes(t),
		Promotions: offerSizes(t),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	checkStory(t, story.String())
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("the folder is still there: %v, %v", left, err)
	}
}

// checkStory looks for what a person must have been shown, in the order in which one thing makes the next, or came before it in the script
// of orders. What customers do later, and how soon orders are handed over, is not ordered: the daemon lets events go first.
func checkStory(t *testing.T, story string) {
	t.Helper()
	sent := []string{
		"drop folders  ", "/drop/precios", "/drop/stock", "/drop/promociones", "answers  ", "state  ", "platform  ", "http://127.0.0.1:", "SHA256:",
		"precios.csv (312 kB) is put into", "stock_002.xlsx (",
		"drop      precios.csv (312 kB) taken",
		"read      precios.csv: 5,756 rows, 5,751 articles understood, 9 issues",
		`issue     row 156, Precio c/IVA: "consultar" is not a price.`,
		"and 5 more: see ", "/respuestas/precios.csv.txt",
		"| RECIBIDO, CON OBSERVACIONES",
		"push      ",
		"plan      ",
		"document  catalog/gondola_290056.csv: ",
		"sent      ",
		"platform  catalog/gondola_290056.csv read: ",
		"5 refused: missing sku 12001",
		"promociones.xlsx (9,420 bytes) is put into",
		"read      promociones.xlsx: 72 rows, ",
		"| RECIBIDO, CON OBSERVACIONES",
		"plan      Centro (290056): ",
		"document  promotions/gondola_290056.csv: ",
		"platform  promotions/gondola_290056.csv read: ",
		"orders    now customers order",
	}
	end := []string{
		"equals the samples",
		"Centro (290056)", "2,020", "711", "1,769 ", "22   yes",
		"Cordón (s8ym)", "yes",
		"each one once",
		"Centro (290056)        2", "yes", "Puerto (290057)        2", "yes", "Cordón (s8ym)          1", "yes",
		"done      ",
	}
	for _, orders := range [][]string{
		{
			"order     Centro (290056): no. 700000000, 2 articles, ", "CANCELLED, after it was RECEIVED",
			"handed    pedidos/", ".csv: 1 order, for the ERP", "| order;", "| item;",
		},
		{"CANCELLED, after it was RECEIVED", "handed    pedidos/001_700000003_CANCELLED_1.csv: 1 order"},
		{"CANCELLED, after it was READY_FOR_PICKUP", "handed    pedidos/002_700000004_CANCELLED_1.csv: 1 order"},
	} {
		checkOrder(t, story, slices.Concat(sent, orders, end))
	}
	if strings.ContainsAny(story, "\x1b\r│─…✓“") {
		t.Errorf("a stream that is no terminal got colours or symbols:\n%s", story)
	}
}

// checkOrder looks for one thing after the other.
func checkOrder(t *testing.T, story string, all []string) {
	t.Helper()
	rest := story
	for _, want := range all {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q is not in the story, or not where it should be:\n%s", want, story)
		}
		rest = after
	}
}

func TestDemoFindsAWrongPrice(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const store, wrong = "290057", "12345.5"
	sku, right := platformOnly(t, store)
	spoil := func(s *sandbox.Sandbox) error { return s.SetPrice(store, sku, wrong) }
	var story bytes.Buffer
	got, err := runDemo(t.Context(), demoOptions{Once: true, Out: &story, Platform: spoil})
	if code := exitCode(err); code != exitError {
		t.Fatalf("exit code %d for %v\n%s", code, err, &story)
	}
	text := "store " + store + ", SKU " + sku + ": the price should be " + right + " and is " + wrong
	if !strings.Contains(err.Error(), text) || strings.Count(err.Error(), "SKU ") != 1 {
		t.Errorf("the error is %q, want only %q in it", err, text)
	}
	for _, want := range []string{"wrong     " + text, "no, 1 difference", "yes"} {
		if !strings.Contains(story.String(), want) {
			t.Errorf("the story does not say %q:\n%s", want, &story)
		}
	}
	if diff := cmp.Diff(shelfSizes(t), got.Shelf); diff != "" {
		t.Errorf("shelves (-want +got):\n%s", diff)
	}
}

// platformOnly returns an article that no sample speaks of, so that nothing that is sent repairs it, and its price.
func platformOnly(t *testing.T, store string) (sku, price string) {
	t.Helper()
	s, err := loadSamples()
	if err != nil {
		t.Fatal(err)
	}
	var exported []byte
	for _, wave := range s.waves {
		for _, e := range wave {
			exported = append(exported, e.data...)
		}
	}
	for _, st := range s.stores {
		for _, a := range st.after {
			if st.id == store && !bytes.Contains(exported, []byte(a.SKU)) {
				return a.SKU, a.Price
			}
		}
	}
	t.Fatal("the exports speak of every article")
	return "", ""
}

// TestDemoFindsALostOrder has the platform keep an order to itself: the poll would find it, but not while the demo lasts.
func TestDemoFindsALostOrder(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	files := []orderFile{{"1", sandbox.StateReady, 1}, {"1", sandbox.StateReady, 2}, {"2", sandbox.StateCancelled, 1}}
	orders := []sandbox.Order{
		{ID: "1", External: "one", Carts: 1, States: []string{sandbox.StateReceived, sandbox.StateReady}},
		{ID: "2", External: "two", States: []string{sandbox.StateReceived, sandbox.StateCancelled}},
	}
	if wrong := slices.Concat(missingOrders(orders, files), extraOrders(orders, files)); wrong != nil {
		t.Errorf("what is right is wrong: %v", wrong)
	}
	for name, c := range map[string]struct {
		files []orderFile
		want  string
	}{
		"missing":  {files[:2], "order two was not handed over as CANCELLED"},
		"twice":    {append(slices.Clone(files), files[0]), "order one was handed over twice as READY_FOR_PICKUP"},
		"revision": {append(slices.Clone(files), orderFile{"2", sandbox.StateCancelled, 2}), "its cart had not changed"},
		"state":    {append(slices.Clone(files), orderFile{"2", sandbox.StateReady, 1}), "which it was not"},
		"foreign":  {append(slices.Clone(files), orderFile{"3", sandbox.StateReady, 1}), "the platform has none"},
	} {
		wrong := slices.Concat(missingOrders(orders, c.files), extraOrders(orders, c.files))
		if len(wrong) != 1 || !strings.Contains(wrong[0], c.want) {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// TestDemoWithoutEvents: the platform's events never come. The demo says which orders are missing.
func TestDemoWithoutEvents(t *testing.T) {
	var story bytes.Buffer
	deaf := func(s *sandbox.Sandbox) error { s.SetWebhook(""); return nil }
	_, err := runDemo(t.Context(), demoOptions{Once: true, Out: &story, Platform: deaf})
	// The poll is half a minute away: either it comes in time, or the orders are missing.
	if err != nil && !strings.Contains(err.Error(), "was not handed over as") {
		t.Errorf("%v\n%s", err, &story)
	}
	if err == nil && !strings.Contains(story.String(), "each one once") {
		t.Errorf("the story:\n%s", &story)
	}
}

func TestDemoJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--once", "--json"}, strings.NewReader(""), &stdout, &stderr); code != exitDone {
		t.Fatalf("exit code %d\n%s%s", code, &stdout, &stderr)
	}
	d := json.NewDecoder(&stdout)
	var got map[string]json.RawMessage
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("something stands behind the object: %v", err)
	}
	var keys []string
	for key := range got {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"documents", "drops", "hand_overs", "issues", "orders", "promotions", "shelf", "verified"}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	var shelf map[string]int
	if err := json.Unmarshal(got["shelf"], &shelf); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shelfSizes(t), shelf); diff != "" {
		t.Errorf("shelf (-want +got):\n%s", diff)
	}
	expected := expectedDemo(t)
	for key, want := range map[string]int{"drops": expected.Drops, "issues": expected.Issues, "orders": demoOrderCount} {
		var n int
		if err := json.Unmarshal(got[key], &n); err != nil || n != want {
			t.Errorf("%s: %s, want %d (%v)", key, got[key], want, err)
		}
	}
	if stderr.Len() > 0 {
		t.Errorf("complaints:\n%s", &stderr)
	}
}

// TestDemoStays drops a file as a person would while the demo stays up, and then ends it.
func TestDemoStays(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithTimeout(t.Context(), demoLimit)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "made", "by the demo")
	story, told := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := runDemo(ctx, demoOptions{Dir: dir, Out: told})
		ended <- errors.Join(err, told.Close())
	}()
	lines := bufio.NewScanner(story)
	await := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Errorf("the story ended without %q: %v", want, lines.Err())
	}
	await("Ctrl-C ends the demo")
	stock := filepath.Join(dir, "drop", "stock", "stock_001.csv")
	if err := os.WriteFile(stock, []byte("sku,stock\n10002,0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	await("stock_001.csv: 1 row, 1 article understood, 0 issues")
	await("plan      Centro (290056): 1 article differs")
	await("sent      catalog/gondola_290056.csv: verified")
	await("platform  catalog/gondola_290056.csv read: ")
	await("1,768   0 on, 1 off")
	again := filepath.Join(dir, "drop", "stock", "stock_002.csv")
	if err := os.WriteFile(again, []byte("no titles\nhere at all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	await("refused   stock_002.csv could not be used")
	await("issue     ")
	cancel()
	await("Everything stays in " + dir)
	if err := <-ended; err != nil {
		t.Errorf("the demo ended with %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "config.yaml")); err != nil {
		t.Error(err)
	}
}

// TestDemoSignal ends the real program as Ctrl-C does.
func TestDemoSignal(t *testing.T) {
	dir := t.TempDir()
	binary := buildBinary(t)
	for _, tc := range []struct {
		name string
		args []string
		when string
		code int
	}{
		{"when the samples are through", nil, "Ctrl-C ends the demo", exitDone},
		{"before they are", nil, "is put into", exitDone},
		{"before they have to be", []string{"--once"}, "is put into", exitError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			own := filepath.Join(dir, strings.ReplaceAll(tc.name, " ", "-"))
			ctx, cancel := context.WithTimeout(t.Context(), demoLimit)
			defer cancel()
			c := exec.CommandContext(ctx, binary, append([]string{"demo", "--dir", own}, tc.args...)...)
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var complaints bytes.Buffer
			c.Stderr = &complaints
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for lines.Scan() && !strings.Contains(lines.Text(), tc.when) {
			}
			if err := c.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			last := ""
			for lines.Scan() {
				last = lines.Text()
			}
			_ = c.Wait() // the code says it
			if code := c.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("exit code %d, want %d\n%s", code, tc.code, &complaints)
			}
			if last != "Everything stays in "+own {
				t.Errorf("the last line is %q", last)
			}
		})
	}
}

func TestDemoWantsAnEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--once", "--dir", dir}, strings.NewReader(""), &stdout, &stderr); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(stderr.String(), "is not empty") {
		t.Errorf("the complaint is %q", &stderr)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder was touched: %v, %v", entries, err)
	}
}

func TestDifferences(t *testing.T) {
	want := []shelfArticle{{"A", "1", true}, {"B", "2", true}, {"C", "3", false}, {"E", "5", true}}
	got := []shelfArticle{{"E", "5", true}, {"C", "3.5", true}, {"D", "4", true}, {"A", "1", true}}
	if diff := cmp.Diff([]string{
		"SKU B: it should be on the shelf and is not",
		"SKU C: the price should be 3 and is 3.5",
		"SKU C: it should be off sale and is on sale",
		"SKU D: it is on the shelf and should not be",
	}, differences(want, got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if same := differences(want, slices.Clone(want)); same != nil {
		t.Errorf("equal shelves differ in %v", same)
	}
	if diff := cmp.Diff(shelfChange{prices: 1, on: 1}, changed(want, got), cmp.AllowUnexported(shelfChange{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDemoPage(t *testing.T) {
	for _, tc := range []struct {
		name string
		look demoLook
		want string
	}{
		{"plain", demoLook{}, `00:00.0  done      "a" - b  ...
                   | more

  store           shelf   same
  ----------------------------
  Cordón (s8ym)   1,862   yes
  A                  12   no
`},
		{"symbols", demoLook{Symbols: true}, `00:00.0  done      ✓ “a” - b  …
                   │ more

  store           shelf   same
  ────────────────────────────
  Cordón (s8ym)   1,862   yes
  A                  12   no
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			p := newDemoPage(&out, tc.look)
			p.line(gladly, "done", "✓ “a” - b%c …", 0x1b)
			p.more(quietly, "│ more")
			p.blank()
			p.blank()
			p.columns([]string{"store", "shelf", "same"}, [][]string{{"Cordón (s8ym)", "1,862", "yes"}, {"A", "12", "no"}}, []tone{gladly, gravely})
			if diff := cmp.Diff(tc.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	var out bytes.Buffer
	newDemoPage(&out, demoLook{Colors: true}).line(gladly, "done", "all")
	if !strings.Contains(out.String(), string(gladly)+"done") || !strings.Contains(out.String(), "\x1b[0mall\n") {
		t.Errorf("no colours where they are wanted: %q", &out)
	}
}

func TestPageFitsTheTerminal(t *testing.T) {
	for columns, want := range map[int]int{0: demoIndent + demoWidth, 30: demoIndent + demoNarrow, 80: 80, 300: demoIndent + demoWidth} {
		var out bytes.Buffer
		newDemoPage(&out, demoLook{Columns: columns}).line(plainly, "issue", "%s", strings.Repeat("a ", 200))
		widest := 0
		for line := range strings.Lines(out.String()) {
			widest = max(widest, len(strings.TrimRight(line, "\n")))
		}
		if widest > want || widest < want-1 {
			t.Errorf("on a terminal of %d columns the widest line has %d, want %d", columns, widest, want)
		}
	}
}

func TestWrapped(t *testing.T) {
	for _, tc := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"ñandú ñandú", 5, []string{"ñandú", "ñandú"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 8, []string{"one two", "three"}},
		{"/a/long/path and more", 6, []string{"/a/long/path", "and", "more"}},
		{"/a/long/path", 6, []string{"/a/long/path"}},
	} {
		if diff := cmp.Diff(tc.want, wrapped(tc.text, tc.width)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tc.text, diff)
		}
	}
}

func TestDemoNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
}
