package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"gondola/internal/report"
)

// User is somebody who can log in.
type User struct {
	Name  string                 // case doesn't count; Names differ
	Hash  func() (string, error) // of the password, as [HashPassword] makes it; asked at every use
	Roles []Role
}

// user returns the user of a name, as people type it.
func (s *Server) user(name string) (User, bool) {
	for _, u := range s.c.Users {
		if strings.EqualFold(u.Name, strings.TrimSpace(name)) {
			return u, true
		}
	}
	return User{}, false
}

// refusal is why somebody is not let in: a phrase for the reader.
type refusal struct {
	code   int
	phrase string
	wait   time.Duration // 0: it need not be waited
}

// Error implements error.
func (r *refusal) Error() string { return r.phrase }

// refusalOf returns what to answer to who is not let in.
func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	return &refusal{code: http.StatusServiceUnavailable, phrase: "access.broken"}
}

// refused answers who is not let in in a line.
func (s *Server) refused(w http.ResponseWriter, err error) {
	why := refusalOf(err)
	s.say(w, why.code, why.phrase, why.answer(w)...)
}

// answer tells a program how long to wait, and returns the same for the phrase.
func (r *refusal) answer(w http.ResponseWriter) []any {
	if r.wait <= 0 {
		return nil
	}
	seconds := int(math.Ceil(r.wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return []any{seconds}
}

// say answers with one phrase in the reader's language.
func (s *Server) say(w http.ResponseWriter, code int, phrase string, args ...any) {
	text, err := report.NewPhrases(s.c.Language, s.c.Zone).Say(phrase, args...)
	if err != nil {
		s.c.Log.Error("page has no words", "phrase", phrase, "error", err.Error())
	}
	answer(w, code, "text/plain; charset=utf-8", []byte(text+"\n"))
}

// check finds out whether a password is a user's, and returns the user with the hash that it was held against. What it refuses is a
// refusal. Neither the answer nor how long it takes tells whether it was the name that was wrong.
func (s *Server) check(ctx context.Context, r *http.Request, name, password string) (User, string, error) {
	u, ok := s.user(name)
	try := attempt{place: place(r), here: isHere(r), name: name, user: u.Name}
	log := s.c.Log.With("user", u.Name, "from", try.place.Addr().String()) // never the name that was typed: people type passwords there
	if wait := s.attempts.begin(try); wait > 0 {
		return User{}, "", &refusal{http.StatusTooManyRequests, "access.wait", wait}
	}
	text, kept := "", s.nobodysHash()
	if ok {
		var err error
		if text, err = u.Hash(); err == nil {
			kept, err = parseHash(text)
		}
		if err != nil {
			s.attempts.unmade(try)
			log.Error("password can't be checked", "error", err.Error())
			return User{}, "", fmt.Errorf("read the hash of a password: %w", err)
		}
	}
	right, err := s.hasher.matches(ctx, kept, password)
	switch {
	case err != nil:
		s.attempts.unmade(try)
		return User{}, "", &refusal{http.StatusServiceUnavailable, "access.busy", 5 * time.Second}
	case !right || !ok:
		log.Info("login refused")
		return User{}, "", &refusal{code: http.StatusUnauthorized, phrase: "access.wrong"}
	}
	s.attempts.forgive(try)
	return u, text, nil
}

// recallFor is how long a password that a program sent is known without being hashed again: a scrape every few seconds must not cost a
// core. A password that was changed is another one at once.
const recallFor = time.Minute

// recalled are the passwords that programs sent a moment ago, one for each user, as digests with a key that nobody has.
type recalled struct {
	key []byte

	mu  sync.Mutex
	all map[string]recall // by user; guarded by mu
}

type recall struct {
	digest [sha256.Size]byte
	til    time.Time
}

func newRecalled() *recalled {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	return &recalled{key: key, all: map[string]recall{}}
}

// digest names a password together with the hash that it was right for.
func (c *recalled) digest(hash, password string) (d [sha256.Size]byte) {
	mac := hmac.New(sha256.New, c.key)
	fmt.Fprintf(mac, "%d %s%s", len(hash), hash, password)
	mac.Sum(d[:0])
	return d
}

// recall is check for programs, which send their password every time.
func (s *Server) recall(r *http.Request, name, password string) (User, error) {
	now := s.c.Now()
	if u, ok := s.user(name); ok {
		if text, err := u.Hash(); err == nil {
			d := s.recalled.digest(text, password)
			s.recalled.mu.Lock()
			known := s.recalled.all[u.Name]
			s.recalled.mu.Unlock()
			if left := known.til.Sub(now); left > 0 && left <= recallFor && hmac.Equal(known.digest[:], d[:]) {
				return u, nil
			}
		}
	}
	u, text, err := s.check(r.Context(), r, name, password)
	if err != nil {
		return User{}, err
	}
	s.recalled.mu.Lock()
	defer s.recalled.mu.Unlock()
	s.recalled.all[u.Name] = recall{s.recalled.digest(text, password), now.Add(recallFor)}
	return u, nil
}

// routeLogin answers what belongs to logging in and out.
func (s *Server) routeLogin(mux *http.ServeMux) {
	if len(s.c.Users) == 0 {
		return
	}
	mux.HandleFunc("GET /login", s.loginPage)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.logout)
}

// loginView is what the login page shows.
type loginView struct {
	formView
	Next    string // where the reader wanted to go
	Message string // why it did not work
}

// loginPage asks for name and password.
func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "login.html.tmpl", &loginView{Next: nextOf(r.URL.Query().Get("next"))})
}

// login begins a session. It has no token to bring back, because there is no session yet; who lured a browser into logging in as somebody
// else would have to get past http.CrossOriginProtection.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	if !s.parse(w, r) {
		return
	}
	next := nextOf(r.PostForm.Get("next"))
	password := r.PostForm.Get("password")
	if len(password) > MaxPassword {
		password = "" // it is wrong, and need not be hashed to know
	}
	u, text, err := s.check(r.Context(), r, r.PostForm.Get("name"), password)
	if err != nil {
		why := refusalOf(err)
		v := &loginView{Next: next}
		v.Message, _ = report.NewPhrases(s.c.Language, s.c.Zone).Say(why.phrase, why.answer(w)...)
		s.show(w, r, why.code, "login.html.tmpl", v)
		return
	}
	s.sessions.end(s.cookie(r))
	s.setCookie(w, r, s.sessions.begin(u.Name, text))
	s.c.Log.Info("logged in", "user", u.Name, "from", place(r).Addr().String())
	if next == "/" {
		var open []Role
		if isHere(r) {
			open = s.open
		}
		next = s.home(s.asUser(u, open, ""))
	}
	redirect(w, next)
}

// logout ends the session. Whose session is over already is as logged out as they wished.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if !s.parse(w, r) {
		return
	}
	v := visitorOf(r.Context())
	if v.User != "" && !isTheirs(r.Context(), r.PostForm.Get(tokenField)) {
		s.say(w, http.StatusForbidden, "act.stale")
		return
	}
	s.sessions.end(s.cookie(r))
	s.setCookie(w, r, "")
	if v.User != "" {
		s.c.Log.Info("logged out", "user", v.User)
	}
	redirect(w, "/login")
}

// nextOf returns where to go after the login: a path of this page, whatever the link said.
func nextOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") ||
		strings.ContainsAny(text, "\\\r\n\t") || u.Path == "/login" || u.Path == "/logout" {
		return "/"
	}
	next := url.URL{Path: u.Path, RawQuery: u.RawQuery}
	return next.RequestURI()
}
