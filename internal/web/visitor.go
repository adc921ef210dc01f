package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Role is what somebody may do on the page.
type Role string

// The roles. Each stands alone: who may approve can look only with RoleView, too.
const (
	RoleView    Role = "view"    // look at how things stand
	RoleDrop    Role = "drop"    // put exports into drop folders
	RoleApprove Role = "approve" // approve, reject, pause and resume
)

// Visitor is who asks.
type Visitor struct {
	Name  string // what the ledger calls them
	User  string // the name that they logged in with, "" for who did not
	Roles []Role
	Token string // what a form of theirs brings back, as csrf; "" for who may do nothing
}

// May reports whether a visitor has a role.
func (v Visitor) May(r Role) bool { return slices.Contains(v.Roles, r) }

// visitorKey is where a request's context has its visitor.
type visitorKey struct{}

// visitorOf returns who asks. Only handlers behind [Server.known] have one; anybody else is nobody, with no role.
func visitorOf(ctx context.Context) Visitor {
	v, _ := ctx.Value(visitorKey{}).(Visitor)
	return v
}

// nobody is what the ledger calls somebody who did not log in. Everybody at this machine can be that.
const nobody = "page"

// known finds out who asks, for everything behind it.
func (s *Server) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, withVisitor(r, s.visitor(r)))
	})
}

func withVisitor(r *http.Request, v Visitor) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
}

// visitor returns who asks: the user of the session, and for whoever asks from this machine what is open to them besides.
func (s *Server) visitor(r *http.Request) Visitor {
	v := Visitor{Name: nobody}
	if isHere(r) {
		v.Roles = s.open
		if len(v.Roles) > 0 {
			v.Token = s.token
		}
	}
	one, ok := s.sessions.find(s.cookie(r))
	if !ok {
		return v
	}
	u, ok := s.user(one.user)
	if !ok {
		return v
	}
	// A changed password ends what was begun with the one before. While it can't be read nobody is who they say.
	if text, err := u.Hash(); err != nil || sha256.Sum256([]byte(text)) != one.hash {
		return v
	}
	return s.asUser(u, v.Roles, one.token)
}

// asUser returns a user as a visitor.
func (s *Server) asUser(u User, besides []Role, token string) Visitor {
	roles := slices.Clone(u.Roles)
	for _, r := range besides {
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return Visitor{Name: u.Name + " (page)", User: u.Name, Roles: roles, Token: token}
}

// only lets visitors with a role through. Who may log in is asked to do so.
func (s *Server) only(role Role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := visitorOf(r.Context())
		switch {
		case v.May(role):
			next(w, r)
		case v.User == "" && len(s.c.Users) > 0 && isRead(r) && wantsPage(r):
			redirect(w, "/login?next="+url.QueryEscape(r.URL.RequestURI()))
		case v.User == "" && len(s.c.Users) > 0:
			s.say(w, http.StatusUnauthorized, "access.first")
		default:
			s.say(w, http.StatusForbidden, "access.not-yours", string(role))
		}
	}
}

// scripts is only for what programs ask, too: they have no form to fill in, and name user and password with every request (HTTP Basic).
// It is for reading alone: a browser that was told a password once sends it along with whatever another site makes it ask for.
func (s *Server) scripts(role Role, next http.HandlerFunc) http.HandlerFunc {
	inner := s.only(role, next)
	return func(w http.ResponseWriter, r *http.Request) {
		v := visitorOf(r.Context())
		name, password, ok := r.BasicAuth()
		if v.May(role) || len(s.c.Users) == 0 || !ok && v.User != "" {
			inner(w, r)
			return
		}
		if !ok {
			w.Header().Set("WWW-Authenticate", challenge)
			s.say(w, http.StatusUnauthorized, "access.first")
			return
		}
		u, err := s.recall(r, name, password)
		if err != nil {
			if refusalOf(err).code == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", challenge)
			}
			s.refused(w, err)
			return
		}
		inner(w, withVisitor(r, s.asUser(u, nil, "")))
	}
}

// challenge asks a program for user and password.
const challenge = `Basic realm="gondola", charset="UTF-8"`

// isRead reports whether a request only looks.
func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// wantsPage reports whether a person looks at the answer: not a script that fetches something, which would take a login page for it.
func wantsPage(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// home returns the first page of a visitor: who may not look at how things stand is not led there.
func (s *Server) home(v Visitor) string {
	switch {
	case v.May(RoleView):
	case v.May(RoleDrop) && s.drops != nil:
		return "/drop"
	case v.May(RoleApprove) && s.c.Desk != nil:
		return "/pause"
	}
	return "/"
}

// redirect sends a reader to another page, which is asked for with GET. The path begins with one slash.
func redirect(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
}

// The limits of a form without files.
const formMost = 16 << 10

// form lets the forms of visitors with a role through, with their values parsed.
func (s *Server) form(role Role, next http.HandlerFunc) http.HandlerFunc {
	return s.only(role, func(w http.ResponseWriter, r *http.Request) {
		if !s.parse(w, r) {
			return
		}
		if !isTheirs(r.Context(), r.PostForm.Get(tokenField)) {
			s.say(w, http.StatusForbidden, "act.stale")
			return
		}
		next(w, r)
	})
}

// parse reads the values of a form; it answers where there is none.
func (s *Server) parse(w http.ResponseWriter, r *http.Request) bool {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(strings.ToLower(kind)) != "application/x-www-form-urlencoded" {
		http.Error(w, "want a form (application/x-www-form-urlencoded)", http.StatusUnsupportedMediaType)
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, formMost)
	if err := r.ParseForm(); err != nil {
		code := http.StatusBadRequest
		if isTooLarge(err) {
			code = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the form can't be read", code)
		return false
	}
	return true
}

// tokenField is the field of a form that brings a visitor's token back.
const tokenField = "csrf"

// isTheirs reports whether a token is the visitor's. It is the second line against forms that another site makes a browser send: the first
// one, http.CrossOriginProtection, rests on headers of the browser, and this on a page of ours having been read.
func isTheirs(ctx context.Context, token string) bool {
	want := visitorOf(ctx).Token
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(token)) == 1
}
