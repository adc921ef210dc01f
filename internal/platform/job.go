package platform

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// JobKind says what a job is about.
type JobKind string

// The kinds of jobs. One that exports a catalogue is a catalogue job: its event looks the same [doc], and only who asked for it knows.
const (
	JobCatalog   JobKind = "catalog"
	JobPromotion JobKind = "promotion"
)

// JobStatus is where a job stands, in capitals.
type JobStatus string

// The states of jobs [partner]. A completed one may still have rejected articles.
const (
	JobQueued     JobStatus = "QUEUED"
	JobInProgress JobStatus = "IN_PROGRESS"
	JobCompleted  JobStatus = "COMPLETED"
	JobFailed     JobStatus = "FAILED"
	JobDuplicate  JobStatus = "DUPLICATE" // the same promotion was sent before
)

// Final reports whether nothing will change any more. A state that nobody has heard of is not final.
func (s JobStatus) Final() bool { return s == JobCompleted || s == JobFailed || s == JobDuplicate }

// Job is what the platform tells of a job, in an event or when asked.
type Job struct {
	ID          string
	Kind        JobKind
	Status      JobStatus
	Vendor      string // "" where it does not say
	DownloadURL string // of the CSV with its feedback, or of the catalogue that was exported

	Rejected       []Rejection
	InvalidVendors []string

	Raw json.RawMessage // every byte that the platform sent about it
}

// Rejection is an article that the platform did not take.
type Rejection struct {
	Vendor string // "" where it does not say
	SKU    string
	Reason string // the platform's words, or one of the reasons below
}

// The reasons that are lists in the platform's answer about promotions, by the name of the list [partner].
const (
	ReasonMissing    = "missing_skus"            // the store's catalogue does not have the article
	ReasonDiscounted = "invalid_discounted_skus" // the price is not below the article's, or is no price
)

// JobRef is what the platform answers to a request that becomes a job.
type JobRef struct {
	ID     string // "" where the answer was given at once and nothing is to be followed
	Status string // "" where it does not say
}

// ParseJob reads a job. A kind of "" is told by its shape, as in [ParseEvent].
func ParseJob(kind JobKind, raw []byte) (Job, error) {
	o, err := parseObject(raw)
	if err != nil {
		return Job{}, fmt.Errorf("read job: %w", err)
	}
	return jobOf(o, kind, raw)
}

func jobOf(o object, kind JobKind, raw []byte) (Job, error) {
	job := Job{
		ID: strings.TrimSpace(o.text("job_id")), Kind: kind, Status: JobStatus(o.upper("job_status", "status")),
		Vendor: o.text("platform_vendor_id", "vendor_id"), DownloadURL: o.text("download_url"), Raw: slices.Clone(json.RawMessage(raw)),
	}
	if job.ID == "" {
		return Job{}, fmt.Errorf("read job: it has no job_id")
	}
	if job.Kind == "" {
		job.Kind = jobKindOf(o)
	}
	result := o.object("result")
	for _, from := range []object{result, o} {
		job.Rejected = append(job.Rejected, itemFeedback(from, job.Vendor)...)
		for _, reason := range []string{ReasonMissing, ReasonDiscounted} {
			job.Rejected = append(job.Rejected, listed(from, reason, job.Vendor)...)
		}
		job.InvalidVendors = append(job.InvalidVendors, from.texts("invalid_vendors")...)
	}
	if job.DownloadURL == "" {
		job.DownloadURL = result.text("download_url")
	}
	return job, nil
}

// jobKindOf tells jobs apart by their shape: promotion jobs have lists of articles and no store, catalogue jobs the opposite. How the
// event of a promotion job looks is [unknown]; it is [assumed] to be the job of the REST interface. What has neither is told by the
// name of its state: job_status in the answers about promotions, status in events about the catalogue.
func jobKindOf(o object) JobKind {
	result := o.object("result")
	switch {
	case result.has("invalid_vendors", ReasonMissing, ReasonDiscounted), o.has("invalid_vendors", ReasonMissing, ReasonDiscounted):
		return JobPromotion
	case o.has("platform_vendor_id", "vendor_id", "download_url", "item_level_feedback"), result.has("item_level_feedback", "download_url"):
		return JobCatalog
	case o.has("job_status"):
		return JobPromotion
	}
	return JobCatalog
}

// itemFeedback reads what a catalogue job says of single articles [partner].
func itemFeedback(o object, vendor string) []Rejection {
	var all []Rejection
	for _, raw := range o.list("item_level_feedback") {
		one := fieldsOf(raw)
		if one == nil {
			continue
		}
		var reasons []string
		for _, raw := range one.list("rejection_reasons") {
			if reason := reasonOf(raw); reason != "" {
				reasons = append(reasons, reason)
			}
		}
		f := Feedback{SKU: one.text("sku"), State: one.text("status", "state"), Errors: strings.Join(reasons, "; ")}
		if f.Rejected() {
			all = append(all, Rejection{Vendor: vendor, SKU: f.SKU, Reason: f.reason()})
		}
	}
	return all
}

// reasonOf reads one reason: an object, or just a text.
func reasonOf(raw json.RawMessage) string {
	if text := textOf(raw); text != "" {
		return text
	}
	var o object
	if json.Unmarshal(raw, &o) != nil {
		return ""
	}
	data, reason := o.text("rejected_data"), o.text("rejected_reason")
	switch {
	case data == "":
		return reason
	case reason == "":
		return data
	}
	return data + ": " + reason
}

// listed reads a list of articles by store, or a plain list. Stores come in order.
func listed(o object, name, vendor string) []Rejection {
	var all []Rejection
	by := o.object(name)
	for _, v := range slices.Sorted(maps.Keys(by)) {
		for _, sku := range by.texts(v) {
			all = append(all, Rejection{Vendor: v, SKU: sku, Reason: name})
		}
	}
	if by == nil {
		for _, sku := range o.texts(name) {
			all = append(all, Rejection{Vendor: vendor, SKU: sku, Reason: name})
		}
	}
	return all
}

// parseJobRef reads the answer to a request. One that names no job was carried out at once: 200 with the article, at older endpoints
// [doc].
func parseJobRef(raw []byte) JobRef {
	o, err := parseObject(raw)
	if err != nil {
		return JobRef{}
	}
	ref := JobRef{ID: strings.TrimSpace(o.text("job_id")), Status: o.upper("job_status", "status")}
	if ref.ID == "" && ref.Status == "" && o.has("sku") {
		ref.Status = string(JobCompleted)
	}
	return ref
}
