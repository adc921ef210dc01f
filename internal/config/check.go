package config

import (
	"cmp"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	uuidForm     = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	vendorIDForm = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	prefixForm   = regexp.MustCompile(`^[A-Za-z]+$`)
	hostKeyForm  = regexp.MustCompile(`^SHA256:[A-Za-z0-9+/]{43}$`) // as ssh-keygen -l prints it: base64 without padding
	feedNameForm = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// checker collects what is wrong with values that could be read.
type checker struct {
	c       *Config
	tainted map[string]bool
	sends   bool // the secrets are needed
	found   Problems
}

// check finds what a value alone, or several together, can be wrong about. Paths that are tainted, or below one that is, have a
// problem already and get no second one. Who sends nothing can do without secrets.
func check(c *Config, tainted map[string]bool, sends bool) Problems {
	// Sections first, then what ties them together: whoever finds a path wrong first is the one to be heard about it.
	ck := &checker{c: c, tainted: tainted, sends: sends}
	ck.chain()
	ck.vendors()
	ck.sftp()
	ck.feeds()
	ck.send()
	ck.folders()
	ck.alerts()
	ck.web()
	ck.api()
	ck.orders()
	ck.ranges()
	return ck.found
}

// silent reports whether there is a problem with path, or with what it lies in, already.
func (ck *checker) silent(path string) bool {
	for p := path; p != ""; p = p[:max(strings.LastIndexAny(p, ".["), 0)] {
		if ck.tainted[p] {
			return true
		}
	}
	return false
}

// wrong adds a problem, unless path has one already.
func (ck *checker) wrong(path, format string, args ...any) {
	ck.add(ck.c.Problem(path, format, args...))
}

// add is wrong for problems with suggestions or choices.
func (ck *checker) add(p Problem) {
	if ck.silent(p.Path) {
		return
	}
	ck.tainted[p.Path] = true
	ck.found = append(ck.found, p)
}

// needed reports a required text that is not there, and returns whether there is something to check further.
func (ck *checker) needed(path, value, what string) bool {
	if value != "" {
		return true
	}
	ck.wrong(path, "missing; write %s", what)
	return false
}

// oneOf reports a value that is none of the choices.
func (ck *checker) oneOf(path, value string, choices ...string) {
	if slices.Contains(choices, value) {
		return
	}
	p := ck.c.Problem(path, "unknown value %q", value)
	p.Choices, p.Suggest = choices, suggest(value, choices)
	ck.add(p)
}

// within reports a value outside of its range.
func within[T cmp.Ordered](ck *checker, path string, value, least, most T) {
	if value < least || value > most {
		ck.wrong(path, "want %v to %v, found %v", least, most, value)
	}
}

// chain checks who the partner is. The brand is platform's to check: it has the profiles.
func (ck *checker) chain() {
	c := ck.c.Chain
	const idHint = "the chain's UUID; the SFTP user name ends in it, and the platform's account manager knows it"
	if ck.needed("chain.id", c.ID, idHint) && !uuidForm.MatchString(c.ID) {
		ck.wrong("chain.id", "not a UUID: %q; write %s", c.ID, idHint)
	}
	if ck.needed("chain.time_zone", c.TimeZone, "an IANA name such as America/Montevideo") {
		ck.zone("chain.time_zone", c.TimeZone)
	}
	ck.oneOf("chain.language", c.Language, "es", "pt", "en")
	ck.oneOf("chain.identify_by", c.IdentifyBy, "sku", "barcode")
}

// zone reports a time zone that the zone database doesn't have. Local is one to Go, and another one on every machine.
func (ck *checker) zone(path, name string) {
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		ck.wrong(path, "unknown time zone %q; write an IANA name such as America/Montevideo", name)
	}
}

// vendors checks the stores. An ERP code must not be another store's id: exports may name stores by either.
func (ck *checker) vendors() {
	if len(ck.c.Vendors) == 0 {
		ck.wrong("vendors", "missing; write at least one store")
	}
	ids, codes := map[string]int{}, map[string]int{}
	for i, v := range ck.c.Vendors {
		path := fmt.Sprintf("vendors[%d].id", i)
		if !ck.needed(path, v.ID, "the platform's code of the store") {
			continue
		}
		if !vendorIDForm.MatchString(v.ID) {
			ck.wrong(path, "not a store's code: %q; it has letters, digits and hyphens only", v.ID)
		}
		if first, twice := ids[strings.ToLower(v.ID)]; twice {
			ck.wrong(path, "the same id as vendors[%d] (case doesn't count); every store has its own", first)
		} else {
			ids[strings.ToLower(v.ID)] = i
		}
		if v.TimeZone != ck.c.Chain.TimeZone {
			ck.zone(fmt.Sprintf("vendors[%d].time_zone", i), v.TimeZone)
		}
	}
	for i, v := range ck.c.Vendors {
		if v.ERPCode == "" {
			continue
		}
		path, code := fmt.Sprintf("vendors[%d].erp_code", i), strings.ToLower(v.ERPCode)
		if first, twice := codes[code]; twice {
			ck.wrong(path, "the same erp_code as vendors[%d]; every store has its own", first)
			continue
		}
		codes[code] = i
		if other, clash := ids[code]; clash && other != i {
			ck.wrong(path, "is the id of vendors[%d]; an export that says %q could mean either store", other, v.ERPCode)
		}
	}
}

// sftp checks the server and the login. Whether key and known_hosts can be read is sftp's to say, when it needs them.
func (ck *checker) sftp() {
	s := ck.c.SFTP
	if s.Host != "" || ck.c.SendsFiles() {
		ck.login(s)
	}
	ck.secret("sftp.password", s.Password)
	ck.secret("sftp.key_passphrase", s.KeyPassphrase)
	for i, key := range s.HostKeys {
		if !hostKeyForm.MatchString(key) {
			ck.wrong(fmt.Sprintf("sftp.host_keys[%d]", i),
				"not a fingerprint: %q; write SHA256: and 43 characters, as `ssh-keygen -l` prints it", key)
		}
	}
	if !prefixForm.MatchString(s.Prefix) {
		// What follows the last underscore is the store to the platform, and a digit makes a name one of several parts.
		ck.wrong("sftp.prefix", "want letters only, found %q", s.Prefix)
	}
	ck.remoteFolders(s.Folders)
}

// login checks what is needed to talk to the server.
func (ck *checker) login(s SFTP) {
	if ck.needed("sftp.host", s.Host, "the platform's SFTP host") {
		ck.host(s.Host)
	}
	ck.needed("sftp.user", s.User, "the login, from the platform's account manager")
	if !s.Password.IsSet() && s.Key == "" && !ck.silent("sftp.key") {
		ck.wrong("sftp.password", "missing; write password: env:NAME, or key: with the path of a private key")
	}
	if len(s.HostKeys) == 0 && s.KnownHosts == "" && !ck.silent("sftp.known_hosts") {
		ck.wrong("sftp.host_keys",
			"missing; write the server's fingerprint (SHA256:...) once the platform has confirmed it, or known_hosts:")
	}
}

// remoteFolders checks the folders that the platform reads. The platform tells kinds apart by folder only.
func (ck *checker) remoteFolders(f Folders) {
	seen := map[string]string{}
	for _, one := range []struct{ key, value, usual string }{
		{"catalog", f.Catalog, DefaultFolderCatalog},
		{"promotions", f.Promotions, DefaultFolderPromos},
		{"assortment", f.Assortment, DefaultFolderBoth},
	} {
		path := "sftp.folders." + one.key
		if v := one.value; v == "" || strings.HasPrefix(v, "/") || slices.Contains(strings.Split(v, "/"), "..") {
			ck.wrong(path, "want a folder inside the login's home such as %s, found %q", one.usual, v)
			continue
		}
		name := strings.ToLower(strings.Trim(one.value, "/"))
		if other, twice := seen[name]; twice {
			ck.wrong(path, "the same folder as %s; each kind of file has its own", other)
		}
		seen[name] = path
	}
}

// host reports what people paste instead of a host name.
func (ck *checker) host(host string) {
	switch {
	case net.ParseIP(host) != nil:
	case strings.ContainsAny(host, "/@ \t\n"):
		ck.wrong("sftp.host", "want the host's name alone, found %q; remove what stands around it", withoutLogin(host))
	case strings.Contains(host, ":"):
		ck.wrong("sftp.host", "want the host's name alone, found %q; write the port under port:", host)
	}
}

// secret follows a reference once, so that a wrong one is found now and not at the next push.
func (ck *checker) secret(path string, s Secret) {
	if !s.IsSet() {
		return
	}
	if message, warn := s.check(); message != "" {
		p := ck.c.Problem(path, "%s", message)
		p.Warning = warn || !ck.sends
		ck.add(p)
	}
}

// maxPriority is more feeds than anybody has.
const maxPriority = 1000

// send checks what the files look like. Which brands read one file for both kinds is platform's to say.
func (ck *checker) send() {
	s := ck.c.Send
	ck.oneOf("send.format", s.Format, FormatDouble, FormatSingle)
	ck.oneOf("send.vendors", s.Vendors, VendorsListed, VendorsAll)
	for _, kind := range []struct {
		name string
		send SendKind
	}{{"catalog", s.Catalog}, {"promotions", s.Promotions}} {
		ck.shape("send."+kind.name+".shape", kind.name, kind.send.Shape)
	}
	if len(s.Exclude) > 0 && s.Vendors != VendorsAll {
		ck.wrong("send.exclude", "means something beside vendors: all only; leave those stores out of vendors at the top instead")
	}
	for i, id := range s.Exclude {
		path := fmt.Sprintf("send.exclude[%d]", i)
		switch {
		case !vendorIDForm.MatchString(id):
			ck.wrong(path, "not a store's code: %q; it has letters, digits and hyphens only", id)
		case slices.ContainsFunc(ck.c.Vendors, func(v Vendor) bool { return strings.EqualFold(v.ID, id) }):
			ck.wrong(path, "%q is one of the stores under vendors at the top; remove it from one of the two", id)
		}
	}
}

// shape checks that one file for all stores can say what the feeds of a kind say.
func (ck *checker) shape(path, kind, shape string) {
	ck.oneOf(path, shape, ShapeVendor, ShapeChain)
	if shape != ShapeChain {
		return
	}
	if ck.c.Send.Format == FormatSingle {
		ck.wrong(path, "chain does not go with send.format: single; such files are for one store each")
	}
	for i, f := range ck.c.Feeds {
		if f.Kind == kind && !f.Vendor.All && !ck.silent(fmt.Sprintf("feeds[%d].vendor", i)) {
			ck.wrong(path, "chain needs vendor: all in every feed of the kind, and feeds[%d] tells stores apart; write vendor here, or all there", i)
			return
		}
	}
}

// ranges checks the numbers. The lower ends are where a setting stops making sense, the upper ones where it is surely a typo.
func (ck *checker) ranges() {
	c := ck.c
	within(ck, "chain.price_decimals", c.Chain.PriceDecimals, 0, 3)
	within(ck, "sftp.port", c.SFTP.Port, 1, 65535)
	within(ck, "sftp.parallel", c.SFTP.Parallel, 1, MostParallel)
	within(ck, "sftp.read_back", c.SFTP.ReadBack, 0, Size(10e9))
	most := DefaultMaxRows
	if c.Send.Catalog.By == ByAPI {
		most = MaxRequestRows
	}
	within(ck, "send.catalog.max_rows", c.Send.Catalog.MaxRows, 1, most)
	within(ck, "send.promotions.max_rows", c.Send.Promotions.MaxRows, 1, DefaultPromoMaxRows)
	for i, f := range c.Feeds {
		within(ck, fmt.Sprintf("feeds[%d].priority", i), f.Priority, -maxPriority, maxPriority)
		if f.MaxAge != 0 {
			within(ck, fmt.Sprintf("feeds[%d].max_age", i), f.MaxAge, Duration(time.Minute), Duration(365*day))
		}
	}
	within(ck, "brake.min_rows", c.Brake.MinRows, 0, DefaultMaxRows)
	ck.oneOf("brake.unknown_articles", c.Brake.UnknownArticles, UnknownHold, UnknownSend)
	const millisecond, second, hour = Duration(time.Millisecond), Duration(time.Second), Duration(time.Hour)
	for _, r := range []struct {
		path               string
		value, least, most Duration
	}{
		{"retention.drops", c.Retention.Drops, Duration(day), Duration(3650 * day)},
		{"retention.layers", c.Retention.Layers, Duration(day), Duration(3650 * day)},
		{"retention.ledger", c.Retention.Ledger, Duration(day), Duration(3650 * day)},
		{"sftp.read_window", c.SFTP.ReadWindow, second, Duration(7 * day)},
		{"sftp.clock_skew", c.SFTP.ClockSkew, Duration(30 * time.Second), Duration(3650 * day)},
		{"sftp.stall_timeout", c.SFTP.StallTimeout, second, hour},
		{"drops.settle", c.Drops.Settle, 100 * millisecond, hour},
		{"drops.quiet", c.Drops.Quiet, 100 * millisecond, Duration(day)},
		{"drops.max_wait", c.Drops.MaxWait, second, Duration(7 * day)},
		{"drops.scan", c.Drops.Scan, 100 * millisecond, hour},
		{"brake.approval", c.Brake.Approval, second, Duration(30 * day)},
	} {
		within(ck, r.path, r.value, r.least, r.most)
	}
}
