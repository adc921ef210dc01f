package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"gondola/internal/config"
	"gondola/internal/store"
)

// Health of one thing that doctor looks at.
const (
	CheckOK      = "ok"
	CheckWarn    = "warn"    // it works, and deserves a look
	CheckFail    = "fail"    // it does not work
	CheckSkipped = "skipped" // it could not be looked at, or there is nothing to look at
)

// Checkup is what a look at one thing found.
type Checkup struct {
	Group string `json:"group"` // config, state, database, time, folders, sftp, api, webhook, orders, alerts, now
	Name  string `json:"name"`
	State string `json:"state"`
	Text  string `json:"text"`
	Do    string `json:"do,omitempty"` // where it is not ok: what to do
}

// The groups.
const (
	groupConfig   = "config"
	groupState    = "state"
	groupDatabase = "database"
	groupTime     = "time"
	groupFolders  = "folders"
	groupOrders   = "orders"
	groupSFTP     = "sftp"
	groupAPI      = "api"
	groupWebhook  = "webhook"
	groupAlerts   = "alerts"
	groupNow      = "now"
)

// groups are all of them, in the order in which people read them.
var groups = []string{
	groupConfig, groupState, groupDatabase, groupTime, groupFolders, groupOrders, groupSFTP, groupAPI, groupWebhook, groupAlerts, groupNow,
}

// Remote reports whether it is about something that is not on this machine.
func (c Checkup) Remote() bool {
	return slices.Contains([]string{groupSFTP, groupAPI, groupWebhook}, c.Group)
}

// Config reports whether it is about the config.
func (c Checkup) Config() bool { return c.Group == groupConfig }

// The time that checks may take. A dead network or a share that hangs must not keep anybody from the rest.
const (
	checkWithin  = 10 * time.Second
	remoteWithin = 20 * time.Second
	cleanWithin  = time.Second // for what was cut off to put away its canary
	checkAtOnce  = 16
)

// examiner looks at everything once.
type examiner struct {
	*setup
	now   func() time.Time
	house *House // nil where nothing ran yet, or the database can't be opened
	lives bool   // a daemon works on the state
}

// examination is a look at one thing, or at several that need each other.
type examination struct {
	group, name string
	within      time.Duration
	look        func(context.Context) []Checkup
}

// Examine looks at everything that the daemon needs: config, folders, state, database, clocks, the platform's servers, webhook and alarms.
// It works beside a running daemon and without one, and changes nothing: files that it makes to try something it removes. However dead
// the network is it ends within half a minute. The config may be one that could not be loaded as a whole: see [config.Look].
func Examine(ctx context.Context, cfg *config.Config, opts Options) []Checkup {
	e := &examiner{now: opts.Now}
	if e.now == nil {
		e.now = time.Now
	}
	var err error
	if e.setup, err = newSetup(cfg); err != nil {
		var all []Checkup
		for _, p := range cfg.Locate(err) {
			all = append(all, Checkup{groupConfig, "file", CheckFail, p.Error(), "correct it; gondola check shows the line"})
		}
		return all
	}
	all := []Checkup{e.configChecked()}
	e.house, err = Attach(ctx, cfg, opts)
	all = append(all, databaseOpened(err))
	if e.house != nil {
		defer func() { _ = e.house.Close() }() // it was only read
	}
	e.lives, err = store.Running(cfg.State.Dir)
	all = append(all, e.daemonRuns(err))
	all = append(all, examineAll(ctx, e.examinations())...)
	slices.SortStableFunc(all, func(a, b Checkup) int {
		return cmp.Compare(slices.Index(groups, a.Group), slices.Index(groups, b.Group))
	})
	return all
}

// examinations lists what is looked at.
func (e *examiner) examinations() []examination {
	list := []examination{
		{groupConfig, "secrets", checkWithin, e.secrets},
		{groupState, "folder", checkWithin, e.stateFolder},
		{groupDatabase, "integrity", remoteWithin, e.integrity},
	}
	var folders []string
	for _, f := range e.feeds {
		if !slices.Contains(folders, f.Drop) {
			folders = append(folders, f.Drop)
			list = append(list, examination{groupFolders, f.Name, checkWithin, func(ctx context.Context) []Checkup { return e.dropFolder(ctx, f) }})
		}
	}
	return append(list,
		examination{groupOrders, "folder", checkWithin, e.orderFolder},
		examination{groupTime, "clock", checkWithin, e.clock},
		examination{groupSFTP, "server", remoteWithin, e.sftp},
		examination{groupAPI, "tokens", remoteWithin, e.tokens},
		examination{groupWebhook, "public address", remoteWithin, e.publicWebhook},
		examination{groupAlerts, "targets", checkWithin, e.alarms},
		examination{groupNow, "work", remoteWithin, e.standing},
	)
}

// examineAll does examinations beside each other, each within its time, and returns what they found in their order.
func examineAll(ctx context.Context, list []examination) []Checkup {
	found := make([]chan []Checkup, len(list))
	var going sync.WaitGroup
	turns := make(chan struct{}, checkAtOnce)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for i, x := range list {
		found[i] = make(chan []Checkup, 1)
		going.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			ctx, cancel := context.WithTimeout(ctx, x.within)
			defer cancel()
			found[i] <- x.look(ctx)
		})
	}
	// What hangs in the system, on a share say, hears of no context: it is left behind.
	late := time.NewTimer(remoteWithin + cleanWithin)
	defer late.Stop()
	var all []Checkup
	over := false
	for i, x := range list {
		if over {
			late.Reset(0)
		}
		select {
		case some := <-found[i]:
			all = append(all, some...)
			continue
		case <-ctx.Done():
		case <-late.C:
		}
		over = true
		select {
		case some := <-found[i]:
			all = append(all, some...)
		default:
			all = append(all, Checkup{x.group, x.name, CheckFail, "no answer", "look whether what it is on hangs: a share, a disk, the network"})
		}
	}
	stop()
	done := make(chan struct{})
	go func() { going.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(cleanWithin):
	}
	return all
}

// configChecked tells what the config as a whole is like.
func (e *examiner) configChecked() Checkup {
	c := Checkup{groupConfig, "file", CheckOK, fmt.Sprintf("loads: %d stores, %d feeds", len(e.cfg.Vendors), len(e.cfg.Feeds)), ""}
	warnings := slices.Concat(e.cfg.Warnings, sweepProblems(e.cfg))
	if len(warnings) > 0 {
		c.State, c.Text, c.Do = CheckWarn, fmt.Sprintf("%d warnings, the first: %s", len(warnings), warnings[0].Error()), "gondola check lists them with their lines"
	}
	return c
}

// databaseOpened tells what came of opening the database.
func databaseOpened(err error) Checkup {
	c := Checkup{groupDatabase, "schema", CheckOK, "of this program's version", ""}
	switch {
	case errors.Is(err, store.ErrNone):
		c.State, c.Text, c.Do = CheckSkipped, "nothing has run here yet", "gondola run or gondola once makes it"
	case err != nil:
		c.State, c.Text, c.Do = CheckFail, err.Error(), "install the program that made it; where the file is damaged: "+doRecord
	}
	return c
}

// daemonRuns tells whether a daemon works on the state.
func (e *examiner) daemonRuns(err error) Checkup {
	c := Checkup{groupState, "daemon", CheckOK, "runs", ""}
	switch {
	case err != nil:
		c.State, c.Text, c.Do = CheckFail, err.Error(), "run this as the daemon's user"
	case !e.lives:
		c.State, c.Text, c.Do = CheckWarn, "does not run: nothing is taken or sent", "start it: gondola service start, or gondola run"
	}
	return c
}
