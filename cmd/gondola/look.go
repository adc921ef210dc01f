package main

import (
	"context"
	"errors"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// attached opens the state beside a daemon, or without one, lets work look at it, and closes it. none is done where nothing ran yet.
func (a *app) attached(ctx context.Context, work func(*config.Config, *daemon.House) error, none func() error) (err error) {
	cfg, err := a.look()
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
