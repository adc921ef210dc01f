// Package templates holds the texts that are filled in for people: the words of receipts in every language, and the files that a new
// installation starts from. It embeds them and knows nothing about them.
package templates

import "embed"

// Files are the texts, under their names in this folder:
//
//   - receipt.<language>.txt.tmpl: the words of a receipt, one named text/template a phrase,
//   - init/config.yaml: the starter configuration, whose CHANGE-ME are to be filled in,
//   - init/<language>.csv: a starter spreadsheet.
//
//go:embed receipt.*.txt.tmpl init
var Files embed.FS
