package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peak returns the most memory that an ended process and its children had, each for itself, in bytes. What the process that started it
// had counts as its own, so that this one has to stay small.
func peak(p *os.ProcessState) int64 {
	if u, ok := p.SysUsage().(*syscall.Rusage); ok && u != nil {
		return u.Maxrss << 10
	}
	return 0
}

// ownPeak returns the most memory that this process had, in bytes.
func ownPeak() int64 { return peakOf("self") }

// peakOf returns the most memory that a process had, in bytes; 0 where nobody tells.
func peakOf(pid string) int64 { return statusOf(pid, "VmHWM:") }

// statusOf returns a size that the kernel tells about a process, in bytes.
func statusOf(pid, what string) int64 {
	f, err := os.Open("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // it was only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), what); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(text, " kB")), 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

// ownCPU returns how long processors have worked for this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpuOf returns how long processors have worked for a process.
func cpuOf(pid string) time.Duration {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	// The name in brackets may hold blanks.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // a hundred ticks a second, whatever the kernel's own are
}
