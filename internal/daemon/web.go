package daemon

import (
	"context"
	"strings"
	"time"

	"gondola/internal/catalog"
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
		Listen: h.cfg.Web.Listen, Bind: h.bind, Language: h.cfg.Chain.Language, Zone: h.zone, Look: h.view,
		Story: h.story, Answer: h.answerText, Stores: h.namedStores(), Drops: h.dropsOf(),
		Healthy: h.Healthy, Ready: h.Ready, Measure: h.measure, Log: h.log.With("component", "web"), Now: h.now,
		Certificate: h.cfg.Web.Certificate, Key: h.cfg.Web.Key, Hosts: h.cfg.Web.Hosts, Trouble: h.pageTrouble,
		Open: pageRoles(h.cfg.Web.Open), Users: h.pageUsers(), Logins: h.logins, Desk: desk{h},
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
