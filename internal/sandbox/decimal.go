package sandbox

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// amount is money or a weight in thousandths, exact. Its JSON is a number in its shortest form.
type amount int64

// amountOf reads a price of the shelf; 0 for "".
func amountOf(price string) amount { return amount(thousandths(price)) }

// String implements fmt.Stringer: the shortest form.
func (a amount) String() string {
	sign := ""
	if a < 0 {
		sign, a = "-", -a
	}
	frac := strconv.FormatInt(int64(a%1000)+1000, 10)[1:]
	text := sign + strconv.FormatInt(int64(a/1000), 10)
	if frac = strings.TrimRight(frac, "0"); frac != "" {
		text += "." + frac
	}
	return text
}

// MarshalJSON implements json.Marshaler.
func (a amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON implements json.Unmarshaler, for numbers with at most three decimals.
func (a *amount) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		return nil
	}
	rest, minus := strings.CutPrefix(text, "-")
	price, ok := readPrice(rest, false)
	if !ok && strings.Trim(rest, "0.") != "" {
		return &json.UnmarshalTypeError{Value: "number " + text, Type: reflect.TypeFor[float64]()}
	}
	*a = amountOf(price)
	if minus {
		*a = -*a
	}
	return nil
}

// times multiplies by a number in thousandths, rounded half up to cents.
func (a amount) times(n amount) amount {
	const cent = 10
	return (a*n/1000 + cent/2) / cent * cent
}
