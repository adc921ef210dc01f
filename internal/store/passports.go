package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gondola/internal/outbox"
)

// Passport returns what is known of the server as an account sees it; the zero value where nothing is.
func (s *Store) Passport(ctx context.Context, account string) (p outbox.Passport, err error) {
	var body string
	err = s.read.QueryRowContext(ctx, `SELECT body FROM passports WHERE account = $1`, account).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &p)
	}
	return p, wrap(err, "read passport")
}

// SetPassport keeps what is known of the server as an account sees it.
func (s *Store) SetPassport(ctx context.Context, account string, p outbox.Passport) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("keep passport: %w", err)
	}
	return s.exec(ctx, "keep passport", `INSERT INTO passports (account, body, at) VALUES ($1, $2, $3)
		ON CONFLICT (account) DO UPDATE SET body = excluded.body, at = excluded.at`, account, string(body), millis(p.At))
}

// HostKey is a key of the platform's server that an admin accepted.
type HostKey struct {
	Fingerprint string
	Who         string
	At          time.Time
}

// HostKeys lists the accepted keys of a server, the oldest first.
func (s *Store) HostKeys(ctx context.Context, address string) ([]HostKey, error) {
	scan := func(rows *sql.Rows) (k HostKey, err error) {
		var at int64
		err = rows.Scan(&k.Fingerprint, &k.Who, &at)
		k.At = fromMillis(at)
		return k, err
	}
	all, err := list(ctx, s.read, scan, `SELECT fingerprint, who, at FROM host_keys WHERE address = $1 ORDER BY at, fingerprint`, address)
	return all, wrap(err, "list accepted host keys")
}

// AcceptHostKey keeps a key, and lets what waits because of another one go at once. A key that is accepted again stays the one's who
// accepted it first; the ledger has both.
func (s *Store) AcceptHostKey(ctx context.Context, address string, k HostKey) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO host_keys (address, fingerprint, who, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (address, fingerprint) DO NOTHING`, address, k.Fingerprint, k.Who, millis(k.At))
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE deliveries SET next_at = 0 WHERE `+unfinished+` AND state = 'deferred' AND class = $1`, outbox.HostKey)
		}
		if err == nil {
			err = note(ctx, tx, k.At, EntryHostKey, Facts{Who: k.Who, Text: "accepted " + k.Fingerprint + " of " + address})
		}
		return wrap(err, "accept host key")
	})
}

// ForgetHostKey takes the acceptance of a key back, by k.Who at k.At, and returns whether there was one.
func (s *Store) ForgetHostKey(ctx context.Context, address string, k HostKey) (there bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM host_keys WHERE address = $1 AND fingerprint = $2`, address, k.Fingerprint)
		if err != nil {
			return fmt.Errorf("forget host key: %w", err)
		}
		n, err := res.RowsAffected()
		if there = n > 0; there && err == nil {
			err = note(ctx, tx, k.At, EntryHostKey, Facts{Who: k.Who, Text: "forgot " + k.Fingerprint + " of " + address})
		}
		return wrap(err, "forget host key")
	})
	return there, err
}
