package daemon

import (
	"context"

	"gondola/internal/alert"
	"gondola/internal/web"
)

// measureAlarms measures what alarms know and whether they get through.
func (h *House) measureAlarms(ctx context.Context) ([]web.Metric, error) {
	book, err := h.readBook(ctx)
	if err != nil {
		return nil, err
	}
	states := map[alert.State]float64{alert.OK: 0, alert.Waiting: 0, alert.Failing: 0, alert.Stopped: 0}
	if book.State != "" {
		states[book.State] = 1
	}
	told := map[alert.Kind]float64{}
	for _, e := range book.Entries {
		if e.Loud != "" {
			told[e.Loud]++
		}
	}
	targets, err := h.store.AlertTargets(ctx)
	if err != nil {
		return nil, err
	}
	failing := 0.0
	for _, t := range targets {
		if t.Failures >= toldFailures {
			failing++
		}
	}
	return []web.Metric{
		labelled("gondola_state", "1 at the state that alarms are about.", "state", states),
		labelled("gondola_problems_told", "Problems that deserve an alarm, by kind.", "kind", told),
		one("gondola_alarm_targets", "Who is told.", float64(len(h.alarms))),
		one("gondola_alarm_targets_failing", "Of these, those that alarms do not get through to.", failing),
	}, nil
}

// measureFeeds measures what comes in, and when it was last looked at what is to go out.
func (h *House) measureFeeds(ctx context.Context) ([]web.Metric, error) {
	exports := map[string]float64{}
	for _, f := range h.feeds {
		last, err := h.store.LastExport(ctx, f.Name, "")
		if err != nil {
			return nil, err
		}
		exports[f.Name] = instant(last)
	}
	slots := map[string]float64{}
	for _, t := range h.timetables {
		last, err := h.store.LastSlot(ctx, t.name)
		if err != nil {
			return nil, err
		}
		slots[t.name] = instant(last)
	}
	return []web.Metric{
		labelled("gondola_feed_last_export_timestamp_seconds", "When the last export of a feed came that was not rejected, 0 for never.", "feed", exports),
		labelled("gondola_slot_timestamp_seconds", "When a schedule last came by, 0 for never.", "schedule", slots),
	}, nil
}
