// Command gondola carries what an ERP exports to the shelf that customers see on the quick-commerce platform.
//
// Every command is one small file: it reads its flags, calls package daemon (or package sandbox) once, prints what came of it, and
// says with its exit code how that was. The codes are in exit.go; nothing but main ends the process.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones for machines that have none of their own

	"github.com/spf13/cobra"
)

func main() {
	cobra.MousetrapHelpText = "" // started from the Explorer, it works in a console like any other program
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal ends the work in order, the second one kills
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
