package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Orders is how orders come in and how they leave for the ERP.
type Orders struct {
	Webhook Webhook     `yaml:"webhook"`
	Poll    Poll        `yaml:"poll"`
	Export  OrderExport `yaml:"export"`
	Expect  string      `yaml:"expect"` // usual: that none come when there usually are some is an alarm; or off; default usual
}

// The values of Orders.Expect.
const (
	ExpectUsual = "usual"
	ExpectOff   = "off"
)

// Webhook is the listener for the platform's events.
type Webhook struct {
	Listen         string   `yaml:"listen"`          // address:port; off in the file and "" here = no listener; default off
	Path           string   `yaml:"path"`            // default /webhook
	Secrets        []Secret `yaml:"secrets"`         // any of which is accepted in Authorization; several during a rotation
	Certificate    string   `yaml:"certificate"`     // path of a PEM file, for TLS; read again when it changes
	Key            string   `yaml:"key"`             // path of its key
	TrustedProxies []string `yaml:"trusted_proxies"` // addresses or networks whose X-Forwarded-For is believed
	PublicURL      string   `yaml:"public_url"`      // what the platform was told; for gondola webhook test
}

// Poll is how orders are asked for that no event told of.
type Poll struct {
	Every   Duration `yaml:"every"`   // 0 = never; default 5m
	Overlap Duration `yaml:"overlap"` // each question reaches back so far before the last one; default 30m
}

// OrderExport is the files that the ERP gets.
type OrderExport struct {
	Dir       string   `yaml:"dir"`       // folder; off in the file and "" here = no files; default off
	On        []string `yaml:"on"`        // states; default READY_FOR_PICKUP and CANCELLED
	OnChange  string   `yaml:"on_change"` // export or ignore: the cart changed under the same state; default export
	Format    string   `yaml:"format"`    // csv, flat, json or template; default csv
	Template  string   `yaml:"template"`  // path of a Go text template, for format: template
	Name      string   `yaml:"name"`      // pattern of file names; default {vendor}_{time}_{order}_{state}
	Every     Duration `yaml:"every"`     // 0 = a file for each order; else one for all that came in so long; default 0
	Decimal   string   `yaml:"decimal"`   // point or comma; default point
	Separator string   `yaml:"separator"` // comma, semicolon or tab; default comma
	Encoding  string   `yaml:"encoding"`  // utf-8, utf-8-bom, windows-1252 or iso-8859-15; default utf-8
	Customer  bool     `yaml:"customer"`  // the customer's name, phone and address go with it; default false
}

// The values of OrderExport.Format.
const (
	OrderCSV      = "csv"
	OrderFlat     = "flat"
	OrderJSON     = "json"
	OrderTemplate = "template"
)

// The values of OrderExport.OnChange.
const (
	OnChangeExport = "export"
	OnChangeIgnore = "ignore"
)

// The defaults of orders.
const (
	DefaultWebhookPath     = "/webhook"
	UsualWebhookListen     = "127.0.0.1:8480"           // loopback: a proxy with a certificate stands in front of most
	DefaultPollEvery       = Duration(5 * time.Minute)  // an order is picked in half an hour
	DefaultPollOverlap     = Duration(30 * time.Minute) // longer than two clocks differ and an event is late
	DefaultOrderName       = "{vendor}_{time}_{order}_{state}"
	DefaultRetentionOrders = Duration(60 * day) // as long as the platform itself gives orders out
)

// DefaultOrderStates returns the states that are handed to the ERP: those that the platform tells every partner of.
func DefaultOrderStates() []string { return []string{"READY_FOR_PICKUP", "CANCELLED"} }

// MaxRetentionOrders is how long personal data may be kept: beyond a year nobody needs them for a complaint.
const MaxRetentionOrders = Duration(366 * day)

// orders checks what comes in and where it goes. Which states and patterns there are is the rooms' to say.
func (ck *checker) orders() {
	ck.webhook()
	o := ck.c.Orders
	ck.oneOf("orders.expect", o.Expect, ExpectUsual, ExpectOff)
	if o.Poll.Every != 0 {
		within(ck, "orders.poll.every", o.Poll.Every, Duration(30*time.Second), Duration(day))
	}
	within(ck, "orders.poll.overlap", o.Poll.Overlap, Duration(time.Minute), Duration(7*day))
	within(ck, "retention.orders", ck.c.Retention.Orders, Duration(day), MaxRetentionOrders)

	e := o.Export
	ck.oneOf("orders.export.on_change", e.OnChange, OnChangeExport, OnChangeIgnore)
	ck.oneOf("orders.export.format", e.Format, OrderCSV, OrderFlat, OrderJSON, OrderTemplate)
	ck.oneOf("orders.export.decimal", e.Decimal, "point", "comma")
	ck.oneOf("orders.export.separator", e.Separator, "comma", "semicolon", "tab")
	ck.oneOf("orders.export.encoding", e.Encoding, "utf-8", "utf-8-bom", "windows-1252", "iso-8859-15")
	switch {
	case e.Format == OrderTemplate:
		ck.needed("orders.export.template", e.Template, "the path of a Go text template")
	case e.Template != "":
		ck.wrong("orders.export.template", "means something beside format: template only")
	}
	if e.Decimal == "comma" && e.Separator == "comma" && (e.Format == OrderCSV || e.Format == OrderFlat) {
		ck.wrong("orders.export.separator", "comma does not go with decimal: comma; write semicolon or tab")
	}
	if e.Every != 0 {
		within(ck, "orders.export.every", e.Every, Duration(time.Second), Duration(day))
	}
	if len(e.On) == 0 {
		ck.wrong("orders.export.on", "no state; list some, such as [READY_FOR_PICKUP, CANCELLED], or switch the files off with dir: off")
	}
	if e.Dir != "" {
		ck.orderFolder(e.Dir)
	}
}

// orderFolder checks that files for the ERP don't land where we read, or keep what we must not forget.
func (ck *checker) orderFolder(dir string) {
	if lies(dir, ck.c.State.Dir) || lies(ck.c.State.Dir, dir) {
		ck.wrong("orders.export.dir", "lies in state.dir, or the other way round; choose another folder")
	}
	for i, f := range ck.c.Feeds {
		if f.Drop != "" && (lies(dir, f.Drop) || lies(f.Drop, dir)) {
			ck.wrong("orders.export.dir", "lies in the drop folder of feeds[%d], or the other way round; choose another folder", i)
			return
		}
	}
}

// lies reports whether a path is, or is below, another one. Both are absolute.
func lies(path, below string) bool {
	rel, err := filepath.Rel(below, path)
	return err == nil && filepath.IsLocal(rel)
}

// webhook checks the listener. It refuses to be without a secret: anybody could send orders.
func (ck *checker) webhook() {
	w := ck.c.Orders.Webhook
	for i, s := range w.Secrets {
		ck.secret(fmt.Sprintf("orders.webhook.secrets[%d]", i), s)
	}
	if (w.Certificate == "") != (w.Key == "") {
		ck.wrong("orders.webhook.certificate", "certificate and key go together; write both, or none where a proxy does TLS")
	}
	if !strings.HasPrefix(w.Path, "/") || strings.ContainsAny(w.Path, "?#{} ") || strings.Contains(w.Path, "..") {
		ck.wrong("orders.webhook.path", "want a path such as %s, found %q", DefaultWebhookPath, w.Path)
	}
	for i, p := range w.TrustedProxies {
		_, err := netip.ParsePrefix(p)
		if _, addrErr := netip.ParseAddr(p); err != nil && addrErr != nil {
			ck.wrong(fmt.Sprintf("orders.webhook.trusted_proxies[%d]", i), "want an address or a network such as 10.0.0.0/8, found %q", p)
		}
	}
	if u, err := url.Parse(w.PublicURL); w.PublicURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil) {
		ck.wrong("orders.webhook.public_url", "want the whole address that the platform was told, from https:// on")
	}
	if w.Listen == "" {
		return
	}
	if _, port, err := net.SplitHostPort(w.Listen); err != nil || !isPort(port) {
		ck.wrong("orders.webhook.listen", "want address:port such as %s, or off; found %q", UsualWebhookListen, w.Listen)
	} else if w.Listen == ck.c.Web.Listen {
		ck.wrong("orders.webhook.listen", "the same as web.listen; each has its own port")
	}
	if len(w.Secrets) == 0 {
		ck.wrong("orders.webhook.secrets",
			"missing; without the secret from Partner Portal anybody could send orders: write secrets: [env:GONDOLA_WEBHOOK_SECRET]")
	}
}

// isPort reports whether a text is a port that can be listened on and told to others.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n != 0
}

// finish normalizes.
func (o *Orders) finish(dir string) {
	for _, path := range []*string{&o.Webhook.Certificate, &o.Webhook.Key, &o.Export.Dir, &o.Export.Template} {
		*path = absolute(dir, *path)
	}
	o.Export.On = slices.Clone(o.Export.On)
}
