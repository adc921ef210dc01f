package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gondola/internal/durable"
)

// The limits of a log that is kept in files.
const (
	logFileMax = 20 << 20 // bytes of one; then a new one begins
	logKept    = 30       // files; older ones are removed
)

// The names of its files: gondola-2026-11-26T081500.123Z.log. They sort by time.
const (
	logPrefix = "gondola-"
	logSuffix = ".log"
	logTime   = "2006-01-02T150405.000Z"
)

// LogFiles is a log in files, for a service whose standard error nobody reads. A file gets its name when it begins and never another one:
// where a program that reads it holds it open, Windows lets nobody rename it. Each start, each day and each 20 MB begin a new one. A line
// that can't be written is lost and ends nothing: the next one is tried again. Its methods may be called by several goroutines.
type LogFiles struct {
	dir string
	now func() time.Time

	mu   sync.Mutex // guards what follows
	file *os.File   // nil before the first line, and after one that could not be written
	day  string
	size int64
}

// OpenLog makes the folder and begins the first file.
func OpenLog(dir string) (*LogFiles, error) { return openLog(dir, time.Now) }

func openLog(dir string, now func() time.Time) (*LogFiles, error) {
	l := &LogFiles{dir: dir, now: now}
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("make the folder of the log: %w", err)
	}
	if err := l.begin(l.now().UTC()); err != nil {
		return nil, err
	}
	return l, nil
}

// Write writes a line.
func (l *LogFiles) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().UTC()
	if l.file == nil || l.day != now.Format(time.DateOnly) || l.size+int64(len(line)) > logFileMax {
		if err := l.begin(now); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("write the log: %w", err)
	}
	return n, nil
}

// Close ends the last file.
func (l *LogFiles) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end()
}

func (l *LogFiles) end() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	if err != nil {
		return fmt.Errorf("close the log: %w", err)
	}
	return nil
}

// begin begins a new file and removes the oldest ones.
func (l *LogFiles) begin(now time.Time) error {
	if err := l.end(); err != nil {
		return err
	}
	name := filepath.Join(l.dir, logPrefix+now.Format(logTime)+logSuffix)
	// Appended to: two starts within a millisecond are two programs that were told to log to the same place.
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("begin the log: %w", err)
	}
	l.file, l.day, l.size = file, now.Format(time.DateOnly), 0
	l.sweep()
	return nil
}

// sweep removes the oldest files. One that is held open by another program is removed the next time.
func (l *LogFiles) sweep() {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), logPrefix) && strings.HasSuffix(e.Name(), logSuffix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	for _, name := range names[:max(len(names)-logKept, 0)] {
		_ = os.Remove(filepath.Join(l.dir, name)) // see above
	}
}
