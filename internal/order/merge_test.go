package order

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gondola/internal/platform"
)

var (
	noon  = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	usual = Rules{On: []platform.OrderState{platform.StateCancelled, platform.StateReady}, OnChange: true, Vendors: []string{"nbet"}}
)

// told makes a sighting out of few words: state, what the cart costs, minutes of the platform's clock; "-" for none.
func told(state, total string, minute int) Seen {
	s := Seen{By: ByWebhook, At: noon, Order: platform.Order{
		ID: "9D4A", Vendor: "NBET", State: platform.OrderState(state), Raw: []byte(`{}`),
		Items:   []platform.OrderItem{{SKU: "a", Pricing: platform.Pricing{Type: "UNIT", Quantity: "1", Total: platform.Number(total)}}},
		Payment: platform.Payment{Total: platform.Number(total)},
	}}
	if minute >= 0 {
		s.Order.Updated = noon.Add(time.Duration(minute) * time.Minute)
	}
	return s
}

// follow merges sightings one after the other, and returns the order and all that came to be due, in words.
func follow(rules Rules, all ...Seen) (Stored, []string) {
	var o Stored
	var dues []string
	for _, s := range all {
		var c Change
		o, c = Merge(o, s, rules)
		for _, d := range c.Due {
			dues = append(dues, words(d))
		}
	}
	return o, dues
}

func words(d Due) string {
	text := fmt.Sprintf("%s/%d seen %s", d.Asked, d.Revision, d.Seen)
	if d.Skipped {
		text += " skipped"
	}
	return text
}

// begin says that everything that is owed went into a file.
func begin(o Stored) Stored {
	o.Owed = maps.Clone(o.Owed)
	for asked, d := range o.Owed {
		d.Begun = true
		o.Owed[asked] = d
	}
	return o
}

func TestMerge(t *testing.T) {
	for _, tc := range []struct {
		name  string
		seen  []Seen
		state string // of Head: state, reached, strange, contradiction
		due   string
	}{
		{"ready", []Seen{told("READY_FOR_PICKUP", "5", 1)}, "READY_FOR_PICKUP READY_FOR_PICKUP", "READY_FOR_PICKUP/1 seen READY_FOR_PICKUP"},
		{"not yet", []Seen{told("RECEIVED", "5", 1)}, "RECEIVED RECEIVED", ""},
		{"in lower case", []Seen{told(" picked_up", "5", 1)}, "PICKED_UP PICKED_UP", "READY_FOR_PICKUP/1 seen PICKED_UP skipped"},
		{
			"jumped over",
			[]Seen{told("RECEIVED", "5", 1), told("PICKED_UP", "5", 3), told("READY_FOR_PICKUP", "5", 2)},
			"PICKED_UP PICKED_UP", "READY_FOR_PICKUP/1 seen PICKED_UP skipped",
		},
		{"back again", []Seen{told("PICKED_UP", "5", 2), told("RECEIVED", "5", 9)}, "PICKED_UP PICKED_UP", "READY_FOR_PICKUP/1 seen PICKED_UP skipped"},
		{"cancelled at once", []Seen{told("CANCELLED", "5", 1)}, "CANCELLED ", "CANCELLED/1 seen CANCELLED"},
		{
			"cancelled when ready",
			[]Seen{told("READY_FOR_PICKUP", "5", 1), told("CANCELLED", "5", 2)},
			"CANCELLED READY_FOR_PICKUP", "READY_FOR_PICKUP/1 seen READY_FOR_PICKUP, CANCELLED/1 seen CANCELLED",
		},
		{
			"cancelled, and ready comes late",
			[]Seen{told("CANCELLED", "5", 2), told("READY_FOR_PICKUP", "5", 1)},
			"CANCELLED READY_FOR_PICKUP", "CANCELLED/1 seen CANCELLED, READY_FOR_PICKUP/1 seen CANCELLED skipped",
		},
		{
			"cancelled after it was picked up",
			[]Seen{told("PICKED_UP", "5", 1), told("CANCELLED", "5", 2)},
			"CANCELLED PICKED_UP", "READY_FOR_PICKUP/1 seen PICKED_UP skipped, CANCELLED/1 seen CANCELLED",
		},
		{
			"delivered after it was cancelled",
			[]Seen{told("READY_FOR_PICKUP", "5", 1), told("CANCELLED", "5", 2), told("DELIVERED", "5", 3)},
			"CANCELLED DELIVERED !", "READY_FOR_PICKUP/1 seen READY_FOR_PICKUP, CANCELLED/1 seen CANCELLED",
		},
		{"nobody knows which came first", []Seen{told("DELIVERED", "5", -1), told("CANCELLED", "5", 3)}, "CANCELLED DELIVERED !", "READY_FOR_PICKUP/1 seen DELIVERED skipped, CANCELLED/1 seen CANCELLED"},
		{"unknown", []Seen{told("AT_THE_MOON", "5", 1)}, "  AT_THE_MOON", ""},
		{
			"unknown on the way",
			[]Seen{told("READY_FOR_PICKUP", "5", 1), told("AT_THE_MOON", "5", 2), told("PICKED_UP", "5", 3)},
			"PICKED_UP PICKED_UP AT_THE_MOON", "READY_FOR_PICKUP/1 seen READY_FOR_PICKUP",
		},
		{
			"another cart before it is in a file",
			[]Seen{told("READY_FOR_PICKUP", "5", 1), told("READY_FOR_PICKUP", "6", 2)},
			"READY_FOR_PICKUP READY_FOR_PICKUP", "READY_FOR_PICKUP/1 seen READY_FOR_PICKUP, READY_FOR_PICKUP/1 seen READY_FOR_PICKUP",
		},
		{
			"an older cart comes late",
			[]Seen{told("READY_FOR_PICKUP", "6", 2), told("READY_FOR_PICKUP", "5", 1)},
			"READY_FOR_PICKUP READY_FOR_PICKUP", "READY_FOR_PICKUP/1 seen READY_FOR_PICKUP",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, dues := follow(usual, tc.seen...)
			state := fmt.Sprintf("%s %s %s", o.State, o.Reached, o.Strange)
			if o.Strange == "" {
				state = fmt.Sprintf("%s %s", o.State, o.Reached)
			}
			if o.Contradiction {
				state += " !"
			}
			if state != tc.state {
				t.Errorf("state %q, want %q", state, tc.state)
			}
			if got := strings.Join(dues, ", "); got != tc.due {
				t.Errorf("due %q\nwant %q", got, tc.due)
			}
			if o.Vendor != "nbet" || o.ID != "9D4A" {
				t.Errorf("order %q of %q", o.ID, o.Vendor)
			}
		})
	}
}

// TestRevision hands another cart over once more, after the first one went into a file and as long as the order is in the same state.
func TestRevision(t *testing.T) {
	ready := func(total string, minute int) Seen { return told("READY_FOR_PICKUP", total, minute) }
	short := ready("5", 2)
	short.Order.Items = nil
	for _, tc := range []struct {
		name   string
		before []Seen
		then   Seen
		rules  Rules
		due    string
	}{
		{"another cart", []Seen{ready("5", 1)}, ready("6", 2), usual, "READY_FOR_PICKUP/2 seen READY_FOR_PICKUP"},
		{"another time", []Seen{ready("5", 1)}, ready("5", 2), usual, ""},
		{"the one before again", []Seen{ready("5", 1), ready("6", 2)}, ready("5", 3), usual, "READY_FOR_PICKUP/2 seen READY_FOR_PICKUP"},
		{"an older one", []Seen{ready("6", 2)}, ready("5", 1), usual, ""},
		{"no times", []Seen{ready("5", -1)}, ready("6", -1), usual, "READY_FOR_PICKUP/2 seen READY_FOR_PICKUP"},
		{"no times, told again", []Seen{ready("5", -1), ready("6", -1)}, ready("5", -1), usual, ""},
		{"not wanted", []Seen{ready("5", 1)}, ready("6", 2), Rules{On: usual.On, Vendors: usual.Vendors}, ""},
		{"moved on", []Seen{ready("5", 1), told("PICKED_UP", "5", 3)}, ready("6", 2), usual, ""},
		{"in a state that nobody asked for", []Seen{ready("5", 1)}, told("PICKED_UP", "6", 2), usual, ""},
		{"where it was jumped over", []Seen{told("PICKED_UP", "5", 1)}, told("PICKED_UP", "6", 2), usual, "READY_FOR_PICKUP/2 seen PICKED_UP skipped"},
		{"without articles", []Seen{ready("5", 1)}, short, usual, ""},
		{"of another store", []Seen{ready("5", 1)}, ready("6", 2), Rules{On: usual.On, OnChange: true, Vendors: []string{"other"}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, _ := follow(tc.rules, tc.before...)
			_, c := Merge(begin(o), tc.then, tc.rules)
			var dues []string
			for _, d := range c.Due {
				dues = append(dues, words(d))
			}
			if got := strings.Join(dues, ", "); got != tc.due {
				t.Errorf("due %q, want %q", got, tc.due)
			}
		})
	}
}

// TestOrderWithoutStore is handed over once somebody says which store it is of.
func TestOrderWithoutStore(t *testing.T) {
	nobody := told("READY_FOR_PICKUP", "5", 1)
	nobody.Order.Vendor = ""
	o, dues := follow(usual, nobody, told("READY_FOR_PICKUP", "5", 1))
	if got := strings.Join(dues, ", "); got != "READY_FOR_PICKUP/1 seen READY_FOR_PICKUP" || o.Vendor != "nbet" {
		t.Errorf("due %q of %q", got, o.Vendor)
	}
}

// TestOrderUnderAnotherName has the platform call the store by a name that the config does not know, but where we asked for the store:
// whatever is seen first, the order is the store's, and handed over once. A store that came into the config later is another matter.
func TestOrderUnderAnotherName(t *testing.T) {
	named := func(s Seen, vendor string) Seen { s.Order.Vendor = vendor; return s }
	received, ready := told("RECEIVED", "5", 1), told("READY_FOR_PICKUP", "5", 2)
	for name, all := range map[string][]Seen{
		"event first": {named(ready, "platform-7"), ready},
		"event later": {received, named(ready, "platform-7")},
		"both ways":   {named(received, "platform-7"), received, named(ready, "platform-7"), ready},
	} {
		o, dues := follow(usual, all...)
		if got := strings.Join(dues, ", "); got != "READY_FOR_PICKUP/1 seen READY_FOR_PICKUP" || o.Vendor != "nbet" {
			t.Errorf("%s: due %q of %q", name, got, o.Vendor)
		}
	}
	before, _ := follow(Rules{On: usual.On}, ready)
	if after, c := Merge(before, ready, usual); len(c.Due) > 0 || after.Vendor != "nbet" {
		t.Errorf("a new store: due %+v of %q", c.Due, after.Vendor)
	}
	partner := ready
	partner.Order.Vendor, partner.Order.Partner = "platform-7", "nbet"
	before, _ = follow(Rules{On: usual.On}, partner)
	if after, c := Merge(before, partner, usual); len(c.Due) > 0 || after.Vendor != "nbet" {
		t.Errorf("a new store by the partner's name: due %+v of %q", c.Due, after.Vendor)
	}
}

// TestPurgedStaysPurged keeps no body of an order whose personal data were removed, unless the order goes on.
func TestPurgedStaysPurged(t *testing.T) {
	o, _ := follow(usual, told("READY_FOR_PICKUP", "5", 1))
	o.Purged = noon
	o.Bodies = map[platform.OrderState]Cart{platform.StateReady: {State: platform.StateReady, Updated: o.Cart.Updated, Digest: o.Cart.Digest, Gone: true}}
	if _, c := Merge(o, told("READY_FOR_PICKUP", "5", 1), usual); c.Any() {
		t.Errorf("told again: %+v", c)
	}
	late, c := Merge(o, told("PICKED_UP", "5", 2), usual)
	if !c.Body || !late.Purged.IsZero() {
		t.Errorf("gone on: %+v, purged %v", c, late.Purged)
	}
	o.Purged = time.Time{} // a body that is missing for another reason is taken again
	back, c := Merge(o, told("READY_FOR_PICKUP", "5", 1), usual)
	if !c.Body || back.Bodies[platform.StateReady].Gone || len(c.Due) > 0 {
		t.Errorf("missing: %+v, %+v", c, back.Bodies)
	}
}

// TestMergeOrderDoesNotMatter is the promise: whatever was seen, in whatever order and how often, comes to the same.
func TestMergeOrderDoesNotMatter(t *testing.T) {
	states := append(States(), "AT_THE_MOON", "UNDER_THE_SEA")
	rapid.Check(t, func(t *rapid.T) {
		rules := usual
		rules.On = rapid.SliceOfNDistinct(rapid.SampledFrom(States()), 1, 4, rapid.ID).Draw(t, "asked")
		var set []Seen
		for i := range rapid.IntRange(1, 8).Draw(t, "sightings") {
			s := told(string(rapid.SampledFrom(states).Draw(t, "state")), rapid.SampledFrom([]string{"5", "6"}).Draw(t, "total"), i)
			s.By = rapid.SampledFrom([]Source{ByWebhook, ByPoll}).Draw(t, "source")
			set = append(set, s)
		}
		// An event and an answer may tell of the same body.
		for _, s := range rapid.SliceOf(rapid.SampledFrom(set)).Draw(t, "again") {
			if s.By == ByWebhook {
				s.By = ByPoll
			}
			set = append(set, s)
		}
		one, other := set, append(rapid.Permutation(set).Draw(t, "order"), rapid.SliceOf(rapid.SampledFrom(set)).Draw(t, "doubles")...)
		a, dues := follow(rules, one...)
		b, others := follow(rules, other...)
		if diff := cmp.Diff(a.Head, b.Head); diff != "" {
			t.Errorf("order:\n%s", diff)
		}
		if diff := cmp.Diff(a.Bodies, b.Bodies); diff != "" {
			t.Errorf("bodies:\n%s", diff)
		}
		if diff := cmp.Diff(handOvers(dues), handOvers(others)); diff != "" {
			t.Errorf("hand-overs:\n%s", diff)
		}
		if o, c := Merge(b, set[0], rules); c.Any() || !cmp.Equal(o, b) {
			t.Errorf("told again: %+v", c)
		}
	})
}

// handOvers returns which hand-overs there are, each once.
func handOvers(dues []string) []string {
	var all []string
	for _, d := range dues {
		name, _, _ := strings.Cut(d, " ")
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestEachHandOverOnce lets everything that is due go into a file at any moment: no hand-over comes twice, none that must come is missing,
// and the last one of a state tells of the newest cart in it.
func TestEachHandOverOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := usual
		rules.On = rapid.SliceOfNDistinct(rapid.SampledFrom(States()), 1, 4, rapid.ID).Draw(t, "asked")
		var o Stored
		made := map[string]bool{}
		reached, cancelled := 0, false
		for i := range rapid.IntRange(1, 12).Draw(t, "sightings") {
			s := told(string(rapid.SampledFrom(States()).Draw(t, "state")), rapid.SampledFrom([]string{"5", "6"}).Draw(t, "total"), i)
			if rapid.Bool().Draw(t, "late") {
				s.Order.Updated = noon.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "minute")) * time.Minute)
			}
			reached, cancelled = max(reached, rank(s.Order.State)), cancelled || s.Order.State == platform.StateCancelled
			o, _ = Merge(o, s, rules)
			if !rapid.Bool().Draw(t, "into a file") {
				continue
			}
			for _, d := range o.Owed {
				name := fmt.Sprintf("%s/%d", d.Asked, d.Revision)
				if !d.Begun && made[name] {
					t.Errorf("%s twice", name)
				}
				made[name] = true
			}
			o = begin(o)
		}
		for _, asked := range rules.On {
			_, owed := o.Owed[asked]
			want := cancelled
			if asked != platform.StateCancelled {
				want = rank(asked) <= reached
			}
			if owed != want {
				t.Errorf("%s owed: %t, want %t", asked, owed, want)
			}
		}
	})
}

// TestDigest knows another cart from the same one told otherwise.
func TestDigest(t *testing.T) {
	cart := func(change func(*platform.Order)) string {
		o := platform.Order{
			Items: []platform.OrderItem{
				{ID: "1", SKU: "a", Name: "Yerba", State: "IN_CART", Pricing: platform.Pricing{Quantity: "1", Total: "5"}},
				{ID: "2", SKU: "b", State: "NOT_PROCESSED", Pricing: platform.Pricing{Quantity: "2", Total: "7"}},
			},
			Payment: platform.Payment{Total: "12", Type: "PAID"},
		}
		change(&o)
		return Digest(o)
	}
	same := cart(func(*platform.Order) {})
	for name, change := range map[string]func(*platform.Order){
		"lines":    func(o *platform.Order) { slices.Reverse(o.Items) },
		"names":    func(o *platform.Order) { o.Items[0].Name, o.Items[0].ID = "Yerba mate", "9" },
		"progress": func(o *platform.Order) { o.Items[1].State = "IN_CART" },
		"state":    func(o *platform.Order) { o.State, o.Updated, o.Comment = "PICKED_UP", noon, "ring twice" },
		"address":  func(o *platform.Order) { o.Customer.Street = "elsewhere" },
	} {
		if cart(change) != same {
			t.Errorf("%s: another cart", name)
		}
	}
	for name, change := range map[string]func(*platform.Order){
		"quantity":  func(o *platform.Order) { o.Items[0].Pricing.Quantity = "2" },
		"price":     func(o *platform.Order) { o.Items[0].Pricing.UnitPrice = "5.01" },
		"not found": func(o *platform.Order) { o.Items[0].State = "NOT_FOUND" },
		"one less":  func(o *platform.Order) { o.Items = o.Items[:1] },
		"payment":   func(o *platform.Order) { o.Payment.Discount = "-1" },
	} {
		if cart(change) == same {
			t.Errorf("%s: the same cart", name)
		}
	}
}
