package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// peerPlaces says where the programs of others come from. A name with a colon is a module of an interpreter.
var peerPlaces = map[string]string{
	"mlr":                   "Debian: miller",
	"csvcut":                "Debian: csvkit",
	"python3":               "Debian: python3",
	"python3:pandas":        "Debian: python3-pandas",
	"python3:openpyxl":      "Debian: python3-openpyxl",
	"sqlite3":               "Debian: sqlite3",
	"iconv":                 "Debian: libc-bin",
	"xlsx2csv":              "Debian: xlsx2csv",
	"ssconvert":             "Debian: gnumeric",
	"libreoffice":           "Debian: libreoffice-calc-nogui",
	"sshd":                  "Debian: openssh-server",
	"ssh":                   "Debian: openssh-client",
	"sftp":                  "Debian: openssh-client",
	"lftp":                  "Debian: lftp",
	"rclone":                "Debian: rclone",
	"webhook":               "Debian: webhook",
	"node":                  "Debian: nodejs",
	"node:xlsx":             "npm: xlsx",
	"node:exceljs":          "npm: exceljs",
	"node:@duckdb/node-api": "npm: @duckdb/node-api",
}

// findPeers looks for the programs of others. Modules of Node are looked for in the folder "node" of the output folder.
func findPeers(ctx context.Context, dir string) peers {
	found := peers{}
	for name, from := range peerPlaces {
		p := peerProgram{from: from}
		switch program, module, isModule := strings.Cut(name, ":"); {
		case isModule && program == "python3":
			p.path = pythonWith(ctx, module)
		case isModule:
			if _, err := os.Stat(filepath.Join(dir, "node", "node_modules", module)); err == nil {
				p.path = filepath.Join(dir, "node")
			}
		default:
			p.path = lookUp(name)
		}
		found[name] = p
	}
	return found
}

// lookUp finds a program, also where only the administrator's path leads.
func lookUp(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if path := filepath.Join("/usr/sbin", name); isThere(path) {
		return path
	}
	return ""
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// pythonWith finds a Python that has a module: the first one of the path need not be the one that packages belong to.
func pythonWith(ctx context.Context, module string) string {
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(ctx, path, "-c", "import "+module).Run() == nil {
			return path
		}
	}
	return ""
}

// missing names what is not here, with the package that has it.
func (p peers) missing() []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if p[name].path == "" {
			all = append(all, fmt.Sprintf("%s (%s)", name, p[name].from))
		}
	}
	return all
}

func (p peers) list(out io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		where := "missing; " + p[name].from
		if p[name].path != "" {
			where = p[name].path
		}
		fmt.Fprintf(out, "%s\t%s\n", name, where)
	}
}

// machine says what the figures hold for.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d × %s, %s, %s", runtime.NumCPU(), model, runtime.GOOS, runtime.Version())
}
