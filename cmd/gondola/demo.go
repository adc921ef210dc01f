package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/sandbox"
)

// How long the demo waits. Together with the end of the daemon this is less than a minute.
const (
	demoDeadline  = 40 * time.Second       // for the samples to be sent, verified and read
	demoOrdering  = 15 * time.Second       // for the orders to be made, which takes five seconds, and handed over
	demoReading   = 20 * time.Second       // for the platform to read what was sent; it looks every second
	demoAnswer    = 5 * time.Second        // for a receipt to lie there
	demoLookEvery = 200 * time.Millisecond // how often the demo looks at what nobody tells it of
)

// demoOptions is a demo to be.
type demoOptions struct {
	Dir  string    // where everything happens, and stays; "" is a temporary folder
	Once bool      // end when the samples are through
	Out  io.Writer // where the story is told
	Look demoLook  // how it looks

	// Through is called once, when the fate of the samples is known; nil is nobody.
	Through func(demoResult)
	// Platform is called with the simulated platform before anything is sent: it lets tests spoil it. nil is nobody.
	Platform func(*sandbox.Sandbox) error
}

// demoResult is what became of the samples.
type demoResult struct {
	Drops      int            `json:"drops"`
	Issues     int            `json:"issues"`
	Documents  int            `json:"documents"`
	Verified   int            `json:"verified"`
	Shelf      map[string]int `json:"shelf"`      // articles on the platform's shelf, by store
	Promotions map[string]int `json:"promotions"` // likewise
	Orders     int            `json:"orders"`
	HandOvers  int            `json:"hand_overs"` // of orders to the ERP, an order's change counted by itself
}

// newDemoCommand shows the whole way of an export.
func newDemoCommand(a *app) *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "See the whole way of an export, with a simulated platform",
		Long: `Starts a simulated platform and the daemon in one process, with a real SFTP connection between them on
this machine, drops the sample exports of a chain of three stores (prices and stock as CSV and as a
spreadsheet, then a spreadsheet of promotions), and shows what becomes of them: rows and issues, plan,
document, sent, verified, and the shelves and promotions as the platform has them at last. Then customers
order: events come in, some of them twice, and each order goes to the ERP as a file, once. Nothing leaves
this machine, and nothing has to be set up.

It then stays until Ctrl-C (or a signal, where there is no terminal), so that you can drop a file of your
own: the folders are named at the start. With --once it ends by itself, within a minute. Exit code 0 says
that everything dropped was verified and that the platform's shelves and promotions are what the samples
say; 1 that they are not, and names the first differences.

Everything lies in one folder. With --dir it is yours and stays; otherwise it is a temporary one, which
is removed after --once and kept after Ctrl-C, because files of yours may be in it.

With --json nothing is printed but one object, as soon as the samples are through.`,
		Example:     "  gondola demo\n  gondola demo --once --json",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE: func(c *cobra.Command, _ []string) error {
			o.Out, o.Look = a.Stdout, lookOf(a.Stdout)
			if !a.JSON {
				_, err := runDemo(c.Context(), o)
				return err
			}
			var printed error
			o.Out = io.Discard
			o.Through = func(r demoResult) { printed = a.printJSON(r) }
			_, err := runDemo(c.Context(), o)
			return errors.Join(err, printed)
		},
	}
	c.Flags().BoolVar(&o.Once, "once", false, "end when the samples are through")
	c.Flags().StringVar(&o.Dir, "dir", "", "a new or empty `DIR` to work in, which stays")
	return c
}

// lookOf says how the story may look on a stream: colours and symbols are for terminals that want and know them, and what is no
// terminal has no edge.
func lookOf(w io.Writer) demoLook {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return demoLook{}
	}
	locale := os.Getenv("LANG")
	for _, name := range []string{"LC_CTYPE", "LC_ALL"} { // the later ones count more
		if value := os.Getenv(name); value != "" {
			locale = value
		}
	}
	locale = strings.ReplaceAll(strings.ToUpper(locale), "-", "")
	look := demoLook{Colors: bool(paintFor(w)), Symbols: strings.Contains(locale, "UTF8")}
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
		look.Columns = columns
	}
	return look
}

// runDemo runs a demo until it is through (with Once) or ctx ends. The error is nil only when the samples came through as they should,
// or ctx ended a demo that was to stay before it knew.
func runDemo(ctx context.Context, o demoOptions) (_ demoResult, err error) {
	d := &demo{opts: o, page: newDemoPage(o.Out, o.Look), events: newDemoEvents()}
	if err := d.prepare(); err != nil {
		return d.result, err
	}
	defer func() { err = errors.Join(err, d.leave()) }()
	// The platform stays until the daemon is done: what is on its way at the end may arrive.
	if err := d.startPlatform(context.WithoutCancel(ctx)); err != nil {
		return d.result, err
	}
	defer func() { err = errors.Join(err, d.platform.Close()) }()
	if o.Platform != nil {
		if err := o.Platform(d.platform); err != nil {
			return d.result, err
		}
	}
	stop, err := d.startDaemon(ctx)
	if err != nil {
		return d.result, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	defer d.endOrders()
	d.tellPlaces()
	if err := d.dropSamples(); err != nil {
		return d.result, err
	}
	err = d.watch(ctx)
	return d.result, err
}

// demo is a running demo. All of it is owned by the goroutine of runDemo, but for what the types say.
type demo struct {
	opts   demoOptions
	page   *demoPage
	result demoResult

	dir     string
	samples demoSamples
	cfg     *config.Config

	platform *sandbox.Sandbox
	webhook  string // address
	view     platformView
	house    *daemon.House
	events   *demoEvents
	ended    <-chan struct{} // closed when the daemon's loops are

	story  demoStory
	orders demoOrders
}

// prepare reads the samples and makes the folder.
func (d *demo) prepare() error {
	var err error
	if d.samples, err = loadSamples(); err != nil {
		return err
	}
	d.story = newDemoStory(d.samples)
	if d.opts.Dir == "" {
		if d.dir, err = os.MkdirTemp("", "gondola-demo-*"); err != nil {
			return fmt.Errorf("make demo folder: %w; name another one with --dir", err)
		}
		return nil
	}
	if d.dir, err = filepath.Abs(d.opts.Dir); err != nil {
		return fmt.Errorf("find demo folder: %w", err)
	}
	if err := os.MkdirAll(d.dir, 0o750); err != nil {
		return usagef("make demo folder: %w; name another one", err)
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return usagef("look into demo folder: %w; name another one", err)
	}
	if len(entries) > 0 {
		// What was sent in an earlier demo, the new platform has never seen.
		return usagef("demo folder %s is not empty, and a demo begins with nothing: name a new one", d.dir)
	}
	return nil
}

// leave removes the folder, or says that it stays.
func (d *demo) leave() error {
	if d.opts.Once && d.opts.Dir == "" {
		return os.RemoveAll(d.dir)
	}
	d.page.blank()
	d.page.text(plainly, "Everything stays in "+d.dir)
	return nil
}
