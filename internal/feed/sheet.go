package feed

import (
	"context"
	"errors"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// candidate is a sheet that may be the one with the articles.
type candidate struct {
	sheet  *table.Sheet
	header headerRow
	score  int  // how many roles its header has
	fits   bool // it has an identifier and something to say about articles
	filled bool // it has rows
	// foreign: it is read for the catalogue, and has the header of promotions.
	foreign bool
}

// better reports whether a is more likely the export than b: a header that is enough before one that is not, what people see before
// what is hidden, a header of the kind before one of the other kind, more columns before fewer. Of equals the first one in the
// workbook stays.
func (a candidate) better(b candidate) bool {
	if a.fits != b.fits {
		return a.fits
	}
	if a.sheet.Hidden != b.sheet.Hidden {
		return !a.sheet.Hidden
	}
	if a.foreign != b.foreign {
		return !a.foreign
	}
	return a.score > b.score
}

// findHeader reads the first rows of every sheet, finds the header among them and gives its columns their roles.
func (c *converter) findHeader(context.Context) error {
	var all []candidate
	var refused error
	best, filled := 0, false
	for i, s := range c.sheets {
		found, err := c.look(s)
		switch _, ok := errors.AsType[*table.Refusal](err); {
		case err != nil && !ok:
			return err
		case ok && refused == nil:
			// A sheet of another purpose need not be one that can be read.
			refused, c.sheet = err, s
		}
		all = append(all, found)
		filled = filled || found.filled
		if found.better(all[best]) {
			best = i
		}
	}
	if refused != nil && !all[best].fits {
		return refused
	}
	c.sheet = all[best].sheet
	c.res.Format = c.sheet.Format()
	if f := c.res.Format; f.QuotesPlain {
		c.add(catalog.Issue{Code: catalog.FileStray, Severity: catalog.Warning, Row: f.StrayQuote})
	}
	switch {
	case !filled:
		c.sheet = nil
		c.refuse(catalog.FileEmpty)
		return nil
	case all[best].score == 0:
		if len(all) > 1 {
			c.sheet = nil // none of them
		}
		c.refuse(catalog.HeadNone, c.headerSample()...)
		return c.suggestRow()
	}
	c.useSheet(all, best)
	return nil
}

// useSheet takes one of the sheets for the export.
func (c *converter) useSheet(all []candidate, best int) {
	c.header = all[best].header
	c.res.Header.Row = c.header.line
	others := []string{c.sheet.Name}
	for i, other := range all {
		if i != best && other.fits && !other.sheet.Hidden && other.foreign == all[best].foreign {
			others = append(others, excerpt(other.sheet.Name))
		}
	}
	// Which sheet counts when two could can't be proved. The first is what people see when they open the file; that the others were
	// left out they must know.
	if len(others) > 1 {
		c.add(catalog.Issue{Code: catalog.HeadSheets, Severity: catalog.Warning, Args: others})
	}
	c.columns = c.headings.assign(c.header, c.refuse)
	if !c.res.Refused {
		c.bind()
	}
	c.suggest()
	if c.res.Refused {
		return
	}
	c.bindRules()
	for _, col := range c.columns {
		if col.Index < len(c.header.hidden) && c.header.hidden[col.Index] {
			c.add(catalog.Issue{Code: catalog.HeadHidden, Severity: catalog.Note, Row: c.header.line, Column: col.Name})
		}
	}
}

// look reads the first rows of a sheet.
func (c *converter) look(s *table.Sheet) (found candidate, err error) {
	found.sheet = s
	rows, err := s.Rows()
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	found.header, found.score, found.filled = c.headings.find(rows)
	if found.score > 0 {
		found.fits, found.foreign = c.fits(found.header), c.headings.isPromotional(found.header)
	}
	return found, rows.Err()
}

// fits reports whether a header has an identifier and at least one thing to say about articles; of promotions, all that is needed.
func (c *converter) fits(header headerRow) bool {
	has := map[Role]bool{}
	for _, col := range c.headings.assign(header, func(catalog.Code, ...string) {}) {
		has[col.Role] = true
	}
	if !has[keyRole(c.spec.By)] {
		return false
	}
	if c.promotions() {
		return has[RoleStart] && has[RoleEnd] && isOffering(has)
	}
	return has[RolePrice] || has[RoleActive] || has[RoleQuantity] || has[RoleMaxSales] || has[roleEither] || c.rules.gives()
}

// promotions reports whether the export is one of promotions.
func (c *converter) promotions() bool { return c.spec.Kind == catalog.KindPromotions }

// headerSample returns the words that a person is told were looked for.
func (c *converter) headerSample() []string {
	if c.promotions() {
		return promotionSample
	}
	return headerSample
}

// keyRole returns the role of the chain's identifier.
func keyRole(by catalog.IdentifyBy) Role {
	if by == catalog.ByBarcode {
		return RoleBarcode
	}
	return RoleSKU
}
