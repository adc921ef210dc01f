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
	for _, s := range [...]string{r.Key, r.Item.SKU, r.Item.Barcode} {
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
	if tab := strings.IndexByte(line, '\t'); tab > 0 && strings.IndexByte(line[:tab], keySeparator) >= 0 {
		return parsePromotion(line)
	}
	var f [fieldCount]string
	if !cutFields(f[:], line) {
		return Record{}, errLine
	}
	r := Record{Key: f[0], Item: catalog.Item{SKU: f[1], Barcode: f[2]}}
	it := &r.Item
	price, err := number(it, catalog.Price, f[3])
	it.Price = catalog.Money(price)
	if err == nil {
		it.Active, err = truth(it, f[4])
	}
	if err == nil {
		it.Quantity, err = number(it, catalog.Quantity, f[5])
	}
	if err == nil {
		it.MaxSales, err = number(it, catalog.MaxSales, f[6])
	}
	if err == nil && f[7] != "" {
		var d int64
		d, err = strconv.ParseInt(f[7], 10, 32)
		r.Gone = Day(d)
	}
	if err != nil {
		return Record{}, errLine
	}
	return r, nil
}

// cutFields splits a line into exactly the fields that there must be, the first of which is not empty.
func cutFields(f []string, line string) bool {
	rest, more := line, true
	for i := range f {
		if !more {
			return false
		}
		f[i], rest, more = strings.Cut(rest, "\t")
	}
	return !more && f[0] != ""
}

// number reads the text of a field into it's sets and returns the value, 0 where there is none.
func number(it *catalog.Item, field catalog.Fields, text string) (int64, error) {
	switch text {
	case "":
		return 0, nil
	case blankField:
		it.Blank |= field
		return 0, nil
	}
	it.Set |= field
	return strconv.ParseInt(text, 10, 64)
}

// truth is number for the one field that is a yes or a no.
func truth(it *catalog.Item, text string) (bool, error) {
	switch text {
	case "":
		return false, nil
	case blankField:
		it.Blank |= catalog.Active
		return false, nil
	case "true", "false":
		it.Set |= catalog.Active
		return text == "true", nil
	}
	return false, errLine
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
