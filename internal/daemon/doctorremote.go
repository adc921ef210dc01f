package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/platform"
	"gondola/internal/sftp"
)

// oldPassport is from when on what is known of a server deserves to be asked anew. Servers are changed by people.
const oldPassport = 180 * 24 * time.Hour

// doClass says what to do about a server that can't be talked to.
var doClass = map[outbox.Class]string{
	outbox.Transient:   "look at the network and the firewall, at sftp.host and sftp.port",
	outbox.Credentials: "correct sftp.user, sftp.password or sftp.key; nothing is sent until then, or until gondola push",
	outbox.HostKey:     "ask the platform whether its key changed; if so, gondola hostkey accept",
	outbox.Permission:  "ask the platform to let this user in",
	outbox.Protocol:    "ask the platform whether its server is well, or look what stands in between",
	outbox.Local:       "put the secret where the config says, readable for the daemon's user",
}

// sftp looks at the platform's server: name, line, host key, login, folders, and what is known of it.
func (e *examiner) sftp(ctx context.Context) []Checkup {
	c := Checkup{groupSFTP, "server", CheckOK, "", ""}
	end := func(state, text, do string) []Checkup {
		c.State, c.Text, c.Do = state, text, do
		return []Checkup{c}
	}
	host := e.cfg.SFTP.Host
	switch {
	case host == "":
		return end(CheckSkipped, "everything goes by requests", "")
	case e.house == nil:
		return e.reaches(ctx)
	}
	server, err := e.house.server(ctx)
	if err != nil {
		return end(CheckFail, err.Error(), "gondola verify says more")
	}
	hold, err := e.house.holdOn(ctx, server)
	if err != nil {
		return end(CheckFail, err.Error(), "gondola verify says more")
	}
	if hold != nil {
		return end(CheckFail, "not asked: this login was refused, and servers lock out who tries it again: "+hold.Text, doClass[outbox.Credentials])
	}
	if server.Passport, err = e.house.store.Passport(ctx, server.Account()); err != nil {
		return end(CheckFail, err.Error(), "gondola verify says more")
	}
	known := e.passport(server)
	r, err := sftp.Dial(ctx, server)
	if f, ok := errors.AsType[*outbox.Failure](err); ok {
		if noted := e.house.noteRefusal(ctx, server, err); noted != nil {
			return end(CheckFail, errors.Join(err, noted).Error(), doClass[f.Class])
		}
		if f.Class == outbox.Local && e.lives {
			return append(end(CheckSkipped, f.Error(), "run this as the daemon's user, with its environment"), known...)
		}
		return append(end(CheckFail, fmt.Sprintf("%s: %s", f.Class, f.Error()), doClass[f.Class]), known...)
	}
	if err != nil {
		return append(end(CheckFail, err.Error(), doClass[outbox.Transient]), known...)
	}
	defer func() { _ = r.Close() }()
	all := append(end(CheckOK, fmt.Sprintf("%s lets %s in, with a known host key", server.Address(), server.User), ""), known...)
	return append(all, e.remoteFolders(ctx, r)...)
}

// reaches looks at the server's name and line alone: without a state there is nowhere to keep that a login was refused.
func (e *examiner) reaches(ctx context.Context) []Checkup {
	c := Checkup{groupSFTP, "server", CheckSkipped, "", "gondola probe tries login and host key"}
	address := net.JoinHostPort(e.cfg.SFTP.Host, fmt.Sprint(e.cfg.SFTP.Port))
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		c.State, c.Text, c.Do = CheckFail, err.Error(), doClass[outbox.Transient]
		return []Checkup{c}
	}
	_ = conn.Close() // nothing was said
	c.Text = address + " answers; the login was not tried, for nothing has run here yet"
	return []Checkup{c}
}

// passport tells what is known of the server.
func (e *examiner) passport(server sftp.Config) []Checkup {
	p := server.Passport
	c := Checkup{groupSFTP, "passport", CheckOK, "", ""}
	if p.At.IsZero() {
		c.State, c.Text, c.Do = CheckSkipped, "the server was not asked yet what it allows", "gondola probe asks it; so does the first connection"
		return []Checkup{c}
	}
	c.Text = fmt.Sprintf("of %s: %s", p.At.In(e.zone).Format(time.DateOnly), p.Line(server.ReadBack))
	if p.Stale() || e.now().Sub(p.At) > oldPassport {
		c.State, c.Do = CheckWarn, "gondola probe asks it anew"
	}
	return []Checkup{c}
}

// remoteFolders looks for the folders that documents go to.
func (e *examiner) remoteFolders(ctx context.Context, r *sftp.Remote) []Checkup {
	var all []Checkup
	seen := map[string]bool{}
	for _, t := range e.targets {
		folder := e.folderOf(t)
		if e.wayOf(t) != outbox.BySFTP || seen[folder] {
			continue
		}
		seen[folder] = true
		c := Checkup{groupSFTP, "folder " + folder, CheckOK, "there", ""}
		switch there, err := r.HasFolder(ctx, folder); {
		case err != nil:
			c.State, c.Text, c.Do = CheckFail, err.Error(), doClass[outbox.Permission]
		case !there:
			c.State, c.Text, c.Do = CheckWarn, "not there: the first document makes it", "if the platform said it is there, compare sftp.folders with what it said"
		}
		all = append(all, c)
	}
	return all
}

// tokens asks the platform's interface something harmless with each token. Its few requests keep to the distance that is left between
// api.per_minute and the platform's limit.
func (e *examiner) tokens(ctx context.Context) []Checkup {
	if !e.cfg.API.IsSet() {
		return []Checkup{{groupAPI, "tokens", CheckSkipped, "the REST interface is not used", ""}}
	}
	if e.house == nil {
		return []Checkup{{groupAPI, "tokens", CheckSkipped, "nothing has run here yet", "gondola run or gondola once makes the state"}}
	}
	cfg := e.house.clientConfig()
	if e.house.opts.API != nil {
		e.house.opts.API(&cfg)
	}
	client := platform.NewClient(cfg)
	defer func() { _ = client.Close() }()
	vendor := ""
	if len(e.cfg.Vendors) > 0 {
		vendor = e.cfg.Vendors[0].ID
	}
	var all []Checkup
	oauth := e.cfg.API.OAuth.ClientID != ""
	for _, use := range []struct {
		name string
		set  bool
		ask  func() error
	}{
		{"orders", oauth || e.cfg.API.Tokens.Orders.IsSet(), func() error {
			_, err := client.Orders(ctx, platform.OrderQuery{Vendor: vendor, From: e.now().Add(-time.Minute), To: e.now(), PageSize: 1})
			return err
		}},
		{"catalog", oauth || e.cfg.API.Tokens.Catalog.IsSet(), func() error {
			_, err := client.CatalogPage(ctx, vendor, 1, 1)
			return err
		}},
		{"promotions", oauth || e.cfg.API.Tokens.Promotions.IsSet(), func() error {
			_, err := client.PromotionJob(ctx, newRunID()) // there is no such job: who may ask hears 404
			return err
		}},
	} {
		if !use.set {
			continue
		}
		c := Checkup{groupAPI, "token for " + use.name, CheckOK, "accepted", ""}
		err := use.ask()
		refused, answered := errors.AsType[*platform.APIError](err)
		switch {
		case err == nil, errors.Is(err, platform.ErrNotFound):
		case answered && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden):
			c.State, c.Text, c.Do = CheckFail, refused.Error(), "make a new token for this use in the Partner Portal"
		case answered && refused.Status < 500:
			c.State, c.Text, c.Do = CheckWarn, refused.Error(), "the token was not refused; compare chain.id and the store's id with the Partner Portal"
		case errors.Is(err, errNoToken) && e.lives:
			c.State, c.Text, c.Do = CheckSkipped, err.Error(), "run this as the daemon's user, with its environment"
		default:
			c.State, c.Text, c.Do = CheckFail, err.Error(), "look at the network and the firewall, and at api.url"
		}
		all = append(all, c)
	}
	return all
}

// publicWebhook sends a sample order the way that the platform does.
func (e *examiner) publicWebhook(ctx context.Context) []Checkup {
	w := e.cfg.Orders.Webhook
	c := Checkup{groupWebhook, "public address", CheckOK, "", ""}
	switch {
	case w.Listen == "":
		c.State, c.Text = CheckSkipped, "no events are taken"
	case w.PublicURL == "":
		c.State, c.Text, c.Do = CheckWarn, "orders.webhook.public_url is not set, so the way to it can't be tried", "write there what the platform was told"
	case !e.lives:
		c.State, c.Text, c.Do = CheckSkipped, "the daemon does not run, so nobody listens", "start it first"
	default:
		t, err := TryWebhook(ctx, e.cfg, "", nil)
		switch {
		case err != nil:
			c.State, c.Text, c.Do = CheckFail, err.Error(), "run this as the daemon's user, with its environment"
		case !t.OK():
			c.State, c.Text, c.Do = CheckFail, fmt.Sprintf("%s: %s", t.Verdict, t.Text), "gondola webhook test tries it again; the network outside may see it otherwise"
		default:
			c.Text = fmt.Sprintf("%s, in %d ms", t.Text, t.Millis)
		}
	}
	return []Checkup{c}
}

// clock holds our clock against others': the newest row of the ledger, the platform's servers.
func (e *examiner) clock(ctx context.Context) []Checkup {
	c := Checkup{groupTime, "clock", CheckOK, e.now().In(e.zone).Format("2006-01-02 15:04:05 MST"), ""}
	const doClock = "set the clock of this machine (NTP): slots and promotions go by it"
	if e.house == nil {
		return []Checkup{c}
	}
	newest, err := e.house.store.NewestEntry(ctx)
	if err != nil {
		c.State, c.Text, c.Do = CheckFail, err.Error(), "gondola verify says more"
	} else if ahead := newest.Sub(e.now()); ahead > skewAllowed {
		c.State, c.Do = CheckWarn, doClock
		c.Text += fmt.Sprintf(", but something was done here %s from now", ahead.Round(time.Second))
	}
	all := []Checkup{c}
	skew, ok, err := e.house.ClockSkew(ctx)
	if err == nil && ok && e.cfg.SFTP.Host != "" {
		s := Checkup{groupTime, "sftp server", CheckOK, fmt.Sprintf("%s ahead of ours on %s", skew.Skew, skew.At.In(e.zone).Format(time.DateOnly)), ""}
		if skew.Skew.Abs() > time.Duration(e.cfg.SFTP.ClockSkew) {
			s.State, s.Do = CheckWarn, doClock+"; promotions are held until then"
		}
		all = append(all, s)
	}
	if e.cfg.API.IsSet() {
		all = append(all, e.apiClock(ctx))
	}
	return all
}

// apiClock holds our clock against the platform's interface, by the date of any answer. No token is shown for it.
func (e *examiner) apiClock(ctx context.Context) Checkup {
	c := Checkup{groupTime, "api server", CheckSkipped, "it does not tell the time", ""}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, e.apiURL(), http.NoBody)
	if err != nil {
		return c
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		c.Text = "not reached" // the tokens say why
		return c
	}
	_ = res.Body.Close() // it has none
	if at, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		skew := at.Sub(e.now()).Round(time.Second)
		c.State, c.Text = CheckOK, fmt.Sprintf("%s ahead of ours", skew)
		if skew.Abs() > skewAllowed {
			c.State, c.Do = CheckWarn, "set the clock of this machine (NTP)"
		}
	}
	return c
}
