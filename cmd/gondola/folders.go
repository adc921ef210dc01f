package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gondola/internal/config"
)

// checkFolders warns of folders that gondola could not work in as the user that runs this command. They are warnings because the
// service may be another user, and because a share may be offline just now.
func checkFolders(cfg *config.Config) []config.Problem {
	var found []config.Problem
	warn := func(path string, err error) {
		if err != nil {
			p := cfg.Problem(path, "%s", err)
			p.Warning = true
			found = append(found, p)
		}
	}
	warn("state.dir", writable(existing(cfg.State.Dir)))
	for i, f := range cfg.Feeds {
		warn(fmt.Sprintf("feeds[%d].drop", i), writable(f.Drop))
	}
	return found
}

// existing returns the nearest folder at or above path that is there: the state folder is made where it is missing.
func existing(path string) string {
	for {
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// writable reports why nobody could work in a folder. It makes a file there and removes it again: rights, read-only mounts and full
// disks have no other test in common. The name begins with a dot, so a daemon that watches the folder takes no notice.
func writable(folder string) error {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Never made by itself: a share that is not mounted looks the same, and files would end up below its mount point.
		return fmt.Errorf("there is no folder %s; make it, or mount the share it is on", folder)
	case err != nil:
		return fmt.Errorf("can't look at the folder: %w; let the user that runs gondola read it", err)
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder; remove it, or correct the path", folder)
	}
	file, err := os.CreateTemp(folder, ".gondola-check-*")
	if err != nil {
		return fmt.Errorf("can't write into %s: %w; let the user that runs gondola write there", folder, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}
