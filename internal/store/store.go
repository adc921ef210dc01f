// Package store is the embedded database: migrations, and every transaction of the house. It has no rules of its own: which layer
// file counts, or when a delivery is due again, is decided elsewhere and written here in one piece.
//
// What it promises: a method that returned without error is durable (WAL with synchronous FULL), each method that changes anything
// is one transaction, and each may be repeated. One process at a time may write as the daemon; that is guarded by a lock on the
// state folder ([Open]). Other processes read ([OpenShared]), and may ask the daemon for something in a row of its own.
package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"modernc.org/sqlite"

	"gondola/internal/durable"
	"gondola/internal/order"
	"gondola/internal/seam"
)

// ErrLocked says that another process works on the state folder.
var ErrLocked = errors.New("another gondola works on this state folder")

// ErrNone says that there is no state yet.
var ErrNone = errors.New("no state yet")

// Store is the database. Its methods may be called by several goroutines.
type Store struct {
	write *sql.DB // one connection: transactions that change something wait for each other here, not in SQLite
	read  *sql.DB
	lock  *flock.Flock

	shared *sharing // transactions over write

	watch *sql.DB // one connection, for Version alone

	// Now is the clock by which history and ledger are kept where a method is not told the time. Open sets it to time.Now.
	Now func() time.Time

	// OrderRules says which orders are handed over to the ERP. Whoever opens the store sets it before the first order comes; nothing is
	// handed over without it.
	OrderRules order.Rules
}

const (
	databaseName = "gondola.db"
	lockName     = "lock"
	copyPrefix   = "gondola-before-"
	copySuffix   = ".db"
	// busyTimeout is how long a transaction waits for another process (status, push) to finish its own.
	busyTimeout = 10 * time.Second
)

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the database in dir for the one process that works on it, makes or migrates it, and puts right what a stopped process
// left in the middle. It returns ErrLocked when another process has it.
func Open(ctx context.Context, dir string) (_ *Store, err error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("create state folder: %w", err)
	}
	lock := flock.New(filepath.Join(dir, lockName))
	// A command that only asks whether a daemon runs holds the lock for a moment.
	waiting, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	ok, err := lock.TryLockContext(waiting, 50*time.Millisecond)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("lock state folder %s: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s; stop it first, or give this one its own state.dir", ErrLocked, dir)
	}
	s, err := open(ctx, dir)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	s.lock = lock
	if err := s.migrate(ctx, dir, migrations); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.recover(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Running reports whether a process works on the state folder.
func Running(dir string) (bool, error) {
	lock := flock.New(filepath.Join(dir, lockName))
	if _, err := os.Stat(lock.Path()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	free, err := lock.TryRLock()
	if err != nil {
		return false, fmt.Errorf("look at the lock of state folder %s: %w", dir, err)
	}
	if free {
		return false, lock.Unlock()
	}
	return true, nil
}

// OpenShared opens the database beside the process that works on it, to read and to leave requests. It returns ErrNone when there
// is no database.
func OpenShared(ctx context.Context, dir string) (*Store, error) {
	if _, err := os.Stat(filepath.Join(dir, databaseName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w in %s", ErrNone, dir)
		}
		return nil, fmt.Errorf("open state: %w", err)
	}
	s, err := open(ctx, dir)
	if err != nil {
		return nil, err
	}
	have, want, err := s.versions(ctx, migrations)
	if err == nil && have != want {
		err = fmt.Errorf("the state in %s has version %d and this program knows %d: run the same gondola as the daemon", dir, have, want)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(ctx context.Context, dir string) (*Store, error) {
	// The busy timeout comes first, so that the other pragmas already wait their turn.
	dsn := dataSource(filepath.Join(dir, databaseName)) +
		fmt.Sprintf("?_pragma=busy_timeout(%d)", busyTimeout.Milliseconds()) +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)" +
		// What is deleted may be somebody's address: it is overwritten, not only forgotten.
		"&_pragma=secure_delete(ON)"
	write, err := openPool(dsn + "&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	write.SetMaxOpenConns(1)
	read, err := openPool(dsn + "&_pragma=query_only(ON)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), write.Close())
	}
	read.SetMaxOpenConns(4)
	watch, err := openPool(dsn + "&_pragma=query_only(ON)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), write.Close(), read.Close())
	}
	watch.SetMaxOpenConns(1)
	s := &Store{write: write, read: read, watch: watch, shared: newSharing(), Now: time.Now}
	if err := write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database in %s: %w", dir, err), s.Close())
	}
	return s, nil
}

// Close closes the database and gives the state folder free.
func (s *Store) Close() error {
	errs := []error{s.watch.Close(), s.read.Close(), s.write.Close()}
	if s.lock != nil {
		errs = append(errs, s.lock.Unlock())
	}
	return errors.Join(errs...)
}

// versions returns the schema version of the database and the one that the steps lead to.
func (s *Store) versions(ctx context.Context, steps fs.FS) (have, want int, err error) {
	files, err := fs.Glob(steps, "migrations/*.sql")
	if err != nil {
		return 0, 0, fmt.Errorf("list migrations: %w", err)
	}
	if err := s.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return 0, 0, fmt.Errorf("read database version: %w", err)
	}
	return have, len(files), nil
}

// migrate brings the schema up to date, one transaction a step, after a copy of the database was put aside.
func (s *Store) migrate(ctx context.Context, dir string, steps fs.FS) error {
	have, want, err := s.versions(ctx, steps)
	if err != nil || have == want {
		return err
	}
	if have > want {
		return fmt.Errorf("the database in %s was made by a newer gondola (version %d, this one knows %d): install that one again", dir, have, want)
	}
	if have > 0 {
		backup := filepath.Join(dir, copyPrefix+strconv.Itoa(want)+copySuffix)
		if err := os.Remove(backup); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make room for a copy of the database: %w", err)
		}
		if err := s.copyBefore(ctx, backup); err != nil {
			return fmt.Errorf("copy the database before migrating it: %w", err)
		}
	}
	files, _ := fs.Glob(steps, "migrations/*.sql")
	for i := have; i < want; i++ {
		text, err := fs.ReadFile(steps, files[i])
		if err != nil {
			return fmt.Errorf("read migration: %w", err)
		}
		err = s.tx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", i+1))
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate database with %s: %w", files[i], err)
		}
	}
	return nil
}

// IsCopy reports whether a file of the state folder is a copy of the database that was put aside before a migration.
func IsCopy(name string) bool {
	return strings.HasPrefix(name, copyPrefix) && strings.HasSuffix(name, copySuffix)
}

// copyBefore puts a copy of the database aside, without what is personal and needed no more.
func (s *Store) copyBefore(ctx context.Context, path string) (err error) {
	if _, err := s.write.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		return err
	}
	copied, err := sql.Open("sqlite", dataSource(path)+"?_pragma=secure_delete(ON)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	return redact(ctx, copied)
}

// dataSource returns what the driver opens a file by. SQLite reads it as a URI: what has a meaning there is escaped.
func dataSource(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
}

// recover marks attempts that a stopped process was in the middle of: nobody knows how far they came.
func (s *Store) recover(ctx context.Context) error {
	return s.exec(ctx, "recover deliveries", `UPDATE deliveries SET state = 'uncertain', next_at = 0 WHERE `+unfinished+` AND state = 'sending'`)
}

// tx runs fn in one durable transaction.
func (s *Store) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback()
		return advise(err)
	}
	seam.Point("before commit")
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", advise(err))
	}
	seam.Point("after commit")
	return nil
}

// advise adds what to do to an error that only a person can mend.
func advise(err error) error {
	const full = 13 // SQLITE_FULL
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == full {
		return fmt.Errorf("%w; free some space on the disk of state.dir", err)
	}
	return err
}

// exec is one statement as a transaction of its own.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) error {
	seam.Point("before commit")
	if _, err := s.write.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", what, advise(err))
	}
	seam.Point("after commit")
	return nil
}

// wrap adds what was being done to an error; nil stays nil.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// querier is what both a transaction and the pool of readers can do.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// list collects the rows of a query.
func list[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) (_ []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// scanOne reads a row of a single column.
func scanOne[T any](rows *sql.Rows) (v T, err error) { return v, rows.Scan(&v) }

// nextNumber returns the next number of a sequence, within a transaction.
func nextNumber(ctx context.Context, tx *sql.Tx, name string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO numbers (name, last) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last`, name).Scan(&n)
	return n, err
}

// millis is a time as the database keeps it; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// toJSON encodes a value of our own types, which can't fail.
func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: encode %T: %v", v, err))
	}
	return string(b)
}

func fromJSON[T any](text string) (v T, err error) {
	if text == "" {
		return v, nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return v, fmt.Errorf("decode %T from the database: %w", v, err)
	}
	return v, nil
}
