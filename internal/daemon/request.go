package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// apiFolder begins the folder of documents that are requests. It only tells them from files.
const apiFolder = "api/"

// wayOf returns how documents of a target travel.
func (s *setup) wayOf(t Target) outbox.By {
	if s.sendKind(t.Kind).By == config.ByAPI {
		return outbox.ByAPI
	}
	return outbox.BySFTP
}

// ways lists the ways that something is sent by.
func (s *setup) ways() (all []outbox.By) {
	for _, by := range []outbox.By{outbox.BySFTP, outbox.ByAPI} {
		if slices.ContainsFunc(s.targets, func(t Target) bool { return s.wayOf(t) == by }) {
			all = append(all, by)
		}
	}
	return all
}

// saysOf returns the fields that a document of a target holds for an item. Requests know a maximum sales quantity for every brand [doc].
func (s *setup) saysOf(t Target) func(catalog.Item) catalog.Fields {
	if s.wayOf(t) == outbox.ByAPI {
		return platform.CatalogFields
	}
	return s.says
}

// terms returns what the requests for a target's promotions say beside what is offered.
func (s *setup) terms(t Target) platform.RequestTerms {
	terms := platform.RequestTerms{Vendors: []string{t.Vendor}, Locale: s.cfg.API.Locale, Zone: s.zoneOf(t)}
	if stores := s.stores(t); stores != nil {
		terms.Vendors, terms.All = stores.IDs, stores.All
	}
	return terms
}

// storesText returns what a target's documents say of its stores now, for shelf.Question.Stores.
func (s *setup) storesText(t Target) (string, error) {
	if s.wayOf(t) == outbox.ByAPI && t.Kind == catalog.KindPromotions {
		return s.terms(t).Text()
	}
	if stores := s.stores(t); stores != nil {
		return stores.Text()
	}
	return "", nil
}

// elsewhere returns whether a promotion was sent in another way than a target's go now, by what was kept of it.
func (s *setup) elsewhere(t Target) func(stores string) bool {
	byAPI := s.wayOf(t) == outbox.ByAPI
	return func(stores string) bool { return platform.ByRequest(stores) != byAPI }
}

// checkRequests finds what keeps a kind from going by requests that only the platform's room knows.
func (s *setup) checkRequests(fault func(path string, err error)) {
	if s.wayOf(Target{Kind: catalog.KindCatalog}) == outbox.ByAPI && s.cfg.Send.Catalog.Shape == config.ShapeChain {
		fault("send.catalog.shape", errors.New("chain does not go with by: api; a request is for one store; write vendor"))
	}
	if s.wayOf(Target{Kind: catalog.KindPromotions}) == outbox.ByAPI && s.cfg.Send.Promotions.Shape == config.ShapeChain && len(s.cfg.Send.Exclude) > 0 {
		fault("send.exclude", errors.New("requests can't leave stores out; list the stores (vendors: listed), or send promotions by sftp"))
	}
}

// requests renders a plan's rows as bodies of requests, each with a record file of its own rows.
func (h drafter) requests(ctx context.Context, t Target, q shelf.Question, rows shelf.Digest) ([]store.Document, error) {
	if t.Kind == catalog.KindPromotions {
		return h.promotionRequests(ctx, t, q, rows)
	}
	var all []store.Document
	w, err := h.files.Create()
	if err != nil {
		return nil, err
	}
	defer func() { w.Abort() }()
	end := func() error {
		if w.Rows() == 0 {
			return nil
		}
		d, err := w.Commit()
		if err != nil {
			return err
		}
		doc, err := h.request(t, len(all)+1, d, func(out io.Writer) (int, error) {
			return platform.WriteCatalogRequest(out, records(h.files, d, func(r shelf.Record) catalog.Item { return r.Item }))
		})
		if err == nil {
			all = append(all, doc)
			w, err = h.files.Create()
		}
		return err
	}
	for r, err := range records(h.files, rows, func(r shelf.Record) shelf.Record { return r }) {
		if err == nil && w.Rows() == h.maxRows(t) {
			err = end()
		}
		if err == nil {
			err = w.Add(r)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, end()
}

// request writes one request.
func (h drafter) request(t Target, part int, rows shelf.Digest, render func(io.Writer) (int, error)) (store.Document, error) {
	d, err := h.writeBytes(".json", render)
	if err != nil {
		return d, err
	}
	vendor := t.Vendor
	if vendor == catalog.AllVendors {
		vendor = "chain"
	}
	d.By, d.Part, d.Records = outbox.ByAPI, part, rows
	// What was sent before under another name is no older version of this: every request has its own.
	d.Folder, d.Name = apiFolder+string(t.Kind), fmt.Sprintf("%s/%d-%s", vendor, part, d.SHA256[:12])
	return d, nil
}

// promotionRequests is requests for promotions. Those that the platform takes for one go in one request, together with what runs of it
// already: whether a request replaces the list of articles or adds to it is [unknown], and so it makes no difference.
func (h drafter) promotionRequests(ctx context.Context, t Target, q shelf.Question, rows shelf.Digest) ([]store.Document, error) {
	groups := map[string][]shelf.Record{}
	var order []string
	said := map[string]bool{}
	for r, err := range records(h.files, rows, func(r shelf.Record) shelf.Record { return r }) {
		if err != nil {
			return nil, err
		}
		name, err := platform.RequestOf(*r.Promotion)
		if err != nil {
			return nil, fmt.Errorf("write document of %s: %w", t, err)
		}
		if groups[name] == nil {
			order = append(order, name)
		}
		groups[name], said[r.Key] = append(groups[name], r), true
	}
	refused, err := h.store.FeedbackOf(ctx, t.String())
	if err != nil {
		return nil, err
	}
	for _, f := range refused {
		if f.Vendor == t.Vendor { // the platform has it nowhere, whatever was sent
			said[f.Key] = true
		}
	}
	if err := h.runningBeside(q, groups, said); err != nil {
		return nil, err
	}
	limit := platform.MaxRequestPairs / max(len(h.terms(t).Vendors), 1)
	if h.terms(t).All {
		limit = platform.MaxRequestPairs / max(len(h.vendors), 1)
	}
	var all []store.Document
	for _, name := range order {
		// Of a promotion that is divided, no part may end the whole while another goes on.
		goesOn := slices.ContainsFunc(groups[name], func(r shelf.Record) bool { return r.Promotion.Active })
		for part := range slices.Chunk(groups[name], limit) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			d, err := h.promotionRequest(t, len(all)+1, part, goesOn)
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
	}
	return all, nil
}

// runningBeside adds to each group what runs of it and is not spoken of yet.
func (h drafter) runningBeside(q shelf.Question, groups map[string][]shelf.Record, said map[string]bool) error {
	o, err := h.files.Overlay(q.Sent)
	if err != nil {
		return err
	}
	defer func() { _ = o.Close() }() // it was only read
	for o.Next() {
		r := o.Record()
		p := r.Promotion
		if p == nil || !p.Active || p.Over(q.Now) || said[r.Key] || !platform.ByRequest(p.Stores) {
			continue
		}
		name, err := platform.RequestOf(*p)
		if err != nil {
			return err
		}
		if groups[name] != nil {
			r.Line, r.Gone, r.Owner = 0, 0, ""
			groups[name] = append(groups[name], r)
		}
	}
	return o.Err()
}

// promotionRequest writes one request and the file of its rows.
func (h drafter) promotionRequest(t Target, part int, rows []shelf.Record, goesOn bool) (store.Document, error) {
	slices.SortFunc(rows, func(a, b shelf.Record) int { return cmp.Compare(a.Key, b.Key) })
	w, err := h.files.Create()
	if err != nil {
		return store.Document{}, err
	}
	defer w.Abort()
	offers := make([]catalog.Promotion, len(rows))
	for i, r := range rows {
		offers[i] = *r.Promotion
		if err := w.Add(r); err != nil {
			return store.Document{}, err
		}
	}
	d, err := w.Commit()
	if err != nil {
		return store.Document{}, err
	}
	return h.request(t, part, d, func(out io.Writer) (int, error) { return platform.WritePromotionRequest(out, offers, goesOn) })
}
