package platform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"

	"gondola/internal/catalog"
)

// RequestTerms is what a request for promotions says beside what the export does: it is a part of the identity that the platform knows a
// promotion by, so that it is kept with each promotion that was sent (catalog.Promotion.Stores) and repeated to the letter.
type RequestTerms struct {
	Vendors []string       // the stores; all = every one of the chain
	All     bool           // likewise
	Locale  string         // of the name, such as es_UY
	Zone    *time.Location // whose local time the promotion's dates are
}

// termsMark opens the text of terms. What files say of stores (Stores.Text) holds no space, so that the two are told apart by it.
const termsMark = "api "

// Text returns the terms as one text, for catalog.Promotion.Stores.
func (t RequestTerms) Text() (string, error) {
	vendors, _, err := Stores{All: t.All, IDs: t.Vendors}.cells()
	return termsMark + t.Locale + " " + t.Zone.String() + " " + vendors, err
}

// ByRequest reports whether a promotion was sent in a request, by its catalog.Promotion.Stores. What was made by request can only be
// changed by request [doc]; the other way round it is [assumed].
func ByRequest(stores string) bool { return strings.HasPrefix(stores, termsMark) }

// parseTerms reads what Text wrote.
func parseTerms(text string) (t RequestTerms, err error) {
	rest, ok := strings.CutPrefix(text, termsMark)
	parts := strings.Split(rest, " ")
	if !ok || len(parts) != 3 {
		return t, fmt.Errorf("terms of a request %q: want locale, zone and stores", text)
	}
	t.Locale = parts[0]
	if t.Zone, err = time.LoadLocation(parts[1]); err != nil {
		return t, fmt.Errorf("terms of a request %q: %w", text, err)
	}
	if t.All = parts[2] == "all"; !t.All {
		t.Vendors = strings.Split(parts[2], ",")
	}
	return t, nil
}

// PromotionReason is why a promotion is made, as requests have to say it [partner].
type PromotionReason string

// The reasons [partner].
const (
	PromotionOverstock       PromotionReason = "OVERSTOCK"
	PromotionDelisting       PromotionReason = "DELISTING"
	PromotionCompetitiveness PromotionReason = "COMPETITIVENESS"
	PromotionExpiringSoon    PromotionReason = "EXPIRING_SOON"
	PromotionNMR             PromotionReason = "NMR"
	PromotionTrading         PromotionReason = "TRADING"
)

// ReasonOf returns the reason that a free text, as files have it, most likely means: the platform's own word, or one of a few that shops
// use. What says none of them is taken for competitiveness [assumed], which is in common use [partner].
func ReasonOf(text string) PromotionReason {
	word := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToUpper(strings.TrimSpace(text)))
	for _, r := range []PromotionReason{PromotionOverstock, PromotionDelisting, PromotionCompetitiveness, PromotionExpiringSoon, PromotionNMR, PromotionTrading} {
		if word == string(r) {
			return r
		}
	}
	for _, known := range []struct {
		part string
		is   PromotionReason
	}{
		{"STOCK", PromotionOverstock},
		{"EXCEDENTE", PromotionOverstock},
		{"EXCESSO", PromotionOverstock},
		{"DELIST", PromotionDelisting},
		{"DISCONTIN", PromotionDelisting},
		{"DESCONTIN", PromotionDelisting},
		{"LIQUIDA", PromotionDelisting},
		{"EXPIR", PromotionExpiringSoon},
		{"VENC", PromotionExpiringSoon},
		{"VALIDADE", PromotionExpiringSoon},
		{"CADUC", PromotionExpiringSoon},
	} {
		if strings.Contains(word, known.part) {
			return known.is
		}
	}
	return PromotionCompetitiveness
}

// offerBody is the body of a request for promotions [doc], its limits and bundles [partner].
type offerBody struct {
	Vendors     []string          `json:"vendors"`
	Type        string            `json:"type"`
	Active      bool              `json:"active"`
	Reason      PromotionReason   `json:"reason"`
	DisplayName map[string]string `json:"display_name"`
	Conditions  offerConditions   `json:"conditions"`
	Limits      *offerLimits      `json:"limits,omitempty"`
	Discount    []offerDiscount   `json:"discount"`
}

type offerConditions struct {
	Start      string `json:"start_time"`
	End        string `json:"end_time"`
	Purchased  int    `json:"purchased_quantity,omitempty"`
	Discounted int    `json:"discounted_quantity,omitempty"`
}

// offerLimits are the columns max_no_of_orders and discount_usage_limit of files [assumed]: the names are known, and what they count is
// read from them. max_discount_per_order, the third one, is an amount by its name, which files do not have.
type offerLimits struct {
	Global        int64 `json:"global_limit,omitempty"`
	ItemsPerOrder int64 `json:"max_items_per_order,omitempty"`
}

type offerDiscount struct {
	Subtype string      `json:"discount_subtype"`
	Value   json.Number `json:"discount_value"`
	Active  bool        `json:"active"`
	SKU     []string    `json:"sku"`
	// MaxQuantity is the column maximum_sales_quantity of files [assumed], where the promotion sets that limit.
	MaxQuantity int64 `json:"max_quantity,omitempty"`
}

// RequestOf names the request that a promotion is a part of: those with one name go in one request. The platform knows a promotion by its
// name, its stores, its start and its end [partner], and a request says of all its articles the same but for what they cost.
func RequestOf(p catalog.Promotion) (string, error) {
	b, err := bodyOf(p)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(b)
	return string(text), err
}

// bodyOf returns what a promotion says in a request, without its article.
func bodyOf(p catalog.Promotion) (b offerBody, err error) {
	t, err := parseTerms(p.Stores)
	if err != nil {
		return b, err
	}
	if err := errors.Join(needText("campaign name", p.Campaign), checkPeriod(p.Start, p.End)); err != nil {
		return b, err
	}
	if b.Vendors = t.Vendors; t.All {
		b.Vendors = []string{"*"}
	}
	b.Active, b.Reason = true, ReasonOf(p.Reason)
	name := p.Campaign
	switch p.Type {
	case catalog.Strikethrough:
		b.Type = "STRIKETHROUGH"
	case catalog.SameItemBundle:
		// A bundle and a price of one campaign and one time would be one promotion to the platform, and each would undo the other.
		b.Type, name = "SAME_ITEM_BUNDLE", fmt.Sprintf("%s %d+%d", name, p.Buy, p.Get)
		b.Conditions.Purchased, b.Conditions.Discounted = p.Buy, p.Get
	default:
		return b, fmt.Errorf("unknown promotion type %q", p.Type)
	}
	b.DisplayName = map[string]string{t.Locale: name}
	if p.MaxOrders < 0 || p.UsageLimit < 0 || p.MaxSales < 0 {
		return b, errors.New("a limit is below zero")
	}
	if p.MaxOrders != 0 || p.UsageLimit != 0 {
		b.Limits = &offerLimits{Global: p.MaxOrders, ItemsPerOrder: p.UsageLimit}
	}
	start := utcOf(p.Start, t.Zone).Add(apart(b))
	b.Conditions.Start, b.Conditions.End = start.Format(requestTime), utcOf(p.End, t.Zone).Format(requestTime)
	return b, nil
}

// requestTime is how requests write a time [doc].
const requestTime = "2006-01-02T15:04:05.000Z"

// utcOf returns the moment at which the clock on a wall in zone shows w.
func utcOf(w catalog.Wall, zone *time.Location) time.Time {
	u := time.Unix(int64(w), 0).UTC()
	return time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), 0, zone).UTC()
}

// apart keeps promotions of one name and one time apart that differ in their reason or their limits, of which the platform would make one
// [partner]: they begin some thousandths of a second later, always as many. That it looks at those is [assumed]: its own examples have
// them. The plain ones, which are nearly all, begin to the second.
func apart(b offerBody) time.Duration {
	if b.Limits == nil && b.Reason == PromotionCompetitiveness {
		return 0
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %v", b.Reason, b.Limits != nil)
	if b.Limits != nil {
		fmt.Fprintf(h, " %d %d", b.Limits.Global, b.Limits.ItemsPerOrder)
	}
	return time.Duration(1+h.Sum32()%999) * time.Millisecond
}

// WritePromotionRequest writes promotions, which all have the same [RequestOf], as the body of one request, and returns how many articles
// it has. Where the promotion goes on, those that end leave it; where it does not, it ends as a whole, and the rest is what it was [doc].
// It goes on where at least one of all does, which may stand in another request.
func WritePromotionRequest(w io.Writer, all []catalog.Promotion, goesOn bool) (int, error) {
	if len(all) == 0 {
		return 0, errors.New("write request: no promotions")
	}
	b, err := bodyOf(all[0])
	if err != nil {
		return 0, fmt.Errorf("write request, article %q: %w", all[0].SKU, err)
	}
	b.Active = goesOn
	at := map[discountKey]int{}
	for _, p := range all {
		d, err := discountOf(p)
		if err != nil {
			return 0, fmt.Errorf("write request, article %q: %w", p.SKU, err)
		}
		d.Active = p.Active || !b.Active
		d.MaxQuantity = p.MaxSales
		key := discountKey{d.Subtype, d.Value, d.Active, d.MaxQuantity}
		i, ok := at[key]
		if !ok {
			i = len(b.Discount)
			at[key] = i
			b.Discount = append(b.Discount, d)
		}
		b.Discount[i].SKU = append(b.Discount[i].SKU, p.SKU)
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(b); err != nil {
		return 0, fmt.Errorf("write request: %w", err)
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return 0, fmt.Errorf("write request: %w", err)
	}
	return len(all), nil
}

// discountKey is what articles that stand in one entry have in common.
type discountKey struct {
	subtype string
	value   json.Number
	active  bool
	most    int64
}

// discountOf returns what a promotion takes off. An article that is free is one at 100 percent off [assumed].
func discountOf(p catalog.Promotion) (d offerDiscount, err error) {
	if _, err := identifier(catalog.BySKU, p.SKU, ""); err != nil {
		return d, err
	}
	price, discount, err := promotionCells{}.offer(p)
	if err != nil {
		return d, err
	}
	switch {
	case p.Type == catalog.Strikethrough:
		d.Subtype, d.Value = "FINAL_PRICE", json.Number(price)
	case p.Benefit == catalog.FreeItem:
		d.Subtype, d.Value = "PERCENTAGE", "100"
	case p.Benefit == catalog.PercentOff:
		d.Subtype, d.Value = "PERCENTAGE", json.Number(discount)
	default:
		d.Subtype, d.Value = "ABSOLUTE", json.Number(discount)
	}
	return d, nil
}
