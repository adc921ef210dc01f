package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Put is a file that the page put, or is about to put, into a drop folder.
type Put struct {
	ID     string // random: what a reader follows it by
	Feed   string
	Name   string // in the drop folder
	SHA256 string
	Who    string // the visitor's name
	At     time.Time
	Seq    int64 // of the drop that it became, 0 before that was taken
}

// AddPut records, durably, that a file is about to be put into a drop folder. Call it before the file gets its name there: once it has,
// it may be taken at any moment.
func (s *Store) AddPut(ctx context.Context, p Put) error {
	return s.exec(ctx, "record a file for a drop folder",
		`INSERT INTO puts (id, feed, name, sha256, who, at, seq) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
		p.ID, p.Feed, p.Name, p.SHA256, p.Who, millis(p.At))
}

// RemovePut forgets a file that did not get into its folder. One that became a drop stays.
func (s *Store) RemovePut(ctx context.Context, id string) error {
	return s.exec(ctx, "forget a file for a drop folder", `DELETE FROM puts WHERE id = $1 AND seq = 0`, id)
}

const putColumns = `id, feed, name, sha256, who, at, seq`

func scanPut(rows *sql.Rows) (p Put, err error) {
	var at int64
	err = rows.Scan(&p.ID, &p.Feed, &p.Name, &p.SHA256, &p.Who, &at, &p.Seq)
	p.At = fromMillis(at)
	return p, err
}

// Put returns a file by its ID, false where there is none.
func (s *Store) Put(ctx context.Context, id string) (Put, bool, error) {
	return s.onePut(ctx, `SELECT `+putColumns+` FROM puts WHERE id = $1`, id)
}

// PutOf returns the file that a drop was, false for one that the page did not put there.
func (s *Store) PutOf(ctx context.Context, seq int64) (Put, bool, error) {
	return s.onePut(ctx, `SELECT `+putColumns+` FROM puts WHERE seq = $1 AND seq > 0`, seq)
}

func (s *Store) onePut(ctx context.Context, query string, arg any) (Put, bool, error) {
	all, err := list(ctx, s.read, scanPut, query, arg)
	if err != nil || len(all) == 0 {
		return Put{}, false, wrap(err, "read a file for a drop folder")
	}
	return all[0], true, nil
}

// OpenPuts lists the files that have not become drops, the oldest first.
func (s *Store) OpenPuts(ctx context.Context) ([]Put, error) {
	all, err := list(ctx, s.read, scanPut, `SELECT `+putColumns+` FROM puts WHERE seq = 0 ORDER BY at, id`)
	return all, wrap(err, "list files for drop folders")
}

// ForgetPuts removes the rows of files that were put before a time.
func (s *Store) ForgetPuts(ctx context.Context, before time.Time) error {
	return s.exec(ctx, "forget files for drop folders", `DELETE FROM puts WHERE at < $1`, millis(before))
}

// matchPut tells who put a drop into its folder, "" where the page did not, and links the two.
func matchPut(ctx context.Context, tx *sql.Tx, d Drop) (who string, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE puts SET seq = $1 WHERE id = (SELECT id FROM puts WHERE seq = 0 AND sha256 = $2 AND name = $3 AND feed = $4
		ORDER BY at, id LIMIT 1) RETURNING who`, d.Seq, d.SHA256, d.Name, d.Feed).Scan(&who)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look who put it there: %w", err)
	}
	return who, nil
}
