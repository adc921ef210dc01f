package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// accepted reports what a service that answered 200 had to say against a message all the same.
func accepted(t Target, text string, body []byte) error {
	switch {
	case t.Way == Ping && strings.HasPrefix(text, "OK ("):
		// healthchecks.io says so in words alone: OK (not found), OK (rate limited).
		return fmt.Errorf("it took the ping for nothing: %s; correct the address", text)
	case t.Way == Ping:
	case t.As == AsSlack && text != "ok":
		return fmt.Errorf("it did not say ok but %q; put the address of an incoming webhook there", text)
	case t.As == AsTeams && strings.HasPrefix(text, "Webhook message delivery failed"):
		return fmt.Errorf("it took the message and did not deliver it: %s", text)
	case t.As == AsTelegram:
		var said struct {
			OK          bool   `json:"ok"`
			Description string `json:"description"`
		}
		// An answer that is longer than what was read of it is a message that was sent.
		if err := json.Unmarshal(body, &said); err == nil && !said.OK || err != nil && !strings.HasPrefix(text, `{"ok":true`) {
			return fmt.Errorf("it did not send the message: %s", hint(t, text))
		}
	}
	return nil
}

// refusal says what a service answered, and what to do where its word tells.
func refusal(t Target, status, text string) string {
	if t.Way == Ping || t.As == "" || t.As == AsJSON {
		return "it answered " + status
	}
	return "it answered " + status + ": " + hint(t, text)
}

// hints are what to do, by what a service says.
var hints = []struct {
	as   As
	said string
	do   string
}{
	{AsSlack, "no_service", "the webhook is gone; make a new one and put its address there"},
	{AsSlack, "channel_is_archived", "the channel is archived; make a webhook for another one"},
	{AsSlack, "channel_not_found", "the channel is gone; make a webhook for another one"},
	{AsDiscord, "Unknown Webhook", "the webhook is gone; make a new one and put its address there"},
	{AsTelegram, "chat not found", "correct chat, and write to the bot once or add it to the group"},
	{AsTelegram, "bot was blocked", "unblock the bot in that chat"},
	{AsTelegram, "Unauthorized", "correct the bot's token in the address"},
	{AsTelegram, "Not Found", "correct the bot's token in the address: https://api.telegram.org/bot<token>"},
	{AsNtfy, "unauthorized", "put user and password, or :token, in front of the host: https://:token@host/topic"},
	{AsNtfy, "forbidden", "give that user the right to write to the topic"},
	{AsNtfy, "topic invalid", "let the address end in the topic: https://ntfy.sh/topic"},
}

// hint returns what a service said with what to do about it.
func hint(t Target, text string) string {
	for _, h := range hints {
		if h.as == t.As && strings.Contains(strings.ToLower(text), strings.ToLower(h.said)) {
			return text + "; " + h.do
		}
	}
	return text + "; correct the address, or the template"
}

// waitOf returns how long a service wants to be left alone: as its header says, or as Telegram and Discord say in the body; 0 for not
// said.
func waitOf(h http.Header, body []byte) time.Duration {
	if seconds, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil && seconds > 0 {
		return capped(seconds)
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return max(0, min(time.Until(at), LongestRetry))
	}
	var said struct {
		RetryAfter float64 `json:"retry_after"`
		Parameters struct {
			RetryAfter float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return 0
	}
	return capped(max(said.RetryAfter, said.Parameters.RetryAfter))
}

// capped returns seconds as a duration that is not longer than we ever wait.
func capped(seconds float64) time.Duration {
	if seconds >= LongestRetry.Seconds() {
		return LongestRetry
	}
	return max(0, time.Duration(math.Ceil(seconds*1000))*time.Millisecond)
}

// Later returns when a message that failed is to be tried again: as Retry says, and not before the service wants to hear of us.
func Later(err error, now, since time.Time, failures int) time.Time {
	next := Retry(now, since, failures)
	if busy, ok := errors.AsType[*TooMany](err); ok {
		if after := now.Add(busy.Wait); after.After(next) {
			return after
		}
	}
	return next
}
