package drop

import (
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// workDir is where claimed files lie, inside the drop folder: the only place that one rename can always reach.
var workDir = filepath.Join(".gondola", "work")

// maxName is the longest name of a drop in bytes. With number and hyphen it stays under 255, the limit of most file systems.
const maxName = 230

// leftAlone reports whether a name says that the file is none of our business: hidden, temporary, a lock, or an answer or
// a guide of ours.
func (f Folder) leftAlone(name string) bool {
	lower := strings.ToLower(name)
	for _, prefix := range []string{".", "~$"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	for _, suffix := range []string{".tmp", ".part", ".partial", ".crdownload", ".swp"} {
		if strings.HasSuffix(lower, suffix) {
			return true
		}
	}
	if lower == "thumbs.db" || lower == "desktop.ini" {
		return true
	}
	if slices.ContainsFunc(f.Guides, func(guide string) bool { return strings.EqualFold(guide, name) }) {
		return true
	}
	return slices.ContainsFunc(f.AnswerSuffixes, func(suffix string) bool { return strings.HasSuffix(lower, strings.ToLower(suffix)) })
}

// Takes reports whether a name matches one of the patterns (as of path.Match, case ignored), or whether there are none: what
// Folder.Match does. It tells feeds apart that share a folder.
func Takes(patterns []string, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	lower := strings.ToLower(name)
	for _, pattern := range patterns {
		// New checked the patterns: there is no error to see.
		if ok, err := path.Match(strings.ToLower(pattern), lower); err == nil && ok {
			return true
		}
	}
	return false
}

// lockOf returns the file, in lower case, that a lock file of an office program tells of, and what to say about it.
func lockOf(name string) (string, Reason, bool) {
	lower := strings.ToLower(name)
	if of, ok := strings.CutPrefix(lower, "~$"); ok {
		return of, Excel, true
	}
	if of, ok := strings.CutPrefix(lower, ".~lock."); ok && strings.HasSuffix(of, "#") {
		return strings.TrimSuffix(of, "#"), LibreOffice, true
	}
	return "", "", false
}

// shortName cuts a name that leaves no room for a number, and keeps its extension: it decides how the file is read.
func shortName(name string) string {
	if len(name) <= maxName {
		return name
	}
	ext := filepath.Ext(name)
	if len(ext) > 16 {
		ext = ""
	}
	cut := maxName - len(ext)
	for back := 0; back < utf8.UTFMax && cut > 0 && !utf8.RuneStart(name[cut]); back++ {
		cut--
	}
	return name[:cut] + ext
}

// numbered returns the name of a drop with its number in front.
func numbered(seq int64, name string) string { return strconv.FormatInt(seq, 10) + "-" + name }

// parseNumbered is the inverse of numbered; false for a name that numbered does not make.
func parseNumbered(name string) (seq int64, rest string, ok bool) {
	number, rest, _ := strings.Cut(name, "-")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || seq <= 0 || rest == "" || strconv.FormatInt(seq, 10) != number {
		return 0, "", false
	}
	return seq, rest, true
}

// archiveName makes a name fit for any disk, and for the text columns and documents that quote it: the drop's own, with what
// separates paths, controls terminals or is no UTF-8 replaced.
func archiveName(name string) string {
	safe := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	// Windows drops dots and spaces at the end of a name.
	if trimmed := strings.TrimRight(safe, ". "); trimmed != safe {
		safe = trimmed + "_"
	}
	return safe
}
