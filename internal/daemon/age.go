package daemon

import (
	"strconv"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/store"
)

// stale reports that an export is older than its feed allows. It is asked of exports that have not counted yet, when the slot comes at
// which they would: yesterday's prices that lay around while nobody was there are not today's. What has counted once stays wanted
// however old it gets, also where it is read again: an ERP that is silent has said nothing new. A rollback is as old as somebody wants it.
func (h *House) stale(l store.LayerFile) (catalog.Issue, bool) {
	f, ok := h.feed(l.Feed)
	limit := time.Duration(f.MaxAge)
	if !ok || limit == 0 || l.Was != "" || l.Undo || h.now().Sub(l.Modified) <= limit {
		return catalog.Issue{}, false
	}
	n, unit := limit/time.Minute, "minutes"
	switch {
	case limit%(24*time.Hour) == 0:
		n, unit = limit/(24*time.Hour), "days"
	case limit%time.Hour == 0:
		n, unit = limit/time.Hour, "hours"
	}
	return catalog.Issue{
		Code: catalog.DropStale, Severity: catalog.Warning,
		Args: []string{l.Modified.Format(time.RFC3339), strconv.FormatInt(int64(n), 10), unit},
	}, true
}
