//go:build !windows

package supervisor

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Run lets work run as the daemon, under systemd or without a supervisor. The name is Windows' alone. ctx ends when the process gets a
// signal; SIGHUP is none of those, it asks for the config to be read once more. What work returns, Run returns.
func Run(ctx context.Context, _ string, work func(context.Context, *Process) error) error {
	p, err := notified()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, p.Stopping)()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	var passing sync.WaitGroup
	defer passing.Wait()
	defer close(hangups)
	defer signal.Stop(hangups)
	passing.Go(func() {
		for range hangups {
			p.ask()
		}
	})
	return work(ctx, p)
}
