package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"gondola/internal/drop"
)

// scanCPU names what a look takes of the processors, in ms.
const scanCPU = "CPU"

// nobody takes nothing, so that files stay where they are.
type nobody struct{}

// NextSeq implements drop.Taker.
func (nobody) NextSeq(context.Context) (int64, error) { return 0, errors.New("nothing is taken") }

// Known implements drop.Taker.
func (nobody) Known(context.Context, int64) (drop.Verdict, bool, error) { return drop.Read, false, nil }

// Take implements drop.Taker.
func (nobody) Take(context.Context, drop.Claim) (drop.Verdict, error) {
	return drop.Read, errors.New("nothing is taken")
}

// scan watches a folder of many files that can't be taken, and says what one look costs once all of them are known.
func scan(args []string, m *measure) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	dir := filepath.Join(args[0], "drop")
	if err := errors.Join(os.RemoveAll(args[0]), os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("export-%05d.csv", i)), []byte("sku;price\n1;2"), 0o644); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	opened := map[string]int{}
	w, err := drop.New(drop.Folder{
		Path: dir, Archive: filepath.Join(args[0], "archive"), Rejected: "rechazados", Answers: "respuestas",
		Settle: 50 * time.Millisecond, Quiet: time.Hour, MaxWait: time.Hour, Scan: time.Hour,
		Complete: func(path string) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			opened[path]++
			return false, nil // no last line ends: they wait
		},
	}, nobody{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	if err := waitForLooks(w, 3); err != nil {
		stop()
		return errors.Join(err, <-ended)
	}
	const looks = 10
	before := ownCPU()
	begun := time.Now()
	err = waitForLooks(w, looks)
	cpu := ownCPU() - before
	m.Seconds = time.Since(begun).Seconds() / looks
	stop()
	err = errors.Join(err, <-ended)
	most := 0
	for _, times := range opened {
		most = max(most, times)
	}
	if len(opened) < n {
		return errors.Join(err, fmt.Errorf("%w: only %d files were looked into", errNoWork, len(opened)))
	}
	m.tell(scanCPU, 1000*cpu.Seconds()/looks, "ms")
	m.tell("opened", float64(most), "")
	return err
}

// waitForLooks asks for looks and waits until they have been.
func waitForLooks(w *drop.Watcher, n int) error {
	for range n {
		last := w.Status().Looked
		w.Wake()
		begun := time.Now()
		for !w.Status().Looked.After(last) {
			if time.Since(begun) > time.Minute {
				return errors.New("nobody looks")
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return nil
}
