package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"gondola/internal/sandbox"
)

// platformView looks at the simulated platform from outside, over HTTP.
type platformView struct {
	url    string
	client *http.Client
}

func newPlatformView(url string) platformView {
	// Without keep-alives no connection outlives its question.
	return platformView{url: url, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// shelf returns what a store shows, sorted by SKU.
func (v platformView) shelf(ctx context.Context, store string) ([]shelfArticle, error) {
	var articles []shelfArticle
	err := v.get(ctx, "/shelf/"+store+".json", &articles)
	return articles, err
}

// promotions returns what a store offers, or will, sorted by SKU.
func (v platformView) promotions(ctx context.Context, store string) ([]shelfPromotion, error) {
	var all []sandbox.Promotion
	if err := v.get(ctx, "/promotions/"+store+".json", &all); err != nil {
		return nil, err
	}
	offers := make([]shelfPromotion, len(all))
	for i, p := range all {
		offers[i] = shelfPromotion{
			SKU: p.SKU, Campaign: p.Campaign, Start: p.Start.Format(time.DateTime), End: p.End.Format(time.DateTime), Type: p.Type,
			Benefit: p.SubType, Price: p.Price, Buy: p.Buy, Get: p.Benefit, Discount: p.Discount,
		}
	}
	slices.SortFunc(offers, func(a, b shelfPromotion) int { return cmp.Compare(a.SKU, b.SKU) })
	return offers, nil
}

// jobs returns what the platform made of each file that it read, oldest first.
func (v platformView) jobs(ctx context.Context) ([]sandbox.Job, error) {
	var jobs []sandbox.Job
	err := v.get(ctx, "/jobs.json", &jobs)
	return jobs, err
}

// orders returns where each order stands, oldest first.
func (v platformView) orders(ctx context.Context) ([]sandbox.Order, error) {
	var orders []sandbox.Order
	err := v.get(ctx, "/orders.json", &orders)
	return orders, err
}

func (v platformView) get(ctx context.Context, path string, into any) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path, nil)
	if err != nil {
		return fmt.Errorf("ask the platform for %s: %w", path, err)
	}
	answer, err := v.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the platform for %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the platform for %s: it answers %s", path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		return fmt.Errorf("ask the platform for %s: %w", path, err)
	}
	return nil
}

// shelfArticle is what customers see of an article.
type shelfArticle struct {
	SKU    string `json:"sku"`
	Price  string `json:"price"`
	Active bool   `json:"active"`
}

// shelfPromotion is what customers are offered of an article.
type shelfPromotion struct {
	SKU      string `json:"sku"`
	Campaign string `json:"campaign_name"`
	Start    string `json:"start"` // local time of the store
	End      string `json:"end"`
	Type     string `json:"promotion_type"`
	Benefit  string `json:"promotion_sub_type"`
	Price    string `json:"discounted_price"`
	Buy      int    `json:"buy"`
	Get      int    `json:"benefit"`
	Discount string `json:"bundle_discount"`
}

// offerDifferences names where a store's promotions are not what they should be, in the order of the SKUs.
func offerDifferences(want, got []shelfPromotion) []string {
	var all []string
	for _, p := range want {
		if !slices.Contains(got, p) {
			all = append(all, "SKU "+p.SKU+": its promotion should be there as the samples say, and is not")
		}
	}
	for _, p := range got {
		if !slices.Contains(want, p) {
			all = append(all, "SKU "+p.SKU+": it has a promotion that the samples don't say")
		}
	}
	return all
}

// onSale counts the articles that customers can buy.
func onSale(shelf []shelfArticle) int {
	n := 0
	for _, a := range shelf {
		if a.Active {
			n++
		}
	}
	return n
}

// shelfChange is how a shelf has become another one.
type shelfChange struct {
	prices, on, off int
}

// changed counts what is different between a shelf before and after.
func changed(before, after []shelfArticle) shelfChange {
	var c shelfChange
	eachPair(before, after, func(old, now *shelfArticle) {
		if old == nil || now == nil {
			return
		}
		if old.Price != now.Price {
			c.prices++
		}
		switch {
		case now.Active && !old.Active:
			c.on++
		case old.Active && !now.Active:
			c.off++
		}
	})
	return c
}

// differences names where a shelf is not what it should be, in the order of the SKUs.
func differences(want, got []shelfArticle) []string {
	var all []string
	add := func(sku, format string, args ...any) { all = append(all, "SKU "+sku+": "+fmt.Sprintf(format, args...)) }
	eachPair(want, got, func(w, g *shelfArticle) {
		switch {
		case g == nil:
			add(w.SKU, "it should be on the shelf and is not")
			return
		case w == nil:
			add(g.SKU, "it is on the shelf and should not be")
			return
		}
		if w.Price != g.Price {
			add(w.SKU, "the price should be %s and is %s", w.Price, g.Price)
		}
		if w.Active != g.Active {
			add(w.SKU, "it should be %s and is %s", saleWord(w.Active), saleWord(g.Active))
		}
	})
	return all
}

func saleWord(active bool) string {
	if active {
		return "on sale"
	}
	return "off sale"
}

// eachPair calls do for each SKU of two shelves, in order, with nil where one of them does not have it.
func eachPair(a, b []shelfArticle, do func(a, b *shelfArticle)) {
	bySKU := func(x, y shelfArticle) int { return cmp.Compare(x.SKU, y.SKU) }
	a, b = slices.SortedFunc(slices.Values(a), bySKU), slices.SortedFunc(slices.Values(b), bySKU)
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].SKU < b[0].SKU:
			do(&a[0], nil)
			a = a[1:]
		case len(a) == 0 || b[0].SKU < a[0].SKU:
			do(nil, &b[0])
			b = b[1:]
		default:
			do(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
}
