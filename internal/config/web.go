package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Web is the page.
type Web struct {
	Listen      string    `yaml:"listen"`      // address:port; off in the file and "" here = no page; default off
	Certificate string    `yaml:"certificate"` // path of a PEM file, for TLS; read again when it changes; needed beyond this machine
	Key         string    `yaml:"key"`         // path of its key
	Hosts       []string  `yaml:"hosts"`       // what browsers call it, besides the names of this machine for itself
	Open        []string  `yaml:"open"`        // roles of whoever asks from this machine without a login; default view, and none where there are hosts
	Users       []WebUser `yaml:"users"`       // who can log in
}

// WebUser is somebody who can log in on the page.
type WebUser struct {
	Name     string   `yaml:"name"`     // what the ledger calls them; case doesn't count
	Password Secret   `yaml:"password"` // its argon2id hash, as gondola web password prints it, or a reference to that
	Roles    []string `yaml:"roles"`    // view, drop, approve
}

// The roles of the page.
const (
	RoleView    = "view"    // look at how things stand
	RoleDrop    = "drop"    // put exports into drop folders
	RoleApprove = "approve" // approve, reject, pause and resume
)

// UsualListen is where the page is served when nobody knows better. The page is off by default: two gondolas on one machine would want
// the same port.
const UsualListen = "127.0.0.1:8481"

// DefaultOpen returns the roles of whoever asks from this machine.
func DefaultOpen() []string { return []string{RoleView} }

// userForm keeps names readable in the ledger, and free of the colon that ends a name where name and password travel as one text. It is
// compiled when it is first needed: forty times the letters of all scripts take 0.9 MB.
var userForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,39}$`) })

// web checks where the page is served, and to whom. What a hash must be like is for whoever checks passwords to say.
func (ck *checker) web() {
	w := ck.c.Web
	ck.webUsers(w.Users)
	ck.roles("web.open", w.Open)
	if (w.Certificate == "") != (w.Key == "") {
		ck.wrong("web.certificate", "certificate and key go together; write both, or none on this machine alone")
	}
	for i, host := range w.Hosts {
		if _, err := netip.ParseAddr(host); err != nil && (host == "" || strings.ContainsAny(host, "/:@ \t\n")) {
			ck.wrong(fmt.Sprintf("web.hosts[%d]", i), "want a name alone, such as page.example.net, without https:// and port; found %q", withoutLogin(host))
		}
	}
	if w.Listen == "" {
		return
	}
	if _, port, err := net.SplitHostPort(w.Listen); err != nil || !isPort(port) {
		ck.wrong("web.listen", "want address:port such as %s, or off; found %q", UsualListen, w.Listen)
		return
	}
	if !w.beyond() {
		return
	}
	if w.Certificate == "" && w.Key == "" {
		ck.wrong("web.certificate", "missing; passwords go to %s, so it needs TLS: write certificate and key, or listen on %s behind a proxy that has one",
			w.Listen, UsualListen)
	}
	if len(w.Users) == 0 {
		ck.wrong("web.users", "missing; %s can be reached from other machines, so it needs a login: write users, or listen on %s", w.Listen, UsualListen)
	}
	if len(w.Hosts) == 0 {
		ck.wrong("web.hosts", "missing; write the name or the address that browsers call the page by, such as [page.example.net]")
	}
	if len(w.Open) > 0 {
		ck.wrong("web.open", "is for a page of this machine alone, and %s can be reached from others; write [], or listen on %s", w.Listen, UsualListen)
	}
}

// webUsers checks who can log in.
func (ck *checker) webUsers(users []WebUser) {
	names := map[string]int{}
	for i, u := range users {
		path := fmt.Sprintf("web.users[%d]", i)
		if ck.needed(path+".name", u.Name, "the name that they log in with and that the ledger shows") {
			if !userForm().MatchString(u.Name) {
				ck.wrong(path+".name", "want at most 40 letters and digits, with . _ @ - and blanks between them; found %q", u.Name)
			}
			name := strings.ToLower(u.Name)
			if first, twice := names[name]; twice {
				ck.wrong(path+".name", "the same name as web.users[%d] (case doesn't count); everybody has their own", first)
			}
			names[name] = i
		}
		switch {
		case !u.Password.IsSet():
			ck.wrong(path+".password", "missing; run `gondola web password` and write what it prints")
		case u.Password.ref().scheme != "": // a hash may stand in the config: nobody logs in with it
			ck.secret(path+".password", u.Password)
		}
		if len(u.Roles) == 0 {
			ck.wrong(path+".roles", "missing; write what they may do: [%s, %s, %s]", RoleView, RoleDrop, RoleApprove)
		}
		ck.roles(path+".roles", u.Roles)
	}
}

// roles checks a list of roles.
func (ck *checker) roles(path string, roles []string) {
	for i, r := range roles {
		ck.oneOf(fmt.Sprintf("%s[%d]", path, i), r, RoleView, RoleDrop, RoleApprove)
	}
}

// beyond reports whether other machines can reach the page. A name may mean any address, so only those of this machine for itself count.
func (w *Web) beyond() bool {
	if w.Listen == "" {
		return false
	}
	host, _, err := net.SplitHostPort(w.Listen)
	addr, addrErr := netip.ParseAddr(host)
	return err == nil && !strings.EqualFold(host, "localhost") && (addrErr != nil || !addr.IsLoopback())
}

// finish normalizes, and fills in who may look without a login. written says that the file does.
func (w *Web) finish(dir string, written bool) {
	for _, path := range []*string{&w.Certificate, &w.Key} {
		*path = absolute(dir, *path)
	}
	// Where the page has another name, others come to it, by its own port or by a proxy that may not say for whom it asks.
	if !written && (w.beyond() || len(w.Hosts) > 0) {
		w.Open = nil
	}
	w.Open = slices.Clone(w.Open)
}
