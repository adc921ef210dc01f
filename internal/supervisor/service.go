package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"gondola/templates"
)

// DefaultName is what the service is called where nothing else is said; on Linux its user is called the same.
const DefaultName = "gondola"

// Service is the daemon as it is to be installed. Paths are absolute.
type Service struct {
	Name    string // letters, digits, hyphens
	Program string // path of gondola itself
	Config  string
	User    string // who it runs as

	State  string   // its folder of state, its own alone
	Shared []string // folders that it writes to and other people or programs use: of drops, of orders
	Secret []string // files that it reads and others should not

	Environment string       // file with variables, for Linux
	Credentials []Credential // for Linux
	LogDir      string       // where it writes its log, for Windows
}

// Credential is a secret that systemd reads and hands to the service.
type Credential struct{ Name, Path string }

// Status is how an installed service is.
type Status struct {
	Name      string `json:"name"`
	Installed bool   `json:"installed"`
	Enabled   bool   `json:"enabled"` // it starts with the machine
	Running   bool   `json:"running"`
	State     string `json:"state"`              // the supervisor's own word
	Line      string `json:"line,omitempty"`     // what the daemon last told of itself
	PID       int    `json:"pid,omitempty"`      // of the daemon
	Since     string `json:"since,omitempty"`    // as the supervisor writes it
	Restarts  int    `json:"restarts,omitempty"` // by the supervisor, since it was started by hand or with the machine
	Where     string `json:"where,omitempty"`    // the unit file, or the program
}

// ErrNone says that there is no supervisor that we know on this machine.
var ErrNone = errors.New("no service manager")

// ErrNotInstalled says that there is no service of that name.
var ErrNotInstalled = errors.New("not installed")

// ErrRights says that services are the administrator's.
var ErrRights = errors.New("services are the administrator's")

// CheckName reports what is wrong with the name of a service: it becomes the name of files and, on Linux, of a user.
func CheckName(name string) error {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return fmt.Errorf("%q is no name for a service; use small letters, digits and hyphens", name)
		}
	}
	if name == "" || name[0] < 'a' || len(name) > 31 {
		return fmt.Errorf("%q is no name for a service; it begins with a letter and has up to 31 characters", name)
	}
	return nil
}

// stateParent is where systemd makes folders of state.
const stateParent = "/var/lib/"

// Unit returns the text of a systemd unit for the service.
func (s Service) Unit() (string, error) {
	for _, path := range slices.Concat([]string{s.Program, s.Config, s.State, s.Environment}, s.Shared, s.Secret) {
		if path != oneLine(path) {
			return "", fmt.Errorf("write the unit: the path %q has a control character in it; rename it", path)
		}
	}
	text, err := templates.Files.ReadFile("gondola.service.tmpl")
	if err != nil {
		return "", fmt.Errorf("read template of the unit: %w", err)
	}
	layout, err := template.New("unit").Parse(string(text))
	if err != nil {
		return "", fmt.Errorf("read template of the unit: %w", err)
	}
	values := struct {
		Service
		Exec, Check, State, StateDirectory, Home, Alive, Start, Stop, Environment string
		Write                                                                     []string
	}{
		Service: s, State: unitWord(s.State), Home: "yes", Environment: unitRest(s.Environment),
		Alive: seconds(AliveWithin), Start: seconds(StartWithin), Stop: seconds(StopWithin),
	}
	values.Exec, values.Check = s.startLine("run"), s.startLine("check")
	if name, ok := strings.CutPrefix(s.State, stateParent); ok && !strings.ContainsAny(name, "/ ") {
		values.StateDirectory = unitWord(name)
	} else {
		values.Write = append(values.Write, unitWord(s.State))
	}
	for _, folder := range s.Shared {
		values.Write = append(values.Write, unitWord(folder))
	}
	values.Credentials = nil
	for _, c := range s.Credentials {
		values.Credentials = append(values.Credentials, Credential{unitRest(c.Name), unitRest(c.Path)})
	}
	// Homes are out of its sight, unless something of its own lies there.
	for _, path := range slices.Concat([]string{s.Program, s.Config, s.State}, s.Shared, s.Secret) {
		if inHome(path) {
			values.Home = "read-only"
		}
	}
	var b strings.Builder
	if err := layout.Execute(&b, values); err != nil {
		return "", fmt.Errorf("write the unit: %w", err)
	}
	return b.String(), nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// startLine returns the line by which a unit starts a command of the program.
func (s Service) startLine(name string) string {
	words := []string{s.Program, name}
	if s.Config != "" {
		words = append(words, "--config", s.Config)
	}
	for i, word := range words {
		words[i] = strings.ReplaceAll(unitWord(word), "$", "$$")
	}
	return strings.Join(words, " ")
}

// inHome reports whether a path lies where ProtectHome= hides it.
func inHome(path string) bool {
	for _, home := range []string{"/home", "/root", "/run/user"} {
		if path == home || strings.HasPrefix(path, home+"/") {
			return true
		}
	}
	return false
}

// unitWord writes a path so that systemd reads it as one word: specifiers are doubled, and what is more than a plain name is quoted.
func unitWord(text string) string {
	text = unitRest(text)
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@%:=,$", r) || r > 0x7f
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// unitRest writes a path where systemd takes the rest of the line.
func unitRest(text string) string { return strings.ReplaceAll(text, "%", "%%") }
