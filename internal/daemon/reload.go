package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"gondola/internal/config"
)

const (
	// configEvery is how often the config file is looked at. Looking works on every file system, however the file is replaced.
	configEvery = 2 * time.Second
	// refusedEvery is how often a config that was refused is tried again without a change: what it refers to may have been mended.
	refusedEvery = time.Minute
	// restoreEvery is how often the house by the config before is tried when neither it nor the next one can begin, on a full disk, say.
	restoreEvery = 5 * time.Second
	// swapWithin is how long the change from one house to the next may take: what is on its way is finished, which takes half a minute
	// at most.
	swapWithin = 2 * time.Minute
)

// Reloader runs a house and, whenever the config file is another one, a house by that one in its place, on the same state. A file that
// has mistakes changes nothing: it is told of, and the house goes on. Make it with [NewReloader], then call Run, then Close.
type Reloader struct {
	path      string
	opts      Options
	log       *slog.Logger
	reloading func() // may be nil
	reloaded  func() // may be nil

	mu    sync.Mutex
	house *House    // the one that runs; guarded by mu
	swap  time.Time // since when it is being replaced, zero while it is not; guarded by mu

	// Owned by Run.
	running *running
	seen    configSeen // by the last look
	tried   configSeen // what was decided on last
	triedAt time.Time
	told    string // why the last one was refused, as it was told; "" where it was not
	owed    bool   // what became of it is not written down yet
}

// configSeen is what a look at the config file found.
type configSeen struct{ digest, problem string }

// Telling is what a [Reloader] tells of the change from one house to the next. Both may be nil.
type Telling struct {
	Reloading func() // it begins
	Reloaded  func() // it is over
}

// NewReloader returns who runs a house that was opened by the config file at path. The options are those it was opened with.
func NewReloader(path string, h *House, t Telling) *Reloader {
	return &Reloader{
		path: path, opts: h.opts, log: h.log.With("component", "config"), reloading: t.Reloading, reloaded: t.Reloaded,
		house: h, tried: configSeen{digest: h.cfg.Digest}, seen: configSeen{digest: h.cfg.Digest},
	}
}

// House returns the house that runs now.
func (r *Reloader) House() *House {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.house
}

// Close gives the state folder and the ports free. Call it after Run has returned.
func (r *Reloader) Close() error { return r.House().Close() }

// Line is [House.Line] of the house that runs.
func (r *Reloader) Line(ctx context.Context) (string, error) { return r.House().Line(ctx) }

// Healthy is [House.Healthy] of the house that runs. While one takes the place of another it is healthy for as long as that may take.
func (r *Reloader) Healthy(ctx context.Context) error {
	r.mu.Lock()
	h, since := r.house, r.swap
	r.mu.Unlock()
	if since.IsZero() {
		return h.Healthy(ctx)
	}
	if took := time.Since(since); took > swapWithin {
		return fmt.Errorf("the change to another config has taken %s", took.Round(time.Second))
	}
	return nil
}

// Run runs the house until ctx ends, as [House.Run] does, and another one in its place when the config file has changed. Whoever asks by
// the channel has the file read at once, and taken also if it is the same: what it refers to may be other than before.
func (r *Reloader) Run(ctx context.Context, asked <-chan struct{}) error {
	r.House().keepLive()
	r.running = r.House().start(ctx, nil)
	for {
		select {
		case <-ctx.Done():
			return r.running.wait()
		case <-r.running.loops.done:
			return r.running.wait()
		case <-asked:
			data, seen := r.read()
			r.seen = seen
			r.decide(ctx, data, true)
		case <-time.After(inStep(configEvery)):
			r.look(ctx)
		}
	}
}

// look looks whether the file is another one. One that is being written counts once two looks have found the same: half of a config may
// be a config, too.
func (r *Reloader) look(ctx context.Context) {
	data, seen := r.read()
	steady := seen == r.seen
	r.seen = seen
	again := (r.told != "" || r.owed) && time.Since(r.triedAt) >= refusedEvery
	if steady && (seen != r.tried || again) {
		r.decide(ctx, data, false)
	}
}

// read reads the file.
func (r *Reloader) read() ([]byte, configSeen) {
	data, err := os.ReadFile(r.path)
	if err != nil {
		return nil, configSeen{problem: err.Error()}
	}
	sum := sha256.Sum256(data)
	return data, configSeen{digest: hex.EncodeToString(sum[:])}
}

// decide takes the file that was read, or refuses it.
func (r *Reloader) decide(ctx context.Context, data []byte, force bool) {
	r.tried, r.triedAt = r.seen, time.Now()
	h := r.House()
	var problems config.Problems
	if r.seen.digest != h.cfg.Digest || force {
		var next *House
		if next, problems = r.next(h, data); problems == nil {
			problems = r.replace(ctx, h, next)
		}
	}
	if ctx.Err() != nil {
		return
	}
	text := ""
	if problems != nil {
		text = problems.Error()
	}
	changed := text != r.told
	if r.owed = r.owed || changed; r.owed {
		err := r.House().keepRefused(ctx, RefusedConfig{File: r.path, Digest: r.seen.digest, At: h.now(), Problems: problems})
		if r.owed = err != nil; r.owed {
			r.log.Warn("what became of the config was not written down", "error", err.Error())
		}
	}
	r.told = text
	switch {
	case !changed:
	case text == "":
		r.log.Info("config is well again")
	default:
		r.log.Error("config refused, the one before goes on", "problems", len(problems), "first", problems[0].Error())
	}
}

// next returns a house by the config that was read, with its ports taken and nothing begun, or what is wrong with it.
func (r *Reloader) next(h *House, data []byte) (*House, config.Problems) {
	if r.seen.problem != "" {
		return nil, config.Problems{{File: r.path, Message: r.seen.problem + "; put a config there that gondola can read"}}
	}
	cfg, err := config.Parse(r.path, data)
	if problems, is := errors.AsType[config.Problems](err); is {
		return nil, problems
	}
	if err != nil {
		return nil, config.Problems{{File: r.path, Message: err.Error()}}
	}
	if cfg.State.Dir != h.cfg.State.Dir {
		return nil, config.Problems{cfg.Problem("state.dir", "can't change while gondola runs; stop it, move the folder, and start it again")}
	}
	s, err := newSetup(cfg)
	if err != nil {
		return nil, cfg.Locate(err)
	}
	next := newHouse(s, h.store, r.opts)
	next.ports, next.uploads, next.logins, next.follows = h.ports, h.uploads, h.logins, h.cfg.Digest
	if err := errors.Join(next.listen(), next.listenWebhook(h.webhook)); err != nil {
		err = errors.Join(err, next.release(), h.ports.keep(h.leases...))
		return nil, cfg.Locate(err)
	}
	for _, w := range cfg.Warnings {
		r.log.Warn("config", "problem", w.Error())
	}
	return next, nil
}

// replace lets the house finish what is in flight and puts the next one in its place. Webhooks are taken all the while; who looks at the
// page waits a moment. Where the next one can't begin the one before goes on, and what keeps it is returned.
func (r *Reloader) replace(ctx context.Context, h, next *House) (problems config.Problems) {
	r.setSwap(time.Now())
	defer r.setSwap(time.Time{})
	if r.reloading != nil {
		r.reloading()
	}
	begin := time.Now()
	if err := errors.Join(r.running.loops.end(), r.running.page.end(), h.closeClient()); err != nil {
		r.log.Warn("house did not end well", "error", err.Error())
	}
	webhook := r.running.webhook
	next.ruleOrders()
	if err := next.prepare(ctx); err != nil {
		problems = next.cfg.Locate(err)
		if next = r.restore(ctx, h, next); next == nil {
			return problems // the process was told to end
		}
	}
	r.mu.Lock()
	r.house = next
	r.mu.Unlock()
	r.running = next.start(ctx, webhook)
	var err error
	if r.running.webhook != webhook {
		err = webhook.end()
	}
	if err := errors.Join(err, h.ports.keep(next.leases...)); err != nil {
		r.log.Warn("ports of the config before", "error", err.Error())
	}
	next.keepLive()
	if r.reloaded != nil {
		r.reloaded()
	}
	if problems != nil {
		return problems
	}
	r.log.Info("config changed", "from", h.cfg.Digest, "to", next.cfg.Digest, "stores", len(next.cfg.Vendors), "feeds", len(next.cfg.Feeds),
		"took", time.Since(begin).Round(time.Millisecond).String())
	return nil
}

// restore puts a house by the config before in the place of one that could not begin: the trouble is the machine's, not the file's. It
// tries until it can, and returns nil when ctx ends before.
func (r *Reloader) restore(ctx context.Context, h, failed *House) *House {
	_ = failed.release() // nothing runs of it
	for ctx.Err() == nil {
		again := newHouse(h.setup, h.store, r.opts)
		again.ports, again.uploads, again.logins, again.follows = h.ports, h.uploads, h.logins, failed.cfg.Digest
		again.ruleOrders()
		err := errors.Join(again.listen(), again.listenWebhook(h.webhook))
		if err == nil {
			err = again.prepare(ctx)
		}
		if err == nil {
			return again
		}
		r.log.Error("config before can't be taken up again, tried until it can", "error", err.Error())
		_ = again.release()
		select {
		case <-ctx.Done():
		case <-time.After(restoreEvery):
		}
	}
	return nil
}

func (r *Reloader) setSwap(since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.swap = since
}
