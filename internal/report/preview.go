package report

import (
	"cmp"
	"slices"
	"strings"

	"gondola/internal/catalog"
)

// Preview is what an export would be if it was dropped now.
type Preview struct {
	Answer // with what would be

	// Off says that articles which are missing in the export would be switched off. It says so only of one that is not Partial.
	Off bool
	// Unread says that the export is too large to be looked through while somebody waits: nothing else is known of it.
	Unread bool
	// Late says likewise that what it would change is not known, though it was read: Stores says nothing.
	Late bool
}

// PreviewPart returns a preview as a part of a page: see [Part].
func PreviewPart(p Preview) (string, error) {
	r := newReceipt(p.Answer)
	r.ahead = true
	if r.words.err == nil {
		r.words.phrases, r.words.err = statusBooks[r.words.lang]()
	}
	return r.part(r.preview(p))
}

// Part returns the receipt as a part of a page, which has the style that [Style] returns. It refers to no other file.
func Part(a Answer) (string, error) {
	r := newReceipt(a)
	l, err := r.letter()
	if err != nil {
		return "", err
	}
	return r.part(l)
}

// Style returns the style of answers, as a style sheet.
func Style() (string, error) { return execute("style", nil) }

// part lays out a letter as a part of a page.
func (r *receipt) part(l letter) (string, error) {
	v := answerPage{Verdict: string(l.verdict), Title: sentenceCase(l.title), Summary: l.summary, Facts: factsOf(l.facts)}
	for _, s := range l.sections {
		v.Sections = append(v.Sections, r.section(s))
	}
	if err := r.failed(); err != nil {
		return "", err
	}
	return execute("part", v)
}

// preview puts into words what would be.
func (r *receipt) preview(p Preview) letter {
	w := r.words
	if p.Unread {
		return letter{
			verdict: AcceptedWithIssues, title: w.say("preview.unread"), summary: w.say("preview.unread-why"),
			facts: []entry{{w.say("label.file"), clean(p.Name, maxName)}},
		}
	}
	l := letter{verdict: p.Verdict, title: w.say("preview." + string(p.Verdict)), summary: r.previewSummary()}
	understood := section{key: "understood", facts: r.understood(p)}
	sections := []section{understood}
	if p.Late {
		sections = append(sections, section{key: "note", pairs: []pair{{w.say("preview.late"), w.say("preview.late-do")}}})
	}
	for _, s := range slices.Concat(sections, r.stores(), r.held(), r.issues()) {
		switch s.key {
		case "understood", "stores":
			s.title = w.say("preview." + s.key)
		default:
			s.title = w.say("section." + s.key)
		}
		l.sections = append(l.sections, s)
	}
	return l
}

func (r *receipt) previewSummary() string {
	a, w := r.answer, r.words
	switch {
	case a.Verdict == Rejected:
		return w.say("preview.rejected-do")
	case a.RowsRejected > 0:
		return w.say("summary.partly", a.Rows-a.RowsRejected, a.Rows, a.RowsRejected)
	case a.Verdict == Held:
		return w.say("summary.used", a.Rows) + " " + w.say("preview.held-why")
	}
	return w.say("summary.used", a.Rows)
}

// understood says how the file was read: what whoever dropped it can compare with what they meant.
func (r *receipt) understood(p Preview) []entry {
	w := r.words
	all := []entry{{w.say("label.file"), clean(p.Name, maxName)}}
	if p.Feed != "" {
		kind := "preview.catalog"
		if p.Kind == catalog.KindPromotions {
			kind = "preview.promotions"
		}
		all = append(all, entry{w.say("preview.as"), w.say(kind, clean(p.Feed, maxQuote))})
	}
	if p.Verdict != Rejected {
		speaks := "preview.full-keep"
		switch {
		case p.Partial:
			speaks = "preview.partial"
		case p.Off:
			speaks = "preview.full-off"
		}
		all = append(all, entry{w.say("preview.speaks"), w.say(speaks)})
	}
	read := []string{r.read()}
	if p.Reading.Encoding != "" {
		read = append(read, w.say("read.encoding", clean(p.Reading.Encoding, maxQuote)))
	}
	all = append(all, entry{w.say("label.read"), strings.Join(slices.DeleteFunc(read, func(s string) bool { return s == "" }), ", ")})
	for _, c := range p.Reading.Columns {
		key, proof := "preview.column", ""
		if convention := cmp.Or(c.Decimal, c.Date); convention != "" && w.has(key+"-"+convention) {
			key += "-" + convention
		}
		if c.Proof != "" && c.ProofRow > 0 {
			proof = w.say("read.proof", clean(c.Proof, maxQuote), c.ProofRow)
		}
		label := c.Role
		if w.has("role." + c.Role) {
			label = capital(w.say("role." + c.Role))
		}
		all = append(all, entry{label, w.say(key, clean(c.Header, maxQuote), proof)})
	}
	return all
}

// upcoming says when a store's part would go.
func (r *receipt) upcoming(s StoreAnswer) ([]string, storeState) {
	w := r.words
	switch {
	case len(s.Held) > 0 || len(r.answer.Held) > 0 || s.OnlyHeld:
		return nil, stateHeld
	case s.Unchanged:
		return []string{w.say("store.unchanged")}, stateNone
	case s.Paused:
		return []string{w.say("preview.paused")}, stateWaits
	case !s.Next.IsZero():
		return []string{w.say("preview.next", w.date(s.Next, "time.short"))}, stateWaits
	}
	return nil, stateWaits
}
