package feed

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gondola/internal/catalog"
)

// unfindable is the fault of a header that squeezes to nothing.
const unfindable = "%q has no letter or digit to find the column by; write the header as it stands in the export"

// SpecError is a fault in a Spec, with the key of the feed's config that it comes from.
type SpecError struct {
	Path string // relative to the feed: "columns.price.from"
	Err  error
}

// Error implements error.
func (e *SpecError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap implements errors.Unwrap.
func (e *SpecError) Unwrap() error { return e.Err }

// ConfigPath returns the key that is at fault, relative to the feed.
func (e *SpecError) ConfigPath() string { return e.Path }

// Check returns what is wrong with the spec, every fault as a *SpecError in one errors.Join; nil when nothing is. Convert does not
// check again: it takes a faulty spec as far as it makes sense.
func (s Spec) Check() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, &SpecError{Path: path, Err: fmt.Errorf(format, args...)})
	}
	s.checkSource(fault)
	s.checkColumns(fault)
	s.checkPromotions(fault)
	s.InStore.check(fault)
	s.checkRules(fault)
	return errors.Join(faults...)
}

// checkSource looks at how the store is told.
func (s Spec) checkSource(fault func(path, format string, args ...any)) {
	source := s.Source
	set := 0
	for _, is := range []bool{source.Column != "", source.FileName != nil, len(source.IDs) > 0, source.All} {
		if is {
			set++
		}
	}
	if set != 1 {
		fault("vendor", "%d ways to tell the store; set one of column, file_name, ids and all", set)
	}
	if source.Column != "" && squeeze(source.Column) == "" {
		fault("vendor.column", unfindable, source.Column)
	}
	if re := source.FileName; re != nil && re.SubexpIndex(groupCode) < 0 && re.SubexpIndex(groupID) < 0 {
		fault("vendor.file_name", "no group that tells the store; name one, as in (?P<%s>[0-9]+)", groupCode)
	}
	for i, id := range source.IDs {
		known := slices.ContainsFunc(s.Vendors, func(v catalog.Vendor) bool { return v.ID == id })
		if !known {
			fault(fmt.Sprintf("vendor.ids[%d]", i), "no store has the id %q; write one that stands in vendors", id)
		}
	}
}

// checkColumns looks at the columns, in the order of their names, so that the faults come in the same order every time.
func (s Spec) checkColumns(fault func(path, format string, args ...any)) {
	fields := Roles(s.Kind) // the store's column is named in vendor
	claimed := map[string]string{}
	if s.Source.Column != "" {
		claimed[squeeze(s.Source.Column)] = "vendor.column"
	}
	for _, name := range slices.Sorted(maps.Keys(s.Columns)) {
		path, column := "columns."+name, s.Columns[name]
		if !slices.Contains(fields, Role(name)) {
			fault(path, "not a field; the fields are %s", listOf(fields))
			continue
		}
		if column.From != "" {
			from := squeeze(column.From)
			switch other, taken := claimed[from]; {
			case from == "":
				fault(path+".from", unfindable, column.From)
			case taken:
				fault(path+".from", "the column %q is taken by %s already; name another one", column.From, other)
			}
			claimed[from] = path
		}
		s.checkDecimal(path, Role(name), column.Decimal, fault)
		s.checkDate(path, Role(name), column.Date, fault)
	}
}

// checkDecimal looks at one column's decimal mark.
func (s Spec) checkDecimal(path string, role Role, decimal string, fault func(path, format string, args ...any)) {
	if decimal == "" {
		return
	}
	if _, ok := configured(decimal); !ok {
		fault(path+".decimal", "%q is no decimal mark; write %s or %s", decimal, DecimalComma, DecimalPoint)
	}
	if !slices.Contains(numberRoles, role) {
		fault(path+".decimal", "%s holds no numbers; leave decimal out", role)
	}
}

// checkDate looks at one column's order of day and month.
func (s Spec) checkDate(path string, role Role, date string, fault func(path, format string, args ...any)) {
	if date == "" {
		return
	}
	if _, ok := configuredOrder(date); !ok {
		fault(path+".date", "%q is no order of day and month; write %s or %s", date, DateDayFirst, DateMonthFirst)
	}
	if role != RoleStart && role != RoleEnd {
		fault(path+".date", "%s holds no dates; leave date out", role)
	}
}

// checkPromotions looks at what only an export of promotions has a use for.
func (s Spec) checkPromotions(fault func(path, format string, args ...any)) {
	switch s.Kind {
	case "", catalog.KindCatalog, catalog.KindPromotions:
	default:
		fault("kind", "%q is no kind of export; write %s or %s", s.Kind, catalog.KindCatalog, catalog.KindPromotions)
	}
	for _, text := range []struct{ key, value string }{{"campaign", s.Campaign}, {"reason", s.Reason}} {
		if text.value != "" && !isLabel(text.value) {
			fault(text.key, "want one line of at most %d characters, found %q", maxLabel, excerpt(text.value))
		}
	}
}

func listOf(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}
