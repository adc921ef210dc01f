package config

import (
	"path/filepath"
	"testing"
)

// TestConfigsOfEarlierVersions reads the configs that earlier versions were given: a new one takes them as they are.
func TestConfigsOfEarlierVersions(t *testing.T) {
	t.Setenv("GONDOLA_SFTP_PASSWORD", "x")
	paths, err := filepath.Glob("../../testdata/versions/*/config.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatalf("%d configs of earlier versions, %v", len(paths), err)
	}
	for _, path := range paths {
		if _, err := Look(path); err != nil {
			t.Errorf("a key was renamed or forbidden: take the old one, too, or say what to write instead:\n%v", err)
		}
	}
}
