package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
)

// kept returns how many statements a pool's only connection keeps.
func kept(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	one, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if err := one.Raw(func(c any) error { n = len(c.(*conn).idle); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStatementsAreKept says the same often: each statement is prepared once, and answers stay right when the schema or the rows change.
func TestStatementsAreKept(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.read.SetMaxOpenConns(1)
	before := 0
	for i, want := range []string{"1", "2", "3"} {
		if err := s.SetFact(t.Context(), "x", want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Fact(t.Context(), "x"); err != nil || got != want {
			t.Errorf("got %q, want %q (%v)", got, want, err)
		}
		if n := kept(t, s.read); n != 1 {
			t.Errorf("%d queries are prepared, want 1", n)
		}
		if n := kept(t, s.write); i > 0 && n != before+1 {
			t.Errorf("%d statements are prepared, want one more than %d: the table's", n, before)
		}
		before = kept(t, s.write)
		if _, err := s.write.ExecContext(t.Context(), "CREATE TABLE extra"+want+" (x)"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStatementWithinItself asks the same while it is being answered, fails, is stopped, and asks once more.
func TestStatementWithinItself(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const numbers = `SELECT value FROM json_each('[1,2,3]') WHERE value > $1`
	err = s.tx(t.Context(), func(tx *sql.Tx) error {
		for range 2 {
			outer, err := tx.QueryContext(t.Context(), numbers, 1)
			if err != nil {
				return err
			}
			var all []string
			for outer.Next() {
				var n int
				if err := outer.Scan(&n); err != nil {
					return err
				}
				inner, err := list(t.Context(), tx, scanOne[int], numbers, n)
				if err != nil {
					return err
				}
				all = append(all, fmt.Sprint(n, inner))
			}
			if got := fmt.Sprint(all); got != "[2 [3] 3 []]" {
				t.Errorf("got %s", got)
			}
			if err := errors.Join(outer.Err(), outer.Close()); err != nil { //nolint:sqlclosecheck // before the next one begins
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	const add = `INSERT INTO facts (name, value) VALUES ($1, 'v')`
	for range 2 {
		if err := s.exec(t.Context(), "add", add, "twice"); err == nil {
			continue
		} else if err := s.exec(t.Context(), "add", add, "another"); err != nil {
			t.Errorf("after it had failed: %v", err)
		}
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Fact(stopped, "twice"); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if got, err := s.Fact(t.Context(), "twice"); err != nil || got != "v" {
		t.Errorf("after it was stopped: %q, %v", got, err)
	}
}
