package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"time"
)

// program returns what measures a program of somebody else, from its start to its end. What it prints goes into a file.
func (b *bench) program(name string, args ...string) func(context.Context) (measure, error) {
	return func(ctx context.Context) (measure, error) {
		out, err := os.Create(b.path("printed"))
		if err != nil {
			return measure{}, err
		}
		defer func() { _ = out.Close() }() // nobody reads it but people
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stdout = out
		return took(cmd)
	}
}

// shell measures a pipeline.
func (b *bench) shell(line string, args ...string) func(context.Context) (measure, error) {
	return b.program("sh", append([]string{"-c", "set -e; " + line, "sh"}, args...)...)
}

// worker measures a worker of this program. What it tells about itself counts; the time is that of the whole process.
func (b *bench) worker(name string, args ...string) func(context.Context) (measure, error) {
	return func(ctx context.Context) (measure, error) {
		var out bytes.Buffer
		cmd := exec.CommandContext(ctx, b.self, append([]string{"worker", name}, args...)...)
		cmd.Stdout = &out
		m, err := took(cmd)
		if err != nil {
			return m, err
		}
		own := measure{}
		if err := json.Unmarshal(out.Bytes(), &own); err != nil {
			return m, fmt.Errorf("worker %s: %w", name, err)
		}
		m.Stages, m.Facts = own.Stages, own.Facts
		if own.RSS > 0 {
			m.RSS = own.RSS
		}
		if own.Seconds > 0 {
			m.Seconds = own.Seconds
		}
		return m, nil
	}
}

// took runs a command. What it says on its error stream is in the error, when there is one.
func took(cmd *exec.Cmd) (measure, error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	begun := time.Now()
	err := cmd.Run()
	m := measure{Seconds: time.Since(begun).Seconds(), RSS: peak(cmd.ProcessState)}
	if p := cmd.ProcessState; p != nil {
		m.CPU = (p.UserTime() + p.SystemTime()).Seconds()
	}
	if err != nil {
		text := strings.TrimSpace(said.String())
		if len(text) > 300 {
			text = "…" + text[len(text)-300:]
		}
		return m, fmt.Errorf("%w: %s", err, text)
	}
	return m, nil
}

// workers returns the workers by name: each does its work and says what there is to say about it.
func workers() map[string]func(args []string, m *measure) error {
	return map[string]func(args []string, m *measure) error{
		"csv-limit":       csvLimit,
		"csv-encoding":    csvStandard,
		"csv-records":     csvRecords,
		"csv-documents":   csvDocuments,
		"sheet-limit":     sheetLimit,
		"sheet-rows":      sheetRows,
		"sheet-records":   sheetRecords,
		"sheet-documents": sheetDocuments,
		"sheet-excelize":  sheetExcelize,
		"plan-merge":      planMerge,
		"plan-map":        planMap,
		"plan-scan":       planScan,
		"plan-look-up":    planLookUp,
		"plan-diff":       planDiff,
		"push":            pushFew,
		"delay":           delay,
		"upload":          upload,
		"upload-raw":      uploadRaw,
		"hook-load":       hookLoad,
		"hook-inbox":      hookKeep,
		"hook-group":      hookGroupCommit,
		"hook-file":       hookAppend,
		"scan":            scan,
		"make-export": makes(func(path string, n []int) error {
			return writeFile(path, func(w *bufio.Writer) error { return writeExport(w, n[0], n[1]) })
		}),
		"make-book-shared": makes(func(path string, n []int) error {
			return writeFile(path, func(w *bufio.Writer) error { return writeBook(w, n[0], true) })
		}),
		"make-book-inline": makes(func(path string, n []int) error {
			return writeFile(path, func(w *bufio.Writer) error { return writeBook(w, n[0], false) })
		}),
		"make-shelf":     makes(func(path string, n []int) error { return makeShelves(path, n[0], n[1]) }),
		"make-documents": makes(func(path string, n []int) error { return makeDocuments(path, n[0], int64(n[1])) }),
		"make-history":   makes(func(path string, n []int) error { return makeHistory(path, n[0]) }),
		"history-use":    useHistory,
		"orders-use":     useOrders,
		"ledger-use":     useLedger,
	}
}

// work is the whole program of a worker.
func work(name string, args []string) int {
	do, ok := workers()[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "bench: no worker %q\n", name)
		return 2
	}
	var m measure
	err := profiled(func() error { return do(args, &m) })
	if err == nil {
		m.RSS = ownPeak()
		err = json.NewEncoder(os.Stdout).Encode(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// profiled writes a profile of what a worker does to the file that BENCH_PROFILE names, when there is one: then call the worker by hand,
// as in BENCH_PROFILE=/tmp/cpu bench worker csv-records EXPORT 10.
func profiled(do func() error) error {
	path := os.Getenv("BENCH_PROFILE")
	if path == "" {
		return do()
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	err = do()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

// clock cuts the time of a worker into stages.
type clock struct {
	m     *measure
	since time.Time
}

func newClock(m *measure) *clock { return &clock{m, time.Now()} }

// lap ends a stage.
func (c *clock) lap(name string) {
	now := time.Now()
	c.m.add(name, now.Sub(c.since).Seconds())
	c.since = now
}

// add adds to a stage.
func (m *measure) add(name string, seconds float64) {
	for i := range m.Stages {
		if m.Stages[i].Name == name {
			m.Stages[i].Seconds += seconds
			return
		}
	}
	m.Stages = append(m.Stages, stage{name, seconds})
}

// tell adds a fact.
func (m *measure) tell(name string, value float64, unit string) {
	m.Facts = append(m.Facts, fact{name, value, unit})
}

// peers are the programs of others that are here.
type peers map[string]peerProgram

// peerProgram is a program or a module, and who has it.
type peerProgram struct {
	path string // "" = it is not here
	from string
}

func (p peers) have(need []string) bool {
	for _, n := range need {
		if p[n].path == "" {
			return false
		}
	}
	return true
}

func (p peers) path(name string) string { return p[name].path }

var errNoWork = errors.New("nothing was done")
