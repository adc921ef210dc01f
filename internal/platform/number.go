package platform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What foreign JSON may ask of memory. Orders have a depth of 5.
const (
	maxDepth = 64
	// maxValues is how many values an event may have: every one costs a hundred bytes to read, however short it is. A job that rejects
	// all articles of a large store has a tenth.
	maxValues = 1_000_000
	// maxItems is how many lines an order may have. Nobody carries more.
	maxItems = 10_000
	// MaxBody is how many bytes an event, or an order, may have. An order of a hundred lines has 100 kB.
	MaxBody = 10 << 20
)

// maxDigits is how many digits a number may have on either side of the point; anything longer is no amount of anything.
const maxDigits = 40

// object is a JSON object whose fields are read one by one, each as far as it can be: one field of a wrong type costs that field alone.
type object map[string]json.RawMessage

// parseObject reads an object, or says why there is none. It says nothing of what stands in it: that may be a customer's.
func parseObject(raw []byte) (object, error) {
	if len(raw) > MaxBody {
		return nil, fmt.Errorf("%d bytes are more than the %d that an event may have", len(raw), MaxBody)
	}
	switch depth, values := measure(raw); {
	case depth > maxDepth:
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	case values > maxValues:
		return nil, fmt.Errorf("more than %d values", maxValues)
	}
	valid, trimmed := json.Valid(raw), raw[pastBlank(raw, 0):]
	if len(trimmed) == 0 || trimmed[0] != '{' {
		if valid {
			return nil, errors.New("no JSON object")
		}
		return nil, errors.New("no JSON")
	}
	if !valid {
		// The error of the decoder quotes a character of the body at most.
		return nil, fmt.Errorf("no JSON: %w", json.Unmarshal(raw, new(object)))
	}
	return fieldsOf(trimmed), nil
}

// measure returns how deep brackets are nested and how many values there are about, without recursion.
func measure(raw []byte) (deepest, values int) {
	depth := 0
	quoted, escaped := false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		case c == ',':
			values++
		}
	}
	return deepest, values
}

// first returns the first field of some names that is there and not null.
func (o object) first(names ...string) json.RawMessage {
	for _, name := range names {
		if v, ok := o[name]; ok && !bytes.Equal(v, []byte("null")) {
			return v
		}
	}
	return nil
}

// has reports whether any of the fields is there, even as null.
func (o object) has(names ...string) bool {
	for _, name := range names {
		if _, ok := o[name]; ok {
			return true
		}
	}
	return false
}

// text returns a field as text: a string, or a number or boolean as it was written; "" for anything else.
func (o object) text(names ...string) string { return textOf(o.first(names...)) }

func textOf(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		s, plain := plainText(raw)
		if !plain && json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	case '{', '[', 'n':
		return ""
	}
	return string(raw)
}

// upper returns a field as text in capitals, without blanks around it.
func (o object) upper(names ...string) string {
	return strings.ToUpper(strings.TrimSpace(o.text(names...)))
}

// yes reports whether a field says true.
func (o object) yes(names ...string) bool { return isYes(o.text(names...)) }

func isYes(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1", "yes":
		return true
	}
	return false
}

// object returns a field as an object; nil where it is none, whose fields are all missing.
func (o object) object(names ...string) object { return fieldsOf(o.first(names...)) }

// list returns the elements of a field; of anything but a list, nothing.
func (o object) list(names ...string) []json.RawMessage { return elementsOf(o.first(names...)) }

// texts returns a field that is a list of texts or one text.
func (o object) texts(names ...string) []string {
	raw := o.first(names...)
	if one := textOf(raw); one != "" {
		return []string{one}
	}
	return textsOf(raw)
}

func textsOf(raw json.RawMessage) []string {
	var texts []string
	for _, one := range elementsOf(raw) {
		if t := textOf(one); t != "" {
			texts = append(texts, t)
		}
	}
	return texts
}

// number returns a field as a number, "" where it is none.
func (o object) number(names ...string) Number { return ParseNumber(o.text(names...)) }

// when returns a field as a time, zero where it is none.
func (o object) when(names ...string) time.Time { return parseTime(o.text(names...)) }

// ParseNumber returns the shortest form of a number as JSON writes it, "" for what is no number or has more digits than any amount.
func ParseNumber(text string) Number {
	text = strings.TrimSpace(text)
	sign := ""
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = "-", rest
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	exponent := 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(text[i+1:])
		if err != nil || n > maxDigits || n < -maxDigits {
			return ""
		}
		text, exponent = text[:i], n
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits := whole + fraction
	if digits == "" || len(digits) > maxDigits || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	point := len(whole) + exponent
	for point > len(digits) {
		digits += "0"
	}
	for point < 0 {
		digits, point = "0"+digits, point+1
	}
	whole, fraction = strings.TrimLeft(digits[:point], "0"), strings.TrimRight(digits[point:], "0")
	switch {
	case whole == "" && fraction == "":
		return "0"
	case whole == "":
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return Number(sign + whole + fraction)
}

// timeForms are the forms in which the platform writes times. One without a zone is UTC, as those that it is asked with are [doc].
var timeForms = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", time.DateOnly}

// parseTime reads a time, or seconds or milliseconds since 1970; zero for anything else.
func parseTime(text string) time.Time {
	text = strings.TrimSpace(text)
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil && t.Year() > 1 && t.Year() < 10000 {
			return t.UTC()
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	const inMillis = 100_000_000_000 // as seconds this is the year 5138
	switch {
	case err != nil || n <= 0 || n >= inMillis*1000:
		return time.Time{}
	case n >= inMillis:
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}
