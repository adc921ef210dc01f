package feed

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"gondola/internal/catalog"
)

// dateOrder is which of day and month stands first in a date of numbers that ends in its year.
type dateOrder byte

const (
	noOrder dateOrder = iota // nothing proves one
	dayFirst
	monthFirst
)

// configuredOrder returns the order that the config names, and whether it names one.
func configuredOrder(date string) (dateOrder, bool) {
	switch date {
	case DateDayFirst:
		return dayFirst, true
	case DateMonthFirst:
		return monthFirst, true
	}
	return noOrder, false
}

// name returns the order as HeaderColumn spells it.
func (o dateOrder) name() string {
	switch o {
	case dayFirst:
		return DateDayFirst
	case monthFirst:
		return DateMonthFirst
	}
	return ""
}

// The years that are believed. Others are slips, or dates that a program writes for "never".
const (
	firstYear = 2000
	lastYear  = 2099
)

// dateReading is a date as a cell writes it. The zero value is none.
type dateReading struct {
	year          int // firstYear to lastYear
	first, second int // the numbers for day and month; in this order where sure
	sure          bool
	short         bool // three pairs of digits, the first of which may be the year: 26-05-08
	weekday       int  // 1 is Sunday; 0 where the cell names none
	timed         bool
	clock         int // seconds of the day, where timed
}

// in returns the date read in an order, and whether there is such a day.
func (d dateReading) in(o dateOrder) (day, month int, ok bool) {
	day, month = d.first, d.second
	if o == monthFirst && !d.sure {
		day, month = month, day
	}
	// time.Date makes the 3rd of March of the 31st of February, so a day that is not there comes back as another one.
	t := time.Date(d.year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	ok = month >= 1 && month <= 12 && day >= 1 && t.Day() == day && int(t.Month()) == month
	return day, month, ok && (d.weekday == 0 || int(t.Weekday())+1 == d.weekday)
}

// only returns the order in which alone the date can be read; noOrder where both do, or neither, or none is needed.
func (d dateReading) only() dateOrder {
	_, _, byDay := d.in(dayFirst)
	_, _, byMonth := d.in(monthFirst)
	switch {
	case d.sure || byDay == byMonth:
		return noOrder
	case byDay:
		return dayFirst
	}
	return monthFirst
}

// open reports whether the date is another one in the other order.
func (d dateReading) open() bool {
	_, _, byDay := d.in(dayFirst)
	_, _, byMonth := d.in(monthFirst)
	return !d.sure && byDay && byMonth && d.first != d.second
}

// wall returns the moment of the date read in an order; at is the second of the day where the cell tells none. The code says what is
// wrong with it.
func (d dateReading) wall(o dateOrder, at int) (catalog.Wall, catalog.Code) {
	if o == noOrder {
		if d.open() {
			return 0, catalog.DateAmbiguous
		}
		if o = d.only(); o == noOrder {
			o = dayFirst // the same either way
		}
	}
	day, month, ok := d.in(o)
	if !ok {
		return 0, catalog.DateText
	}
	if d.timed {
		at = d.clock
	}
	return catalog.WallAt(d.year, month, day, 0, 0, at), ""
}

// readDate takes a date apart, with or without a time of day; false when it is none, whatever the order. A number alone is none, be
// it the serial that a spreadsheet keeps instead of a date; but for 20260508, which can't mean another day.
func readDate(text string) (dateReading, bool) {
	tokens := dateTokens(plain(text))
	tokens, clock, timed, ok := cutClock(tokens)
	if !ok {
		return dateReading{}, false
	}
	d := dateReading{timed: timed, clock: clock}
	if len(tokens) > 0 && weekdays[tokens[0]] != 0 {
		d.weekday, tokens = weekdays[tokens[0]], tokens[1:]
		for len(tokens) > 0 && slices.Contains(behindWeekday, tokens[0]) {
			tokens = tokens[1:]
		}
	}
	if !d.numeric(tokens) && !d.named(tokens) {
		return dateReading{}, false
	}
	_, _, byDay := d.in(dayFirst)
	_, _, byMonth := d.in(monthFirst)
	if d.year < firstYear || d.year > lastYear || !byDay && !byMonth {
		return dateReading{}, false
	}
	return d, true
}

// numeric reads a date that has no word in it.
func (d *dateReading) numeric(tokens []string) bool {
	if len(tokens) == 1 && len(tokens[0]) == 8 && isNumber(tokens[0]) {
		d.year, d.second, d.first, d.sure = atoi(tokens[0][:4]), atoi(tokens[0][4:6]), atoi(tokens[0][6:]), true
		return true
	}
	if len(tokens) != 5 || tokens[1] != tokens[3] || !strings.Contains("/-.", tokens[1]) {
		return false
	}
	a, b, c := tokens[0], tokens[2], tokens[4]
	switch {
	case !isNumber(a) || !isNumber(b) || !isNumber(c) || len(b) > 2:
		return false
	case len(a) == 4 && len(c) <= 2: // nobody writes the day second behind a year
		d.year, d.second, d.first, d.sure = atoi(a), atoi(b), atoi(c), true
	case len(a) <= 2 && (len(c) == 4 || len(c) == 2):
		d.year, d.first, d.second = yearOf(c), atoi(a), atoi(b)
		d.short = len(a)+len(b)+len(c) == 6 && tokens[1] == "-" && a != c && d.first >= 20 && d.first < 40 && atoi(c) <= 31
	default:
		return false
	}
	return true
}

// named reads a date that has its month in letters.
func (d *dateReading) named(tokens []string) bool {
	var parts []string
	for i, t := range tokens {
		switch {
		case strings.Contains("/-.,", t), t == "de", t == "del", t == "do", t == "of", t == "the":
			if i == 0 && t != "the" || i == len(tokens)-1 && t != "." {
				return false
			}
		case i > 0 && isNumber(tokens[i-1]) && slices.Contains(ordinalEnds, t): // 1º, 1ro, 5th
		default:
			parts = append(parts, t)
		}
	}
	if len(parts) != 3 {
		return false
	}
	var day, month, year string
	switch a, b, c := parts[0], parts[1], parts[2]; {
	case months[b] != 0 && len(a) == 4: // 2026-may-08
		year, month, day = a, b, c
	case months[b] != 0:
		day, month, year = a, b, c
	case months[a] != 0:
		month, day, year = a, b, c
	default:
		return false
	}
	if !isNumber(day) || !isNumber(year) || len(day) > 2 || len(year) != 4 && len(year) != 2 {
		return false
	}
	d.year, d.first, d.second, d.sure = yearOf(year), atoi(day), months[month], true
	return true
}

// cutClock cuts the time of day off the end of a date. ok is false where there is one that no clock shows.
func cutClock(tokens []string) (date []string, clock int, timed, ok bool) {
	at := -1
	for i, t := range tokens {
		if i > 0 && isNumber(tokens[i-1]) && (t == ":" || slices.Contains(hourWords, t)) {
			at = i - 1
			break
		}
	}
	if at < 0 {
		return tokens, 0, false, true
	}
	date, rest := tokens[:at], tokens[at:]
	for len(date) > 0 && slices.Contains(beforeClock, date[len(date)-1]) {
		date = date[:len(date)-1]
	}
	// Hour, minute and second, with colons between, or an h behind the hour.
	var parts [3]int
	n := 0
	for n < len(parts) && len(rest) > 0 && isNumber(rest[0]) && (len(rest[0]) == 2 || n == 0 && len(rest[0]) == 1) {
		parts[n], rest = atoi(rest[0]), rest[1:]
		n++
		if len(rest) < 2 || !isNumber(rest[1]) || rest[0] != ":" && (n > 1 || rest[0] != "h") {
			break
		}
		rest = rest[1:]
	}
	// Databases write fractions of a second; what was meant is the second that they lie in.
	if n == 3 && len(rest) > 1 && (rest[0] == "." || rest[0] == ",") && isNumber(rest[1]) {
		rest = rest[2:]
	}
	half, words := halfOfDay(rest)
	switch {
	case n == 0 || !words || parts[0] > 23 || parts[1] > 59 || parts[2] > 59, half >= 0 && (parts[0] < 1 || parts[0] > 12):
		return nil, 0, false, false
	case half >= 0:
		parts[0] = parts[0]%12 + half
	}
	return date, (parts[0]*60+parts[1])*60 + parts[2], true, true
}

// halfOfDay reads what follows the digits of a time: 0 and 12 for the halves of the day, -1 where it names none; ok is false for
// anything else, a zone for instance: a promotion begins in the local time of each store.
func halfOfDay(tokens []string) (half int, ok bool) {
	switch strings.ReplaceAll(strings.Join(tokens, ""), ".", "") {
	case "":
		return -1, true
	case "am":
		return 0, true
	case "pm":
		return 12, true
	}
	return -1, len(tokens) <= 2 && slices.Contains(hourWords, tokens[0]) && (len(tokens) == 1 || tokens[1] == ".")
}

// dateTokens cuts text into numbers, words and single signs; spaces only separate.
func dateTokens(s string) []string {
	var tokens []string
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		end := i + size
		if isDigit(s[i]) {
			for end < len(s) && isDigit(s[end]) {
				end++
			}
		} else if unicode.IsLetter(r) {
			for end < len(s) {
				r, size := utf8.DecodeRuneInString(s[end:])
				if !unicode.IsLetter(r) {
					break
				}
				end += size
			}
		}
		if r != ' ' {
			tokens = append(tokens, s[i:end])
		}
		i = end
	}
	return tokens
}

// plain returns text as offers and dates are compared: lower case, without accents, one space for every run of blanks, one kind of
// hyphen, multiplication sign and raised letter. Unlike fold it keeps all signs: in -20% they say something.
func plain(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(s) {
		switch {
		case isBlank(r):
			gap = b.Len() > 0
			continue
		case unicode.Is(unicode.Mn, r):
			continue
		case r == '\u00aa':
			r = 'a'
		case r == '\u00ba', r == '\u00b0': // people take the degree for the raised o
			r = 'o'
		case r == '\u2010', r == '\u2011', r == '\u2012', r == '\u2013', r == '\u2014', r == '\u2212':
			r = '-'
		case r == '\u00d7':
			r = 'x'
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// yearOf reads a year of two or four digits. Two are of this century: no promotion is of another one.
func yearOf(s string) int {
	if len(s) == 2 {
		return firstYear + atoi(s)
	}
	return atoi(s)
}

// atoi reads digits that isNumber has seen, few enough to fit.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// The words of dates, in Spanish, Portuguese and English, plain.
var (
	months = numbered(1,
		"enero ene janeiro jan january", "febrero feb fevereiro fev february", "marzo mar marco march", "abril abr april apr",
		"mayo may maio mai", "junio jun junho june", "julio jul julho july", "agosto ago august aug",
		"septiembre setiembre sept sep set setembro september", "octubre oct outubro out october", "noviembre nov novembro november",
		"diciembre dic dezembro dez december dec",
	)
	weekdays = numbered(1,
		"domingo dom sunday sun", "lunes lun segunda seg monday mon", "martes mar terca ter tuesday tue tues",
		"miercoles mie mier quarta qua wednesday wed", "jueves jue quinta qui thursday thu thur thurs",
		"viernes vie sexta sex friday fri", "sabado sab saturday sat",
	)
	behindWeekday = []string{",", ".", "-", "feira"}
	ordinalEnds   = []string{"o", "a", "ro", "ero", "er", "do", "st", "nd", "rd", "th"}
	hourWords     = []string{"h", "hs", "hr", "hrs", "hora", "horas"}
	beforeClock   = []string{",", "t", "-", "a", "las", "la", "as", "at", "es"}
)

// numbered gives each list of words its number, counted from first.
func numbered(first int, lists ...string) map[string]int {
	m := map[string]int{}
	for i, list := range lists {
		for _, word := range strings.Fields(list) {
			m[word] = first + i
		}
	}
	return m
}
