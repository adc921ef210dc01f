package outbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// look finds out what became of earlier files. A look that fails is left for later; only the queue's trouble is returned.
func (s *session) look(ctx context.Context, looks []Pending, due []Delivery) error {
	// An attempt that began may have put its own file under the name already, or have moved the old one aside: whatever lies there
	// now says nothing about the file before.
	begun := make(map[string]bool)
	for _, d := range due {
		if d.Attempts > 0 {
			begun[d.Folder+"/"+d.Name] = true
		}
	}
	var failed atomic.Bool
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(s.o.parallel())
	for _, p := range looks {
		if begun[p.Folder+"/"+p.Name] {
			continue
		}
		group.Go(func() error {
			if gctx.Err() != nil || s.lost.Load() {
				return nil
			}
			seen, err := s.remote.Look(ctx, p.Folder, p.Name)
			if err != nil {
				s.noteLost(err)
				s.log.Debug("look at earlier file", "folder", p.Folder, "name", p.Name, "err", err)
				failed.Store(true)
				return nil
			}
			return s.settle(ctx, p, seen)
		})
	}
	err := group.Wait()
	slices.SortFunc(s.report.Fates, func(a, b Settled) int { return cmp.Compare(a.Pending.ID, b.Pending.ID) })
	if err == nil && failed.Load() {
		s.o.quietUntil = s.o.now().Add(s.o.Backoff.Delay(Permission, 0))
	}
	return err
}

func (s *session) settle(ctx context.Context, p Pending, seen Seen) error {
	now := s.o.now()
	fate, ok := fateOf(p, seen, now, s.o.readWindow())
	if !ok {
		return nil
	}
	if err := s.o.Queue.Fate(context.WithoutCancel(ctx), p.ID, fate, now); err != nil {
		return fmt.Errorf("record the fate of delivery %d: %w", p.ID, err)
	}
	s.count(func(r *Report) { r.Fates = append(r.Fates, Settled{Pending: p, Fate: fate}) })
	s.log.Debug("fate of earlier file", "delivery", p.ID, "name", p.Name, "fate", string(fate))
	return nil
}

func (o *Outbox) readWindow() time.Duration {
	if o.ReadWindow <= 0 {
		return DefaultReadWindow
	}
	return o.ReadWindow
}

// fateOf tells what became of a file from what lies under its name now. There is no answer yet for one that still lies there and
// whose read window is not over.
func fateOf(p Pending, seen Seen, now time.Time, window time.Duration) (Fate, bool) {
	switch {
	case !seen.Exists && p.Replaced:
		return FateAgain, true
	case !seen.Exists:
		return FateTaken, true
	case seen.Size != p.Size:
		return FateAlien, true
	default:
		return FateKept, !now.Before(p.VerifiedAt.Add(window))
	}
}
