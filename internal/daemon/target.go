package daemon

import (
	"context"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/platform"
	"gondola/internal/shelf"
)

// Target is where one plan goes: a store, or the chain as a whole, and a kind. Its text is its name in the database.
type Target struct {
	Kind   catalog.Kind
	Vendor string // a store's id, or catalog.AllVendors for files that are for the whole chain
}

// String returns the target's name.
func (t Target) String() string { return string(t.Kind) + "/" + t.Vendor }

// parseTarget is the inverse of String.
func parseTarget(name string) Target {
	kind, vendor, _ := strings.Cut(name, "/")
	return Target{catalog.Kind(kind), vendor}
}

// holds reports whether the target's shelf shows what feeds of a kind say.
func (t Target) holds(kind catalog.Kind) bool {
	return t.Kind == kind || t.Kind == catalog.KindAssortment
}

// scopes returns the scopes of the layers that the target's shelf is made of, the lowest first.
func (t Target) scopes() []string {
	if t.Vendor == catalog.AllVendors {
		return []string{catalog.AllVendors}
	}
	return []string{catalog.AllVendors, t.Vendor}
}

// setTargets works out where plans go: by the kinds that there are feeds of, and the shape in which each is sent.
func (s *setup) setTargets() {
	type shelfKind struct {
		kind  catalog.Kind
		chain bool
	}
	var kinds []shelfKind
	if s.cfg.Send.Format == config.FormatSingle {
		kinds = append(kinds, shelfKind{kind: catalog.KindAssortment})
	} else {
		for _, kind := range []catalog.Kind{catalog.KindCatalog, catalog.KindPromotions} {
			if s.hasFeed(kind) {
				kinds = append(kinds, shelfKind{kind, s.sendKind(kind).Shape == config.ShapeChain})
			}
		}
	}
	s.chainPrices = true
	for _, f := range s.feeds {
		s.chainPrices = s.chainPrices && (f.kind != catalog.KindCatalog || f.Vendor.All)
	}
	for _, k := range kinds {
		if k.chain {
			s.targets = append(s.targets, Target{k.kind, catalog.AllVendors})
			continue
		}
		for _, v := range s.vendors {
			s.targets = append(s.targets, Target{k.kind, v.ID})
		}
	}
}

func (s *setup) hasFeed(kind catalog.Kind) bool {
	for _, f := range s.feeds {
		if f.kind == kind {
			return true
		}
	}
	return false
}

// sendKind returns how documents of a kind are sent. One file for both goes as the catalogue does.
func (s *setup) sendKind(kind catalog.Kind) config.SendKind {
	if kind == catalog.KindPromotions {
		return s.cfg.Send.Promotions
	}
	return s.cfg.Send.Catalog
}

// isTarget reports whether the config sends anything to a target of that name.
func (s *setup) isTarget(name string) bool {
	for _, t := range s.targets {
		if t.String() == name {
			return true
		}
	}
	return false
}

// targetNames returns the names of all targets.
func (s *setup) targetNames() []string { return names(s.targets) }

// names returns the targets' names.
func names(targets []Target) []string {
	all := make([]string, len(targets))
	for i, t := range targets {
		all[i] = t.String()
	}
	return all
}

// targetsOf returns the targets whose shelves a layer of a feed is part of.
func (s *setup) targetsOf(feed, scope string) []Target {
	f, ok := s.feed(feed)
	if !ok {
		return nil
	}
	var all []Target
	for _, t := range s.targets {
		if t.holds(f.kind) && (scope == catalog.AllVendors || scope == t.Vendor) {
			all = append(all, t)
		}
	}
	return all
}

// zoneOf returns the zone of a target's slots, and of the dates in its documents.
func (s *setup) zoneOf(t Target) *time.Location {
	if v, ok := s.vendor(t.Vendor); ok {
		return v.Zone
	}
	return s.zone
}

// wall returns what the clock on a target's wall shows now.
func (h *House) wall(t Target) catalog.Wall { return catalog.WallOf(h.now().In(h.zoneOf(t))) }

// folderOf returns the remote folder of a target's documents.
func (s *setup) folderOf(t Target) string {
	switch t.Kind {
	case catalog.KindPromotions:
		return s.cfg.SFTP.Folders.Promotions
	case catalog.KindAssortment:
		return s.cfg.SFTP.Folders.Assortment
	default:
		return s.cfg.SFTP.Folders.Catalog
	}
}

// fileOf returns the remote name of one of a target's documents, the first part being 1.
func (s *setup) fileOf(t Target, part int) string {
	switch {
	case t.Kind == catalog.KindAssortment:
		return platform.AssortmentName(t.Vendor, part)
	case t.Vendor == catalog.AllVendors:
		return platform.ChainName(s.cfg.SFTP.Prefix, part)
	default:
		return platform.FileName(s.cfg.SFTP.Prefix, t.Vendor, part)
	}
}

// maxRows returns how many rows a document of a target may have.
func (s *setup) maxRows(t Target) int {
	limit := map[catalog.Kind]int{
		catalog.KindCatalog: platform.MaxCatalogRows, catalog.KindPromotions: platform.MaxPromotionRows,
		catalog.KindAssortment: platform.MaxAssortmentRows,
	}
	return min(limit[t.Kind], s.sendKind(t.Kind).MaxRows)
}

// stores returns what the vendors column of a target's documents says, nil where their name tells the store.
func (s *setup) stores(t Target) *platform.Stores {
	if t.Vendor != catalog.AllVendors {
		return nil
	}
	if s.cfg.Send.Vendors == config.VendorsAll {
		return &platform.Stores{All: true, Exclude: s.cfg.Send.Exclude}
	}
	return &platform.Stores{IDs: s.VendorIDs()}
}

// prices returns the stack of the catalogue that a target's promotions are priced by, nil where no single price is known: promotions
// for the whole chain while stores have prices of their own.
func (h *House) prices(ctx context.Context, t Target, stack layerStack) ([]shelf.Digest, error) {
	if t.Kind != catalog.KindPromotions || t.Vendor == catalog.AllVendors && !h.chainPrices {
		return nil, nil
	}
	return h.wanted(ctx, Target{catalog.KindCatalog, t.Vendor}, stack)
}
