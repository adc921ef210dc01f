package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// maxShared bounds how many calls share a transaction: other writers wait for it.
const maxShared = 512

// writer is the one connection that changes something: transactions wait for each other here, not in SQLite.
//
// Calls that come in crowds, of an outbox that has hundreds of files on their way, share transactions: whoever calls while one is on its
// way to the disk is in the next one. Each call still returns only when what it did is durable, and what one of them could not do fails
// that one alone.
type writer struct {
	*sql.DB

	turn chan struct{} // takes one: whoever runs the shared transaction

	mu      sync.Mutex
	waiting []*sharer // guarded by mu

	// The statements of shared transactions are kept prepared: understanding one costs SQLite more than obeying it. Owned by whoever has
	// the turn.
	prepared map[string]*sql.Stmt
	wanted   map[string]bool // asked for, and not prepared yet: that takes the connection, which is the transaction's
}

// sharer is a call that waits for a shared transaction. It may be run twice: alone, after the others failed with it.
type sharer struct {
	do   func(*changes) error
	err  error
	done chan struct{}
}

func newWriter(db *sql.DB) *writer {
	return &writer{DB: db, turn: make(chan struct{}, 1), prepared: map[string]*sql.Stmt{}, wanted: map[string]bool{}}
}

// Close closes the connection.
func (w *writer) Close() error {
	var errs []error
	for _, stmt := range w.prepared {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.DB.Close())...)
}

// share runs fn in a durable transaction together with what others ask for meanwhile. Of those that share one the first to wait is the
// first to run. Fn may be run twice, and only the last time counts.
func (s *Store) share(ctx context.Context, fn func(*changes) error) error {
	w := s.write
	me := &sharer{do: fn, done: make(chan struct{})}
	w.mu.Lock()
	w.waiting = append(w.waiting, me)
	w.mu.Unlock()
	select {
	case <-me.done:
		return me.err
	case w.turn <- struct{}{}:
	}
	defer func() { <-w.turn }()
	for !me.over() { // more may have waited before than fit into one
		s.runShared(ctx, w.gather())
	}
	return me.err
}

func (m *sharer) over() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// gather takes those that wait, as many as share a transaction.
func (w *writer) gather() []*sharer {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.waiting), maxShared)
	all := w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	return all
}

// runShared runs calls in one transaction, and each by itself when that fails.
func (s *Store) runShared(ctx context.Context, all []*sharer) {
	// None of them ends with the patience of the one whose turn it is.
	ctx = context.WithoutCancel(ctx)
	err := s.changing(ctx, func(c *changes) error {
		for _, m := range all {
			if err := m.do(c); err != nil {
				return err
			}
		}
		return nil
	})
	for _, m := range all {
		m.err = err
		if err != nil && len(all) > 1 {
			m.err = s.changing(ctx, m.do)
		}
		close(m.done)
	}
}

// changing is tx with statements that are kept prepared. The caller has the turn.
func (s *Store) changing(ctx context.Context, fn func(*changes) error) error {
	if err := s.write.prepare(ctx); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error { return fn(&changes{Tx: tx, w: s.write, own: map[string]*sql.Stmt{}}) })
}

// prepare prepares what was asked for since the last transaction.
func (w *writer) prepare(ctx context.Context) error {
	for query := range w.wanted {
		delete(w.wanted, query)
		if len(w.prepared) >= maxPrepared {
			continue
		}
		stmt, err := w.PrepareContext(ctx, query) //nolint:sqlclosecheck // it is kept; Close closes it
		if err != nil {
			return fmt.Errorf("prepare statement: %w", err)
		}
		w.prepared[query] = stmt
	}
	return nil
}

// changer is what both a transaction of one call and a shared one can do.
type changer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// changes is a transaction whose statements are kept prepared.
type changes struct {
	*sql.Tx

	w   *writer
	own map[string]*sql.Stmt // those of this transaction
}

// stmt returns a statement prepared, nil where it is the first time that somebody asks for it.
func (c *changes) stmt(ctx context.Context, query string) *sql.Stmt {
	if stmt, ok := c.own[query]; ok {
		return stmt
	}
	kept, ok := c.w.prepared[query]
	if !ok {
		c.w.wanted[query] = true
		return nil
	}
	stmt := c.Tx.StmtContext(ctx, kept)
	c.own[query] = stmt
	return stmt
}

// ExecContext obeys a statement.
func (c *changes) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := c.stmt(ctx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return c.Tx.ExecContext(ctx, query, args...)
}

// QueryRowContext answers a query that has one row.
func (c *changes) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := c.stmt(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return c.Tx.QueryRowContext(ctx, query, args...)
}
