package feed

import (
	"slices"

	"gondola/internal/catalog"
)

// journal keeps issues in bounded memory and counts them all. Each severity has its own room, so that ten thousand notes about
// rounding do not push out the one error that comes after them.
type journal struct {
	counts map[catalog.Code]int
	kept   map[catalog.Severity][]entry
	next   int
}

// entry is an issue and when it came.
type entry struct {
	order int
	issue catalog.Issue
}

// newJournal returns an empty journal.
func newJournal() *journal {
	return &journal{counts: map[catalog.Code]int{}, kept: map[catalog.Severity][]entry{}}
}

// add counts an issue and keeps it where there is room. What concerns the whole export is rare, and always kept.
func (j *journal) add(is catalog.Issue) {
	j.counts[is.Code]++
	j.next++
	if kept := j.kept[is.Severity]; len(kept) < MaxIssues || is.Row == 0 {
		j.kept[is.Severity] = append(kept, entry{order: j.next, issue: is})
	}
}

// list returns the MaxIssues gravest: what concerns the whole export first, then in the order in which they came.
func (j *journal) list() []catalog.Issue {
	var whole, rows []entry
	for _, severity := range []catalog.Severity{catalog.Error, catalog.Warning, catalog.Note} {
		for _, e := range j.kept[severity] {
			if e.issue.Row == 0 {
				whole = append(whole, e)
			} else {
				rows = append(rows, e)
			}
		}
	}
	rows = rows[:min(len(rows), max(0, MaxIssues-len(whole)))]
	whole = whole[:min(len(whole), MaxIssues)]
	slices.SortFunc(whole, byOrder)
	slices.SortFunc(rows, byOrder)
	issues := make([]catalog.Issue, 0, len(whole)+len(rows))
	for _, e := range append(whole, rows...) {
		issues = append(issues, e.issue)
	}
	return issues
}

func byOrder(a, b entry) int { return a.order - b.order }
