package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/sandbox"
)

// The drop folders, inside the demo's folder.
const (
	demoPrices     = "drop/precios"
	demoStock      = "drop/stock"
	demoPromotions = "drop/promociones"
)

// demoOrderFiles is the folder that the ERP takes orders from, inside the demo's folder.
const demoOrderFiles = "pedidos"

// The feeds that the story names.
const (
	demoStockFeed      = "stock"
	demoPromotionsFeed = "promociones"
)

// demoZone is the local time of the demo's stores.
const demoZone = "America/Montevideo"

// demoUser is the chain's login at the simulated platform.
const demoUser = "demo"

// demoConfig is the config of the demo's chain. It has little patience, so that nobody needs any.
const demoConfig = config.SchemaLine + `
# The chain of gondola demo: three invented stores. config.example.yaml of the project explains every key.
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: ` + demoZone + `, language: es, identify_by: sku, price_decimals: 2}
vendors:
%s
state: {dir: state, min_free: 50MB}
sftp:
  host: %s
  port: %d
  user: %s
  password: file:password
  host_keys: ["%s"]
  read_window: 20s
  stall_timeout: 10s
drops: {settle: 1s, quiet: 5s, max_wait: 30s, scan: 1s}
feeds:
  - {name: precios, drop: ` + demoPrices + `, export: full, missing: keep, vendor: {column: Sucursal}}
  - {name: ` + demoStockFeed + `, drop: ` + demoStock + `, export: partial, vendor: {file_name: 'stock_(?P<erp_code>\d+)'}}
  - {name: ` + demoPromotionsFeed + `, kind: promotions, drop: ` + demoPromotions + `, export: partial, vendor: {column: Sucursal}}
send:
  catalog: {schedule: "* * * * *", full: "off"}
  promotions: {schedule: "* * * * *", full: "off"}
api:
  url: %s
  tokens: {orders: file:token}
orders:
  webhook: {listen: "%s", secrets: [file:secret]}
  poll: {every: 30s, overlap: 10m}
  export: {dir: ` + demoOrderFiles + `, format: csv, separator: semicolon, decimal: comma, name: '{erp_code}_{external}_{asked}_{revision}'}
# Whoever sits at this machine may do everything on the page. A chain gives its people names and passwords: gondola web password.
web: {listen: "%s", open: [view, drop, approve]}
`

// startPlatform starts the simulated platform, with a password, a token and a secret of its own.
func (d *demo) startPlatform(ctx context.Context) error {
	password, token, secret := rand.Text(), rand.Text(), rand.Text()
	for name, text := range map[string]string{"password": password, "token": token, "secret": secret} {
		if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	var err error
	if d.webhook, err = unusedAddress(ctx); err != nil {
		return err
	}
	vendors := make([]sandbox.Vendor, len(d.samples.stores))
	articles := 0
	for i, s := range d.samples.stores {
		vendors[i] = sandbox.Vendor{ID: s.id, Name: s.name, Articles: s.before}
		articles += len(s.before)
	}
	d.platform, err = sandbox.Start(ctx, sandbox.Options{
		Dir: d.path("platform"), User: demoUser, Password: password, Chain: "gondola demo", Vendors: vendors,
		ScanEvery: time.Second, Fate: sandbox.Keep, Zone: zoneOf(demoZone),
		API: sandbox.API{Tokens: sandbox.Tokens{Orders: token}},
		Webhook: sandbox.Webhook{
			URL: "http://" + d.webhook + config.DefaultWebhookPath, Secret: secret, Retries: []time.Duration{time.Second, 5 * time.Second},
		},
	})
	if err != nil {
		return fmt.Errorf("start simulated platform: %w", err)
	}
	d.view = newPlatformView(d.platform.HTTPURL())
	return nil
}

// unusedAddress returns an address of this machine that nobody listens on.
func unusedAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// startDaemon writes the config, reads it as any other, and starts the daemon on it. What it returns stops the daemon.
func (d *demo) startDaemon(ctx context.Context) (stop func() error, err error) {
	var vendors []string
	for _, s := range d.samples.stores {
		vendors = append(vendors, fmt.Sprintf("  - {id: %q, name: %s, erp_code: %q}", s.id, s.name, s.erpCode))
	}
	page, err := unusedAddress(ctx)
	if err != nil {
		return nil, err
	}
	host, port := d.platform.SFTPAddr()
	text := fmt.Sprintf(demoConfig, strings.Join(vendors, "\n"), host, port, demoUser, d.platform.HostKey(),
		d.platform.RESTURL(), d.webhook, page)
	if err := os.WriteFile(d.path(defaultConfig), []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write config: %w", err)
	}
	if err := os.WriteFile(d.path(config.SchemaName), config.Schema(), 0o600); err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	if d.cfg, err = config.Load(d.path(defaultConfig)); err != nil {
		return nil, err
	}
	for _, f := range d.cfg.Feeds {
		if err := os.MkdirAll(f.Drop, 0o750); err != nil {
			return nil, fmt.Errorf("make drop folder: %w", err)
		}
	}
	log, err := os.Create(d.path("daemon.log"))
	if err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	d.house, err = daemon.Open(ctx, d.cfg, daemon.Options{
		Log: slog.New(slog.NewTextHandler(log, nil)), Tell: d.events.put, Serve: true,
	})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	var broken error // what ended the loops; read once ended is closed
	go func() {
		defer close(ended)
		broken = d.house.Run(ctx)
	}()
	d.ended = ended
	return func() error {
		cancel()
		<-ended
		return errors.Join(broken, d.house.Close(), log.Close())
	}, nil
}

// dropSamples puts the exports of the next wave into the drop folders, as an ERP or a person would.
func (d *demo) dropSamples() error {
	wave := d.samples.waves[d.story.wave]
	for _, e := range wave {
		if err := os.WriteFile(filepath.Join(d.path(e.dir), e.name), e.data, 0o600); err != nil {
			return fmt.Errorf("drop sample: %w", err)
		}
		d.story.unread[e.name] = true
		d.page.line(plainly, "export", "%s (%s) is put into %s", e.name, fileSize(int64(len(e.data))), e.dir)
	}
	d.story.wave++
	return nil
}

// path returns the path of something in the demo's folder.
func (d *demo) path(name string) string { return filepath.Join(d.dir, filepath.FromSlash(name)) }

// demoEvents is what the daemon has told and nobody has heard yet. It never makes the daemon wait.
type demoEvents struct {
	ready chan struct{} // there may be something

	mu   sync.Mutex
	list []daemon.Event // guarded by mu
}

func newDemoEvents() *demoEvents { return &demoEvents{ready: make(chan struct{}, 1)} }

// put is called by the daemon's loops.
func (q *demoEvents) put(e daemon.Event) {
	q.mu.Lock()
	q.list = append(q.list, e)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default: // it is known already
	}
}

// take returns what was told since the last time, oldest first.
func (q *demoEvents) take() []daemon.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}
