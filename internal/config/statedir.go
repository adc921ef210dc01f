package config

import (
	"os"
	"path/filepath"
	"regexp"
)

// stateForms find state.dir where the file is no YAML at all, in the two ways that people write it.
var stateForms = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^state:[ \t]*\{[^}\n]*\bdir:[ \t]*["']?([^"',}\n#]*[^"',}\n# \t])`),
	regexp.MustCompile(`(?m)^state:[ \t]*(?:#.*)?\r?\n(?:[ \t]+.*\r?\n|[ \t]*#.*\r?\n|\r?\n)*?[ \t]+dir:[ \t]*["']?([^"'\r\n#]*[^"'\r\n# \t])`),
}

// StateDir returns the folder of state that a config file names, as well as it can be made out where the file has mistakes: for who looks
// for the daemon that goes on without them. It is "" where the file can't be read.
func StateDir(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return ""
	}
	c := defaults()
	d := newDecoder(path, dir, data)
	if root := d.document(data); root != nil {
		d.root(root, c)
		return absolute(dir, c.State.Dir)
	}
	for _, form := range stateForms {
		if found := form.FindSubmatch(data); found != nil {
			return absolute(dir, string(found[1]))
		}
	}
	return absolute(dir, c.State.Dir)
}
