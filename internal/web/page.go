package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"gondola/internal/report"
	"gondola/templates"
)

// Page is what the status page shows: facts, which the templates put into words. Fields without a value are left out of it.
type Page struct {
	At    time.Time // as of when
	State string    // ok, held, failing or stopped
	Since time.Time // of the state

	Paused string // why, and until when, an admin has stopped all sending
	Server string // what the platform's server allows, and what that guarantees, in one line

	Problems   []Problem
	Held       []Held
	Stores     []Store
	Feeds      []Feed
	Deliveries []Delivery
	Orders     *Orders // nil where there are none to speak of
}

// Orders is how orders stand today.
type Orders struct {
	States  []string // as the platform calls them
	Numbers []int    // of orders in each of them
	Due     int      // hand-overs that wait
	File    string   // the last one that was handed over
	FileAt  time.Time
	Foreign int // orders of stores that are not in the config
}

// Problem is one thing that is wrong, in the reader's language.
type Problem struct {
	Kind   string
	Text   string
	Do     string
	Detail string // what the machine said, in English
	Since  time.Time
	Told   bool // it has lasted long enough to be told
}

// Held is an export, or rows of a store's shelf, that wait for somebody to decide.
type Held struct {
	Finding  string // of rows: what approve and reject call it; "" for an export
	Drop     int64  // of an export, like Name and Feed
	Name     string
	Feed     string
	Store    string // "" for all of them
	Findings []string
}

// Store is one shelf of a store.
type Store struct {
	ID, Name string // both "" for all of them
	Shelf    string // catalog, promotions or assortment
	Same     int
	Differs  int
	Pending  int
	Withheld int
	Verified time.Time
	Next     time.Time
	Settled  bool
	Jobs     int    // requests that the platform works on
	NotTaken int    // rows that the platform did not take
	Problem  string // in words
}

// Feed is one kind of export.
type Feed struct {
	Name    string
	Folder  string
	Drop    string // number and name of the last one, "" before the first
	Came    time.Time
	State   string // seen, read or rejected
	Rows    int
	Issues  int
	Waiting []string // files that are not taken yet
	Problem string
}

// Delivery is a document on its way.
type Delivery struct {
	Name     string
	Store    string // "" for all of them
	State    string
	Attempts int
	Next     time.Time
	Stopped  bool   // it is not tried again before somebody has done something
	Why      string // in words
	Detail   string // what the machine said, in English
}

// refreshEvery is how often the page refreshes itself, in seconds.
const refreshEvery = 15

// layout parses the page. Its functions are set anew for every reader.
func layout() (*template.Template, error) {
	return template.New("status.html.tmpl").Funcs(functions(report.NewPhrases(report.English, time.UTC), time.Time{})).
		ParseFS(templates.Files, "status.html.tmpl", "actions.html.tmpl")
}

// functions are what the page's layout calls for words.
func functions(say *report.Phrases, now time.Time) template.FuncMap {
	return template.FuncMap{
		"say":    say.Say,
		"sayOr":  func(prefix, text string) string { return say.SayOr(prefix+text, text) },
		"num":    say.Number,
		"when":   say.When,
		"stamp":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"passed": func(t time.Time) bool { return !t.After(now) },
		"join":   strings.Join,
		"act":    func(v Visitor, h Held) action { return action{Visitor: v, Finding: h.Finding, Drop: h.Drop} },
		"actAll": func(v Visitor) action { return action{Visitor: v} },
	}
}

// render writes the page for a reader.
func (s *Server) render(r *http.Request, p Page) ([]byte, error) {
	t, err := s.layout.Clone()
	if err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	say := report.NewPhrases(s.c.Language, s.c.Zone)
	var b bytes.Buffer
	err = t.Funcs(functions(say, p.At)).Execute(&b, struct {
		Page
		Lang    string
		Zone    string
		Quiet   bool // it does not refresh itself
		Refresh int
		Visitor Visitor
		Login   bool   // there is a login
		Notice  string // of what the reader has just done
	}{p, say.Lang(), s.zone(), r.URL.Query().Has("quiet"), refreshEvery, visitorOf(r.Context()), len(s.c.Users) > 0, s.notice(r)})
	if err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return b.Bytes(), nil
}

// zone returns what the reader's zone is called.
func (s *Server) zone() string {
	if s.c.Zone == nil {
		return time.UTC.String()
	}
	return s.c.Zone.String()
}
