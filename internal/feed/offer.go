package feed

import (
	"regexp"
	"strings"
	"sync"

	"gondola/internal/catalog"
)

// offer is what a row offers, whatever way it says so.
type offer struct {
	kind     catalog.PromotionType
	benefit  catalog.Benefit
	buy, get int
	price    catalog.Money
	percent  catalog.Percent
	amount   catalog.Money
}

// wording is an offer in words as it reads.
type wording struct {
	offer offer
	code  catalog.Code // what is wrong with it; "" = nothing
}

// The pieces of the forms below, for text that plain has been over.
const (
	reCount   = `(\d{1,2}|uno|una|um|uma|one|dos|dois|duas|two|tres|three|cuatro|quatro|four|cinco|five|seis|six)`
	reShare   = `(\d{1,4}(?:[.,]\d{1,6})?)`
	reOrdinal = `(?:(\d{1,2}) ?(?:da|do|ra|ro|era|ero|ta|to|nda|ndo|a|o|nd|rd|th)\.?|` +
		`(segund[ao]|tercer[ao]?|terceir[ao]|cuart[ao]|quart[ao]|second|third|fourth))`
	reThe   = `(?:la |el |a |o |the )?`
	reUnit  = `(?: (?:unidad|unidade|unid|uni|un|u|ud|item|unit|producto|produto|articulo|pieza|one)\.?)?`
	reUnits = `(?: (?:unidad|unidades|unidade|unid|un|u|uds|units|items|productos|produtos)\.?)?`
	reOff   = `(?:off|de off|de descuento|descuento|de desconto|desconto|de dcto|dcto|de dto|dto|de rebaja|menos|discount|less)\.?`
	reFree  = `(?:gratis|free|sin cargo|de regalo|bonificad[ao]|de graca|gratuit[ao])`
	reHalf  = `(?:a |pela |por la |por |at )?(?:la |a )?(?:mitad|metade|half)(?: de precio| del precio| de su precio| do preco| price)`
	reTake  = `(?:llevas?|llevate|lleven?|lleve|llevando|llevar|leve|leva|levando|levar|take)`
	rePay   = `(?:pagas?|pague|paguen|pagando|pagar|pay|pay for)(?: solo| so| apenas| only)?`
	reBuy   = `(?:compras?|compre|compra|comprando|buy)`
	reGet   = `(?:llevas?|llevate|lleve|leve|leva|gana|ganhe|ganha|recibe|receba|get)`
	reAnd   = `(?:,| y| e| and| &|, y|, e)? `
	rePromo = `(?:promo |promocion |promocao |oferta |super oferta |lleva |llevate |lleve |leve )?`
)

// offerForm is one way to say an offer. read gets what the groups have matched, without the empty ones.
type offerForm struct {
	form func() *regexp.Regexp
	read func(found []string) (offer, catalog.Code)
}

// offerForms are all the ways. A form matches the whole text or not at all: what stands beside an offer may take it back, as in
// "hasta 30%", "2x1 en el segundo local" or "20% con tarjeta". No two forms may read one text differently; a test holds them to that.
// A share in one that is about the second piece is what is taken off, never what is left to pay: that is how the trade speaks, and
// what the starter spreadsheets say. English, where "at 70%" is the price, must therefore say off. "3 por 2" and "3 for 2" are left out:
// they may be two soles, or two dollars, for three.
var offerForms = []offerForm{
	{whole(rePromo + reCount + ` ?x ?` + reCount), takePay},
	{whole(reTake + ` ` + reCount + reUnits + reAnd + rePay + ` ` + reCount + reUnits), takePay},
	{whole(rePay + ` ` + reCount + reUnits + reAnd + reTake + ` ` + reCount + reUnits), payTake},
	{whole(reBuy + ` ` + reCount + reUnits + reAnd + reGet + ` ` + reCount + reUnits), buyGet},
	{whole(reBuy + ` ` + reCount + reUnits + reAnd + reGet + ` ` + reCount + reUnits + ` (?:mas )?` + reFree), buyFree},
	{whole(reCount + ` ?(?:\+|mas|mais) ?` + reCount + ` ` + reFree), buyFree},
	{
		whole(reBuy + ` ` + reCount + reUnits + reAnd + reGet + ` ` + reCount + reUnits + ` (?:at |con |com )?` + reShare + `% ` + reOff),
		buyShare,
	},

	{whole(reThe + reOrdinal + reUnit + `(?: al| con| con un| com| com um|:)? -?` + reShare + `%`), nthShare},
	{whole(reThe + reOrdinal + reUnit + `(?: al| a| con| con un| com| com um| at| is| sale con|:)? -?` + reShare + `% ` + reOff), nthShare},
	{whole(reThe + reOrdinal + reUnit + ` al ` + reShare), nthShare},
	{whole(`-?` + reShare + `%(?: ` + reOff + `)?(?: en| em| na| no| on| in| para)? ` + reThe + reOrdinal + reUnit), shareNth},
	{whole(reThe + reOrdinal + reUnit + `(?: es| e| is| sale)? ` + reFree), nthFree},
	{whole(reFree + ` ` + reThe + reOrdinal + reUnit), nthFree},
	{whole(reThe + reOrdinal + reUnit + ` ` + reHalf), nthHalf},
	{whole(reHalf + ` (?:en |na |on )?` + reThe + reOrdinal + reUnit), nthHalf},

	{whole(`(?:promo |promocion |oferta |un |con |com )?-? ?` + reShare + `%(?: ` + reOff + `)?`), shareOff},
	{
		whole(`(?:descuento|desconto|dcto|dto|rebaja|off|ahorra|ahorre|economize|save|discount)\.?(?: de| del| do| of|:)? ?-?` + reShare + `%`),
		shareOff,
	},
	{whole(reHalf), func([]string) (offer, catalog.Code) { return share("50") }},
}

// whole compiles a form when it is first needed: only promotions have offers.
func whole(form string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^` + form + `$`) })
}

// readOffer reads an offer in words. A price is none.
func readOffer(text string) wording {
	s := strings.Trim(plain(text), " .!\u00a1*\"'\u201c\u201d")
	s = strings.ReplaceAll(s, " %", "%")
	for _, f := range offerForms {
		groups := f.form().FindStringSubmatch(s)
		if groups == nil {
			continue
		}
		var found []string
		for _, g := range groups[1:] {
			if g != "" {
				found = append(found, g)
			}
		}
		o, code := f.read(found)
		return wording{o, code}
	}
	return wording{code: catalog.PromoText}
}

// takePay reads how many are taken and how many of them are paid for.
func takePay(found []string) (offer, catalog.Code) {
	take, pay := countOf(found[0]), countOf(found[1])
	return free(pay, take-pay)
}

func payTake(found []string) (offer, catalog.Code) { return takePay([]string{found[1], found[0]}) }

// buyGet reads "compra 2 lleva 3", where the second number is the larger one and counts all, and "buy 2 get 1", where it counts what
// is given. The verbs are the same, so "lleva" with a number that is not larger, and "get" with one that is, mean what the number
// can mean.
func buyGet(found []string) (offer, catalog.Code) {
	buy, get := countOf(found[0]), countOf(found[1])
	if get > buy {
		return free(buy, get-buy)
	}
	return free(buy, get)
}

func buyFree(found []string) (offer, catalog.Code) { return free(countOf(found[0]), countOf(found[1])) }

// buyShare reads "buy 2 get 1 50% off".
func buyShare(found []string) (offer, catalog.Code) {
	return shareOn(countOf(found[0]), countOf(found[1]), found[2])
}

// nthShare reads which piece has what share off.
func nthShare(found []string) (offer, catalog.Code) {
	return shareOn(ordinalOf(found[0])-1, 1, found[1])
}

func shareNth(found []string) (offer, catalog.Code) {
	return shareOn(ordinalOf(found[1])-1, 1, found[0])
}

func nthFree(found []string) (offer, catalog.Code) { return free(ordinalOf(found[0])-1, 1) }

func nthHalf(found []string) (offer, catalog.Code) { return shareOn(ordinalOf(found[0])-1, 1, "50") }

func shareOff(found []string) (offer, catalog.Code) { return share(found[0]) }

// maxPieces is how many pieces a bundle has at most in words. What is more is a price, or a code.
const maxPieces = 24

// free makes the offer in which some pieces of a bundle are free.
func free(buy, get int) (offer, catalog.Code) {
	if buy < 1 || get < 1 || buy+get > maxPieces {
		return offer{}, catalog.PromoText
	}
	return offer{kind: catalog.SameItemBundle, benefit: catalog.FreeItem, buy: buy, get: get}, ""
}

// shareOn makes the offer in which some pieces of a bundle have a share off.
func shareOn(buy, get int, text string) (offer, catalog.Code) {
	if buy < 1 || get < 1 || buy+get > maxPieces {
		return offer{}, catalog.PromoText
	}
	p, ok := percentOf(text)
	if !ok {
		return offer{}, catalog.PromoPercent
	}
	return offer{kind: catalog.SameItemBundle, benefit: catalog.PercentOff, buy: buy, get: get, percent: p}, ""
}

// share makes the offer in which every piece has a share off.
func share(text string) (offer, catalog.Code) {
	p, ok := percentOf(text)
	if !ok {
		return offer{}, catalog.PromoPercent
	}
	return offer{kind: catalog.Strikethrough, percent: p}, ""
}

// percentOf reads a share off: digits, with decimals perhaps. Either mark is the decimal one, for a thousand percent is no share off.
// It is rounded to what catalog.Percent holds, and must be more than nothing and less than all.
func percentOf(text string) (catalog.Percent, bool) {
	n, ok := scanNumeral(text, nil)
	if !ok || n.negative || n.seps > 1 || n.seps == 1 && !isMark(n.last) {
		return 0, false
	}
	m, _, ok := n.thousandths(n.last, catalog.MoneyScale)
	p := catalog.Percent(m)
	return p, ok && p > 0 && p < catalog.Hundred
}

// countWords are the numbers that offers have in words.
var countWords = numbered(1,
	"uno una um uma one", "dos dois duas two", "tres three", "cuatro quatro four", "cinco five", "seis six",
)

// ordinalWords likewise; what they begin with is enough.
var ordinalWords = numbered(2, "segund second", "tercer terceir third", "cuart quart fourth")

// countOf returns a number in digits or in words, 0 for one that begins with a zero.
func countOf(s string) int {
	if !isNumber(s) {
		return countWords[s]
	}
	if s[0] == '0' {
		return 0
	}
	return atoi(s)
}

// ordinalOf returns which piece is meant.
func ordinalOf(s string) int {
	if n, ok := ordinalWords[strings.TrimRight(s, "ao")]; ok {
		return n
	}
	return countOf(s)
}

// beforeAmount and behindAmount are what people put around a final price.
var (
	beforeAmount = []string{
		"a solo ", "por solo ", "por apenas ", "a ", "por ", "solo ", "apenas ", "at ", "for ", "precio ", "precio final ", "preço ",
		"precio oferta ", "precio promo ", "price ",
	}
	behindAmount = []string{" c/u", " cada uno", " cada una", " cada", " each", " final"}
)

// bareAmount takes off the cell what people put around a final price.
func bareAmount(text string) string {
	text = unwrap(text)
	for _, w := range beforeAmount {
		if len(text) > len(w) && strings.EqualFold(text[:len(w)], w) {
			text = trim(text[len(w):])
			break
		}
	}
	for _, w := range behindAmount {
		if at := len(text) - len(w); at > 0 && strings.EqualFold(text[at:], w) {
			return trim(text[:at])
		}
	}
	return text
}

// leastBare is the smallest price that the column of offers may say without a currency. Below it a number alone may be a share:
// 20 is twenty percent to one and twenty pesos to the other.
const leastBare = 100 * 1000

// readOfferAmount reads a final price in the column of offers; false where the cell holds no number. A number that may be a share, or
// that is below zero, is not known for what it is.
func readOfferAmount(text string, mark byte, decimals int) (catalog.Money, catalog.Code, bool) {
	text = bareAmount(text)
	n, ok := scanNumeral(text, currencyWords)
	if !ok {
		return 0, "", false
	}
	if n.negative || strings.Contains(text, "+") {
		return 0, catalog.PromoText, true
	}
	m, code := readMoney(text, mark, decimals)
	if (code == "" || code == catalog.PriceRounded || code == catalog.PriceZero) && m < leastBare && !hasCurrency(text) {
		return 0, catalog.PromoText, true
	}
	return m, code, true
}

// hasCurrency reports whether there is anything beside digits and the signs that numbers have.
func hasCurrency(text string) bool {
	return strings.Trim(text, "0123456789.,'-=\u2019\u2013 \u00a0\u202f\u2009") != ""
}
