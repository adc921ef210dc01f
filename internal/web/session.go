package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

// How long a login lasts, and how many there are at once. A page that is left open asks by itself, so it is the second limit that ends
// most of them: one login a working day.
const (
	sessionIdle = 2 * time.Hour
	sessionLast = 12 * time.Hour
	userMost    = 16  // logins of one user; the one that was used longest ago ends
	sessionMost = 512 // of all
)

// session is somebody who has logged in, on one browser.
type session struct {
	user  string
	hash  [sha256.Size]byte // of the hash of the password at that time: a new password ends it
	token string            // what forms of it bring back
	began time.Time
	seen  time.Time
}

// sessions are those who have logged in. They are in memory, and not in the database: a page that was closed or a state folder that was
// copied gives no login away, and what it costs is to log in again after a restart; a reload keeps them. What is kept of an id is its digest, so that a dump
// of the memory of a crashed process is no login either.
type sessions struct {
	now func() time.Time

	mu  sync.Mutex
	all map[[sha256.Size]byte]*session // by the digest of the id; guarded by mu
}

// Logins are those who have logged in, and what is known of logins that failed. They outlive a Server, so that one by another config takes
// them over: a user who is no longer in it, or has another password, is logged out by that, and roles are those of the config of now. Their
// methods may be called by several goroutines at once.
type Logins struct {
	token    string // what forms of who did not log in bring back
	sessions sessions
	attempts *attempts
	recalled *recalled
}

// NewLogins returns the logins of a page that nobody has logged in on.
func NewLogins(now func() time.Time) *Logins {
	return &Logins{
		token: newID(), sessions: sessions{now: now, all: map[[sha256.Size]byte]*session{}}, attempts: newAttempts(now), recalled: newRecalled(),
	}
}

// newID returns 256 bits that nobody can guess.
func newID() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails: without randomness the runtime ends the process
	return base64.RawURLEncoding.EncodeToString(b)
}

// begin makes a session and returns its id, which is always a new one: an id that somebody else may have put into the browser before the
// login is worth nothing after it.
func (s *sessions) begin(user, hash string) (id string) {
	id = newID()
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, one := range s.all {
		if one.over(now) {
			delete(s.all, key)
		}
	}
	s.makeRoom(userMost, func(one *session) bool { return one.user == user })
	s.makeRoom(sessionMost, func(*session) bool { return true })
	s.all[sha256.Sum256([]byte(id))] = &session{user: user, hash: sha256.Sum256([]byte(hash)), token: newID(), began: now, seen: now}
	return id
}

// makeRoom ends the session that was used longest ago, where there are as many as there may be. The caller holds mu.
func (s *sessions) makeRoom(most int, counts func(*session) bool) {
	var oldest [sha256.Size]byte
	n := 0
	for key, one := range s.all {
		if !counts(one) {
			continue
		}
		if n++; n == 1 || one.seen.Before(s.all[oldest].seen) {
			oldest = key
		}
	}
	if n >= most {
		delete(s.all, oldest)
	}
}

// over reports whether a session has ended. One that began in the future began before the clock was set back.
func (s *session) over(now time.Time) bool {
	return now.Sub(s.seen) >= sessionIdle || now.Sub(s.began) >= sessionLast || now.Before(s.began.Add(-time.Minute))
}

// find returns the session with an id, and notes that it was used.
func (s *sessions) find(id string) (session, bool) {
	if id == "" {
		return session{}, false
	}
	key := sha256.Sum256([]byte(id))
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.all[key]
	if !ok {
		return session{}, false
	}
	now := s.now()
	if one.over(now) {
		delete(s.all, key)
		return session{}, false
	}
	one.seen = now
	return *one, true
}

// end ends the session with an id, if there is one.
func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, sha256.Sum256([]byte(id)))
}
