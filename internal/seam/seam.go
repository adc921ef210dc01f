//go:build !crash

// Package seam knows where the process may die with something half done: between two steps that outlive it. Such a place is before and
// after each commit of the database, each step by which a file comes into being, each rename of a drop, and each word to or from the
// platform's server.
//
// The program that is shipped has nothing of it: [Point] is empty there. Built with the tag crash it counts the points and kills its own
// process, as a power cut would, at the one that GONDOLA_CRASH_AT names: that is how `make crash` shows what survives at every one of
// them.
package seam

// Point marks a seam. The name says what comes before or after it; it is a constant, so that naming it costs nothing.
func Point(string) {}
