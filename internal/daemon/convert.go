package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/durable"
	"gondola/internal/outbox"
	"gondola/internal/report"
	"gondola/internal/store"
)

// Conversion is what an export would be as a first full push.
type Conversion struct {
	Kind      catalog.Kind  `json:"-"` // what the rows are about
	Rows      int           `json:"rows"`
	Records   int           `json:"records"`
	Issues    []IssueText   `json:"issues"`
	Documents []DocumentOut `json:"documents"`
	Rejected  bool          `json:"-"` // the export was rejected as a whole
}

// IssueText is an issue with its words, in the language of the chain.
type IssueText struct {
	Code     catalog.Code     `json:"code"`
	Severity catalog.Severity `json:"severity"`
	Sheet    string           `json:"sheet"`
	Row      int              `json:"row"`
	Column   string           `json:"column"`
	Text     string           `json:"text"`

	// Of a finding of the brake: its text without the articles that it names, and these, as texts of [shelf.Move].
	Short string   `json:"-"`
	Moves []string `json:"-"`
}

// DocumentOut is a document that was written.
type DocumentOut struct {
	Name   string `json:"name"`
	Folder string `json:"folder"`
	Rows   int    `json:"rows"`
	SHA256 string `json:"sha256"`
}

// ErrNoFeed says that the config has no feed of a name.
var ErrNoFeed = errors.New("no such feed")

// Convert reads one export as a feed would and writes the documents of a first full push below out, each in its remote folder. It
// touches neither state nor network: the work is done in a folder that is removed again.
func Convert(ctx context.Context, cfg *config.Config, feedName, export, out string) (_ Conversion, err error) {
	temp, err := os.MkdirTemp("", "gondola-convert-*")
	if err != nil {
		return Conversion{}, fmt.Errorf("make work folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	c := *cfg
	c.State.Dir = temp
	s, err := newSetup(&c)
	if err != nil {
		return Conversion{}, config.Problems(cfg.Locate(err))
	}
	f, ok := s.feed(feedName)
	if !ok {
		return Conversion{}, fmt.Errorf("%w: %q; the config has: %s", ErrNoFeed, feedName, strings.Join(s.feedNames(), ", "))
	}
	st, err := store.Open(ctx, temp)
	if err != nil {
		return Conversion{}, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	h := newHouse(s, st, Options{})
	if err := durable.MkdirAll(filepath.Join(temp, sortDir)); err != nil {
		return Conversion{}, err
	}
	if err := durable.MkdirAll(filepath.Join(temp, documentDir)); err != nil {
		return Conversion{}, err
	}
	return h.convert(ctx, f, export, out)
}

func (h *House) convert(ctx context.Context, f feedSetup, export, out string) (Conversion, error) {
	info, err := os.Stat(export)
	if err != nil {
		return Conversion{}, fmt.Errorf("open export: %w", err)
	}
	d := store.Drop{Seq: 1, Feed: f.Name, Name: filepath.Base(export), Archived: export, Modified: info.ModTime()}
	if err := h.store.Seen(ctx, d); err != nil {
		return Conversion{}, err
	}
	r, err := h.read(ctx, f, d)
	if err != nil {
		return Conversion{}, err
	}
	c := Conversion{
		Kind: f.kind, Rows: r.Outcome.Rows, Records: r.Outcome.Records, Issues: []IssueText{}, Documents: []DocumentOut{},
		Rejected: r.State == store.DropRejected,
	}
	for _, is := range r.Outcome.Issues {
		c.Issues = append(c.Issues, h.words(is))
	}
	if c.Rejected {
		return c, nil
	}
	for _, t := range h.targets {
		if _, err := h.planTargets(ctx, []store.Target{{Target: t.String(), Parts: 1, FullDue: true}}); err != nil {
			return c, err
		}
	}
	queued, err := h.queue.Deliveries(ctx, 0)
	if err != nil {
		return c, err
	}
	for _, q := range queued {
		dir, ending := filepath.Join(out, filepath.FromSlash(q.Folder)), ".csv"
		if q.By == outbox.ByAPI {
			ending = ".json"
			q.Name = strings.ReplaceAll(q.Name, "/", "-") + ending
		}
		if err := os.MkdirAll(dir, fs.ModePerm); err != nil {
			return c, fmt.Errorf("make output folder: %w", err)
		}
		from := filepath.Join(h.cfg.State.Dir, documentDir, q.SHA256+ending)
		if _, _, err := durable.CopyFile(filepath.Join(dir, q.Name), from); err != nil {
			return c, fmt.Errorf("write document: %w", err)
		}
		c.Documents = append(c.Documents, DocumentOut{Name: q.Name, Folder: q.Folder, Rows: q.Rows, SHA256: q.SHA256})
	}
	return c, nil
}

// words puts an issue into the chain's language.
func (s *setup) words(is catalog.Issue) IssueText { return issueText(s.cfg.Chain.Language, is) }

func issueText(language string, is catalog.Issue) IssueText {
	what, do := report.Sentence(language, is)
	return IssueText{
		Code: is.Code, Severity: is.Severity, Sheet: is.Sheet, Row: is.Row, Column: is.Column,
		Text: strings.TrimSpace(what + " " + do),
	}
}

func (s *setup) feedNames() []string {
	names := make([]string, len(s.feeds))
	for i, f := range s.feeds {
		names[i] = f.Name
	}
	slices.Sort(names)
	return names
}
