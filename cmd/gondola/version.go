package main

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is what is known of how this program was built.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"` // there were changes that no commit has
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// newVersionCommand says which program this is.
func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Say which version this is",
		Long:        "Says which version this is, from which revision it was built, and for which system.",
		Example:     "  gondola version --json",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if a.JSON {
				return a.printJSON(v)
			}
			a.printf("gondola %s (%s, %s)\n", v.Version, v.Go, v.Platform)
			return nil
		},
	}
}

// buildVersion reads what the Go tool stamps into every program that it builds in a repository: nothing has to be passed at build
// time, and nothing can be forgotten.
func buildVersion() version {
	v := version{Version: "(unknown)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version = cmp.Or(info.Main.Version, v.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
