package daemon

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gondola/internal/store"
)

// JobLine is one job of the platform.
type JobLine struct {
	ID       string      `json:"job"`
	Kind     string      `json:"kind,omitempty"`   // catalog or promotion
	Vendor   string      `json:"vendor,omitempty"` // * where it is for all stores, "" where the platform did not say
	Ours     bool        `json:"ours"`             // it works on a request of ours; else it is of a file, or of the portal
	Document string      `json:"document,omitempty"`
	Rows     int         `json:"rows,omitempty"`
	Drops    []int64     `json:"drops,omitempty"` // the exports behind the request
	Made     time.Time   `json:"made"`            // when the platform accepted the request, or the job was first heard of
	Status   string      `json:"status"`          // as the platform last said
	Ended    time.Time   `json:"ended,omitzero"`
	Heard    store.Heard `json:"heard,omitempty"` // how its end is known: event, poll; silent: it was never told; lost: the platform forgot it
	NotTaken int         `json:"not_taken"`
	Next     time.Time   `json:"next,omitzero"` // when it is asked for next
	Problem  string      `json:"problem,omitempty"`
}

// JobList lists the platform's jobs since a time and those that have not ended, the newest first. It works beside a running daemon.
func (h *House) JobList(ctx context.Context, since time.Time) ([]JobLine, error) {
	jobs, err := h.store.Jobs(ctx, since)
	if err != nil {
		return nil, err
	}
	all := make([]JobLine, len(jobs))
	for i, j := range jobs {
		all[i] = jobLineOf(j)
	}
	return all, nil
}

func jobLineOf(j store.Job) JobLine {
	t := parseTarget(j.Target)
	line := JobLine{
		ID: j.ID, Kind: j.Kind, Vendor: t.Vendor, Ours: j.Delivery > 0, Document: j.Name, Rows: j.Rows, Made: j.Made, Status: j.Status,
		Ended: j.Ended, Heard: j.Heard, NotTaken: j.Rejected, Next: j.Next, Problem: j.Error,
	}
	if line.Vendor == "" {
		line.Vendor = j.Vendor
	}
	if j.Kind == "" && t.Kind != "" {
		line.Kind = strings.TrimSuffix(string(t.Kind), "s")
	}
	for word := range strings.FieldsSeq(j.Drops) {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil {
			line.Drops = append(line.Drops, n)
		}
	}
	return line
}
