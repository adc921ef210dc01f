package feed

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gondola/internal/catalog"
)

// maxSKU is the longest SKU that is believed, in bytes. The platform names no limit; longer ones have been a description that
// slipped into the column.
const maxSKU = 100

// InStore says what to make of the codes that a shop gives out itself: those of scales, and PLUs.
type InStore string

// The policies.
const (
	// InStoreRefuse takes a shop's own code only where it passes as any other barcode does: by length and check digit. It is the
	// default.
	InStoreRefuse InStore = "refuse"
	// InStoreAccept takes them as they are, whatever the check digit, which scales use for something else: PLUs of four and five
	// digits, and the prefixes that GS1 leaves to the shops, 02, 04 and 20 to 29, also in their shorter and longer forms.
	InStoreAccept InStore = "accept"
)

// check looks at the policy; "" leaves it to the default.
func (p InStore) check(fault func(path, format string, args ...any)) {
	if all := []InStore{"", InStoreRefuse, InStoreAccept}; !slices.Contains(all, p) {
		fault("in_store", "%q is no way to treat the codes of scales; write %s or %s", p, InStoreRefuse, InStoreAccept)
	}
}

// read reads a barcode cell by the policy.
func (p InStore) read(cell string) barcodeReading {
	read := readBarcode(cell)
	if read.code != catalog.BarcodeCheck && read.code != catalog.BarcodeLength {
		return read
	}
	digits, layout := bareDigits(unwrap(cell))
	switch {
	case layout != bare || !isInStore(digits):
		return read
	case p == InStoreAccept:
		return barcodeReading{digits: digits}
	}
	return barcodeReading{code: catalog.BarcodeInStore}
}

// isInStore reports whether digits, zeros and all, can be a code that a shop gave out.
func isInStore(digits string) bool {
	switch len(digits) {
	case 4, 5: // PLU
		return true
	case 8:
		return digits[0] == '2'
	case 12, 13, 14:
		number := "00"[:14-len(digits)] + digits
		return number[0] == '0' && (number[1] == '2' || number[1] == '0' && (number[2] == '2' || number[2] == '4'))
	}
	return false
}

// barcodeReading is what a barcode cell says.
type barcodeReading struct {
	digits string       // the barcode; "" when the cell is blank or wrong
	code   catalog.Code // what is wrong, or catalog.BarcodeZeros with digits; "" = nothing to tell
}

// readBarcode reads a barcode cell. Digits may be grouped by spaces or hyphens, as they stand below the bars, and a spreadsheet's
// ".0" is cut; the check digit proves either. A cell of zeros only is an ERP's way to say that there is none.
// What a shop's own codes are taken for is InStore's to say.
func readBarcode(cell string) barcodeReading {
	s := unwrap(cell)
	if s == "" {
		return barcodeReading{}
	}
	// Before all else: the digits of 7,79E+12 must not be taken for a short barcode.
	if mantissa, _, found := cutExponent(s); found && mantissa != "" && isScientific(withMark(s)) {
		// The proof is that no digit is missing; a wrong check digit here is one that was rounded.
		if digits := allDigits(s); catalog.GTINValid(digits) {
			return barcodeReading{digits: digits}
		}
		return barcodeReading{code: catalog.BarcodeLost}
	}
	digits, layout := bareDigits(s)
	if layout == garbled {
		return barcodeReading{code: catalog.BarcodeLength}
	}
	if allZeros(digits) {
		return barcodeReading{}
	}
	switch len(digits) {
	case 8, 12, 13, 14:
		if catalog.GTINValid(digits) {
			return barcodeReading{digits: digits}
		}
		return barcodeReading{code: catalog.BarcodeCheck}
	case 9, 10, 11:
		// The check digit counts from the right, so it proves the number and not its length: twelve is the shortest form that holds
		// it. Seven digits are not tried: GTIN-8 codes that begin with zero are for use inside one company. What kept a zero, or
		// the spaces of a text, never was a number and lost none.
		if layout != bare || digits[0] == '0' {
			break
		}
		if padded := "000"[:12-len(digits)] + digits; catalog.GTINValid(padded) {
			return barcodeReading{digits: padded, code: catalog.BarcodeZeros}
		}
	}
	return barcodeReading{code: catalog.BarcodeLength}
}

// layout is how the digits of a barcode cell lie.
type layout int

const (
	garbled layout = iota // something else is among them
	bare                  // nothing but digits
	grouped               // in groups
)

// bareDigits returns the digits of a barcode as people and programs write it, and how they lie.
func bareDigits(s string) (string, layout) {
	// Nearly all cells are digits already and cost no memory.
	if allDecimal(s) {
		return s, bare
	}
	s = cutZeroDecimals(s)
	if allDecimal(s) {
		return s, bare
	}
	digits := make([]byte, 0, len(s))
	var groups []int // how many digits lie before each gap
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case i > 0 && (r == '-' || isBlank(r) && r != '\n' && r != '\r'):
			if n := len(groups); n == 0 || groups[n-1] < len(digits) {
				groups = append(groups, len(digits))
			}
		default:
			return "", garbled
		}
	}
	if len(digits) == 0 || !oneCode(string(digits), groups) {
		return "", garbled
	}
	return string(digits), grouped
}

// oneCode reports whether digits with gaps behind so many of them can be one barcode. A date is none, and neither is a barcode with
// the small one beside it that magazines have: both would pass one time in ten.
func oneCode(digits string, gaps []int) bool {
	if len(digits) == 8 && (slices.Equal(gaps, []int{4, 6}) || slices.Equal(gaps, []int{2, 4})) {
		return false
	}
	last := gaps[len(gaps)-1]
	return last == len(digits) || !catalog.GTINValid(digits[:last])
}

// allDecimal reports whether there are digits and nothing else; true for "".
func allDecimal(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// allDigits returns the number that scientific notation stands for where it shows every digit, as programs write that took the
// barcode for a number: 9.520000001230E+12. It returns "" for any other.
func allDigits(s string) string {
	mantissa, exponent, _ := cutExponent(s)
	at := strings.IndexAny(mantissa, ".,")
	n, err := strconv.Atoi(exponent)
	if at != 1 || err != nil || strings.ContainsRune(s, '-') || mantissa[0] == '0' {
		return ""
	}
	decimals := mantissa[at+1:]
	if len(decimals) < n || !allZeros(decimals[n:]) {
		return ""
	}
	return mantissa[:at] + decimals[:n]
}

// cutZeroDecimals cuts the ".0" that a program leaves which took the barcode for a number.
func cutZeroDecimals(s string) string {
	for i := len(s) - 1; i > 0; i-- {
		if isMark(s[i]) && i < len(s)-1 {
			return s[:i]
		}
		if s[i] != '0' {
			break
		}
	}
	return s
}

// withMark returns a number in scientific notation with a mark in its mantissa, so that 8E+12 is recognised like 7,79E+12: a
// barcode has no letters, so there is no other way to read it.
func withMark(s string) string {
	mantissa, _, _ := cutExponent(s)
	for i := range len(mantissa) {
		if isMark(mantissa[i]) {
			return s
		}
	}
	return mantissa + "," + s[len(mantissa):]
}

// allZeros reports whether there is no other digit; true for "".
func allZeros(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}

// readSKU reads an SKU cell: the text as it is, for the platform knows it like that. It returns "" and true for a blank cell, and
// false for what can't be an identifier: control characters, lost characters, a spreadsheet's error value, a number that a
// spreadsheet has shortened.
func readSKU(cell string) (string, bool) {
	s := unwrap(cell)
	if len(s) > maxSKU || isSheetError(s) || isScientific(s) {
		return "", false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == 0x7f {
			return "", false
		} else if c >= utf8.RuneSelf {
			return s, printable(s)
		}
	}
	return s, true
}

// printable reports whether the platform can take every character: no controls, and none that an earlier conversion has lost.
func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return false
		}
	}
	return true
}
