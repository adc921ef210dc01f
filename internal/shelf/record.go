package shelf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gondola/internal/catalog"
)

// Record is one article or one promotion in a record file: its key, what is said of it, and whether it is a tombstone.
type Record struct {
	Key       string             // of a promotion see PromotionKey
	Item      catalog.Item       // of an article; the zero one for a promotion, which carries its own identity
	Promotion *catalog.Promotion // nil for an article; never changed once it is in a record
	// Gone is the day an article or promotion went missing from full exports, 0 for one that is there. A record with a day is a
	// tombstone: it switches the article off, or ends the promotion, and stays for a while.
	Gone Day
	// Line is, of a promotion, the line of the export that its layer file was made of, 0 where it was only kept from before. It never
	// counts as a difference, and documents have none.
	Line int
	// Owner names the layer of a promotion, so that one layer's tombstone does not end what another one wants. Like Line it is told
	// nowhere.
	Owner string
}

// Day counts days since 1970-01-01 in UTC.
type Day int32

// On the line of an article, fields are separated by tabs: key, SKU, barcode, price, active, quantity, maximum sales quantity, gone. An absent
// field is nothing, a blank one is a full stop. No field can hold a tab or a line end: append refuses control characters.
const (
	fieldCount = 8
	blankField = "."
)

var errLine = errors.New("damaged record line")

// append appends the record's line to b. It refuses texts with control characters, which feed never lets through.
func (r Record) append(b []byte) ([]byte, error) {
	if r.Promotion != nil {
		return r.appendPromotion(b)
	}
	for i, s := range [...]string{r.Key, r.Item.SKU, r.Item.Barcode} {
		if i > 0 && s == r.Key {
			continue // one of the two is the key, but for zeros
		}
		if hasControl(s) {
			return b, fmt.Errorf("article %q holds a control character", s)
		}
	}
	b = append(b, r.Key...)
	b = append(b, '\t')
	return r.appendRest(b), nil
}

// appendRest appends what stands behind the key and its tab, line end included.
func (r Record) appendRest(b []byte) []byte {
	it := r.Item
	b = append(b, it.SKU...)
	b = append(b, '\t')
	b = append(b, it.Barcode...)
	for _, f := range [...]catalog.Fields{catalog.Price, catalog.Active, catalog.Quantity, catalog.MaxSales} {
		b = append(b, '\t')
		switch {
		case it.Blank.Has(f):
			b = append(b, blankField...)
		case !it.Set.Has(f):
		case f == catalog.Price:
			b = strconv.AppendInt(b, int64(it.Price), 10)
		case f == catalog.Active:
			b = strconv.AppendBool(b, it.Active)
		case f == catalog.Quantity:
			b = strconv.AppendInt(b, it.Quantity, 10)
		case f == catalog.MaxSales:
			b = strconv.AppendInt(b, it.MaxSales, 10)
		}
	}
	b = append(b, '\t')
	if r.Gone != 0 {
		b = strconv.AppendInt(b, int64(r.Gone), 10)
	}
	return append(b, '\n')
}

// parseRecord reads a line without its line end.
func parseRecord(line string) (Record, error) {
	var f [fieldCount]string
	whole := cutFields(f[:], line)
	if strings.IndexByte(f[0], keySeparator) >= 0 {
		return parsePromotion(line)
	}
	if !whole {
		return Record{}, errLine
	}
	r := Record{Key: f[0], Item: catalog.Item{SKU: f[1], Barcode: f[2]}}
	it := &r.Item
	price, okPrice := number(it, catalog.Price, f[3])
	active, okActive := truth(it, f[4])
	quantity, okQuantity := number(it, catalog.Quantity, f[5])
	maxSales, okMaxSales := number(it, catalog.MaxSales, f[6])
	it.Price, it.Active, it.Quantity, it.MaxSales = catalog.Money(price), active, quantity, maxSales
	if f[7] != "" {
		d, err := strconv.ParseInt(f[7], 10, 32)
		if err != nil {
			return Record{}, errLine
		}
		r.Gone = Day(d)
	}
	if !okPrice || !okActive || !okQuantity || !okMaxSales {
		return Record{}, errLine
	}
	return r, nil
}

// cutFields splits a line into exactly the fields that there must be, the first of which is not empty.
func cutFields(f []string, line string) bool {
	// Fields are a few bytes long: a search for each tab would be busy with beginning and ending.
	n, from := 0, 0
	for i := range len(line) {
		if line[i] != '\t' {
			continue
		}
		if n == len(f)-1 {
			return false
		}
		f[n] = line[from:i]
		n, from = n+1, i+1
	}
	f[n] = line[from:]
	return n == len(f)-1 && f[0] != ""
}

// number reads the text of a field into it's sets and returns the value, 0 where there is none.
func number(it *catalog.Item, field catalog.Fields, text string) (n int64, ok bool) {
	switch text {
	case "":
		return 0, true
	case blankField:
		it.Blank |= field
		return 0, true
	}
	it.Set |= field
	if len(text) > shortNumber {
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	}
	for i := range len(text) {
		digit := text[i] - '0'
		if digit > 9 {
			n, err := strconv.ParseInt(text, 10, 64)
			return n, err == nil
		}
		n = n*10 + int64(digit)
	}
	return n, true
}

// shortNumber is how many digits are sure to fit.
const shortNumber = 18

// truth is number for the one field that is a yes or a no.
func truth(it *catalog.Item, text string) (on, ok bool) {
	switch text {
	case "":
		return false, true
	case blankField:
		it.Blank |= catalog.Active
		return false, true
	case "true", "false":
		it.Set |= catalog.Active
		return text == "true", true
	}
	return false, false
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
