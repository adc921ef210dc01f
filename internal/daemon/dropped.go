package daemon

import (
	"context"
	"fmt"

	"gondola/internal/report"
)

// Dropped is one drop and what was found in it.
type Dropped struct {
	Seq      int64       `json:"drop"`
	Feed     string      `json:"feed"`
	Name     string      `json:"name"`
	Size     int64       `json:"size"` // bytes
	Rows     int         `json:"rows"`
	Records  int         `json:"records"` // articles understood
	Rejected int         `json:"rejected"`
	Issues   []IssueText `json:"issues"`  // as many as were kept, by row
	Counted  int         `json:"counted"` // all issues there were
	Receipt  string      `json:"receipt"` // where the answer is, or will be in a moment
}

// Dropped looks a drop up that was taken. Its issues come in a language of package report, whatever the chain speaks: staff and
// admin may not share one.
func (h *House) Dropped(ctx context.Context, seq int64, language string) (Dropped, error) {
	d, ok, err := h.store.Drop(ctx, seq)
	if err != nil {
		return Dropped{}, err
	}
	if !ok {
		return Dropped{}, fmt.Errorf("look up drop %d: no such drop; `gondola status` names the last one of each feed", seq)
	}
	out := Dropped{
		Seq: d.Seq, Feed: d.Feed, Name: d.Name, Size: d.Size, Rows: d.Outcome.Rows, Records: d.Outcome.Records,
		Rejected: d.Outcome.Rejected, Issues: []IssueText{}, Counted: issueCount(d.Outcome.Counts),
	}
	for _, is := range d.Outcome.Issues {
		out.Issues = append(out.Issues, issueText(language, is))
	}
	if f, ok := h.feed(d.Feed); ok {
		out.Receipt = report.Path(f.Drop, report.Answer{Language: h.cfg.Chain.Language, Name: d.Name, Seq: d.Seq})
	}
	return out, nil
}
