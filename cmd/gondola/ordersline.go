package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gondola/internal/daemon"
)

// ordersLine says in one line how orders stand.
func ordersLine(o *daemon.OrderStatus, zone *time.Location) string {
	var today []string
	for _, state := range slices.Sorted(maps.Keys(o.Today)) {
		today = append(today, fmt.Sprintf("%d %s", o.Today[state], state))
	}
	words := []string{"today none"}
	if len(today) > 0 {
		words[0] = "today " + strings.Join(today, ", ")
	}
	add := func(n int, text string) {
		if n > 0 {
			words = append(words, strconv.Itoa(n)+text)
		}
	}
	add(o.Due, " to be handed over")
	add(o.Unknown, " in unknown states")
	add(o.Contradictions, " that went on after they were cancelled")
	add(o.Foreign, " of stores that are not in the config")
	if o.File != "" {
		words = append(words, "last file "+o.File+", "+clock(o.FileAt, zone))
	}
	return strings.Join(words, "; ")
}
