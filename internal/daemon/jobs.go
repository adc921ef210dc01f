package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

const (
	// jobLimit is how long a job may take to end. After it the job is taken as ended, so that one that is never told of does not keep its
	// store from being sent anything more. How long jobs take is [unknown]; what they change is visible after 50 minutes at most [doc].
	jobLimit = time.Hour
	// jobUnknown is how long the platform may not know a job that it has named itself, before its request is sent again [assumed].
	jobUnknown = 15 * time.Minute
	// jobsAtOnce is how many jobs are asked for in one round, so that a stop does not wait for all of them.
	jobsAtOnce = 10
)

// jobSteps is after which times a job is asked for, one after the other, the last one over and over: small jobs are done in seconds
// [assumed], and nobody hurries a large one by asking.
func jobSteps() []time.Duration {
	return []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}
}

// againSteps is after which times a request goes again whose job failed as a whole. After the last one it is parked, and a person told.
func againSteps() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 20 * time.Minute}
}

// askJobs asks for the jobs whose end is not known and whose turn has come. It is a loop of the daemon.
func (h *House) askJobs(ctx context.Context) error {
	h.jobsNext = time.Time{}
	if h.rest == nil {
		return nil
	}
	hold, err := h.store.Hold(ctx, outbox.ByAPI)
	if err != nil || hold != nil {
		return err // who was refused does not knock
	}
	due, err := h.store.JobsDue(ctx, h.now(), jobsAtOnce)
	if err != nil {
		return err
	}
	var young time.Time // when the first of those is asked for that were accepted a moment ago
	for _, j := range due {
		if first := j.Made.Add(jobSteps()[0]); j.Asked == 0 && h.now().Before(first) {
			young = earlier(young, first)
			continue
		}
		if err := h.askJob(ctx, j); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	next, err := h.store.NextJob(ctx, h.now())
	if next.After(h.now()) || young.IsZero() {
		young = earlier(young, next)
	}
	h.jobsNext = young
	return err
}

// askJob asks for one job. What the platform or the network does is written down with it; the error is ours.
func (h *House) askJob(ctx context.Context, j store.Job) error {
	ask := h.rest.CatalogJob
	if parseTarget(j.Target).Kind == catalog.KindPromotions {
		ask = h.rest.PromotionJob
	}
	job, err := ask(ctx, j.ID)
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil:
		return h.heed(ctx, job, store.HeardPoll)
	case apiClass(err) == outbox.Credentials:
		return h.holdRequests(ctx, err)
	}
	heed := h.heedOf(j)
	heed.Error = err.Error()
	switch age := h.now().Sub(j.Made); {
	case errors.Is(err, platform.ErrNotFound) && age >= jobUnknown:
		heed.Error = "the platform does not know the job that it named: " + err.Error()
		h.lose(&heed, j)
	case apiClass(err) == outbox.Transient && age >= jobLimit:
		// That nobody could ask is no silence of the platform's: the job may have failed. To send the same again changes nothing else.
		heed.Error = "its end could not be asked for: " + err.Error()
		h.lose(&heed, j)
	}
	return h.heard(ctx, heed, j)
}

// lose ends a job of which nothing will be heard any more.
func (h *House) lose(heed *store.Heed, j store.Job) {
	heed.Ended, heed.Heard, heed.Next = h.now(), store.HeardLost, time.Time{}
	h.fail(heed, j)
}

// holdRequests stops all requests after a refused login.
func (h *House) holdRequests(ctx context.Context, refused error) error {
	salt, err := h.salt(ctx)
	if err != nil {
		return err
	}
	// A login that can't be resolved is the empty one, as in the outbox.
	login, _ := h.apiLogin(salt)()
	return h.queueAPI.SetHold(ctx, &outbox.Hold{Class: outbox.Credentials, Login: login, Text: refused.Error(), At: h.now()})
}

// jobEvent takes what an event told of a job. One of none of our requests, of a file or of the portal, is kept and shown.
func (h *House) jobEvent(ctx context.Context, job platform.Job) error {
	return h.heed(ctx, job, store.HeardEvent)
}

// heedOf begins what is to be written down of a job: nothing new, and the next time that it is asked for.
func (h *House) heedOf(j store.Job) store.Heed {
	heed := store.Heed{Job: j, At: h.now()}
	if j.Delivery == 0 {
		heed.Next = time.Time{}
		return heed
	}
	steps := jobSteps()
	heed.Asked++
	heed.Next = h.now().Add(steps[min(heed.Asked, len(steps)-1)])
	if h.now().Sub(j.Made) >= jobLimit {
		heed.Ended, heed.Heard, heed.Next = h.now(), store.HeardSilent, time.Time{}
	}
	return heed
}

// heed writes down what the platform said of a job, and what follows from it.
func (h *House) heed(ctx context.Context, job platform.Job, how store.Heard) error {
	j, known, err := h.store.JobOf(ctx, job.ID)
	if err != nil {
		return err
	}
	if !known {
		j = store.Job{ID: job.ID, Made: h.now()}
	}
	heed := h.heedOf(j)
	heed.Kind, heed.Status, heed.Error = string(job.Kind), string(job.Status), ""
	if job.Vendor != "" {
		heed.Vendor = job.Vendor
	}
	if !job.Status.Final() {
		return h.heard(ctx, heed, j)
	}
	if j.Delivery == 0 {
		return h.heedFile(ctx, heed, job, j)
	}
	if job.DownloadURL != "" && len(job.Rejected) == 0 {
		if err := h.download(ctx, &job); err != nil {
			heed.Error = "its feedback can't be fetched: " + err.Error()
			if heed.Ended.IsZero() {
				return h.heard(ctx, heed, j) // and is fetched when it is asked for next
			}
		}
	}
	heed.Ended, heed.Heard, heed.Next, heed.Rejected = h.now(), how, time.Time{}, len(job.Rejected)
	digest, err := h.store.RequestRecords(ctx, heed.Delivery)
	if err == nil && digest != "" {
		err = h.feedback(ctx, &heed, job, []shelf.Digest{digest})
	}
	if err != nil {
		return err
	}
	heed.Duplicate = job.Status == platform.JobDuplicate
	if job.Status == platform.JobFailed && !explained(heed, j) {
		heed.Error = "the platform could not work on it: job " + j.ID + " failed"
		h.fail(&heed, j)
	}
	return h.heard(ctx, heed, j)
}

// explained reports whether a job that failed says why of every article, or that it does not know the store. Then it has been worked on, and
// to send the same again would change nothing.
func explained(heed store.Heed, j store.Job) bool {
	keys := map[string]bool{}
	for _, f := range heed.Feedback {
		if f.Key == "" && f.Vendor == parseTarget(j.Target).Vendor {
			return true
		}
		keys[f.Key] = true
	}
	delete(keys, "")
	return len(keys) >= max(j.Rows, 1)
}

// fail has the request of a job sent again, or parked when it has failed too often.
func (h *House) fail(heed *store.Heed, j store.Job) {
	heed.Failed = true
	if steps := againSteps(); j.Failures < len(steps) {
		heed.Again = h.now().Add(steps[j.Failures])
	}
}

// heard writes down what is known of a job and tells it, where that is new.
func (h *House) heard(ctx context.Context, heed store.Heed, j store.Job) error {
	fresh, err := h.store.JobHeard(context.WithoutCancel(ctx), heed)
	if err != nil || !fresh || heed.Ended.IsZero() {
		return err
	}
	t := parseTarget(j.Target)
	e := Event{Kind: EventSettled, Vendor: t.Vendor, Shelf: t.Kind, Name: j.Name, Rows: j.Rows}
	if j.Delivery == 0 {
		e.Vendor, e.Name = heed.Vendor, "job "+j.ID
	}
	switch {
	case heed.Failed && heed.Again.IsZero():
		e.Kind, e.Text = EventFailed, heed.Error+"; it is not sent again by itself: gondola push --full sends everything anew"
	case heed.Failed:
		e.Kind, e.Text = EventAgain, heed.Error
	case heed.Heard == store.HeardSilent:
		e.Kind, e.Text = EventTrouble, fmt.Sprintf("the platform has not told the end of job %s within %s: it is taken as done", j.ID, jobLimit)
	default:
		e.Issues = heed.Rejected
		e.Text = fmt.Sprintf("job %s: %s, rows not taken: %d", j.ID, heed.Status, heed.Rejected)
	}
	h.tell(e)
	return nil
}

// download reads the feedback of a job from where the platform has put it.
func (h *House) download(ctx context.Context, job *platform.Job) error {
	use := platform.UseCatalog
	if job.Kind == platform.JobPromotion {
		use = platform.UsePromotions
	}
	file, err := h.rest.Download(ctx, job.DownloadURL, use)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	return platform.ReadFeedback(file, job.Vendor, func(r platform.Rejection) error {
		job.Rejected = append(job.Rejected, r)
		return nil
	})
}

// heedFile writes down the end of a job that is none of our requests'. Where it may be that of a file of ours, which some platforms tell
// of [assumed: nobody outside knows which], what it did not take is found in what was last sent as files.
func (h *House) heedFile(ctx context.Context, heed store.Heed, job platform.Job, j store.Job) error {
	heed.Ended, heed.Heard, heed.Next = h.now(), store.HeardEvent, time.Time{}
	t, ours := h.fileTarget(job)
	told := len(job.Rejected) > 0
	if ours && !told && job.DownloadURL != "" && h.rest != nil {
		// An exported catalogue is told of in the same way [doc], and is no feedback.
		err := h.download(ctx, &job)
		if told = err == nil; err != nil {
			h.log.Debug("read what a job is about", "job", job.ID, "err", err)
		}
	}
	if ours && told {
		heed.Target = t.String()
		sent, err := h.store.LastDocuments(ctx, heed.Target)
		if err == nil {
			err = h.feedback(ctx, &heed, job, sent)
		}
		if err != nil {
			return err
		}
	}
	heed.Rejected = len(job.Rejected)
	return h.heard(ctx, heed, j)
}

// fileTarget returns whose file a job is about, by what it says of stores; false where that is none that is sent as files.
func (s *setup) fileTarget(job platform.Job) (Target, bool) {
	t := Target{Kind: catalog.KindCatalog, Vendor: job.Vendor}
	if job.Kind == platform.JobPromotion {
		t.Kind = catalog.KindPromotions
	}
	for _, r := range job.Rejected {
		if t.Vendor == "" {
			t.Vendor = r.Vendor
		}
	}
	for _, vendor := range []string{t.Vendor, catalog.AllVendors} {
		t.Vendor = vendor
		if vendor != "" && s.isTarget(t.String()) {
			return t, s.wayOf(t) == outbox.BySFTP
		}
	}
	return t, false
}

// feedback finds the rows of what was sent that a job speaks of, and what they come from.
func (h *House) feedback(ctx context.Context, heed *store.Heed, job platform.Job, sent []shelf.Digest) error {
	t := parseTarget(heed.Target)
	before, err := h.store.FeedbackOf(ctx, heed.Target)
	if err != nil {
		return err
	}
	// Files may have a million rows, of which only those are kept that something is said of, or was.
	heed.Answered = map[string]bool{}
	said := map[string]bool{}
	for _, f := range before {
		if said[f.Key] = true; f.Key == "" {
			heed.Answered[f.Key] = true
		}
	}
	idOf := func(it catalog.Item) string { // feedback about files names articles as the file did [assumed]
		if h.by == catalog.ByBarcode {
			return it.Key(h.by)
		}
		return it.SKU
	}
	bySKU := map[string][]shelf.Record{}
	for _, one := range job.Rejected {
		bySKU[idOf(catalog.Item{SKU: one.SKU, Barcode: one.SKU})] = nil
	}
	for _, digest := range sent {
		for r, err := range records(h.files, digest, func(r shelf.Record) shelf.Record { return r }) {
			if err != nil {
				return err
			}
			if said[r.Key] {
				heed.Answered[r.Key] = true
			}
			it := r.Item
			if r.Promotion != nil {
				it.SKU, it.Barcode = r.Promotion.SKU, r.Promotion.Barcode
			}
			id := idOf(it)
			if all, told := bySKU[id]; told {
				bySKU[id] = append(all, r)
			}
		}
	}
	vendorOf := func(vendor string) string {
		if t.Vendor != catalog.AllVendors || vendor == "" {
			return t.Vendor
		}
		return vendor
	}
	for _, vendor := range job.InvalidVendors {
		heed.Feedback = append(heed.Feedback, store.Feedback{Vendor: vendorOf(vendor), Reason: reasonVendor})
	}
	for _, one := range job.Rejected {
		for _, r := range bySKU[idOf(catalog.Item{SKU: one.SKU, Barcode: one.SKU})] {
			heed.Feedback = append(heed.Feedback, store.Feedback{Vendor: vendorOf(one.Vendor), Key: r.Key, SKU: one.SKU, Reason: one.Reason})
		}
	}
	return h.causes(ctx, t, heed.Feedback)
}

// reasonVendor is the name of the platform's list of stores that it does not know [partner].
const reasonVendor = "invalid_vendors"
