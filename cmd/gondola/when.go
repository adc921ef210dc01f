package main

import (
	"strings"
	"time"

	"gondola/internal/config"
)

// timeForms are how a moment can be written, beside 6h and "6h ago". What has no zone is meant in the chain's.
var timeForms = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

// momentOf reads a moment of the past.
func momentOf(flag, text string, now time.Time, zone *time.Location) (time.Time, error) {
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return t, nil
		}
	}
	ago := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "ago"))
	if d, err := config.ParseDuration(ago); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	return time.Time{}, usagef("%s is a time such as 2006-01-02T15:04, 2006-01-02T15:04:05Z or 6h (ago); found %q", flag, text)
}

// dayOf reads a day, as a moment in it; "" is no day.
func dayOf(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}, usagef("--day is a day such as 2006-01-02; found %q", text)
	}
	return t.Add(12 * time.Hour), nil // whatever the clocks do at night
}
