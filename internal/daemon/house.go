// Package daemon is the house: it wires the rooms together, runs their loops, and has one method for each thing that a user asks
// for. It knows no format, no SQL and no rule of the trade; it knows the order in which things are handed on.
//
//	drop folder --> take: feed.Convert --> layers --> commit --> receipt
//	cron slot   --> plan: brake, shelf.Plan --> platform.Write... --> enqueue
//	outbox      --> flush: sftp.Replace --> verified --> receipt
//
// Every hand-over is a row or a rename, so the loops share no memory that matters: each asks the store for work. What
// a loop meets (a bad file, a dead server, a full disk) is written down and tried again; it never ends the loop.
//
// [Open] a House, then either [House.Run] it until the context ends or do everything [House.Once], then [House.Close] it. Commands
// that look or ask while the daemon runs use [Attach].
package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gondola/internal/config"
	"gondola/internal/drop"
	"gondola/internal/durable"
	"gondola/internal/inbox"
	"gondola/internal/outbox"
	"gondola/internal/platform"
	"gondola/internal/sftp"
	"gondola/internal/shelf"
	"gondola/internal/store"
	"gondola/internal/web"
)

// Options are what a House needs beside its config. The zero value works.
type Options struct {
	Now     func() time.Time // default time.Now
	Log     *slog.Logger     // default discarded
	Version string           // of the program, for the ledger
	Tell    func(Event)      // hears of every unit of business as it happens; must not block
	// Progress hears how far work is that may take long and that somebody waits for; must not block.
	Progress func(Work)
	// Dial replaces the connection to the platform in tests that inject failures. Default: package sftp.
	Dial func(ctx context.Context) (outbox.Remote, error)
	// Serve serves the status page and takes webhooks where the config has them. Of two processes only one can have a port.
	Serve bool
	// API changes how the platform's REST interface is talked to, in tests: their requests need not wait for each other.
	API func(*platform.ClientConfig)
	// Requests replaces it where something is sent, in tests that inject failures. Default: that client.
	Requests restAPI
}

// House is the running daemon.
type House struct {
	*setup
	opts        Options
	now         func() time.Time
	log         *slog.Logger
	store       *store.Store
	queue       store.Queue // of files
	queueAPI    store.Queue // of requests
	files       shelf.Files
	outbox      *outbox.Outbox   // of files, nil in a process beside the daemon
	outAPI      *outbox.Outbox   // of requests, nil where none are sent
	api         *platform.Client // see client
	rest        restAPI          // the same for what is sent, nil where the REST interface is not used
	watchers    []watcher
	reported    map[string]time.Time // by folder, which look reportWatch has written down; owned by it
	lastDial    map[outbox.By]string // what was last told of the server; owned by flush
	attributed  map[string]int64     // by target, the newest drop when feedback was last looked up; owned by send
	measured    time.Time            // when the server was last asked for its clock alone; owned by send
	ordersNext  time.Time            // when what waits for others goes into a file with them, zero while nothing does; owned by handOverOrders
	eventsNext  time.Time            // when an event that failed is handed on again, zero while none is; owned by drainInbox
	jobsNext    time.Time            // when a job is asked for, zero while none is; owned by askJobs
	sendsNext   time.Time            // when a slot comes or the outbox has something to do; owned by send
	sweptOrders bool                 // the ERP's folder has no unfinished files of a stopped process; owned by handOverOrders
	rekeyed     bool                 // while exports are read again by another identifier: what they were understood as before is no help

	// shelfMu keeps a drop from being committed between the moment a plan looks at the newest drop and the moment it looks at the
	// layers: the plan would contain a drop that it does not know of.
	shelfMu sync.Mutex

	answers map[string]*answering // by drop folder

	troubles troubles // of loops
	life     life     // of loops
	pulse    pulse    // for loops
	alarm    alarm
	quiet    quiet
	page     *page         // nil where none is served
	uploads  *uploads      // that the page received, for the house after this one, too
	logins   *web.Logins   // on the page, likewise
	looks    *look         // of a house that only looks at a file, nil else
	webhook  *inbox.Server // nil where none is taken
	// changeWebhook lets the webhook of the house before go by this one's config; nil once it does, and where it is this one's own.
	changeWebhook func()
	ports         *ports // that both listen on, for the house after this one, too
	leases        []net.Listener
	follows       string // digest of the config that counted before, where this house takes the place of another one
	rejudged      bool   // what was put aside was judged by this program; owned by drainInbox
	polled        poller // owned by poll
}

// Work is how far a piece of work is.
type Work struct {
	Doing       string // in English, such as "verifying documents"
	Done, Total int    // of what it is made of; Total is 0 where nobody knows how much there is
}

// step tells how far a piece of work is.
func (h *House) step(doing string, done, total int) {
	if h.opts.Progress != nil {
		h.opts.Progress(Work{doing, done, total})
	}
}

// watcher is a watched drop folder, of one feed or several.
type watcher struct {
	folder string
	*drop.Watcher
}

// Folders below state.dir.
const (
	incomingDir = "incoming" // files that the page received, until they are sent or forgotten
	shelfDir    = "shelf"
	documentDir = "documents"
	archiveDir  = "archive"
	sortDir     = "sort"
)

// Open makes the house ready: it takes the state folder for this process alone, recovers what a stopped process left, and begins
// nothing. It returns store.ErrLocked when another process has the state folder.
func Open(ctx context.Context, cfg *config.Config, opts Options) (_ *House, err error) {
	s, err := newSetup(cfg)
	if err != nil {
		return nil, config.Problems(cfg.Locate(err))
	}
	st, err := store.Open(ctx, cfg.State.Dir)
	if err != nil {
		return nil, err
	}
	h := newHouse(s, st, opts)
	h.ports = &ports{}
	st.Now = h.now
	h.ruleOrders()
	if err := errors.Join(h.prepare(ctx), h.listen(), h.listenWebhook(nil)); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// Attach opens the state beside a running daemon, to look and to ask. It returns store.ErrNone when nothing ran here yet.
func Attach(ctx context.Context, cfg *config.Config, opts Options) (*House, error) {
	s, err := newSetup(cfg)
	if err != nil {
		return nil, config.Problems(cfg.Locate(err))
	}
	st, err := store.OpenShared(ctx, cfg.State.Dir)
	if err != nil {
		return nil, err
	}
	h := newHouse(s, st, opts)
	st.Now = h.now
	h.ruleOrders()
	return h, nil
}

func newHouse(s *setup, st *store.Store, opts Options) *House {
	h := &House{
		setup: s, opts: opts, now: opts.Now, log: opts.Log, store: st,
		queue:    store.Queue{Store: st, Dir: s.cfg.State.Dir, Window: time.Duration(s.cfg.SFTP.ReadWindow)},
		queueAPI: store.Queue{Store: st, By: outbox.ByAPI, Dir: s.cfg.State.Dir},
		lastDial: map[outbox.By]string{}, attributed: map[string]int64{},
		files:   shelf.Files{Dir: filepath.Join(s.cfg.State.Dir, shelfDir)},
		answers: s.newAnswerings(), uploads: newUploads(filepath.Join(s.cfg.State.Dir, incomingDir)),
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.logins = web.NewLogins(h.now)
	return h
}

// ruleOrders has the store hand over orders by the house's config.
func (h *House) ruleOrders() { h.store.OrderRules = h.orders.rules }

// bind takes a port for the page or the webhook.
func (h *House) bind(address string) (net.Listener, error) {
	l, err := h.ports.bind(address)
	if err == nil {
		h.leases = append(h.leases, l)
	}
	return l, err
}

// Close gives the state folder free. Call it after Run or Once has returned.
func (h *House) Close() error {
	h.uploads.work.Wait() // previews that nobody waits for any more
	return errors.Join(h.release(), h.ports.keep(), h.store.Close())
}

// release ends what is the house's own. State, ports and received files may be another one's.
func (h *House) release() error {
	return errors.Join(h.page.close(), h.closeWebhook(), h.closeClient())
}

// prepare makes the folders and wires outbox and watchers.
func (h *House) prepare(ctx context.Context) error {
	for _, dir := range []string{shelfDir, documentDir, archiveDir, sortDir} {
		if err := durable.MkdirAll(filepath.Join(h.cfg.State.Dir, dir)); err != nil {
			return fmt.Errorf("prepare state folder: %w", err)
		}
	}
	// What a stopped process was writing or sorting was not handed over yet: it will be done again.
	days, err := filepath.Glob(filepath.Join(h.cfg.State.Dir, archiveDir, "????-??-??"))
	if err != nil {
		return fmt.Errorf("prepare state folder: %w", err)
	}
	for _, dir := range append(days, filepath.Join(h.cfg.State.Dir, shelfDir), filepath.Join(h.cfg.State.Dir, documentDir)) {
		if err := durable.Sweep(dir); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(filepath.Join(h.cfg.State.Dir, sortDir)); err != nil {
		return fmt.Errorf("clear sort folder: %w", err)
	}
	if err := durable.MkdirAll(filepath.Join(h.cfg.State.Dir, sortDir)); err != nil {
		return fmt.Errorf("prepare state folder: %w", err)
	}
	if h.follows == "" { // else they are not a stopped process's
		if err := h.sweepPuts(ctx); err != nil {
			return err
		}
	}
	remote, err := h.server(ctx)
	if err != nil {
		return err
	}
	dial := h.opts.Dial
	if dial == nil {
		dial = func(ctx context.Context) (outbox.Remote, error) { return h.dialServer(ctx, remote) }
	}
	h.outbox = &outbox.Outbox{
		Queue: h.queue, Dial: dial, Login: remote.Login, Now: h.now, Parallel: remote.Lanes(),
		ReadWindow: h.queue.Window, Log: h.log.With("component", "outbox"),
	}
	if err := errors.Join(h.openClient(ctx), h.prepareRequests(ctx)); err != nil {
		return err
	}
	h.noteStart(ctx)
	if err := errors.Join(h.keepRefused(ctx, RefusedConfig{}), h.takeOver(ctx)); err != nil {
		return err
	}
	if err := h.followConfig(ctx); err != nil {
		return err
	}
	return h.prepareWatchers()
}

// prepareRequests wires what is sent by the REST interface.
func (h *House) prepareRequests(ctx context.Context) error {
	if h.api == nil {
		return nil
	}
	if h.rest = h.opts.Requests; h.rest == nil {
		h.rest = h.api
	}
	if len(h.apiUses()) == 0 {
		return nil
	}
	salt, err := h.salt(ctx)
	if err != nil {
		return err
	}
	h.outAPI = &outbox.Outbox{
		Queue: h.queueAPI, Dial: apiDial(h.rest, h.now), Login: h.apiLogin(salt), Now: h.now, Log: h.log.With("component", "outbox"),
	}
	return nil
}

// salt returns the key that login fingerprints in the database are made with.
func (h *House) salt(ctx context.Context) ([]byte, error) {
	const name = "login salt"
	text, err := h.store.Fact(ctx, name)
	if err != nil {
		return nil, err
	}
	if text == "" {
		b := make([]byte, 32)
		if _, err := rand.Read(b); err != nil {
			return nil, fmt.Errorf("make salt: %w", err)
		}
		text = hex.EncodeToString(b)
		if err := h.store.SetFact(ctx, name, text); err != nil {
			return nil, err
		}
	}
	return hex.DecodeString(text)
}

func (h *House) sftpConfig(salt []byte) sftp.Config {
	c := h.cfg.SFTP
	out := sftp.Config{
		Host: c.Host, Port: c.Port, User: c.User, HostKeys: c.HostKeys, KnownHosts: c.KnownHosts,
		StallTimeout: time.Duration(c.StallTimeout), Parallel: c.Parallel, Salt: salt, Log: h.log.With("component", "sftp"), Now: h.now,
	}
	if c.Password.IsSet() {
		out.Password = c.Password.Value
	}
	if c.Key != "" {
		out.KeyPEM = func() ([]byte, error) { return os.ReadFile(c.Key) }
	}
	if c.KeyPassphrase.IsSet() {
		out.KeyPassphrase = c.KeyPassphrase.Value
	}
	return out
}
