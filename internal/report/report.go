// Package report knows every word that a person reads about their file: the receipt that lies beside a dropped export, as text and as a
// page, in Spanish, Portuguese or English; the copy of the file in which what is wrong is marked; and the sentence for each kind of
// issue.
//
// Its readers stand at a till. So a receipt says first, in words, whether the file was taken; then what it changes in which store and
// when; then what is wrong, grouped by kind, each with its row, its column and the one thing to do. It is plain text that Notepad
// shows, not wider than [Width] characters.
//
// The page says the same sentences and has room for more: the largest price changes, and every cell by its address. It needs neither
// network nor script. The marked copy is there to be corrected and dropped as it is: see [Workbook].
//
// The words are data: one file a language in gondola/templates, one named phrase each, the same names in all of them. This package
// has the order and the layout, and no word of its own. Everything it is given comes as plain values; the same answer always gives
// the same bytes, so a receipt can be written again whenever something new is known.
package report

import (
	"time"

	"gondola/internal/catalog"
)

// Width is how many characters a line of a receipt has at most: what Notepad shows in a small window, and paper prints.
const Width = 78

// MaxLines is how many issues of one kind a receipt lists; the others are counted. Who has more of one kind has one cause to mend.
const MaxLines = 20

// The languages that receipts are written in.
const (
	Spanish    = "es"
	Portuguese = "pt"
	English    = "en"
)

// Languages lists the languages, the first of which stands in for any other.
func Languages() []string { return []string{Spanish, Portuguese, English} }

// Verdict is what became of an export, as a whole.
type Verdict string

// The verdicts.
const (
	Accepted           Verdict = "accepted"             // taken, nothing to say
	AcceptedWithIssues Verdict = "accepted-with-issues" // taken; some rows were not, or somebody should look
	Held               Verdict = "held"                 // understood; it, or a part of it, waits for a person
	Rejected           Verdict = "rejected"             // nothing was taken
)

// Answer is everything that a receipt says. Zero values are left out of it.
type Answer struct {
	Language string         // es, pt or en; any other is answered in Spanish
	Kind     catalog.Kind   // of the feed: what its rows are about; "" is the catalogue
	Zone     *time.Location // whose local time the receipt tells; nil is UTC

	Name    string    // of the file, as it was dropped
	Feed    string    // that took it
	Seq     int64     // of the claim; what an admin looks it up by
	By      string    // who dropped it on the page; "" for a file that was put into the folder
	Time    time.Time // when it was taken
	Updated time.Time // as of when the answer speaks, where that is later
	Verdict Verdict

	Partial      bool // the file speaks only for the rows it has, not for the articles that are missing in it
	Workbook     bool // the annotated workbook lies in the folder of answers: see WriteWorkbook
	Rows         int  // data rows in the file
	RowsRejected int  // of them, those that were not used
	Reading      Reading

	Stores []StoreAnswer
	Held   []catalog.Issue      // questions about the export as a whole; those about a store are the store's
	Issues []catalog.Issue      // as many as were kept
	Counts map[catalog.Code]int // how many there were of each code, where that is more than Issues has
}

// Reading is how the file was understood.
type Reading struct {
	Encoding  string // for support only: "windows-1252"
	Evidence  string // why that encoding, likewise
	Delimiter rune   // ';', ',', tab or '|'; 0 = there is none
	Sheet     string // of a workbook; "" for CSV
	HeaderRow int    // the row with the titles, the first of the file is 1
	Columns   []Column
}

// Column is one column that was used.
type Column struct {
	Role    string // as package feed names it: sku, price, start_date, ...
	Header  string // as written
	Number  int    // of the column, that of A is 1; 0 = not known. Issues then name its cells: C14
	Decimal string // comma or point; "" where it makes no difference
	Date    string // day-first or month-first, likewise

	Proof    string // the cell that proves Decimal or Date, "" when the config says it
	ProofRow int    // its line
}

// StoreAnswer is what the export does to one store. What is known last is what the receipt says: verified, superseded, paused, trouble,
// sent, next, in that order.
type StoreAnswer struct {
	ID, Name string // ID catalog.AllVendors: one file is for all stores
	Changes  Changes
	Moves    []Move // the largest price changes: see KeepMove
	// Waiting counts the promotions that are not sent yet because the platform has first to read the end of another one of the same
	// article, or of themselves as they were.
	Waiting int
	// Withheld counts the store's promotions that are not sent as they are, because the platform would refuse them.
	Withheld int

	Held     []catalog.Issue // findings that keep this store's part back
	HeldRows []catalog.Issue // findings that keep single rows of it back, while the rest goes
	// RejectedRows is what kept single rows of it back that do not count now: somebody decided so.
	RejectedRows []catalog.Issue
	OnlyHeld     bool      // those rows are all that is left to be sent
	Rejected     bool      // somebody decided that this store's part does not count
	Unchanged    bool      // nothing differs: nothing will be sent
	Next         time.Time // when it will be sent, or tried again
	Trouble      string    // why it has not been sent although it should have been: see [Trouble]
	Sent         time.Time // when sending began
	Verified     time.Time // when its arrival was verified; of requests, when the platform had accepted them
	Superseded   bool      // a later export took its place before it was sent

	// Of requests, which the platform works on by itself once it has accepted them.

	Requested  bool      // it went by requests
	Answered   time.Time // when the platform had told what it made of them, zero before
	Unanswered bool      // it never did, and is taken to have worked on them
	NotTaken   int       // rows that it did not take

	Paused      bool      // nothing begins to be sent to the store until an admin says so
	PausedUntil time.Time // or until this time
}

// Changes counts a store's articles and promotions by what the export changes. An article may be counted under several, but for Same
// and Missing, which count promotions where the feed is about them.
type Changes struct {
	New, PriceUp, PriceDown, SwitchedOn, SwitchedOff, Other int

	// Promotions: those that the platform is told of for the first time or again, those that end by the export, and those whose price,
	// limits or reason change.
	Started, Ended, Changed int

	Same    int // in the export, and as before
	Missing int // known, and not in a full export
}

// Folders are the names that depend on the language, inside a drop folder.
type Folders struct {
	Answers      string // the folder of answers
	Rejected     string // the folder of exports that could not be used
	AnswerSuffix string // what is put behind a file's name for the answer that lies beside it
	Workbook     string // what is put behind it for the annotated workbook
	Index        string // the page that lists the last answers, in the folder of answers
	Guide        string // the page in the drop folder that tells staff how it works
}

// FolderNames returns the names for a language.
func FolderNames(lang string) Folders {
	w := newWords(lang)
	return Folders{
		Answers:      w.say("folder.answers"),
		Rejected:     w.say("folder.rejected"),
		AnswerSuffix: w.say("folder.suffix"),
		Workbook:     w.say("folder.workbook"),
		Index:        indexName,
		Guide:        w.say("folder.guide"),
	}
}

// Heading returns what the first line of an answer with the verdict says.
func Heading(lang string, v Verdict) string { return newWords(lang).say("verdict." + string(v)) }

// Trouble returns the words for a delivery that does not get through, by the class of its failure: transient, credentials,
// host-key, permission, no-space, protocol, foreign, local. Any other class has words too.
func Trouble(lang, class string) string {
	w := newWords(lang)
	if key := "trouble." + class; w.has(key) {
		return w.say(key)
	}
	return w.say("trouble.other")
}
