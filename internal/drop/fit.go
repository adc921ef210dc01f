package drop

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// reserved are the names that Windows gives to devices, whatever ending stands behind them.
var reserved = []string{
	"con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
	"lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
}

// FitName makes a name that somebody sent from elsewhere fit for a file in any drop folder: without the folders before it, without what
// controls terminals or changes the direction of writing, without what Windows gives to devices or drops, and short enough for a number
// in front. It returns false for a name that a watch of the folder leaves alone, of a hidden or unfinished file, a lock, a guide or an
// answer: a file under it would lie there for ever. Of the folder, Guides and AnswerSuffixes count.
func FitName(f Folder, name string) (string, bool) {
	// Some browsers send the whole path, and a path of Windows has its own separator.
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	name = shortName(archiveName(strings.TrimSpace(name)))
	stem, _, _ := strings.Cut(name, ".")
	if slices.Contains(reserved, strings.ToLower(strings.TrimSpace(stem))) {
		name = shortName("_" + name)
	}
	if name == "" || f.leftAlone(name) {
		return "", false
	}
	return name, true
}

// Claimed reports whether a drop folder's work folder holds a file that had a name when it was claimed.
func Claimed(folder, name string) (bool, error) {
	entries, err := os.ReadDir(filepath.Join(folder, workDir))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for claimed files: %w", err)
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		_, rest, ok := parseNumbered(e.Name())
		return ok && rest == name
	}), nil
}

// IsFull reports whether something failed because a disk is full, or a quota used up.
func IsFull(err error) bool { return isFull(err) }
