package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"gondola/internal/durable"
)

// Manager installs, starts and stops the service by Windows' service manager.
type Manager struct{}

// displayName and description are what the list of services shows.
const (
	displayName = "Gondola"
	description = "Carries what the ERP exports to the quick-commerce platform."
)

// recovery is what the service manager does when the service dies or ends with an error: it starts it anew, for ever.
func recovery() []mgr.RecoveryAction {
	return []mgr.RecoveryAction{
		{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 2 * time.Minute}, // and every time after that
	}
}

// recoveryReset is after how many seconds without trouble the first of the recovery's delays counts again.
const recoveryReset = 24 * 60 * 60

// virtual is the domain of accounts that Windows makes for services: no password, no rights but those that files give them.
const virtual = `NT SERVICE\`

// UserOf returns who a service runs as where the admin has said user, "" for nothing.
func UserOf(service, user string) string { return cmp.Or(user, virtual+service) }

// CredentialNote says what to do for a secret of the config that is a credential of systemd's.
func CredentialNote(key string, _ Credential) string {
	return key + " is a credential of systemd, which is not here: write it as file:PATH."
}

// EnvironmentNote says what to do for a secret of the config that is an environment variable.
func EnvironmentNote(key, name, _ string) string {
	return fmt.Sprintf("%s is the environment variable %s, which the service does not have: write it as file:PATH.", key, name)
}

// command returns the line that the service manager starts.
func (s Service) command() []string {
	return []string{s.Program, "run", "--service-name", s.Name, "--config", s.Config, "--log-dir", s.LogDir, "--log-format", "json"}
}

// Describe returns what Install would tell the system.
func (s Service) Describe() (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "service    %s (%s)\nuser       %s\nprogram    %s\nstart      with the machine, after other services\n",
		s.Name, displayName, s.User, windows.ComposeCommandLine(s.command()))
	for _, r := range recovery() {
		fmt.Fprintf(&b, "when it dies it is started anew after %s\n", r.Delay)
	}
	fmt.Fprintf(&b, "at the machine's shutdown it has %s to finish\n", StopWithin)
	for _, g := range s.grants() {
		fmt.Fprintf(&b, "rights     %s: %s\n", g.rights, g.path)
	}
	return b.String(), nil
}

// grant is a right on a folder or a file, in the words of icacls.
type grant struct{ path, rights string }

func (s Service) grants() []grant {
	const change, read = "(OI)(CI)M", "R"
	all := []grant{{s.State, change}, {s.LogDir, change}}
	for _, folder := range s.Shared {
		all = append(all, grant{folder, change})
	}
	all = append(all, grant{s.Config, read}, grant{s.Program, "RX"})
	for _, file := range s.Secret {
		all = append(all, grant{file, read})
	}
	return all
}

// connect opens the service manager.
func connect() (*mgr.Mgr, error) {
	m, err := mgr.Connect()
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return nil, fmt.Errorf("%w: say it once more in a console that was started as administrator", ErrRights)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the service manager: %w", err)
	}
	return m, nil
}

// with opens an installed service for work.
func with(name string, work func(*mgr.Service) error) (err error) {
	m, err := connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	s, err := m.OpenService(name)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return fmt.Errorf("service %s: %w; gondola service install makes it", name, ErrNotInstalled)
	}
	if err != nil {
		return fmt.Errorf("open service %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return work(s)
}

// Install makes the service, gives its account what it needs, and has it started with the machine. It may be repeated, and has to be when
// the config names other folders. What is left for a person to do is returned, a sentence each.
func (Manager) Install(ctx context.Context, s Service) (notes []string, err error) {
	m, err := connect()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	config := mgr.Config{
		ServiceType: windows.SERVICE_WIN32_OWN_PROCESS, StartType: mgr.StartAutomatic, ErrorControl: mgr.ErrorNormal,
		DisplayName: displayName, Description: description, ServiceStartName: s.User,
	}
	if s.Name != DefaultName {
		config.DisplayName += " (" + s.Name + ")"
	}
	service, err := m.OpenService(s.Name)
	if err == nil {
		err = change(service, config, windows.ComposeCommandLine(s.command()))
	} else {
		command := s.command()
		service, err = m.CreateService(s.Name, command[0], config, command[1:]...)
	}
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", s.Name, err)
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	if notes, err = settle(service); err != nil {
		return notes, fmt.Errorf("install %s: %w", s.Name, err)
	}
	notes = append(notes, s.enableEvents()...)
	for _, folder := range []string{s.State, s.LogDir} {
		if err := durable.MkdirAll(folder); err != nil {
			return notes, fmt.Errorf("make folder: %w", err)
		}
	}
	return append(notes, s.allow(ctx)...), nil
}

// settle sets what the service manager does by itself. What a Windows does not know is a note: the service works without it.
func settle(s *mgr.Service) (notes []string, err error) {
	one := func(what string, err error) error {
		if errors.Is(err, windows.ERROR_INVALID_LEVEL) {
			notes = append(notes, "This Windows does not know "+what+".")
			return nil
		}
		if err != nil {
			return fmt.Errorf("set %s: %w", what, err)
		}
		return nil
	}
	late := uint32(1)                         // SERVICE_DELAYED_AUTO_START_INFO
	wait := uint32(StopWithin.Milliseconds()) // SERVICE_PRESHUTDOWN_INFO; where nothing is set, newer ones wait for 10 s
	return notes, errors.Join(
		one("how to start a service anew", s.SetRecoveryActions(recovery(), recoveryReset)),
		one("how to start a service anew that ended with an error", s.SetRecoveryActionsOnNonCrashFailures(true)),
		one("how to start a service after the others",
			windows.ChangeServiceConfig2(s.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&late)))),
		one("how to wait for a service at the shutdown",
			windows.ChangeServiceConfig2(s.Handle, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, (*byte)(unsafe.Pointer(&wait)))),
	)
}

// change makes a service that is installed what it would be if it were installed now. What else the administrator has set stays.
func change(service *mgr.Service, c mgr.Config, command string) error {
	texts := make([]*uint16, 3)
	for i, text := range []string{command, c.ServiceStartName, c.DisplayName} {
		var err error
		if texts[i], err = windows.UTF16PtrFromString(text); err != nil {
			return err
		}
	}
	return windows.ChangeServiceConfig(service.Handle, c.ServiceType, c.StartType, c.ErrorControl, texts[0], nil, nil, nil, texts[1], nil, texts[2])
}

// enableEvents lets the service write into the event log.
func (s Service) enableEvents() []string {
	err := eventlog.InstallAsEventCreate(s.Name, eventlog.Error|eventlog.Warning|eventlog.Info)
	if err == nil || eventSourceExists(s.Name) {
		return nil
	}
	return []string{fmt.Sprintf("Why the service ended will not be in the event log (%v), only in %s.", err, s.LogDir)}
}

// eventSourceExists reports whether an installation before this one has let the service write into the event log.
func eventSourceExists(name string) bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\EventLog\Application\`+name, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	return key.Close() == nil
}

// allow gives the service's account its folders and files. What it can't is a note: a share's rights are given where the share is.
func (s Service) allow(ctx context.Context) (notes []string) {
	if strings.EqualFold(s.User, "LocalSystem") {
		return nil
	}
	for _, g := range s.grants() {
		if _, err := os.Stat(g.path); err != nil {
			notes = append(notes, fmt.Sprintf("There is no %s yet: make it, and install once more.", g.path))
			continue
		}
		if out, err := exec.CommandContext(ctx, "icacls", g.path, "/grant", s.User+":"+g.rights).CombinedOutput(); err != nil {
			notes = append(notes, fmt.Sprintf("%s could not be given its rights on %s: %v: %s", s.User, g.path, err, oneLine(string(out))))
		}
		if strings.HasPrefix(g.path, `\\`) && strings.HasPrefix(s.User, virtual) {
			notes = append(notes, fmt.Sprintf("%s is a share: there the service is this computer's account. Let that write, or name an account "+
				"with --user.", g.path))
		}
	}
	return notes
}

// Uninstall stops the service and forgets it. State, folders, config and logs stay.
func (m Manager) Uninstall(ctx context.Context, name string) error {
	if s, err := m.Status(ctx, name); err == nil && s.Running {
		if err := m.Stop(ctx, name); err != nil {
			return err
		}
	}
	err := with(name, func(s *mgr.Service) error {
		if err := s.Delete(); err != nil {
			return fmt.Errorf("uninstall %s: %w", name, err)
		}
		return nil
	})
	if err == nil && eventSourceExists(name) {
		err = eventlog.Remove(name)
	}
	return err
}

// Start starts the service and waits until it works.
func (Manager) Start(ctx context.Context, name string) error {
	return with(name, func(s *mgr.Service) error {
		if err := s.Start(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
			return fmt.Errorf("start %s: %w", name, err)
		}
		state, err := await(ctx, s, svc.Running, StartWithin)
		if err == nil && state != svc.Running {
			err = errors.New("it ended again; its log and the event log say why")
		}
		if err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
		return nil
	})
}

// Stop stops the service and waits until what was on its way is finished.
func (Manager) Stop(ctx context.Context, name string) error {
	return with(name, func(s *mgr.Service) error {
		if _, err := s.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return fmt.Errorf("stop %s: %w", name, err)
		}
		if _, err := await(ctx, s, svc.Stopped, StopWithin); err != nil {
			return fmt.Errorf("stop %s: %w", name, err)
		}
		return nil
	})
}

// await waits until the service is in a state, or has stopped.
func await(ctx context.Context, s *mgr.Service, want svc.State, within time.Duration) (svc.State, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not done within %s", within))
	defer cancel()
	for {
		now, err := s.Query()
		if err != nil {
			return 0, err
		}
		if now.State == want || now.State == svc.Stopped {
			return now.State, nil
		}
		select {
		case <-ctx.Done():
			return now.State, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Status returns how the service is.
func (Manager) Status(_ context.Context, name string) (Status, error) {
	status := Status{Name: name}
	err := with(name, func(s *mgr.Service) error {
		now, err := s.Query()
		if err != nil {
			return fmt.Errorf("ask for service %s: %w", name, err)
		}
		status.Installed, status.Running = true, now.State == svc.Running
		status.State, status.PID = stateName(now.State), int(now.ProcessId)
		if status.Enabled, status.Where, err = installed(s); err != nil {
			return fmt.Errorf("ask for service %s: %w", name, err)
		}
		return nil
	})
	if errors.Is(err, ErrNotInstalled) {
		return status, nil
	}
	return status, err
}

// maxServiceConfig is the most that QueryServiceConfig ever answers, in bytes.
const maxServiceConfig = 8 << 10

// installed returns whether a service starts with the machine, and the line that starts it.
func installed(s *mgr.Service) (enabled bool, command string, err error) {
	// Aligned, as what lies in it is.
	buf := make([]windows.QUERY_SERVICE_CONFIG, maxServiceConfig/unsafe.Sizeof(windows.QUERY_SERVICE_CONFIG{}))
	var needed uint32
	if err := windows.QueryServiceConfig(s.Handle, &buf[0], uint32(uintptr(len(buf))*unsafe.Sizeof(buf[0])), &needed); err != nil {
		return false, "", err
	}
	return buf[0].StartType == mgr.StartAutomatic, windows.UTF16PtrToString(buf[0].BinaryPathName), nil
}

func stateName(s svc.State) string {
	switch s {
	case svc.Stopped:
		return "stopped"
	case svc.StartPending:
		return "starting"
	case svc.StopPending:
		return "stopping"
	case svc.Running:
		return "running"
	}
	return fmt.Sprintf("state %d", s)
}
