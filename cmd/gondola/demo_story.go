package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/daemon"
	"gondola/internal/sandbox"
)

// How much the story shows; the rest is in the receipt, and on the platform's page.
const (
	demoIssues  = 4
	demoRefused = 2
	demoReceipt = 8 // lines
)

// demoStory is how far what was dropped has come.
type demoStory struct {
	wave    int             // how many waves of samples were dropped
	unread  map[string]bool // samples that were dropped and the daemon has not read yet, by name
	refused []string        // samples that it could not use
	through bool            // the fate of the samples is known
	verdict error           // what is wrong with it

	pushDue bool // an export was read since the last push
	open    bool // something was pushed, and what came of it was not told yet
	asked   int  // stores whose plan was asked for and not made yet
	planned bool // one of those plans had something to send

	documents map[string]*demoDocument // on their way, by remote path
	late      time.Time                // when the platform should have read them; zero before they are verified
	jobs      int                      // of the platform's, that were told
	shelves   map[string][]shelfArticle
	receipt   string          // path of the receipt that is to be shown; "" before and after
	giveUp    time.Time       // when it is not waited for any longer
	shown     map[string]bool // feeds of which one was shown, or is to be
}

func newDemoStory(samples demoSamples) demoStory {
	s := demoStory{unread: map[string]bool{}, shown: map[string]bool{}, documents: map[string]*demoDocument{}, shelves: map[string][]shelfArticle{}}
	for _, store := range samples.stores {
		for _, a := range store.before {
			s.shelves[store.id] = append(s.shelves[store.id], shelfArticle{SKU: a.SKU, Price: a.Price, Active: a.Active})
		}
	}
	return s
}

// demoDocument is a document on its way.
type demoDocument struct {
	sha256         string
	verified, read bool
}

// watch tells what happens until the demo ends.
func (d *demo) watch(ctx context.Context) error {
	look := time.NewTicker(demoLookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return d.interrupted()
		case <-d.ended:
			return nil // what ended the daemon is told by what stops it
		case <-d.events.ready:
		case <-look.C:
		}
		if err := d.step(ctx); err != nil {
			if ctx.Err() != nil {
				return d.interrupted()
			}
			return err
		}
		if d.story.through && d.opts.Once {
			return d.story.verdict
		}
	}
}

// interrupted says how a demo ends that was told to.
func (d *demo) interrupted() error {
	switch {
	case d.story.through:
		return d.story.verdict
	case d.opts.Once:
		return fmt.Errorf("demo stopped before the samples were through: %w", context.Canceled)
	}
	return nil
}

// step tells what is new, and does what is next.
func (d *demo) step(ctx context.Context) error {
	s := &d.story
	// Asked before the events are taken: what it calls done, the events have told by then.
	p, err := d.house.Pushed(ctx, nil)
	if err != nil {
		return err
	}
	events := d.events.take()
	// Orders first: what was handed over is told after what made it due.
	if err := d.readOrders(ctx); err != nil {
		return err
	}
	for _, e := range events {
		if err := d.event(ctx, e); err != nil {
			return err
		}
	}
	d.showReceipt()
	if err := d.readJobs(ctx); err != nil {
		return err
	}
	if late := d.late(p.Trouble); late != "" {
		return d.samplesThrough(ctx, late)
	}
	switch {
	case len(s.unread) > 0 || s.receipt != "":
		return nil // a slot of the schedule may have sent a part of it; the story goes on with the whole
	case s.pushDue:
		return d.push(ctx)
	case s.open && p.Done && d.arrived():
		return d.settle(ctx)
	case d.orders.done():
		return d.ordersThrough(ctx)
	}
	return nil
}

// late says why the samples, or the orders after them, should not be waited for any longer; "" as long as they should.
func (d *demo) late(trouble string) string {
	switch {
	case d.story.through:
	case d.orders.begun.IsZero() && time.Since(d.page.start) > demoDeadline:
		return fmt.Sprintf("not everything was verified within %s: %s", demoDeadline, cmp.Or(trouble, "it still waits"))
	case !d.orders.begun.IsZero() && time.Since(d.orders.begun) > demoOrdering:
		return fmt.Sprintf("not every order was handed over within %s", demoOrdering)
	}
	return ""
}

// settle tells what came of a push, now that the platform has read it.
func (d *demo) settle(ctx context.Context) error {
	s := &d.story
	sent := len(s.documents)
	clear(s.documents)
	s.open, s.late = false, time.Time{}
	switch {
	case s.wave < len(d.samples.waves):
		d.page.blank()
		return d.dropSamples()
	case !s.through:
		return d.beginOrders(ctx)
	case sent > 0:
		return d.showShelves(ctx)
	}
	return nil
}

// push asks for what the schedule would do anyway within a minute.
func (d *demo) push(ctx context.Context) error {
	s := &d.story
	s.pushDue, s.open, s.asked, s.planned = false, true, 2*len(d.cfg.Vendors), false // a catalogue and promotions for each
	d.page.line(plainly, "push", "all of it is read: the demo asks for a push now; the schedule does so every minute")
	return d.house.Push(ctx, daemon.Ask{})
}

// arrived reports whether the platform has read everything that was sent, or had time enough for it.
func (d *demo) arrived() bool {
	s := &d.story
	waits := false
	for _, doc := range s.documents {
		waits = waits || !doc.verified || !doc.read
	}
	switch {
	case !waits:
		return true
	case s.late.IsZero():
		s.late = time.Now().Add(demoReading)
	case time.Now().After(s.late):
		d.page.line(warily, "platform", "it has not read everything within %s", demoReading)
		return true
	}
	return false
}

// event tells one unit of business.
func (d *demo) event(ctx context.Context, e daemon.Event) error {
	switch e.Kind {
	case daemon.EventTaken, daemon.EventRead, daemon.EventRejected:
		return d.dropEvent(ctx, e)
	case daemon.EventHeld:
		d.page.line(warily, "held", "export no. %d, %s: %s", e.Seq, d.storeName(e.Vendor), e.Text)
		d.page.more(plainly, "if it is right: %s", d.command(fmt.Sprintf("approve %d", e.Seq)))
	case daemon.EventPlanned, daemon.EventNothing, daemon.EventDocument, daemon.EventSent, daemon.EventSettled:
		d.sendEvent(e)
	case daemon.EventHanded:
		return d.handedOver(e)
	case daemon.EventFailed:
		d.page.line(warily, "trouble", "%s: %s", path.Base(e.Name), e.Text)
	case daemon.EventTrouble:
		d.page.line(gravely, "trouble", "%s", e.Text)
	}
	return nil
}

// dropEvent tells what becomes of an export.
func (d *demo) dropEvent(ctx context.Context, e daemon.Event) error {
	s := &d.story
	drop, err := d.house.Dropped(ctx, e.Seq, "en")
	if err != nil {
		return err
	}
	if e.Kind == daemon.EventTaken {
		d.page.line(plainly, "drop", "%s (%s) taken", drop.Name, fileSize(drop.Size))
		return nil
	}
	if e.Kind == daemon.EventRejected {
		d.page.line(gravely, "refused", "%s could not be used", drop.Name)
	} else {
		noun := "article"
		if drop.Feed == demoPromotionsFeed {
			noun = "promotion"
		}
		d.page.line(plainly, "read", "%s: %s, %s understood, %s", drop.Name, numberOf(drop.Rows, "row"),
			numberOf(drop.Records, noun), numberOf(drop.Counted, "issue"))
		s.pushDue = true
	}
	d.tellIssues(drop)
	if !s.shown[drop.Feed] && (drop.Feed != demoStockFeed || s.through) {
		s.shown[drop.Feed], s.receipt, s.giveUp = true, drop.Receipt, time.Now().Add(demoAnswer)
	}
	if s.unread[drop.Name] {
		delete(s.unread, drop.Name)
		d.result.Drops++
		d.result.Issues += drop.Counted
		if e.Kind == daemon.EventRejected {
			s.refused = append(s.refused, drop.Name)
			s.pushDue = true
		}
	}
	return nil
}

// tellIssues tells the gravest issues of an export, and where the others are.
func (d *demo) tellIssues(drop daemon.Dropped) {
	gravity := map[catalog.Severity]int{catalog.Error: 0, catalog.Warning: 1, catalog.Note: 2}
	slices.SortStableFunc(drop.Issues, func(a, b daemon.IssueText) int {
		return cmp.Compare(gravity[a.Severity], gravity[b.Severity])
	})
	tones := map[catalog.Severity]tone{catalog.Error: gravely, catalog.Warning: warily, catalog.Note: quietly}
	shown := drop.Issues[:min(len(drop.Issues), demoIssues)]
	for _, is := range shown {
		d.page.line(tones[is.Severity], "issue", "%s%s", issuePlace(is), is.Text)
	}
	if more := drop.Counted - len(shown); more > 0 {
		d.page.more(quietly, "and %s more: see %s", number(more), drop.Receipt)
	}
}

// sendEvent tells what becomes of what was wanted.
func (d *demo) sendEvent(e daemon.Event) {
	s := &d.story
	store, file := d.storeName(e.Vendor), e.Name // with its folder: both kinds have files of one name
	switch e.Kind {
	case daemon.EventPlanned:
		s.asked, s.planned, s.open = max(0, s.asked-1), true, true
		noun := "article"
		if e.Shelf == catalog.KindPromotions {
			noun = "promotion"
		}
		d.page.line(plainly, "plan", "%s: %s %s from what the platform was sent", store, numberOf(e.Differs, noun),
			map[bool]string{true: "differs", false: "differ"}[e.Differs == 1])
	case daemon.EventNothing:
		// Of its own the schedule asks every minute; that is no news.
		if s.asked--; s.asked == 0 && !s.planned {
			d.page.line(plainly, "plan", "nothing differs from what the platform was sent: nothing leaves")
		}
		s.asked = max(0, s.asked)
	case daemon.EventDocument:
		// A newer plan takes the place of one that has not begun: that is one document, not two.
		if old := s.documents[e.Name]; !s.through && (old == nil || old.verified) {
			d.result.Documents++
		}
		s.documents[e.Name] = &demoDocument{sha256: e.SHA256}
		d.page.line(plainly, "document", "%s: %s for %s, in the platform's format", file, numberOf(e.Rows, "row"), store)
	case daemon.EventSent:
		if doc := s.documents[e.Name]; doc != nil && doc.sha256 == e.SHA256 {
			doc.verified = true
		}
		if !s.through {
			d.result.Verified++
		}
		d.page.line(gladly, "sent", "%s: %s", file, proofWords(e.Text))
	case daemon.EventSettled:
		d.page.line(quietly, "settled", "%s: %s", file, settledWords(e.Text))
	}
}

// proofWords says how an arrival was proved.
func proofWords(text string) string {
	switch {
	case strings.HasPrefix(text, "verified by digest"):
		return "verified, read back from the platform's server and the same to the byte"
	case strings.HasPrefix(text, "verified by size"):
		return "verified, whole on the platform's server"
	}
	return text
}

// settledWords says what became of a file on the platform's server.
func settledWords(fate string) string {
	if fate == "kept" {
		return "it has lain there long enough to count as read; later files need not repeat it"
	}
	return fate
}

// readJobs tells what the platform made of the files that it has read since the last look.
func (d *demo) readJobs(ctx context.Context) error {
	s := &d.story
	if len(s.documents) == 0 {
		return nil
	}
	jobs, err := d.view.jobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range jobs[min(s.jobs, len(jobs)):] {
		if doc := s.documents[j.File]; doc != nil && doc.sha256 == j.SHA256 {
			if !doc.verified {
				return nil // the platform was faster than the proof, which is told first
			}
			doc.read = true
		}
		d.tellJob(j)
		s.jobs++
	}
	return nil
}

func (d *demo) tellJob(j sandbox.Job) {
	file := j.File
	if j.Status != sandbox.Completed {
		d.page.line(gravely, "platform", "%s: %s, %s", file, strings.ToLower(string(j.Status)), j.Reason)
		return
	}
	text := fmt.Sprintf("%s read: %s applied", file, numberOf(j.Applied, "row"))
	if j.Rejected > 0 {
		text += fmt.Sprintf(", %s refused: ", number(j.Rejected))
		for i, e := range j.Errors[:min(len(j.Errors), demoRefused)] {
			if i > 0 {
				text += ", "
			}
			text += fmt.Sprintf("%s %s", e.Reason, cmp.Or(e.SKU, e.Barcode))
		}
		if j.Rejected > demoRefused {
			text += ", …"
		}
	}
	d.page.line(plainly, "platform", "%s", text)
}

// showReceipt shows the first lines of a receipt, once, as soon as it is there.
func (d *demo) showReceipt() {
	s := &d.story
	if s.receipt == "" {
		return
	}
	data, err := os.ReadFile(s.receipt)
	if err != nil {
		if time.Now().After(s.giveUp) {
			s.receipt = ""
		}
		return
	}
	d.page.line(plainly, "answer", "for the store's staff, in their language, in %s:", s.receipt)
	text := strings.TrimPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\ufeff")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range append(lines[:min(len(lines), demoReceipt)], "…") {
		d.page.more(quietly, "│ %s", line)
	}
	s.receipt = ""
}

// storeName returns a store's name and id, "every store" for all of them.
func (d *demo) storeName(id string) string {
	for _, v := range d.cfg.Vendors {
		if v.ID == id {
			return fmt.Sprintf("%s (%s)", v.Name, id)
		}
	}
	return "every store"
}
