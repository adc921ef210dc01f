package supervisor

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// monotonic is the time of a message as systemd wants to be told it, where it waits for the end of a reload.
func monotonic() string {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return ""
	}
	return "MONOTONIC_USEC=" + strconv.FormatInt(t.Nano()/1000, 10)
}
