// Package config knows the YAML file that an admin writes: its keys, their defaults, and the place of each in the file.
//
// It turns the file into plain values and never stops at the first mistake: every problem is reported at once, each with file,
// line, column, the offending text and the valid choices. It knows no rule of another room. A room that finds fault with a value
// returns an error that carries the config path, and [Config.Problem] turns the path into a place in the file.
package config

import "time"

// Config is the whole file, with defaults filled in and paths made absolute (relative ones count from the file's folder).
type Config struct {
	Chain     Chain     `yaml:"chain"`
	Vendors   []Vendor  `yaml:"vendors"`
	State     State     `yaml:"state"`
	Retention Retention `yaml:"retention"`
	SFTP      SFTP      `yaml:"sftp"`
	Drops     Drops     `yaml:"drops"`
	Feeds     []Feed    `yaml:"feeds"`
	Send      Send      `yaml:"send"`
	Brake     Brake     `yaml:"brake"`
	API       API       `yaml:"api"`
	Orders    Orders    `yaml:"orders"`
	Audit     Audit     `yaml:"audit"`

	Alerts      []Alert  `yaml:"alerts"`       // who is told when a person is needed; default nobody
	AlertsAfter Duration `yaml:"alerts_after"` // trouble that may pass by itself is told when it has lasted so long; default 15m
	// AlertsRemind is when what still stands is said again, in the chain's local time; default 09:00.
	AlertsRemind TimeOfDay `yaml:"alerts_remind"`
	Web          Web       `yaml:"web"`

	// Warnings are what was found besides: nothing that keeps the daemon from starting.
	Warnings []Problem `yaml:"-"`
	// Digest is the SHA-256 of the file's bytes, in hex.
	Digest string `yaml:"-"`

	file positions
}

// Chain is the partner's legal entity at the platform.
type Chain struct {
	ID            string `yaml:"id"`             // the platform's UUID of the chain
	Brand         string `yaml:"brand"`          // one of platform's brand profiles; default pedidosya
	TimeZone      string `yaml:"time_zone"`      // IANA name, the local time of schedules
	Language      string `yaml:"language"`       // es, pt or en: what receipts speak; default es
	IdentifyBy    string `yaml:"identify_by"`    // sku or barcode; default sku
	PriceDecimals int    `yaml:"price_decimals"` // 0 to 3: the currency's; default 2 (Chile and Paraguay: 0)
}

// Vendor is one store.
type Vendor struct {
	ID       string `yaml:"id"`        // letters, digits, hyphens
	Name     string `yaml:"name"`      // for people; default the id
	ERPCode  string `yaml:"erp_code"`  // what the ERP calls the store; optional
	TimeZone string `yaml:"time_zone"` // default the chain's
}

// State is where the daemon keeps what it must not forget.
type State struct {
	Dir     string `yaml:"dir"`      // on a local disk; default state
	MinFree Size   `yaml:"min_free"` // with less free space no drop is taken; default 500MB
}

// Retention is how long things are kept. What the shelf still stands on is never removed.
type Retention struct {
	Drops  Duration `yaml:"drops"`  // archived exports; default 90d
	Layers Duration `yaml:"layers"` // old shelves and sent documents; default 90d
	Ledger Duration `yaml:"ledger"` // rows of the ledger; default 730d
	Orders Duration `yaml:"orders"` // what orders say of customers; default 60d
}

// SFTP is the platform's server.
type SFTP struct {
	Host          string   `yaml:"host"`
	Port          int      `yaml:"port"` // default 22
	User          string   `yaml:"user"`
	Password      Secret   `yaml:"password"`       // a reference; see Secret
	Key           string   `yaml:"key"`            // path of a private key; with or instead of the password
	KeyPassphrase Secret   `yaml:"key_passphrase"` // for an encrypted key
	HostKeys      []string `yaml:"host_keys"`      // SHA256:… fingerprints, any of which is accepted
	KnownHosts    string   `yaml:"known_hosts"`    // path of an OpenSSH known_hosts file; with or instead of host_keys
	Prefix        string   `yaml:"prefix"`         // of remote names, letters only; default gondola
	Folders       Folders  `yaml:"folders"`
	ReadWindow    Duration `yaml:"read_window"`   // a file that lay there so long counts as read; default 2h [unknown outside]
	Parallel      int      `yaml:"parallel"`      // files on their way at once, over one session, 1 to 256; default 256
	ClockSkew     Duration `yaml:"clock_skew"`    // with more between the server's clock and ours promotions are held; default 2m
	StallTimeout  Duration `yaml:"stall_timeout"` // no byte moved for so long: the connection is cut; default 30s
	ReadBack      Size     `yaml:"read_back"`     // files up to this size are read back and compared before they count; default 16MB
}

// Folders are the remote folders, relative to the login's home.
type Folders struct {
	Catalog    string `yaml:"catalog"`    // default catalog
	Promotions string `yaml:"promotions"` // default promotions
	Assortment string `yaml:"assortment"` // of files for both; default assortment
}

// Drops is how drop folders are watched.
type Drops struct {
	Settle  Duration `yaml:"settle"`   // a file must look the same for so long; default 2s
	Quiet   Duration `yaml:"quiet"`    // a file whose last line is not ended is taken after so long; default 60s
	MaxWait Duration `yaml:"max_wait"` // a later file waits at most so long for an earlier one; default 10m
	Scan    Duration `yaml:"scan"`     // the folder is looked through at least so often; default 15s
}

// Feed is one kind of export that arrives in one drop folder.
type Feed struct {
	Name     string            `yaml:"name"`
	Kind     string            `yaml:"kind"`     // catalog or promotions; default catalog
	Priority int               `yaml:"priority"` // of two feeds that say the same thing the higher one counts; default 0
	Drop     string            `yaml:"drop"`     // folder
	Match    []string          `yaml:"match"`    // file name patterns, case ignored; default everything a table can be in
	Export   string            `yaml:"export"`   // full or partial; default partial
	Missing  string            `yaml:"missing"`  // keep or deactivate: articles, or promotions, that a full export no longer has; default keep
	Vendor   VendorSource      `yaml:"vendor"`
	Encoding string            `yaml:"encoding"` // auto, utf-8, utf-16le, utf-16be, windows-1252, iso-8859-15, cp850; default auto
	Columns  map[string]Column `yaml:"columns"`  // by field: sku, barcode, price, ...; which ones there are depends on kind
	Campaign string            `yaml:"campaign"` // of promotions whose row names none; default Oferta
	Reason   string            `yaml:"reason"`   // of promotions whose row gives none; default competitiveness
	InStore  string            `yaml:"in_store"` // refuse or accept: the barcodes that a shop gives out itself; default refuse
	Rules    Rules             `yaml:"rules"`
	MaxAge   Duration          `yaml:"max_age" json:"-"` // older exports do not begin to count; default 0, any age. No part of how bytes are understood
	Expect   Expect            `yaml:"expect" json:"-"`  // nor is this
}

// Expect is when the silence of a feed is an alarm.
type Expect struct {
	By      TimeOfDay `yaml:"by"`       // an export comes between midnight and this time, in the chain's local time; default off
	Days    Days      `yaml:"days"`     // on these days; default mon-fri
	SameFor Duration  `yaml:"same_for"` // exports that are the same, byte for byte, for so long; 0 = never; default 3d for full exports, else 0
}

// VendorSource says how an export tells which store it is about. Exactly one is set. In YAML `vendor: all` is short for all.
type VendorSource struct {
	Column   string   `yaml:"column"`    // a column with the store's erp_code or id
	FileName string   `yaml:"file_name"` // a regular expression with a group erp_code or id
	IDs      []string `yaml:"ids"`       // always these stores
	All      bool     `yaml:"all"`       // every store of the chain
}

// Column says where a field comes from, where header matching does not find it itself. In YAML `price: Precio` is short for
// `price: {from: Precio}`.
type Column struct {
	From    string `yaml:"from"`    // the header, compared without case, accents and punctuation
	Decimal string `yaml:"decimal"` // comma or point; "" = proved from the column
	Date    string `yaml:"date"`    // day-first or month-first; "" = proved from the column
}

// Send is what leaves when, by kind, and in which files.
type Send struct {
	Format     string   `yaml:"format"`  // double: a file for each kind; single: one for both, where the brand reads such; default double
	Vendors    string   `yaml:"vendors"` // what files for the chain name: listed, the stores of this config, or all; default listed
	Exclude    []string `yaml:"exclude"` // stores that all leaves out
	Catalog    SendKind `yaml:"catalog"`
	Promotions SendKind `yaml:"promotions"`
}

// The values of Send.Format, of Send.Vendors and of SendKind.Shape.
const (
	FormatDouble = "double"
	FormatSingle = "single"

	VendorsListed = "listed"
	VendorsAll    = "all"

	ShapeVendor = "vendor"
	ShapeChain  = "chain"
)

// SendKind is when documents of a kind are sent, and in which shape.
type SendKind struct {
	Schedule string `yaml:"schedule"` // cron, in the store's local time: send what differs
	Full     string `yaml:"full"`     // cron: send everything; off in the file and "" here = never
	Shape    string `yaml:"shape"`    // vendor: a file for each store; chain: one for all of them; default vendor
	MaxRows  int    `yaml:"max_rows"` // a document has at most so many rows; default the platform's limit for files, 1000 for requests
	By       string `yaml:"by"`       // sftp: as files; api: as requests; default sftp
}

// Brake is when something is held back for a person to look at: an export, or single rows of what would leave.
type Brake struct {
	Deactivate  Percent `yaml:"deactivate"`   // share of the articles on sale that would be switched off; default 20%
	Shrink      Percent `yaml:"shrink"`       // share of the articles that a full export has fewer than the last; default 30%
	NewArticles Limit   `yaml:"new_articles"` // share of an export's articles that were not in those before; default 50%
	EqualPrices Limit   `yaml:"equal_prices"` // share of an export's prices that are one and the same; default 90%
	MinRows     int     `yaml:"min_rows"`     // smaller shelves are not braked by shares; default 50

	PriceChange     Limit  `yaml:"price_change"`     // a price that moves by more is held; default 40%
	SameFactor      Limit  `yaml:"same_factor"`      // share of a shelf's prices that move by one factor that looks like a slip; default 60%
	Discount        Limit  `yaml:"discount"`         // a promotion that takes more off is held; default 70%
	UnknownArticles string `yaml:"unknown_articles"` // hold or send: promotions of articles that the catalogue does not have; default hold

	Approval      Duration  `yaml:"approval"`        // how long an approval covers the same finding; default 4h
	ApproveByFile bool      `yaml:"approve_by_file"` // a file APROBAR-12 in the drop folder approves drop 12; default false
	FirstPush     FirstPush `yaml:"first_push"`
}

// FirstPush is the brake of a store that was never sent anything: there is nothing to compare with.
type FirstPush struct {
	Deactivate Percent `yaml:"deactivate"` // share of the articles of a first export that are off; default 80%
	Ask        bool    `yaml:"ask"`        // nothing is sent to a new store before somebody has approved it; default false
}

// The values of Brake.UnknownArticles.
const (
	UnknownHold = "hold"
	UnknownSend = "send"
)

// Duration is a Go duration in which d (24 hours) is allowed too: 90d, 2h30m.
type Duration time.Duration

// Size is a number of bytes, written 500MB, 2GB, 64KiB.
type Size int64

// Percent is a share between 0 and 1, written 20%.
type Percent float64

// Limit is a share from which on the brake holds, written 40%, up to 1000%, or off: then it is infinite.
type Limit float64

// Rate is a change in thousandths of a percent, written 8% or -5.5%.
type Rate int64

// VAT is a [Rate] that can't be written without its sign: +22% puts the tax on a price, -22% takes it out.
type VAT Rate

// Amount is a sum in thousandths of the currency's unit, written 99.90; 0 is written off, too.
type Amount int64

// TimeOfDay is a time by the clock on the wall, written 09:30, or off: then it is the zero TimeOfDay.
type TimeOfDay struct {
	On bool
	At time.Duration // since midnight, in whole minutes
}

// Days are days of the week, written mon-fri, or mon,wed,sat.
type Days [7]bool // by time.Weekday

// Ending is how prices end, written .90, 9 or 990: Tail above a multiple of Every. The zero Ending is written off.
type Ending struct{ Tail, Every Amount }
