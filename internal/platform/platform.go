// Package platform knows the quick-commerce platform's language: what its files look like, what they are called, and what
// differs between its brands.
//
// Nobody outside can look into the platform, so every fact here bears a mark that says how sure we are:
//
//   - [doc] stands in the platform's own partner documentation,
//   - [partner] was learned from partners who run against production,
//   - [assumed] is our judgement, and
//   - [unknown] is a thing that nobody outside knows.
//
// What is assumed stands in one named constant or one function; what is unknown is left to the configuration.
//
// # Stores and chains
//
// A chain is one legal entity; the login is the chain's [doc]. A vendor is one store: the platform's own code for it, or the
// partner's code where one is mapped in the Partner Portal [doc]. Files never create a product: an article that the store's
// catalogue does not have is refused row by row [doc].
//
// # Catalogue files
//
// A file's name decides which store it is for; a file with a wrong name is never synchronised [doc]. See [FileName].
//
// A file is CSV: commas, UTF-8 without byte order mark, a header row, quotes as in RFC 4180 [partner]. Every column but the
// identifier may be left out, and every cell but the identifier may be empty; either leaves that field as it is [doc]. See
// [WriteCatalog].
//
// A stock quantity is not kept by the platform. It compares it with a threshold of its own, the sales buffer: a larger quantity
// puts the article on sale, any other takes it off [doc]. So a row says either "active" or "quantity", never both [doc]. See
// [CatalogFields].
//
// # Promotion files
//
// They have a folder of their own and the same names [doc]. A row is one campaign on one article; what the campaign is, from when
// to when, and why, stands in every row [doc]. See [WritePromotions] and [MaxPromotionRows].
//
// A promotion has no id: the platform knows it by what its row says. To end one, the same row is sent again with campaign_status 0;
// with any other change it does not work [doc]. So whoever sends promotions must remember their rows exactly.
//
// Dates are written with their time. Whose clock they mean is [unknown]; the store's is [assumed]. The price of a strikethrough must
// be above zero and below the article's current price [doc], and has 2 decimals at most [partner]. A bundle B2G1 is read as "buy 2
// at full price, get 1 more at the benefit" [assumed].
//
// # Files for several stores
//
// A file without a store in its name is for the stores that its column "vendors" names: ids with commas between them, in one cell,
// or the word all; beside all, the column "exclude" may name stores that are left out [doc]. Both say the same in every row of a
// file [partner]. The name of such a file may hold neither digit nor underscore [partner]. See [ChainName] and [Stores].
//
// # One file for both
//
// Some brands know a "single file" format instead, with the columns of both in one file and one folder; in each of its rows the
// columns of promotions are all filled or all empty [doc]. That a row may leave the columns of the catalogue empty is what an empty
// cell means there, too [assumed]. See [WriteAssortment] and [Brand].
//
// # The REST interface
//
// Each brand has one, at https with the brand's name in front [doc]. Who asks shows a bearer token: one that Partner Portal makes for
// a use (catalogue, promotions, orders) and that never expires [doc], or one that OAuth client credentials get for two hours [doc] at
// /v2/oauth/token [partner]. More than 60 requests a minute from one address get it blocked [doc]; how the platform says so before it
// does, and whether with Retry-After, is [unknown]. See [Client].
//
// An update of the catalogue, or a promotion, becomes a job, whose end is told by webhook or when asked for [doc]. A job that is
// completed may still have refused single articles [partner]: a catalogue job says so article by article, or in a CSV; a promotion job
// in lists by store [partner]. See [Job], [ReadFeedback].
//
// The catalogue that a store has at the platform is listed in pages [partner] or exported as a CSV, whose address comes by webhook [doc].
// The token goes along for it only when the address is the interface's own host; elsewhere the address is signed and needs none
// [partner]. See [Client.Download], [ReadExport].
//
// Orders are asked for one by one, or as lists of a store in a range of up to 60 days [doc]. Both paths have two forms in the
// documentation, of which one works and the other one answers 404 [partner]; which one is found out and remembered. Whether the range
// is of creations or of changes is [unknown]. See [Forms].
//
// # Events
//
// The platform sends by webhook the bare order, or the job: no envelope, no id of the event, no signature [partner]. So what an event is
// can only be told by its shape; that of a promotion job is [unknown] and [assumed] to be the one of the REST interface. Fields that
// nobody has heard of will come [doc], and what is read is kept as it came. See [ParseEvent].
//
// # Nobody knows
//
// When the platform reads a file, in which order it reads two of them, and what becomes of a file afterwards is [unknown].
package platform

import (
	"errors"
	"fmt"
	"strconv"
)

// MaxCatalogRows is how many rows a catalogue file may have [partner]. Whether the header counts is not known; partners who
// count it out have had no trouble.
const MaxCatalogRows = 1_500_000

// MaxPromotionRows is how many rows a file of promotions may have below its header: 20,000 with it [partner].
const MaxPromotionRows = 19_999

// MaxAssortmentRows is how many rows a file for both may have [assumed: as many as a catalogue file]. Nobody documents it. The limit
// of promotion files is far smaller, but to keep to it most stores would need several files, whose names are a guess as well.
const MaxAssortmentRows = MaxCatalogRows

// MaxPriceDecimals is how many decimals of a price the platform keeps: further ones are cut, not rounded. That is [doc] for the
// platform's REST interface and [assumed] for files.
const MaxPriceDecimals = 3

// MaxPromotionDecimals is how many decimals the price of a promotion may have [partner]; for the amount off of a bundle it is
// [assumed].
const MaxPromotionDecimals = 2

// maxIDLength keeps remote names well below what any file system takes (255 bytes). The platform's own ids have 4 to 7
// characters [doc]; how long a mapped id may be is [unknown].
const maxIDLength = 64

// FileName returns the remote name of a store's catalogue or promotion file: gondola_290056.csv. A store with more rows than one
// file may have gets further parts, 2 and up, under their own names: gondola2_290056.csv.
//
// The platform takes what follows the last underscore for the store [partner], so neither part may hold one. Prefix and vendor
// id must have passed [CheckPrefix] and [CheckVendorID]. A part below 2 means the plain name.
func FileName(prefix, vendorID string, part int) string {
	if part > 1 {
		prefix += strconv.Itoa(part)
	}
	return prefix + "_" + vendorID + ".csv"
}

// ChainName returns the remote name of a file for several stores: gondola.csv. Further parts have letters where [FileName] has
// digits, for a digit or an underscore would break such a file [partner]: gondolab.csv for part 2, up to gondolaz.csv for part 26,
// then gondolaaa.csv, gondolaab.csv and so on. The prefix must have passed [CheckPrefix]. A part below 2 means the plain name.
func ChainName(prefix string, part int) string {
	letters := ""
	for n := part; part > 1 && n > 0; n = (n - 1) / 26 {
		letters = string(rune('a'+(n-1)%26)) + letters
	}
	return prefix + letters + ".csv"
}

// AssortmentName returns the remote name of a store's file for both: assortment_290056.csv [doc]. The prefix is the platform's.
// How further parts are called is [assumed]: as in [FileName], assortment2_290056.csv. The vendor id must have passed
// [CheckVendorID].
func AssortmentName(vendorID string, part int) string { return FileName("assortment", vendorID, part) }

// CheckPrefix returns an error unless prefix can open the name of every file: ASCII letters only. Digits are ours, for the number
// of the part, and a digit or underscore in a prefix breaks files for several stores [partner].
func CheckPrefix(prefix string) error {
	if prefix == "" {
		return errors.New("the prefix of remote names is empty; use letters, such as gondola")
	}
	if len(prefix) > maxIDLength {
		return fmt.Errorf("prefix %q has %d characters; use at most %d letters", prefix, len(prefix), maxIDLength)
	}
	for i := range len(prefix) {
		if !isLetter(prefix[i]) {
			return fmt.Errorf("prefix %q holds more than letters; use only a to z and A to Z, such as gondola", prefix)
		}
	}
	return nil
}

// CheckVendorID returns an error unless id can be a store's id in the name of a file: ASCII letters, digits and hyphens.
func CheckVendorID(id string) error {
	if id == "" {
		return errors.New("the vendor id is empty; copy the store's code from the Partner Portal")
	}
	if len(id) > maxIDLength {
		return fmt.Errorf("vendor id %q has %d characters; use at most %d", id, len(id), maxIDLength)
	}
	for i := range len(id) {
		if c := id[i]; !isLetter(c) && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("vendor id %q holds more than letters, digits and hyphens; copy the store's code from the Partner Portal", id)
		}
	}
	return nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
