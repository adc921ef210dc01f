package inbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Headers of a sample that gondola webhook test sends, and of the answer to it.
const (
	TestHeader  = "X-Gondola-Test"  // a nonce
	ProofHeader = "X-Gondola-Proof" // what only a gondola with the same secret can say of it
)

// retryAfter is when a sender that could not be served is asked to come back: a full disk is not mended in a second, a sender that
// waits for long keeps an order waiting.
const retryAfter = 10 * time.Second

// lingering is how long what is left of a refused call is read.
const lingering = time.Second

// The reasons for which calls are refused. They are few and fixed, so that they can be counted.
const (
	refusedPath     = "path"
	refusedMethod   = "method"
	refusedSecret   = "secret"
	refusedEncoding = "encoding"
	refusedSize     = "size"
	refusedBody     = "body"
	refusedBusy     = "busy"
)

// errBusy says that there is no room, or no time, to take something now.
var errBusy = errors.New("too much at once")

// ServeHTTP takes one event. What can be refused is refused before a byte of the body is read.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Only the path as it is written: what is cleaned, decoded or redirected is another one in front of some proxy.
	terms := s.terms.Load()
	if r.URL.Path != terms.path || r.URL.RawPath != "" {
		s.refuse(w, r, http.StatusNotFound, refusedPath)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, r, http.StatusMethodNotAllowed, refusedMethod)
		return
	}
	secret, unread := terms.callers.check(r.Header["Authorization"])
	s.trouble("secret", textOf(unread))
	if secret == nil {
		if unread != nil {
			s.unavailable(w, r) // it may be the right one
			return
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.refuse(w, r, http.StatusUnauthorized, refusedSecret)
		return
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		w.Header().Set("Accept-Encoding", "identity")
		s.refuse(w, r, http.StatusUnsupportedMediaType, refusedEncoding)
		return
	}
	body, n, err := s.read(w, r)
	defer s.held.Add(-n)
	switch {
	case errors.Is(err, errBusy), errors.Is(err, os.ErrDeadlineExceeded):
		s.unavailable(w, r) // a slow line is no reason to lose an order: what is answered with 400 may never come again
		return
	case isTooLarge(err):
		s.refuse(w, r, http.StatusRequestEntityTooLarge, refusedSize)
		return
	case err != nil:
		s.refuse(w, r, http.StatusBadRequest, refusedBody)
		return
	}
	nonce := r.Header.Get(TestHeader)
	if err := s.keep(r.Context(), Event{Digest: sha256.Sum256(body), Body: body, At: s.c.Now(), Test: nonce != ""}); err != nil {
		s.unavailable(w, r)
		return
	}
	if nonce != "" {
		w.Header().Set(ProofHeader, proof(secret, nonce))
	}
	answer(w, http.StatusOK, "ok\n")
}

// read reads a body. It returns also how many bytes were counted as held, which the caller takes back.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (_ []byte, held int64, _ error) {
	if r.ContentLength > MaxBody {
		return nil, 0, &http.MaxBytesError{Limit: MaxBody}
	}
	const chunk = 32 << 10
	var b bytes.Buffer
	if r.ContentLength > 0 {
		b.Grow(int(min(r.ContentLength, chunk)) + bytes.MinRead)
	}
	from := http.MaxBytesReader(w, r.Body, MaxBody)
	for {
		n, err := io.CopyN(&b, from, chunk)
		held += n
		if s.held.Add(n) > maxHeld {
			return nil, held, errBusy
		}
		if errors.Is(err, io.EOF) {
			return b.Bytes(), held, nil
		}
		if err != nil {
			return nil, held, err
		}
	}
}

func isTooLarge(err error) bool {
	_, is := errors.AsType[*http.MaxBytesError](err)
	return is
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// refuse answers that a call is not taken, and ends the connection: nobody who is refused has anything more to say on it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, code int, reason string) {
	s.refusals.note(reason, remoteOf(r, s.terms.Load().proxies))
	s.crowd.refused(r.Context())
	// The server reads what is left of a body before it closes, so that the answer arrives; it need not be waited for.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lingering))
	w.Header().Set("Connection", "close")
	answer(w, code, strings.ToLower(http.StatusText(code))+"\n")
}

// unavailable answers that the event is to be sent again.
func (s *Server) unavailable(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	s.refuse(w, r, http.StatusServiceUnavailable, refusedBusy)
}

// answer writes an answer. A sender who is gone sends again.
func answer(w http.ResponseWriter, code int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text)
}

// proof is what only who knows the secret can say of a nonce.
func proof(secret []byte, nonce string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("gondola webhook test\n" + nonce))
	return hex.EncodeToString(mac.Sum(nil))
}
