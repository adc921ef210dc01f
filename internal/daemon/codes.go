package daemon

import (
	"gondola/internal/catalog"
	"gondola/internal/report"
)

// CodeText is what a code of an issue means, in one language.
type CodeText struct {
	Code  catalog.Code `json:"code"`
	Title string       `json:"title"`
	Do    string       `json:"do"` // what to do about it
}

// Codes lists the codes of all issues with what answers say of them.
func Codes(language string) []CodeText {
	all := make([]CodeText, len(catalog.Codes))
	for i, code := range catalog.Codes {
		title, do := report.Meaning(language, code)
		all[i] = CodeText{Code: code, Title: title, Do: do}
	}
	return all
}

// Languages lists the languages that people are answered in.
func Languages() []string { return report.Languages() }
