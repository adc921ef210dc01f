package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows/svc"
)

// lastWork is how long the service of these tests goes on after it was told to stop, as one with a file on its way does: longer than
// the service manager waits for one that says nothing.
const lastWork = 3 * hintEvery

// TestMain lets the test binary be the service, too: the service manager starts it as it would start gondola.
func TestMain(m *testing.M) {
	if len(os.Args) < 8 || os.Args[1] != "run" {
		os.Exit(m.Run())
	}
	// run --service-name NAME --config PATH --log-dir DIR ...
	name, dir := os.Args[3], os.Args[7]
	err := Run(context.Background(), name, func(ctx context.Context, p *Process) error {
		p.Ready()
		<-ctx.Done()
		time.Sleep(lastWork)
		return os.WriteFile(filepath.Join(dir, "finished"), nil, 0o600)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestServiceManager installs a service, and lets the service manager start and stop it.
func TestServiceManager(t *testing.T) {
	dir := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := Service{
		Name: "gondola-test", Program: program, Config: filepath.Join(dir, "config.yaml"), State: filepath.Join(dir, "state"),
		LogDir: filepath.Join(dir, "logs"), User: UserOf("gondola-test", ""),
	}
	if err := os.WriteFile(s.Config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var m Manager
	notes, err := m.Install(t.Context(), s)
	if errors.Is(err, ErrRights) {
		t.Skip("only an administrator can install a service")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("notes: %q", notes)
	defer func() {
		if err := m.Uninstall(context.WithoutCancel(t.Context()), s.Name); err != nil {
			t.Error(err)
		}
		if got, err := m.Status(context.WithoutCancel(t.Context()), s.Name); err != nil || got.Installed {
			t.Errorf("uninstalled: %+v, %v", got, err)
		}
	}()
	if _, err := m.Install(t.Context(), s); err != nil {
		t.Errorf("installed again: %v", err)
	}
	want := func(running bool) {
		t.Helper()
		if got, err := m.Status(t.Context(), s.Name); err != nil || !got.Installed || !got.Enabled || got.Running != running {
			t.Errorf("status: %+v, %v; want that it runs: %v", got, err, running)
		}
	}
	want(false)
	if err := m.Start(t.Context(), s.Name); err != nil {
		t.Fatal(err)
	}
	want(true)
	if err := m.Start(t.Context(), s.Name); err != nil {
		t.Errorf("started twice: %v", err)
	}
	if err := m.Stop(t.Context(), s.Name); err != nil {
		t.Fatal(err)
	}
	want(false)
	if _, err := os.Stat(filepath.Join(s.LogDir, "finished")); err != nil {
		t.Errorf("what was on its way was not finished: %v", err)
	}
	if err := m.Stop(t.Context(), s.Name); err != nil {
		t.Errorf("stopped twice: %v", err)
	}
	if err := m.Start(t.Context(), "gondola-absent"); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("a service that is not there: %v", err)
	}
}

// TestMachineGoesDown has the service manager tell of the shutdown while something is on its way: the service asks for time until that
// is finished.
func TestMachineGoesDown(t *testing.T) {
	finished := make(chan struct{})
	h := &handler{ctx: t.Context(), name: "gondola-test", work: func(ctx context.Context, p *Process) error {
		p.Ready()
		<-ctx.Done()
		<-finished
		return nil
	}}
	asked, told := make(chan svc.ChangeRequest), make(chan svc.Status)
	type end struct {
		own  bool
		code uint32
	}
	ended := make(chan end, 1)
	go func() {
		own, code := h.Execute(nil, asked, told)
		ended <- end{own, code}
	}()
	next := func(want svc.State) svc.Status {
		t.Helper()
		for {
			select {
			case got := <-told:
				if got.State == want {
					return got
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("never told: state %d", want)
			}
		}
	}
	if s := next(svc.Running); s.Accepts != svc.AcceptStop|svc.AcceptPreShutdown {
		t.Errorf("accepts %b", s.Accepts)
	}
	asked <- svc.ChangeRequest{Cmd: svc.Interrogate}
	next(svc.Running)
	asked <- svc.ChangeRequest{Cmd: svc.PreShutdown}
	first := next(svc.StopPending)
	second := next(svc.StopPending)
	if second.CheckPoint <= first.CheckPoint || second.WaitHint == 0 {
		t.Errorf("no progress is told: %+v, %+v", first, second)
	}
	close(finished)
	if got := <-ended; got != (end{true, 0}) {
		t.Errorf("ended with %+v", got)
	}
}

// TestServiceFails has work that can't begin: the service manager is told so, and starts it anew.
func TestServiceFails(t *testing.T) {
	h := &handler{ctx: t.Context(), name: "gondola-test", work: func(context.Context, *Process) error { return errors.New("no config") }}
	told := make(chan svc.Status, 10)
	if own, code := h.Execute(nil, nil, told); !own || code != failedCode {
		t.Errorf("ended with %v, %d", own, code)
	}
	for len(told) > 0 {
		if s := <-told; s.State == svc.Running {
			t.Error("it was told to run")
		}
	}
}
