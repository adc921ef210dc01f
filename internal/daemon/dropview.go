package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/durable"
	"gondola/internal/report"
	"gondola/internal/shelf"
	"gondola/internal/store"
	"gondola/internal/web"
)

// previewWithin is how long somebody is kept waiting for a preview. What is not known by then is left out of it.
const previewWithin = 8 * time.Second

// seenFile is what is known of a file that was looked at.
type seenFile struct {
	feed    feedSetup
	drop    store.Drop
	reading store.Reading
	weighed bool // its effects are known
	err     error
}

// Preview implements web.Drops.
func (p *dropPage) Preview(ctx context.Context, token, feed string) (web.DropPreview, error) {
	u, done, err := p.uploads.use(token)
	if err != nil {
		return web.DropPreview{}, err
	}
	p.uploads.mu.Lock()
	gone, size := u.put != "", u.size
	p.uploads.mu.Unlock()
	if gone {
		done()
		return web.DropPreview{}, web.ErrUnknown
	}
	takers := p.takers(u.name)
	others := slices.Clone(takers)
	if feed != "" {
		takers = slices.DeleteFunc(takers, func(f feedSetup) bool { return f.Name != feed })
	}
	// That it is no table at all says more than that its name is none that a feed takes.
	named := len(takers) > 0
	if !named && len(p.feeds) > 0 {
		takers = p.feeds[:1]
	}
	if len(takers) == 0 {
		done()
		return web.DropPreview{}, &web.NameError{Name: u.name, Match: p.patterns()}
	}
	within, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	select {
	case p.uploads.looking <- struct{}{}:
	default:
		select {
		case p.uploads.looking <- struct{}{}:
		case <-within.Done():
			done()
			return web.DropPreview{}, errors.Join(web.ErrBusy, within.Err())
		}
	}
	// What does not end in time ends by itself, and holds its place until then.
	news := make(chan seenFile, 2)
	p.uploads.work.Go(func() {
		defer done()
		defer func() { <-p.uploads.looking }()
		p.lookAt(within, u, size, takers, news)
	})
	last, err := lastNews(ctx, within, news)
	if err != nil {
		return web.DropPreview{}, fmt.Errorf("preview %q: %w", u.name, err)
	}
	if !named && !slices.ContainsFunc(last.reading.Outcome.Issues, func(is catalog.Issue) bool { return is.Code == catalog.FileKind }) {
		return web.DropPreview{}, &web.NameError{Name: u.name, Match: p.patterns()}
	}
	if last.feed.Name == "" {
		last.feed, last.drop = takers[0], store.Drop{Name: u.name, Feed: takers[0].Name}
	}
	if named {
		p.uploads.mu.Lock()
		u.feed, u.reads = last.feed.Name, last.feed.fingerprint
		p.uploads.mu.Unlock()
	}
	others = slices.DeleteFunc(others, func(f feedSetup) bool { return f.Name == last.feed.Name })
	what, err := p.previewOf(ctx, last)
	return web.DropPreview{Token: u.token, Name: u.name, Feed: last.feed.Name, Others: dropFeeds(others), What: what}, err
}

// lastNews waits for everything that is to be known of a file, and returns what is known when the time is over. An error that only says
// so is none.
func lastNews(ctx, within context.Context, news <-chan seenFile) (last seenFile, err error) {
	for !last.weighed {
		select {
		case next, more := <-news:
			if !more {
				return last, nil
			}
			if next.err != nil && within.Err() == nil {
				return last, next.err
			}
			if next.err != nil {
				return last, ctx.Err()
			}
			last = next
		case <-within.Done():
			return last, ctx.Err()
		}
	}
	return last, nil
}

// lookAt reads a file as the feeds would that take it, and tells twice: what the best of them makes of it, then with what that changes. The
// size is what it had when that began: a file that is sent meanwhile has none.
func (p *dropPage) lookAt(ctx context.Context, u *upload, size int64, takers []feedSetup, news chan<- seenFile) {
	defer close(news)
	dir := filepath.Join(u.dir, "look-"+newToken())
	defer func() { _ = os.RemoveAll(dir) }() // what stays goes with the file, or when the program starts again
	for _, sub := range []string{shelfDir, sortDir} {
		if err := durable.MkdirAll(filepath.Join(dir, sub)); err != nil {
			news <- seenFile{err: spaceError(err)}
			return
		}
	}
	var best seenFile
	var looker *House
	for _, f := range takers {
		d := store.Drop{
			Seq: lookSeq, Feed: f.Name, Name: u.name, Size: size, SHA256: u.sha256, Modified: u.modified, FirstSeen: u.at, Archived: u.path(),
		}
		h := p.onlooker(&look{dir: dir, drop: d})
		one := seenFile{feed: f}
		one.drop, one.reading, one.err = h.lookOnce(ctx, f, d)
		if one.err != nil {
			news <- one
			return
		}
		if looker == nil || better(one, best) {
			best, looker = one, h
		}
	}
	first := best
	first.reading.Outcome.Issues = slices.Clone(best.reading.Outcome.Issues)
	first.reading.Outcome.Counts = maps.Clone(best.reading.Outcome.Counts)
	news <- first
	best.err = looker.weigh(ctx, &best.reading)
	best.weighed = true
	news <- best
}

// lookOnce reads a file as a feed would.
func (h *House) lookOnce(ctx context.Context, f feedSetup, d store.Drop) (store.Drop, store.Reading, error) {
	var err error
	if d.Modified, err = h.modified(ctx, d); err != nil {
		return d, store.Reading{}, err
	}
	r, err := h.understand(ctx, f, d)
	d.State, d.Outcome, d.ReadAt = r.State, r.Outcome, r.At
	return d, r, spaceError(err)
}

// better reports whether one feed makes more of a file than another: more of its columns mean something, then more of its rows. A sheet of
// promotions has articles, too, so that rows alone say little.
func better(one, other seenFile) bool {
	a, b := one.reading, other.reading
	if rejected := a.State == store.DropRejected; rejected != (b.State == store.DropRejected) {
		return !rejected
	}
	if n, m := len(a.Outcome.Columns), len(b.Outcome.Columns); n != m {
		return n > m
	}
	return a.Outcome.Records > b.Outcome.Records
}

// previewOf puts together what a preview says.
func (p *dropPage) previewOf(ctx context.Context, s seenFile) (report.Preview, error) {
	s.drop.Outcome = s.reading.Outcome
	out := report.Preview{
		Answer: p.reading(s.drop), Off: s.feed.missing == shelf.Deactivate,
		Unread: s.reading.State == "", Late: s.reading.State == store.DropRead && !s.weighed,
	}
	out.Seq = 0
	out.Issues = s.reading.Outcome.Issues
	pauses, err := p.Paused(ctx)
	if err != nil {
		return out, err
	}
	held := map[string][]catalog.Issue{}
	for _, l := range s.reading.Layers {
		held[l.Scope] = append(held[l.Scope], l.Findings...)
	}
	for _, e := range s.reading.Effects {
		one := p.storeAnswer(e, held, nil)
		one.HeldRows = e.Held
		// A target that nothing at all goes to before somebody has looked.
		one.OnlyHeld = slices.ContainsFunc(e.Held, func(is catalog.Issue) bool { return is.Code == catalog.BrakeFirst })
		c := e.Change
		c.Same = 0
		one.Unchanged = c == shelf.Change{} && len(e.Held) == 0
		_, one.Paused = PauseOf(pauses, parseTarget(e.Target))
		out.Stores = append(out.Stores, one)
	}
	out.Verdict = verdict(s.drop, out.Answer)
	return out, nil
}
