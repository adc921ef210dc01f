package config

import (
	"fmt"
	"time"
)

// The defaults, each beside its reason. Duration, Size and Percent convert to and from plain numbers.
const (
	DefaultBrand         = "pedidosya"
	DefaultLanguage      = "es"
	DefaultIdentifyBy    = "sku"
	DefaultPriceDecimals = 2

	DefaultStateDir        = "state"
	DefaultMinFree         = Size(500e6)         // an archive, a database and their copies still fit
	DefaultRetentionDrops  = Duration(90 * day)  // a quarter: what a dispute with a supplier or the platform looks back on
	DefaultRetentionLayers = Duration(90 * day)  // as long as the drops they came from
	DefaultRetentionLedger = Duration(730 * day) // two years: what an auditor asks for, in rows of some hundred bytes

	DefaultPort          = 22
	DefaultPrefix        = "gondola"
	DefaultFolderCatalog = "catalog"                  // lower case is what production homes show
	DefaultFolderPromos  = "promotions"               // likewise
	DefaultFolderBoth    = "assortment"               // documented as Assortment; its case on servers is not known
	DefaultReadWindow    = Duration(2 * time.Hour)    // assumed: nobody outside knows when the platform reads
	DefaultParallel      = 256                        // all over one session: on long lines files side by side are all that helps
	MostParallel         = 256                        // of more each takes longer, and nothing gets faster
	DefaultClockSkew     = Duration(2 * time.Minute)  // beyond what a machine without time service drifts in a month
	DefaultStallTimeout  = Duration(30 * time.Second) // longer than a hiccup of the line, shorter than an operator's patience
	DefaultReadBack      = Size(16e6)                 // half a million rows; read back in seconds where they were sent in seconds
	DefaultSettle        = Duration(2 * time.Second)  // several looks at a file that is still being copied
	DefaultQuiet         = Duration(60 * time.Second) // an ERP that pauses in mid-file is back by then
	DefaultMaxWait       = Duration(10 * time.Minute) // a stuck earlier file must not hold up the day
	DefaultScan          = Duration(15 * time.Second) // network shares send no events: only looking finds their files

	DefaultKind     = "catalog"
	DefaultExport   = "partial" // the harmless one: what is not in the export stays as it is
	DefaultMissing  = "keep"
	DefaultEncoding = "auto"
	DefaultInStore  = "refuse" // a misread barcode reprices another article

	DefaultFormat  = FormatDouble  // every brand reads it
	DefaultVendors = VendorsListed // all would reach stores that this config does not know
	DefaultShape   = ShapeVendor   // a store with a price of its own needs no other file

	DefaultSchedule      = "*/15 6-23 * * *"
	DefaultFull          = "30 4 * * *" // before the shops open
	DefaultMaxRows       = 1_500_000    // the platform takes no more in one file
	DefaultPromoSchedule = "5 * * * *"  // around the clock: what begins at midnight must be there by then
	DefaultPromoFull     = "35 4 * * *" // after the prices that they are held against
	DefaultPromoMaxRows  = 19_999       // the platform takes 20,000 with the header

	DefaultDeactivate = Percent(0.20)
	DefaultShrink     = Percent(0.30)
	DefaultNew        = Limit(0.50) // half of an export unknown is another store's, or another code's
	DefaultEqual      = Limit(0.90)
	DefaultMinRows    = 50
	DefaultPrice      = Limit(0.40) // beyond any offer of a catalogue, below a lost decimal
	DefaultSameFactor = Limit(0.60)
	DefaultDiscount   = Limit(0.70) // a 2nd at half price is 25 %, 2x1 is 50 %
	DefaultUnknown    = UnknownHold
	DefaultFirstOff   = Percent(0.80)           // stock lists have most of what a shop ever sold
	DefaultApproval   = Duration(4 * time.Hour) // covers the next exports of the same morning, not tomorrow's
)

// DefaultMatch returns the patterns of everything a table can be in. Old Excel files can't be read and are matched all the same:
// whoever drops one gets an answer that says how to save it, instead of a file that nobody touches.
func DefaultMatch() []string {
	return []string{"*.csv", "*.tsv", "*.txt", "*.xlsx", "*.xlsm", "*.xls"}
}

// defaults is the config of an empty file.
func defaults() *Config {
	return &Config{
		Chain: Chain{
			Brand: DefaultBrand, Language: DefaultLanguage, IdentifyBy: DefaultIdentifyBy, PriceDecimals: DefaultPriceDecimals,
		},
		State:     State{Dir: DefaultStateDir, MinFree: DefaultMinFree},
		Retention: Retention{Drops: DefaultRetentionDrops, Layers: DefaultRetentionLayers, Ledger: DefaultRetentionLedger, Orders: DefaultRetentionOrders},
		SFTP: SFTP{
			Port: DefaultPort, Prefix: DefaultPrefix,
			Folders:    Folders{Catalog: DefaultFolderCatalog, Promotions: DefaultFolderPromos, Assortment: DefaultFolderBoth},
			ReadWindow: DefaultReadWindow, Parallel: DefaultParallel, StallTimeout: DefaultStallTimeout, ClockSkew: DefaultClockSkew,
			ReadBack: DefaultReadBack,
		},
		Drops: Drops{Settle: DefaultSettle, Quiet: DefaultQuiet, MaxWait: DefaultMaxWait, Scan: DefaultScan},
		Send: Send{
			Format: DefaultFormat, Vendors: DefaultVendors,
			Catalog:    SendKind{Schedule: DefaultSchedule, Full: DefaultFull, Shape: DefaultShape, MaxRows: DefaultMaxRows, By: BySFTP},
			Promotions: SendKind{Schedule: DefaultPromoSchedule, Full: DefaultPromoFull, Shape: DefaultShape, MaxRows: DefaultPromoMaxRows, By: BySFTP},
		},
		Brake: Brake{
			Deactivate: DefaultDeactivate, Shrink: DefaultShrink, NewArticles: DefaultNew, EqualPrices: DefaultEqual, MinRows: DefaultMinRows,
			PriceChange: DefaultPrice, SameFactor: DefaultSameFactor, Discount: DefaultDiscount, UnknownArticles: DefaultUnknown,
			Approval: DefaultApproval, FirstPush: FirstPush{Deactivate: DefaultFirstOff},
		},
		API: API{PerMinute: DefaultPerMinute, Timeout: DefaultAPITimeout},
		Orders: Orders{
			Expect:  ExpectUsual,
			Webhook: Webhook{Path: DefaultWebhookPath},
			Poll:    Poll{Every: DefaultPollEvery, Overlap: DefaultPollOverlap},
			Export: OrderExport{
				On: DefaultOrderStates(), OnChange: OnChangeExport, Format: OrderCSV, Name: DefaultOrderName,
				Decimal: "point", Separator: "comma", Encoding: "utf-8",
			},
		},
		AlertsAfter: DefaultAlertsAfter, AlertsRemind: TimeOfDay{On: true, At: DefaultAlertsRemind},
		Web: Web{Open: DefaultOpen()},
	}
}

// element is a list entry with defaults of its own, set before the file's values go on top.
type element interface{ setDefaults() }

func (f *Feed) setDefaults() {
	f.Kind, f.Export, f.Missing, f.Encoding = DefaultKind, DefaultExport, DefaultMissing, DefaultEncoding
	f.Match, f.InStore = DefaultMatch(), DefaultInStore
	f.Expect.Days = Workdays()
}

// finish fills in what depends on other values and normalizes what may be written in several ways.
func (c *Config) finish(dir string) {
	for i := range c.Vendors {
		v := &c.Vendors[i]
		if v.Name == "" {
			v.Name = v.ID
		}
		if v.TimeZone == "" {
			v.TimeZone = c.Chain.TimeZone
		}
	}
	for _, path := range []*string{&c.State.Dir, &c.SFTP.Key, &c.SFTP.KnownHosts} {
		*path = absolute(dir, *path)
	}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		f.Drop = absolute(dir, f.Drop)
		if _, written := c.file.at[fmt.Sprintf("feeds[%d].expect.same_for", i)]; !written && f.Export == "full" {
			f.Expect.SameFor = DefaultSameFor // a partial one may well say the same for a week: nothing, say
		}
	}
	for i := range c.Alerts {
		c.Alerts[i].finish(dir)
	}
	for _, value := range c.switches() {
		if *value == scheduleOff {
			*value = ""
		}
	}
	if !c.file.written("send.catalog.max_rows") && c.Send.Catalog.By == ByAPI {
		c.Send.Catalog.MaxRows = DefaultRequestRows
	}
	c.Orders.finish(dir)
	c.Web.finish(dir, c.file.written("web.open"))
}

// switches returns the texts that are off in the file and "" here where there is nothing.
func (c *Config) switches() []*string {
	return []*string{
		&c.Send.Catalog.Full, &c.Send.Promotions.Full, &c.Web.Listen, &c.Orders.Webhook.Listen, &c.Orders.Export.Dir, &c.Audit.Schedule,
	}
}

// scheduleOff is the readable form of an empty schedule.
const scheduleOff = "off"
