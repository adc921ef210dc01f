package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stores are the shelves of all vendors.
type stores struct {
	rules Rules
	order []Vendor // as in the options, without their articles

	zones map[string]*time.Location // by vendor; does not change

	mu     sync.Mutex
	byID   map[string]map[string]*Article // vendor, SKU; guarded by mu, the outer map does not change
	byCode map[string]map[string]string   // vendor, barcode as compared -> SKU; guarded by mu
	promos map[string]map[identity]*taken // vendor; guarded by mu
}

// newStores fills the shelves, and refuses articles that could not be told apart.
func newStores(vendors []Vendor, rules Rules) (*stores, error) {
	s := &stores{
		rules: rules, zones: map[string]*time.Location{}, byID: map[string]map[string]*Article{},
		byCode: map[string]map[string]string{}, promos: map[string]map[identity]*taken{},
	}
	for _, v := range vendors {
		if v.ID == "" || s.byID[v.ID] != nil {
			return nil, fmt.Errorf("check sandbox options: vendor id %q is empty or there twice", v.ID)
		}
		s.zones[v.ID] = v.Zone
		if v.Zone == nil {
			s.zones[v.ID] = time.UTC
		}
		s.byID[v.ID] = make(map[string]*Article, len(v.Articles))
		s.byCode[v.ID], s.promos[v.ID] = map[string]string{}, map[identity]*taken{}
		for _, a := range v.Articles {
			if err := s.add(v.ID, a); err != nil {
				return nil, fmt.Errorf("check sandbox options: %w", err)
			}
		}
		v.Articles = nil
		s.order = append(s.order, v)
	}
	return s, nil
}

// add puts a new article on a store's shelf.
func (s *stores) add(vendor string, a Article) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	shelf := s.byID[vendor]
	if shelf == nil {
		return fmt.Errorf("vendor %q is no store of the chain", vendor)
	}
	if a.SKU == "" || shelf[a.SKU] != nil {
		return fmt.Errorf("vendor %s: sku %q is empty or there twice", vendor, a.SKU)
	}
	if a.Price != "" {
		price, ok := readPrice(a.Price, false)
		if !ok {
			return fmt.Errorf("vendor %s: sku %s: %q is no price; use digits and a point", vendor, a.SKU, a.Price)
		}
		a.Price = price
	}
	shelf[a.SKU] = &a
	if a.Barcode != "" {
		s.byCode[vendor][s.code(a.Barcode)] = a.SKU
	}
	return nil
}

// code returns a barcode in the form that is compared. That padding zeros don't count is an assumption.
func (s *stores) code(barcode string) string {
	if s.rules.ExactBarcodes {
		return barcode
	}
	return strings.TrimLeft(barcode, "0")
}

// has reports whether there is such a store.
func (s *stores) has(vendor string) bool { return s.byID[vendor] != nil }

// find returns the SKU of the article that a row means at a store.
func (s *stores) find(vendor, sku, barcode string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sku == "" {
		sku = s.byCode[vendor][s.code(barcode)]
	}
	_, ok := s.byID[vendor][sku]
	return sku, ok
}

// place is one article at one store.
type place struct{ vendor, sku string }

// change is what a row asks for. What is nil stays as it is.
type change struct {
	price    *string
	active   *bool
	quantity *int
	maxSales *int
}

// apply carries out what a file asks for, all of it or, to those who look, nothing yet.
func (s *stores) apply(changes map[place]change, takes map[promotionAt]*taken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, p := range takes {
		s.promos[at.vendor][at.identity] = p
	}
	for p, c := range changes {
		a := s.byID[p.vendor][p.sku]
		if c.price != nil {
			a.Price = *c.price
		}
		if c.active != nil {
			a.Active = *c.active
		}
		if c.quantity != nil {
			a.Active = *c.quantity > a.SalesBuffer // the quantity itself is not stored
		}
		if c.maxSales != nil {
			a.MaxSales = *c.maxSales
		}
	}
}

// shelf returns copies of a store's articles, sorted by SKU.
func (s *stores) shelf(vendor string) []Article {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Article, 0, len(s.byID[vendor]))
	for _, a := range s.byID[vendor] {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Article) int { return cmp.Compare(a.SKU, b.SKU) })
	return out
}

// Shelf returns what a store shows now, sorted by SKU; nothing for a store that is not there.
func (s *Sandbox) Shelf(vendor string) []Article { return s.stores.shelf(vendor) }

// SetPrice changes a price as a person would in the platform's back office, behind the partner's back. It is an error when there
// is no such article or price is not decimal text above 0.
func (s *Sandbox) SetPrice(vendor, sku, price string) error {
	text, ok := readPrice(price, false)
	if !ok {
		return fmt.Errorf("set price of %s at %s: %q is no price; use digits and a point", sku, vendor, price)
	}
	if _, ok := s.stores.find(vendor, sku, ""); !ok {
		return fmt.Errorf("set price of %s at %s: no such article", sku, vendor)
	}
	s.stores.apply(map[place]change{{vendor, sku}: {price: &text}}, nil)
	return nil
}

// AddArticle creates an article at a store, as the platform's people do on request: no file can. It is an error when the store is
// not there, when it has the SKU already, or when the price is neither empty nor decimal text above 0.
func (s *Sandbox) AddArticle(vendor string, a Article) error {
	if err := s.stores.add(vendor, a); err != nil {
		return fmt.Errorf("add article: %w", err)
	}
	return nil
}

// readPrice reads digits with at most one point between them and returns the shortest form of the price, or false when it is none
// or not above 0. Three decimals are kept; that further ones are cut is an assumption, so round makes them round half up.
func readPrice(s string, round bool) (string, bool) {
	const (
		decimals  = 3
		maxDigits = 12 // before the point
	)
	whole, frac, point := strings.Cut(s, ".")
	if !isDigits(whole) || len(whole) > maxDigits || (point && !isDigits(frac)) {
		return "", false
	}
	kept := (frac + "000")[:decimals]
	n, err := strconv.ParseInt(whole+kept, 10, 64)
	if err != nil {
		return "", false
	}
	if round && len(frac) > decimals && frac[decimals] >= '5' {
		n++
	}
	text := strconv.FormatInt(n+1000, 10) // a leading digit that keeps the zeros behind the point, taken off below
	unit, rest := strconv.FormatInt(n/1000, 10), strings.TrimRight(text[len(text)-decimals:], "0")
	if rest != "" {
		unit += "." + rest
	}
	return unit, n > 0
}

// isDigits reports whether s is one or more of 0 to 9.
func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
