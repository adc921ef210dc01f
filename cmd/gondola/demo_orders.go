package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gondola/internal/daemon"
	"gondola/internal/sandbox"
	samples "gondola/testdata/demo"
)

// demoOrderLines is how much of a file for the ERP the story shows.
const demoOrderLines = 4

// demoOrders is how far the orders have come. The zero value is that none were made.
type demoOrders struct {
	begun   time.Time
	stop    context.CancelFunc
	ended   <-chan struct{} // closed when the script is over
	running bool            // the script is not over
	made    bool            // it is
	failed  error           // what ended the script too early; read once ended is closed
	through bool            // it was told that they are

	told    map[string]int // states and changed carts of an order that were told, by id
	handed  int            // orders in files that were told of
	missing int            // what is still on its way: events, hand-overs, and the telling of them
	silent  bool           // an order was made that no event tells of
}

// beginOrders lets customers order.
func (d *demo) beginOrders(ctx context.Context) error {
	script, err := samples.Files.ReadFile("pedidos.txt")
	if err != nil {
		return fmt.Errorf("read sample: %w", err)
	}
	ctx, d.orders.stop = context.WithCancel(ctx)
	ended := make(chan struct{})
	d.orders.ended, d.orders.running, d.orders.told, d.orders.begun = ended, true, map[string]int{}, time.Now()
	go func() {
		defer close(ended)
		_, d.orders.failed = d.platform.RunScript(ctx, bytes.NewReader(script))
	}()
	d.page.blank()
	d.page.line(plainly, "orders", "now customers order; the platform tells of it at http://%s, of some twice", d.webhook)
	return nil
}

// endOrders waits until no orders are made any more.
func (d *demo) endOrders() {
	if d.orders.running {
		d.orders.stop()
		<-d.orders.ended
	}
}

// done reports whether all orders were made and are with the ERP, which was not told yet.
func (o *demoOrders) done() bool { return o.made && o.missing == 0 && !o.through }

// readOrders tells what is new about orders since the last look.
func (d *demo) readOrders(ctx context.Context) error {
	o := &d.orders
	if o.running {
		select {
		case <-o.ended:
			o.stop()
			o.running, o.made = false, true
		default:
		}
	}
	if o.told == nil {
		return nil
	}
	orders, err := d.view.orders(ctx)
	if err != nil {
		return err
	}
	for _, order := range orders {
		if news := len(order.States) + order.Carts; news != o.told[order.ID] {
			o.told[order.ID] = news
			d.tellOrder(order)
		}
	}
	files, err := d.orderFiles()
	if err != nil {
		return err
	}
	_, waiting, err := d.house.HandedOver(ctx)
	o.missing = len(missingOrders(orders, files)) + d.platform.PendingEvents() + waiting + max(0, len(files)-o.handed)
	return err
}

// tellOrder tells where an order stands.
func (d *demo) tellOrder(o sandbox.Order) {
	t, text := plainly, o.State
	switch {
	case o.State == sandbox.StateCancelled:
		t, text = warily, text+", after it was "+o.States[len(o.States)-2]
	case o.Carts > 0:
		text += ", with another cart"
	}
	d.page.line(t, "order", "%s: no. %s, %s, %s: %s", d.storeName(o.Vendor), o.External, numberOf(o.Items, "article"), o.Total, text)
}

// handedOver tells of a file for the ERP, and shows the first one.
func (d *demo) handedOver(e daemon.Event) error {
	d.page.line(gladly, "handed", "%s: %s, for the ERP", filepath.Join(demoOrderFiles, e.Name), numberOf(e.Rows, "order"))
	first := d.orders.handed == 0
	d.orders.handed += e.Rows
	if !first {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(d.path(demoOrderFiles), e.Name))
	if err != nil {
		return nil // the ERP of whoever stays may be quick
	}
	lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff")), "\n")
	for _, line := range lines[:min(len(lines), demoOrderLines)] {
		if text := []rune(strings.TrimSpace(line)); len(text) > d.page.width-2 {
			line = string(text[:d.page.width-3]) + "…"
		}
		d.page.more(quietly, "│ %s", line)
	}
	return nil
}

// ordersThrough ends the part of the story that is about orders.
func (d *demo) ordersThrough(ctx context.Context) error {
	d.orders.through = true
	return d.samplesThrough(ctx, "")
}

// orderInSilence makes one more order, that no event tells of.
func (d *demo) orderInSilence() error {
	if d.orders.running || d.orders.failed != nil || d.orders.silent || d.orders.told == nil {
		return nil
	}
	d.orders.silent = true
	d.platform.Faults().DropEvents(true)
	id, err := d.platform.AddOrder(sandbox.NewOrder{Vendor: d.samples.stores[0].id})
	if err == nil {
		err = d.platform.Advance(id, sandbox.StateReady)
	}
	d.platform.Faults().DropEvents(false)
	if err != nil {
		return fmt.Errorf("make an order: %w", err)
	}
	d.page.line(plainly, "orders", "one more order, and its event is lost on the way: the daemon asks every half minute, and finds it")
	return nil
}

// orderFile is one hand-over as a file for the ERP has it.
type orderFile struct {
	id, asked string
	revision  int
}

// orderFiles reads what lies there for the ERP.
func (d *demo) orderFiles() ([]orderFile, error) {
	entries, err := os.ReadDir(d.path(demoOrderFiles))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing was handed over yet
	}
	if err != nil {
		return nil, fmt.Errorf("look at the files for the ERP: %w", err)
	}
	var all []orderFile
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(d.path(demoOrderFiles), e.Name()))
		if err != nil {
			return nil, fmt.Errorf("look at a file for the ERP: %w", err)
		}
		file, err := readOrderFile(data)
		if err != nil {
			return nil, fmt.Errorf("read %s, a file for the ERP: %w", e.Name(), err)
		}
		all = append(all, file...)
	}
	return all, nil
}

// The columns of an order's line that are looked at.
const (
	orderColumnID       = 1
	orderColumnAsked    = 7
	orderColumnRevision = 10
)

// readOrderFile reads the orders of a file as an ERP would: lines that begin with the word order.
func readOrderFile(data []byte) ([]orderFile, error) {
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	in.Comma, in.FieldsPerRecord = ';', -1
	lines, err := in.ReadAll()
	if err != nil {
		return nil, err
	}
	var all []orderFile
	for _, line := range lines {
		if line[0] != "order" {
			continue
		}
		if len(line) <= orderColumnRevision {
			return nil, fmt.Errorf("a line has %d columns", len(line))
		}
		revision, err := strconv.Atoi(line[orderColumnRevision])
		if err != nil {
			return nil, fmt.Errorf("a revision is no number: %w", err)
		}
		all = append(all, orderFile{line[orderColumnID], line[orderColumnAsked], revision})
	}
	return all, nil
}

// asksFor reports whether the demo's config hands orders over in a state.
func asksFor(state string) bool {
	return state == sandbox.StateReady || state == sandbox.StateCancelled
}

// missingOrders names the hand-overs that should be there and are not.
func missingOrders(orders []sandbox.Order, files []orderFile) []string {
	var wrong []string
	for _, o := range orders {
		for _, state := range o.States {
			if asksFor(state) && !slices.Contains(files, orderFile{o.ID, state, 1}) {
				wrong = append(wrong, fmt.Sprintf("order %s was not handed over as %s", o.External, state))
			}
		}
	}
	return wrong
}

// extraOrders names the hand-overs that are there and should not be: twice, again without a change, or never asked for.
func extraOrders(orders []sandbox.Order, files []orderFile) []string {
	var wrong []string
	seen := map[orderFile]bool{}
	for _, f := range files {
		at := slices.IndexFunc(orders, func(o sandbox.Order) bool { return o.ID == f.id })
		switch {
		case at < 0:
			wrong = append(wrong, fmt.Sprintf("order %s was handed over, and the platform has none", f.id))
		case seen[f]:
			wrong = append(wrong, fmt.Sprintf("order %s was handed over twice as %s", orders[at].External, f.asked))
		case !asksFor(f.asked) || !slices.Contains(orders[at].States, f.asked):
			wrong = append(wrong, fmt.Sprintf("order %s was handed over as %s, which it was not", orders[at].External, f.asked))
		case f.revision > 1+orders[at].Carts:
			wrong = append(wrong, fmt.Sprintf("order %s was handed over once more, and its cart had not changed", orders[at].External))
		}
		seen[f] = true
	}
	return wrong
}

// compareOrders says what the ERP should have and has not, or the other way round.
func (d *demo) compareOrders(ctx context.Context) ([]string, error) {
	if d.orders.told == nil {
		return nil, nil // it did not come to that
	}
	orders, err := d.view.orders(ctx)
	if err != nil {
		return nil, err
	}
	files, err := d.orderFiles()
	if err != nil {
		return nil, err
	}
	d.result.Orders, d.result.HandOvers = len(orders), len(files)
	wrong := extraOrders(orders, files)
	if !d.orders.running && d.orders.failed != nil {
		wrong = append(wrong, d.orders.failed.Error())
	}
	taken := map[string]int{} // events, by order
	for _, t := range d.platform.Deliveries() {
		if t.Acknowledged() {
			taken[t.ID]++
		}
	}
	var rows [][]string
	var tones []tone
	for _, store := range d.samples.stores {
		of := slices.DeleteFunc(slices.Clone(orders), func(o sandbox.Order) bool { return o.Vendor != store.id })
		events, overs := 0, []orderFile{}
		for _, o := range of {
			events += taken[o.ID]
			for _, f := range files {
				if f.id == o.ID {
					overs = append(overs, f)
				}
			}
		}
		missing := missingOrders(of, files)
		wrong = append(wrong, missing...)
		verdict, t := "yes", gladly
		if n := len(missing) + len(extraOrders(of, overs)); n > 0 {
			verdict, t = "no, "+numberOf(n, "difference"), gravely
		}
		rows = append(rows, []string{d.storeName(store.id), number(len(of)), number(events), number(len(overs)), verdict})
		tones = append(tones, t)
	}
	d.page.blank()
	d.page.columns([]string{"store", "orders", "events taken over", "handed to the ERP", "each one once"}, rows, tones)
	return wrong, nil
}
