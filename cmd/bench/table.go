package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// results are all that a run found.
type results struct {
	machine  string
	begun    time.Time
	took     time.Duration
	outcomes []outcome
	missing  []string
	troubles []string
}

// publish writes the results as a text and as a chart, and prints the text.
func (b *bench) publish(r results, out io.Writer) error {
	text := r.text()
	err := errors.Join(
		os.WriteFile(b.path("bench.txt"), []byte(text), 0o644),
		os.WriteFile(b.path("bench.svg"), []byte(chart(r)), 0o644),
	)
	fmt.Fprint(out, text)
	fmt.Fprintf(out, "\nwritten: %s and bench.svg beside it\n", b.path("bench.txt"))
	return err
}

// text returns the table.
func (r results) text() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n%s, %s\n", r.machine, r.begun.UTC().Format("2006-01-02 15:04"), r.took.Round(time.Second))
	fmt.Fprintln(&s, "Medians of the rounds, the least and the most in brackets; ratios are taken within a round. MiB is the most of all rounds.")
	for i := range r.outcomes {
		r.outcomes[i].write(&s)
	}
	if len(r.missing) > 0 {
		fmt.Fprintf(&s, "\nNot here: %s\n", strings.Join(r.missing, ", "))
	}
	for _, t := range r.troubles {
		fmt.Fprintf(&s, "\nNot measured: %s\n", t)
	}
	r.sum(&s)
	return s.String()
}

// sum repeats all goals in one list.
func (r results) sum(s *strings.Builder) {
	fmt.Fprintln(s, "\nTARGETS")
	met, all := 0, 0
	for _, o := range r.outcomes {
		for _, v := range o.verdict {
			if !v.known {
				continue
			}
			all++
			if v.met() {
				met++
			}
			fmt.Fprintf(s, "  %s %s  %s  %s\n", pad(v.word(), 4), pad(o.name, 22), pad(v.goal.text, 46), v.found())
		}
	}
	fmt.Fprintf(s, "  %d of %d met\n", met, all)
}

func (v verdict) word() string {
	switch {
	case !v.known:
		return "?"
	case v.met():
		return "yes"
	default:
		return "NO"
	}
}

// found returns what was measured beside what was asked for.
func (v verdict) found() string {
	asked, bound := v.goal.most, "at most"
	if v.goal.least > 0 {
		asked, bound = v.goal.least, "at least"
	}
	if !v.known {
		return fmt.Sprintf("not measured; %s %s %s", bound, short(asked), v.goal.unit)
	}
	return fmt.Sprintf("%s %s; %s %s", v.value, v.goal.unit, bound, short(asked))
}

// String returns the median and in brackets what lies around it.
func (s spread) String() string {
	if s.n < 2 || s.least == s.most {
		return short(s.median)
	}
	return fmt.Sprintf("%s (%s..%s)", short(s.median), short(s.least), short(s.most))
}

// short writes a number with three digits that count.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.4f", v)
	}
}

// baseline returns the contenders that ratios are taken to: the bare limit, and the first of ours.
func (o *outcome) baseline() (least, own string) {
	for _, c := range o.contenders {
		if least == "" && c.role == limit {
			least = c.name
		}
		if own == "" && c.role == ours {
			own = c.name
		}
	}
	return least, own
}

// write writes the table of one contest.
func (o *outcome) write(s *strings.Builder) {
	fmt.Fprintf(s, "\n%s: %s\n", strings.ToUpper(o.name), o.title)
	if o.curve != nil {
		o.curve.write(s)
	} else {
		o.rows(s)
	}
	for _, v := range o.verdict {
		fmt.Fprintf(s, "  target %s  %s  %s\n", pad(v.word(), 3), pad(v.goal.text, 44), v.found())
	}
}

func (o *outcome) rows(s *strings.Builder) {
	least, own := o.baseline()
	fmt.Fprintf(s, "  %s %2s  %s %s %5s  %s %s\n", pad("", 30), "n", pad("seconds", 24), pad("CPU s", 7), "MiB", pad("× limit", 22), "× gondola")
	for _, c := range o.contenders {
		if why := o.failed[c.name]; why != "" {
			fmt.Fprintf(s, "  %s    failed: %s\n", pad(c.name, 30), why)
			continue
		}
		t := o.seconds(c.name)
		if t.n == 0 {
			continue
		}
		fmt.Fprintf(s, "  %s %2d  %s %s %5.0f  %s %s\n", pad(c.name, 30), t.n, pad(t.String(), 24), pad(o.processor(c.name), 7), mebi(o.rss(c.name)),
			pad(o.ratioText(c.name, least), 22), o.ratioText(c.name, own))
		o.details(s, c.name)
	}
}

// processor returns the processor time of a contender; "" of one that is a server, where only the caller's is known.
func (o *outcome) processor(name string) string {
	if s := o.of(name, func(m measure) float64 { return m.CPU }); s.median > 0 {
		return short(s.median)
	}
	return ""
}

// details writes what the time of a contender went into, and what else it told.
func (o *outcome) details(s *strings.Builder, name string) {
	m := o.rounds[name][len(o.rounds[name])-1]
	whole := 0.0
	for _, st := range m.Stages {
		whole += st.Seconds
	}
	var parts []string
	for _, st := range m.Stages {
		if whole > 0 {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", st.Name, 100*st.Seconds/whole))
		}
	}
	for _, f := range m.Facts {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Name, o.fact(name, f.Name), f.Unit)))
	}
	if len(parts) > 0 {
		fmt.Fprintf(s, "  %s     %s\n", pad("", 30), strings.Join(parts, ", "))
	}
}

func (o *outcome) ratioText(a, b string) string {
	r, ok := o.ratio(a, b)
	switch {
	case a == b:
		return "1"
	case !ok:
		return ""
	default:
		return r.String()
	}
}

// pad fills a text up with blanks.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
