package feed

import (
	"slices"
	"strings"

	"gondola/internal/table"
)

// Several countries reckon in dollars or euros beside their own money. The price of an article in another currency is another price, so a
// title or a cell that names one is not read as the store's.

// cutCurrency cuts what stands in parentheses at the end of a title, where it is the money of a country that the platform is in. A price
// in dollars is another price there.
func cutCurrency(name string) (bare string, found bool) {
	name = trim(name)
	open := strings.LastIndexAny(name, "([")
	if open <= 0 || !strings.HasSuffix(name, ")") && !strings.HasSuffix(name, "]") {
		return name, false
	}
	sign := trim(name[open+1 : len(name)-1])
	return name[:open], localCurrency(sign)
}

// reckonings are the signs of money that several countries reckon in beside their own.
var reckonings = []string{"US$", "U$S", "U$S.", "U$D", "U$", "USD", "USD$", "€", "EUR", "DÓLARES", "DOLARES"}

// reckoned reports whether an amount says that it is in dollars or euros. A bare $ is the peso's as well.
func reckoned(amount string) bool {
	text := trim(amount)
	// Nearly every amount begins and ends with a digit, and no sign does.
	if text == "" || isDigit(text[0]) && isDigit(text[len(text)-1]) {
		return false
	}
	text = strings.ToUpper(text)
	return slices.ContainsFunc(reckonings, func(sign string) bool {
		return strings.HasPrefix(text, sign) || strings.HasSuffix(text, sign)
	})
}

// mixed reports whether a cell of a column of money is in another currency than others of it: which of the two the chain sells in is not
// for a reader to guess, and an amount in dollars is no price in pesos.
func mixed(r table.Row, col *column, text string) bool {
	return col.local > 0 && typed(r, col).Kind == table.Text && reckoned(text)
}

// localCurrency reports whether a sign or code is the money of a country, and not the dollar or the euro that several reckon in.
func localCurrency(sign string) bool {
	if sign == "" || slices.Contains(reckonings, strings.ToUpper(sign)) {
		return false
	}
	return slices.ContainsFunc(currencyWords, func(w string) bool { return strings.EqualFold(w, sign) })
}
