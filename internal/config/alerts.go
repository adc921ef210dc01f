package config

import (
	"fmt"
	"net/url"
	"time"
)

// Alert is one place that is told when a person is needed. Exactly one of its keys is set. Both are addresses, and references like
// every other secret: whoever has one of them can speak in our name.
type Alert struct {
	Ping Secret `yaml:"ping"` // of a check as healthchecks.io has them: /start, success and /fail
	Post Secret `yaml:"post"` // gets the state as JSON, once per change
}

// DefaultAlertsAfter is how long trouble that may pass by itself must last: a restarted server or router is back by then, and the
// next slot of the usual schedule has seen the trouble, too.
const DefaultAlertsAfter = Duration(15 * time.Minute)

// alerts checks who is told. The address itself is never shown.
func (ck *checker) alerts() {
	for i, a := range ck.c.Alerts {
		path := fmt.Sprintf("alerts[%d]", i)
		switch {
		case ck.silent(path + ".ping"), ck.silent(path + ".post"):
		case a.Ping.IsSet() && a.Post.IsSet():
			ck.wrong(path, "either ping or post; write two entries for both")
		case !a.Ping.IsSet() && !a.Post.IsSet():
			ck.wrong(path, "missing; write ping: or post: with the address by reference, such as env:GONDOLA_PING_URL")
		}
		ck.address(path+".ping", a.Ping)
		ck.address(path+".post", a.Post)
	}
	within(ck, "alerts_after", ck.c.AlertsAfter, 0, Duration(day))
}

// address checks a secret that is an address.
func (ck *checker) address(path string, s Secret) {
	if !s.IsSet() {
		return
	}
	text, err := s.Value()
	// Where a config was written out as it is understood, the address is not in it.
	if err == nil && (ck.sends || text != masked) {
		if err := CheckAddress(text); err != nil {
			ck.wrong(path, "%s", err)
		}
	}
	ck.secret(path, s)
}

// CheckAddress reports what keeps a text from being the address of an alarm. The error does not contain the text.
func CheckAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "" {
		return fmt.Errorf("what it refers to is no address; put the whole address there, from https:// on and without a #")
	}
	return nil
}
