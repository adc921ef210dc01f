package main

import (
	"context"
	"errors"
	"fmt"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// attached opens the state beside a daemon, or without one, lets work look at it, and closes it. none is done where nothing ran yet.
func (a *app) attached(ctx context.Context, work func(*config.Config, *daemon.House) error, none func() error) (err error) {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	h, err := daemon.Attach(ctx, cfg, daemon.Options{Version: buildVersion().Version, Progress: a.shows.counted})
	if errors.Is(err, store.ErrNone) {
		return none()
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return work(cfg, h)
}

// nothingYet is what commands end with that ask about a state which is not there.
func nothingYet() error { return usagef("nothing has run here yet: there is no state") }

// lookBeside is look for commands that work beside the daemon. While the file has mistakes, the daemon goes on by the config before, and
// so do they: above all pause must work then.
func (a *app) lookBeside() (*config.Config, error) {
	cfg, err := a.look()
	problems, is := errors.AsType[config.Problems](err)
	if !is {
		return cfg, err
	}
	live, ok := daemon.LiveConfig(config.StateDir(a.configPath()))
	if !ok {
		return cfg, err
	}
	printProblems(a.Stderr, problems)
	_, _ = fmt.Fprintf(a.Stderr, "gondola: the daemon goes on by the config before, and so does this.\n") // see printf
	return live, nil
}
