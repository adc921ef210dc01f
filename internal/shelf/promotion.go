package shelf

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"gondola/internal/catalog"
)

// RememberDays is how long a promotion is remembered after its end, in layers and in what was sent: long enough that nobody asks any
// more what became of it.
const RememberDays = 30

// keySeparator stands between the parts of a promotion's key. It sorts below every character that an identifier may hold, so an
// article's promotions come right behind the article.
const keySeparator = '\x01'

// PromotionKey returns the key of a promotion's record: that of its article and all that makes the promotion what it is. Two promotions
// with the same key are the same one, changed perhaps; the platform takes any other pair for two.
func PromotionKey(itemKey string, p catalog.Promotion) string {
	return strings.Join([]string{
		itemKey, p.Campaign, p.Start.String(), p.End.String(), string(p.Type), string(p.Benefit), p.Details(),
	}, string(keySeparator))
}

// ItemKey returns the article's part of a record's key: all of it for an article.
func ItemKey(key string) string {
	item, _, _ := strings.Cut(key, string(keySeparator))
	return item
}

// isPromotion reports whether a key is a promotion's.
func isPromotion(key []byte) bool { return bytes.IndexByte(key, keySeparator) >= 0 }

// On the line of a promotion, fields are separated by tabs: key, SKU, barcode, reason, price, percent, amount, usage limit, orders,
// maximum sales quantity, active, gone, line, owner, stores. What is in the key is there only. A zero is nothing.
const promotionFields = 15

// appendPromotion appends the line of a promotion. It refuses what parsePromotion would not read back.
func (r Record) appendPromotion(b []byte) ([]byte, error) {
	p := r.Promotion
	for _, s := range [...]string{ItemKey(r.Key), p.SKU, p.Barcode, p.Campaign, p.Reason, string(p.Type), string(p.Benefit), r.Owner, p.Stores} {
		if hasControl(s) {
			return b, fmt.Errorf("promotion of %.40q: %q holds a control character", ItemKey(r.Key), s)
		}
	}
	if ItemKey(r.Key) == "" || r.Key != PromotionKey(ItemKey(r.Key), *p) {
		return b, fmt.Errorf("promotion of %.40q: key %q is another one's", ItemKey(r.Key), r.Key)
	}
	if _, err := identity(r.Key); err != nil {
		return b, fmt.Errorf("promotion of %.40q: %w", ItemKey(r.Key), err)
	}
	for _, s := range [...]string{r.Key, p.SKU, p.Barcode, p.Reason} {
		b = append(append(b, s...), '\t')
	}
	for _, n := range [...]int64{int64(p.Price), int64(p.Percent), int64(p.Amount), p.UsageLimit, p.MaxOrders, p.MaxSales} {
		b = append(appendNumber(b, n), '\t')
	}
	b = append(strconv.AppendBool(b, p.Active), '\t')
	b = append(appendNumber(b, int64(r.Gone)), '\t')
	b = append(appendNumber(b, int64(r.Line)), '\t')
	b = append(append(b, r.Owner...), '\t')
	return append(append(b, p.Stores...), '\n'), nil
}

// appendNumber appends n, nothing for 0.
func appendNumber(b []byte, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(b, n, 10)
}

// parsePromotion reads what appendPromotion wrote, without its line end.
func parsePromotion(line string) (Record, error) {
	var f [promotionFields]string
	if !cutFields(f[:], line) {
		return Record{}, errLine
	}
	p, err := identity(f[0])
	if err != nil || f[10] != "true" && f[10] != "false" {
		return Record{}, errLine
	}
	var n [promotionFields]int64
	for _, i := range [...]int{4, 5, 6, 7, 8, 9, 11, 12} {
		if f[i] == "" {
			continue
		}
		bits := 64
		if i == 11 {
			bits = 32
		}
		if n[i], err = strconv.ParseInt(f[i], 10, bits); err != nil {
			return Record{}, errLine
		}
	}
	p.SKU, p.Barcode, p.Reason = f[1], f[2], f[3]
	p.Price, p.Percent, p.Amount = catalog.Money(n[4]), catalog.Percent(n[5]), catalog.Money(n[6])
	p.UsageLimit, p.MaxOrders, p.MaxSales, p.Active, p.Stores = n[7], n[8], n[9], f[10] == "true", f[14]
	return Record{Key: f[0], Promotion: &p, Gone: Day(n[11]), Line: int(n[12]), Owner: f[13]}, nil
}

// identity reads what a key tells of its promotion.
func identity(key string) (p catalog.Promotion, err error) {
	parts := strings.Split(key, string(keySeparator))
	if len(parts) != 7 || parts[0] == "" {
		return p, errLine
	}
	p.Campaign, p.Type, p.Benefit = parts[1], catalog.PromotionType(parts[4]), catalog.Benefit(parts[5])
	if p.Start, err = catalog.ParseWall(parts[2]); err == nil {
		p.End, err = catalog.ParseWall(parts[3])
	}
	if err == nil && p.Type == catalog.SameItemBundle {
		p.Buy, p.Get, err = catalog.ParseDetails(parts[6])
	}
	if err == nil && p.Details() != parts[6] {
		err = errLine
	}
	return p, err
}

// forgotten reports whether a record is of a promotion that ended so long ago that it leaves files that are written anew.
func (r Record) forgotten(today Day) bool {
	return r.Promotion != nil && Day(r.Promotion.End.Day())+RememberDays < today
}

// ended returns the record with its promotion ended and nothing else changed: any other change and the platform does not end it [doc].
func (r Record) ended() Record {
	p := *r.Promotion
	p.Active = false
	r.Promotion = &p
	return r
}

// active reports whether a record is of a promotion that is to run.
func (r Record) active() bool { return r.Promotion != nil && r.Promotion.Active }
