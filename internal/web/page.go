package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"strings"
	"time"

	"gondola/internal/report"
	"gondola/templates"
)

// refreshEvery is how often the page refreshes itself where it may not run its script, in seconds.
const refreshEvery = 15

// How much of the long lists is shown: a page of a chain with a thousand stores stays one that a phone can load and a person read.
const (
	fewShelves = 16  // so many are shown all alike
	maxLoud    = 50  // shelves that somebody should look at
	maxQuiet   = 100 // those that nobody needs to look at, unless a search finds them
	maxRows    = 30  // of any other list
)

// layout parses the pages. Their functions are set anew for every reader.
func layout() (*template.Template, error) {
	return template.New("status.html.tmpl").Funcs(functions(report.NewPhrases(report.English, time.UTC), time.Time{})).
		ParseFS(templates.Files, "frame.html.tmpl", "status.html.tmpl", "parts.html.tmpl", "orders.html.tmpl", "actions.html.tmpl",
			"sku.html.tmpl", "answered.html.tmpl")
}

// functions are what the pages' layouts call for words.
func functions(say *report.Phrases, now time.Time) template.FuncMap {
	return template.FuncMap{
		"say":    say.Say,
		"sayOr":  func(prefix, text string) string { return say.SayOr(prefix+text, text) },
		"num":    say.Number,
		"amount": say.Amount,
		"when":   say.When,
		"stamp":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"passed": func(t time.Time) bool { return !t.After(now) },
		"join":   strings.Join,
		"first":  first,
		"rest":   rest,
		"act": func(v Visitor, h Held) action {
			return action{Visitor: v, Finding: h.Finding, Drop: h.Drop, Store: h.ID}
		},
		"actAll": func(v Visitor) action { return action{Visitor: v} },
	}
}

// first returns the beginning of a list, as much as a page shows of it.
func first(list any) any {
	v := reflect.ValueOf(list)
	return v.Slice(0, min(v.Len(), maxRows)).Interface()
}

// rest returns how much of a list a page does not show.
func rest(list any) int { return max(0, reflect.ValueOf(list).Len()-maxRows) }

// frame is what every page has around what it shows.
type frame struct {
	Lang    string
	Zone    string
	Visitor Visitor
	Login   bool   // there is a login
	Drops   bool   // the visitor may drop files on a page
	Here    string // which page it is: status, sku
	Live    bool   // it keeps itself up to date
	Refresh int    // seconds, where it does so without its script
}

func (s *Server) frame(r *http.Request, here string) frame {
	say := report.NewPhrases(s.c.Language, s.c.Zone)
	v := visitorOf(r.Context())
	return frame{
		Lang: say.Lang(), Zone: s.zone(), Visitor: v, Login: len(s.c.Users) > 0, Drops: s.drops != nil && v.May(RoleDrop),
		Here: here, Refresh: refreshEvery,
	}
}

// write renders a page, or a part of one, with its words.
func (s *Server) write(name string, at time.Time, data any) ([]byte, error) {
	t, err := s.layout.Clone()
	if err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Funcs(functions(report.NewPhrases(s.c.Language, s.c.Zone), at)).ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return b.Bytes(), nil
}

// statusPage is the page with what one reader sees of it.
type statusPage struct {
	Page
	frame
	Digest string // of what there is to see
	Quiet  bool   // it does not refresh itself
	Notice string // of what the reader has just done

	Find   string // the shelves that the reader looks for
	Few    bool   // there are so few shelves that all are shown alike
	Loud   []Store
	Silent []Store
	Hidden int // shelves that match and are not shown

	ToSend   int // articles and promotions of all shelves
	NextSlot time.Time
	Drifting int // audits that found something otherwise, or failed
}

// shelves chooses the shelves that are shown: those that somebody should look at before the others.
func (p *statusPage) shelves(find string) {
	p.Find = find
	p.Few = len(p.Stores) <= fewShelves
	find = strings.ToLower(strings.TrimSpace(find))
	for _, s := range p.Stores {
		p.ToSend += s.Differs
		if p.NextSlot.IsZero() || !s.Next.IsZero() && s.Next.Before(p.NextSlot) {
			p.NextSlot = s.Next
		}
		if find != "" && !strings.Contains(strings.ToLower(s.Name+" "+s.ID), find) {
			continue
		}
		switch {
		case p.Few:
			p.Loud = append(p.Loud, s)
		case s.Loud() && len(p.Loud) < maxLoud:
			p.Loud = append(p.Loud, s)
		case !s.Loud() && len(p.Silent) < maxQuiet:
			p.Silent = append(p.Silent, s)
		default:
			p.Hidden++
		}
	}
}

// render writes the page for a reader, or with part only what its script exchanges.
func (s *Server) render(r *http.Request, k kept) ([]byte, error) {
	ask := r.URL.Query()
	p := statusPage{Page: k.view.Page, frame: s.frame(r, "status"), Digest: k.digest, Quiet: ask.Has("quiet")}
	p.Live = !p.Quiet
	p.shelves(cut(ask.Get("store"), maxFind))
	for _, a := range p.Audits {
		if a.Loud() {
			p.Drifting++
		}
	}
	name := "status.html.tmpl"
	if ask.Has("part") {
		name = "status-main"
	} else {
		p.Notice = s.notice(r) // once, and its script does not ask for it
	}
	return s.write(name, p.At, p)
}

// maxFind is how much of a search is looked for.
const maxFind = 80

// cut returns at most so many bytes of a text, whole characters.
func cut(text string, most int) string {
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// zone returns what the reader's zone is called.
func (s *Server) zone() string {
	if s.c.Zone == nil {
		return time.UTC.String()
	}
	return s.c.Zone.String()
}
