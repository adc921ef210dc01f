package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// MaxIndexed is how many answers the page that lists them has.
const MaxIndexed = 50

// indexName is the page that lists the last answers, in the folder of answers.
const indexName = "index.html"

// Index returns the page that lists the last answers of one drop folder, the newest first, at most [MaxIndexed]. Only the answers'
// Name, Seq, Time and Verdict count. Of several for files of one name only the newest has a page to go to, for it took its place.
func Index(lang string, zone *time.Location, answers []Answer) (string, error) {
	w := newWords(lang)
	if w.zone = zone; zone == nil {
		w.zone = time.UTC
	}
	answers = slices.Clone(answers)
	slices.SortStableFunc(answers, func(a, b Answer) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Seq, a.Seq)) })
	answers = answers[:min(len(answers), MaxIndexed)]
	p := indexPage{Lang: w.lang, Title: w.say("index.title"), About: w.say("index.none")}
	if len(answers) > 0 {
		p.About = w.say("index.about", len(answers))
	}
	seen := map[string]bool{}
	for _, a := range answers {
		row := rowView{
			File: clean(a.Name, maxName), Verdict: string(a.Verdict), Says: sentenceCase(w.say("verdict." + string(a.Verdict))),
		}
		if !a.Time.IsZero() {
			row.Time = w.date(a.Time, "time.long")
		}
		if name := pageName(a); seen[name] {
			row.Newer = w.say("index.newer")
		} else {
			row.Href = hrefOf(name)
			seen[name] = true
		}
		p.Rows = append(p.Rows, row)
	}
	if w.err != nil {
		return "", fmt.Errorf("list answers: %w", w.err)
	}
	return execute("answers", p)
}

// indexPage is what the template of the index sees.
type indexPage struct {
	Lang, Title, About string
	Rows               []rowView
}

// rowView is one answer in the index.
type rowView struct {
	File, Verdict, Says, Time, Newer string
	Href                             any // nil where there is no page
}

// WriteIndex writes [Index] into a drop folder's folder of answers, in place of the one that is there. Whatever else lies in that folder
// is neither read nor touched.
func WriteIndex(folder, lang string, zone *time.Location, answers []Answer) error {
	text, err := Index(lang, zone, answers)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, FolderNames(lang).Answers, indexName)
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write list of answers: %w; %s", err, permission)
	}
	if err := put(path, text); err != nil {
		return fmt.Errorf("write list of answers: %w; %s", err, permission)
	}
	return nil
}
