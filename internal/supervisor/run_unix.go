//go:build !windows

package supervisor

import "context"

// Run lets work run as the daemon, under systemd or without a supervisor. The name is Windows' alone. ctx ends when the process gets a signal. What work returns,
// Run returns.
func Run(ctx context.Context, _ string, work func(context.Context, *Process) error) error {
	p, err := notified()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, p.Stopping)()
	return work(ctx, p)
}
