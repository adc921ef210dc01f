package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// The exit codes. Scripts and service managers depend on them.
const (
	exitDone   = 0
	exitError  = 1 // our own trouble: disk, database, a signal
	exitUsage  = 2 // a wrong command line or config
	exitData   = 3 // an export was rejected
	exitRemote = 4 // the platform's server refused, or could not be reached
	exitBrake  = 5 // the brake holds an export, or rows, until a person has looked at it, or a person paused sending
)

// meaning says in a few words what an exit code stands for.
func meaning(code int) string {
	switch code {
	case exitDone:
		return "done"
	case exitError:
		return "something went wrong on this machine"
	case exitUsage:
		return "wrong command line or config"
	case exitData:
		return "an export was rejected"
	case exitRemote:
		return "the platform's server refused, or could not be reached"
	case exitBrake:
		return "an export, or rows, are held by the brake until somebody decides, or sending is paused"
	}
	return ""
}

// codesKey is the annotation in which a command keeps the part of its help that is about exit codes.
const codesKey = "exit codes"

// codes makes the annotation that explains a command's exit codes. Every command can end with 0, 1 and 2; more are what it adds.
func codes(more ...int) map[string]string {
	var b strings.Builder
	for _, code := range append([]int{exitDone, exitError, exitUsage}, more...) {
		fmt.Fprintf(&b, "\n  %d  %s", code, meaning(code))
	}
	return map[string]string{codesKey: b.String()}
}

// failure is an error that says which exit code it stands for. Without err the command has told everything already.
type failure struct {
	code int
	err  error
}

// Error implements error.
func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d: %s", f.code, meaning(f.code))
	}
	return f.err.Error()
}

// Unwrap implements errors.Unwrap.
func (f *failure) Unwrap() error { return f.err }

// usagef returns an error about the command line.
func usagef(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

// ended returns the error for a command that printed its result and ends with code; nil for exitDone.
func ended(code int) error {
	if code == exitDone {
		return nil
	}
	return &failure{code: code}
}

// exitCode returns the exit code for what a command returned.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	if _, ok := errors.AsType[config.Problems](err); ok {
		return exitUsage
	}
	for _, usage := range []error{
		daemon.ErrNoVendor, daemon.ErrNoFeed, daemon.ErrNoHistory, daemon.ErrNoArticle, daemon.ErrBackupPath, daemon.ErrNoOrder,
		daemon.ErrNoOrderFolder,
	} {
		if errors.Is(err, usage) {
			return exitUsage
		}
	}
	return exitError
}

// complain tells the user of an error, unless the command has told everything already. Problems of the config begin with their place,
// so that terminals and editors can jump there.
func complain(w io.Writer, err error) {
	if f, ok := errors.AsType[*failure](err); ok && f.err == nil {
		return
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		_, _ = fmt.Fprintln(w, problems.Error()) // nobody is left to be told
		return
	}
	_, _ = fmt.Fprintln(w, "gondola: "+err.Error())
}
