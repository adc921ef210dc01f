package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gondola/internal/report"
	"gondola/templates"
)

// fragment is the header with which drop.js asks for the part of a page that it puts in place. Nothing but it depends on script.
const fragment = "Gondola-Fragment"

// followEvery is how often the page of a file that was sent looks what has become of it, in seconds.
const followEvery = 2

// dropPages is the drop page, beside the server that it is part of.
type dropPages struct {
	*Server
	drops     Drops
	layout    *template.Template
	assets    []asset
	uploading chan struct{} // one for each request that brings files
	stall     time.Duration // how long one may be silent
}

// asset is a file that pages load.
type asset struct {
	path, kind string
	text       []byte
}

// newDropPages reads what the drop page is made of.
func (s *Server) newDropPages() (*dropPages, error) {
	t, err := template.New("drop.html.tmpl").Funcs(dropFunctions(report.NewPhrases(report.English, s.c.Zone))).
		ParseFS(templates.Files, "drop.html.tmpl", "actions.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read drop page: %w", err)
	}
	p := &dropPages{Server: s, drops: s.c.Drops, layout: t, uploading: make(chan struct{}, maxUploading), stall: uploadStall}
	style, err := report.Style()
	if err != nil {
		return nil, fmt.Errorf("read style of answers: %w", err)
	}
	p.assets = []asset{{"answer.css", "text/css", []byte(style)}, {path: "drop.css", kind: "text/css"}, {path: "drop.js", kind: "text/javascript"}}
	for i := range p.assets[1:] {
		a := &p.assets[i+1]
		if a.text, err = fs.ReadFile(templates.Files, a.path); err != nil {
			return nil, fmt.Errorf("read drop page: %w", err)
		}
	}
	return p, nil
}

// route answers what belongs to the drop page.
func (p *dropPages) route(mux *http.ServeMux) {
	for _, a := range p.assets {
		mux.HandleFunc("GET /"+a.path, func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, a.kind+"; charset=utf-8", a.text)
		})
	}
	mux.HandleFunc("POST /drop/send", p.form(RoleDrop, p.send))
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /drop":                       p.page,
		"POST /drop/preview":              p.preview, // which finds the token of its form among the files
		"GET /drop/sent/{id}":             p.sent,
		"GET /drop/answer/{seq}":          p.answer,
		"GET /drop/answer/{seq}/workbook": p.workbook,
		"GET /starter/{name}":             p.starter,
	} {
		mux.HandleFunc(pattern, p.only(RoleDrop, handler))
	}
}

// dropView is what a page of the drop page shows.
type dropView struct {
	Lang    string
	Visitor Visitor
	Login   bool // there is a login
	View    bool // the reader may look at the status page, too
	Refresh int  // seconds after which a browser without script asks again, 0 for never

	Feeds    []DropFeed
	Chosen   string
	Max      int // bytes
	Message  string
	Results  []dropResult
	Starters []string
	Answers  []report.Answer

	Fate *fateView
}

// dropResult is what came of one file that was received.
type dropResult struct {
	Token, Name string
	Error       string // in words; nothing else is known then
	Part        template.HTML
	Feed        string
	Others      []DropFeed
	Send        bool // it can be sent
}

// fateView is what has become of a file that was sent, and its answer.
type fateView struct {
	ID, Name string
	Seq      int64
	Stuck    bool
	Gone     bool
	Part     template.HTML // "" before it was read
	Workbook bool
}

// dropFunctions are what the layout calls for words.
func dropFunctions(say *report.Phrases) template.FuncMap {
	return template.FuncMap{
		"say":       say.Say,
		"when":      say.When,
		"megabytes": func(n int) int { return n / 1e6 },
		"feedLabel": func(f DropFeed) (string, error) { return say.Say("put.kind-"+f.Kind, f.Name) },
	}
}

// page shows where files are dropped.
func (p *dropPages) page(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, dropView{Chosen: r.URL.Query().Get("feed")})
}

// show answers with the page where files are dropped, or to drop.js with the results alone.
func (p *dropPages) show(w http.ResponseWriter, r *http.Request, code int, v dropView) {
	if r.Header.Get(fragment) != "" {
		p.write(w, r, code, "results", v)
		return
	}
	answers, err := p.drops.Answers(r.Context())
	if err != nil {
		p.c.Log.Warn("answers can't be listed", "error", err.Error())
	}
	v.Answers, v.Feeds, v.Starters, v.Max = answers, p.drops.Feeds(), p.drops.Starters(), MaxUpload
	p.write(w, r, code, "drop", v)
}

// write fills a template and answers with it.
func (p *dropPages) write(w http.ResponseWriter, r *http.Request, code int, name string, v dropView) {
	say := report.NewPhrases(p.c.Language, p.c.Zone)
	v.Lang, v.Visitor, v.Login = say.Lang(), visitorOf(r.Context()), len(p.c.Users) > 0
	v.View = v.Visitor.May(RoleView)
	t, err := p.layout.Clone()
	var b bytes.Buffer
	if err == nil {
		err = t.Funcs(dropFunctions(say)).ExecuteTemplate(&b, name, v)
	}
	if err != nil {
		p.broken(w, fmt.Errorf("write drop page: %w", err))
		return
	}
	answer(w, code, "text/html; charset=utf-8", b.Bytes())
}

// send puts a file that was previewed into its drop folder.
func (p *dropPages) send(w http.ResponseWriter, r *http.Request) {
	id, err := p.drops.Send(r.Context(), r.PostForm.Get("token"), visitorOf(r.Context()).Name)
	if err != nil {
		code, message := p.explain(err)
		p.show(w, r, code, dropView{Results: []dropResult{{Token: r.PostForm.Get("token"), Name: r.PostForm.Get("name"), Error: message, Send: code != http.StatusGone}}})
		return
	}
	if r.Header.Get(fragment) != "" {
		p.follow(w, r, id)
		return
	}
	http.Redirect(w, r, "/drop/sent/"+id, http.StatusSeeOther)
}

// sent shows what has become of a file that was sent.
func (p *dropPages) sent(w http.ResponseWriter, r *http.Request) { p.follow(w, r, r.PathValue("id")) }

func (p *dropPages) follow(w http.ResponseWriter, r *http.Request, id string) {
	f, err := p.drops.Follow(r.Context(), id)
	if err != nil {
		code, message := p.explain(err)
		p.show(w, r, code, dropView{Message: message})
		return
	}
	v := fateView{ID: id, Name: f.Name, Seq: f.Seq, Stuck: f.Stuck, Gone: f.Gone}
	if f.Answer != nil {
		if v.Part, err = answerPart(*f.Answer); err != nil {
			p.broken(w, err)
			return
		}
		v.Workbook = f.Answer.Workbook
	}
	p.showFate(w, r, v)
}

// answer shows the answer of a drop as it stands now.
func (p *dropPages) answer(w http.ResponseWriter, r *http.Request) {
	a, err := drop(r, p.drops.Answer)
	var part template.HTML
	if err == nil {
		part, err = answerPart(a)
	}
	if err != nil {
		p.missing(w, r, err)
		return
	}
	p.showFate(w, r, fateView{Name: a.Name, Seq: a.Seq, Part: part, Workbook: a.Workbook})
}

func (p *dropPages) showFate(w http.ResponseWriter, r *http.Request, v fateView) {
	page := dropView{Fate: &v}
	if v.Part == "" && !v.Gone {
		page.Refresh = followEvery
	}
	name := "sent"
	if r.Header.Get(fragment) != "" {
		name = "fate"
	}
	p.write(w, r, http.StatusOK, name, page)
}

// workbook answers with the copy of a drop in which what is wrong is marked.
func (p *dropPages) workbook(w http.ResponseWriter, r *http.Request) {
	path, err := drop(r, p.drops.Workbook)
	if err != nil {
		p.missing(w, r, err)
		return
	}
	book, info, err := openPlain(path)
	if err != nil {
		p.missing(w, r, err)
		return
	}
	defer func() { _ = book.Close() }()
	attach(w, filepath.Base(path))
	http.ServeContent(w, r, "", info.ModTime(), book)
}

// openPlain opens a file that lies in a folder where others write, too: a link there leads nobody to what only we may read.
func openPlain(path string) (*os.File, fs.FileInfo, error) {
	seen, err := os.Lstat(path)
	if err == nil && !seen.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look at workbook: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open workbook: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !os.SameFile(seen, info) {
		err = fs.ErrNotExist // put in its place between the two
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open workbook: %w", err), f.Close())
	}
	return f, info, nil
}

// starter answers with a starter spreadsheet.
func (p *dropPages) starter(w http.ResponseWriter, r *http.Request) {
	book, err := p.drops.Starter(r.PathValue("name"))
	if err != nil {
		p.missing(w, r, err)
		return
	}
	attach(w, r.PathValue("name"))
	answer(w, http.StatusOK, workbookType, book)
}

// workbookType is what an .xlsx is on the web.
const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// attach makes a browser save what it gets under a name.
func attach(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Content-Type", workbookType)
}

// missing answers where what was asked for is not there.
func (p *dropPages) missing(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	p.broken(w, err)
}

// drop asks for something about the drop whose number is in the path.
func drop[T any](r *http.Request, ask func(context.Context, int64) (T, error)) (T, error) {
	seq, err := strconv.ParseInt(r.PathValue("seq"), 10, 64)
	if err != nil {
		var none T
		return none, fs.ErrNotExist
	}
	return ask(r.Context(), seq)
}

func answerPart(a report.Answer) (template.HTML, error) {
	part, err := report.Part(a)
	return template.HTML(part), err //nolint:gosec // report fills a template that escapes
}

// explain returns what is said about an error, and the code of the answer. What nobody can do anything about is in the log.
func (p *dropPages) explain(err error) (code int, message string) {
	code, key, args := http.StatusInternalServerError, "put.failed", []any(nil)
	if wrong, ok := errors.AsType[*NameError](err); ok {
		code, key = http.StatusUnprocessableEntity, "put.name"
		for _, m := range wrong.Match {
			args = append(args, m)
		}
	}
	for _, known := range []struct {
		err  error
		code int
		key  string
	}{
		{ErrUnknown, http.StatusGone, "put.unknown"},
		{ErrLarge, http.StatusRequestEntityTooLarge, "put.large"},
		{ErrFull, http.StatusInsufficientStorage, "put.full"},
		{ErrBusy, http.StatusServiceUnavailable, "put.busy"},
		{ErrLies, http.StatusConflict, "put.lies"},
		{ErrFolder, http.StatusServiceUnavailable, "put.folder"},
		{ErrBroken, http.StatusBadRequest, "put.broken"},
		{errStale, http.StatusForbidden, "act.stale"},
		{errNothing, http.StatusBadRequest, "put.none"},
	} {
		if errors.Is(err, known.err) {
			code, key = known.code, known.key
		}
	}
	if key == "put.large" {
		args = []any{MaxUpload / 1_000_000}
	}
	if code == http.StatusInternalServerError {
		p.c.Log.Warn("drop page failed", "error", err.Error())
	} else {
		p.c.Log.Debug("drop page refused", "error", err.Error())
	}
	message, err = report.NewPhrases(p.c.Language, p.c.Zone).Say(key, args...)
	if err != nil {
		return code, ""
	}
	return code, message
}
