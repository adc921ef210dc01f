package order

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Name is a pattern of file names.
type Name struct {
	pattern string
	used    []string // placeholders
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// The placeholders of names. Those of one order mean nothing in the name of a file that has several.
func commonPlaceholders() []string { return []string{"vendor", "erp_code", "date", "time", "seq"} }

func orderPlaceholders() []string {
	return []string{"order", "external", "code", "state", "asked", "revision"}
}

// longestName is how long a name may become before its number and its ending: file systems take 255 bytes, and some programs fewer.
const longestName = 150

// ParseName reads a pattern of file names without their ending. The files have one order each, or several.
func ParseName(pattern string, several bool) (Name, error) {
	n := Name{pattern: pattern}
	known := commonPlaceholders()
	if !several {
		known = append(known, orderPlaceholders()...)
	}
	for _, m := range placeholder.FindAllStringSubmatch(pattern, -1) {
		switch {
		case slices.Contains(known, m[1]):
			n.used = append(n.used, m[1])
		case slices.Contains(orderPlaceholders(), m[1]):
			return n, fmt.Errorf("{%s} is of one order, and with every a file has several; write {date}, {time} or {seq}", m[1])
		default:
			return n, fmt.Errorf("unknown placeholder {%s}; known are {%s}", m[1], strings.Join(known, "} {"))
		}
	}
	fixed := placeholder.ReplaceAllString(pattern, "")
	if bad := strings.IndexFunc(fixed, func(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune(`/\:*?"<>|{}`, r) }); bad >= 0 {
		return n, fmt.Errorf("%q can't be in the name of a file", []rune(fixed[bad:])[0])
	}
	if len(n.used) == 0 {
		return n, fmt.Errorf("every file would have the same name; write {seq} or {order} into it")
	}
	if strings.HasPrefix(pattern, ".") {
		return n, fmt.Errorf("names that begin with a dot are those of unfinished files; begin with something else")
	}
	return n, nil
}

// PerVendor reports whether names tell stores apart, so that a file holds orders of one store only.
func (n Name) PerVendor() bool {
	return slices.Contains(n.used, "vendor") || slices.Contains(n.used, "erp_code")
}

// Of returns the name of a file with some hand-overs, without its ending. The number is the first one's. Whatever the orders say, it is
// a plain name: letters, digits and a few marks.
func (n Name) Of(all []HandOver, at time.Time) string {
	h := all[0]
	zone := h.Vendor.Zone
	if zone == nil {
		zone = time.UTC
	}
	erp := h.Vendor.ERPCode
	if erp == "" {
		erp = h.Vendor.ID
	}
	values := map[string]string{
		"vendor": h.Vendor.ID, "erp_code": erp, "order": h.Order.ID, "external": h.Order.ExternalID, "code": h.Order.Code,
		"state": string(h.Seen), "asked": string(h.Asked), "revision": strconv.Itoa(h.Revision), "seq": strconv.FormatInt(h.Seq, 10),
		"date": at.In(zone).Format("20060102"), "time": at.In(zone).Format("20060102-150405"),
	}
	name := placeholder.ReplaceAllStringFunc(n.pattern, func(p string) string { return plain(values[strings.Trim(p, "{}")]) })
	name = strings.TrimRight(strings.TrimLeft(name, ". "), ". ")
	for len(name) > longestName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if base, _, _ := strings.Cut(name, "."); name == "" || slices.Contains(reserved(), strings.ToUpper(base)) {
		name = "_" + name
	}
	return name
}

// plain returns a text that can be in any name of a file.
func plain(s string) string {
	if s == "" {
		return "none"
	}
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r)) {
			return r
		}
		return '_'
	}, s)
}

// reserved are names that Windows has given to devices.
func reserved() []string {
	all := []string{"CON", "PRN", "AUX", "NUL"}
	for i := range 10 {
		all = append(all, fmt.Sprintf("COM%d", i), fmt.Sprintf("LPT%d", i))
	}
	return all
}
