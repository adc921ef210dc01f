package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStateDirOfAFileWithMistakes(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"default":              {"chain: {}\n", "state"},
		"section with mistake": {"bogus: 1\nstate:\n  dir: elsewhere\n", "elsewhere"},
		"flow with mistake":    {"bogus: 1\nstate: {dir: elsewhere, min_free: x}\n", "elsewhere"},
		"no YAML, section":     {"vendors: [\nstate: # ours\n  # on a local disk\n  min_free: 1GB\n  dir: \"else where\" # so\nsftp:\n  dir: x\n", "else where"},
		"no YAML, flow":        {"a: \"b\nstate: {min_free: 1GB, dir: elsewhere}\n", "elsewhere"},
		"no YAML, nothing":     {"a: \"b\n", "state"},
		"no YAML, other dir":   {"orders:\n  export:\n    dir: orders\n\tx", "state"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, want := StateDir(path), filepath.Join(dir, c.want); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := StateDir(filepath.Join(t.TempDir(), "none.yaml")); got != "" {
		t.Errorf("of no file: %q", got)
	}
}
