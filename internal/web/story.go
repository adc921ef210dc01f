package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// About is the article whose story a reader wants.
type About struct {
	Article string    // its identifier, or its barcode
	Store   string    // an id, "" = all of them
	Day     time.Time // midnight of the day at whose end, zero = now
}

// Story is why the shelves show of an article what they show: from the cell of an export to the proof that it arrived.
type Story struct {
	Key     string
	At      time.Time // the moment that is told of
	Answers bool      // the platform answers requests; files it takes in silence
	Shelves []StoryShelf
}

// StoryShelf is the part of one shelf.
type StoryShelf struct {
	Store   string // "" for all of them
	Shelf   string // catalog, promotions or assortment
	Wanted  []Says
	Sent    []Says
	Sources []StorySource // the exports that speak of the article, the one that counts most first
	Pending []StorySource // those that wait for the next slot, or that the brake holds
	Next    *StoryNext    // nil of a day that is over
	Refused []Refusal     // what the platform did not take of it

	Documents []StoryDocument // that named it, the newest first
	Before    *StoryDocument  // what held when the day began
}

// Says is what an export, a shelf or a document says of an article, or of a promotion.
type Says struct {
	Values  []Value
	Missing bool // a full export no longer has it
}

// Value is one field by its column's name, and what it has.
type Value struct {
	Name, Text string
	Amount     bool // a price with a decimal point
}

// StorySource is an export that speaks of the article.
type StorySource struct {
	Feed   string // "" what was switched off by hand
	Drop   int64
	Name   string
	Came   time.Time
	State  string // counts, waiting or held
	Says   []Says
	Wins   []string // the columns that it decides; of a promotion, its name
	Rows   []StoryRow
	Note   string // in English
	Issues []string
}

// StoryRow is a row of an export, and what was made of it.
type StoryRow struct {
	Drop     int64
	Sheet    string
	Row      int
	Cells    []StoryCell
	Steps    []StoryStep
	Rejected bool
	Excluded bool
	Issues   []string
}

// StoryCell is a cell as a person sees it.
type StoryCell struct{ Cell, Header, Role, Text string }

// StoryStep is one thing that was done to a value.
type StoryStep struct {
	Rule          string // the key below the feed's rules; read for what the cell was understood as
	Field         string
	Before, After Value
}

// StoryNext is what the next slot does about the article.
type StoryNext struct {
	Differs   bool
	Says      []Says
	Unsettled bool
	Waiting   int
	Withheld  []string // why promotions of it can't start, in words
	HeldBy    []string // the findings by which the brake keeps it as it was sent
	Rejected  bool     // somebody has decided that it stays as it was sent
}

// StoryDocument is a document that named the article.
type StoryDocument struct {
	Delivery
	Says   []Says
	SHA256 string
	Whole  bool // our copy of it is as it was sent
}

// The reasons for which there is no story.
var (
	// ErrNoArticle says that nothing is known of the article.
	ErrNoArticle = errors.New("no such article")
	// ErrNoHistory says that nothing is known of the day.
	ErrNoHistory = errors.New("no history of the day")
	// ErrNoStore says that there is no such store.
	ErrNoStore = errors.New("no such store")
)

// The limits of stories: each may read exports once more, so one is told at a time.
const (
	storyWithin  = 30 * time.Second // that one takes at most
	storyPatient = 10 * time.Second // that a reader waits at most for their turn
	manyStores   = 20               // with more of them, a reader has to choose one
)

// skuPage is the page of a story.
type skuPage struct {
	frame
	Query, Store, Day string // as they were asked for
	Stores            []Named
	Trouble           string // the name of the phrase that says why there is no story
	Story             *Story
	Today             string
}

// Named is something with an id and what people call it.
type Named struct{ ID, Name string }

// sku answers with the story of an article.
func (s *Server) sku(w http.ResponseWriter, r *http.Request) {
	ask := r.URL.Query()
	now := s.c.Now().In(s.location())
	p := skuPage{
		frame: s.frame(r, "sku"), Query: cut(strings.TrimSpace(ask.Get("q")), maxFind), Store: cut(ask.Get("store"), maxFind),
		Day: cut(ask.Get("day"), len(time.DateOnly)), Stores: s.c.Stores, Today: now.Format(time.DateOnly),
	}
	code := http.StatusOK
	if p.Query != "" {
		code = s.tellStory(r.Context(), &p)
	}
	text, err := s.write("sku.html.tmpl", now, p)
	if err != nil {
		s.broken(w, err)
		return
	}
	answer(w, code, "text/html; charset=utf-8", text)
}

// tellStory puts the story of the article that a page is about into it, or why there is none. It returns the code of the answer.
func (s *Server) tellStory(ctx context.Context, p *skuPage) int {
	about := About{Article: p.Query, Store: p.Store}
	if p.Day != "" {
		day, err := time.ParseInLocation(time.DateOnly, p.Day, s.location())
		if err != nil {
			p.Trouble = "sku.bad-day"
			return http.StatusBadRequest
		}
		about.Day = day
	}
	if len(s.c.Stores) > manyStores && p.Store == "" {
		p.Trouble = "sku.choose"
		return http.StatusOK
	}
	turn, cancel := context.WithTimeout(ctx, storyPatient)
	defer cancel()
	select {
	case s.telling <- struct{}{}:
		defer func() { <-s.telling }()
	case <-turn.Done():
		p.Trouble = "sku.busy"
		return http.StatusServiceUnavailable
	}
	working, stop := context.WithTimeout(ctx, storyWithin)
	defer stop()
	story, err := s.c.Story(working, about)
	switch {
	case errors.Is(err, ErrNoArticle):
		p.Trouble = "sku.unknown"
		return http.StatusNotFound
	case errors.Is(err, ErrNoHistory):
		p.Trouble = "sku.no-history"
		return http.StatusNotFound
	case errors.Is(err, ErrNoStore):
		p.Trouble = "sku.no-store"
		return http.StatusNotFound
	case errors.Is(err, context.DeadlineExceeded):
		p.Trouble = "sku.slow"
		return http.StatusServiceUnavailable
	case err != nil:
		s.c.Log.Warn("story of an article can't be told", "article", p.Query, "error", err.Error())
		p.Trouble = "sku.broken"
		return http.StatusServiceUnavailable
	}
	p.Story = &story
	return http.StatusOK
}
