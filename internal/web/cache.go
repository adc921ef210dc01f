package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"
)

// freshFor is how long a view serves everybody at least. One that took long to work out serves restFactor times as long as that took,
// so that readers who keep reloading cost a small share of the machine.
const (
	freshFor   = 3 * time.Second
	restFactor = 4
)

// kept is a view, and the digest of what there is to see of it.
type kept struct {
	view   View
	digest string
}

// cache keeps the last view. One at a time is worked out; who comes meanwhile waits for it.
type cache struct {
	look func(context.Context) (View, error)
	now  func() time.Time

	mu   sync.Mutex
	busy chan struct{} // closed when the view that is being worked out is there; nil when none is
	kept kept
	err  error
	til  time.Time
	aged bool // what is being worked out was begun before something changed
	work sync.WaitGroup
}

// get returns the view as it is, or was a moment ago. working is the life of the work, ctx the reader's patience.
func (c *cache) get(working, ctx context.Context) (kept, error) {
	c.mu.Lock()
	now := c.now()
	// A view that lasts into the far future was made before the clock was set back.
	if c.busy == nil && (!now.Before(c.til) || c.til.Sub(now) > time.Hour) {
		c.busy = make(chan struct{})
		c.work.Go(func() { c.refresh(working) })
	}
	busy := c.busy
	c.mu.Unlock()
	if busy != nil {
		select {
		case <-busy:
		case <-ctx.Done():
			return kept{}, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept, c.err
}

// refresh works out a view.
func (c *cache) refresh(ctx context.Context) {
	began := c.now()
	view, err := c.look(ctx)
	digest := digestOf(view.Page)
	c.mu.Lock()
	defer c.mu.Unlock()
	ended := c.now()
	c.kept, c.err, c.til = kept{view, digest}, err, ended.Add(max(freshFor, restFactor*ended.Sub(began)))
	if c.aged {
		c.aged, c.til = false, time.Time{}
	}
	close(c.busy)
	c.busy = nil
}

// age says that something has changed: who asks next is shown how things stand then. One that waits may still see it as it was.
func (c *cache) age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aged, c.til = c.busy != nil, time.Time{}
}

// digestOf names what there is to see of a page, whenever that was.
func digestOf(p Page) string {
	p.At = time.Time{}
	text, err := json.Marshal(p)
	if err != nil {
		return "" // times beyond the year 9999; then nothing is new
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// wait waits until nothing is being worked out.
func (c *cache) wait() { c.work.Wait() }
