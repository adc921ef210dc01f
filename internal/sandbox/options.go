package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"
)

// The defaults of Options.
const (
	DefaultListen     = "127.0.0.1:0" // a free port of this machine only
	DefaultCatalog    = "catalog"     // the folder's name in production; documentation spells it Catalog
	DefaultPromotions = "promotions"  // the folder's name in production; documentation spells it Promotions
	DefaultAssortment = "assortment"  // documentation spells it Assortment; the case in production is not known
	DefaultMaxRows    = 1_500_000     // rows a file may have, from partners who run against production
	DefaultSessions   = 10            // SFTP sessions on one connection, as OpenSSH allows

	// DefaultMaxPromotionRows is how many rows a promotion file may have with its header, from partners who run against production.
	DefaultMaxPromotionRows = 20_000
)

// Fate is what becomes of a file once it was read. What the real platform does is not known.
type Fate string

// The fates.
const (
	Keep Fate = "keep" // it stays, and is read again only when it changed
	Eat  Fate = "eat"  // it is deleted by name, whatever lies under the name by then
	Move Fate = "move" // it is moved by name into the folder MovedTo beside it, in place of what lies there, likewise
)

// MovedTo is the folder, in the one that a file was read from, that Move moves it into.
const MovedTo = "processed"

// Options is a sandbox to be. Dir, User and one of Password and AuthorizedKeys are needed; the rest has defaults.
type Options struct {
	// Dir is the sandbox's folder, created if missing: home/ is what SFTP shows, host_key is the server's key.
	Dir string
	// SFTPListen and HTTPListen are addresses to listen on; port 0 takes a free one. Default DefaultListen.
	SFTPListen, HTTPListen string

	// User and Password are the chain's login. Without a Password only keys are accepted.
	User, Password string
	// AuthorizedKeys are lines of an OpenSSH authorized_keys file.
	AuthorizedKeys []string
	// Home is what the server calls the login's home: absolute, and not the root, as on the real server. Default /home/<User>.
	// Relative paths of clients start here, and nothing outside of it can be reached.
	Home string

	// Chain is the partner's name, for the page.
	Chain string
	// Vendors are the stores with what is on their shelves. Nothing that arrives, in whatever way, creates an article.
	Vendors []Vendor
	// Zone is the zone in which the dates of promotions are read, for stores without one of their own. Default UTC.
	Zone *time.Location

	// ScanEvery is how often the platform looks for files. 0: only when Scan is called.
	ScanEvery time.Duration
	// OrderSeed makes each scan read the files in a random order of its own; 0 reads them sorted by path.
	OrderSeed uint64
	// Fate is what becomes of files that were read. Default Keep.
	Fate Fate
	// OnRead is called after a file was read and before it is eaten and its rows are applied, without any lock held: the moment
	// at which a real client may replace it. The path is relative to home. It must not call Scan.
	OnRead func(path string)
	// CatalogFolder, PromotionsFolder and AssortmentFolder are the scanned folders' names, compared without regard to case. They
	// are not created. Defaults DefaultCatalog, DefaultPromotions, DefaultAssortment. Files in the last one are read only where
	// Rules.SingleFile says that the brand has it.
	CatalogFolder, PromotionsFolder, AssortmentFolder string

	Features Features
	Limits   Limits
	Rules    Rules

	// API is the REST interface, Webhook is where events go.
	API     API
	Webhook Webhook

	// ClockAhead is how far the server's clock is ahead of this machine's, as the times of its files and orders show it.
	ClockAhead time.Duration

	// Now is the clock of everything that is stamped; default time.Now.
	Now func() time.Time
	// Log gets one line per session, file and fault; default none.
	Log *slog.Logger
}

// Vendor is one store of the chain.
type Vendor struct {
	ID       string // the platform's code
	Name     string
	Articles []Article
	// Zone is the store's time zone; nil takes that of the options.
	Zone *time.Location
}

// Article is one product on a store's shelf, and the JSON of /shelf/<vendor>.json.
type Article struct {
	SKU     string `json:"sku"`
	Barcode string `json:"barcode"`
	Name    string `json:"name"`
	// Price is decimal text in its shortest form: "10.5", "990". "" is a product that never had a price.
	Price  string `json:"price"`
	Active bool   `json:"active"`
	// SalesBuffer is the stock threshold that a quantity is compared with: above it the article is active.
	SalesBuffer int `json:"sales_buffer"`
	// MaxSales is how many units one order may hold; 0 is no limit.
	MaxSales int `json:"maximum_sales_quantity"`
}

// fill returns o with its defaults, or says what is missing.
func (o Options) fill() (Options, error) {
	switch {
	case o.Dir == "":
		return o, errors.New("check sandbox options: no folder; set Dir")
	case o.User == "" || (o.Password == "" && len(o.AuthorizedKeys) == 0):
		return o, errors.New("check sandbox options: nobody could log in; set User and Password or AuthorizedKeys")
	case sameFolder(o):
		return o, errors.New("check sandbox options: two of the folders have one name; give each its own")
	case o.Fate != "" && o.Fate != Keep && o.Fate != Eat && o.Fate != Move:
		return o, fmt.Errorf("check sandbox options: unknown fate %q; use keep, eat or move", o.Fate)
	}
	o.SFTPListen = either(o.SFTPListen, DefaultListen)
	o.HTTPListen = either(o.HTTPListen, DefaultListen)
	o.Home = path.Clean("/" + either(o.Home, "home/"+o.User))
	o.Fate = Fate(either(string(o.Fate), string(Keep)))
	o.CatalogFolder = either(o.CatalogFolder, DefaultCatalog)
	o.PromotionsFolder = either(o.PromotionsFolder, DefaultPromotions)
	o.AssortmentFolder = either(o.AssortmentFolder, DefaultAssortment)
	o.API.fill()
	if o.Webhook.Timeout == 0 {
		o.Webhook.Timeout = DefaultWebhookTimeout
	}
	if o.Webhook.Senders == 0 {
		o.Webhook.Senders = DefaultSenders
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	o.Vendors = slices.Clone(o.Vendors)
	for i, v := range o.Vendors {
		if v.Zone == nil {
			o.Vendors[i].Zone = o.Zone
		}
	}
	if o.Limits.MaxSessions == 0 {
		o.Limits.MaxSessions = DefaultSessions
	}
	if o.Rules.MaxRows == 0 {
		o.Rules.MaxRows = DefaultMaxRows
	}
	if o.Rules.MaxPromotionRows == 0 {
		o.Rules.MaxPromotionRows = DefaultMaxPromotionRows
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// either returns s, or what to use instead of an empty one.
func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// sameFolder reports whether two of the scanned folders could not be told apart.
func sameFolder(o Options) bool {
	names := []string{
		strings.ToLower(either(o.CatalogFolder, DefaultCatalog)),
		strings.ToLower(either(o.PromotionsFolder, DefaultPromotions)),
		strings.ToLower(either(o.AssortmentFolder, DefaultAssortment)),
	}
	slices.Sort(names)
	return len(slices.Compact(names)) < len(names)
}
