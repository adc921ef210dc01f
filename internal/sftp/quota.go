package sftp

import (
	"context"
	"fmt"
	"path"
	"slices"
	"sync"

	"gondola/internal/outbox"
)

// quota is so much of something that calls take a share of and give back. Whoever waits longest is next.
type quota struct {
	mu      sync.Mutex
	most    int64     // guarded by mu; 0 = no end of it
	used    int64     // guarded by mu
	waiting []*asking // guarded by mu
}

// asking is a call that waits for its share.
type asking struct {
	share   int64
	granted chan struct{}
}

// take waits for a share. One that is larger than all there is gets all of it; what it got is given back with give.
func (q *quota) take(ctx context.Context, share int64) (got int64, err error) {
	q.mu.Lock()
	if q.most > 0 {
		share = min(share, q.most)
	}
	a := &asking{share, make(chan struct{})}
	q.waiting = append(q.waiting, a)
	q.grant()
	q.mu.Unlock()
	select {
	case <-a.granted:
		return a.share, nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, a); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	} else {
		q.used -= a.share
	}
	q.grant()
	return 0, ctx.Err()
}

func (q *quota) give(share int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.used -= share
	q.grant()
}

// grant serves those who wait. The caller holds mu.
func (q *quota) grant() {
	for len(q.waiting) > 0 {
		a := q.waiting[0]
		if q.most > 0 && q.used > 0 && q.used+a.share > q.most {
			return
		}
		q.used += a.share
		q.waiting = q.waiting[1:]
		close(a.granted)
	}
}

// set says how much there is from now on.
func (q *quota) set(most int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.most = most
	q.grant()
}

// state returns how much there is, and how much of it is in use.
func (q *quota) state() (most, used int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.most, q.used
}

// halve leaves half of what was in use when something was refused, unless there is less already since then. It reports false where
// nothing can be left out: a single share was refused.
func (q *quota) halve(used int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if used <= 1 {
		return false
	}
	if half := used / 2; q.most == 0 || half < q.most {
		q.most = half
	}
	return true
}

// Room implements [outbox.Remote].
func (r *Remote) Room(ctx context.Context, d outbox.Delivery) (leave func(), err error) {
	doing := fmt.Sprintf("put %q", path.Join(d.Folder, d.Name))
	most, _ := r.files.state()
	r.begun.set(lanes(most))
	one, err := r.begun.take(ctx, 1)
	if err != nil {
		return nil, r.fail(doing, err)
	}
	bytes, err := r.begunBytes.take(ctx, shareOf(d))
	if err == nil {
		err = r.lost() // then there is room for everybody
	}
	leave = func() {
		r.begunBytes.give(bytes)
		r.begun.give(one)
	}
	if err != nil {
		leave()
		return nil, r.fail(doing, err)
	}
	return leave, nil
}

// lanes returns how many of so many files on their way have begun.
func lanes(files int64) int64 {
	if files <= 1 {
		return files
	}
	return files + files/2
}

// shareOf returns how many bytes of a file are on their way at most.
func shareOf(d outbox.Delivery) int64 { return min(max(d.Size, 1), writesAhead*writeSize) }
