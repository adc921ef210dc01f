package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/durable"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// ErrNoArticle says that an article is not known where it was asked about: no store's shelf has it, or it is not switched off.
var ErrNoArticle = errors.New("no such article")

// About is the article and the time that somebody asks about.
type About struct {
	Article string    // its identifier, or its barcode where articles are known by their SKU
	Vendor  string    // a store's id; "" = every store
	Day     time.Time // any moment of the day, in the chain's zone; zero = now
}

// Saying is what a layer, a shelf or a document says of an article, or of one of its promotions, by the names of the columns.
type Saying struct {
	Values    map[string]string `json:"values"`
	Promotion bool              `json:"promotion,omitempty"`
	Missing   bool              `json:"missing,omitempty"` // it is no longer in a full export, and switched off or ended for it
}

// sayingOf puts a record into words.
func sayingOf(r shelf.Record) Saying {
	s := Saying{Values: map[string]string{}, Missing: r.Gone != 0, Promotion: r.Promotion != nil}
	add := func(name, value string, has bool) {
		if has {
			s.Values[name] = value
		}
	}
	if p := r.Promotion; p != nil {
		add("campaign_name", p.Campaign, true)
		add("start_date", p.Start.String(), true)
		add("end_date", p.End.String(), true)
		add("promotion_type", string(p.Type), true)
		add("promotion_sub_type", string(p.Benefit), p.Benefit != "")
		add("bundle_details", p.Details(), p.Details() != "")
		add("discounted_price", p.Price.String(), p.Price != 0)
		add("discount_percent", p.Percent.String()+"%", p.Percent != 0)
		add("bundle_discount", p.Amount.String(), p.Amount != 0)
		add("campaign_status", map[bool]string{true: "1", false: "0"}[p.Active], true)
		return s
	}
	it := r.Item
	add("price", it.Price.String(), it.Set.Has(catalog.Price))
	add("active", fmt.Sprint(it.Active), it.Set.Has(catalog.Active))
	add("quantity", fmt.Sprint(it.Quantity), it.Set.Has(catalog.Quantity))
	add("maximum_sales_quantity", fmt.Sprint(it.MaxSales), it.Set.Has(catalog.MaxSales))
	return s
}

func sayingsOf(all []shelf.Record) []Saying {
	out := make([]Saying, len(all))
	for i, r := range all {
		out[i] = sayingOf(r)
	}
	return out
}

// Evidence is a document that names an article: what it says of it, and how it is known what became of it.
type Evidence struct {
	Delivery int64     `json:"delivery"`
	Plan     int64     `json:"plan"`
	Full     bool      `json:"full"` // the plan said everything
	Document string    `json:"document"`
	SHA256   string    `json:"sha256"`
	Size     int64     `json:"size"`
	Rows     int       `json:"rows"`
	Says     []Saying  `json:"says"`
	State    string    `json:"state"`
	Planned  time.Time `json:"planned"`
	Began    time.Time `json:"began,omitzero"`
	Verified time.Time `json:"verified,omitzero"`
	By       outbox.By `json:"by"`              // sftp or api
	Proof    string    `json:"proof,omitempty"` // how well it is proved that the bytes arrived: digest, size or closed; accepted for a request
	Way      string    `json:"way,omitempty"`   // how the name was taken
	Fate     string    `json:"fate,omitempty"`  // what became of the file on the server
	Settled  bool      `json:"settled"`         // it is known to have been there to be read
	File     string    `json:"file"`            // our copy of the bytes: whole, missing, damaged
}

// StoreEvidence are the documents of one target that name an article, the newest first.
type StoreEvidence struct {
	Vendor    string       `json:"vendor"` // * where one file is for all stores
	Kind      catalog.Kind `json:"kind"`
	Documents []Evidence   `json:"documents"`
	// Before is the last document before the day that named it and arrived: what held when the day began.
	Before *Evidence `json:"before,omitempty"`
}

// EvidenceOf gathers the documents of a day that named an article, of every store or one.
func (h *House) EvidenceOf(ctx context.Context, a About) (key string, stores []StoreEvidence, err error) {
	if key, err = h.keyOf(ctx, a); err != nil {
		return "", nil, err
	}
	targets, err := h.targetsAbout(a)
	if err != nil {
		return "", nil, err
	}
	for _, t := range targets {
		one, err := h.evidence(ctx, t, key, a)
		if err != nil {
			return "", nil, err
		}
		stores = append(stores, one)
	}
	return key, stores, nil
}

// targetsAbout returns the targets that a question is about.
func (h *House) targetsAbout(a About) ([]Target, error) {
	if a.Vendor == "" {
		return h.targets, nil
	}
	return h.Targets([]string{a.Vendor})
}

// day returns when the day of a question begins and ends for a target. Without a day it is all time up to now.
func (h *House) day(t Target, a About) (from, to time.Time) {
	now := h.now().Add(time.Millisecond)
	if a.Day.IsZero() {
		return time.UnixMilli(1), now
	}
	year, month, day := a.Day.In(h.zone).Date()
	from = time.Date(year, month, day, 0, 0, 0, 0, h.zoneOf(t))
	to = time.Date(year, month, day+1, 0, 0, 0, 0, h.zoneOf(t))
	if to.After(now) {
		to = now
	}
	return from, to
}

// isKept says why nothing is known of the day of a question.
func (h *House) isKept(ctx context.Context, a About) error {
	if a.Day.IsZero() {
		return nil
	}
	from, to := h.day(Target{}, a)
	if from.After(h.now()) {
		return fmt.Errorf("%w: %s is still to come", ErrNoHistory, from.Format(time.DateOnly))
	}
	begins, err := h.store.HistoryBegins(ctx)
	if err == nil && (begins.IsZero() || to.Before(begins)) {
		err = fmt.Errorf("%w: history reaches back to %s (retention.layers says how far)", ErrNoHistory, begins.In(h.zone).Format(time.DateTime))
	}
	return err
}

// enoughEvidence is how many documents are told of where no day is asked for.
const enoughEvidence = 5

// evidence gathers the documents of one target that name an article.
func (h *House) evidence(ctx context.Context, t Target, key string, a About) (StoreEvidence, error) {
	out := StoreEvidence{Vendor: t.Vendor, Kind: t.Kind, Documents: []Evidence{}}
	from, to := h.day(t, a)
	err := h.store.Documents(ctx, t.String(), from, to, func(d store.SentDocument) (bool, error) {
		e, ok, err := h.evidenceIn(d, key)
		if ok {
			out.Documents = append(out.Documents, e)
		}
		return !a.Day.IsZero() || len(out.Documents) < enoughEvidence, err
	})
	if err != nil || a.Day.IsZero() {
		return out, err
	}
	err = h.store.Documents(ctx, t.String(), time.UnixMilli(1), from, func(d store.SentDocument) (bool, error) {
		if d.Verified.IsZero() || !d.Verified.Before(from) {
			return true, nil
		}
		e, ok, err := h.evidenceIn(d, key)
		if ok {
			out.Before = &e
		}
		return !ok, err
	})
	return out, err
}

// evidenceIn returns what a document says of an article, false where it says nothing.
func (h *House) evidenceIn(d store.SentDocument, key string) (Evidence, bool, error) {
	rows, err := h.files.Of([]shelf.Digest{d.Records}, key)
	e := Evidence{
		Delivery: d.ID, Plan: d.Plan, Full: d.Full, Document: d.Folder + "/" + d.Name, SHA256: d.SHA256, Size: d.Size, Rows: d.Rows,
		Says: sayingsOf(rows), State: d.State, Planned: d.Planned, Began: d.Began, Verified: d.Verified, By: d.By, Proof: d.Proof, Way: d.Way, Fate: d.Fate,
		Settled: !d.Verified.IsZero() && !d.Unsettled,
	}
	if errors.Is(err, fs.ErrNotExist) {
		return e, false, fmt.Errorf("%w; gondola verify tells what is missing", err)
	}
	if err != nil || len(rows) == 0 {
		return e, false, err
	}
	sum, err := durable.Digest(filepath.Join(h.cfg.State.Dir, filepath.FromSlash(d.Path)))
	switch {
	case err == nil && sum == d.SHA256:
		e.File = "whole"
	case err == nil:
		e.File = "damaged"
	case errors.Is(err, fs.ErrNotExist):
		e.File = "missing"
	default:
		e.File = "unreadable"
	}
	return e, true, nil
}

// keyOf finds the key of the article that a question names: on what was wanted then, on what was sent, or, for it may have gone since,
// in any document of the day.
func (h *House) keyOf(ctx context.Context, a About) (string, error) {
	targets, err := h.targetsAbout(a)
	if err != nil {
		return "", err
	}
	if err := h.isKept(ctx, a); err != nil {
		return "", err
	}
	key := catalog.Item{SKU: a.Article, Barcode: a.Article}.Key(h.by)
	for _, find := range []func([]shelf.Digest) (string, error){
		func(stack []shelf.Digest) (string, error) {
			found, err := h.files.Of(stack, key)
			if len(found) == 0 {
				return "", err
			}
			return key, err
		},
		func(stack []shelf.Digest) (string, error) { return h.files.KeyOf(stack, a.Article) },
	} {
		for _, t := range targets {
			found, err := h.findKey(ctx, t, a, find)
			if err != nil || found != "" {
				return found, err
			}
		}
	}
	when := "now"
	if !a.Day.IsZero() {
		when = "on " + a.Day.In(h.zone).Format(time.DateOnly)
	}
	return "", fmt.Errorf("%w: %q is on no shelf %s, wanted or sent; articles are known here by their %s",
		ErrNoArticle, a.Article, when, strings.ToUpper(string(h.by)))
}

// findKey looks for an article wherever a target has something to say.
func (h *House) findKey(ctx context.Context, t Target, a About, find func([]shelf.Digest) (string, error)) (string, error) {
	from, to := h.day(t, a)
	var stacks [][]shelf.Digest
	wanted, err := h.wantedAt(ctx, t, to)
	if err != nil {
		return "", err
	}
	sent, err := h.store.Sent(ctx, t.String())
	if err != nil {
		return "", err
	}
	waiting, err := h.wanted(ctx, t, func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
		return h.store.Layer(ctx, feed, scope) // held ones, too
	})
	if err != nil {
		return "", err
	}
	stacks = append(stacks, wanted, sent, waiting)
	if !a.Day.IsZero() {
		err = h.store.Documents(ctx, t.String(), from, to, func(d store.SentDocument) (bool, error) {
			stacks = append(stacks, []shelf.Digest{d.Records})
			return true, nil
		})
		if err != nil {
			return "", err
		}
	}
	for _, stack := range stacks {
		if found, err := find(stack); err != nil || found != "" {
			return found, err
		}
	}
	return "", nil
}

// wantedAt returns the files whose overlay a target's shelf should have shown at a time.
func (h *House) wantedAt(ctx context.Context, t Target, at time.Time) ([]shelf.Digest, error) {
	return h.wanted(ctx, t, func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
		stood, err := h.store.StoodAt(ctx, feed, scope, at)
		files := make([]store.LayerFile, len(stood))
		for i, s := range stood {
			files[i] = store.LayerFile{Feed: feed, Scope: scope, Seq: s.Seq, Digest: s.Digest, Full: s.Full}
		}
		return files, err
	})
}
