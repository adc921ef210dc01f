package alert

import "strings"

// Target is who is told, and how.
type Target struct {
	Way     Way
	Address string // of a ping or a post; a secret

	// Of a post.
	As          As
	Chat        string    // with Telegram: the id of the chat, or @channel
	Template    *Template // optional: a text of their own
	ContentType string    // of a Template with AsJSON; "" is application/json

	Mail Mailbox // of a mail
}

// As is what a post looks like.
type As string

// What a post can look like: the state as JSON for programs, or a message of a service that people read.
const (
	AsJSON     As = "json"
	AsSlack    As = "slack"
	AsTeams    As = "teams"
	AsDiscord  As = "discord"
	AsTelegram As = "telegram"
	AsNtfy     As = "ntfy"
)

// Mailbox is a server that takes mail, and whom the mail is for.
type Mailbox struct {
	Server   string // host:port
	User     string // "" = nobody logs in
	Password string // a secret
	TLS      TLS
	From     string
	To       []string
}

// TLS is how a connection to a mail server is kept from being read.
type TLS string

// The ways: a connection that begins in the open and is encrypted before anything is said (port 587), one that is encrypted from the
// first byte on (port 465), and none.
const (
	StartTLS TLS = "starttls"
	FullTLS  TLS = "tls"
	NoTLS    TLS = "none"
)

// ID names who is told: what one was told, another one with the same ID knows. It holds what is secret in the address.
func (t Target) ID() string {
	parts := []string{string(t.Way), t.Address}
	if t.Way == Mail {
		parts = append([]string{string(t.Way), t.Mail.Server}, t.Mail.To...)
	}
	if t.Chat != "" {
		parts = append(parts, t.Chat)
	}
	return strings.Join(parts, "\n")
}
