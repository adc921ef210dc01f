package alert

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer speaks SMTP as far as a mail needs it.
type mailServer struct {
	address string
	cert    tls.Certificate
	roots   *x509.CertPool
	full    bool              // TLS from the first byte on
	offers  string            // after EHLO, lines with spaces between
	answers map[string]string // by what is said or its first word, other than usual; "-" hangs, "" hangs up

	mu   sync.Mutex
	got  []string // mails: envelope and text
	auth string
}

// newMailServer starts one.
func newMailServer(t *testing.T, s *mailServer) *mailServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	like := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, DNSNames: []string{"localhost"}, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, like, like, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(leaf)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s.address = "localhost:" + port
	var wait sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				defer conn.Close()
				s.serve(ctx, conn)
			})
		}
	})
	t.Cleanup(func() { stop(); _ = l.Close(); wait.Wait() })
	return s
}

// serve speaks with one client.
func (s *mailServer) serve(ctx context.Context, conn net.Conn) {
	if s.full {
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12})
	}
	in := bufio.NewReader(conn)
	secure, envelope := s.full, ""
	say := func(text string) { _, _ = fmt.Fprint(conn, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n") }
	for word, line := "GREETING", ""; ; {
		own, is := s.answers[line]
		if !is {
			own, is = s.answers[word]
		}
		switch {
		case is && own == "-":
			<-ctx.Done()
			return
		case is && own == "":
			return
		case is:
			say(own)
		case word == "GREETING":
			say("220 mail.test")
		case word == "EHLO":
			offers := s.offers
			if secure {
				offers = strings.ReplaceAll(offers, "STARTTLS ", "")
			}
			say("250-mail.test\n250-" + strings.ReplaceAll(strings.TrimSpace(offers+" 8BITMIME"), " ", "\n250-") + "\n250 AUTH PLAIN")
		case word == "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12})
			in, secure = bufio.NewReader(conn), true
		case word == "AUTH":
			s.mu.Lock()
			s.auth = line
			s.mu.Unlock()
			say("235 welcome")
		case word == "DATA":
			say("354 go on")
			for {
				text, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if text == ".\r\n" {
					break
				}
				envelope += text
			}
			s.mu.Lock()
			s.got = append(s.got, fmt.Sprintf("secure %t\n%s", secure, envelope))
			s.mu.Unlock()
			say("250 queued as 42")
		case word == "QUIT":
			say("221 bye")
			return
		default:
			if word == "MAIL" || word == "RCPT" {
				envelope += line + "\n"
			}
			say("250 ok")
		}
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return
		}
		line = strings.TrimSpace(line)
		word, _, _ = strings.Cut(line, " ")
		word = strings.ToUpper(word)
	}
}

func (s *mailServer) mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

const mailPassword = "m4il-s3cret"

func (s *mailServer) box(way TLS) Mailbox {
	return Mailbox{
		Server: s.address, User: "gondola@example.com", Password: mailPassword, TLS: way,
		From: "gondola@example.com", To: []string{"admin@example.com", "jefe@example.com"},
	}
}

// TestMail sends mail in each way that a connection is kept from being read, and looks at what arrived.
func TestMail(t *testing.T) {
	bad := Message{Way: Mail, State: Stopped, Since: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), Problems: entries()}
	for name, c := range map[string]struct {
		server *mailServer
		way    TLS
		login  bool
	}{
		"STARTTLS":                    {&mailServer{offers: "STARTTLS "}, StartTLS, true},
		"TLS":                         {&mailServer{full: true}, FullTLS, true},
		"no TLS, no login":            {&mailServer{}, NoTLS, false},
		"no goodbye is no reason":     {&mailServer{full: true, answers: map[string]string{"QUIT": "-", "RSET": "-"}}, FullTLS, true},
		"hangs up when it is through": {&mailServer{offers: "STARTTLS ", answers: map[string]string{"RSET": ""}}, StartTLS, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newMailServer(t, c.server)
			box := s.box(c.way)
			if !c.login {
				box.User, box.Password = "", ""
			}
			client := &Client{Chain: "7d3f9b52-40c8", Say: words, Timeout: time.Second, roots: s.roots}
			a, err := client.Tell(t.Context(), Target{Way: Mail, Mail: box}, bad)
			if err != nil || a.Status != "accepted" {
				t.Fatalf("answer %+v, %v", a, err)
			}
			got := s.mails()
			if len(got) != 1 {
				t.Fatalf("%d mails", len(got))
			}
			for _, want := range []string{
				fmt.Sprintf("secure %t", c.way != NoTLS), "MAIL FROM:<gondola@example.com>", "RCPT TO:<admin@example.com>", "RCPT TO:<jefe@example.com>",
				"Subject: =?UTF-8?q?Gondola_7d3f9b52:_No_se_env=C3=ADa_nada?=", "Auto-Submitted: auto-generated", "Content-Type: text/plain; charset=UTF-8",
				"Corrija la contrase=C3=B1a.", "Date: ", "Message-ID: ",
			} {
				if !strings.Contains(got[0], want) {
					t.Errorf("no %q in\n%s", want, got[0])
				}
			}
			plain := base64.StdEncoding.EncodeToString([]byte("\x00gondola@example.com\x00" + mailPassword))
			if want := map[bool]string{true: "AUTH PLAIN " + plain}[c.login]; s.auth != want {
				t.Errorf("login %q, want %q", s.auth, want)
			}
		})
	}
}

// TestMailFails has servers on a bad day. What is said of them helps, takes no longer than it may, and shows no password.
func TestMailFails(t *testing.T) {
	gone := newMailServer(t, &mailServer{})
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	for name, c := range map[string]struct {
		server *mailServer
		way    TLS
		change func(box *Mailbox)
		want   string
	}{
		"nobody there":           {nil, StartTLS, func(b *Mailbox) { b.Server = dead.Addr().String() }, "connection refused); check mail.server"},
		"no such host":           {nil, StartTLS, func(b *Mailbox) { b.Server = "no-such-host.invalid:25" }, "the name of its host is not found"},
		"no server":              {nil, StartTLS, func(b *Mailbox) { b.Server = "x" }, "correct mail.server"},
		"a broken address":       {nil, StartTLS, func(b *Mailbox) { b.To = []string{"nobody at all"} }, "correct mail.to"},
		"never greets":           {&mailServer{answers: map[string]string{"GREETING": "-"}}, StartTLS, nil, "no answer within 500ms; check mail.server"},
		"hangs in the middle":    {&mailServer{offers: "STARTTLS ", answers: map[string]string{"DATA": "-"}}, StartTLS, nil, "no answer within 500ms"},
		"hangs in the handshake": {&mailServer{answers: map[string]string{"GREETING": "-"}}, FullTLS, nil, "no answer within 500ms"},
		"hangs up":               {&mailServer{answers: map[string]string{"GREETING": ""}}, StartTLS, nil, "check mail.server"},
		"no STARTTLS":            {&mailServer{}, StartTLS, nil, "write tls: tls for port 465"},
		"no TLS on the port":     {&mailServer{}, FullTLS, nil, "write tls: starttls"},
		"another name":           {&mailServer{full: true}, FullTLS, func(b *Mailbox) { b.Server = strings.Replace(b.Server, "localhost", "127.0.0.1", 1) }, "check the name in mail.server"},
		"refuses the login": {
			&mailServer{offers: "STARTTLS ", answers: map[string]string{"AUTH": "535 5.7.8 not " + mailPassword}},
			StartTLS, nil, "it refused user or password: 535 5.7.8 not …; correct mail.user",
		},
		"login in the open":   {&mailServer{}, NoTLS, nil, "it takes no login this way"},
		"refuses the sender":  {&mailServer{full: true, answers: map[string]string{"MAIL": "553 not yours"}}, FullTLS, nil, "mail.from: 553 not yours"},
		"refuses a recipient": {&mailServer{full: true, answers: map[string]string{"RCPT": "550 no such user"}}, FullTLS, nil, "an address of mail.to: 550 no such user"},
		"refuses the text":    {&mailServer{full: true, answers: map[string]string{"DATA": "554 spam"}}, FullTLS, nil, "554 spam; check"},
	} {
		t.Run(name, func(t *testing.T) {
			s := gone
			if c.server != nil {
				s = newMailServer(t, c.server)
			}
			box := s.box(c.way)
			if c.change != nil {
				c.change(&box)
			}
			began := time.Now()
			client := &Client{Chain: "7d3f9b52", Say: words, Timeout: 500 * time.Millisecond, roots: s.roots}
			a, err := client.Tell(t.Context(), Target{Way: Mail, Mail: box}, Message{Way: Mail, State: OK})
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if text := fmt.Sprintf("%+v %v", a, err); strings.Contains(text, mailPassword) {
				t.Errorf("the password shows: %s", text)
			}
			if len(s.mails()) > 0 {
				t.Error("a mail was taken")
			}
		})
	}
}

// TestMailForSome has a server that knows one of two people not, for good or for now: the other one hears of it, and who was left out is
// told of.
func TestMailForSome(t *testing.T) {
	for name, refusal := range map[string]string{"gone": "550 no such user", "full": "452 4.2.2 over quota"} {
		t.Run(name, func(t *testing.T) {
			s := newMailServer(t, &mailServer{full: true, answers: map[string]string{"RCPT TO:<admin@example.com>": refusal}})
			client := &Client{Chain: "7d3f9b52", Say: words, Timeout: 2 * time.Second, roots: s.roots}
			a, err := client.Tell(t.Context(), Target{Way: Mail, Mail: s.box(FullTLS)}, Message{Way: Mail, State: Stopped, Problems: entries()})
			if err != nil || a.Status != "accepted" {
				t.Fatalf("answer %+v, %v", a, err)
			}
			if got := s.mails(); len(got) != 1 || !strings.Contains(got[0], "RCPT TO:<jefe@example.com>") || strings.Contains(got[0], "To: <admin") {
				t.Errorf("mails %q", got)
			}
			if !strings.Contains(a.Note, "admin@example.com was not told") || !strings.Contains(a.Note, refusal) {
				t.Errorf("note %q", a.Note)
			}
		})
	}
}

// TestMailStops ends a mail that is on its way: nobody waits for a server that hangs.
func TestMailStops(t *testing.T) {
	s := newMailServer(t, &mailServer{offers: "STARTTLS ", answers: map[string]string{"MAIL": "-"}})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	began := time.Now()
	_, err := (&Client{roots: s.roots}).Tell(ctx, Target{Way: Mail, Mail: s.box(StartTLS)}, Message{Way: Mail})
	if err == nil || errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("error %v after %s", err, time.Since(began))
	}
}
