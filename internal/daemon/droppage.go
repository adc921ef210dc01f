package daemon

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"gondola/internal/report"
	"gondola/internal/store"
	"gondola/internal/web"
)

// dropPage is what the page needs to take files in. From the drop folder on they go the way of every drop.
type dropPage struct {
	*House
	within time.Duration // how long somebody waits for a preview
}

// dropsOf returns the drop page of a house, nil where it has no feeds to drop anything for.
func (h *House) dropsOf() web.Drops {
	if len(h.feeds) == 0 {
		return nil
	}
	return &dropPage{h, previewWithin}
}

var _ web.Drops = (*dropPage)(nil)

// maxShownAnswers is how many drops the page lists.
const maxShownAnswers = 15

// Feeds implements web.Drops.
func (p *dropPage) Feeds() []web.DropFeed { return dropFeeds(p.feeds) }

func dropFeeds(feeds []feedSetup) []web.DropFeed {
	all := make([]web.DropFeed, len(feeds))
	for i, f := range feeds {
		all[i] = web.DropFeed{Name: f.Name, Kind: string(f.kind)}
	}
	return all
}

// starterBook is a starter spreadsheet.
type starterBook struct {
	words   bookWords
	columns []starterColumn
}

// books returns the starter spreadsheets of a language.
func (w starterWords) books() []starterBook {
	return []starterBook{{w.Catalogue, catalogueColumns}, {w.Promotions, promotionColumns}}
}

// Starters implements web.Drops.
func (p *dropPage) Starters() []string {
	w, err := readStarterWords(p.language())
	if err != nil {
		return nil // our own texts can't be read: there is nothing to give
	}
	var all []string
	for _, b := range w.books() {
		all = append(all, b.words.Name+starterSuffix)
	}
	return all
}

// Starter implements web.Drops.
func (p *dropPage) Starter(name string) ([]byte, error) {
	w, err := readStarterWords(p.language())
	if err != nil {
		return nil, err
	}
	for _, b := range w.books() {
		if name == b.words.Name+starterSuffix {
			return w.starter(b.words, b.columns, report.FolderNames(p.language()))
		}
	}
	return nil, fmt.Errorf("starter %q: %w", name, fs.ErrNotExist)
}

// language returns the language of the chain, the first one where there are no words in it.
func (p *dropPage) language() string { return report.NewPhrases(p.cfg.Chain.Language, p.zone).Lang() }

// Follow implements web.Drops.
func (p *dropPage) Follow(ctx context.Context, id string) (web.DropFate, error) {
	put, ok, err := p.store.Put(ctx, id)
	if err != nil {
		return web.DropFate{}, err
	}
	if !ok {
		return web.DropFate{}, web.ErrUnknown
	}
	fate := web.DropFate{Name: put.Name, Seq: put.Seq}
	if put.Seq == 0 {
		there, known := p.lies(put)
		// Taken between the two looks, it is a drop with the next one.
		if again, _, err := p.store.Put(ctx, id); err != nil || again.Seq != 0 {
			fate.Seq = again.Seq
			return fate, err
		}
		fate.Gone, fate.Stuck = known && !there, !known || p.stuck(put)
		return fate, nil
	}
	d, ok, err := p.store.Drop(ctx, put.Seq)
	if err != nil || !ok || d.State == store.DropSeen {
		return fate, err
	}
	a, err := p.fullAnswer(ctx, d)
	fate.Answer = &a
	return fate, err
}

// stuck reports whether the folder that a file was put into has a problem.
func (p *dropPage) stuck(put store.Put) bool {
	f, _ := p.feed(put.Feed)
	for _, w := range p.watchers {
		if w.folder == f.Drop {
			return w.Status().Problem != ""
		}
	}
	return true
}

// Answers implements web.Drops.
func (p *dropPage) Answers(ctx context.Context) ([]report.Answer, error) {
	drops, err := p.store.RecentDrops(ctx, p.feedNames(), maxShownAnswers)
	if err != nil {
		return nil, err
	}
	return p.indexed(ctx, drops)
}

// Answer implements web.Drops.
func (p *dropPage) Answer(ctx context.Context, seq int64) (report.Answer, error) {
	d, ok, err := p.store.Drop(ctx, seq)
	if err != nil {
		return report.Answer{}, err
	}
	if _, known := p.feed(d.Feed); !ok || !known || d.State == store.DropSeen {
		return report.Answer{}, fmt.Errorf("answer for drop %d: %w", seq, fs.ErrNotExist)
	}
	return p.fullAnswer(ctx, d)
}

// fullAnswer is the answer of a drop, with what there is to download for it.
func (p *dropPage) fullAnswer(ctx context.Context, d store.Drop) (report.Answer, error) {
	a, err := p.answer(ctx, d)
	if err != nil {
		return a, err
	}
	info, err := os.Lstat(report.WorkbookPath(p.answerFolder(d.Feed), a)) // others write there, too: a link is no copy of ours
	a.Workbook = err == nil && info.Mode().IsRegular() && d.Workbook == store.WorkbookWritten
	if newer, err := p.store.HasNewer(ctx, d); err != nil || newer {
		a.Workbook = false // that one is the newer one's
	}
	return a, nil
}

// Workbook implements web.Drops.
func (p *dropPage) Workbook(ctx context.Context, seq int64) (string, error) {
	a, err := p.Answer(ctx, seq)
	if err != nil {
		return "", err
	}
	if !a.Workbook {
		return "", fmt.Errorf("workbook of drop %d: %w", seq, fs.ErrNotExist)
	}
	return report.WorkbookPath(p.answerFolder(a.Feed), a), nil
}

// look is what a house needs that only looks at a file as if it was dropped.
type look struct {
	dir  string // where it may write
	drop store.Drop
}

// lookSeq is the number of a drop that is only looked at: all others came before it.
const lookSeq = math.MaxInt64

// onlooker returns a house that reads what this one knows, and writes to a folder that is removed afterwards. Only what changes nothing
// in the database may be called.
func (h *House) onlooker(l *look) *House {
	files := h.files
	files.Scratch = filepath.Join(l.dir, shelfDir)
	return &House{setup: h.setup, now: h.now, log: h.log, store: h.store, files: files, looks: l}
}

// sorting returns the folder in which exports are sorted.
func (h *House) sorting() string {
	if h.looks != nil {
		return filepath.Join(h.looks.dir, sortDir)
	}
	return filepath.Join(h.cfg.State.Dir, sortDir)
}

// dropOf returns a drop, also one that is only looked at.
func (h *House) dropOf(ctx context.Context, seq int64) (store.Drop, bool, error) {
	if h.looks != nil && seq == lookSeq {
		return h.looks.drop, true, nil
	}
	return h.store.Drop(ctx, seq)
}
