package catalog

// Severity says what an issue did to the data.
type Severity string

// The severities, mildest first.
const (
	Note    Severity = "note"    // understood; told for completeness
	Warning Severity = "warning" // taken, but somebody should look
	Error   Severity = "error"   // the row, or the whole export, was not taken
)

// Code names a kind of issue. Codes are stable: they stand in receipts, JSON and metrics.
type Code string

// The codes. Arguments in parentheses are those of Issue.Args, in order.
const (
	FileEmpty    Code = "G-FILE-01" // nothing in it
	FileKind     Code = "G-FILE-02" // not a table that can be read (kind found)
	FileEncoding Code = "G-FILE-03" // bytes that are no text in the encoding (encoding, bytes in hex)
	FileLimit    Code = "G-FILE-04" // larger than the reader allows (what, limit)
	FileQuote    Code = "G-FILE-05" // a quote that never closes
	FileNoRows   Code = "G-FILE-06" // a header and nothing below it
	FileDamaged  Code = "G-FILE-07" // a workbook that is not as workbooks are (part of it)

	FileGuess Code = "G-FILE-08" // text that reads differently in two encodings, both likely (encoding, a word in it, other encoding, the word in it)
	FileNUL   Code = "G-FILE-09" // empty bytes inside a text: it was not written to its end
	FileStray Code = "G-FILE-10" // a quote that opens and never closes, read as any other character

	HeadNone    Code = "G-HEAD-01" // no row looks like a header (words looked for)
	HeadMissing Code = "G-HEAD-02" // a needed column is not there (role, headers found)
	HeadTwice   Code = "G-HEAD-03" // two columns mean the same (role, both headers)
	HeadConfig  Code = "G-HEAD-04" // a column that the config names is not there (role, name, headers found)
	HeadNothing Code = "G-HEAD-05" // articles, but nothing about them (headers found)
	HeadSheets  Code = "G-HEAD-06" // more than one sheet has articles, one was read (its name, the others' names)
	HeadHidden  Code = "G-HEAD-07" // a column that was read is hidden
	HeadClose   Code = "G-HEAD-08" // a header like a known one of a column that is not there; it was not read (role, header, known one)

	VendorUnknown Code = "G-STORE-01" // a code that no store of the config has (code)
	VendorMissing Code = "G-STORE-02" // a row without a store code
	VendorName    Code = "G-STORE-03" // the file's name does not name a store (name, what was found)
	VendorAbsent  Code = "G-STORE-04" // a full export without one of the stores (id, name)

	KeyMissing Code = "G-KEY-01" // a row without the chain's identifier (role)
	KeyInvalid Code = "G-KEY-02" // an identifier the platform could not take (text)

	BarcodeCheck  Code = "G-BARCODE-01" // the check digit is wrong (text)
	BarcodeLost   Code = "G-BARCODE-02" // shown in scientific notation, or too long for a number: digits lost (text)
	BarcodeLength Code = "G-BARCODE-03" // not a barcode's length, or not digits (text)
	BarcodeZeros  Code = "G-BARCODE-04" // leading zeros restored, the check digit proves it (text, barcode)
	// BarcodeInStore is a code of scales, or a PLU, that the feed does not take (text).
	BarcodeInStore Code = "G-BARCODE-05"

	PriceText      Code = "G-PRICE-01" // not an amount (text)
	PriceZero      Code = "G-PRICE-02" // zero or less (text)
	PriceAmbiguous Code = "G-PRICE-03" // 1.234: thousand or one and a bit; the column does not tell (text, header)
	PriceLarge     Code = "G-PRICE-04" // larger than any price (text)
	PriceRounded   Code = "G-PRICE-05" // more decimals than the currency has (text, amount)
	PricePercent   Code = "G-PRICE-06" // a share, not an amount (text)
	PriceCurrency  Code = "G-PRICE-07" // in dollars or euros, among amounts that are not (text)

	QuantityText     Code = "G-QTY-01" // not a number (text)
	QuantityNegative Code = "G-QTY-02" // below zero, taken as no stock (text)
	QuantityFraction Code = "G-QTY-03" // a fraction, rounded down (text, number)

	ActiveText Code = "G-ACTIVE-01" // neither a yes nor a no (text)

	DateText      Code = "G-DATE-01" // not a date that exists (text)
	DateAmbiguous Code = "G-DATE-02" // 05/06/2026: day or month first; the column does not tell (text, header)
	DateMissing   Code = "G-DATE-03" // a promotion without one of its dates (role)
	DateOrder     Code = "G-DATE-04" // it would end before it starts (start, end)
	DateMidnight  Code = "G-DATE-05" // every end of the column is at 0:00: the whole last day was taken (header)

	PromoMissing  Code = "G-PROMO-01" // a row that says nothing of what is offered
	PromoText     Code = "G-PROMO-02" // an offer in words that are not known (text)
	PromoRead     Code = "G-PROMO-03" // how an offer in words was understood (text, type, benefit, details, value)
	PromoBoth     Code = "G-PROMO-04" // a row that says two different things (one, the other)
	PromoPercent  Code = "G-PROMO-05" // a share off that is none (text)
	PromoField    Code = "G-PROMO-06" // not a value that the platform knows for the column (role, text)
	PromoOverlap  Code = "G-PROMO-07" // another promotion of the article at the same time is sent instead (key, row of the other)
	PromoNotBelow Code = "G-PROMO-08" // not below the price on the shelf (price, price on the shelf, store)
	PromoNoPrice  Code = "G-PROMO-09" // a share off of a price that is not known (key, store)
	PromoUnknown  Code = "G-PROMO-10" // an article that the store's catalogue does not have (key, store)
	PromoOver     Code = "G-PROMO-11" // over already (end)
	PromoLimit    Code = "G-PROMO-12" // a limit that is not a whole number (role, text)
	PromoCampaign Code = "G-PROMO-13" // a campaign name that the platform could not take (text)
	PromoRenamed  Code = "G-PROMO-14" // a running promotion under another name: the platform takes it for another one (key, new name, old name)
	PromoUndercut Code = "G-PROMO-15" // the price falls to or below that of an offer (key, price, price of the offer, store)
	// PromoElsewhere is a running promotion that was sent another way than promotions go now, and can be changed or ended there only.
	PromoElsewhere Code = "G-PROMO-16"

	CellError   Code = "G-CELL-01" // an error value of a spreadsheet (text)
	CellFormula Code = "G-CELL-02" // a formula without its value (formula)

	RowShort         Code = "G-ROW-01" // fewer cells than the header, the missing ones count as blank (cells, headers)
	RowLong          Code = "G-ROW-02" // more cells than the header (cells, headers)
	RowTotal         Code = "G-ROW-03" // a line of totals, not an article (text)
	RowTwice         Code = "G-ROW-04" // the same article again with the same values (key, other row)
	RowConflict      Code = "G-ROW-05" // the same article again with other values; the last one counts (key, other row)
	RowSwitchSkipped Code = "G-ROW-06" // articles without identifier: nothing was switched off for being missing (rows)
	RowHidden        Code = "G-ROW-07" // rows hidden in the sheet were read too (rows)
	RowCut           Code = "G-ROW-08" // the file breaks off in the row
	RowOpen          Code = "G-ROW-09" // the last line has no end: the file may break off in it

	RuleFloor      Code = "G-RULE-01" // below the lowest price of the rules (price, floor)
	RuleCeiling    Code = "G-RULE-02" // above the highest price of the rules (price, ceiling)
	RuleCeilingOff Code = "G-RULE-03" // above the highest price of the rules: switched off (price, ceiling)
	RuleExcluded   Code = "G-RULE-04" // a word of the rules says that the article is not offered (word)
	RuleNoResult   Code = "G-RULE-05" // a formula of the rules has no result (role, text that it stumbles over, or its result)

	DropOlder  Code = "G-DROP-01" // older than the export taken last (its time, the other's time)
	DropNoGood Code = "G-DROP-02" // not one row could be used (rows)
	DropStale  Code = "G-DROP-03" // older than the config allows, before any of it counted (its time, the limit's number, its unit: days, hours or minutes)

	FeedRival Code = "G-FEED-01" // another feed says the same of the same stores, with the same priority (role, the feed)

	PlatformRow     Code = "G-PLATFORM-01" // the platform did not take the row (identifier, its words, store)
	PlatformRequest Code = "G-PLATFORM-02" // the platform did not take anything for the store (its words, store)

	// Of the brake: count, of, share, limit, likely cause, factor, then the worst articles as "key|old price|new price|line".

	BrakeInactive Code = "G-BRAKE-01" // too many articles would be switched off
	BrakeShrunk   Code = "G-BRAKE-02" // the export has far fewer articles than the last one
	BrakeNew      Code = "G-BRAKE-03" // too many articles of the export are new
	BrakeEqual    Code = "G-BRAKE-04" // too many prices of the export are one and the same
	BrakeSwapped  Code = "G-BRAKE-05" // prices stand where quantities stood, and the other way round
	BrakeFirst    Code = "G-BRAKE-06" // the first files for a store wait for a person
	BrakeLate     Code = "G-BRAKE-07" // what waits to leave has become older than the config allows; cause and factor are "late" and when it was read
	BrakePrice    Code = "G-BRAKE-10" // prices that change too much are held
	BrakeFactor   Code = "G-BRAKE-11" // too many prices change by the same factor; they are held
	BrakeDeep     Code = "G-BRAKE-12" // promotions that take too much off are held
	BrakeUnknown  Code = "G-BRAKE-13" // promotions of articles that the catalogue does not have are held
	BrakeClock    Code = "G-BRAKE-14" // promotions wait because a clock is wrong; cause and factor are "clock" and by how much
)

// Codes lists every code, in the order above: for tests that hold word lists against it.
var Codes = []Code{
	FileEmpty, FileKind, FileEncoding, FileLimit, FileQuote, FileNoRows, FileDamaged, FileGuess, FileNUL, FileStray,
	HeadNone, HeadMissing, HeadTwice, HeadConfig, HeadNothing, HeadSheets, HeadHidden, HeadClose,
	VendorUnknown, VendorMissing, VendorName, VendorAbsent,
	KeyMissing, KeyInvalid,
	BarcodeCheck, BarcodeLost, BarcodeLength, BarcodeZeros, BarcodeInStore,
	PriceText, PriceZero, PriceAmbiguous, PriceLarge, PriceRounded, PricePercent, PriceCurrency,
	QuantityText, QuantityNegative, QuantityFraction,
	ActiveText,
	DateText, DateAmbiguous, DateMissing, DateOrder, DateMidnight,
	PromoMissing, PromoText, PromoRead, PromoBoth, PromoPercent, PromoField, PromoOverlap, PromoNotBelow, PromoNoPrice, PromoUnknown,
	PromoOver, PromoLimit, PromoCampaign, PromoRenamed, PromoUndercut, PromoElsewhere,
	CellError, CellFormula,
	RowShort, RowLong, RowTotal, RowTwice, RowConflict, RowSwitchSkipped, RowHidden, RowCut, RowOpen,
	RuleFloor, RuleCeiling, RuleCeilingOff, RuleExcluded, RuleNoResult,
	DropOlder, DropNoGood, DropStale,
	FeedRival,
	PlatformRow, PlatformRequest,
	BrakeInactive, BrakeShrunk, BrakeNew, BrakeEqual, BrakeSwapped, BrakeFirst, BrakeLate, BrakePrice, BrakeFactor, BrakeDeep, BrakeUnknown, BrakeClock,
}

// Issue is something wrong, or worth telling, about data. It has no words of its own.
type Issue struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Sheet    string   `json:"sheet,omitempty"`  // "" for CSV
	Row      int      `json:"row,omitempty"`    // the line a person sees, the first is 1; 0 = the whole export
	Column   string   `json:"column,omitempty"` // the header as written, "" = the whole row
	Args     []string `json:"args,omitempty"`   // see the code
}
