package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/feed"
	"gondola/internal/platform"
	"gondola/internal/schedule"
	"gondola/internal/shelf"
	"gondola/internal/table"
)

// readerVersion is part of every feed's fingerprint. It is raised when the same bytes would be understood differently, so that the
// exports behind the current layers are read again.
const readerVersion = 3

// setup is the config in the rooms' own values.
type setup struct {
	cfg     *config.Config
	brand   platform.Brand
	by      catalog.IdentifyBy
	zone    *time.Location
	vendors []catalog.Vendor
	feeds   []feedSetup
	brake   shelf.Brake
	targets []Target
	// chainPrices says that an article costs the same in every store, because every feed with prices is for all of them.
	chainPrices bool

	timetables []timetable
	orders     orderSetup

	audits    bool // there is a schedule for them
	auditPlan schedule.Schedule
}

// feedSetup is one feed.
type feedSetup struct {
	config.Feed
	kind        catalog.Kind
	spec        feed.Spec
	missing     shelf.Missing
	fingerprint string
}

// Check reports what the rooms find wrong with a config that loaded: problems that only they can see, each with its place in the
// file. It touches nothing.
func Check(cfg *config.Config) []config.Problem {
	_, err := newSetup(cfg)
	return append(cfg.Locate(err), sweepProblems(cfg)...)
}

func newSetup(cfg *config.Config) (*setup, error) {
	s := &setup{
		cfg: cfg, by: catalog.IdentifyBy(cfg.Chain.IdentifyBy),
		brake: brakeOf(cfg.Brake),
	}
	var errs []error
	fault := func(path string, err error) { errs = append(errs, config.PathError{Path: path, Err: err}) }

	var ok bool
	if s.brand, ok = platform.LookupBrand(cfg.Chain.Brand); !ok {
		fault("chain.brand", fmt.Errorf("unknown brand %q (known: %s)", cfg.Chain.Brand, strings.Join(platform.BrandNames(), ", ")))
	}
	var err error
	if s.zone, err = time.LoadLocation(cfg.Chain.TimeZone); err != nil {
		fault("chain.time_zone", err)
		s.zone = time.UTC
	}
	if err := platform.CheckPrefix(cfg.SFTP.Prefix); err != nil {
		fault("sftp.prefix", err)
	}
	for i, v := range cfg.Vendors {
		if err := platform.CheckVendorID(v.ID); err != nil {
			fault(fmt.Sprintf("vendors[%d].id", i), err)
		}
		zone := s.zone
		if v.TimeZone != "" {
			if zone, err = time.LoadLocation(v.TimeZone); err != nil {
				fault(fmt.Sprintf("vendors[%d].time_zone", i), err)
				zone = s.zone
			}
		}
		s.vendors = append(s.vendors, catalog.Vendor{ID: v.ID, Name: v.Name, ERPCode: v.ERPCode, Zone: zone})
	}
	for i, f := range cfg.Feeds {
		fs, err := s.newFeed(f)
		if err == nil {
			err = fs.spec.Check()
		}
		for _, e := range flatten(err) {
			path := fmt.Sprintf("feeds[%d]", i)
			if spec, ok := errors.AsType[*feed.SpecError](e); ok {
				path, e = path+"."+spec.Path, spec.Err
			}
			fault(path, e)
		}
		s.feeds = append(s.feeds, fs)
	}
	if cfg.Send.Format == config.FormatSingle && ok && !s.brand.SingleFile {
		fault("send.format", fmt.Errorf("the brand %q reads no single files; write double", cfg.Chain.Brand))
	}
	s.checkRequests(fault)
	s.checkPage(fault)
	s.setTargets()
	errs = append(errs, s.setTimetables(), s.setOrders(), s.setAudit())
	return s, errors.Join(errs...)
}

// brakeOf takes over the limits of the brake.
func brakeOf(b config.Brake) shelf.Brake {
	return shelf.Brake{
		Deactivate: float64(b.Deactivate), Shrink: float64(b.Shrink), New: float64(b.NewArticles), Equal: float64(b.EqualPrices),
		MinRows: b.MinRows, FirstDeactivate: float64(b.FirstPush.Deactivate), FirstAsk: b.FirstPush.Ask,
		PriceChange: float64(b.PriceChange), SameFactor: float64(b.SameFactor), Discount: float64(b.Discount),
		Unknown: b.UnknownArticles == config.UnknownHold,
	}
}

// flatten returns the errors that were joined into one.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func (s *setup) newFeed(f config.Feed) (feedSetup, error) {
	fs := feedSetup{Feed: f, kind: catalog.Kind(f.Kind), missing: shelf.Missing(f.Missing)}
	source := feed.VendorSource{Column: f.Vendor.Column, IDs: f.Vendor.IDs, All: f.Vendor.All}
	if f.Vendor.FileName != "" {
		// As in match, case does not count: who exports stock_001.csv one day exports STOCK_001.CSV the other.
		re, err := regexp.Compile("(?i)" + f.Vendor.FileName)
		if err != nil {
			return fs, fmt.Errorf("vendor.file_name: %w", err)
		}
		source.FileName = re
	}
	columns := make(map[string]feed.Column, len(f.Columns))
	for field, c := range f.Columns {
		columns[field] = feed.Column{From: c.From, Decimal: c.Decimal, Date: c.Date}
	}
	fs.spec = feed.Spec{
		Kind: fs.kind, By: s.by, Vendors: s.vendors, Source: source, Columns: columns, Campaign: f.Campaign, Reason: f.Reason,
		PriceDecimals: s.cfg.Chain.PriceDecimals, Full: f.Export == "full", Encoding: table.Encoding(f.Encoding),
		InStore: feed.InStore(f.InStore), Rules: rulesOf(f.Rules),
	}
	fs.fingerprint = fingerprint(f, s.cfg.Chain)
	return fs, nil
}

// fingerprint names everything that decides how a feed's bytes are understood.
func fingerprint(f config.Feed, c config.Chain) string {
	f.Drop, f.Match, f.Priority = "", nil, 0
	text, err := json.Marshal(struct {
		Version  int
		Feed     config.Feed
		By       string
		Decimals int
	}{readerVersion, f, c.IdentifyBy, c.PriceDecimals})
	if err != nil {
		panic(fmt.Sprintf("daemon: encode feed: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// vendor returns a store of the config.
func (s *setup) vendor(id string) (catalog.Vendor, bool) {
	for _, v := range s.vendors {
		if v.ID == id {
			return v, true
		}
	}
	return catalog.Vendor{}, false
}

// feed returns a feed of the config by name.
func (s *setup) feed(name string) (feedSetup, bool) {
	for _, f := range s.feeds {
		if f.Name == name {
			return f, true
		}
	}
	return feedSetup{}, false
}

// says returns the fields that a document of the chain's brand holds for an item.
func (s *setup) says(it catalog.Item) catalog.Fields {
	f := platform.CatalogFields(it)
	if !s.brand.MaxSales {
		f &^= catalog.MaxSales
	}
	return f
}
