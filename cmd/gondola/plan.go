package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// planFlags are what plan is asked.
type planFlags struct {
	vendors []string
	full    bool
	rows    int
}

// newPlanCommand shows what the next slot would send.
func newPlanCommand(a *app) *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what the next slot would send, without sending it",
		Long: `Compares what the exports want with what the platform was sent, and shows it article by article, and
promotion by promotion:
  +  the platform was never told of this article; this promotion starts
  ~  something of it changes
  -  this promotion ends
  =  nothing changes; it is repeated, because the file before may not have been read yet or the plan is full
It works beside the running daemon and changes nothing. Exports that are still in a drop folder don't count.
Of a paused store it shows what would be sent without the pause.`,
		Example:     "  gondola plan --vendor 290056\n  gondola plan --full --rows 0 --json",
		Args:        cobra.NoArgs,
		Annotations: codes(exitBrake),
		RunE:        func(c *cobra.Command, _ []string) error { return a.plan(c.Context(), f) },
	}
	c.Flags().StringArrayVar(&f.vendors, "vendor", nil, "only the store with this `ID`; may be repeated (default all stores)")
	c.Flags().BoolVar(&f.full, "full", false, "as if everything were sent, not only what differs")
	c.Flags().IntVar(&f.rows, "rows", 20, "show at most `N` articles and promotions a store; 0 shows all")
	return c
}

// plannedStore is what would be sent to one store, and what plan --json prints of it.
type plannedStore struct {
	Vendor   string               `json:"vendor"` // * where one file is for all stores
	Kind     catalog.Kind         `json:"kind"`   // catalog, promotions or assortment
	Full     bool                 `json:"full"`
	Differs  int                  `json:"differs"` // articles and promotions that change
	Rows     int                  `json:"rows"`    // of the files, repeated ones included; 0 = nothing is sent
	Change   shelf.Change         `json:"change"`
	Waiting  int                  `json:"waiting,omitempty"`  // promotions that start once the end of others has been read
	Withheld map[catalog.Code]int `json:"withheld,omitempty"` // promotions that can't start, by the reason
	Held     []int64              `json:"held"`               // drops that the brake holds, or would
	HeldRows []shelf.Finding      `json:"held_rows"`          // rows that it holds, or would; they are not among the rows
	Paused   string               `json:"paused,omitempty"`   // who paused the store, and until when
	Off      []string             `json:"off,omitempty"`      // articles that are switched off by hand
	Articles []plannedArticle     `json:"articles"`           // the first ones; see --rows

	Promotions []plannedPromotion `json:"promotions,omitempty"` // the first ones
}

// plannedArticle is one row.
type plannedArticle struct {
	Key     string  `json:"key"`
	New     bool    `json:"new"`
	Differs bool    `json:"differs"`
	Row     article `json:"row"`
	Sent    article `json:"sent"`
}

// plannedPromotion is one row about a promotion.
type plannedPromotion struct {
	Key      string `json:"key"` // of the article
	New      bool   `json:"new"` // the platform was told nothing of it
	Differs  bool   `json:"differs"`
	Active   bool   `json:"active"` // false: it ends
	Campaign string `json:"campaign"`
	Start    string `json:"start"` // local time of the store
	End      string `json:"end"`
	Type     string `json:"type"`
	Benefit  string `json:"benefit,omitempty"`
	Details  string `json:"details,omitempty"`
	Offer    string `json:"offer"` // the final price, the share or the amount off; "" of a free piece
}

func promotionOf(r daemon.PlannedRow) plannedPromotion {
	p := *r.Promotion
	out := plannedPromotion{
		Key: r.Key, New: r.New, Differs: r.Differs, Active: p.Active, Campaign: p.Campaign, Start: p.Start.String(), End: p.End.String(),
		Type: string(p.Type), Benefit: string(p.Benefit), Details: p.Details(),
	}
	switch {
	case p.Price != 0:
		out.Offer = p.Price.String()
	case p.Percent != 0:
		out.Offer = p.Percent.String() + "%"
	case p.Amount != 0:
		out.Offer = p.Amount.String()
	}
	return out
}

// article is what a document says of an article. What it doesn't speak of is absent.
type article struct {
	Price    *string `json:"price,omitempty"`
	Active   *bool   `json:"active,omitempty"`
	Quantity *int64  `json:"quantity,omitempty"`
	MaxSales *int64  `json:"maximum_sales_quantity,omitempty"`
}

func articleOf(it catalog.Item) article {
	var out article
	if it.Set.Has(catalog.Price) {
		out.Price = new(it.Price.String())
	}
	if it.Set.Has(catalog.Active) {
		out.Active = new(it.Active)
	}
	if it.Set.Has(catalog.Quantity) {
		out.Quantity = new(it.Quantity)
	}
	if it.Set.Has(catalog.MaxSales) {
		out.MaxSales = new(it.MaxSales)
	}
	return out
}

func (a *app) plan(ctx context.Context, f planFlags) (err error) {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	if f.rows < 0 {
		return usagef("--rows is 0 (all) or more; found %d", f.rows)
	}
	h, err := daemon.Attach(ctx, cfg, daemon.Options{})
	if errors.Is(err, store.ErrNone) {
		if a.JSON {
			return a.printJSON(planned{Stores: []plannedStore{}})
		}
		a.printf("%s", nothingRan)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	all, err := preview(ctx, h, f)
	if err != nil {
		return err
	}
	if err := byHand(ctx, h, cfg, all); err != nil {
		return err
	}
	code := exitDone
	if slices.ContainsFunc(all, func(s plannedStore) bool { return len(s.Held)+len(s.HeldRows) > 0 || s.Paused != "" }) {
		code = exitBrake
	}
	if a.JSON {
		if err := a.printJSON(planned{Stores: all}); err != nil {
			return err
		}
		return ended(code)
	}
	a.printPlan(cfg, all)
	return ended(code)
}

// planned is what plan --json prints.
type planned struct {
	Stores []plannedStore `json:"stores"`
}

// preview asks the house, one target after the other, and keeps the first rows of each.
func preview(ctx context.Context, h *daemon.House, f planFlags) ([]plannedStore, error) {
	targets, err := h.Targets(f.vendors)
	if err != nil {
		return nil, usagef("%w", err)
	}
	all := make([]plannedStore, 0, len(targets))
	for _, t := range targets {
		s := plannedStore{Vendor: t.Vendor, Kind: t.Kind, Held: []int64{}, Articles: []plannedArticle{}}
		p, err := h.Preview(ctx, t, f.full, func(r daemon.PlannedRow) error {
			switch {
			case f.rows != 0 && len(s.Articles)+len(s.Promotions) >= f.rows:
			case r.Promotion != nil:
				s.Promotions = append(s.Promotions, promotionOf(r))
			default:
				s.Articles = append(s.Articles, plannedArticle{
					Key: r.Key, New: r.New, Differs: r.Differs, Row: articleOf(r.Row), Sent: articleOf(r.Sent),
				})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		s.Full, s.Differs, s.Rows, s.Change = p.Full, p.Summary.Differs, p.Summary.Rows, p.Summary.Change
		s.Waiting, s.Withheld, s.HeldRows = p.Summary.Waiting, p.Summary.Withheld, append([]shelf.Finding{}, p.Summary.Findings...)
		if p.Stopped {
			s.Differs, s.Rows, s.Articles, s.Promotions = 0, 0, []plannedArticle{}, nil
		}
		for _, l := range p.Held {
			if !slices.Contains(s.Held, l.Seq) {
				s.Held = append(s.Held, l.Seq)
			}
		}
		if s.Differs == 0 && !s.Full {
			// What may not have been read yet still lies where it was put: without a change no file is sent.
			s.Rows, s.Articles, s.Promotions = 0, []plannedArticle{}, nil
		}
		all = append(all, s)
	}
	return all, nil
}

// byHand adds what was paused or switched off by hand.
func byHand(ctx context.Context, h *daemon.House, cfg *config.Config, all []plannedStore) error {
	pauses, err := h.Paused(ctx)
	if err != nil {
		return err
	}
	offs, err := h.Offs(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		s := &all[i]
		if p, ok := daemon.PauseOf(pauses, daemon.Target{Kind: s.Kind, Vendor: s.Vendor}); ok {
			s.Paused = p.Text(zoneOf(cfg.Chain.TimeZone))
		}
		for _, o := range offs {
			if s.Kind != catalog.KindPromotions && (o.Vendor == catalog.AllVendors || o.Vendor == s.Vendor) {
				s.Off = append(s.Off, o.Key)
			}
		}
	}
	return nil
}
