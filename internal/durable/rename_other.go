//go:build !linux && !windows

package durable

// renameAway renames a file to a name that nothing has.
func renameAway(from, to string) error { return renameUnlessThere(from, to) }
