package daemon

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
)

// runs counts the plans that a schedule asks for while the clock goes from one time to another in steps.
func (c *caseRun) runs(from, to time.Time, step time.Duration) int {
	c.Helper()
	n := 0
	for c.clock = from; !c.clock.After(to); c.clock = c.clock.Add(step) {
		n += c.tick()
	}
	return n
}

// tick looks once for slots, and returns how many runs there were: the targets are planned at once.
func (c *caseRun) tick() int {
	c.Helper()
	if err := c.house.runSlots(c.Context()); err != nil {
		c.Fatal(err)
	}
	due, err := c.house.store.TargetsDue(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	if err := c.house.planDue(c.Context()); err != nil {
		c.Fatal(err)
	}
	return len(due) / len(c.house.targets)
}

// TestClockIsSet has the clock set back and forward, by minutes, hours and years, under a schedule of quarter hours and a daily one:
// no slot runs twice but those that a clock far ahead had run, and none makes the schedule stand still.
func TestClockIsSet(t *testing.T) {
	const quarters, daily = "*/15 * * * *", "30 4 * * *"
	for _, one := range []struct {
		name, schedule string
		by             time.Duration // set at noon
		atOnce         int           // runs at the look after that
		hours          time.Duration // then so long is looked
		runs           int           // in which so many runs come
	}{
		{"quarters, five minutes back", quarters, -5 * time.Minute, 0, 2 * time.Hour, 7}, // 11:55 to 13:55; 12:00 has run
		{"quarters, three hours back", quarters, -3 * time.Hour, 0, 2 * time.Hour, 8},
		{"quarters, a year back", quarters, -365 * 24 * time.Hour, 0, 2 * time.Hour, 8},
		{"quarters, three hours forward", quarters, 3 * time.Hour, 1, 2 * time.Hour, 8},
		{"quarters, a year forward", quarters, 365 * 24 * time.Hour, 1, 2 * time.Hour, 8},
		{"daily, eight hours back", daily, -8 * time.Hour, 0, 24 * time.Hour, 0}, // 4:00 to 4:00: today's has run, tomorrow's comes
		{"daily, eight hours back, two days on", daily, -8 * time.Hour, 0, 48 * time.Hour, 1},
		{"daily, a year back", daily, -365 * 24 * time.Hour, 0, 24 * time.Hour, 1},
		{"daily, eight hours forward", daily, 8 * time.Hour, 0, 24 * time.Hour, 1}, // 20:00 to 20:00
		{"daily, a year forward", daily, 365 * 24 * time.Hour, 1, 24 * time.Hour, 1},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			c := newRules(t, oneFullFeed, fmt.Sprintf("send: {catalog: {schedule: %q, full: \"off\"}}", one.schedule))
			noon := time.Date(2026, 6, 10, 12, 0, 30, 0, c.house.zone)
			c.clock = noon.AddDate(0, 0, -1)
			if err := c.house.startSchedules(t.Context()); err != nil {
				t.Fatal(err)
			}
			step := 5 * time.Minute
			if one.schedule == daily {
				step = 30 * time.Minute
			}
			if got := c.runs(noon.Add(-8*time.Hour), noon, 30*time.Minute); got == 0 {
				t.Error("nothing ran before the clock was set")
			}
			c.clock = noon.Add(one.by)
			if got := c.tick(); got != one.atOnce {
				t.Errorf("set: %d runs at once, want %d", got, one.atOnce)
			}
			if got := c.runs(c.clock, c.clock.Add(one.hours), step); got != one.runs {
				t.Errorf("then %d runs in %v, want %d", got, one.hours, one.runs)
			}
		})
	}
}

// TestClockForwardAndRight sets the clock forward by a year and puts it right an hour later: neither schedule waits for the year to pass.
func TestClockForwardAndRight(t *testing.T) {
	for schedule, want := range map[string]int{"*/15 * * * *": 4 * 24, "30 4 * * *": 1} {
		c := newRules(t, oneFullFeed, fmt.Sprintf("send: {catalog: {schedule: %q, full: \"off\"}}", schedule))
		noon := time.Date(2026, 6, 10, 12, 0, 30, 0, c.house.zone)
		c.clock = noon.Add(-time.Hour)
		if err := c.house.startSchedules(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.runs(noon.AddDate(1, 0, 0), noon.AddDate(1, 0, 0).Add(time.Hour), 20*time.Minute)
		if got := c.runs(noon.Add(time.Hour), noon.Add(25*time.Hour), 15*time.Minute); got != want {
			t.Errorf("%s: %d runs in the day after, want %d", schedule, got, want)
		}
	}
}

// TestOutageIsOneRun is asleep for three days in which exports came: one file with the newest state, and one full one where a full slot
// was missed.
func TestOutageIsOneRun(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "send: {catalog: {schedule: \"*/15 * * * *\", full: \"30 4 * * *\"}}")
	if err := c.house.startSchedules(t.Context()); err != nil {
		t.Fatal(err)
	}
	for day := range 3 {
		c.clock = c.clock.AddDate(0, 0, 1)
		c.export("precios", fmt.Sprintf("Sucursal;sku;precio\n001;A;1%d,50\n001;B%d;1,00\n", day, day))
	}
	put := c.send()
	if want := "sku,price\nA,12.50\nB0,1.00\nB1,1.00\nB2,1.00\n"; put["catalog/gondola_1.csv"] != want || len(put) != 1 {
		t.Errorf("put: %v, want %q", put, want)
	}
	if n := c.replaces(); n != 1 {
		t.Errorf("%d files were put for the store", n)
	}
	if put := c.send(); len(put) > 0 {
		t.Errorf("put once more: %v", put)
	}
}

// replaces returns how often a file came under its final name at the platform.
func (c *caseRun) replaces() int {
	n := 0
	for _, op := range c.platform.Operations() {
		if op.Err == "" && op.To != "" && strings.HasSuffix(op.To, ".csv") {
			n++
		}
	}
	return n
}

// slowRemote lets every replace wait until it is let go, and notes how many were under way together.
type slowRemote struct {
	outbox.Remote
	*slowness
}

type slowness struct {
	began chan string   // names, as replaces begin
	going chan struct{} // one for each replace that may go on

	mu        sync.Mutex
	underWay  map[string]int
	overlaps  int
	delivered []string
}

// Replace implements outbox.Remote.
func (r slowRemote) Replace(ctx context.Context, d outbox.Delivery) (outbox.Receipt, error) {
	r.mu.Lock()
	if r.underWay[d.Name]++; r.underWay[d.Name] > 1 {
		r.overlaps++
	}
	r.mu.Unlock()
	r.began <- d.Name
	<-r.going
	receipt, err := r.Remote.Replace(ctx, d)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underWay[d.Name]--
	r.delivered = append(r.delivered, d.Name)
	return receipt, err
}

// TestRunsNeverOverlap runs the daemon with a server that takes its time, while slots pass, exports come and an admin pushes: nothing
// begins until the file is there, and then one plan has it all.
func TestRunsNeverOverlap(t *testing.T) {
	slow := &slowness{began: make(chan string, 100), going: make(chan struct{}, 100), underWay: map[string]int{}}
	c := newRules(t, twoPartialFeeds, "send: {catalog: {schedule: \"* * * * *\", full: \"off\"}}")
	var mu sync.Mutex // of the daemon's clock; the test's is its own
	now := c.clock
	c.house.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	c.house.outbox.Now = c.house.now
	dial := c.house.outbox.Dial
	c.house.outbox.Dial = func(ctx context.Context) (outbox.Remote, error) {
		r, err := dial(ctx)
		return slowRemote{r, slow}, err
	}
	if err := c.house.startSchedules(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.export("precios", "Sucursal;sku;precio\n001;A;10,50\n")
	pass(time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.house.Run(ctx) }()
	if name := <-slow.began; name != "gondola_1.csv" {
		t.Fatalf("%s began", name)
	}

	// An admin beside it, as gondola push does.
	admin, err := Attach(t.Context(), c.house.cfg, Options{Now: c.house.now})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for i := range 3 {
		pass(10 * time.Minute)
		c.export("precios", fmt.Sprintf("Sucursal;sku;precio\n001;A;%d,50\n", 11+i))
		if err := admin.Push(t.Context(), Ask{Full: i == 1}); err != nil {
			t.Fatal(err)
		}
	}
	// The loops that look once a second have looked by then, and had they begun anything, it would be here.
	time.Sleep(1500 * time.Millisecond)
	select {
	case name := <-slow.began:
		t.Errorf("%s began while it was on its way", name)
	default:
	}
	close(slow.going)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		p, err := admin.Pushed(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.Done {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not done: %+v", p)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	slow.mu.Lock()
	defer slow.mu.Unlock()
	if slow.overlaps > 0 || len(slow.delivered) != 2 {
		t.Errorf("%d overlaps, delivered %v", slow.overlaps, slow.delivered)
	}
	if put := c.put()["catalog/gondola_1.csv"]; put != "sku,price\nA,13.50\n" {
		t.Errorf("put: %q", put)
	}
}

// TestSameDataSavedAgain drops what was dropped before, saved by other programs: other quotes, line ends and order of columns, another
// spreadsheet, a CSV in place of a spreadsheet. Nothing is planned, no document is written, nothing is sent, and the answer says so.
func TestSameDataSavedAgain(t *testing.T) {
	const first = "sku;precio;activo;stock\nA;10,50;S;5\nB;1.299,00;N;0\nC;3,00;S;12\n"
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cells := [][]string{{"sku", "precio", "activo", "stock"}, {"A", "10.5", "S", "5"}, {"B", "1299", "N", "0"}, {"C", "3", "S", "12"}}
	c := newRules(t, oneFullFeed, "")
	c.take("full", file("export.csv", []byte(first)))
	if put := c.slot(false); len(put) != 1 {
		t.Fatalf("put: %v", put)
	}
	c.settle()
	documents, ops := c.documents(), len(c.platform.Operations())
	for i, again := range []string{
		file("same.csv", []byte(first)),
		file("quoted.csv", []byte("\ufeff\"sku\";\"precio\";\"activo\";\"stock\"\r\n\"A\";\"10,50\";\"S\";\"5\"\r\n\"B\";\"1.299,00\";\"N\";\"0\"\r\n\"C\";\"3,00\";\"S\";\"12\"\r\n")),
		file("turned.csv", []byte("stock,activo,precio,sku\n12,1,\"3.00\",C\n5,1,\"10.50\",A\n0,0,\"1,299.00\",B\n")),
		file("strings.xlsx", workbook(t, cells, true)),
		file("inline.xlsx", workbook(t, cells, false)),
	} {
		c.take("full", again)
		seq := int64(i + 2)
		if put := c.slot(false); len(put) > 0 {
			t.Errorf("%s: put %v", filepath.Base(again), put)
		}
		effects, err := c.house.store.Effects(t.Context(), seq)
		if err != nil || len(effects) != 1 || effects[0].State != "unchanged" || effects[0].Change.Same != 3 {
			t.Errorf("%s: %+v, %v", filepath.Base(again), effects, err)
		}
		if got := c.answered(seq); !strings.Contains(got, "Sin cambios") {
			t.Errorf("%s: the answer does not say that nothing changes:\n%s", filepath.Base(again), got)
		}
	}
	if now := c.documents(); now != documents {
		t.Errorf("%d documents were written", now-documents)
	}
	if now := len(c.platform.Operations()); now != ops {
		t.Errorf("%d operations at the server: %+v", now-ops, c.platform.Operations()[ops:])
	}
	if plans, err := c.house.store.Deliveries(t.Context(), 1); err != nil || len(plans) > 0 {
		t.Errorf("deliveries: %+v, %v", plans, err)
	}
}

// documents counts the document files.
func (c *caseRun) documents() int {
	c.Helper()
	files, err := os.ReadDir(filepath.Join(c.house.cfg.State.Dir, documentDir))
	if err != nil {
		c.Fatal(err)
	}
	return len(files)
}

// workbook writes cells as a spreadsheet: as Excel does, with its texts in a table of their own, or as many libraries do, with the texts
// in the cells, numbers as texts.
func workbook(t *testing.T, cells [][]string, shared bool) []byte {
	t.Helper()
	var sheet, texts strings.Builder
	n := 0
	for r, row := range cells {
		fmt.Fprintf(&sheet, `<row r="%d">`, r+1)
		for i, text := range row {
			at := fmt.Sprintf("%c%d", 'A'+i, r+1)
			number := r > 0 && (i == 1 || i == 3)
			switch {
			case shared && number:
				fmt.Fprintf(&sheet, `<c r="%s"><v>%s</v></c>`, at, text)
			case shared:
				fmt.Fprintf(&sheet, `<c r="%s" t="s"><v>%d</v></c>`, at, n)
				fmt.Fprintf(&texts, `<si><t>%s</t></si>`, text)
				n++
			case number:
				fmt.Fprintf(&sheet, `<c r="%s" t="n"><v>%s.0</v></c>`, at, strings.TrimSuffix(text, ".5"))
				if strings.HasSuffix(text, ".5") {
					s := sheet.String()
					sheet.Reset()
					sheet.WriteString(strings.TrimSuffix(s, ".0</v></c>") + ".50</v></c>")
				}
			default:
				fmt.Fprintf(&sheet, `<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, at, text)
			}
		}
		sheet.WriteString("</row>")
	}
	const main, types = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`, "application/vnd.openxmlformats-officedocument.spreadsheetml."
	const rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	parts := [][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="` + types + `sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + types + `worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="` + types + `sharedStrings+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + rel + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook ` + main + ` xmlns:r="` + rel + `"><sheets><sheet name="Hoja1" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + rel + `/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="` + rel + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`},
		{"xl/worksheets/sheet1.xml", `<worksheet ` + main + `><sheetData>` + sheet.String() + `</sheetData></worksheet>`},
		{"xl/sharedStrings.xml", `<sst ` + main + `>` + texts.String() + `</sst>`},
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, p := range parts {
		w, err := z.Create(p[0])
		if err == nil {
			_, err = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + p[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestNextRuns lists the slots of stores in two zones, in the order of time, with the changes of the clock between them.
func TestNextRuns(t *testing.T) {
	c := newRules(t, oneFullFeed, `send: {catalog: {schedule: "0 2,14 * * *", full: "30 0 * * *"}}`)
	c.house.cfg.Vendors[1].TimeZone = "Europe/Madrid"
	from := time.Date(2026, 9, 5, 12, 0, 0, 0, c.house.zone)
	a, err := NextRuns(c.house.cfg, from, 9, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range a.Runs {
		got = append(got, fmt.Sprintf("%s %s %t %s", r.At.Format("2006-01-02 15:04 -0700"), r.Kind, r.Full, strings.Join(r.Stores, ",")))
	}
	want := []string{
		"2026-09-05 14:00 -0400 catalog false 1",
		"2026-09-06 00:30 +0200 catalog true 2",
		"2026-09-06 02:00 +0200 catalog false 2",
		"2026-09-06 01:00 -0300 catalog true 1", // 0:30 is skipped
		"2026-09-06 02:00 -0300 catalog false 1",
		"2026-09-06 14:00 +0200 catalog false 2",
		"2026-09-06 14:00 -0300 catalog false 1",
		"2026-09-07 00:30 +0200 catalog true 2",
		"2026-09-07 02:00 +0200 catalog false 2",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("runs:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(a.Changes) != 1 || a.Changes[0].Zone != "America/Santiago" || len(a.Changes[0].Slots) != 1 || !a.Changes[0].Slots[0].Full {
		t.Fatalf("changes: %+v", a.Changes)
	}
	slot := a.Changes[0].Slots[0].Slots[0]
	if slot.Wall.Format("15:04") != "00:30" || len(slot.Runs) != 1 || slot.Runs[0].Format("15:04") != "01:00" {
		t.Errorf("the skipped slot: %+v", slot)
	}
	one, err := NextRuns(c.house.cfg, from, 2, []string{"1"})
	if err != nil || len(one.Runs) != 2 || one.Runs[1].Stores[0] != "1" || one.Runs[1].Kind != catalog.KindCatalog {
		t.Errorf("of one store: %+v, %v", one, err)
	}
	if _, err := NextRuns(c.house.cfg, from, 2, []string{"9"}); err == nil {
		t.Error("a store that is not there has runs")
	}
}
