package daemon

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gondola/internal/alert"
	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/report"
	"gondola/internal/web"
)

// page is the status page of a running daemon.
type page struct{ server *web.Server }

// listen takes the page's port, where the config has one and this process is to serve it.
func (h *House) listen() error {
	if h.cfg.Web.Listen == "" || !h.opts.Serve {
		return nil
	}
	p := &page{}
	var err error
	p.server, err = web.New(web.Config{
		Listen: h.cfg.Web.Listen, Bind: h.bind, Language: h.cfg.Chain.Language, Zone: h.zone, Look: h.view, Drops: h.dropsOf(),
		Healthy: h.Healthy, Measure: h.measure, Log: h.log.With("component", "web"), Now: h.now,
		Certificate: h.cfg.Web.Certificate, Key: h.cfg.Web.Key, Hosts: h.cfg.Web.Hosts, Trouble: h.pageTrouble,
		Open: pageRoles(h.cfg.Web.Open), Users: h.pageUsers(), Desk: desk{h},
	})
	if err != nil {
		return err
	}
	h.page = p
	h.log.Info("page", "address", h.pageURL())
	return nil
}

// run serves the page until ctx ends.
func (p *page) run(ctx context.Context) error { return p.server.Run(ctx) }

// close gives the port free. There may be no page.
func (p *page) close() error {
	if p == nil {
		return nil
	}
	return p.server.Close()
}

// PageAddr returns the address that the status page is served on, "" where none is.
func (h *House) PageAddr() string {
	if h.page == nil {
		return ""
	}
	return h.page.server.Addr().String()
}

// pageURL returns where the page is.
func (h *House) pageURL() string {
	scheme := "http"
	if h.cfg.Web.Certificate != "" {
		scheme = "https"
	}
	return scheme + "://" + h.PageAddr() + "/"
}

// view returns how things stand, for the page.
func (h *House) view(ctx context.Context) (web.View, error) {
	s, err := h.Status(ctx)
	if err != nil {
		return web.View{}, err
	}
	return web.View{Page: h.pageOf(s), Status: s}, nil
}

// pageOf puts a status into the page's values. Words that answers have, too, are the same here.
func (h *House) pageOf(s Status) web.Page {
	p := web.Page{At: s.At, State: string(s.State), Since: s.Since, Server: s.Passport}
	for _, e := range s.Problems {
		if e.Kind == alert.Held {
			continue // the page has a part of its own for these
		}
		p.Problems = append(p.Problems, web.Problem{
			Kind: string(e.Kind), Text: e.Text, Do: e.Do, Detail: e.Detail, Since: e.Since, Told: e.Loud != "",
		})
	}
	for _, d := range newestHeld(s.Held) {
		held := web.Held{Drop: d.Seq, Name: d.Name, Feed: d.Feed, Store: h.nameFor(d.Vendor)}
		for _, f := range d.Findings {
			held.Findings = append(held.Findings, f.Text)
		}
		p.Held = append(p.Held, held)
	}
	for _, f := range s.Rows {
		p.Held = append(p.Held, web.Held{Finding: f.ID, Store: h.nameFor(f.Vendor), Findings: []string{f.Text}})
	}
	p.Paused = h.pausedText(s.Paused)
	why := map[string]string{}
	for _, d := range s.Waiting {
		_, paused := PauseOf(s.Paused, Target{catalog.Kind(d.Kind), d.Vendor})
		line := web.Delivery{
			Name: d.Name, Store: h.nameFor(d.Vendor), State: d.State, Attempts: d.Attempts, Next: d.Next, Detail: d.Error,
			Stopped: s.Hold != "" || d.State == "parked" || paused,
		}
		class := d.Class
		if s.Hold != "" {
			class = string(outbox.Credentials) // it is what stops everything, whatever failed before
		}
		if class != "" {
			line.Why = report.Trouble(h.cfg.Chain.Language, class)
			why[d.Kind+"/"+d.Vendor] = line.Why
		}
		p.Deliveries = append(p.Deliveries, line)
	}
	for _, v := range s.Stores {
		p.Stores = append(p.Stores, web.Store{
			ID: idFor(v.ID), Name: h.nameFor(v.ID), Shelf: v.Kind, Same: v.Same, Differs: v.Differs, Pending: v.Pending,
			Withheld: v.Withheld, Verified: v.Verified, Next: v.Next, Settled: v.Settled,
			Jobs: v.Jobs, NotTaken: v.NotTaken, Problem: why[v.Kind+"/"+v.ID],
		})
	}
	if o := s.Orders; o != nil {
		p.Orders = &web.Orders{Due: o.Due, File: o.File, FileAt: o.FileAt, Foreign: o.Foreign}
		p.Orders.States, p.Orders.Numbers = o.stateNumbers()
	}
	for _, f := range s.Feeds {
		line := web.Feed{Name: f.Name, Folder: f.Folder, Problem: f.Problem}
		if d := f.Last; d != nil {
			line.Drop = fmt.Sprintf("%d %s", d.Seq, d.Name)
			line.Came, line.State, line.Rows, line.Issues = d.At, d.State, d.Rows, d.Issues
		}
		for _, w := range f.Waiting {
			line.Waiting = append(line.Waiting, w.Name)
		}
		p.Feeds = append(p.Feeds, line)
	}
	return p
}

// pausedText says who paused what, and until when, in the chain's language; "" where nothing is paused.
func (h *House) pausedText(all []Paused) string {
	say := report.NewPhrases(h.cfg.Chain.Language, h.zone)
	texts := make([]string, len(all))
	for i, p := range all {
		since := p.Since.Format(time.RFC3339)
		if p.Vendor == catalog.AllVendors {
			texts[i], _ = say.Say("paused.all", since, p.Who) // a phrase that can't be said is its name: the page is shown all the same
		} else {
			texts[i], _ = say.Say("paused.store", since, p.Who, h.nameFor(p.Vendor))
		}
		if !p.Until.IsZero() {
			until, _ := say.Say("paused.until", p.Until.Format(time.RFC3339))
			texts[i] += ", " + until
		}
		if p.Reason != "" {
			texts[i] += ": " + p.Reason
		}
	}
	return strings.Join(texts, "; ")
}

// idFor returns a store's id, "" for all of them.
func idFor(vendor string) string {
	if vendor == catalog.AllVendors {
		return ""
	}
	return vendor
}

// nameFor returns what people call a store, "" for all of them.
func (h *House) nameFor(vendor string) string {
	if v, ok := h.vendor(vendor); ok {
		return v.Name
	}
	return idFor(vendor)
}
