package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gondola/internal/supervisor"
)

// serviceVerbs are what can be done with the service.
var serviceVerbs = []string{"install", "uninstall", "start", "stop", "status", "print"}

// serviceFlags are what the service is to be like.
type serviceFlags struct{ name, user, logs string }

// newServiceCommand installs the daemon as a service.
func newServiceCommand(a *app) *cobra.Command {
	var f serviceFlags
	c := &cobra.Command{
		Use:   "service {" + strings.Join(serviceVerbs, " | ") + "}",
		Short: "Install gondola as a service that starts with the machine, and start or stop it",
		Long: `install makes a service of gondola run with this config: a systemd unit on Linux, a service of the service
manager on Windows. It runs as a user of its own, which is made where there is none and gets the folders
that the config names: the state becomes its own, drop folders of root (of nobody else) its group's. It is
started anew when it dies or hangs, and what is on its way is finished when it stops or the machine goes
down. Install again after the config names other folders or credentials.
start and stop wait until it works, or has ended. status tells how it is, and ends with 1 when it does not
run. uninstall forgets the service; state, folders, config and user stay. print shows what install would
tell the system, and changes nothing. Several services on one machine need a --name and a config each.`,
		Example: "  gondola service install --config /etc/gondola/config.yaml\n" +
			"  gondola service start\n" +
			"  gondola service status --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(serviceVerbs, args[0]) {
				return fmt.Errorf("write gondola service and one of %s", strings.Join(serviceVerbs, ", "))
			}
			return nil
		},
		ValidArgs:   serviceVerbs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, args []string) error { return a.service(c.Context(), args[0], f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.name, "name", supervisor.DefaultName, "`NAME` of the service")
	flags.StringVar(&f.user, "user", "", "`USER` that it runs as (default: called like the service; on Windows NT SERVICE\\NAME)")
	flags.StringVar(&f.logs, "log-dir", "", "`DIR` of its log, on Windows (default: logs, beside the state)")
	return c
}

// serviceDone is what service prints with --json where a thing was done.
type serviceDone struct {
	Done  string   `json:"done"`
	Name  string   `json:"name"`
	Notes []string `json:"notes"`
}

func (a *app) service(ctx context.Context, verb string, f serviceFlags) error {
	if err := supervisor.CheckName(f.name); err != nil {
		return usagef("%w", err)
	}
	var m supervisor.Manager
	done := serviceDone{Name: f.name, Notes: []string{}}
	var err error
	switch verb {
	case "print":
		return a.printService(f)
	case "status":
		return a.serviceStatus(ctx, m, f.name)
	case "install":
		done.Done = "installed"
		var s supervisor.Service
		if s, done.Notes, err = a.serviceOf(f); err == nil {
			var more []string
			more, err = m.Install(ctx, s)
			done.Notes = append(done.Notes, more...)
		}
	case "uninstall":
		done.Done, err = "uninstalled", m.Uninstall(ctx, f.name)
	case "start":
		done.Done, err = "started", m.Start(ctx, f.name)
	case "stop":
		done.Done, err = "stopped", m.Stop(ctx, f.name)
	}
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(done)
	}
	a.printf("The service %s is %s.\n", f.name, done.Done)
	for _, note := range done.Notes {
		a.printf("- %s\n", plain(note))
	}
	if verb == "install" {
		a.printf("\nNow start it:\n\n  gondola service start%s\n", nameFlag(f.name))
	}
	return nil
}

func nameFlag(name string) string {
	if name == supervisor.DefaultName {
		return ""
	}
	return " --name " + name
}

func (a *app) serviceStatus(ctx context.Context, m supervisor.Manager, name string) error {
	s, err := m.Status(ctx, name)
	if err != nil {
		return err
	}
	code := exitDone
	if !s.Running {
		code = exitError
	}
	if a.JSON {
		if err := a.printJSON(s); err != nil {
			return err
		}
		return ended(code)
	}
	if !s.Installed {
		a.printf("There is no service %s. gondola service install makes it.\n", name)
		return ended(code)
	}
	a.printf("service    %s, %s\n", name, s.State)
	if s.Line != "" {
		a.printf("says       %s\n", plain(s.Line))
	}
	if s.Since != "" && s.Running {
		a.printf("since      %s\n", plain(s.Since))
	}
	if s.Running {
		a.printf("process    %d\n", s.PID)
	}
	if s.Restarts > 0 {
		a.printf("restarts   %d: it died or hung; the log says more\n", s.Restarts)
	}
	start := "does not start with the machine"
	if s.Enabled {
		start = "starts with the machine"
	}
	a.printf("installed  %s; it %s\n", plain(s.Where), start)
	return ended(code)
}

// printService prints what install would tell the system. Without a config it is what packages bring: the paths that the README names.
func (a *app) printService(f serviceFlags) error {
	s, notes := packaged(f), []string{}
	if a.configPath() != defaultConfig || !missing(defaultConfig) {
		var err error
		if s, notes, err = a.serviceOf(f); err != nil {
			return err
		}
	}
	text, err := s.Describe()
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(struct {
			supervisor.Service
			Text  string   `json:"text"`
			Notes []string `json:"notes"`
		}{s, text, notes})
	}
	a.printf("%s", text)
	return nil
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// packaged is the service of a package: its config is written later, where everybody looks for it.
func packaged(f serviceFlags) supervisor.Service {
	return supervisor.Service{
		Name: f.name, User: supervisor.UserOf(f.name, f.user), Program: "/usr/bin/gondola", Config: "/etc/gondola/config.yaml",
		State: "/var/lib/gondola", Shared: []string{"/srv/gondola"}, Environment: "/etc/gondola/gondola.env",
	}
}

// firstFreePort is the first port that Linux lets anybody listen on.
const firstFreePort = 1024

// serviceOf makes the service of the config, with what a person has to see to.
func (a *app) serviceOf(f serviceFlags) (s supervisor.Service, notes []string, err error) {
	cfg, err := a.look()
	if err != nil {
		return s, nil, err
	}
	s = supervisor.Service{Name: f.name, User: supervisor.UserOf(f.name, f.user), State: cfg.State.Dir, LogDir: f.logs}
	if s.Config, err = filepath.Abs(a.configPath()); err != nil {
		return s, nil, fmt.Errorf("find the config: %w", err)
	}
	if s.Program, err = os.Executable(); err != nil {
		return s, nil, fmt.Errorf("find this program: %w", err)
	}
	if s.LogDir == "" {
		s.LogDir = filepath.Join(filepath.Dir(cfg.State.Dir), "logs")
	}
	for _, feed := range cfg.Feeds {
		s.Shared = append(s.Shared, feed.Drop)
	}
	if cfg.Orders.Export.Dir != "" {
		s.Shared = append(s.Shared, cfg.Orders.Export.Dir)
	}
	slices.Sort(s.Shared)
	s.Shared = slices.Compact(s.Shared)
	home := filepath.Dir(s.Config)
	s.Environment = filepath.Join(home, f.name+".env")
	for _, file := range []string{cfg.SFTP.Key, cfg.Orders.Webhook.Key, cfg.Web.Key} {
		if file != "" {
			s.Secret = append(s.Secret, file)
		}
	}
	for _, listen := range []string{cfg.Orders.Webhook.Listen, cfg.Web.Listen} {
		if _, port, err := net.SplitHostPort(listen); err == nil && runtime.GOOS != "windows" {
			if n, err := strconv.Atoi(port); err == nil && n < firstFreePort {
				notes = append(notes, fmt.Sprintf("Port %d is for root alone, and the service is not root: listen on one from %d on, behind a proxy.",
					n, firstFreePort))
			}
		}
	}
	for _, ref := range cfg.References() {
		note := ""
		switch ref.Scheme {
		case "systemd":
			c := supervisor.Credential{Name: ref.Name, Path: filepath.Join(home, "credentials", ref.Name)}
			if !slices.Contains(s.Credentials, c) {
				s.Credentials = append(s.Credentials, c)
			}
			note = supervisor.CredentialNote(ref.Path, c)
		case "env":
			note = supervisor.EnvironmentNote(ref.Path, ref.Name, s.Environment)
		case "file":
			s.Secret = append(s.Secret, ref.Name)
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	return s, notes, nil
}
