package config

import (
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/url"
	"time"
)

// Alert is one place that is told when a person is needed. Exactly one of ping, post and mail is set. The first two are addresses, and
// references like every other secret: whoever has one of them can speak in our name.
type Alert struct {
	Ping Secret `yaml:"ping"` // of a check as healthchecks.io has them: /start, success and /fail
	Post Secret `yaml:"post"` // gets the state, once per change
	Mail Mail   `yaml:"mail"` // gets it by mail

	As          string `yaml:"as"`           // what a post looks like: json, slack, teams, discord, telegram or ntfy; default json
	Chat        string `yaml:"chat"`         // of Telegram
	Template    string `yaml:"template"`     // path of a Go text template for what a post says
	ContentType string `yaml:"content_type"` // of what the template makes, with as: json; default application/json
}

// Mail is whom mail goes to, and the server that takes it.
type Mail struct {
	To       []string `yaml:"to"`
	From     string   `yaml:"from"`
	Server   string   `yaml:"server"`   // host:port
	User     string   `yaml:"user"`     // "" = nobody logs in
	Password Secret   `yaml:"password"` // a reference
	TLS      string   `yaml:"tls"`      // starttls, tls or none; default starttls
}

// IsSet reports whether anything of it is written.
func (m Mail) IsSet() bool {
	return len(m.To) > 0 || m.From != "" || m.Server != "" || m.User != "" || m.Password.IsSet()
}

// The values of Alert.As and of Mail.TLS.
const (
	AsJSON     = "json"
	AsSlack    = "slack"
	AsTeams    = "teams"
	AsDiscord  = "discord"
	AsTelegram = "telegram"
	AsNtfy     = "ntfy"

	MailStartTLS = "starttls"
	MailTLS      = "tls"
	MailOpen     = "none"
)

// finish fills in what goes with what is written.
func (a *Alert) finish(dir string) {
	a.Template = absolute(dir, a.Template)
	if a.Post.IsSet() && a.As == "" {
		a.As = AsJSON
	}
	if a.Mail.IsSet() && a.Mail.TLS == "" {
		a.Mail.TLS = MailStartTLS
	}
}

// The defaults of alerts.
const (
	// DefaultAlertsAfter is how long trouble that may pass by itself must last: a restarted server or router is back by then, and the
	// next slot of the usual schedule has seen the trouble, too.
	DefaultAlertsAfter = Duration(15 * time.Minute)
	// DefaultAlertsRemind is when people have begun to work and have not begun to do something else.
	DefaultAlertsRemind = 9 * time.Hour
	// DefaultSameFor is longer than a weekend on which nobody changes anything.
	DefaultSameFor = Duration(3 * day)
)

// alerts checks who is told. The address itself is never shown.
func (ck *checker) alerts() {
	for i, a := range ck.c.Alerts {
		path := fmt.Sprintf("alerts[%d]", i)
		ways := 0
		for _, set := range []bool{a.Ping.IsSet(), a.Post.IsSet(), a.Mail.IsSet()} {
			if set {
				ways++
			}
		}
		switch {
		case ck.silent(path + ".ping"), ck.silent(path + ".post"), ck.silent(path + ".mail"):
		case ways > 1:
			ck.wrong(path, "either ping, post or mail; write an entry for each")
		case ways == 0:
			ck.wrong(path, "missing; write ping: or post: with the address by reference, such as env:GONDOLA_PING_URL, or mail:")
		}
		ck.address(path+".ping", a.Ping)
		ck.address(path+".post", a.Post)
		ck.post(path, a)
		if a.Mail.IsSet() {
			ck.mail(path+".mail", a.Mail)
		}
	}
	within(ck, "alerts_after", ck.c.AlertsAfter, 0, Duration(day))
}

// post checks what a post looks like. What a template says is alert's to check.
func (ck *checker) post(path string, a Alert) {
	if a.As != "" {
		ck.oneOf(path+".as", a.As, AsJSON, AsSlack, AsTeams, AsDiscord, AsTelegram, AsNtfy)
	}
	if a.Ping.IsSet() || a.Mail.IsSet() {
		for _, only := range []struct{ key, value string }{{"as", a.As}, {"template", a.Template}} {
			if only.value != "" {
				ck.wrong(path+"."+only.key, "means something beside post only")
			}
		}
	}
	switch {
	case a.As == AsTelegram:
		ck.needed(path+".chat", a.Chat, `the chat's id, in quotes, such as "-1001234567890", or @channel`)
	case a.Chat != "":
		ck.wrong(path+".chat", "means something beside as: telegram only")
	}
	if a.ContentType == "" {
		return
	}
	if _, _, err := mime.ParseMediaType(a.ContentType); err != nil {
		ck.wrong(path+".content_type", "want a type such as text/plain; charset=utf-8, found %q", a.ContentType)
	}
	if a.Template == "" || a.As != AsJSON {
		ck.wrong(path+".content_type", "means something beside template and as: json only; the services have theirs")
	}
}

// mail checks a mail server and who gets mail.
func (ck *checker) mail(path string, m Mail) {
	if len(m.To) == 0 && !ck.silent(path+".to") {
		ck.wrong(path+".to", "missing; write to: [somebody@example.com]")
	}
	for i, to := range m.To {
		ck.mailbox(fmt.Sprintf("%s.to[%d]", path, i), to)
	}
	if ck.needed(path+".from", m.From, "the address that the mail is from") {
		ck.mailbox(path+".from", m.From)
	}
	if ck.needed(path+".server", m.Server, "host:port, such as smtp.example.com:587") {
		if host, port, err := net.SplitHostPort(m.Server); err != nil || host == "" || !isPort(port) {
			ck.wrong(path+".server", "want host:port such as smtp.example.com:587, found %q", withoutLogin(m.Server))
		}
	}
	ck.oneOf(path+".tls", m.TLS, MailStartTLS, MailTLS, MailOpen)
	switch {
	case ck.silent(path + ".password"):
	case m.User != "" && !m.Password.IsSet():
		ck.wrong(path+".password", "missing; write password: env:NAME, or leave out user")
	case m.User == "" && m.Password.IsSet():
		ck.wrong(path+".user", "missing; write user:, or leave out password")
	case m.Password.IsSet() && m.TLS == MailOpen:
		ck.wrong(path+".tls", "none would show the password to everybody on the way; write starttls or tls, or leave out user and password")
	}
	ck.secret(path+".password", m.Password)
}

// mailbox checks an address of mail, without a name in front.
func (ck *checker) mailbox(path, address string) {
	if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
		ck.wrong(path, "want an address such as somebody@example.com, found %q", address)
	}
}

// expect checks when silence is an alarm. at is the path of a feed.
func (ck *checker) expect(at string, e Expect) {
	if e.SameFor != 0 {
		within(ck, at+".expect.same_for", e.SameFor, Duration(time.Hour), Duration(365*day))
	}
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
