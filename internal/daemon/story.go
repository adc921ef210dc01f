package daemon

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/report"
	"gondola/internal/web"
)

// story tells the page why the shelves show of an article what they show: what gondola explain tells, as values that the page has words
// for.
func (h *House) story(ctx context.Context, a web.About) (web.Story, error) {
	e, err := h.Explain(ctx, About{Article: a.Article, Vendor: a.Store, Day: a.Day})
	switch {
	case errors.Is(err, ErrNoArticle):
		return web.Story{}, web.ErrNoArticle
	case errors.Is(err, ErrNoHistory):
		return web.Story{}, web.ErrNoHistory
	case errors.Is(err, ErrNoVendor):
		return web.Story{}, web.ErrNoStore
	case err != nil:
		return web.Story{}, err
	}
	s := web.Story{Key: e.Key, At: e.At, Answers: e.Feedback == hasFeedback}
	for _, one := range e.Stores {
		if len(one.Wanted)+len(one.Sent)+len(one.Sources)+len(one.Pending)+len(one.Documents) == 0 && one.Before == nil {
			continue // another shelf has it
		}
		s.Shelves = append(s.Shelves, h.storyShelf(one))
	}
	return s, nil
}

func (h *House) storyShelf(e StoreExplanation) web.StoryShelf {
	s := web.StoryShelf{
		Store: h.nameFor(e.Vendor), Shelf: string(e.Kind), Wanted: saysOf(e.Wanted), Sent: saysOf(e.Sent),
		Sources: h.storySources(e.Sources), Pending: h.storySources(e.Pending),
	}
	if n := e.Next; n != nil {
		s.Next = &web.StoryNext{
			Differs: n.Differs, Says: saysOf(n.Says), Unsettled: n.Unsettled, Waiting: n.Waiting, Rejected: slices.Contains(n.Held, rejectedRows),
		}
		for _, code := range n.Withheld {
			title, _ := report.Meaning(h.cfg.Chain.Language, code)
			s.Next.Withheld = append(s.Next.Withheld, title)
		}
		for _, held := range n.Held {
			if name, _, is := strings.Cut(held, " "); is {
				s.Next.HeldBy = append(s.Next.HeldBy, name)
			}
		}
	}
	for _, f := range e.Feedback {
		s.Refused = append(s.Refused, web.Refusal{Reason: f.Reason, Drop: f.Drop, Row: f.Row, At: f.At, Store: h.nameFor(f.Vendor)})
	}
	for _, d := range e.Documents {
		s.Documents = append(s.Documents, storyDocument(d))
	}
	if e.Before != nil {
		d := storyDocument(*e.Before)
		s.Before = &d
	}
	return s
}

func (h *House) storySources(all []Source) (out []web.StorySource) {
	for _, e := range all {
		s := web.StorySource{
			Feed: e.Feed, Drop: e.Drop, Name: e.Name, Came: e.Came, State: e.State, Says: saysOf(e.Says), Wins: e.Wins, Note: e.Note,
		}
		if e.Feed == offFeed {
			s.Feed = ""
		}
		for _, o := range e.Origin {
			row := web.StoryRow{Drop: o.Drop, Sheet: o.Sheet, Row: o.Row, Rejected: o.Rejected, Excluded: o.Excluded}
			for _, c := range o.Cells {
				row.Cells = append(row.Cells, web.StoryCell{Cell: c.Cell, Header: c.Header, Role: c.Role, Text: c.Text})
			}
			for _, step := range o.Steps {
				before := valueOf(step.Field, step.Before)
				if step.Rule == "read" {
					before = web.Value{Text: step.Before} // as it stands in the cell
				}
				row.Steps = append(row.Steps, web.StoryStep{Rule: step.Rule, Field: step.Field, Before: before, After: valueOf(step.Field, step.After)})
			}
			for _, is := range o.Issues {
				row.Issues = append(row.Issues, is.Text)
			}
			s.Rows = append(s.Rows, row)
		}
		for _, code := range e.Codes {
			title, _ := report.Meaning(h.cfg.Chain.Language, catalog.Code(code))
			s.Issues = append(s.Issues, title)
		}
		out = append(out, s)
	}
	return out
}

func storyDocument(e Evidence) web.StoryDocument {
	return web.StoryDocument{
		Delivery: web.Delivery{
			Name: e.Document, State: e.State, Rows: e.Rows, Planned: e.Planned, Began: e.Began, Verified: e.Verified, Proof: e.Proof, Fate: e.Fate,
		},
		Says: saysOf(e.Says), SHA256: e.SHA256, Whole: e.File == "whole",
	}
}

// saidFirst is the order in which values are told; others come after it.
var saidFirst = []string{
	"price", "active", "quantity", "maximum_sales_quantity", "campaign_name", "start_date", "end_date", "promotion_type",
	"promotion_sub_type", "bundle_details", "discounted_price", "discount_percent", "bundle_discount", "campaign_status",
}

// amounts are the columns with money.
var amounts = []string{"price", "discounted_price", "bundle_discount"}

func valueOf(name, text string) web.Value {
	return web.Value{Name: name, Text: text, Amount: slices.Contains(amounts, name)}
}

func saysOf(all []Saying) (out []web.Says) {
	for _, e := range all {
		s := web.Says{Missing: e.Missing}
		names := slices.Collect(maps.Keys(e.Values))
		slices.SortFunc(names, func(a, b string) int {
			if i, j := slices.Index(saidFirst, a), slices.Index(saidFirst, b); i >= 0 && j >= 0 {
				return i - j
			}
			return strings.Compare(a, b)
		})
		for _, name := range names {
			s.Values = append(s.Values, valueOf(name, e.Values[name]))
		}
		out = append(out, s)
	}
	return out
}
