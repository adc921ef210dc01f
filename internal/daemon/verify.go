package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gondola/internal/durable"
	"gondola/internal/store"
)

// Damage is a file, or a part of the database, that is not what it should be.
type Damage struct {
	What string `json:"what"` // export, record file, document, ledger, database
	Path string `json:"path,omitempty"`
	Is   string `json:"is"` // missing, damaged, unreadable
	Do   string `json:"do"`
}

// Verification is what holding the state against its digests found.
type Verification struct {
	Exports   int         `json:"exports"`
	Records   int         `json:"record_files"`
	Documents int         `json:"documents"`
	Bytes     int64       `json:"bytes"`
	Ledger    store.Chain `json:"ledger"`
	Damage    []Damage    `json:"damage"`
}

// The kinds of what can be damaged.
const (
	damagedExport   = "export"
	damagedRecord   = "record file"
	damagedDocument = "document"
	damagedLedger   = "ledger"
	damagedDatabase = "database"
)

// What to do about damage.
const (
	doExport = "drop the export once more if you still have it; what it said counts as before, but it can't be read again by another config"
	doRecord = "restore the newest backup that gondola verify finds whole (README, Backup)"
	doSent   = "nothing that is to be sent needs it; what it proved is lost. Look at the disk"
	doLedger = "somebody or something changed rows of the ledger: compare with a backup, and look who can write to the state folder"
	doUnread = "run this as the daemon's user"
)

// Verify holds every file that the state points to against its digest, and the ledger against itself. It works beside a running daemon.
func (h *House) Verify(ctx context.Context) (Verification, error) {
	v := Verification{Damage: []Damage{}}
	h.step("looking at the database", 0, 0)
	if problem, err := h.store.Sound(ctx); err != nil {
		return v, err
	} else if problem != "" {
		v.Damage = append(v.Damage, Damage{What: damagedDatabase, Is: problem, Do: doRecord})
	}
	h.step("walking the ledger", 0, 0)
	var broken *store.BrokenChain
	var err error
	if v.Ledger, err = h.store.VerifyLedger(ctx); errors.As(err, &broken) {
		v.Damage = append(v.Damage, Damage{What: damagedLedger, Is: broken.Error(), Do: doLedger})
	} else if err != nil {
		return v, err
	}
	c, err := h.store.Contents(ctx)
	if err != nil {
		return v, err
	}
	total := len(c.Exports) + len(c.Records) + len(c.Documents)
	check := &verifier{Verification: &v, next: func() { h.step("reading files", v.Exports+v.Records+v.Documents, total) }}
	for _, e := range c.Exports {
		check.file(ctx, damagedExport, e.Path, e.SHA256, doExport, &v.Exports)
	}
	for _, d := range c.Records {
		check.file(ctx, damagedRecord, h.files.Path(d), string(d), doRecord, &v.Records)
	}
	for _, path := range c.Documents {
		digest := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		check.file(ctx, damagedDocument, filepath.Join(h.cfg.State.Dir, filepath.FromSlash(path)), digest, doSent, &v.Documents)
	}
	if ctx.Err() != nil {
		return v, errors.New("stopped by a signal before everything was looked at")
	}
	return v, h.stillMissing(ctx, &v)
}

// stillMissing takes out what retention has removed while it was being looked for.
func (h *House) stillMissing(ctx context.Context, v *Verification) error {
	if len(v.Damage) == 0 {
		return nil
	}
	c, err := h.store.Contents(ctx)
	if err != nil {
		return err
	}
	needed := map[string]bool{}
	for _, e := range c.Exports {
		needed[e.Path] = true
	}
	for _, d := range c.Records {
		needed[h.files.Path(d)] = true
	}
	for _, path := range c.Documents {
		needed[filepath.Join(h.cfg.State.Dir, filepath.FromSlash(path))] = true
	}
	kept := []Damage{}
	for _, d := range v.Damage {
		if d.Path == "" || needed[d.Path] {
			kept = append(kept, d)
		}
	}
	v.Damage = kept
	return nil
}

// verifier holds files against their digests.
type verifier struct {
	*Verification
	next func() // before each file
}

func (v *verifier) file(ctx context.Context, what, path, digest, do string, count *int) {
	if ctx.Err() != nil {
		return
	}
	v.next()
	*count++
	if info, err := os.Stat(path); err == nil {
		v.Bytes += info.Size()
	}
	sum, err := durable.Digest(path)
	switch {
	case err == nil && sum == digest:
		return
	case err == nil:
		v.Damage = append(v.Damage, Damage{what, path, "damaged", do})
	case errors.Is(err, fs.ErrNotExist):
		v.Damage = append(v.Damage, Damage{what, path, "missing", do})
	case errors.Is(err, fs.ErrPermission):
		v.Damage = append(v.Damage, Damage{what, path, "unreadable", doUnread})
	default:
		v.Damage = append(v.Damage, Damage{what, path, fmt.Sprintf("unreadable: %v", err), "look at the disk"})
	}
}
