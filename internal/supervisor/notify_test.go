//go:build !windows

package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// listener is a supervisor's socket, in the place of systemd's.
type listener struct {
	t    *testing.T
	conn *net.UnixConn
}

// listen makes a socket and tells the process of it, as systemd does.
func listen(t *testing.T, address string) *listener {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv(socketVar, address)
	return &listener{t, conn}
}

// hear returns the next message, "" where none comes within a while.
func (l *listener) hear(within time.Duration) string {
	l.t.Helper()
	buf := make([]byte, 4096)
	if err := l.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		l.t.Fatal(err)
	}
	n, err := l.conn.Read(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return string(buf[:n])
}

// want fails unless the next message is this one.
func (l *listener) want(message string) {
	l.t.Helper()
	if got := l.hear(10 * time.Second); got != message {
		l.t.Fatalf("heard %q, want %q", got, message)
	}
}

// TestRunTellsSystemd goes through the life of a daemon, with what it tells on a real socket.
func TestRunTellsSystemd(t *testing.T) {
	for _, address := range []string{filepath.Join(t.TempDir(), "notify"), "@gondola-test-" + strconv.Itoa(os.Getpid())} {
		t.Run(address[:1], func(t *testing.T) {
			l := listen(t, address)
			t.Setenv(watchdogVar, "60000") // 60 ms: a sign of life every 20
			t.Setenv(watchedVar, strconv.Itoa(os.Getpid()))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			done := make(chan error, 1)
			var ill atomic.Bool
			go func() {
				done <- Run(ctx, "gondola", func(ctx context.Context, p *Process) error {
					p.Ready()
					p.Watch(ctx, Health{
						Healthy: func(context.Context) error {
							if ill.Load() {
								return errors.New("stuck")
							}
							return nil
						},
						Line: func(context.Context) (string, error) { return "ok;\nREADY=0", nil },
						Log:  slog.New(slog.DiscardHandler),
					})
					return errors.New("worked")
				})
			}()
			l.want("READY=1\nSTATUS=working")
			l.want("WATCHDOG=1")
			l.want("STATUS=ok; READY=0")
			l.want("WATCHDOG=1")
			l.want("WATCHDOG=1")
			// A daemon that is ill is not told alive any more; one that is well again is.
			ill.Store(true)
			for l.hear(200*time.Millisecond) != "" {
			}
			ill.Store(false)
			l.want("WATCHDOG=1")
			stop()
			for {
				heard := l.hear(10 * time.Second)
				if heard == "STOPPING=1\nSTATUS=finishing what is on its way" {
					break
				}
				if heard != "WATCHDOG=1" {
					t.Fatalf("heard %q, want that it stops", heard)
				}
			}
			if err := <-done; err == nil || err.Error() != "worked" {
				t.Errorf("Run returned %v, want what work returned", err)
			}
			for _, name := range []string{socketVar, watchdogVar, watchedVar} {
				if value, there := os.LookupEnv(name); there {
					t.Errorf("%s=%s is left for programs that this one starts", name, value)
				}
			}
		})
	}
}

// TestWatchWithoutWatchdog tells how things stand, and gives no sign of life that nobody awaits.
func TestWatchWithoutWatchdog(t *testing.T) {
	for name, env := range map[string][2]string{"none": {"", ""}, "another process's": {"60000", "1"}, "nonsense": {"soon", ""}} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, filepath.Join(t.TempDir(), "notify"))
			t.Setenv(watchdogVar, env[0])
			t.Setenv(watchedVar, env[1])
			p, err := notified()
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				p.Watch(ctx, Health{
					Healthy: func(context.Context) error { return nil },
					Line:    func(context.Context) (string, error) { return "ok", nil },
				})
			}()
			l.want("STATUS=ok")
			if heard := l.hear(150 * time.Millisecond); heard != "" {
				t.Errorf("heard %q", heard)
			}
			stop()
			<-done
		})
	}
}

// TestNotifyIsNoTrouble has no supervisor, one that is gone, and one that can't be reached: the daemon works.
func TestNotifyIsNoTrouble(t *testing.T) {
	t.Setenv(socketVar, "")
	work := func(_ context.Context, p *Process) error {
		p.Ready()
		p.Stopping()
		p.Watch(t.Context(), Health{Healthy: func(context.Context) error { return nil }}) // returns: there is nobody to be told
		return nil
	}
	if err := Run(t.Context(), "gondola", work); err != nil {
		t.Error(err)
	}
	t.Setenv(socketVar, filepath.Join(t.TempDir(), "gone"))
	gone := func(_ context.Context, p *Process) error {
		p.Ready()
		return nil
	}
	if err := Run(t.Context(), "gondola", gone); err != nil {
		t.Error(err)
	}
	t.Setenv(socketVar, "vsock:2:1234")
	if err := Run(t.Context(), "gondola", work); err == nil || !strings.Contains(err.Error(), "unset it") {
		t.Errorf("a socket of another machine: %v", err)
	}
}
