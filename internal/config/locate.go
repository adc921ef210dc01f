package config

import (
	"fmt"
	"strings"
)

// PathError is an error about the value at a config path, such as a cron expression that schedule can't read. Rooms that don't
// import this package return errors of their own with the method ConfigPath; [Config.Locate] takes both.
type PathError struct {
	Path string // send.catalog.schedule, feeds[0].columns.price
	Err  error
}

// Error implements error.
func (e PathError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap implements errors.Unwrap.
func (e PathError) Unwrap() error { return e.Err }

// ConfigPath returns the path that the error is about.
func (e PathError) ConfigPath() string { return e.Path }

// Problem returns a problem at the place of path in the file, or at the nearest parent that is in the file, for mistakes that
// only another room can see.
func (c *Config) Problem(path, format string, args ...any) Problem {
	return c.file.problem(path, fmt.Sprintf(format, args...))
}

// Locate turns an error into problems with places: it walks what was joined or wrapped and makes one problem of each error that
// is a [Problem] or carries a config path. What carries none becomes a problem without a place, so that nothing is lost.
// It returns nil for nil.
func (c *Config) Locate(err error) []Problem {
	if err == nil {
		return nil
	}
	if ps := c.located(err); ps != nil {
		return ps
	}
	return []Problem{{File: c.file.name, Message: err.Error()}}
}

// located returns the problems in err's tree, nil when nothing in it has a place. The innermost path wins: it is the most precise.
func (c *Config) located(err error) []Problem {
	if p, ok := err.(Problem); ok { //nolint:errorlint // one node of the tree is looked at, not the whole chain
		return []Problem{p}
	}
	if ps := c.locatedBelow(err); ps != nil {
		return ps
	}
	at, ok := err.(interface{ ConfigPath() string })
	if !ok {
		return nil
	}
	path := at.ConfigPath()
	return []Problem{c.file.problem(path, strings.TrimPrefix(err.Error(), path+": "))}
}

// locatedBelow is located for what err wraps.
func (c *Config) locatedBelow(err error) []Problem {
	switch e := err.(type) { //nolint:errorlint // as above: one node of the tree
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return c.located(inner)
		}
	case interface{ Unwrap() []error }:
		var all []Problem
		found := false
		for _, inner := range e.Unwrap() {
			ps := c.located(inner)
			found = found || ps != nil
			if ps == nil {
				ps = c.Locate(inner)
			}
			all = append(all, ps...)
		}
		if found {
			return all
		}
	}
	return nil
}
