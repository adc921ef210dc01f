package store

import "context"

// Version returns a number that is another one after any process, this one included, has committed something. It costs next to nothing,
// so whoever looks for work every second asks it first. Numbers of two stores, and of one before and after it was opened anew, can't be
// compared.
func (s *Store) Version(ctx context.Context) (n int64, err error) {
	// SQLite tells a connection of what others committed, never of what it did itself: this one does nothing else.
	err = s.watch.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&n)
	return n, wrap(err, "ask whether anything was written")
}
