package report

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gondola/internal/catalog"
)

// instead is what the names of phrases begin with that stand in for others where a file of promotions is spoken of.
const instead = "promotions."

// promotions returns the sentences about a store's promotions: which start, end and change, and what that waits for.
func (r *receipt) promotions(s StoreAnswer) []string {
	w, c := r.words, s.Changes
	var lines []string
	if parts := r.counts([]count{{"change.start", c.Started}, {"change.end", c.Ended}, {"change.change", c.Changed}}); len(parts) > 0 {
		lines = append(lines, w.say("store.promotions", joined(parts)))
	}
	switch {
	case s.Superseded || s.Unchanged:
	case s.Waiting > 0:
		lines = append(lines, w.say("store.after", s.Waiting))
	case c.Changed > 0:
		// The platform takes no change of a running promotion, only its end [doc]: so there is a time without it, which must not
		// come as a surprise.
		lines = append(lines, w.say("store.again", c.Changed))
	}
	if s.Withheld > 0 && !s.Superseded {
		lines = append(lines, w.say("store.withheld", s.Withheld))
	}
	return lines
}

// Offer returns what an offer means to a customer. The arguments from the n-th on are those of [catalog.PromoRead]: the text, the
// type, the benefit, the details and the value, a share or an amount.
func (p phrase) Offer(n int) string {
	text, kind, benefit, details, value := p.raw(n), p.raw(n+1), p.raw(n+2), p.raw(n+3), p.raw(n+4)
	switch catalog.PromotionType(kind) {
	case catalog.Strikethrough:
		if value == "" {
			break
		}
		// A price in words needs no explanation, so what comes here is a share; unless somebody wrote a currency.
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Sc, r) }) && !strings.Contains(text+value, "%") {
			return p.w.say("offer.price", value)
		}
		return p.w.say("offer.share", value)
	case catalog.SameItemBundle:
		buy, get, err := catalog.ParseDetails(details)
		if err != nil {
			break
		}
		key, of := "", strconv.Itoa(buy+get)
		switch b := catalog.Benefit(benefit); {
		case b == catalog.FreeItem:
			return p.w.say("offer.free", of, buy)
		case b == catalog.PercentOff && value != "":
			key = "offer.percent"
		case b == catalog.AmountOff && value != "":
			key = "offer.amount"
		default:
			return p.List(n + 1)
		}
		if get > 1 {
			key += "-many"
		}
		return p.w.say(key, of, get, value)
	}
	return p.List(n + 1)
}

// raw returns the n-th argument, "" where there is none.
func (p phrase) raw(n int) string {
	if n >= len(p.args) {
		return ""
	}
	return strings.TrimSpace(p.args[n])
}

// Accepted returns the values that the platform knows for the column that the n-th argument names, "" where it takes any.
func (p phrase) Accepted(n int) string {
	switch p.Arg(n) {
	case "promotion_type":
		return string(catalog.Strikethrough + ", " + catalog.SameItemBundle)
	case "promotion_sub_type":
		return string(catalog.FreeItem + ", " + catalog.PercentOff + ", " + catalog.AmountOff)
	case "bundle_details":
		return catalog.Promotion{Type: catalog.SameItemBundle, Buy: 2, Get: 1}.Details() + ", " +
			catalog.Promotion{Type: catalog.SameItemBundle, Buy: 1, Get: 1}.Details()
	default:
		return ""
	}
}

// From returns the n-th argument, a [catalog.Wall] at which a promotion starts, as people write it: a day that begins with its first
// second is told without time. Other text stays as it is.
func (p phrase) From(n int) string { return p.wall(n, "00:00:00") }

// Until is From for the end of a promotion: a day that counts to its last second is told without time.
func (p phrase) Until(n int) string { return p.wall(n, "23:59:59") }

func (p phrase) wall(n int, whole string) string {
	at, err := catalog.ParseWall(p.Arg(n))
	if err != nil {
		return p.Arg(n)
	}
	// A wall clock has no zone, so this one is not put into the reader's.
	t := time.Unix(int64(at), 0).UTC()
	if strings.HasSuffix(at.String(), " "+whole) {
		return t.Format(p.w.say("time.day"))
	}
	// Seconds that say something are told: an end at 0:00:30 would else look like one at 0:00.
	return t.Format(p.w.say("time.day")) + " " + strings.TrimSuffix(t.Format(time.TimeOnly), ":00")
}

// twoWays is a date of which two small numbers may each be the day or the month.
var twoWays = regexp.MustCompile(`^\s*(\d{1,2})\s*[/.-]\s*(\d{1,2})(\D|$)`)

// Either returns the two days that the n-th argument, a date, may mean.
func (p phrase) Either(n int) string {
	months := strings.Fields(p.w.say("time.months"))
	m := twoWays.FindStringSubmatch(p.Arg(n))
	if m == nil || len(months) != 12 {
		return p.w.say("date.orders")
	}
	a, _ := strconv.Atoi(m[1])
	b, _ := strconv.Atoi(m[2])
	if min(a, b) < 1 || max(a, b) > 12 || a == b {
		return p.w.say("date.orders")
	}
	return p.w.say("date.either", a, months[b-1], b, months[a-1])
}
