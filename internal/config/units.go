package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// day is the d of a Duration: always 24 hours, because retention and waiting times don't follow the clock on the wall.
const day = 24 * time.Hour

var (
	errDuration = errors.New("want a duration such as 30s, 15m, 2h30m or 90d")
	errSize     = errors.New("want a size such as 500MB, 2GB or 64KiB")
	errPercent  = errors.New("want a percentage from 0% to 100%, such as 20%")
	errLimit    = errors.New("want a percentage up to 1000%, such as 40%, or off")
	errRate     = errors.New("want a percentage above -100% and up to 1000%, with at most three decimals, such as 8% or -5.5%")
	errVAT      = errors.New("want a percentage with its sign and below 100%: +22% puts it on the price, -22% takes it out")
	errAmount   = errors.New("want an amount with a point, such as 99 or 0.10, or off")
	errEnding   = errors.New("want the last digits of a price, such as .90, 9 or 990, or off")
)

// ParseDuration reads what a [Duration] looks like in the file: a Go duration, in front of which days may stand (90d, 1d12h).
// Signs are refused: no setting runs backwards.
func ParseDuration(text string) (Duration, error) {
	if text == "" || strings.ContainsAny(text, "+- ") {
		return 0, errDuration
	}
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "0", text
	}
	n, err := strconv.ParseUint(days, 10, 32)
	if err != nil || n > uint64(math.MaxInt64/day) {
		return 0, errDuration
	}
	total := time.Duration(n) * day
	if rest != "" {
		clock, err := time.ParseDuration(rest)
		if err != nil || clock > math.MaxInt64-total {
			return 0, errDuration
		}
		total += clock
	}
	return Duration(total), nil
}

// String returns the duration as it would be written in the file, days first: 90d, 1d12h, 500ms.
func (d Duration) String() string {
	days, clock := time.Duration(d)/day, time.Duration(d)%day
	text := ""
	if days != 0 {
		text = strconv.FormatInt(int64(days), 10) + "d"
		if clock == 0 {
			return text
		}
	}
	short := clock.String()
	if strings.HasSuffix(short, "m0s") {
		short = strings.TrimSuffix(short, "0s")
	}
	if strings.HasSuffix(short, "h0m") {
		short = strings.TrimSuffix(short, "0m")
	}
	return text + short
}

// sizeUnits are decimal as on a disk's label, and binary with an i.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40},
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"TB", 1e12},
	{"GB", 1e9},
	{"MB", 1e6},
	{"kB", 1e3},
	{"B", 1},
}

// ParseSize reads what a [Size] looks like in the file: a whole number and its unit, decimal (500MB) or binary (64KiB). Case and a
// space between the two don't matter.
func ParseSize(text string) (Size, error) {
	for _, unit := range sizeUnits {
		cut := len(text) - len(unit.name)
		if cut <= 0 || !strings.EqualFold(text[cut:], unit.name) {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(text[:cut]), 10, 63)
		if err != nil || n > uint64(math.MaxInt64/unit.bytes) {
			return 0, errSize
		}
		return Size(int64(n) * unit.bytes), nil
	}
	return 0, errSize
}

// String returns the size in the largest unit that divides it.
func (s Size) String() string {
	best := ""
	for _, unit := range sizeUnits {
		if int64(s)%unit.bytes != 0 {
			continue
		}
		if text := strconv.FormatInt(int64(s)/unit.bytes, 10) + unit.name; best == "" || len(text) < len(best) {
			best = text
		}
	}
	return best
}

// ParsePercent reads what a [Percent] looks like in the file: 20% or 12.5%. A number without the sign is refused, because 0.2 and
// 20 may both mean a fifth, and 1 may mean all or nearly nothing.
func ParsePercent(text string) (Percent, error) {
	number, found := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch {
	case err != nil || math.IsNaN(n) || n < 0 || n > 100:
		return 0, errPercent
	case !found && n == 1:
		return 0, errors.New("want a percentage; write 1% or 100%")
	case !found && n < 1:
		return 0, errors.New("want a percentage; write " + Percent(n).String())
	case !found:
		return 0, errors.New("want a percentage; write " + Percent(n/100).String())
	}
	return Percent(n / 100), nil
}

// percentDigits are enough for any share a person writes, and few enough to hide that 7% has no exact binary form.
const percentDigits = 6

// String returns the share as it would be written in the file.
func (p Percent) String() string {
	return strconv.FormatFloat(float64(p)*100, 'g', percentDigits, 64) + "%"
}

// ParseLimit reads what a [Limit] looks like in the file: 40%, 150% or off.
func ParseLimit(text string) (Limit, error) {
	if text == scheduleOff {
		return Limit(math.Inf(1)), nil
	}
	number, found := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || err != nil || math.IsNaN(n) || n < 0 || n > 1000 {
		return 0, errLimit
	}
	return Limit(n / 100), nil
}

// String returns the limit as it would be written in the file.
func (l Limit) String() string {
	if math.IsInf(float64(l), 1) {
		return scheduleOff
	}
	return Percent(l).String()
}

// maxRate is the largest markup: eleven times the price is a typo.
const maxRate = 1000_000

// ParseRate reads what a [Rate] looks like in the file: 8%, +8% or -5.5%.
func ParseRate(text string) (Rate, error) {
	number, found := strings.CutSuffix(text, "%")
	number, negative := cutSign(strings.TrimSpace(number))
	n, ok := thousandths(number)
	if negative {
		n = -n
	}
	if !found || !ok || n <= -100_000 || n > maxRate {
		return 0, errRate
	}
	return Rate(n), nil
}

// ParseVAT reads what a [VAT] looks like in the file. Without a sign nobody knows whether the prices have it or need it.
func ParseVAT(text string) (VAT, error) {
	r, err := ParseRate(text)
	if err != nil || r >= 100_000 || r != 0 && text[0] != '+' && text[0] != '-' {
		return 0, errVAT
	}
	return VAT(r), nil
}

// ParseAmount reads what an [Amount] looks like in the file: digits, with a point before at most three decimals.
func ParseAmount(text string) (Amount, error) {
	if text == scheduleOff {
		return 0, nil
	}
	n, ok := thousandths(text)
	if !ok {
		return 0, errAmount
	}
	return Amount(n), nil
}

// ParseEnding reads what an [Ending] looks like in the file. 0.90 is .90: nobody means prices that end in a zero before the point.
func ParseEnding(text string) (Ending, error) {
	if text == scheduleOff {
		return Ending{}, nil
	}
	tail, ok := thousandths(text)
	whole, _, _ := strings.Cut(text, ".")
	if whole == "0" {
		whole = ""
	}
	if !ok || len(whole) > 5 || strings.HasPrefix(whole, "0") || text == "0" {
		return Ending{}, errEnding
	}
	every := Amount(1000)
	for range whole {
		every *= 10
	}
	return Ending{Tail: Amount(tail), Every: every}, nil
}

// cutSign cuts a sign off the front of a number.
func cutSign(text string) (rest string, negative bool) {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		return text[1:], text[0] == '-'
	}
	return text, false
}

// thousandths reads a number of at most nine digits before the point and three behind it, without a sign.
func thousandths(text string) (int64, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(whole) > 9 || len(fraction) > 3 || whole+fraction == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+(fraction + "000")[:3], 10, 63)
	return int64(n), err == nil
}

// String returns the amount as it would be written in the file.
func (a Amount) String() string {
	text := fmt.Sprintf("%d.%03d", a/1000, a%1000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// String returns the rate as it would be written in the file.
func (r Rate) String() string {
	if r < 0 {
		return "-" + Amount(-r).String() + "%"
	}
	return Amount(r).String() + "%"
}

// String returns the rate as it would be written in the file, with its sign.
func (v VAT) String() string {
	if v < 0 {
		return Rate(v).String()
	}
	return "+" + Rate(v).String()
}

// String returns the ending as it would be written in the file.
func (e Ending) String() string {
	switch {
	case e == Ending{}:
		return scheduleOff
	case e.Every > 1000:
		return e.Tail.String()
	case e.Tail == 0:
		return ".0"
	}
	return strings.TrimPrefix(e.Tail.String(), "0")
}

// textual is a leaf with a notation of its own. parse leaves the value alone when it fails.
type textual interface{ parse(text string) error }

func (d *Duration) parse(text string) (err error)  { return assign(d, text, ParseDuration) }
func (s *Size) parse(text string) (err error)      { return assign(s, text, ParseSize) }
func (p *Percent) parse(text string) (err error)   { return assign(p, text, ParsePercent) }
func (l *Limit) parse(text string) (err error)     { return assign(l, text, ParseLimit) }
func (r *Rate) parse(text string) (err error)      { return assign(r, text, ParseRate) }
func (v *VAT) parse(text string) (err error)       { return assign(v, text, ParseVAT) }
func (a *Amount) parse(text string) (err error)    { return assign(a, text, ParseAmount) }
func (e *Ending) parse(text string) (err error)    { return assign(e, text, ParseEnding) }
func (t *TimeOfDay) parse(text string) (err error) { return assign(t, text, ParseTimeOfDay) }
func (d *Days) parse(text string) (err error)      { return assign(d, text, ParseDays) }

// assign sets to where parse succeeds.
func assign[T any](to *T, text string, parse func(string) (T, error)) error {
	v, err := parse(text)
	if err == nil {
		*to = v
	}
	return err
}
