package web

import (
	"errors"
	"net/http"
	"strconv"
)

// ErrNoDrop says that there is no drop of a number.
var ErrNoDrop = errors.New("no such drop")

// answeredPage is the page of the answer to one export.
type answeredPage struct {
	frame
	Drop int64
	Text string // "" where there is no such drop
}

// answered shows the answer to an export, as things stand now.
func (s *Server) answered(w http.ResponseWriter, r *http.Request) {
	code := http.StatusOK
	p := answeredPage{frame: s.frame(r, "answer")}
	var err error
	if p.Drop, err = strconv.ParseInt(r.URL.Query().Get("drop"), 10, 64); err != nil {
		p.Drop, err = 0, ErrNoDrop
	} else {
		p.Text, err = s.c.Answer(r.Context(), p.Drop)
	}
	if errors.Is(err, ErrNoDrop) {
		code, err = http.StatusNotFound, nil
	}
	var text []byte
	if err == nil {
		text, err = s.write("answered.html.tmpl", s.c.Now(), p)
	}
	if err != nil {
		s.broken(w, err)
		return
	}
	answer(w, code, "text/html; charset=utf-8", text)
}
