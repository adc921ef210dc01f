package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
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
const readerVersion = 1

// setup is the config in the rooms' own values.
type setup struct {
	cfg     *config.Config
	brand   platform.Brand
	by      catalog.IdentifyBy
	zone    *time.Location
	vendors []catalog.Vendor
	feeds   []feedSetup
	brake   shelf.Brake

	timetables []timetable
}

// feedSetup is one feed.
type feedSetup struct {
	config.Feed
	spec        feed.Spec
	missing     shelf.Missing
	fingerprint string
}

// timetable is one schedule of one time zone.
type timetable struct {
	name    string // of the row with its last slot
	plan    schedule.Schedule
	full    bool
	targets []string
}

// Check reports what the rooms find wrong with a config that loaded: problems that only they can see, each with its place in the
// file. It touches nothing.
func Check(cfg *config.Config) []config.Problem {
	_, err := newSetup(cfg)
	return cfg.Locate(err)
}

func newSetup(cfg *config.Config) (*setup, error) {
	s := &setup{
		cfg: cfg, by: catalog.IdentifyBy(cfg.Chain.IdentifyBy),
		brake: shelf.Brake{
			Deactivate: float64(cfg.Brake.Deactivate), Shrink: float64(cfg.Brake.Shrink), MinRows: cfg.Brake.MinRows,
		},
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
	errs = append(errs, s.setTimetables())
	return s, errors.Join(errs...)
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
	fs := feedSetup{Feed: f, missing: shelf.Missing(f.Missing)}
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
		columns[field] = feed.Column{From: c.From, Decimal: c.Decimal}
	}
	fs.spec = feed.Spec{
		By: s.by, Vendors: s.vendors, Source: source, Columns: columns,
		PriceDecimals: s.cfg.Chain.PriceDecimals, Full: f.Export == "full", Encoding: table.Encoding(f.Encoding),
	}
	fs.fingerprint = fingerprint(f, s.cfg.Chain)
	return fs, nil
}

// fingerprint names everything that decides how a feed's bytes are understood.
func fingerprint(f config.Feed, c config.Chain) string {
	f.Drop, f.Match = "", nil
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

// setTimetables makes a timetable for each time zone in which there are stores: a slot is local time.
func (s *setup) setTimetables() error {
	var errs []error
	send := s.cfg.Send.Catalog
	for _, kind := range []struct {
		path, name, spec string
		full             bool
	}{
		{"send.catalog.schedule", "catalog", send.Schedule, false},
		{"send.catalog.full", "catalog full", send.Full, true},
	} {
		if kind.full && (kind.spec == "" || kind.spec == "off") {
			continue
		}
		zones := map[string]int{}
		for _, v := range s.vendors {
			i, ok := zones[v.Zone.String()]
			if !ok {
				plan, err := schedule.Parse(kind.spec, v.Zone)
				if err != nil {
					errs = append(errs, config.PathError{Path: kind.path, Err: err})
					break
				}
				i = len(s.timetables)
				zones[v.Zone.String()] = i
				s.timetables = append(s.timetables, timetable{name: kind.name + " " + v.Zone.String(), plan: plan, full: kind.full})
			}
			s.timetables[i].targets = append(s.timetables[i].targets, targetOf(v.ID))
		}
	}
	return errors.Join(errs...)
}

// Slots are when a store's next plans are made.
type Slots struct {
	Next time.Time // the next plan of either kind
	Full time.Time // the next full one, zero where none is
}

// NextSlots returns the next slots after a time of each store, in the order of the config.
func NextSlots(cfg *config.Config, after time.Time) ([]Slots, error) {
	s, err := newSetup(cfg)
	if err != nil {
		return nil, config.Problems(cfg.Locate(err))
	}
	all := make([]Slots, len(s.vendors))
	for i, v := range s.vendors {
		all[i] = s.nextSlots(targetOf(v.ID), after)
	}
	return all, nil
}

// nextSlots returns when a target's next plans are made.
func (s *setup) nextSlots(target string, after time.Time) Slots {
	var next Slots
	for _, t := range s.timetables {
		if !slices.Contains(t.targets, target) {
			continue
		}
		at := t.plan.Next(after)
		if next.Next.IsZero() || at.Before(next.Next) {
			next.Next = at
		}
		if t.full {
			next.Full = at
		}
	}
	return next
}

// targetOf returns the name of the target that a vendor's catalogue goes to.
func targetOf(vendor string) string { return string(catalog.KindCatalog) + "/" + vendor }

// vendorOf is the inverse of targetOf.
func vendorOf(target string) string { return target[strings.IndexByte(target, '/')+1:] }

// vendor returns a store of the config.
func (s *setup) vendor(id string) (catalog.Vendor, bool) {
	for _, v := range s.vendors {
		if v.ID == id {
			return v, true
		}
	}
	return catalog.Vendor{}, false
}

// targets returns the targets of all stores.
func (s *setup) targets() []string { return s.targetsOf(catalog.AllVendors) }

// targetsOf returns the targets that a layer of the scope is part of.
func (s *setup) targetsOf(scope string) []string {
	var all []string
	for _, v := range s.vendors {
		if scope == catalog.AllVendors || scope == v.ID {
			all = append(all, targetOf(v.ID))
		}
	}
	return all
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
