package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// maxPrepared bounds what readers keeps. The queries are constants of this package, some two hundred.
const maxPrepared = 500

// readers is the pool of connections that only read. It keeps its queries prepared: understanding one costs SQLite more than answering
// it, and the loops ask the same ones all day.
type readers struct {
	*sql.DB

	mu       sync.Mutex
	prepared map[string]*sql.Stmt // guarded by mu
}

// QueryContext answers a query.
func (r *readers) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := r.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return r.DB.QueryContext(ctx, query, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext answers a query that has one row.
func (r *readers) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt, err := r.prepare(ctx, query); err == nil && stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return r.DB.QueryRowContext(ctx, query, args...) // a Row has no place for an error of ours: it fails the same way once more
}

// prepare returns a query prepared, nil where there are too many of them.
func (r *readers) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stmt, ok := r.prepared[query]; ok {
		return stmt, nil
	}
	if len(r.prepared) >= maxPrepared {
		return nil, nil
	}
	stmt, err := r.DB.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if r.prepared == nil {
		r.prepared = map[string]*sql.Stmt{}
	}
	r.prepared[query] = stmt
	return stmt, nil
}

// Close closes the pool.
func (r *readers) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, stmt := range r.prepared {
		errs = append(errs, stmt.Close())
	}
	r.prepared = nil
	return errors.Join(append(errs, r.DB.Close())...)
}
