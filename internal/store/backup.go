package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gondola/internal/shelf"
)

// Contents are the files that a copy of the database points to.
type Contents struct {
	Records   []shelf.Digest
	Documents []string // below the state folder
	Exports   []Export
}

// Export is an archived drop: where it lies, and where it belongs below a state folder.
type Export struct {
	Seq    int64
	Path   string
	Below  string
	Size   int64
	SHA256 string
}

// Mark is what a copy of the database says of itself, so that a state which was restored from it is known for one.
type Mark struct {
	At time.Time `json:"at"`
}

// markFact is where a copy has its mark.
const markFact = "backup"

// walSuffix is how the name of the database's log ends.
const walSuffix = "-wal"

// archiveMark is what comes before the part of an archived drop's path that is the same wherever the state folder lies.
const archiveMark = "archive"

// below returns where an archived drop belongs below a state folder, which may have been another one when it was archived.
func below(archived string) string {
	parts := strings.Split(filepath.ToSlash(archived), "/")
	for i, p := range slices.Backward(parts) {
		if p == archiveMark && i < len(parts)-1 {
			return filepath.Join(parts[i:]...)
		}
	}
	return filepath.Join(archiveMark, filepath.Base(archived))
}

// Backup writes a consistent copy of the database into a folder, while others work on it, marks it as one, and returns what it points to.
// Of customers there is in it only what was not handed over yet.
func (s *Store) Backup(ctx context.Context, dir string, m Mark) (_ Contents, err error) {
	path := filepath.Join(dir, databaseName)
	if _, err := s.write.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		return Contents{}, fmt.Errorf("copy the database to %s: %w; see that there is space and that you may write there", dir, err)
	}
	c, err := open(ctx, dir)
	if err != nil {
		return Contents{}, err
	}
	// Unpacked over a state whose daemon was killed, the copy must not get what that one's log has: it brings an empty one.
	defer func() { err = errors.Join(err, c.Close(), syncFile(path), os.WriteFile(path+walSuffix, nil, 0o600)) }()
	if err := redact(ctx, c.write); err != nil {
		return Contents{}, err
	}
	if err := c.SetFact(ctx, markFact, toJSON(m)); err != nil {
		return Contents{}, err
	}
	return c.Contents(ctx)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Contents lists the files that the database points to.
func (s *Store) Contents(ctx context.Context) (c Contents, err error) {
	records, _, err := s.Referenced(ctx)
	if err != nil {
		return c, err
	}
	for d := range records {
		c.Records = append(c.Records, shelf.Digest(d))
	}
	slices.Sort(c.Records)
	if c.Documents, err = list(ctx, s.read, scanOne[string], `SELECT DISTINCT path FROM deliveries ORDER BY path`); err != nil {
		return c, wrap(err, "list documents")
	}
	c.Exports, err = s.exports(ctx)
	return c, err
}

// exports lists the drops whose export is in the archive, the oldest first.
func (s *Store) exports(ctx context.Context) ([]Export, error) {
	scan := func(rows *sql.Rows) (e Export, err error) {
		err = rows.Scan(&e.Seq, &e.Path, &e.Size, &e.SHA256)
		e.Below = below(e.Path)
		return e, err
	}
	all, err := list(ctx, s.read, scan, `SELECT seq, archived, size, sha256 FROM drops WHERE archived <> '' ORDER BY seq`)
	return all, wrap(err, "list archived exports")
}

// Restoring is what is known when a state may be one from a backup.
type Restoring struct {
	Dir     string   // the state folder now
	Targets []string // of the config
	// Doubtful has, for some targets, a record file of articles of which nobody knows whether they were switched off since the backup.
	Doubtful map[string]shelf.Digest
	At       time.Time
}

// Marked returns the mark of a state that was restored from a backup and not used since, nil of any other.
func (s *Store) Marked(ctx context.Context) (*Mark, error) {
	text, err := s.Fact(ctx, markFact)
	if err != nil || text == "" {
		return nil, err
	}
	m, err := fromJSON[Mark](text)
	return &m, err
}

// Restored makes a state that was restored from a backup fit for use, once, in one transaction. Nobody knows what the platform was sent
// since: nothing that was on its way then goes any more, the next plan of every target says everything, and may replace what lies under
// our names. Archived drops are looked for below the folder that the state lies in now.
func (s *Store) Restored(ctx context.Context, r Restoring) error {
	mark, err := s.Marked(ctx)
	if err != nil || mark == nil {
		return err
	}
	exports, err := s.exports(ctx)
	if err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, step := range []string{
			`UPDATE deliveries SET state = CASE WHEN verified_at > 0 THEN 'verified' ELSE 'superseded' END, next_at = 0, look_at = 0
				WHERE ` + unfinished + ` OR look_at > 0`,
			`UPDATE plans SET state = 'superseded' WHERE state = 'open'`,
			// Whatever becomes of a request of then, it does not go again.
			`UPDATE deliveries SET state = 'superseded' WHERE id IN (SELECT delivery FROM jobs WHERE ended_at = 0)`,
			`UPDATE jobs SET ended_at = made_at, heard = 'silent', next_at = 0 WHERE ended_at = 0`,
			`UPDATE targets SET full_due = 1, adopt = 1`,
			// What was due then may have been handed over since: the ERP is told that it may have it.
			`UPDATE order_dues SET replay = 1 WHERE state = 'due'`,
			`DELETE FROM facts WHERE name = '` + markFact + `'`,
		} {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return fmt.Errorf("take over a backup: %w", err)
			}
		}
		if err := owe(ctx, tx, r); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			doubtfulFact, strconv.FormatInt(millis(r.At), 10))
		if err != nil {
			return fmt.Errorf("note that orders may have been handed over: %w", err)
		}
		for _, e := range exports {
			_, err := tx.ExecContext(ctx, `UPDATE drops SET archived = $2 WHERE seq = $1`, e.Seq, filepath.Join(r.Dir, e.Below))
			if err != nil {
				return fmt.Errorf("take over the archive of a backup: %w", err)
			}
		}
		return note(ctx, tx, r.At, EntryRestored, Facts{Back: mark.At, Text: "everything is sent anew"})
	})
}

// owe makes every target owed in full, whatever lies under its names.
func owe(ctx context.Context, tx *sql.Tx, r Restoring) error {
	if err := markDue(ctx, tx, r.Targets, true); err != nil {
		return err
	}
	for _, t := range r.Targets {
		if _, err := tx.ExecContext(ctx, `UPDATE targets SET adopt = 1 WHERE target = $1`, t); err != nil {
			return fmt.Errorf("owe %s everything: %w", t, err)
		}
		if r.Doubtful[t] == "" {
			continue
		}
		// Above all that was sent, below what will be: positions are numbers of deliveries.
		pos, err := nextNumber(ctx, tx, "deliveries")
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO sent (target, pos, digest) VALUES ($1, $2, $3)`, t, pos, r.Doubtful[t])
		}
		if err != nil {
			return fmt.Errorf("doubt what %s was sent: %w", t, err)
		}
	}
	return nil
}

// Sound asks the database whether it is whole, and returns what it says is not; "" where all is.
func (s *Store) Sound(ctx context.Context) (string, error) {
	var first string
	err := s.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&first)
	if err != nil {
		return "", fmt.Errorf("check the database: %w", err)
	}
	if first == "ok" {
		return "", nil
	}
	return first, nil
}
