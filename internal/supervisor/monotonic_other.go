//go:build !linux

package supervisor

// monotonic is for systemd alone.
func monotonic() string { return "" }
