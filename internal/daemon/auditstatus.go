package daemon

import (
	"context"
	"time"

	"gondola/internal/alert"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// AuditLine is the newest audit of a store in short.
type AuditLine struct {
	Vendor string            `json:"store"`
	At     time.Time         `json:"at"`
	Source string            `json:"source"` // list, export or file
	State  string            `json:"state"`  // done or failed
	Counts shelf.AuditCounts `json:"counts"`
	Error  string            `json:"error,omitempty"`
	Much   bool              `json:"much,omitempty"` // more is otherwise than somebody's slip explains: it is a problem
}

// muchDrift is the share of what was sent that is no slip when the platform shows it otherwise: then files are not read, or another
// program writes. In stores with fewer articles than brake.min_rows a few are a large share, and nothing is said.
const muchDrift = 0.2

// auditLines returns the newest audits of the config's stores, by store.
func (h *House) auditLines(ctx context.Context) ([]AuditLine, error) {
	all, err := h.store.LastAudits(ctx)
	if err != nil {
		return nil, err
	}
	var lines []AuditLine
	for _, a := range all {
		if _, ok := h.vendor(a.Vendor); !ok {
			continue
		}
		l := AuditLine{Vendor: a.Vendor, At: a.Done, Source: string(a.Source), State: string(a.State), Counts: a.Counts, Error: a.Error}
		c := a.Counts
		judged := c.Sent - c.Unread
		l.Much = a.State == store.AuditDone && judged >= h.cfg.Brake.MinRows && float64(c.Unknown+c.Drifted) > muchDrift*float64(judged)
		lines = append(lines, l)
	}
	return lines, nil
}

// driftProblems finds stores in which the platform shows much of what was sent otherwise. It is one problem, however many they are, and
// lasts until an audit finds it gone.
func (h *House) driftProblems(ctx context.Context, l *problemList) error {
	lines, err := h.auditLines(ctx)
	if err != nil {
		return err
	}
	var worst AuditLine
	stores, all := 0, 0
	for _, a := range lines {
		n := a.Counts.Unknown + a.Counts.Drifted
		if !a.Much {
			continue
		}
		stores, all = stores+1, all+n
		if n > worst.Counts.Unknown+worst.Counts.Drifted {
			worst = a
		}
	}
	p := alert.Problem{Key: "drift", Kind: alert.Drift}
	name := h.storeName(l.say, worst.Vendor)
	switch stores {
	case 0:
	case 1:
		p.Store = worst.Vendor
		l.add(p, name, all, worst.Counts.Sent-worst.Counts.Unread)
	default:
		var textErr, doErr error
		p.Text, textErr = l.say.Say("drift.many.text", stores, name, all)
		p.Do, doErr = l.say.Say("drift.do")
		if l.phrase == nil {
			l.phrase = textErr
		}
		if l.phrase == nil {
			l.phrase = doErr
		}
		l.all = append(l.all, p)
	}
	return nil
}
