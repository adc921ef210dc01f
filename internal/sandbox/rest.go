package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The defaults of the REST interface.
const (
	DefaultChainID   = "7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3" // made up
	DefaultTokenTTL  = 2 * time.Hour                          // of a token from a client's login, documented
	DefaultPerMinute = 60                                     // requests from one address; more get it blocked, documented
	DefaultBan       = 10 * time.Minute                       // how long an address is blocked; nobody outside knows
)

// What the interface takes.
const (
	maxBody     = 256 << 20 // bytes; nobody outside knows
	defaultPage = 20        // documented for orders, assumed for the catalogue
	maxPage     = 500       // likewise
)

// API is the REST interface and who may use it. The zero value lets nobody in.
type API struct {
	// Listen is the address to listen on; port 0 takes a free one. Default DefaultListen.
	Listen string
	// ChainID is the chain's id in paths and events. Default DefaultChainID.
	ChainID string
	// Tokens are static bearer tokens by use, as Partner Portal makes them.
	Tokens Tokens
	// ClientID and ClientSecret are the login of who gets tokens by client credentials; such a token is good for every use.
	ClientID, ClientSecret string
	// TokenTTL is how long such a token is good for. Default DefaultTokenTTL.
	TokenTTL time.Duration
	// PerMinute is how many requests an address may make in a minute before it is blocked for BanFor, by Options.Now: a clock that
	// stands still blocks for ever. Defaults DefaultPerMinute, DefaultBan; see RESTRules.NoBan.
	PerMinute int
	BanFor    time.Duration
	// JobDelay is how long a job stays QUEUED, and then again IN_PROGRESS. 0: until ProcessJobs is called.
	JobDelay time.Duration
	// JobSeed gives each job a delay of its own, from none to twice JobDelay, and makes ProcessJobs take the jobs in a random order, so
	// that a later one may end first. 0: they end in the order in which they came.
	JobSeed uint64
	// OrderSeed makes the orders' ids and contents; the same seed makes the same ones.
	OrderSeed uint64
}

// Tokens are static bearer tokens. An empty one opens nothing.
type Tokens struct{ Catalog, Promotions, Orders string }

// use is what a token is for.
type use string

const (
	useCatalog    use = "catalog"
	usePromotions use = "promotions"
	useOrders     use = "orders"
	useClient     use = "client" // of a token from a client's login
)

// of returns the use that a static token is named for; "" for no token of ours.
func (t Tokens) of(token string) use {
	switch token {
	case "":
	case t.Catalog:
		return useCatalog
	case t.Promotions:
		return usePromotions
	case t.Orders:
		return useOrders
	}
	return ""
}

// fill sets the defaults.
func (a *API) fill() {
	a.Listen = either(a.Listen, DefaultListen)
	a.ChainID = either(a.ChainID, DefaultChainID)
	if a.TokenTTL == 0 {
		a.TokenTTL = DefaultTokenTTL
	}
	if a.PerMinute == 0 {
		a.PerMinute = DefaultPerMinute
	}
	if a.BanFor == 0 {
		a.BanFor = DefaultBan
	}
}

// rest is the REST interface.
type rest struct {
	*Sandbox
	listener net.Listener
	server   *http.Server
	gate     *gate
	signing  []byte // of presigned addresses

	lastPromotion map[identity][sha256.Size]byte // the last request about a promotion that went through whole; guarded by the reader's turn

	mu   sync.Mutex
	asks []Request // guarded by mu
}

// Request is one request to the REST interface, and an element of /requests.json. Tokens and bodies are not kept.
type Request struct {
	N       int       `json:"n"`  // from 1, in the order of the answers
	At      time.Time `json:"at"` // when it came
	Address string    `json:"address"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Query   string    `json:"query,omitempty"`
	// Token says what the token was for: catalog, promotions, orders, client for one from a client's login, "" for none that is good.
	Token  string `json:"token,omitempty"`
	Status int    `json:"status"`          // 0: the connection was reset instead
	Fault  string `json:"fault,omitempty"` // what was done to it on purpose
}

// newREST listens for the interface. Nothing is answered before serve.
func newREST(ctx context.Context, s *Sandbox) (*rest, error) {
	r := &rest{Sandbox: s, gate: newGate(&s.opts), signing: []byte(rand.Text()), lastPromotion: map[identity][sha256.Size]byte{}}
	var lc net.ListenConfig
	var err error
	if r.listener, err = lc.Listen(ctx, "tcp", s.opts.API.Listen); err != nil {
		return nil, fmt.Errorf("listen for REST on %s: %w; choose another address", s.opts.API.Listen, err)
	}
	r.server = &http.Server{Handler: s.guard(r.handler()), ReadHeaderTimeout: 10 * time.Second}
	return r, nil
}

// serve answers until close.
func (r *rest) serve(ctx context.Context) {
	r.server.BaseContext = func(net.Listener) context.Context { return ctx }
	if err := r.server.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
		r.opts.Log.Error("rest interface stopped; start the sandbox again", "error", err)
	}
}

// close ends it.
func (r *rest) close() error {
	err := r.server.Close()
	_ = r.listener.Close() // closed already, where the server began
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// RESTURL returns the address of the REST interface, without a slash at the end.
func (s *Sandbox) RESTURL() string { return "http://" + s.rest.listener.Addr().String() }

// Requests returns the requests to the REST interface that were answered so far, in the order of the answers.
func (s *Sandbox) Requests() []Request {
	s.rest.mu.Lock()
	defer s.rest.mu.Unlock()
	return slices.Clone(s.rest.asks)
}

// answer is what a request gets: all of it, before any of it leaves.
type answer struct {
	status int
	kind   string // content type; "" is JSON
	header http.Header
	body   []byte
}

// call is one request on its way.
type call struct {
	*http.Request
	token use
	log   *Request
}

// endpoint answers a call that the gate let in.
type endpoint func(c *call) answer

// handler serves the documented paths. Whatever else is asked for is a 404 with an empty body, as partners see it.
func (r *rest) handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, needs use, do endpoint) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, q *http.Request) { r.serveCall(w, q, needs, do) })
	}
	chain := func(do endpoint) endpoint {
		return func(c *call) answer {
			if c.PathValue("chain") != r.opts.API.ChainID {
				return r.refuse(http.StatusForbidden, "FORBIDDEN", "the token is not for this chain")
			}
			if v := c.PathValue("vendor"); v != "" && !r.stores.has(v) {
				return r.refuse(http.StatusNotFound, "VENDOR_NOT_FOUND", "no such vendor")
			}
			return do(c)
		}
	}
	const inChain, inVendor = "/v2/chains/{chain}", "/v2/chains/{chain}/vendors/{vendor}"
	handle("POST /v2/oauth/token", "", r.login)
	handle("PUT "+inVendor+"/catalog", useCatalog, chain(r.putCatalog))
	handle("GET "+inVendor+"/catalog", useCatalog, chain(r.listCatalog))
	handle("POST "+inVendor+"/catalog/export", useCatalog, chain(r.exportCatalog))
	handle("GET "+inVendor+"/categories", useCatalog, chain(r.listCategories))
	handle("GET "+inChain+"/catalog/jobs/{job}", useCatalog, chain(r.getJob))
	handle("GET "+inChain+"/catalog/files/{file}", useCatalog, chain(r.download))
	handle("PUT "+inChain+"/promotion", usePromotions, chain(r.putPromotion))
	handle("GET "+inChain+"/promotion/jobs/{job}", usePromotions, chain(r.getJob))
	handle("GET "+inVendor+"/orders", useOrders, chain(r.listOrders))
	rules := r.opts.Rules
	if !rules.OldOrderPath || rules.BothOrderPaths {
		handle("GET "+inChain+"/orders/{order}", useOrders, chain(r.getOrder))
	}
	if rules.OldOrderPath || rules.BothOrderPaths {
		handle("GET /v2/orders/{order}", useOrders, r.getOrder)
	}
	handle("PUT "+inChain+"/orders/{order}", useOrders, chain(r.putOrder))
	if rules.BareOrderList {
		handle("GET "+inVendor, useOrders, chain(r.listOrders))
	}
	handle("/", "", func(*call) answer { return answer{status: http.StatusNotFound} })
	return mux
}

// serveCall takes one request through the gate, answers it, and notes it.
func (r *rest) serveCall(w http.ResponseWriter, q *http.Request, needs use, do endpoint) {
	address, _, _ := net.SplitHostPort(q.RemoteAddr) // what is no address stays ""
	c := &call{Request: q, log: &Request{
		At: r.opts.Now(), Address: address, Method: q.Method, Path: q.URL.Path, Query: q.URL.RawQuery,
	}}
	strike := r.faults.takeAPIStrike(q.URL.Path)
	c.log.Fault = string(strike.kind)
	if strike.kind == apiReset {
		r.note(c.log)
		cutHTTP(w)
		return
	}
	a, stopped := r.admit(c, needs, strike)
	if !stopped {
		q.Body = http.MaxBytesReader(w, q.Body, maxBody)
		a = do(c)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(q.Body, maxBody)) // a client that still writes would not read the answer
	c.log.Status = a.status
	r.note(c.log)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if len(a.body) > 0 {
		w.Header().Set("Content-Type", either(a.kind, "application/json"))
	}
	r.faults.write(q.Context(), w, a.status, a.body, strike)
}

// admit says whether a call may go on: the address, what is broken on purpose, and the token.
func (r *rest) admit(c *call, needs use, strike apiStrike) (a answer, stopped bool) {
	if !r.opts.Rules.NoBan && r.gate.banned(c.log.Address) {
		c.log.Fault = "banned"
		return r.refuse(http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "blocked"), true
	}
	switch strike.kind {
	case apiTooMany:
		a := r.refuse(http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "slow down")
		if strike.retryAfter != "" {
			a.header = http.Header{"Retry-After": {strike.retryAfter}}
		}
		return a, true
	case apiServerError:
		return r.refuse(http.StatusInternalServerError, "INTERNAL_ERROR", "something went wrong"), true
	}
	if needs == "" {
		return answer{}, false
	}
	c.token = r.gate.use(c.Header.Get("Authorization"))
	if strike.kind == apiUnauthorized {
		c.token = ""
	}
	c.log.Token = string(c.token)
	switch {
	case c.token == "":
		return r.refuse(http.StatusUnauthorized, "UNAUTHORIZED", "the token is missing, wrong or expired"), true
	case c.token != needs && c.token != useClient && !r.opts.Rules.AnyUseToken:
		return r.refuse(http.StatusForbidden, "FORBIDDEN", "the token is for "+string(c.token)), true
	}
	return answer{}, false
}

// note files a request away.
func (r *rest) note(q *Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q.N = len(r.asks) + 1
	r.asks = append(r.asks, *q)
	r.opts.Log.Debug("rest", "method", q.Method, "path", q.Path, "status", q.Status, "fault", q.Fault)
}

// refuse is an answer about an error. Its shape is not known outside.
func (r *rest) refuse(status int, code, text string) answer {
	if r.opts.Rules.PlainErrors {
		return answer{status: status, kind: "text/plain; charset=utf-8", body: []byte(text + "\n")}
	}
	return reply(status, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, text})
}

// reply is an answer with JSON.
func reply(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic("sandbox: answer is no JSON: " + err.Error()) // all that is answered are types of ours
	}
	return answer{status: status, body: body}
}

// decode reads a JSON body, or says what is wrong with it.
func (r *rest) decode(c *call, into any) (why string) {
	data, err := io.ReadAll(c.Body)
	if err != nil {
		return "body too long or cut off"
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if !r.opts.Rules.UnknownFields {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		return "malformed body: " + err.Error()
	}
	if d.More() {
		return "malformed body: something follows the object"
	}
	return ""
}

// invalid is the answer to a request that says what it should not.
func (r *rest) invalid(why string) answer {
	return r.refuse(http.StatusBadRequest, "INVALID_REQUEST", why)
}

// paging reads page and page_size; pages are counted from first.
func (r *rest) paging(q url.Values, first int) (page, size int, why string) {
	page, size = first, defaultPage
	for _, f := range []struct {
		name string
		into *int
		min  int
	}{{"page", &page, first}, {"page_size", &size, 1}} {
		text := q.Get(f.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < f.min {
			return 0, 0, f.name + " is no number from " + strconv.Itoa(f.min)
		}
		*f.into = n
	}
	if size > maxPage {
		if !r.opts.Rules.CutPageSize {
			return 0, 0, "page_size is more than " + strconv.Itoa(maxPage)
		}
		size = maxPage
	}
	return page, size, ""
}

// pageOf returns one page of a list, and how many pages there are.
func pageOf[T any](list []T, page, size, shift int) (items []T, pages int) {
	pages = (len(list) + size - 1) / size
	from := page*size + shift
	if from >= len(list) {
		return []T{}, pages
	}
	return list[from:min(from+size, len(list))], pages
}
