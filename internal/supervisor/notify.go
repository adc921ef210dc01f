package supervisor

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// The environment by which systemd tells a service how it is to be told.
const (
	socketVar   = "NOTIFY_SOCKET"
	watchdogVar = "WATCHDOG_USEC"
	watchedVar  = "WATCHDOG_PID"
)

// notified returns the process as systemd, or whoever else speaks its protocol, wants it. It takes the variables out of the environment:
// no program that this one starts may speak in its name. Without NOTIFY_SOCKET nobody is to be told.
func notified() (*Process, error) {
	address := os.Getenv(socketVar)
	every, pid := os.Getenv(watchdogVar), os.Getenv(watchedVar)
	for _, name := range []string{socketVar, watchdogVar, watchedVar} {
		if err := os.Unsetenv(name); err != nil {
			return nil, fmt.Errorf("clear %s: %w", name, err)
		}
	}
	p := &Process{asked: make(chan struct{}, 1)}
	if address == "" {
		return p, nil
	}
	// "@" begins a name that is in no file system; package net knows it, too. systemd also has vsock:, for whole machines.
	if address[0] != '/' && address[0] != '@' {
		return nil, fmt.Errorf("tell the service manager: %s=%q is no socket of this machine; unset it", socketVar, address)
	}
	p.tell = func(state ...string) { notify(address, state) }
	if usec, err := strconv.ParseInt(every, 10, 64); err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		p.alive = time.Duration(usec) * time.Microsecond
	}
	return p, nil
}

// notifyWithin is how long the supervisor's socket may be full. What is not told then is told a turn later.
const notifyWithin = 2 * time.Second

// notify tells the supervisor one message. That it can't be told is no trouble of the daemon's: a supervisor that hears nothing acts.
func notify(address string, state []string) {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // a datagram is sent or it is not
	if err := conn.SetWriteDeadline(time.Now().Add(notifyWithin)); err != nil {
		return
	}
	_, _ = conn.Write([]byte(strings.Join(state, "\n")))
}

// oneLine returns text without line ends: each line of a message is a word of its own, and a line of status must not become one.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
}
