package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gondola/internal/supervisor"
)

// logFlags are the flags of commands that log.
type logFlags struct {
	level  string
	format string
	dir    string // of files that the log goes into; only of the daemon
}

// register adds the flags, with a default level.
func (l *logFlags) register(c *cobra.Command, level string) {
	flags := c.Flags()
	flags.StringVar(&l.level, "log-level", level, "log from `LEVEL` on: debug, info, warn or error")
	flags.StringVar(&l.format, "log-format", "auto", "`FORMAT` of the log: text, json, or auto (text on a terminal, else json)")
}

// openAll is open for a log that may go into files, and returns what ends them.
func (l *logFlags) openAll(w io.Writer) (*slog.Logger, func() error, error) {
	if l.dir == "" {
		log, err := l.open(w)
		return log, func() error { return nil }, err
	}
	files, err := supervisor.OpenLog(l.dir)
	if err != nil {
		return nil, nil, err
	}
	log, err := l.open(files)
	if err != nil {
		return nil, nil, errors.Join(err, files.Close())
	}
	return log, files.Close, nil
}

// open returns the logger for what the flags say. It writes to w, the standard error: results go to the standard output.
func (l *logFlags) open(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, usagef("unknown log level %q (known: debug, info, warn, error)", l.level)
	}
	switch format := l.format; {
	case format == "text", format == "auto" && isTerminal(w):
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !bool(paintFor(w)),
		})), nil
	case format == "json", format == "auto":
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), nil
	}
	return nil, usagef("unknown log format %q (known: auto, text, json)", l.format)
}

// isTerminal reports whether a person looks at what is written to w.
func isTerminal(w io.Writer) bool {
	if over, ok := w.(*overProgress); ok {
		w = over.to
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
