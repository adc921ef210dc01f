package web

import (
	"context"
	"net/http"
	"slices"
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
	Roles []Role
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
		v := Visitor{Name: nobody, Roles: s.c.Open}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitorKey{}, v)))
	})
}

// only lets visitors with a role through.
func (s *Server) only(role Role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !visitorOf(r.Context()).May(role) {
			http.Error(w, "not for you: this needs the role "+string(role), http.StatusForbidden)
			return
		}
		next(w, r)
	}
}
