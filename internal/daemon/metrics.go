package daemon

import (
	"context"
	"maps"
	"slices"
	"time"

	"gondola/internal/config"
	"gondola/internal/order"
	"gondola/internal/store"
	"gondola/internal/web"
)

// measuredFor is how far back numbers reach that are no totals.
const measuredFor = 24 * time.Hour

// measure returns the numbers of /metrics. Orders and articles are no labels, as there are many of them; stores are one only where a number
// means nothing without its store.
func (h *House) measure(ctx context.Context) ([]web.Metric, error) {
	var all []web.Metric
	for _, part := range []func(context.Context) ([]web.Metric, error){
		h.measureState, h.measureOrders, h.measureWebhook, h.measurePolls, h.measureRequests, h.measureAudits,
		h.measureAlarms, h.measureFeeds,
	} {
		some, err := part(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func one(name, help string, v float64) web.Metric {
	return web.Metric{Name: name, Help: help, Samples: []web.Sample{{Value: v}}}
}

// labelled returns a metric with a label, in the order of its values.
func labelled[K ~string](name, help, label string, by map[K]float64) web.Metric {
	m := web.Metric{Name: name, Help: help, Label: label}
	for _, k := range slices.Sorted(maps.Keys(by)) {
		m.Samples = append(m.Samples, web.Sample{Label: string(k), Value: by[k]})
	}
	return m
}

// growing says that a metric only grows.
func growing(m web.Metric) web.Metric {
	m.Counter = true
	return m
}

// instant is a time as Prometheus has them, 0 for none.
func instant(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// measureState measures what leaves, and what is wrong.
func (h *House) measureState(ctx context.Context) ([]web.Metric, error) {
	version := h.opts.Version
	if version == "" {
		version = "unknown"
	}
	waiting, err := h.store.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	states := map[string]float64{}
	for _, d := range waiting {
		states[d.State]++
	}
	book, err := h.readBook(ctx)
	if err != nil {
		return nil, err
	}
	kinds := map[string]float64{}
	for _, e := range book.Entries {
		kinds[string(e.Kind)]++
	}
	return []web.Metric{
		labelled("gondola_build_info", "The program; always 1.", "version", map[string]float64{version: 1}),
		labelled("gondola_outbox_deliveries", "Documents that are not through, by state.", "state", states),
		labelled("gondola_problems", "What is wrong now, by kind.", "kind", kinds),
	}, nil
}

// measureOrders measures orders and what the ERP is to get of them.
func (h *House) measureOrders(ctx context.Context) ([]web.Metric, error) {
	since := h.now().Add(-measuredFor)
	counts, err := h.store.CountOrders(ctx, since, h.VendorIDs())
	if err != nil {
		return nil, err
	}
	states := map[string]float64{}
	for _, s := range order.States() {
		states[string(s)] = float64(counts.States[s])
	}
	states["unknown"] = float64(counts.Strange)
	due, err := h.store.CountDue(ctx, h.VendorIDs())
	if err != nil {
		return nil, err
	}
	gaps, err := h.store.CountGaps(ctx, since)
	if err != nil {
		return nil, err
	}
	kinds := map[order.GapKind]float64{order.GapNotTold: 0, order.GapNotListed: 0, order.GapDiffers: 0}
	left := 0.0
	for _, g := range gaps {
		kinds[g.Kind] += float64(g.N)
		if g.Outcome != store.GapRepaired {
			left += float64(g.N)
		}
	}
	return []web.Metric{
		labelled("gondola_orders", "Orders that changed within a day, by state.", "state", states),
		one("gondola_orders_waiting", "Hand-overs to the ERP that wait.", float64(due)),
		labelled("gondola_order_gaps", "Orders of which events and answers told different things, found within a day, by kind.", "kind", kinds),
		one("gondola_order_gaps_unrepaired", "Of these, those that are not repaired.", left),
	}, nil
}

// measureWebhook measures what came by webhook.
func (h *House) measureWebhook(ctx context.Context) ([]web.Metric, error) {
	in, err := h.store.Inbox(ctx)
	if err != nil {
		return nil, err
	}
	numbers := func(by map[string]store.InboxCount) map[string]float64 {
		all := map[string]float64{}
		for k, c := range by {
			all[k] = float64(c.N)
		}
		return all
	}
	oldest := 0.0
	if !in.Oldest.IsZero() {
		oldest = h.now().Sub(in.Oldest).Seconds()
	}
	return []web.Metric{
		growing(one("gondola_webhook_events_total", "Events that were kept.", float64(in.Accepted.N))),
		growing(one("gondola_webhook_repeats_total", "Events that came again.", float64(in.Repeats.N))),
		growing(labelled("gondola_webhook_refused_total", "Calls that were refused, by reason.", "reason", numbers(in.Refused))),
		growing(labelled("gondola_webhook_aside_total", "Events that could not be handled, by reason.", "reason", numbers(in.Aside))),
		one("gondola_webhook_waiting", "Events that wait to be handled.", float64(in.Waiting)),
		one("gondola_webhook_waiting_seconds", "Age of the oldest of these.", oldest),
		one("gondola_webhook_last_event_timestamp_seconds", "When the last event came, 0 for never.", instant(later(in.Accepted.Last, in.Repeats.Last))),
	}, nil
}

// measurePolls measures asking for orders.
func (h *House) measurePolls(ctx context.Context) ([]web.Metric, error) {
	if _, asks := OrderSweep(h.cfg); !asks {
		return nil, nil
	}
	polls, err := h.store.Polls(ctx)
	if err != nil {
		return nil, err
	}
	oldest, failing := h.pollAge(polls)
	return []web.Metric{
		one("gondola_poll_failing_stores", "Stores whose orders could not be asked for the last time.", float64(failing)),
		one("gondola_poll_oldest_timestamp_seconds", "When the store that waits longest was last asked for its orders, 0 for never.", instant(oldest)),
	}, nil
}

// measureRequests measures what the platform makes of requests.
func (h *House) measureRequests(ctx context.Context) ([]web.Metric, error) {
	if h.cfg.Send.Catalog.By != config.ByAPI && h.cfg.Send.Promotions.By != config.ByAPI {
		return nil, nil
	}
	var open, refused float64
	for _, t := range h.targets {
		s, err := h.store.StandingOf(ctx, t.String())
		if err != nil {
			return nil, err
		}
		open, refused = open+float64(s.Open), refused+float64(s.NotTaken)
	}
	return []web.Metric{
		one("gondola_jobs_open", "Requests that the platform has not worked on yet.", open),
		one("gondola_rows_not_taken", "Rows that the platform did not take, by its last word.", refused),
	}, nil
}

// measureAudits measures what the newest audit of each store found. One that failed leaves only its time of the metrics: what an older
// one found is none of its numbers.
func (h *House) measureAudits(ctx context.Context) ([]web.Metric, error) {
	lines, err := h.auditLines(ctx)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	failed, at := map[string]float64{}, map[string]float64{}
	unknown, unsent, price, state := map[string]float64{}, map[string]float64{}, map[string]float64{}, map[string]float64{}
	for _, l := range lines {
		at[l.Vendor] = instant(l.At)
		if l.State != string(store.AuditDone) {
			failed[l.Vendor] = 1
			continue
		}
		failed[l.Vendor] = 0
		unknown[l.Vendor], unsent[l.Vendor] = float64(l.Counts.Unknown), float64(l.Counts.Unsent)
		price[l.Vendor], state[l.Vendor] = float64(l.Counts.Price), float64(l.Counts.State)
	}
	return []web.Metric{
		labelled("gondola_audit_timestamp_seconds", "When a store's newest audit ended.", "store", at),
		labelled("gondola_audit_failed", "1 where it could not be made.", "store", failed),
		labelled("gondola_audit_unknown_articles", "Articles that were sent and that the platform does not have.", "store", unknown),
		labelled("gondola_audit_unsent_articles", "Articles that the platform has and that were never sent.", "store", unsent),
		labelled("gondola_audit_price_drift", "Articles whose price the platform shows otherwise.", "store", price),
		labelled("gondola_audit_state_drift", "Articles that the platform shows on or off sale, other than sent.", "store", state),
	}, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
