package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"gondola/internal/report"
	"gondola/templates"
)

// routeActs answers what belongs to decisions: GET shows what would happen and asks, POST does it.
func (s *Server) routeActs(mux *http.ServeMux) {
	if s.c.Desk == nil {
		return
	}
	for _, act := range []string{actApprove, actReject} {
		mux.HandleFunc("GET /"+act, s.only(RoleApprove, func(w http.ResponseWriter, r *http.Request) { s.question(w, r, act) }))
		mux.HandleFunc("POST /"+act, s.form(RoleApprove, func(w http.ResponseWriter, r *http.Request) { s.decide(w, r, act) }))
	}
	mux.HandleFunc("GET /pause", s.only(RoleApprove, s.pauses))
	mux.HandleFunc("POST /pause", s.form(RoleApprove, s.pause))
	mux.HandleFunc("POST /resume", s.form(RoleApprove, s.resume))
}

// What can be decided: parts of paths, and of phrases' names.
const (
	actApprove = "approve"
	actReject  = "reject"
)

// formLayout parses the pages that ask: the login, and those of decisions.
func formLayout() (*template.Template, error) {
	return template.New("act.html.tmpl").Funcs(functions(report.NewPhrases(report.English, time.UTC), time.Time{})).
		ParseFS(templates.Files, "act.html.tmpl", "pause.html.tmpl", "login.html.tmpl", "act-frame.html.tmpl")
}

// formView is what every page that asks has.
type formView struct {
	Lang    string
	Zone    string
	Visitor Visitor
	Login   bool // there is a login
	Message string
}

// frame returns the part that show fills in.
func (v *formView) frame() *formView { return v }

// show answers with a page that asks.
func (s *Server) show(w http.ResponseWriter, r *http.Request, code int, name string, view interface{ frame() *formView }) {
	say := report.NewPhrases(s.c.Language, s.c.Zone)
	f := view.frame()
	f.Lang, f.Zone, f.Visitor, f.Login = say.Lang(), s.zone(), visitorOf(r.Context()), len(s.c.Users) > 0
	t, err := s.forms.Clone()
	var b bytes.Buffer
	if err == nil {
		err = t.Funcs(functions(say, s.c.Now())).ExecuteTemplate(&b, name, view)
	}
	if err != nil {
		s.broken(w, fmt.Errorf("write %s: %w", name, err))
		return
	}
	answer(w, code, "text/html; charset=utf-8", b.Bytes())
}

// questionView is the page that asks whether something is to be done.
type questionView struct {
	formView
	Question
	Act   string // approve or reject
	Until time.Time
}

// question shows what deciding would do.
func (s *Server) question(w http.ResponseWriter, r *http.Request, act string) {
	s.ask(w, r, act, r.URL.Query().Get("of"), http.StatusOK, "")
}

// ask shows a question, with what the reader should know before.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, act, what string, code int, message string) {
	q, err := s.c.Desk.Question(r.Context(), what)
	if err == nil && act == actReject && !q.Rejects {
		err = &Declined{Phrase: "act.no-reject"}
	}
	if err != nil {
		s.decline(w, r, err)
		return
	}
	v := questionView{Question: q, Act: act, Until: s.c.Now().Add(q.Covers)}
	v.Message = message
	s.show(w, r, code, "act.html.tmpl", &v)
}

// decide takes a decision.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, act string) {
	v := visitorOf(r.Context())
	d := Decision{What: r.PostForm.Get("of"), Seen: r.PostForm.Get("seen"), Approve: act == actApprove, Who: v.Name}
	err := s.c.Desk.Decide(r.Context(), d)
	if no, ok := errors.AsType[*Declined](err); ok && no.Phrase == Changed {
		message, _ := report.NewPhrases(s.c.Language, s.c.Zone).Say(no.Phrase, no.Args...)
		s.ask(w, r, act, d.What, http.StatusConflict, message)
		return
	}
	if err != nil {
		s.decline(w, r, err)
		return
	}
	s.done(w, r, "act."+act+".done", d.What)
}

// Changed is the phrase of a [Declined] where something else is held by now than what was shown: the reader is asked again.
const Changed = "act.changed"

// pauseView is the page of pauses.
type pauseView struct {
	formView
	Pauses
	Until, Reason string          // as they were typed
	Chosen        map[string]bool // stores
}

// Picked reports whether a store was chosen, for a form that is shown again.
func (v *pauseView) Picked(id string) bool { return v.Chosen[id] }

// pauses shows what is paused, and asks what is to be.
func (s *Server) pauses(w http.ResponseWriter, r *http.Request) {
	v := pauseView{Chosen: map[string]bool{}}
	if store := r.URL.Query().Get("store"); store != "" {
		v.Chosen[store] = true
	}
	s.showPauses(w, r, http.StatusOK, &v)
}

func (s *Server) showPauses(w http.ResponseWriter, r *http.Request, code int, v *pauseView) {
	var err error
	if v.Pauses, err = s.c.Desk.Pauses(r.Context()); err != nil {
		s.decline(w, r, err)
		return
	}
	known := slices.ContainsFunc(v.Stores, func(n StoreName) bool { return v.Chosen[n.ID] })
	v.Chosen[allStores] = v.Chosen[allStores] || !known
	s.show(w, r, code, "pause.html.tmpl", v)
}

// allStores is what the form calls every store.
const allStores = "*"

// maxReason is how long a reason may be, in characters.
const maxReason = 200

// untilForm is how browsers write a local time that somebody chose.
const untilForm = "2006-01-02T15:04"

// pause pauses.
func (s *Server) pause(w http.ResponseWriter, r *http.Request) {
	v := pauseView{Until: r.PostForm.Get("until"), Reason: strings.TrimSpace(r.PostForm.Get("reason")), Chosen: map[string]bool{}}
	for _, id := range r.PostForm["store"] {
		v.Chosen[id] = true
	}
	p := PauseOrder{Reason: v.Reason, Who: visitorOf(r.Context()).Name}
	wrong := ""
	if v.Until != "" {
		var err error
		if p.Until, err = time.ParseInLocation(untilForm, v.Until, s.location()); err != nil {
			wrong = "pause.time"
		} else if !p.Until.After(s.c.Now()) {
			wrong = "pause.over"
		}
	}
	switch {
	case len(v.Chosen) == 0:
		wrong = "pause.which" // nothing chosen must not mean everything
	case utf8.RuneCountInString(v.Reason) > maxReason || strings.ContainsFunc(v.Reason, func(r rune) bool { return r < ' ' }):
		wrong = "pause.long"
	}
	if wrong != "" {
		v.Message, _ = report.NewPhrases(s.c.Language, s.c.Zone).Say(wrong, maxReason)
		s.showPauses(w, r, http.StatusBadRequest, &v)
		return
	}
	if !v.Chosen[allStores] {
		p.Stores = slices.Sorted(maps.Keys(v.Chosen))
	}
	if err := s.c.Desk.Pause(r.Context(), p); err != nil {
		s.decline(w, r, err)
		return
	}
	s.done(w, r, "pause.done")
}

// resume ends pauses.
func (s *Server) resume(w http.ResponseWriter, r *http.Request) {
	store := r.PostForm.Get("store")
	if store == allStores {
		store = ""
	}
	n, err := s.c.Desk.Resume(r.Context(), store, visitorOf(r.Context()).Name)
	if err == nil && n == 0 {
		err = &Declined{Phrase: "resume.none"}
	}
	if err != nil {
		s.decline(w, r, err)
		return
	}
	s.done(w, r, "resume.done")
}

// location returns the zone in which readers tell the time.
func (s *Server) location() *time.Location {
	if s.c.Zone == nil {
		return time.UTC
	}
	return s.c.Zone
}

// done notes what was done, and leads back to the page: asked for again, it does nothing twice. What the page shows is worked out anew.
func (s *Server) done(w http.ResponseWriter, r *http.Request, phrase string, args ...any) {
	text, err := report.NewPhrases(s.c.Language, s.c.Zone).Say(phrase, args...)
	if err != nil {
		s.c.Log.Error("page has no words", "phrase", phrase, "error", err.Error())
	}
	s.notices.put(visitorOf(r.Context()).Token, text)
	s.views.age()
	redirect(w, s.home(visitorOf(r.Context())))
}

// decline tells why something is not done.
func (s *Server) decline(w http.ResponseWriter, r *http.Request, err error) {
	no, ok := errors.AsType[*Declined](err)
	if !ok {
		s.c.Log.Error("decision can't be taken", "error", err.Error())
		no = &Declined{Phrase: "act.broken"}
	}
	code := http.StatusConflict
	if !ok {
		code = http.StatusServiceUnavailable
	}
	v := questionView{}
	v.Message, _ = report.NewPhrases(s.c.Language, s.c.Zone).Say(no.Phrase, no.Args...)
	s.show(w, r, code, "act.html.tmpl", &v)
}

// notices are what was done, until the reader has seen it once: by the token of the visitor, which is one for all who did not log in.
type notices struct {
	mu  sync.Mutex
	all map[string]string
}

func (n *notices) put(token, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.all) >= sessionMost {
		clear(n.all) // of sessions that never looked
	}
	n.all[token] = text
}

// take returns what a visitor has not seen yet, "" for nothing.
func (n *notices) take(token string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := n.all[token]
	delete(n.all, token)
	return text
}

// notice returns what the reader has just done, once.
func (s *Server) notice(r *http.Request) string {
	if r.Method == http.MethodHead {
		return ""
	}
	return s.notices.take(visitorOf(r.Context()).Token)
}

// action is what the template block "actions" is called with: what a visitor may do about something.
type action struct {
	Visitor Visitor
	Finding string // of held rows, as approve and reject call it
	Drop    int64  // a held export; without this and a finding it is about sending as a whole: pause, resume
	Store   string // the id of the store that something is held of, "" for all of them
}

// Of returns what is decided on, as it stands in an address; "" where it is about sending as a whole.
func (a action) Of() string {
	switch {
	case a.Finding != "":
		return url.QueryEscape(a.Finding)
	case a.Drop != 0:
		return fmt.Sprint(a.Drop)
	}
	return ""
}

// May reports whether the visitor decides.
func (a action) May() bool { return a.Visitor.May(RoleApprove) }
