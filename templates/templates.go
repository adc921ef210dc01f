// Package templates holds the texts that are filled in for people: the words of receipts in every language, and the files that a new
// installation starts from. It embeds them and knows nothing about them.
package templates

import "embed"

// Files are the texts, under their names in this folder:
//
//   - receipt.<language>.txt.tmpl: the words of a receipt, one named text/template a phrase,
//   - answer.html.tmpl: the page of one answer and the style of all, answers.html.tmpl: the list of the last ones, part.html.tmpl: an
//     answer as a part of another page; all html/template, without a word of their own,
//   - status.<language>.txt.tmpl: what the status page and alarms say, one phrase each, read together with those of receipts,
//   - frame.html.tmpl: what every page of the daemon has around what it shows; status.html.tmpl: the status page, with its parts in
//     parts.html.tmpl and orders.html.tmpl; sku.html.tmpl: the story of an article; answered.html.tmpl: the answer to an export; all
//     html/template,
//   - drop.html.tmpl: the pages on which files are dropped, html/template, with drop.css, what they have beside the style of answers, and
//     drop.js, which makes them quicker and is not needed,
//   - actions.html.tmpl: what the page offers to whoever may decide; act, pause and login.html.tmpl: the pages that ask,
//     act-frame.html.tmpl: what these have in common,
//   - status.css: their style, live.js: the script that keeps the status page up to date, favicon.svg: their picture,
//   - init/config.yaml.tmpl: the starter configuration, a text/template for what depends on the language; its CHANGE-ME are to be
//     filled in by people,
//   - gondola.service.tmpl: the systemd unit, a text/template for who runs it and what it may write to,
//   - init/guide.html.tmpl: the page for store staff that lies in a drop folder, html/template, without a word of its own,
//   - init/<language>.json: the texts of the starter spreadsheets and of that page.
//
// monitoring/ is not among them: rules for Prometheus and a dashboard for Grafana, for packages and people to copy.
//
//go:embed receipt.*.txt.tmpl answer.html.tmpl answers.html.tmpl part.html.tmpl status.*.txt.tmpl frame.html.tmpl status.html.tmpl
//go:embed parts.html.tmpl orders.html.tmpl actions.html.tmpl act.html.tmpl act-frame.html.tmpl pause.html.tmpl login.html.tmpl
//go:embed sku.html.tmpl answered.html.tmpl status.css live.js favicon.svg drop.html.tmpl drop.css drop.js init gondola.service.tmpl
var Files embed.FS
