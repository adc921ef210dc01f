package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"time"
)

// API is the platform's REST interface.
type API struct {
	URL       string   `yaml:"url"` // default the brand's
	Tokens    Tokens   `yaml:"tokens"`
	OAuth     OAuth    `yaml:"oauth"`
	PerMinute int      `yaml:"per_minute"` // requests; the platform bans who makes more than 60; default 50
	Timeout   Duration `yaml:"timeout"`    // of one request; default 30s
	Locale    string   `yaml:"locale"`     // of promotions' names, such as es_UY
}

// Tokens are static bearer tokens, as Partner Portal makes them, by use.
type Tokens struct {
	Catalog    Secret `yaml:"catalog"`
	Promotions Secret `yaml:"promotions"`
	Orders     Secret `yaml:"orders"`
}

// OAuth is the login of who gets tokens by client credentials.
type OAuth struct {
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
}

// Audit is when the platform's catalogue is compared with what was sent.
type Audit struct {
	Schedule string `yaml:"schedule"` // cron; off in the file and "" here = only by hand; default off
}

// The values of SendKind.By.
const (
	BySFTP = "sftp"
	ByAPI  = "api"
)

// The defaults of the REST interface.
const (
	DefaultPerMinute  = 50 // more than 60 a minute from one address get it blocked
	MaxPerMinute      = 59
	DefaultAPITimeout = Duration(30 * time.Second) // a list of 500 orders takes seconds
	// DefaultRequestRows is how many articles one request changes. How many it may is [unknown]: a store of 30,000 articles is told of in
	// 30 requests, which the platform's limit lets through in less than a minute.
	DefaultRequestRows = 1_000
	MaxRequestRows     = 10_000 // [unknown] likewise; 1 MB, which any server reads within the timeout
)

var localeForm = regexp.MustCompile(`^[a-z]{2}_[A-Z]{2}$`)

// IsSet reports whether there is any way to get a token.
func (a API) IsSet() bool {
	return a.Tokens.any() || a.OAuth.ClientID != ""
}

// SendsFiles reports whether some feed is sent as files, so that the SFTP login is needed.
func (c *Config) SendsFiles() bool {
	for _, f := range c.Feeds {
		by := c.Send.Catalog.By
		if f.Kind == "promotions" {
			by = c.Send.Promotions.By
		}
		if by != ByAPI {
			return true
		}
	}
	return len(c.Feeds) == 0
}

// any reports whether there is a token.
func (t Tokens) any() bool { return t.Catalog.IsSet() || t.Promotions.IsSet() || t.Orders.IsSet() }

// api checks the REST interface.
func (ck *checker) api() {
	a := ck.c.API
	within(ck, "api.per_minute", a.PerMinute, 1, MaxPerMinute)
	within(ck, "api.timeout", a.Timeout, Duration(time.Second), Duration(10*time.Minute))
	ck.secret("api.tokens.catalog", a.Tokens.Catalog)
	ck.secret("api.tokens.promotions", a.Tokens.Promotions)
	ck.secret("api.tokens.orders", a.Tokens.Orders)
	ck.secret("api.oauth.client_secret", a.OAuth.ClientSecret)
	if (a.OAuth.ClientID != "") != a.OAuth.ClientSecret.IsSet() && !ck.silent("api.oauth.client_secret") {
		ck.wrong("api.oauth", "client_id and client_secret go together; write both, or tokens instead")
	}
	if a.OAuth.ClientID != "" && a.Tokens.any() {
		ck.wrong("api.oauth", "beside tokens; keep one of the two ways")
	}
	if a.Locale != "" && !localeForm.MatchString(a.Locale) {
		ck.wrong("api.locale", "want a language and a country such as es_UY, found %q", a.Locale)
	}
	ck.apiURL(a.URL)
	for _, kind := range []struct {
		name  string
		send  SendKind
		token Secret
	}{{"catalog", ck.c.Send.Catalog, a.Tokens.Catalog}, {"promotions", ck.c.Send.Promotions, a.Tokens.Promotions}} {
		path := "send." + kind.name + ".by"
		ck.oneOf(path, kind.send.By, BySFTP, ByAPI)
		if kind.send.By != ByAPI {
			continue
		}
		switch {
		case !kind.token.IsSet() && a.OAuth.ClientID == "":
			ck.wrong(path, "api needs a token: write api.tokens.%s, or api.oauth", kind.name)
		case ck.c.Chain.IdentifyBy != DefaultIdentifyBy && !ck.silent("chain.identify_by"):
			ck.wrong(path, "api knows articles by their SKU alone; write sftp, or chain.identify_by: sku")
		case ck.c.Send.Format == FormatSingle:
			ck.wrong(path, "api does not go with send.format: single; that is a format of files")
		case kind.name == "promotions" && a.Locale == "":
			ck.wrong(path, "api needs the language of the promotions' names: write api.locale, such as es_UY")
		}
	}
}

// apiURL checks an address of one's own: tokens go there, so it is https unless it is this machine.
func (ck *checker) apiURL(text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		ck.wrong("api.url", "want an address such as https://pedidosya.partner.deliveryhero.io, found %q", withoutLogin(text))
		return
	}
	addr, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		ck.wrong("api.url", "tokens go there, so it begins with https://; found %q", withoutLogin(text))
	}
}
