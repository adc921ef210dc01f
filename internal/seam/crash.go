//go:build crash

package seam

import (
	"fmt"
	"os"
	"strconv"
	"sync"
)

// The environment of the one process that is to die. It exists only in builds with the tag crash.
const (
	atName  = "GONDOLA_CRASH_AT"  // the number of the point at which the process dies, from 1; never without it
	logName = "GONDOLA_CRASH_LOG" // a file that gets a line for each point
)

var points = open()

// counter counts the points of this process.
type counter struct {
	mu  sync.Mutex // held for ever by the point that kills, so that nothing goes on in the last microseconds
	n   int
	at  int
	log *os.File
}

func open() *counter {
	c := &counter{}
	var err error
	if text := os.Getenv(atName); text != "" {
		if c.at, err = strconv.Atoi(text); err != nil {
			panic(fmt.Sprintf("seam: read %s: %v", atName, err))
		}
	}
	if name := os.Getenv(logName); name != "" {
		if c.log, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
			panic(fmt.Sprintf("seam: open %s: %v", logName, err))
		}
	}
	return c
}

// Point counts a seam, and kills the process at the one that was asked for.
func Point(name string) {
	points.mu.Lock()
	defer points.mu.Unlock()
	points.n++
	if points.log != nil {
		if _, err := points.log.WriteString(name + "\n"); err != nil {
			panic(fmt.Sprintf("seam: write %s: %v", logName, err))
		}
	}
	if points.n != points.at {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(fmt.Sprintf("seam: kill this process: %v", err))
	}
	select {} // the signal is on its way
}
