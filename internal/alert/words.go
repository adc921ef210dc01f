package alert

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf16"
)

// Say returns a phrase in the language of whoever reads a message. The phrases are:
//
//   - state.<state>: how things stand as a whole,
//   - alarm.title: the first line, of the chain's id and how things stand,
//   - alarm.reminder: the same of a reminder,
//   - alarm.since: since when, of a time,
//   - alarm.more: how many problems are left out,
//   - alarm.trial: what a message says that only tries the way.
type Say func(key string, args ...any) string

// shownID is how much of a chain's id, a UUID, a first line has: enough to tell the chains of one company apart.
const shownID = 8

// title is the first line of a message.
func (c *Client) title(m Message) string {
	key := "alarm.title"
	if m.Reminder {
		key = "alarm.reminder"
	}
	return line(c.say(key, c.Chain[:min(len(c.Chain), shownID)], c.say("state."+string(m.State))))
}

// say is Say, where nobody reads the keys.
func (c *Client) say(key string, args ...any) string {
	if c.Say == nil {
		return strings.TrimSpace(fmt.Sprintln(append([]any{key}, args...)...))
	}
	return c.Say(key, args...)
}

// room is how much text a place has, by its own measure.
type room struct {
	most   int
	size   func(string) int
	escape func(string) string // what its signs are written as; nil = as they are
}

func bytesOf(s string) int { return len(s) }

// unitsOf measures as most services do, which count the units of UTF-16.
func unitsOf(s string) int { return len(utf16.Encode([]rune(s))) }

// text is what a message says below its first line: since when, then each problem with what to do. What a place has no room for is
// counted.
func (c *Client) text(m Message, r room) string {
	if r.escape == nil {
		r.escape = func(s string) string { return s }
	}
	parts := make([]string, len(m.Problems))
	for i, e := range m.Problems {
		parts[i] = r.escape(c.problem(e))
	}
	head := c.say("alarm.since", m.Since)
	if m.State == Test {
		head = c.say("alarm.trial")
	}
	return r.fill(r.escape(head), parts, func(n int) string { return r.escape(c.say("alarm.more", n)) })
}

// problem is what is said of one problem.
func (c *Client) problem(e Entry) string {
	text := "• " + e.Text
	if e.Do != "" {
		text += "\n  " + e.Do
	}
	if e.Detail != "" {
		text += "\n  (" + line(e.Detail) + ")"
	}
	return text
}

// fill puts as many parts below head as there is room for, and says how many are left. The first one is cut rather than left out.
func (r room) fill(head string, parts []string, more func(n int) string) string {
	text := head
	for i, part := range parts {
		next := text + "\n\n" + part
		rest := len(parts) - i - 1
		tail := ""
		if rest > 0 {
			tail = "\n\n" + more(rest)
		}
		switch {
		case r.size(next+tail) <= r.most:
			text = next
		case i == 0:
			return r.cut(next, r.most-r.size(tail)) + tail
		default:
			return text + "\n\n" + more(rest+1)
		}
	}
	return r.cut(text, r.most)
}

// cut shortens a text that has no room.
func (r room) cut(text string, most int) string {
	if r.size(text) <= most {
		return text
	}
	const end = "…"
	runes := []rune(text)
	most -= r.size(end)
	tooMany := sort.Search(len(runes), func(n int) bool { return r.size(string(runes[:n+1])) > most })
	return string(runes[:tooMany]) + end
}
