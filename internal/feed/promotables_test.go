package feed

import (
	"fmt"
	"slices"
	"testing"

	"gondola/internal/catalog"
)

// offerText writes a reading as the table does.
func offerText(o offer) string {
	bundle := fmt.Sprintf("B%dG%d", o.buy, o.get)
	switch {
	case o.benefit == catalog.FreeItem:
		return "free " + bundle
	case o.benefit == catalog.PercentOff:
		return o.percent.String() + "% " + bundle
	case o.percent != 0:
		return o.percent.String() + "% off"
	}
	return o.price.String()
}

// markOf returns the decimal mark that a column is named to have.
func markOf(t *testing.T, name string) byte {
	t.Helper()
	mark, ok := map[string]byte{"comma": comma, "point": point, "none": noMark}[name]
	if !ok {
		t.Fatalf("convention %q", name)
	}
	return mark
}

func TestOfferTable(t *testing.T) {
	for _, c := range reviewed(t, "offer.tsv", 200) {
		var got string
		text := unwrap(c[0])
		m, code, isAmount := readOfferAmount(text, markOf(t, c[1]), 2)
		if !isAmount {
			w := readOffer(text)
			got, code = offerText(w.offer), w.code
		} else if got = m.String(); code == catalog.PriceRounded {
			got, code = got+" rounded", ""
		}
		if code != "" {
			got = string(code)
		}
		if got != c[2] {
			t.Errorf("%q (%s) = %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

// What a form reads, no other one may read differently: the order of the forms must not decide anything.
func TestOfferFormsAgree(t *testing.T) {
	forms := slices.Clone(offerForms)
	defer func() { offerForms = forms }()
	backwards := slices.Clone(forms)
	slices.Reverse(backwards)
	for _, c := range reviewed(t, "offer.tsv", 200) {
		offerForms = forms
		want := readOffer(c[0])
		offerForms = backwards
		if got := readOffer(c[0]); got != want {
			t.Errorf("%q reads as %+v and as %+v", c[0], want, got)
		}
	}
}

func TestDateTable(t *testing.T) {
	orders := map[string]dateOrder{"day": dayFirst, "month": monthFirst, "none": noOrder}
	for _, c := range reviewed(t, "date.tsv", 140) {
		order, ok := orders[c[1]]
		if !ok {
			t.Fatalf("order %q", c[1])
		}
		got := string(catalog.DateText)
		if d, ok := readDate(unwrap(c[0])); ok {
			w, code := d.wall(order, 0)
			if d.short && order == noOrder {
				code = catalog.DateAmbiguous
			}
			if got = w.String(); !d.timed {
				got = got[:len("2026-05-08")]
			}
			if code != "" {
				got = string(code)
			}
		}
		if got != c[2] {
			t.Errorf("%q (%s) = %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func TestPromotionHeaderTable(t *testing.T) {
	words := newHeadings(Spec{Kind: catalog.KindPromotions}).words
	for _, c := range reviewed(t, "promoheader.tsv", 100) {
		got := string(words[squeeze(c[0])])
		if got == "" {
			got = "none"
		}
		if got != c[1] {
			t.Errorf("%q is for %s, want %s", c[0], got, c[1])
		}
	}
}

// Every word must stand for one thing only, also beside those that both kinds share; and what the platform calls its own columns is
// always understood.
func TestPromotionWordsAreUnique(t *testing.T) {
	roles := map[string]Role{}
	for _, group := range headerWords {
		if group.role == RoleVendor || slices.Contains(promotionRoles, group.role) {
			for _, w := range group.words {
				roles[squeeze(w)] = group.role
			}
		}
	}
	for _, group := range promotionWords {
		for _, w := range group.words {
			s := squeeze(w)
			if other, ok := roles[s]; ok && other != group.role {
				t.Errorf("%q is a header for %s and for %s", w, other, group.role)
			}
			roles[s] = group.role
		}
	}
	for _, role := range Roles(catalog.KindPromotions) {
		if got := roles[squeeze(string(role))]; got != role && role != RoleOffer && role != RolePercent {
			t.Errorf("header %q is for %q", role, got)
		}
	}
}

func TestRoles(t *testing.T) {
	for kind, want := range map[catalog.Kind]Role{"": RoleActive, catalog.KindCatalog: RoleActive, catalog.KindPromotions: RoleStatus} {
		roles := Roles(kind)
		if roles[len(roles)-1] == RoleVendor || roles[0] != RoleSKU || !slices.Contains(roles, want) {
			t.Errorf("roles of %q: %v", kind, roles)
		}
		roles[0] = ""
		if Roles(kind)[0] == "" {
			t.Errorf("the roles of %q can be changed from outside", kind)
		}
	}
}

func TestShares(t *testing.T) {
	for _, c := range []struct {
		text string
		mark byte
		bare bool
		want string
	}{
		{"20", noMark, true, "20"},
		{"20%", noMark, true, "20"},
		{"20 %", noMark, false, "20"},
		{"-20", noMark, true, "20"},
		{"-20%", noMark, false, "20"},
		{"20% off", noMark, false, "20"},
		{"12,5", noMark, true, "12.5"},
		{"12.5%", noMark, false, "12.5"},
		{"12,500", noMark, true, "12.5"},
		{"33,3333%", noMark, false, "33.333"},
		{"0,5%", noMark, false, "0.5"},
		{"1", noMark, true, "1"},
		{"12.5", point, true, "12.5"},
		{"12,5", point, true, ""},
		{"20", noMark, false, ""},
		{"0,2", noMark, true, ""},
		{"0.2", noMark, true, ""},
		{"0", noMark, true, "zero"},
		{"0,00 %", noMark, false, "zero"},
		{"100", noMark, true, ""},
		{"100%", noMark, true, ""},
		{"99,9999%", noMark, true, ""},
		{"+20%", noMark, true, ""},
		{"(20%)", noMark, true, ""},
		{"$ 20", noMark, true, ""},
		{"20%%", noMark, true, ""},
		{"2.000,5", noMark, true, ""},
		{"1 2%", noMark, true, ""},
		{"3x2", noMark, true, ""},
		{"%", noMark, true, ""},
		{"-", noMark, true, ""},
	} {
		p, code, zero := readShare(c.text, c.mark, c.bare)
		got := p.String()
		switch {
		case zero:
			got = "zero"
		case code != "":
			got = ""
		}
		if got != c.want {
			t.Errorf("%q (bare %v) = %q, want %q", c.text, c.bare, got, c.want)
		}
	}
}
