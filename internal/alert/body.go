package alert

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"
)

// What the services take, by their documentation. Their limits are in characters, which most of them count as units of UTF-16; ours stay
// below, because a first line and signs that are written as several count, too.
const (
	mostSlack    = 3900  // of 40,000; beyond 4,000 it asks for files
	mostTeams    = 20000 // bytes of JSON, of 28 KB for the whole message
	mostDiscord  = 1900  // of 2,000
	mostTelegram = 3900  // of 4,096
	mostNtfy     = 3500  // bytes, of 4,096 for the text; a longer one becomes a file
	mostMail     = 200_000
	mostTemplate = 64 << 10
	mostTitle    = 200
)

// body returns what is posted, its content type, and where it goes: with some services not to the address as it was written.
func (c *Client) body(t Target, m Message, own string, u *url.URL) (text []byte, kind string, to *url.URL) {
	kind, to = "application/json", u
	switch t.As {
	case AsSlack:
		text = encode(c.slack(m, own))
	case AsTeams:
		text = encode(c.teams(m, own))
	case AsDiscord:
		text = encode(c.discord(m, own))
	case AsTelegram:
		text = encode(c.telegram(t.Chat, m, own))
		if path.Base(u.Path) != sendMessage {
			to = u.JoinPath(sendMessage)
		}
	case AsNtfy:
		// A post to the topic itself would take JSON for the text.
		root := *u
		root.Path, root.RawPath = path.Dir(strings.TrimSuffix(u.Path, "/")), ""
		text, to = encode(c.ntfy(path.Base(u.Path), m, own)), &root
	default:
		if own == "" {
			return m.json(c.Chain), kind, to
		}
		if text = []byte(own); t.ContentType != "" {
			kind = t.ContentType
		}
	}
	return text, kind, to
}

// orText returns a text of somebody's own, or ours.
func (c *Client) orText(own string, m Message, r room) string {
	if own != "" {
		return r.cut(own, r.most)
	}
	return c.text(m, r)
}

// slack is the body of an incoming webhook. Its text is no markup here, but for & < > which are always signs.
func (c *Client) slack(m Message, own string) any {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	r := room{most: mostSlack, size: unitsOf, escape: escape}
	if own != "" {
		return map[string]any{"text": r.cut(own, r.most)}
	}
	return map[string]any{"text": escape(c.title(m)) + "\n" + c.text(m, r), "mrkdwn": false}
}

// emptyBlock is what a paragraph costs beside its text.
const emptyBlock = `{"type":"TextBlock","text":"","wrap":true},`

// teams is the body of a workflow that is started by a webhook: an Adaptive Card. A line break within a block is lost, so every paragraph
// is a block.
func (c *Client) teams(m Message, own string) any {
	escape := strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "`", "\\`", "~", `\~`).Replace
	type block struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Wrap   bool   `json:"wrap"`
		Weight string `json:"weight,omitempty"`
		Size   string `json:"size,omitempty"`
		Color  string `json:"color,omitempty"`
	}
	color := map[State]string{OK: "Good", Waiting: "Warning", Failing: "Attention", Stopped: "Attention"}[m.State]
	blocks := []block{{"TextBlock", escape(c.title(m)), true, "Bolder", "Medium", color}}
	size := func(s string) int { return len(encode(s)) + len(emptyBlock)*strings.Count(s, "\n") }
	for part := range strings.SplitSeq(c.orText(own, m, room{most: mostTeams, size: size, escape: escape}), "\n") {
		if part = strings.TrimSpace(part); part != "" {
			blocks = append(blocks, block{Type: "TextBlock", Text: part, Wrap: true})
		}
	}
	card := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.2", "body": blocks,
	}
	return map[string]any{"type": "message", "attachments": []any{
		map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card},
	}}
}

// discord is the body of a webhook of a channel. Nobody is called by it, whatever a text contains.
func (c *Client) discord(m Message, own string) any {
	escape := strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, ">", `\>`, "#", `\#`).Replace
	r := room{most: mostDiscord - mostTitle, size: unitsOf, escape: escape}
	text := "**" + escape(r.cut(c.title(m), mostTitle/2)) + "**\n" + c.text(m, r)
	if own != "" {
		text = room{size: unitsOf}.cut(own, mostDiscord)
	}
	return map[string]any{"content": text, "allowed_mentions": map[string]any{"parse": []string{}}}
}

// sendMessage is the method of Telegram's bots that says something. An address may end in it, or in the bot's token.
const sendMessage = "sendMessage"

// telegram is the body of sendMessage, as plain text.
func (c *Client) telegram(chat string, m Message, own string) any {
	r := room{most: mostTelegram, size: unitsOf}
	text := own
	if own == "" {
		text = c.title(m) + "\n" + c.text(m, room{most: mostTelegram - mostTitle, size: unitsOf})
	}
	return map[string]any{"chat_id": chat, "text": r.cut(text, r.most), "link_preview_options": map[string]any{"is_disabled": true}}
}

// ntfy is the body of a message that is published as JSON: from 1, of no weight, to 5, which wakes people.
func (c *Client) ntfy(topic string, m Message, own string) any {
	priority := map[State]int{OK: 3, Waiting: 3, Failing: 4, Stopped: 5, Test: 2}[m.State]
	tag := map[State]string{OK: "white_check_mark", Waiting: "hourglass", Failing: "warning", Stopped: "rotating_light", Test: "wave"}[m.State]
	return map[string]any{
		"topic": topic, "title": c.title(m), "message": c.orText(own, m, room{most: mostNtfy, size: bytesOf}),
		"priority": priority, "tags": []string{tag},
	}
}

// json is what a post for programs says.
func (m Message) json(chain string) []byte {
	type problem struct {
		Problem
		Since time.Time `json:"since"`
	}
	body := struct {
		Chain    string    `json:"chain"`
		State    State     `json:"state"`
		Since    time.Time `json:"since"`
		Reminder bool      `json:"reminder,omitempty"`
		Problems []problem `json:"problems"`
	}{chain, m.State, m.Since, m.Reminder, []problem{}}
	for _, e := range m.Problems {
		body.Problems = append(body.Problems, problem{e.Problem, e.Since})
	}
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("alert: encode message: %v", err))
	}
	return append(text, '\n')
}

// encode returns a body of ours. Signs of HTML stay: the services would show what JSON may write them as.
func encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("alert: encode message: %v", err))
	}
	return []byte(b.String())
}
