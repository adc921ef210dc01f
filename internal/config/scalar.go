package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// bareScalar is text that YAML takes for itself anywhere, without quotes.
var bareScalar = regexp.MustCompile(`^\p{L}[\p{L}\p{N}./_()-]*( [\p{L}\p{N}./_()][\p{L}\p{N}./_()-]*)*$`)

// Scalar writes text as one YAML value that is a string, in quotes only where YAML, in one of its versions, would take it for something
// else.
func Scalar(text string) string {
	words := []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
	if bareScalar.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}
