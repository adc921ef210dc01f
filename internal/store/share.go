package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxShared bounds how many calls share a transaction: other writers wait for it.
const maxShared = 512

// sharing is how calls that come in crowds, of an outbox that has hundreds of files on their way, share transactions: whoever calls while
// one is on its way to the disk is in the next one. Each call still returns only when what it did is durable, and what one of them could
// not do fails that one alone. A call that comes alone has a transaction of its own.
type sharing struct {
	turn chan struct{} // takes one: whoever runs the transaction

	mu      sync.Mutex
	waiting []*sharer // guarded by mu
}

// sharer is a call that waits for a shared transaction.
type sharer struct {
	do   func(*sharedTx) error
	err  error
	done chan struct{} // closed when err is known
}

// sharedTx is a transaction with what its calls need not find out again, and what is written down for all of them at its end. It may be
// one call's.
type sharedTx struct {
	*sql.Tx
	last *ledgerEnd // nil where it is not known yet

	begins   []*beginning
	arrivals []*arrival
	entries  [][]any // of the ledger
}

func newSharing() *sharing { return &sharing{turn: make(chan struct{}, 1)} }

// share runs fn in a durable transaction, together with what others ask for meanwhile; who waits longest is first. Fn is run once more,
// alone, when the transaction fails that it shared, so it must leave nothing behind but in there. It does not end with ctx.
func (s *Store) share(ctx context.Context, fn func(*sharedTx) error) error {
	me := &sharer{do: fn, done: make(chan struct{})}
	s.shared.mu.Lock()
	s.shared.waiting = append(s.shared.waiting, me)
	s.shared.mu.Unlock()
	select {
	case <-me.done:
		return me.err
	case s.shared.turn <- struct{}{}:
	}
	defer func() { <-s.shared.turn }()
	for {
		select {
		case <-me.done:
			return me.err
		default: // those before may have been more than share one
			s.runShared(context.WithoutCancel(ctx), s.shared.gather())
		}
	}
}

// gather takes those that wait, as many as share a transaction.
func (s *sharing) gather() []*sharer {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), maxShared)
	all := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	return all
}

// runShared runs calls in one transaction, and each by itself when that fails.
func (s *Store) runShared(ctx context.Context, all []*sharer) {
	err := s.sharedTx(ctx, all)
	for _, one := range all {
		one.err = err
		if err != nil && len(all) > 1 {
			one.err = s.sharedTx(ctx, []*sharer{one})
		}
		close(one.done)
	}
}

func (s *Store) sharedTx(ctx context.Context, all []*sharer) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		shared := &sharedTx{Tx: tx}
		for _, one := range all {
			if err := one.do(shared); err != nil {
				return err
			}
		}
		return shared.writeDown(ctx)
	})
}
