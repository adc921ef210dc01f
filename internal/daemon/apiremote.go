package daemon

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/platform"
)

// restAPI is what the house asks of the platform's REST interface for what it sends. Package platform has it; tests inject failures.
type restAPI interface {
	CatalogPath(vendor string) string
	PromotionPath() string
	Send(ctx context.Context, use platform.Use, method, path string, body []byte) (platform.JobRef, error)
	CatalogJob(ctx context.Context, id string) (platform.Job, error)
	PromotionJob(ctx context.Context, id string) (platform.Job, error)
	Download(ctx context.Context, address string, use platform.Use) (io.ReadCloser, error)
}

// errNoToken is wrapped by errors of tokens that can't be read.
var errNoToken = errors.New("no token")

// token returns the static token for a use.
func (s *setup) token(use platform.Use) (string, error) {
	secret := s.cfg.API.Tokens.Catalog
	switch use {
	case platform.UsePromotions:
		secret = s.cfg.API.Tokens.Promotions
	case platform.UseOrders:
		secret = s.cfg.API.Tokens.Orders
	}
	text, err := secret.Value()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoToken, err)
	}
	return text, nil
}

// apiLogin returns the fingerprint of what requests would prove themselves with now.
func (h *House) apiLogin(salt []byte) func() (string, error) {
	return func() (string, error) {
		mac := hmac.New(sha256.New, salt)
		add := func(text string) { fmt.Fprintf(mac, "%d %s", len(text), text) }
		add(h.apiURL())
		if id := h.cfg.API.OAuth.ClientID; id != "" {
			secret, err := h.cfg.API.OAuth.ClientSecret.Value()
			if err != nil {
				return "", err
			}
			add(id)
			add(secret)
			return hex.EncodeToString(mac.Sum(nil)[:16]), nil
		}
		for _, use := range h.apiUses() {
			text, err := h.token(use)
			if err != nil {
				return "", err
			}
			add(text)
		}
		return hex.EncodeToString(mac.Sum(nil)[:16]), nil
	}
}

// apiUses lists what requests are sent for.
func (s *setup) apiUses() (uses []platform.Use) {
	for _, one := range []struct {
		kind catalog.Kind
		use  platform.Use
	}{{catalog.KindCatalog, platform.UseCatalog}, {catalog.KindPromotions, platform.UsePromotions}} {
		if s.wayOf(Target{Kind: one.kind}) == outbox.ByAPI {
			uses = append(uses, one.use)
		}
	}
	return uses
}

// apiRemote sends documents as requests.
type apiRemote struct {
	api restAPI
	now func() time.Time
}

// apiDial returns what an outbox of requests calls to connect: nothing is dialled before a request is made.
func apiDial(api restAPI, now func() time.Time) func(context.Context) (outbox.Remote, error) {
	return func(context.Context) (outbox.Remote, error) { return apiRemote{api: api, now: now}, nil }
}

// Room has room for as many as the outbox begins.
func (r apiRemote) Room(context.Context, outbox.Delivery) (leave func(), err error) {
	return func() {}, nil
}

// Replace makes d's request. What it proves is that the platform took it, not what it makes of it.
func (r apiRemote) Replace(ctx context.Context, d outbox.Delivery) (outbox.Receipt, error) {
	body, err := os.ReadFile(d.Path)
	if err != nil {
		return outbox.Receipt{}, &outbox.Failure{Class: outbox.Local, Err: fmt.Errorf("read document %s: %w", d.Name, err)}
	}
	sum := sha256.Sum256(body)
	if digest := hex.EncodeToString(sum[:]); digest != d.SHA256 {
		err := fmt.Errorf("document %s is not what was written: look at the disk, then push", d.Name)
		return outbox.Receipt{}, &outbox.Failure{Class: outbox.Local, Err: err}
	}
	t := parseTarget(d.Target)
	use, path := platform.UseCatalog, r.api.CatalogPath(t.Vendor)
	if t.Kind == catalog.KindPromotions {
		use, path = platform.UsePromotions, r.api.PromotionPath()
	}
	ref, err := r.api.Send(ctx, use, http.MethodPut, path, body)
	if err != nil {
		return outbox.Receipt{}, &outbox.Failure{Class: apiClass(err), Err: err}
	}
	return outbox.Receipt{
		Size: int64(len(body)), SHA256: d.SHA256, Proof: outbox.ProofAccepted, Way: outbox.WayRequest, Job: ref.ID,
		Done: ref.Status == string(platform.JobCompleted), At: r.now(),
	}, nil
}

// Look finds nothing: a request leaves no file.
func (apiRemote) Look(context.Context, string, string) (outbox.Seen, error) {
	return outbox.Seen{}, nil
}

// Sweep has nothing to sweep.
func (apiRemote) Sweep(context.Context, string, []string) (func(context.Context) error, error) {
	return func(context.Context) error { return nil }, nil
}

// Close leaves the client as it is: its connections serve others, too.
func (apiRemote) Close() error { return nil }

// tokenPath is where tokens are made: what is refused there is the login, whatever the answer says.
const tokenPath = "/v2/oauth/token" //nolint:gosec // the path of tokens, none itself

// apiClass says what kind of failure an error of the REST interface is. What the platform answers to a request that it does not like is
// [unknown]: any refusal that is not about who asks, or how often, is taken to be about what the request says.
func apiClass(err error) outbox.Class {
	if errors.Is(err, errNoToken) {
		return outbox.Credentials
	}
	e, ok := errors.AsType[*platform.APIError](err)
	switch {
	case !ok:
		return outbox.Transient
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return outbox.Credentials
	case e.Temporary(), e.Status >= 500:
		return outbox.Transient
	case e.Path == tokenPath:
		return outbox.Credentials
	case e.Status == http.StatusNotFound, e.Status < 400:
		return outbox.Permission // a chain or a store that it does not know, or another address
	}
	return outbox.Refused
}
