package alert

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wneessen/go-mail"
)

// mailTimeout is how long one mail may take. Servers let strangers wait for their greeting, so it is more than other services get.
const mailTimeout = 30 * time.Second

// mail sends a message by mail. What may be said of a failure is the server's word, without the password.
func (c *Client) mail(ctx context.Context, box Mailbox, m Message) (Answer, error) {
	timeout := cmp.Or(c.Timeout, mailTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a, err := c.deliver(ctx, box, m, timeout)
	if _, one := errors.AsType[*recipientError](err); !one || len(box.To) == 1 {
		return a, err
	}
	// A server that knows one of them not takes the mail for nobody. Who left the company must not keep the others from hearing of it.
	var missed []string
	taken := 0
	for _, to := range box.To {
		single := box
		single.To = []string{to}
		answer, err := c.deliver(ctx, single, m, timeout)
		if err != nil {
			missed = append(missed, fmt.Sprintf("%s was not told: %s", to, err))
			continue
		}
		a, taken = answer, taken+1
	}
	if taken == 0 {
		return Answer{}, err
	}
	a.Note = strings.Join(missed, "; ")
	return a, nil
}

// recipientError says that a server refuses one of those whom a mail is for, at least.
type recipientError struct{ text string }

// Error implements error.
func (e *recipientError) Error() string { return e.text }

// deliver sends one mail to all of a mailbox. A *recipientError says that nobody got it because one of them is refused.
func (c *Client) deliver(ctx context.Context, box Mailbox, m Message, timeout time.Duration) (Answer, error) {
	msg, err := c.letter(box, m)
	if err != nil {
		return Answer{}, err
	}
	sender, err := c.sender(ctx, box, timeout)
	if err != nil {
		return Answer{}, err
	}
	err = sender.DialAndSendWithContext(ctx, msg)
	if msg.IsDelivered() {
		// The server has taken it. That it did not say goodbye is no reason to send it twice.
		return Answer{Status: "accepted", Text: passwordOf(box).clean(line(msg.ServerResponse()))}, nil
	}
	if err == nil {
		err = errors.New("it was not taken")
	}
	text := passwordOf(box).clean(line(box.reason(ctx, err, timeout)))
	if refused, ok := errors.AsType[*mail.SendError](err); ok && refused.Reason == mail.ErrSMTPRcptTo && ctx.Err() == nil {
		return Answer{}, &recipientError{text}
	}
	return Answer{}, errors.New(text)
}

// letter writes a mail.
func (c *Client) letter(box Mailbox, m Message) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := msg.From(box.From); err != nil {
		return nil, fmt.Errorf("%q is no address; correct mail.from", box.From)
	}
	for _, to := range box.To {
		if err := msg.AddTo(to); err != nil {
			return nil, fmt.Errorf("%q is no address; correct mail.to", to)
		}
	}
	msg.Subject(c.title(m))
	msg.SetDate()
	msg.SetMessageID()
	// No machine is to answer it: replies of people on holiday would come at night.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, c.title(m)+"\n"+c.text(m, room{most: mostMail, size: bytesOf})+"\n\n-- \nGondola "+c.Chain+"\n")
	return msg, nil
}

// sender knows the server and how to speak to it while whole lasts.
func (c *Client) sender(whole context.Context, box Mailbox, timeout time.Duration) (*mail.Client, error) {
	host, port, err := net.SplitHostPort(box.Server)
	n, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil {
		return nil, fmt.Errorf("%q is no host:port; correct mail.server", box.Server)
	}
	secure := &tls.Config{ServerName: host, RootCAs: c.roots, MinVersion: tls.VersionTLS12}
	policy := mail.TLSMandatory
	switch box.TLS {
	case NoTLS:
		policy = mail.NoTLS
	case FullTLS:
		policy = mail.TLSOpportunistic // the connection is encrypted when the library gets it; STARTTLS is not offered on such
	case StartTLS:
	}
	options := []mail.Option{
		mail.WithPort(n), mail.WithTimeout(timeout), mail.WithTLSConfig(secure), mail.WithTLSPolicy(policy), mail.WithoutNoop(),
		mail.WithDialContextFunc(func(_ context.Context, network, address string) (net.Conn, error) {
			return box.dial(whole, network, address, secure) // the library's own ends when it is connected
		}),
	}
	if box.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(box.User), mail.WithPassword(box.Password))
	}
	sender, err := mail.NewClient(host, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare mail: %w", err)
	}
	return sender, nil
}

// dial connects for as long as ctx lasts: the library looks at a context until it is connected only, and gives every step the whole time
// anew.
func (box Mailbox) dial(ctx context.Context, network, address string, secure *tls.Config) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	end, _ := ctx.Deadline()
	b := &bound{Conn: conn, end: end}
	b.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	if box.TLS != FullTLS {
		return b, nil
	}
	over := tls.Client(b, secure)
	if err := over.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return over, nil
}

// bound is a connection that ends at a time, whatever is said of it later.
type bound struct {
	net.Conn
	end  time.Time
	stop func() bool
}

// SetDeadline implements net.Conn.
func (b *bound) SetDeadline(t time.Time) error { return b.Conn.SetDeadline(b.sooner(t)) }

// SetReadDeadline implements net.Conn.
func (b *bound) SetReadDeadline(t time.Time) error { return b.Conn.SetReadDeadline(b.sooner(t)) }

// SetWriteDeadline implements net.Conn.
func (b *bound) SetWriteDeadline(t time.Time) error { return b.Conn.SetWriteDeadline(b.sooner(t)) }

func (b *bound) sooner(t time.Time) time.Time {
	if t.IsZero() || t.After(b.end) {
		return b.end
	}
	return t
}

// Close implements net.Conn.
func (b *bound) Close() error {
	b.stop()
	return b.Conn.Close()
}

// reason says why a mail was not taken, and what to do about it.
func (box Mailbox) reason(ctx context.Context, err error, timeout time.Duration) string {
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "stopped"
	}
	said := saidBy(err)
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name of its host is not found; check mail.server and the network"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nobody answers at its port (connection refused); check mail.server"
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return cert.Err.Error() + "; check the name in mail.server, and that this machine trusts its certificate"
	}
	if refused, ok := errors.AsType[*mail.SendError](err); ok && said != "" {
		what := map[mail.SendErrReason]string{
			mail.ErrSMTPMailFrom: "it does not take mail from mail.from", mail.ErrSMTPRcptTo: "it does not take mail for an address of mail.to",
		}[refused.Reason]
		if what != "" {
			return what + ": " + said + "; correct it, or ask who runs the server"
		}
	}
	switch text := err.Error(); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), isTimeout(err):
		return fmt.Sprintf("no answer within %s; check mail.server, its port and mail.tls (tls for port 465, starttls for 587)", timeout)
	case strings.Contains(text, "does not support STARTTLS"):
		return "it offers no STARTTLS; write tls: tls for port 465, or tls: none for a server of your own network"
	case strings.Contains(text, "AUTH failed"):
		return "it refused user or password: " + cmp.Or(said, "no reason given") + "; correct mail.user and mail.password"
	case errors.Is(err, mail.ErrNoSupportedAuthDiscovered), strings.Contains(text, "does not support SMTP AUTH"):
		return "it takes no login this way; check mail.tls and its port, or leave out mail.user and mail.password"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "it does not begin with TLS; write tls: starttls, usual for port 587"
	}
	return cmp.Or(said, err.Error()) + "; check mail.server, its port and mail.tls"
}

// refusedForm is what a server says when it refuses. The library's errors do not hand it out otherwise.
var refusedForm = regexp.MustCompile(`\b[45][0-9]{2} [^,]*`)

// saidBy returns what the server said, "" for nothing.
func saidBy(err error) string {
	return strings.ReplaceAll(refusedForm.FindString(err.Error()), `"`, "")
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// passwordOf returns what removes the password from what a server says: some repeat what they were told.
func passwordOf(box Mailbox) scrubber {
	if box.Password == "" {
		return scrubber{}
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + box.User + "\x00" + box.Password))
	return scrubber{parts: []string{plain, base64.StdEncoding.EncodeToString([]byte(box.Password)), box.Password}}
}
