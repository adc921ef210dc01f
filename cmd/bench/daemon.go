package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dropRows is how many rows an export has whose answer is waited for.
const dropRows = 10_000

// holdDaemon looks at the program as it runs: how soon it answers, and what it costs while nothing happens.
func (b *bench) holdDaemon(ctx context.Context) ([]outcome, error) {
	if !isThere(b.gondola) {
		return nil, fmt.Errorf("%s is not there: make build", b.gondola)
	}
	start := contest{
		name: "start", title: "gondola --help", rounds: 4 * b.size.rounds,
		contenders: []contender{
			{name: "gondola --help", role: ours, do: b.program(b.gondola, "--help")},
			{name: "limit: true", role: limit, do: b.program("true")},
		},
		goals: []goal{{text: "start of the binary", most: 50, unit: "ms", measure: func(o *outcome) (spread, bool) {
			s := o.of("gondola --help", func(m measure) float64 { return 1000 * m.Seconds })
			return s, s.n > 0
		}}},
	}
	drops := contest{
		name: "drops", title: fmt.Sprintf("%d exports of %s rows, one after the other", b.size.drops, thousands(dropRows)), rounds: 1,
		contenders: []contender{{name: "gondola run", role: ours, do: b.dropExports}},
		goals: []goal{
			{text: "noticed, p95 after settling", most: 100, unit: "ms", measure: told("gondola run", "noticed")},
			{text: "answered, p95 after settling", most: 1000, unit: "ms", measure: told("gondola run", "answered")},
		},
	}
	idle := contest{
		name: "idle", title: fmt.Sprintf("the program for %s with nothing to do", b.size.idle), rounds: 1,
		contenders: []contender{{name: "gondola run", role: ours, do: b.idle}},
		goals: []goal{
			{text: "memory in use", most: 40, unit: "MiB", measure: told("gondola run", "RSS")},
			{text: "share of a core", most: 0.1, unit: "%", measure: told("gondola run", "CPU")},
		},
	}
	crowd := contest{
		name: "crowd", title: fmt.Sprintf("a drop folder with %s files that wait", thousands(b.size.waiting)),
		contenders: []contender{{name: "gondola: scan", role: ours, do: b.worker("scan", b.path("work"), strconv.Itoa(b.size.waiting))}},
		goals: []goal{
			{text: "CPU of a scan", most: 50, unit: "ms", measure: told("gondola: scan", "CPU")},
			{text: "most often that a file was looked into", most: 1, unit: "times", measure: told("gondola: scan", "opened")},
		},
	}
	return []outcome{b.run(ctx, start), b.run(ctx, crowd), b.run(ctx, drops), b.run(ctx, idle)}, nil
}

// up starts the program in an empty folder and returns when it is ready.
func (b *bench) up(ctx context.Context) (house, *server, error) {
	h := house{dir: b.path("work")}
	if err := errors.Join(os.RemoveAll(h.dir), os.MkdirAll(h.dir, 0o755)); err != nil {
		return h, nil, err
	}
	if err := h.write(); err != nil {
		return h, nil, err
	}
	cmd := exec.CommandContext(ctx, b.gondola, "run", "--config", h.config())
	log := h.log()
	cmd.Stdout, cmd.Stderr = log, log
	in, err := cmd.StdinPipe()
	if err != nil {
		return h, nil, err
	}
	if err := cmd.Start(); err != nil {
		return h, nil, err
	}
	s := &server{cmd: cmd, stdin: in}
	return h, s, sleep(ctx, time.Second)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// settle is how long a file is left alone by default before it counts as whole.
const settle = 2 * time.Second

// dropExports drops exports one after the other, each time with other prices for some articles, and waits for the answers.
func (b *bench) dropExports(ctx context.Context) (m measure, err error) {
	h, s, err := b.up(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	var noticed, answered []time.Duration
	for i := range b.size.drops {
		name := fmt.Sprintf("export-%d.csv", i)
		path := filepath.Join(h.drop(), name)
		if err := writeFile(filepath.Join(h.dir, name), func(w *bufio.Writer) error { return writeExport(w, dropRows, 1) }); err != nil {
			return m, err
		}
		// As most ERPs do: written under its own name, in place.
		text, err := os.ReadFile(filepath.Join(h.dir, name))
		if err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
		if err != nil {
			return m, err
		}
		settled := time.Now().Add(settle)
		gone, err := until(ctx, func() bool { return !isThere(path) })
		if err != nil {
			return m, fmt.Errorf("drop %d is not taken: %w", i, err)
		}
		noticed = append(noticed, gone.Sub(settled))
		there, err := until(ctx, func() bool { return hasAnswer(h.drop(), name) })
		if err != nil {
			return m, fmt.Errorf("drop %d is not answered: %w", i, err)
		}
		answered = append(answered, there.Sub(settled))
		m.Seconds += there.Sub(settled).Seconds()
	}
	m.RSS = s.peak()
	m.tell("noticed", atMost(noticed, 95), "ms")
	m.tell("answered", atMost(answered, 95), "ms")
	return m, nil
}

// until looks every millisecond and returns when it was so.
func until(ctx context.Context, so func() bool) (time.Time, error) {
	for begun := time.Now(); time.Since(begun) < time.Minute; {
		if so() {
			return time.Now(), nil
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return time.Now(), err
		}
	}
	return time.Now(), errors.New("nothing happened for a minute")
}

// hasAnswer reports whether an answer to a drop lies in the folder of answers.
func hasAnswer(drop, name string) bool {
	all, _ := filepath.Glob(filepath.Join(drop, "respuestas", "*")) // the pattern is right
	return slices.ContainsFunc(all, func(path string) bool { return strings.Contains(filepath.Base(path), strings.TrimSuffix(name, ".csv")) })
}

// idle looks at the program while nothing happens, once it has had an export.
func (b *bench) idle(ctx context.Context) (m measure, err error) {
	h, s, err := b.up(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	path := filepath.Join(h.drop(), "export.csv")
	if err := writeFile(path, func(w *bufio.Writer) error { return writeExport(w, dropRows, 1) }); err != nil {
		return m, err
	}
	if _, err := until(ctx, func() bool { return hasAnswer(h.drop(), "export.csv") }); err != nil {
		return m, fmt.Errorf("the export is not answered: %w", err)
	}
	// What reading took is given back to the system once nothing was written for a while.
	if err := sleep(ctx, min(b.size.idle, 30*time.Second)); err != nil {
		return m, err
	}
	pid := fmt.Sprint(s.cmd.Process.Pid)
	before := cpuOf(pid)
	if err := sleep(ctx, b.size.idle); err != nil {
		return m, err
	}
	m.Seconds, m.RSS = b.size.idle.Seconds(), s.peak()
	m.tell("RSS", mebi(statusOf(pid, "VmRSS:")), "MiB")
	m.tell("of which pages of the program file", mebi(statusOf(pid, "RssFile:")), "MiB")
	m.tell("CPU", 100*(cpuOf(pid)-before).Seconds()/b.size.idle.Seconds(), "%")
	return m, nil
}
