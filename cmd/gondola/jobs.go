package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// defaultJobsSince is how far back jobs are listed where nothing else is said: yesterday's too.
const defaultJobsSince = 48 * time.Hour

// newJobsCommand lists the platform's jobs.
func newJobsCommand(a *app) *cobra.Command {
	var since string
	c := &cobra.Command{
		Use:   "jobs",
		Short: "List the platform's jobs: who sent what, when, and how it ended",
		Long: `Lists the jobs that the platform works on or has worked on, the newest first: those of requests (send: by: api)
with the exports behind them, and those that only an event told of, of files or of the Partner Portal.
A request has settled when its job has ended. One that failed as a whole goes again a few times, then waits for
gondola push --full.`,
		Example:     "  gondola jobs\n  gondola jobs --since 6h --json",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.jobs(c.Context(), since) },
	}
	c.Flags().StringVar(&since, "since", "", "jobs from this `TIME` on: 2006-01-02T15:04 in the chain's zone, RFC 3339 or 6h for six hours ago (default 48h)")
	return c
}

func (a *app) jobs(ctx context.Context, since string) error {
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		zone := zoneOf(cfg.Chain.TimeZone)
		from := time.Now().Add(-defaultJobsSince)
		if since != "" {
			var err error
			if from, err = momentOf("--since", since, time.Now(), zone); err != nil {
				return err
			}
		}
		all, err := h.JobList(ctx, from)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(all)
		}
		if len(all) == 0 {
			a.printf("No jobs.\n")
			return nil
		}
		rows := make([][]string, len(all))
		for i, j := range all {
			rows[i] = []string{j.ID, j.Kind, jobStore(j), jobSender(j), clock(j.Made, zone), fmt.Sprint(j.Rows), jobEnd(j, zone), fmt.Sprint(j.NotTaken)}
		}
		a.table([]string{"JOB", "KIND", "STORE", "SENT FOR", "ACCEPTED", "ROWS", "END", "NOT TAKEN"}, rows)
		for _, j := range all {
			if j.Problem != "" {
				a.printf("%s: %s\n", plain(j.ID), plain(j.Problem))
			}
		}
		return nil
	}, nothingYet)
}

func jobStore(j daemon.JobLine) string {
	switch j.Vendor {
	case "":
		return "-"
	case catalog.AllVendors:
		return "all"
	}
	return j.Vendor
}

// jobSender says what a job was sent for.
func jobSender(j daemon.JobLine) string {
	if !j.Ours {
		return "not by requests"
	}
	if len(j.Drops) == 0 {
		return "gondola"
	}
	return "drop " + strings.Trim(fmt.Sprint(j.Drops), "[]")
}

// jobEnd says how a job ended, or that it has not.
func jobEnd(j daemon.JobLine, zone *time.Location) string {
	switch {
	case j.Ended.IsZero() && j.Status == "":
		return "open"
	case j.Ended.IsZero():
		return "open, " + plain(j.Status)
	case j.Heard == store.HeardSilent:
		return "taken as done " + clock(j.Ended, zone)
	case j.Heard == store.HeardLost:
		return "lost " + clock(j.Ended, zone)
	}
	return plain(j.Status) + " " + clock(j.Ended, zone) + " (" + string(j.Heard) + ")"
}
