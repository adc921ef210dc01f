package inbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// Verdict is what became of a sample.
type Verdict string

// The verdicts.
const (
	VerdictOK       Verdict = "ok"       // it was taken, by a gondola with the same secret
	VerdictNoName   Verdict = "name"     // the host's name leads nowhere
	VerdictRefused  Verdict = "refused"  // nobody listens there
	VerdictTimeout  Verdict = "timeout"  // nobody answered in time
	VerdictTLS      Verdict = "tls"      // the certificate would not be accepted
	VerdictNetwork  Verdict = "network"  // the line broke in another way
	VerdictRedirect Verdict = "redirect" // another address was answered, which no webhook follows
	VerdictStatus   Verdict = "status"   // it was answered, but not taken
	VerdictAlien    Verdict = "alien"    // it was taken by something else
	VerdictOpen     Verdict = "open"     // a wrong secret was taken, too
)

// Trial is a sample on its way through the public address.
type Trial struct {
	URL    string
	Secret string
	Body   []byte
	Client *http.Client // optional; its redirects are not followed
}

// trialWithin is how long a sample may take. [unknown] how long the platform waits.
const trialWithin = 20 * time.Second

// Result is what became of a Trial.
type Result struct {
	Verdict Verdict       `json:"verdict"`
	Status  int           `json:"status,omitempty"` // of the answer
	Text    string        `json:"text"`             // what happened, and what to do
	Took    time.Duration `json:"-"`
}

// Do sends the sample as the platform would, then once more with a wrong secret, which must be refused. No secret is in the result.
func (t Trial) Do(ctx context.Context) Result {
	nonce, wrong := rand.Text(), rand.Text()
	begun := time.Now()
	res, err := t.send(ctx, t.Secret, nonce)
	took := time.Since(begun)
	r := t.judge(res, err, proof([]byte(t.Secret), nonce))
	r.Took = took
	if r.Verdict != VerdictOK {
		return r
	}
	res, err = t.send(ctx, wrong, nonce)
	switch {
	case err != nil:
		return Result{Verdict: VerdictNetwork, Text: fmt.Sprintf("taken, but a second call broke: %v; try again", bare(err)), Took: took}
	case res.status == http.StatusOK:
		return Result{
			Verdict: VerdictOpen, Status: res.status, Took: took,
			Text: "a wrong secret was answered with 200, not with 401: something in front of gondola sets the Authorization header; " +
				"let it pass what the platform sends",
		}
	case res.status != http.StatusUnauthorized:
		return Result{
			Verdict: VerdictStatus, Status: res.status, Took: took,
			Text: fmt.Sprintf("taken, but a second call with a wrong secret was answered with %d, not with 401; "+
				"try again, and look at the log of what answers there", res.status),
		}
	}
	return r
}

// reply is an answer whose body was read.
type reply struct {
	status int
	header http.Header
}

// send sends the sample with a secret.
func (t Trial) send(ctx context.Context, secret, nonce string) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, trialWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(t.Body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", secret)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(TestHeader, nonce)
	client := http.Client{Transport: &http.Transport{}} // no proxy of this machine: the platform has none
	if t.Client != nil {
		client = *t.Client
	} else {
		defer client.CloseIdleConnections()
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // only read
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return &reply{res.StatusCode, res.Header}, err
}

// judge says what happened, in words for whoever set the address up.
func (t Trial) judge(res *reply, err error, want string) Result {
	host := t.URL
	if u, parseErr := url.Parse(t.URL); parseErr == nil {
		host = u.Host
	}
	if err != nil {
		return judgeError(host, err)
	}
	r := Result{Verdict: VerdictStatus, Status: res.status}
	switch code := res.status; {
	case code == http.StatusOK && hmac.Equal([]byte(res.header.Get(ProofHeader)), []byte(want)):
		r.Verdict, r.Text = VerdictOK, "taken and kept; a wrong secret is refused"
	case code == http.StatusOK:
		r.Verdict = VerdictAlien
		r.Text = fmt.Sprintf("something answers 200 at %s, but it is no gondola with this secret: orders that are sent there are lost; "+
			"let the address lead to orders.webhook.listen", host)
	case code >= 300 && code < 400:
		r.Verdict = VerdictRedirect
		r.Text = fmt.Sprintf("the address leads on to %q, which no webhook follows; tell the platform the address that answers itself",
			res.header.Get("Location"))
	case code == http.StatusUnauthorized:
		r.Text = "the secret is refused: the daemon has another one, or something in front of it drops the Authorization header; " +
			"give both the same one, and let the header pass"
	case code == http.StatusForbidden:
		r.Text = "something in front of gondola refuses the call; let POST requests of the platform pass there"
	case code == http.StatusNotFound:
		r.Text = "nothing is at this path; let public_url end, and the proxy lead, to orders.webhook.path exactly"
	case code == http.StatusMethodNotAllowed:
		r.Text = "POST is refused there: the address leads to something else; let it lead to orders.webhook.listen"
	case code == http.StatusRequestEntityTooLarge:
		r.Text = "the proxy refuses the size; let it pass bodies of 10 MB"
	case code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		r.Text = "the proxy does not reach gondola; start gondola run, and let the proxy lead to orders.webhook.listen"
	case code == http.StatusServiceUnavailable:
		r.Text = "it can't be kept now: the proxy has nobody behind it, or the disk is full; look at gondola status"
	default:
		r.Text = fmt.Sprintf("answered with %d, which the platform takes for a failure; look at the log of what answers at %s", code, host)
	}
	return r
}

// judgeError says why there was no answer.
func judgeError(host string, err error) Result {
	r := func(v Verdict, format string, args ...any) Result {
		return Result{Verdict: v, Text: fmt.Sprintf(format, args...)}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsTimeout {
		return r(VerdictNoName, "the name %s leads nowhere; correct public_url, or the name's record", dns.Name)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return r(VerdictRefused, "nobody listens at %s; start what is to answer there, and open the port", host)
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return r(VerdictTLS, "the certificate is for another name than %s; get one for it", e.Host)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return r(VerdictTLS, "the certificate is of nobody that is trusted: it is self-signed, or the file lacks the chain behind it; put the whole chain there")
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason == x509.Expired {
			return r(VerdictTLS, "the certificate has expired, or begins later; renew it")
		}
		return r(VerdictTLS, "the certificate is not valid: %v; get another one", e)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return r(VerdictTLS, "%s does not speak TLS on this port; correct the port, or the beginning http:// of public_url", host)
	}
	// What the other side says against TLS has no type of its own.
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" {
		return r(VerdictTLS, "TLS was refused: %v; look at the log of what answers at %s", e.Err, host)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return r(VerdictTimeout, "no answer from %s within %s; let a firewall pass the port, and look whether something behind it hangs", host, trialWithin)
	}
	return r(VerdictNetwork, "the line to %s broke: %v; try again, and look at the log of what answers there", host, bare(err))
}

// bare strips the address from an error: it is told beside it.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
