package main

import (
	"embed"
	"os"
	"path/filepath"
)

// scripts are what makes programs of languages: a peer is called as people call it there.
//
//go:embed scripts
var scripts embed.FS

// script returns the path of a script, which is written into the output folder. One that can't be written is told by whoever reads it.
func (b *bench) script(name string) string {
	path := filepath.Join(b.dir, "scripts", name)
	text, err := scripts.ReadFile("scripts/" + name)
	if err == nil && os.MkdirAll(filepath.Dir(path), 0o755) == nil {
		_ = os.WriteFile(path, text, 0o644) // told by whoever reads it
	}
	return path
}
