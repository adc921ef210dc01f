package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gondola/internal/daemon"
)

// Work that takes longer than progressAfter shows a line that says what is done and since when, written anew every progressEvery.
const (
	progressAfter = time.Second
	progressEvery = 250 * time.Millisecond
)

// progress is a line at the bottom of a terminal while a command works. It goes to the standard error, and only where that is a terminal;
// it is gone before anything else is written. The nil progress shows nothing.
type progress struct {
	out     io.Writer // the terminal
	columns func() int
	command string
	start   time.Time
	stop    chan struct{}
	stopped sync.WaitGroup

	mu    sync.Mutex // guards what follows, and out
	doing string
	shown int  // characters that stand there now
	over  bool // the command writes its result: the line does not come again
}

// resident are the commands, with those below them, that stay, or tell what they do themselves.
var resident = map[string]bool{"run": true, "sandbox": true, "demo": true, "completion": true, "init": true}

// showProgress begins a command's line, on a terminal, and puts it in front of both streams. The end takes it away.
func (a *app) showProgress(c *cobra.Command) (end func()) {
	words := strings.Fields(c.CommandPath())
	if len(words) < 2 || resident[words[1]] || !isTerminal(a.Stderr) || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	stdout, stderr := a.Stdout, a.Stderr
	terminal := a.Stderr
	p := newProgress(terminal, strings.Join(words[1:], " "), func() int { return columnsOf(terminal) })
	a.Stdout, a.Stderr, a.shows = &overProgress{p, stdout, true}, &overProgress{p, stderr, false}, p
	return func() {
		p.end()
		a.Stdout, a.Stderr, a.shows = stdout, stderr, nil
	}
}

func newProgress(out io.Writer, command string, columns func() int) *progress {
	p := &progress{out: out, command: command, start: time.Now(), stop: make(chan struct{}), columns: columns}
	p.stopped.Go(func() {
		wait := time.NewTimer(progressAfter)
		defer wait.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-wait.C:
				p.show()
				wait.Reset(progressEvery)
			}
		}
	})
	return p
}

// columnsOf returns how wide a terminal is, 80 where that can't be told.
func columnsOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}

// end takes the line away for good.
func (p *progress) end() {
	close(p.stop)
	p.stopped.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

// say says what is done now.
func (p *progress) say(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doing = plain(fmt.Sprintf(format, args...))
}

// counted says how far work is that knows how much there is.
func (p *progress) counted(s daemon.Work) {
	if s.Total > 0 {
		p.say("%s, %d of %d (%d %%)", s.Doing, s.Done, s.Total, 100*s.Done/s.Total)
	} else {
		p.say("%s", s.Doing)
	}
}

// heard says what happened last.
func (p *progress) heard(e daemon.Event) {
	if e.Name != "" {
		p.say("%s: %s", e.Kind, e.Name)
	} else {
		p.say("%s", e.Kind)
	}
}

// show writes the line anew.
func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	text := p.command + ": "
	if p.doing != "" {
		text += p.doing + ", "
	}
	text += time.Since(p.start).Truncate(time.Second).String()
	// A line that reaches the edge would begin another one, which nothing takes away.
	if room := p.columns() - 1; utf8.RuneCountInString(text) > room {
		text = string([]rune(text)[:max(room, 0)])
	}
	length := utf8.RuneCountInString(text)
	_, _ = fmt.Fprint(p.out, "\r", text, strings.Repeat(" ", max(p.shown-length, 0)))
	p.shown = length
}

// erase takes the line away. p.mu is held. Blanks do it on every terminal, coloured or not.
func (p *progress) erase() {
	if p.shown > 0 {
		_, _ = fmt.Fprint(p.out, "\r", strings.Repeat(" ", p.shown), "\r")
		p.shown = 0
	}
}

// overProgress is a stream in front of which the line gives way.
type overProgress struct {
	p   *progress
	to  io.Writer
	end bool // what is written here is the result: after it no line is wanted
}

// Write implements io.Writer.
func (o *overProgress) Write(text []byte) (int, error) {
	o.p.mu.Lock()
	defer o.p.mu.Unlock()
	o.p.erase()
	o.p.over = o.p.over || o.end
	return o.to.Write(text)
}
