// Command bench measures how fast gondola is on the machine that it runs on, beside the programs that do the same work and beside the
// least that the machine could do it in. It is no part of what is shipped, and it is no test: it says what it found and ends well.
//
// # How it measures
//
// A [contest] is one piece of work; its contenders do it in alternation, round by round, so that whatever else the machine does slows
// all of them. A ratio is taken within a round; what is printed is the median of the rounds, and the least and the most. Every contender
// is a process of its own: what it takes in memory is its own. Those that are not programs of somebody else are this one, called as
// "bench worker NAME": the rooms of gondola, and the bare limits.
//
// What a peer needs and is not installed is named in the end with the package that has it; the others go on without it.
//
// Inputs are made by a generator with a fixed seed and kept in the output folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		os.Exit(work(os.Args[2], os.Args[3:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the whole comparison.
type bench struct {
	size    size
	dir     string // of everything that is written
	gondola string // the program
	self    string // this one
	peers   peers
	alone   bool // without those of others
	log     io.Writer
}

// size says how much work there is. Every number is a row, a file or a request.
type size struct {
	rounds   int
	patience time.Duration // a contender whose first round takes longer has two
	rows     int           // of the large export
	sheet    int           // of the workbook
	large    int           // of the large workbook, and of the shelf whose articles hardly change
	shelf    int           // articles that are compared
	upload   int64         // bytes of the large document
	files    int           // small documents
	requests int           // webhook calls of a client
	drops    int           // exports that are dropped, one by one
	waiting  int           // files that lie in a drop folder
	idle     time.Duration
	stores   []int // of the same rows
	history  []int // drops and documents each, and ten times as many orders
	pushed   int   // records of the shelf of which ten changed
}

// The sizes that the flags choose from.
var (
	whole = size{
		rounds: 5, patience: 15 * time.Second, rows: 1_000_000, sheet: 100_000, large: 500_000, shelf: 1_000_000, upload: 100_000_000,
		files: 2000, requests: 20_000, drops: 60, waiting: 10_000, idle: time.Minute, pushed: 1_500_000,
		stores: []int{1, 100, 1000}, history: []int{10, 1000, 100_000},
	}
	quick = size{
		rounds: 3, patience: 4 * time.Second, rows: 100_000, sheet: 20_000, large: 50_000, shelf: 200_000, upload: 20_000_000,
		files: 300, requests: 4000, drops: 5, waiting: 10_000, idle: 15 * time.Second, pushed: 300_000,
		stores: []int{1, 100, 1000}, history: []int{10, 1000, 20_000},
	}
	tiny = size{
		rounds: 1, patience: time.Second, rows: 2000, sheet: 300, large: 600, shelf: 3000, upload: 300_000,
		files: 12, requests: 100, drops: 1, waiting: 100, idle: time.Second, pushed: 5000,
		stores: []int{1, 20}, history: []int{10, 40},
	}
)

// run is the whole program but for the workers.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	dir := flags.String("dir", filepath.Join("bin", "bench"), "`FOLDER` for inputs, work and results")
	program := flags.String("gondola", filepath.Join("bin", "gondola"), "`PROGRAM` that is measured")
	only := flags.String("only", "", "`REGEXP` of the contests to hold; all of them by default")
	list := flags.Bool("list", false, "name the contests and the peers, and hold none")
	smaller := flags.Bool("quick", false, "smaller sizes and three rounds: some minutes")
	smallest := flags.Bool("tiny", false, "sizes that show that it works and nothing else")
	alone := flags.Bool("alone", false, "leave out the programs of others")
	rounds := flags.Int("rounds", 0, "how many `ROUNDS` each contest has; 0 leaves it to the size")
	rows := flags.Int("rows", 0, "`ROWS` of the large export; 0 leaves it to the size")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	choice, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	b := &bench{size: whole, log: log}
	switch {
	case *smallest:
		b.size = tiny
	case *smaller:
		b.size = quick
	}
	if *rounds > 0 {
		b.size.rounds = *rounds
	}
	if *rows > 0 {
		b.size.rows = *rows
	}
	if b.dir, err = filepath.Abs(*dir); err != nil {
		return err
	}
	if b.gondola, err = filepath.Abs(*program); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	b.peers = findPeers(ctx, b.dir)
	b.alone = *alone
	if *list {
		for _, s := range b.subjects() {
			fmt.Fprintf(out, "%s\t%s\n", s.name, s.title)
		}
		b.peers.list(out)
		return nil
	}
	r, err := b.hold(ctx, choice)
	if err != nil {
		return err
	}
	return b.publish(r, out)
}

// subject is something that is measured: one or more contests that share a preparation.
type subject struct {
	name  string
	title string
	hold  func(ctx context.Context) ([]outcome, error)
}

// subjects returns everything that is measured, in the order of the table.
func (b *bench) subjects() []subject {
	return []subject{
		{"csv", "CSV to records and documents", b.holdCSV},
		{"xlsx", "XLSX to rows and documents", b.holdSheets},
		{"plan", "which articles changed", b.holdPlan},
		{"push", "ten changes on a large shelf", b.holdPush},
		{"upload", "documents to an SFTP server", b.holdUploads},
		{"webhook", "events by webhook", b.holdWebhooks},
		{"daemon", "the program as it runs", b.holdDaemon},
		{"curves", "how costs grow", b.holdCurves},
	}
}

// hold holds the chosen contests. One that can't be held is told, and the others go on.
func (b *bench) hold(ctx context.Context, choice *regexp.Regexp) (results, error) {
	r := results{machine: machine(), begun: time.Now()}
	for _, s := range b.subjects() {
		if !choice.MatchString(s.name) {
			continue
		}
		fmt.Fprintf(b.log, "%s: %s\n", s.name, s.title)
		all, err := s.hold(ctx)
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(b.log, "%s: %v\n", s.name, err)
			r.troubles = append(r.troubles, fmt.Sprintf("%s: %v", s.name, err))
		}
		r.outcomes = append(r.outcomes, all...)
	}
	r.took = time.Since(r.begun)
	r.missing = b.peers.missing()
	return r, nil
}
