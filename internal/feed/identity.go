package feed

import (
	"unicode"
	"unicode/utf8"

	"gondola/internal/catalog"
)

// maxSKU is the longest SKU that is believed, in bytes. The platform names no limit; longer ones have been a description that
// slipped into the column.
const maxSKU = 100

// barcodeReading is what a barcode cell says.
type barcodeReading struct {
	digits string       // the barcode; "" when the cell is blank or wrong
	code   catalog.Code // what is wrong, or catalog.BarcodeZeros with digits; "" = nothing to tell
}

// readBarcode reads a barcode cell. Digits may be grouped by spaces or hyphens, as they stand below the bars, and a spreadsheet's
// ".0" is cut; the check digit proves either. A cell of zeros only is an ERP's way to say that there is none.
func readBarcode(cell string) barcodeReading {
	s := unwrap(cell)
	if s == "" {
		return barcodeReading{}
	}
	// Before all else: the digits of 7,79E+12 must not be taken for a short barcode.
	if mantissa, _, found := cutExponent(s); found && mantissa != "" && isScientific(withMark(s)) {
		return barcodeReading{code: catalog.BarcodeLost}
	}
	digits, ok := bareDigits(s)
	if !ok {
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
		// it. Seven digits are not tried: GTIN-8 codes that begin with zero are for use inside one company.
		if padded := "000"[:12-len(digits)] + digits; catalog.GTINValid(padded) {
			return barcodeReading{digits: padded, code: catalog.BarcodeZeros}
		}
	}
	return barcodeReading{code: catalog.BarcodeLength}
}

// bareDigits returns the digits of a barcode as people and programs write it, and whether there is nothing else.
func bareDigits(s string) (string, bool) {
	// Nearly all cells are digits already and cost no memory.
	bare := true
	for i := range len(s) {
		if !isDigit(s[i]) {
			bare = false
			break
		}
	}
	if bare {
		return s, true
	}
	s = cutZeroDecimals(s)
	digits := make([]byte, 0, len(s))
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case i > 0 && (r == '-' || isBlank(r)):
		default:
			return "", false
		}
	}
	return string(digits), len(digits) > 0
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
