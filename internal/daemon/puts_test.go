package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gondola/internal/config"
	"gondola/internal/report"
	"gondola/internal/store"
	"gondola/internal/web"
)

// dropCase is a house whose drops are taken when the test says so, and its drop page.
type dropCase struct {
	*caseRun
	page *dropPage
}

// newDropCase makes a case whose feeds have their folders.
func newDropCase(t *testing.T, feeds, rest string) *dropCase {
	t.Helper()
	c := &dropCase{caseRun: newRules(t, feeds, rest)}
	c.begin()
	return c
}

func (c *dropCase) begin() {
	c.page = &dropPage{c.house, previewWithin}
	for _, f := range c.house.feeds {
		if err := os.MkdirAll(f.Drop, 0o755); err != nil {
			c.Fatal(err)
		}
	}
}

// restart ends the process and begins the next one.
func (c *dropCase) restart() {
	c.Helper()
	c.close()
	c.open(c.config(filepath.Join(c.dir, "config.yaml")))
	c.begin()
}

func (c *dropCase) receive(name, text string) (string, error) {
	return c.page.Receive(c.Context(), web.Upload{Name: name, Size: int64(len(text)), Body: strings.NewReader(text)})
}

// preview receives a file and looks at it.
func (c *dropCase) preview(name, text, feed string) web.DropPreview {
	c.Helper()
	token, err := c.receive(name, text)
	if err != nil {
		c.Fatal(err)
	}
	p, err := c.page.Preview(c.Context(), token, feed)
	if err != nil {
		c.Fatal(err)
	}
	return p
}

// send sends a file that was previewed and returns its row.
func (c *dropCase) send(token, who string) store.Put {
	c.Helper()
	id, err := c.page.Send(c.Context(), token, who)
	if err != nil {
		c.Fatal(err)
	}
	put, ok, err := c.house.store.Put(c.Context(), id)
	if err != nil || !ok {
		c.Fatalf("no row of what was sent: %v", err)
	}
	return put
}

// claim takes a file out of a feed's folder, as its watch does.
func (c *dropCase) claim(feed, name string) {
	c.Helper()
	f, _ := c.house.feed(feed)
	path := filepath.Join(f.Drop, name)
	c.take(feed, path)
	if err := os.Remove(path); err != nil {
		c.Fatal(err)
	}
}

// files lists a feed's folder, without its answers.
func (c *dropCase) files(feed string) []string {
	c.Helper()
	f, _ := c.house.feed(feed)
	entries, err := os.ReadDir(f.Drop)
	if err != nil {
		c.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		if !e.IsDir() && !strings.HasSuffix(e.Name(), ".respuesta.txt") {
			names = append(names, e.Name())
		}
	}
	return names
}

// incoming lists what was received and lies on the disk.
func (c *dropCase) incoming() []string {
	c.Helper()
	entries, err := os.ReadDir(filepath.Join(c.house.cfg.State.Dir, incomingDir))
	if err != nil && !os.IsNotExist(err) {
		c.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestPreviewIsWhatComes holds a preview against the answer about the same file once it was dropped.
func TestPreviewIsWhatComes(t *testing.T) {
	const feeds = `  - {name: full, drop: drop, export: full, missing: deactivate, vendor: {column: Tienda}}
  - {name: ofertas, kind: promotions, drop: ofertas, export: full, missing: deactivate, vendor: {ids: ["1"]}}`
	list := func(rows ...string) string { return "Tienda;sku;precio;activo\n" + strings.Join(rows, "\n") + "\n" }
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("001;A%03d;%d,50;S", i, 10+i), fmt.Sprintf("002;A%03d;%d,50;S", i, 10+i))
	}
	var dear []string
	for i := range 60 {
		dear = append(dear, fmt.Sprintf("001;A%03d;%d,50;S", i, 10+3*i), fmt.Sprintf("002;A%03d;%d,50;N", i, 10+i))
	}
	const offers = "sku;campaign_name;start_date;end_date;discounted_price\n"
	for name, one := range map[string]struct{ feed, text string }{
		"the same":   {"full", list(many...)},
		"changes":    {"full", list(append(slices.Clone(many[4:]), "001;NUEVO;5,00;S", "001;A000;11,25;S")...)},
		"the brake":  {"full", list(dear...)},
		"wrong":      {"full", list(append(slices.Clone(many), "001;A001;gratis;S", "009;A002;1,00;S", "001;A003;13,50;S")...)},
		"refused":    {"full", "nada;de;eso\n1;2;3\n"},
		"promotions": {"ofertas", offers + "A001;Semana;2026-11-20;2026-11-30;9,00\nA002;Semana;2026-11-20;2026-11-30;90,00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newDropCase(t, feeds, "brake: {equal_prices: off, min_rows: 10}")
			c.export("full", list(many...))
			c.push(false)
			seen := c.preview("lista.csv", one.text, one.feed)
			put := c.send(seen.Token, "ana")
			c.claim(one.feed, put.Name)
			d, _, err := c.house.store.LastDrop(t.Context(), one.feed)
			if err != nil {
				t.Fatal(err)
			}
			is, err := c.house.answer(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			if is.By != "ana" {
				t.Errorf("dropped by %q", is.By)
			}
			diff := cmp.Diff(is, seen.What.Answer,
				cmpopts.IgnoreFields(report.Answer{}, "Zone", "Seq", "By", "Time", "Updated"),
				cmpopts.IgnoreFields(report.StoreAnswer{}, "Unchanged", "Waiting", "Withheld"), cmpopts.EquateEmpty())
			if diff != "" {
				t.Errorf("what came is another thing than the preview said (-came +said):\n%s", diff)
			}
			text, err := report.PreviewPart(seen.What)
			if err != nil || text == "" {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
}

// TestPreviewChangesNothing looks at everything that there is before and after.
func TestPreviewChangesNothing(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "")
	c.export("full", articles(20, 0, "10.50"))
	state := func() map[string]string {
		all := map[string]string{}
		for _, dir := range []string{"shelf", "sort", "documents", "archive"} {
			err := filepath.WalkDir(filepath.Join(c.house.cfg.State.Dir, dir), func(path string, e os.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					data, err := os.ReadFile(path)
					all[path] = string(data)
					return err
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		n, err := c.house.store.ReceiptsDue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		layers, err := c.house.store.Layers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all["layers"], all["due"] = fmt.Sprint(layers), fmt.Sprint(n)
		return all
	}
	before := state()
	seen := c.preview("lista.csv", articles(40, 10, "99.00"), "")
	if seen.What.Stores[0].Changes.New != 20 || seen.What.Stores[0].Changes.PriceUp == 0 {
		t.Errorf("%+v", seen.What.Stores)
	}
	c.house.uploads.work.Wait()
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Error(diff)
	}
	if left, err := os.ReadDir(filepath.Join(c.house.cfg.State.Dir, incomingDir, seen.Token)); err != nil || len(left) != 1 {
		t.Errorf("beside the file lie %v, %v", left, err)
	}
}

// TestPreviewChoosesTheFeed leaves it to the file what it is, and to its name which feeds take it.
func TestPreviewChoosesTheFeed(t *testing.T) {
	c := newDropCase(t, `  - {name: precios, drop: drop, export: partial, vendor: {ids: ["1"]}, match: ["*.csv"]}
  - {name: stock, drop: drop, export: partial, vendor: {ids: ["1"]}, match: ["*.txt"]}
  - {name: ofertas, kind: promotions, drop: ofertas, export: partial, vendor: {ids: ["1"]}}`, "")
	const offers = "sku;campaign_name;start_date;end_date;discounted_price\nA;Semana;2026-11-20;2026-11-30;9,00\n"
	for _, one := range []struct {
		name, text, feed string
		want             string
		others           int
	}{
		{"lista.csv", "sku;precio\nA;10,50\n", "", "precios", 1},
		{"lista.csv", offers, "", "ofertas", 1},
		{"lista.csv", offers, "precios", "precios", 1},
		{"stock.txt", "sku;precio\nA;10,50\n", "", "stock", 1},
		{"lista.xlsx.csv", "nada\n", "", "precios", 1},
	} {
		p := c.preview(one.name, one.text, one.feed)
		if p.Feed != one.want || len(p.Others) != one.others {
			t.Errorf("%s %q is read by %s and could be by %v, want %s", one.name, one.text, p.Feed, p.Others, one.want)
		}
	}
	token, err := c.receive("lista.csv", offers)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.page.Preview(t.Context(), token, "stock"); !isNameError(err) {
		t.Errorf("another feed's name: %v", err)
	}
	if _, err := c.page.Send(t.Context(), token, "ana"); !errors.Is(err, web.ErrUnknown) {
		t.Errorf("sent before somebody has seen what it is: %v", err)
	}
	if got := c.files("precios"); len(got) != 0 {
		t.Errorf("the folder holds %v", got)
	}
}

func isNameError(err error) bool {
	_, ok := errors.AsType[*web.NameError](err)
	return ok
}

// TestSendNeverOverwrites sends files of a name that lies there already.
func TestSendNeverOverwrites(t *testing.T) {
	c := newDropCase(t, `  - {name: full, drop: drop, export: partial, vendor: {file_name: '^stock_(?P<erp_code>\d+)( \(\d\))?\.csv$'}, match: ["stock_*.csv"]}
  - {name: one, drop: one, export: partial, vendor: {ids: ["1"]}, match: ["precios.csv"]}`, "")
	const text = "sku;precio\nA;10,50\n"
	var ids []string
	for range 3 {
		ids = append(ids, c.send(c.preview("stock_001.csv", text, "").Token, "ana").Name)
	}
	if want := []string{"stock_001.csv", "stock_001 (2).csv", "stock_001 (3).csv"}; !slices.Equal(ids, want) {
		t.Errorf("sent as %v, want %v", ids, want)
	}
	c.send(c.preview("precios.csv", text, "").Token, "ana")
	other := c.preview("precios.csv", text, "")
	if _, err := c.page.Send(t.Context(), other.Token, "ana"); !errors.Is(err, web.ErrLies) {
		t.Errorf("sent where another name means nothing: %v", err)
	}
	c.claim("one", "precios.csv")
	c.send(other.Token, "ana") // once there is room, the same can be sent
	if got := c.files("one"); !slices.Equal(got, []string{"precios.csv"}) {
		t.Errorf("the folder holds %v", got)
	}
	if open, err := c.house.store.OpenPuts(t.Context()); err != nil || len(open) != 4 {
		t.Errorf("open: %+v, %v", open, err)
	}
}

// TestSendTakesNoApproval keeps who may drop from approving by the name of a file.
func TestSendTakesNoApproval(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "brake: {approve_by_file: true}")
	for _, name := range []string{"APROBAR-1", "aprobar-1.txt", "approve F3.csv", "aprobar todo"} {
		token, err := c.receive(name, "sku;precio\nA;1\n")
		if err == nil {
			_, err = c.page.Preview(t.Context(), token, "")
		}
		if !isNameError(err) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.page.Send(t.Context(), token, "ana"); !errors.Is(err, web.ErrUnknown) {
			t.Errorf("%s was sent: %v", name, err)
		}
	}
	if got := c.files("full"); len(got) != 0 {
		t.Errorf("the folder holds %v", got)
	}
}

// TestRestartForgetsPreviews ends the process at every step of sending. Nothing is lost that was promised, and nothing is left behind.
func TestRestartForgetsPreviews(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "")
	f, _ := c.house.feed("full")
	const text = "sku;precio\nA;10,50\n"
	seen := c.preview("lista.csv", text, "")
	staged := filepath.Join(f.Drop, stagedPrefix+"X"+stagedSuffix)
	if err := os.WriteFile(staged, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := func() string { return seenDigest(c, seen.Token) }()
	row := func(id, name string) {
		err := c.house.store.AddPut(t.Context(), store.Put{ID: id, Feed: "full", Name: name, SHA256: sum, Who: id, At: c.clock})
		if err != nil {
			t.Fatal(err)
		}
	}
	row("nothing", "lista.csv") // the process ended before the name was there
	row("there", "otra.csv")    // or after it
	row("claimed", "tercera.csv")
	row("elsewhere", "lista.csv")
	for _, path := range []string{"otra.csv", ".gondola/work/7-tercera.csv"} {
		path = filepath.Join(f.Drop, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.restart()
	if got := c.files("full"); !slices.Equal(got, []string{"otra.csv"}) {
		t.Errorf("the folder holds %v", got)
	}
	if got := c.incoming(); len(got) != 0 {
		t.Errorf("received files are left: %v", got)
	}
	open, err := c.house.store.OpenPuts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, put := range open {
		ids = append(ids, put.ID)
	}
	if slices.Sort(ids); !slices.Equal(ids, []string{"claimed", "there"}) {
		t.Errorf("rows %v", ids)
	}
	if _, err := c.page.Send(t.Context(), seen.Token, "ana"); !errors.Is(err, web.ErrUnknown) {
		t.Errorf("sent after the restart: %v", err)
	}
	if _, err := c.page.Follow(t.Context(), "nothing"); !errors.Is(err, web.ErrUnknown) {
		t.Errorf("followed what never was there: %v", err)
	}
	// Whoever puts the same bytes there by hand is not taken for the visitor.
	if err := os.WriteFile(filepath.Join(f.Drop, "lista.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.claim("full", "lista.csv")
	c.claim("full", "otra.csv")
	for seq, want := range map[int64]string{1: "", 2: "there"} {
		put, _, err := c.house.store.PutOf(t.Context(), seq)
		if err != nil || put.Who != want {
			t.Errorf("drop %d is of %q, want %q (%v)", seq, put.Who, want, err)
		}
	}
}

// seenDigest returns the digest of what was received.
func seenDigest(c *dropCase, token string) string { return c.house.uploads.files[token].sha256 }

// TestFollow tells what becomes of a file, step by step.
func TestFollow(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "")
	put := c.send(c.preview("lista.csv", "sku;precio\nA;10,50\n", "").Token, "ana")
	follow := func() web.DropFate {
		t.Helper()
		fate, err := c.page.Follow(t.Context(), put.ID)
		if err != nil {
			t.Fatal(err)
		}
		return fate
	}
	if f := follow(); f.Gone || f.Stuck || f.Seq != 0 || f.Name != "lista.csv" {
		t.Errorf("in the folder: %+v", f)
	}
	c.claim("full", put.Name)
	if f := follow(); f.Seq != 1 || f.Answer == nil || f.Answer.Verdict != report.Accepted {
		t.Errorf("read: %+v", f)
	}
	put = c.send(c.preview("otra.csv", "sku;precio\nA;10,50\n", "").Token, "ana")
	full, _ := c.house.feed("full")
	if err := os.Remove(filepath.Join(full.Drop, put.Name)); err != nil {
		t.Fatal(err)
	}
	if f := follow(); !f.Gone {
		t.Errorf("taken away: %+v", f)
	}
	if err := os.Rename(full.Drop, full.Drop+" is away"); err != nil {
		t.Fatal(err)
	}
	if f := follow(); f.Gone || !f.Stuck {
		t.Errorf("without the folder: %+v", f)
	}
	seen := c.preview("otra.csv", "sku;precio\nA;10,50\n", "")
	if _, err := c.page.Send(t.Context(), seen.Token, "ana"); !errors.Is(err, web.ErrFolder) {
		t.Errorf("sent without the folder: %v", err)
	}
	if err := os.Rename(full.Drop+" is away", full.Drop); err != nil {
		t.Fatal(err)
	}
	if f := c.send(seen.Token, "ana"); f.Name != "otra.csv" {
		t.Errorf("sent once the folder is back: %+v", f)
	}
}

// TestSendsTheBytesThatWereSeen changes a received file on the disk.
func TestSendsTheBytesThatWereSeen(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "")
	seen := c.preview("lista.csv", "sku;precio\nA;10,50\n", "")
	path := filepath.Join(c.house.cfg.State.Dir, incomingDir, seen.Token, "file")
	if err := os.WriteFile(path, []byte("sku;precio\nA;99,50\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.page.Send(t.Context(), seen.Token, "ana"); !errors.Is(err, web.ErrUnknown) {
		t.Errorf("sent: %v", err)
	}
	if got := c.files("full"); len(got) != 0 {
		t.Errorf("the folder holds %v", got)
	}
}

// TestOldFileIsAskedAbout sends an export that was changed before one that counts.
func TestOldFileIsAskedAbout(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "")
	c.export("full", "sku;precio\nA;10,50\n")
	text := "sku;precio\nA;11,50\n"
	token, err := c.page.Receive(t.Context(), web.Upload{Name: "lista.csv", Body: strings.NewReader(text), Modified: c.clock.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := c.page.Preview(t.Context(), token, "")
	if err != nil || seen.What.Verdict != report.Held {
		t.Errorf("%s, %v", seen.What.Verdict, err)
	}
	put := c.send(token, "ana")
	full, _ := c.house.feed("full")
	if info, err := os.Stat(filepath.Join(full.Drop, put.Name)); err != nil || !info.ModTime().Equal(c.clock.Add(-time.Hour)) {
		t.Errorf("it is of %v, %v", info.ModTime(), err)
	}
	if now := c.preview("lista.csv", text, ""); now.What.Verdict != report.Accepted {
		t.Errorf("of now: %s", now.What.Verdict)
	}
}

// TestUploadsHaveRoom fills what there is room for, and forgets what nobody sends.
func TestUploadsHaveRoom(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "")
	const text = "sku;precio\nA;10,50\n"
	first, err := c.receive("lista.csv", text)
	if err != nil {
		t.Fatal(err)
	}
	for range maxUploads {
		c.clock = c.clock.Add(time.Second)
		if _, err := c.receive("lista.csv", text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.page.Preview(t.Context(), first, ""); !errors.Is(err, web.ErrUnknown) {
		t.Errorf("the first of too many: %v", err)
	}
	if got := len(c.incoming()); got != maxUploads {
		t.Errorf("%d files lie there, want %d", got, maxUploads)
	}
	c.clock = c.clock.Add(uploadStays + time.Hour)
	c.house.uploads.forgetOld(c.clock)
	if left := c.incoming(); len(left) != 0 || c.house.uploads.bytes != 0 {
		t.Errorf("%v, %d bytes", left, c.house.uploads.bytes)
	}
	// What does not arrive whole leaves nothing, and neither does what finds no room.
	broken := io.MultiReader(strings.NewReader(text), failing{io.ErrUnexpectedEOF})
	if _, err := c.page.Receive(t.Context(), web.Upload{Name: "lista.csv", Body: broken}); !errors.Is(err, web.ErrBroken) {
		t.Errorf("broken off: %v", err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := c.page.Receive(gone, web.Upload{Name: "lista.csv", Body: strings.NewReader(text)}); !errors.Is(err, web.ErrBroken) {
		t.Errorf("a reader who left: %v", err)
	}
	c.house.cfg.State.MinFree = config.Size(1 << 60)
	if _, err := c.receive("lista.csv", text); !errors.Is(err, web.ErrFull) {
		t.Errorf("without space: %v", err)
	}
	c.house.cfg.State.MinFree = 0
	c.house.uploads.bytes = uploadsQuota - 1
	if _, err := c.receive("lista.csv", text); !errors.Is(err, web.ErrBusy) {
		t.Errorf("while others fill it: %v", err)
	}
	c.house.uploads.bytes = 0
	if left := c.incoming(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// failing fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestPreviewKeepsNobodyWaiting shows what is known when the time is over, and what is not can be sent all the same.
func TestPreviewKeepsNobodyWaiting(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "")
	c.page.within = time.Nanosecond
	seen := c.preview("lista.csv", articles(20, 0, "10.50"), "")
	if !seen.What.Unread || seen.Feed != "full" {
		t.Errorf("%+v", seen)
	}
	if put := c.send(seen.Token, "ana"); put.Name != "lista.csv" {
		t.Errorf("%+v", put)
	}
	c.house.uploads.work.Wait()
	// Read, and not yet compared.
	within, over := context.WithCancel(t.Context())
	f, _ := c.house.feed("full")
	news := make(chan seenFile, 2)
	news <- seenFile{feed: f, reading: store.Reading{State: store.DropRead, Outcome: store.Outcome{Rows: 3}}}
	go over()
	last, err := lastNews(t.Context(), within, news)
	if err != nil {
		t.Fatal(err)
	}
	if last.feed.Name == "full" { // else the time was over before the news was heard
		last.drop = store.Drop{Feed: "full", State: store.DropRead}
		p, err := c.page.previewOf(t.Context(), last)
		if err != nil || !p.Late || p.Unread || p.Rows != 3 {
			t.Errorf("%+v, %v", p, err)
		}
	}
	// Trouble is trouble only while there is time.
	news = make(chan seenFile, 1)
	news <- seenFile{err: io.ErrClosedPipe}
	if _, err := lastNews(t.Context(), t.Context(), news); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
	// Two at once are worked on, others wait and are told so.
	c.page.within = 50 * time.Millisecond
	for range looksAtOnce {
		c.house.uploads.looking <- struct{}{}
	}
	token, err := c.receive("lista.csv", "sku;precio\nA;10,50\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.page.Preview(t.Context(), token, ""); !errors.Is(err, web.ErrBusy) {
		t.Errorf("with all places taken: %v", err)
	}
}

// TestSendWhileItIsLookedAt sends a file that is being looked at as another feed would read it. What it is about does not change under
// the reader's eyes.
func TestSendWhileItIsLookedAt(t *testing.T) {
	c := newDropCase(t, oneFullFeed, "")
	for range 5 {
		seen := c.preview("lista.csv", articles(20, 0, "10.50"), "")
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = c.page.Preview(t.Context(), seen.Token, "") // whether there is anything left to look at depends on who was first
		}()
		c.send(seen.Token, "ana")
		<-done
		c.house.uploads.work.Wait()
	}
}

// TestReloadKeepsPreviews takes a changed config over between preview and send. What was seen counts while its feed reads as it did.
func TestReloadKeepsPreviews(t *testing.T) {
	c := newReloaded(t, "")
	preview := func() string {
		t.Helper()
		p := &dropPage{c.r.House(), previewWithin}
		token, err := p.Receive(t.Context(), web.Upload{Name: "precios.csv", Body: strings.NewReader(liveExport)})
		if err == nil {
			_, err = p.Preview(t.Context(), token, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	kept, read := preview(), preview()
	c.change("brake: {min_rows: 7}\n")
	c.await("msg=\"config changed\"", 1)
	p := &dropPage{c.r.House(), previewWithin}
	if _, err := p.Send(t.Context(), kept, "ana"); err != nil {
		t.Errorf("after a change that is not its feed's: %v", err)
	}
	text := strings.Replace(c.text(""), "missing: deactivate", "missing: keep", 1)
	c.file("config.yaml", text)
	c.ask()
	c.await("msg=\"config changed\"", 2)
	p = &dropPage{c.r.House(), previewWithin}
	if _, err := p.Send(t.Context(), read, "ana"); !errors.Is(err, web.ErrUnknown) {
		t.Errorf("after its feed has changed: %v", err)
	}
}
