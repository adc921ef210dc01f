package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// demoNamed is how many differences of a store are named.
const demoNamed = 3

// tellPlaces says what is there and where it is, before anything happens.
func (d *demo) tellPlaces() {
	p := d.page
	host, port := d.platform.SFTPAddr()
	p.text(loudly, "gondola demo: a chain of three stores, a simulated platform, and the daemon between them")
	p.blank()
	p.places([][3]string{
		{"folder", d.dir, "everything below is in it"},
		{"drop folders", d.path(demoPrices), "for the prices of all stores, in one file"},
		{"", d.path(demoStock), "for the stock of one store a file: stock_001.csv to stock_003.csv, or .xlsx"},
		{"", d.path(demoPromotions), "for the promotions of all stores"},
		{"answers", filepath.Join(d.path(demoPrices), "respuestas"), "and beside where the file was"},
		{"orders", d.path(demoOrderFiles), "where the ERP would take them from"},
		{"page", "http://" + d.house.PageAddr() + "/", "how things stand; /drop takes a spreadsheet by the mouse"},
		{"config", d.path(defaultConfig), ""},
		{"state", d.cfg.State.Dir, "what the daemon must not forget"},
		{"log", d.path("daemon.log"), ""},
		{"platform", d.platform.Home(), "what its SFTP server holds"},
		{"", d.platform.HTTPURL() + "/", "its shelves, promotions and orders, for a browser"},
		{"", fmt.Sprintf("sftp://%s@%s:%d", demoUser, host, port), "host key " + d.platform.HostKey()},
	})
	p.blank()
}

// samplesThrough ends the first part of the demo: it says whether the samples came through as they should. late is why it should not
// be waited any longer; "" is that everything arrived.
func (d *demo) samplesThrough(ctx context.Context, late string) error {
	s := &d.story
	s.through = true
	var wrong []string
	if late != "" {
		wrong = append(wrong, late)
	}
	for _, name := range s.refused {
		wrong = append(wrong, name+" was refused")
	}
	held, err := d.house.HeldExports(ctx)
	if err != nil {
		return err
	}
	for _, h := range held {
		wrong = append(wrong, fmt.Sprintf("%s is held by the brake", h.Name))
	}
	found, err := d.compareShelves(ctx)
	if err != nil {
		return err
	}
	wrong = append(wrong, found...)
	if found, err = d.compareOrders(ctx); err != nil {
		return err
	}
	wrong = append(wrong, found...)
	d.page.blank()
	if len(wrong) == 0 {
		d.page.line(gladly, "done", "✓ everything dropped is verified, every shelf and promotion is what the samples say, and the ERP has every order once")
	} else {
		s.verdict = errors.New("the demo failed: " + strings.Join(wrong, "\n  "))
		for _, w := range wrong {
			d.page.line(gravely, "wrong", "%s", w)
		}
	}
	if d.opts.Through != nil {
		d.opts.Through(d.result)
	}
	if !d.opts.Once {
		d.invite()
		return d.orderInSilence()
	}
	return nil
}

// invite says what a person can do now.
func (d *demo) invite() {
	p := d.page
	p.blank()
	p.text(loudly, "Now drop a file of your own, and watch it go through. One article of Centro goes off sale with")
	p.text(plainly, "  printf 'sku,stock\\n10002,0\\n' > "+filepath.Join(d.path(demoStock), "stock_001.csv"))
	p.text(plainly, "A price list of all stores (one that is much shorter is held by the brake) goes into")
	p.text(plainly, "  "+d.path(demoPrices))
	p.text(plainly, "How things stand:")
	p.text(plainly, "  "+d.command("status"))
	p.text(plainly, "Ctrl-C ends the demo.")
	p.blank()
}

// command returns the line that runs a command of this program on the demo, fit to be copied.
func (d *demo) command(words string) string {
	program, err := os.Executable()
	if err != nil {
		program = "gondola"
	}
	return program + " " + words + " --config " + d.path(defaultConfig)
}

// compareShelves shows the platform's shelves beside what the samples say they must be, and names the first differences.
func (d *demo) compareShelves(ctx context.Context) ([]string, error) {
	d.result.Shelf, d.result.Promotions = map[string]int{}, map[string]int{}
	var rows [][]string
	var tones []tone
	var wrong []string
	for _, store := range d.samples.stores {
		shelf, err := d.view.shelf(ctx, store.id)
		if err != nil {
			return nil, err
		}
		offers, err := d.view.promotions(ctx, store.id)
		if err != nil {
			return nil, err
		}
		d.result.Shelf[store.id], d.result.Promotions[store.id] = len(shelf), len(offers)
		found := append(differences(store.after, shelf), offerDifferences(store.offers, offers)...)
		verdict, t := "yes", gladly
		if len(found) > 0 {
			verdict, t = "no, "+numberOf(len(found), "difference"), gravely
		}
		rows = append(rows, append(d.shelfRow(store.id, shelf), number(len(offers)), verdict))
		tones = append(tones, t)
		for _, text := range found[:min(len(found), demoNamed)] {
			wrong = append(wrong, fmt.Sprintf("store %s, %s", store.id, text))
		}
		if more := len(found) - demoNamed; more > 0 {
			wrong = append(wrong, fmt.Sprintf("store %s, and %s", store.id, numberOf(more, "more difference")))
		}
	}
	d.page.blank()
	d.page.columns([]string{"store", "on the shelf", "prices changed", "on sale", "promotions", "equals the samples"}, rows, tones)
	return wrong, nil
}

// showShelves shows the platform's shelves after files of a person's own.
func (d *demo) showShelves(ctx context.Context) error {
	var rows [][]string
	var tones []tone
	for _, store := range d.samples.stores {
		shelf, err := d.view.shelf(ctx, store.id)
		if err != nil {
			return err
		}
		before := d.story.shelves[store.id]
		row := d.shelfRow(store.id, shelf)
		switched := changed(before, shelf)
		rows = append(rows, append(row, fmt.Sprintf("%s on, %s off", number(switched.on), number(switched.off))))
		tones = append(tones, plainly)
	}
	d.page.blank()
	d.page.columns([]string{"store", "on the shelf", "prices changed", "on sale", "switched"}, rows, tones)
	d.page.blank()
	return nil
}

// shelfRow is what a table says of a store's shelf. What has changed is counted from the last table on.
func (d *demo) shelfRow(store string, shelf []shelfArticle) []string {
	change := changed(d.story.shelves[store], shelf)
	d.story.shelves[store] = shelf
	return []string{d.storeName(store), number(len(shelf)), number(change.prices), number(onSale(shelf))}
}
