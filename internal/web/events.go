package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"gondola/internal/report"
)

// The limits of what readers are told by itself. The view is shared by all of them, and worked out for as long as somebody watches.
const (
	maxWatchers   = 64               // readers who are told at once
	watchEvery    = 3 * time.Second  // between two looks at whether something is new
	sayEvery      = 15 * time.Second // that we are still there
	watcherWithin = 10 * time.Second // that a reader takes at most to be told
	againAfter    = "30"             // seconds until a reader who found no place asks again
)

// events tells a reader that something is new, and now and then that nothing is. What is new the reader's script fetches itself: so it is
// made for who asks, and a slow reader is told only of the last.
func (s *Server) events(working context.Context, w http.ResponseWriter, r *http.Request) {
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		w.Header().Set("Retry-After", againAfter)
		http.Error(w, "too many readers are told already", http.StatusServiceUnavailable)
		return
	}
	stream := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in between passes it on at once
	say := report.NewPhrases(s.c.Language, s.c.Zone)
	tick := time.NewTicker(s.watch)
	defer tick.Stop()
	var known, seen string
	var said time.Time
	for {
		patient, cancel := context.WithTimeout(r.Context(), s.still)
		k, err := s.views.get(working, patient)
		cancel()
		if r.Context().Err() != nil {
			return
		}
		text := ""
		switch {
		case errors.Is(err, context.DeadlineExceeded): // a large shelf is looked through; what was seen before holds until then
		case err != nil: // it is told as silence: the page then says since when it stands still
			said = time.Now()
		default:
			seen, _ = say.Say("page.at", k.view.Page.At, s.zone()) // a phrase that can't be said is its name
			if k.digest != known {
				known, said = k.digest, time.Time{}
				text = fmt.Sprintf("event: new\ndata: %s\n\n", known)
			}
		}
		if time.Since(said) >= s.still {
			said = time.Now()
			if !s.visitor(r).May(RoleView) {
				return // logged out meanwhile; who asks again is told so
			}
			if tell(stream, w, text+fmt.Sprintf("event: seen\ndata: %s\n\n", seen)) != nil {
				return // the reader is gone
			}
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// tell writes a message of a stream. The limit of a request is not that of one that has no end: each message has its own, and between
// two of them there is none.
func tell(stream *http.ResponseController, w io.Writer, text string) error {
	if err := stream.SetWriteDeadline(time.Now().Add(watcherWithin)); err != nil {
		return fmt.Errorf("limit a message: %w", err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	if err := stream.Flush(); err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	return stream.SetWriteDeadline(time.Time{}) //nolint:wrapcheck // the reader is gone: nobody is told
}
