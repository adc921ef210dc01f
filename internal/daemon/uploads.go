package daemon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gondola/internal/drop"
	"gondola/internal/durable"
	"gondola/internal/store"
	"gondola/internal/web"
)

// The limits of what the page receives. Nothing of it is promised to anybody before it is sent.
const (
	uploadStays  = time.Hour // for whoever looks something up before they send it
	maxUploads   = 200       // files
	uploadsQuota = 2 * web.MaxUpload
	looksAtOnce  = 2        // previews: each keeps a core busy
	spaceEvery   = 16 << 20 // bytes after which the free space is looked at again
)

// uploads are the files that the page received and that were not sent yet. They live as long as the process: what the next one finds on
// the disk belongs to nobody.
type uploads struct {
	dir     string
	looking chan struct{}  // one for each preview that is being worked out
	work    sync.WaitGroup // those previews

	mu    sync.Mutex
	files map[string]*upload // by token
	bytes int64              // of all, those that are being received included
}

// upload is one received file. Its fields are guarded by uploads.mu but for those that never change: token, name, dir, sha256, modified.
type upload struct {
	token, name, dir string
	size             int64
	sha256           string
	modified, at     time.Time
	feed             string // that it was last previewed for
	reads            string // fingerprint of how that feed read it
	users            int    // who works with it now
	put              string // by what it can be followed, "" before it was sent
	sending          sync.Mutex
}

func (u *upload) path() string { return filepath.Join(u.dir, "file") }

func newUploads(dir string) *uploads {
	return &uploads{dir: dir, looking: make(chan struct{}, looksAtOnce), files: map[string]*upload{}}
}

// use finds a file and keeps it from being forgotten until done is called.
func (s *uploads) use(token string) (u *upload, done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u = s.files[token]
	if u == nil {
		return nil, nil, web.ErrUnknown
	}
	u.users++
	return u, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		u.users--
	}, nil
}

// forgetOld removes what nobody has sent for a long time.
func (s *uploads) forgetOld(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.files {
		// One that came in the far future came before the clock was set back.
		if age := now.Sub(u.at); u.users == 0 && (age > uploadStays || age < -uploadStays) {
			s.forget(u)
		}
	}
}

// forget removes a file. The caller holds mu.
func (s *uploads) forget(u *upload) {
	delete(s.files, u.token)
	s.bytes -= u.size
	u.size = 0
	_ = os.RemoveAll(u.dir) // what stays goes when the program starts again
}

// sent notes by what a file can be followed that lies in its drop folder now, and gives its room free.
func (s *uploads) sent(u *upload, put string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= u.size
	u.put, u.size = put, 0
	_ = os.Remove(u.path()) // where it stays, it goes with its folder
}

// reserve makes room for bytes: what was received first and is not in use goes for it.
func (s *uploads) reserve(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.bytes+n > uploadsQuota || len(s.files) >= maxUploads {
		var oldest *upload
		for _, u := range s.files {
			if u.users == 0 && (oldest == nil || u.at.Before(oldest.at)) {
				oldest = u
			}
		}
		if oldest == nil {
			return web.ErrBusy
		}
		s.forget(oldest)
	}
	s.bytes += n
	return nil
}

// Receive implements web.Drops.
func (p *dropPage) Receive(ctx context.Context, in web.Upload) (_ string, err error) {
	s, now := p.uploads, p.now()
	s.forgetOld(now)
	name, ok := fitName(in.Name)
	if !ok {
		return "", &web.NameError{Name: in.Name, Match: p.patterns()}
	}
	u := &upload{token: newToken(), name: name, modified: in.Modified, at: now}
	u.dir = filepath.Join(s.dir, u.token)
	if u.modified.IsZero() || u.modified.After(now) {
		u.modified = now
	}
	if err := durable.MkdirAll(u.dir); err != nil {
		return "", spaceError(err)
	}
	defer func() {
		if err != nil {
			s.mu.Lock()
			s.bytes -= u.size
			s.mu.Unlock()
			_ = os.RemoveAll(u.dir)
		}
	}()
	if err := p.write(ctx, u, in.Body); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[u.token] = u
	return u.token, nil
}

// write writes what comes to the disk, as far as there is room for it. u.size is what it has reserved.
func (p *dropPage) write(ctx context.Context, u *upload, body io.Reader) (err error) {
	f, err := os.OpenFile(u.path(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return spaceError(err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = spaceError(closed)
		}
	}()
	sum := sha256.New()
	for {
		if err := p.roomFor(spaceEvery); err != nil {
			return err
		}
		if err := p.uploads.reserve(spaceEvery); err != nil {
			return err
		}
		u.size += spaceEvery
		n, err := copyPiece(io.MultiWriter(f, sum), body, spaceEvery)
		if n < spaceEvery {
			p.uploads.mu.Lock()
			p.uploads.bytes -= spaceEvery - n
			p.uploads.mu.Unlock()
			u.size -= spaceEvery - n
		}
		switch {
		case ctx.Err() != nil:
			return errors.Join(web.ErrBroken, ctx.Err())
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case u.size > web.MaxUpload:
			return web.ErrLarge
		case err != nil:
			u.sha256 = hex.EncodeToString(sum.Sum(nil))
			return nil
		}
	}
}

// copyPiece copies at most n bytes. The error is io.EOF where there were fewer, web.ErrBroken where the browser left, and web.ErrFull or
// our own where they can't be written.
func copyPiece(to io.Writer, from io.Reader, n int64) (int64, error) {
	w := &writing{to: to}
	copied, err := io.CopyN(w, from, n)
	switch {
	case w.err != nil:
		return copied, spaceError(w.err)
	case err != nil && !errors.Is(err, io.EOF):
		return copied, errors.Join(web.ErrBroken, err)
	}
	return copied, err
}

// writing remembers that writing failed: to the one who waits that is another matter than a browser that left.
type writing struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (w *writing) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.err = err
	return n, err
}

// roomFor reports web.ErrFull where so many bytes more would leave less than state.min_free. What is on its way out needs the rest.
func (p *dropPage) roomFor(n int64) error {
	free, err := freeSpace(p.cfg.State.Dir)
	if err != nil {
		return err
	}
	if free-n < int64(p.cfg.State.MinFree) {
		return web.ErrFull
	}
	return nil
}

// spaceError tells a full disk from other trouble.
func spaceError(err error) error {
	if drop.IsFull(err) {
		return errors.Join(web.ErrFull, err)
	}
	return err
}

// fitName is drop.FitName for the folders of a house.
func fitName(name string) (string, bool) {
	return drop.FitName(drop.Folder{AnswerSuffixes: answerSuffixes(), Guides: guideNames()}, name)
}

// newToken returns a name that nobody can guess.
func newToken() string { return rand.Text() }

// sweepPuts removes what a stopped process had received, and what it was about to put into drop folders: who waited for it is told to
// choose it once more. Rows of files that lie where they were to be put stay, for the claim.
func (h *House) sweepPuts(ctx context.Context) error {
	if err := os.RemoveAll(h.uploads.dir); err != nil {
		return fmt.Errorf("clear incoming folder: %w", err)
	}
	for folder := range h.answers {
		if folder == "" {
			continue
		}
		left, err := filepath.Glob(filepath.Join(folder, stagedPrefix+"*"+stagedSuffix))
		if err != nil {
			continue // a folder that has signs of a pattern in its name keeps them: they are only litter
		}
		for _, path := range left {
			_ = os.Remove(path)
		}
	}
	open, err := h.store.OpenPuts(ctx)
	if err != nil {
		return err
	}
	for _, put := range open {
		if there, known := h.lies(put); !there && known {
			if err := h.store.RemovePut(ctx, put.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// lies reports whether a file that the page put lies in its drop folder, or is being taken from there. Where the folder can't be looked
// at, that is not known.
func (h *House) lies(put store.Put) (there, known bool) {
	f, ok := h.feed(put.Feed)
	if !ok {
		return false, true
	}
	if _, err := os.ReadDir(f.Drop); err != nil {
		return false, false
	}
	if _, err := os.Lstat(filepath.Join(f.Drop, put.Name)); err == nil {
		return true, true
	}
	there, err := drop.Claimed(f.Drop, put.Name)
	return there, err == nil
}
