package daemon

import (
	"path/filepath"
	"slices"
	"strings"

	"gondola/internal/report"
)

// withCorrections returns patterns that also take the annotated copies of what they take: a feed that takes stock_*.csv takes the
// corrected stock_001.csv.corregir.xlsx, in any language, for that of the chain may have changed since.
func withCorrections(match []string) []string {
	all := slices.Clone(match)
	for _, language := range report.Languages() {
		mark, ext := correctionMark(language)
		for _, pattern := range match {
			// Whoever saves a copy twice has "... (1).xlsx".
			all = append(all, pattern+mark+"*"+ext)
		}
	}
	return all
}

// correctionOf returns the name of the file that an annotated copy is of, the name itself where it is of none.
func correctionOf(name string) string {
	for _, language := range report.Languages() {
		mark, ext := correctionMark(language)
		at := strings.LastIndex(strings.ToLower(name), mark)
		if at > 0 && strings.EqualFold(filepath.Ext(name), ext) {
			return name[:at]
		}
	}
	return name
}

// correctionMark returns what stands behind a file's name in that of its annotated copy, and the ending.
func correctionMark(language string) (mark, ext string) {
	suffix := report.FolderNames(language).Workbook
	ext = filepath.Ext(suffix)
	return strings.TrimSuffix(suffix, ext), ext
}
