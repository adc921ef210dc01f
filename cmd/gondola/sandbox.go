package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/sandbox"
)

// sandboxFlags are what the simulated platform is to be like.
type sandboxFlags struct {
	dir, sftp, http   string
	user, passwordEnv string
	articles          string
	scan              time.Duration
	fate              string
	posixRename       bool
	brand, zone       string
	rules             []string
	servers           []string
	api               sandboxAPIFlags
}

// newSandboxCommand runs the simulated platform.
func newSandboxCommand(a *app) *cobra.Command {
	var f sandboxFlags
	c := &cobra.Command{
		Use:   "sandbox --dir DIR",
		Short: "Run a simulated platform to try things out against",
		Long: `Runs a simulated platform on this machine until stopped: an SFTP server that is as strict as the real one
is known to be, a reader that takes files of the catalogue, of promotions and of both as the documentation
says, the REST interface with its jobs, events (--webhook) and orders, and a page that shows shelves,
promotions and orders. What a brand does differently is chosen with --brand; what nobody outside knows for
sure, such as whose clock the dates of promotions mean, can be turned the other way with --rule, and what
goes wrong with --fault. It prints where it listens and the lines for the config. The stores and their
articles come from a JSON file: {"sales_buffer": 1, "vendors": {"290056": [{"sku": "A1", "price": "10.5", "active": true}]}}.`,
		Example: "  gondola sandbox --dir /tmp/platform --articles platform.json\n" +
			"  gondola sandbox --dir /tmp/platform --articles platform.json --webhook http://127.0.0.1:8480/webhook --orders 6/m",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.sandbox(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.dir, "dir", "", "`DIR` for the platform's files and its host key, made when missing")
	flags.StringVar(&f.sftp, "sftp", sandbox.DefaultListen, "`ADDRESS` of the SFTP server; port 0 takes a free one")
	flags.StringVar(&f.http, "http", sandbox.DefaultListen, "`ADDRESS` of the page; port 0 takes a free one")
	flags.StringVar(&f.user, "user", "gondola", "the login's `NAME`")
	flags.StringVar(&f.passwordEnv, "password-env", "GONDOLA_SFTP_PASSWORD",
		"environment `VARIABLE` with the login's password; where it is not set, a password is made up")
	flags.StringVar(&f.articles, "articles", "", "JSON `FILE` with the stores and their articles (default: no store)")
	flags.DurationVar(&f.scan, "scan", 2*time.Second, "`DURATION` between two looks of the platform at its files")
	flags.StringVar(&f.fate, "fate", string(sandbox.Keep), "`FATE` of files that were read: keep, eat or move")
	flags.StringVar(&f.brand, "brand", "pedidosya", "`BRAND` whose files it reads, in lower case")
	flags.StringArrayVar(&f.rules, "rule", nil, "turn what is assumed the other way, such as utc-dates; may be repeated; `RULE` help lists them")
	flags.StringArrayVar(&f.servers, "server", nil,
		"what the SFTP server does or refuses, such as no-rename; may be repeated; `SERVER` help lists them")
	flags.StringVar(&f.zone, "zone", "UTC", "time `ZONE` of the stores, such as America/Montevideo")
	flags.BoolVar(&f.posixRename, "posix-rename", false, "let the server rename over existing files, as OpenSSH does")
	f.api.add(c)
	if err := c.MarkFlagRequired("dir"); err != nil {
		panic("gondola: require flag: " + err.Error()) // it was made above
	}
	c.AddCommand(newSandboxOrdersCommand(a))
	return c
}

// sandboxed is what sandbox --json prints once it listens.
type sandboxed struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	HostKey  string `json:"host_key"`
	User     string `json:"user"`
	Password string `json:"password,omitempty"` // only where it was made up
	Page     string `json:"page"`
	REST     string `json:"rest"`
	Chain    string `json:"chain"`
	// Secrets are the tokens and the secret of events that were made up, by the variables in which the daemon looks for them.
	Secrets map[string]string `json:"secrets,omitempty"`
	Home    string            `json:"home"`
	Stores  map[string]int    `json:"stores"` // articles by store
}

func (a *app) sandbox(ctx context.Context, f sandboxFlags) (err error) {
	if f.fate != string(sandbox.Keep) && f.fate != string(sandbox.Eat) && f.fate != string(sandbox.Move) {
		return usagef("unknown fate %q (known: keep, eat, move)", f.fate)
	}
	rules, zone, err := f.platform()
	if err != nil {
		return err
	}
	if f.scan <= 0 {
		return usagef("--scan must be longer than nothing; found %s", f.scan)
	}
	vendors, err := readArticles(f.articles)
	if err != nil {
		return err
	}
	madeUp := ""
	password := os.Getenv(f.passwordEnv)
	if password == "" {
		madeUp = rand.Text()
	}
	options := sandbox.Options{
		Dir: f.dir, SFTPListen: f.sftp, HTTPListen: f.http, User: f.user, Password: cmp.Or(password, madeUp), Vendors: vendors,
		ScanEvery: f.scan, Fate: sandbox.Fate(f.fate), Features: sandbox.Features{PosixRename: f.posixRename},
		Rules: rules, Zone: zone,
		Log: slog.New(slog.NewTextHandler(a.Stderr, nil)),
	}
	secrets, err := f.api.options(&options)
	if err != nil {
		return err
	}
	for _, name := range f.servers {
		if name == "help" {
			return usagef("the kinds of servers: %s", strings.Join(sandbox.ServerNames(), ", "))
		}
		if err := options.SetServer(name); err != nil {
			return usagef("%w", err)
		}
	}
	s, err := sandbox.Start(ctx, options)
	if err != nil {
		return fmt.Errorf("start sandbox: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	facts := sandboxed{
		HostKey: s.HostKey(), User: f.user, Password: madeUp, Page: s.HTTPURL() + "/", Home: s.Home(), Stores: map[string]int{},
		REST: s.RESTURL(), Chain: f.api.chain, Secrets: secrets,
	}
	facts.Host, facts.Port = s.SFTPAddr()
	for _, v := range vendors {
		facts.Stores[v.ID] = len(v.Articles)
	}
	if err := a.printSandbox(facts, f.passwordEnv); err != nil {
		return err
	}
	over, err := f.api.begin(ctx, s, options.Log)
	if err != nil {
		return err
	}
	<-ctx.Done()
	<-over
	return nil
}

// platform returns how the simulated platform reads files.
func (f sandboxFlags) platform() (sandbox.Rules, *time.Location, error) {
	rules, err := sandbox.BrandRules(f.brand)
	if err != nil {
		return rules, nil, usagef("%w", err)
	}
	for _, name := range f.rules {
		if name == "help" {
			return rules, nil, usagef("the rules: %s", strings.Join(sandbox.RuleNames(), ", "))
		}
		if err := rules.Set(name); err != nil {
			return rules, nil, usagef("%w", err)
		}
	}
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		return rules, nil, usagef("unknown time zone %q; write an IANA name such as America/Montevideo", f.zone)
	}
	return rules, zone, nil
}

func (a *app) printSandbox(s sandboxed, passwordEnv string) error {
	if a.JSON {
		return a.printJSON(s)
	}
	a.printf("page      %s\nhome      %s\nchain     %s\n", s.Page, s.Home, s.Chain)
	for _, id := range slices.Sorted(maps.Keys(s.Stores)) {
		a.printf("store     %s, %s\n", id, count(s.Stores[id], "article"))
	}
	if s.Password != "" {
		a.printf("password  export %s=%s\n", passwordEnv, s.Password)
	}
	for _, variable := range slices.Sorted(maps.Keys(s.Secrets)) {
		a.printf("secret    export %s=%s\n", variable, s.Secrets[variable])
	}
	a.printf(`
For the config:

sftp:
  host: %s
  port: %d
  user: %s
  password: env:%s
  host_keys: ["%s"]
api:
  url: %s
  tokens: {catalog: env:%s, promotions: env:%s, orders: env:%s}

Ctrl-C ends it.
`, s.Host, s.Port, s.User, passwordEnv, s.HostKey, s.REST, tokenCatalogVar, tokenPromotionsVar, tokenOrdersVar)
	return nil
}

// readArticles reads the stores of the simulated platform.
func readArticles(path string) ([]sandbox.Vendor, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("read articles: %w", err)
	}
	vendors, err := parseArticles(data)
	if err != nil {
		return nil, usagef("read articles from %s: %w", path, err)
	}
	return vendors, nil
}

// parseArticles reads the JSON of an articles file: what the platform knows before anything is sent.
func parseArticles(data []byte) ([]sandbox.Vendor, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var file struct {
		SalesBuffer int                          `json:"sales_buffer"`
		Vendors     map[string][]sandbox.Article `json:"vendors"`
	}
	if err := d.Decode(&file); err != nil {
		return nil, err
	}
	var vendors []sandbox.Vendor
	for _, id := range slices.Sorted(maps.Keys(file.Vendors)) {
		v := sandbox.Vendor{ID: id, Name: id, Articles: file.Vendors[id]}
		for i := range v.Articles {
			// The buffer of the file is that of every article which has none of its own.
			v.Articles[i].SalesBuffer = cmp.Or(v.Articles[i].SalesBuffer, file.SalesBuffer)
		}
		vendors = append(vendors, v)
	}
	return vendors, nil
}
