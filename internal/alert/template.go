package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"
)

// Template is a text of somebody's own for posts: a Go text/template, filled in with [Data].
type Template struct{ t *template.Template }

// Data is what a template can say.
type Data struct {
	Chain    string // id
	State    State
	Title    string // the first line that a message would have, in the chain's language
	Text     string // what would stand below it
	Since    time.Time
	Reminder bool
	Problems []DataProblem
}

// DataProblem is one problem, in a template.
type DataProblem struct {
	Problem
	Since time.Time
}

// ParseTemplate reads a template and tries it on what may come up, so that a mistake is found now and not when somebody is to be told.
// Beside those of text/template it has the function json, which returns a value as JSON: a text with its quotes. With isJSON what it
// makes must be JSON.
func ParseTemplate(text string, isJSON bool) (*Template, error) {
	t := &Template{}
	var err error
	t.t, err = template.New("template").Option("missingkey=error").Funcs(template.FuncMap{"json": asJSON}).Parse(text)
	if err != nil {
		return nil, templateError(err)
	}
	c := Client{Chain: "7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3"}
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	problem := Problem{Key: "server", Kind: Credentials, Store: "290056", Text: `Text with "quotes" and a` + "\nline", Do: `Do <this> & that\`}
	for _, m := range []Message{
		{State: OK, Since: at},
		{State: Stopped, Since: at, Problems: []Entry{{Problem: problem, Since: at, Loud: Credentials}, {Problem: problem, Since: at, Loud: Credentials}}},
		{State: Stopped, Since: at, Reminder: true, Problems: []Entry{{Problem: problem, Since: at, Loud: Credentials}}},
		Trial(Post, "", at),
	} {
		out, err := t.fill(c.data(m))
		if err != nil {
			return nil, err
		}
		if isJSON && !json.Valid([]byte(out)) {
			return nil, fmt.Errorf("what it makes is no JSON (state %s, problems %d); put texts in by {{json .Text}}, without quotes around", m.State, len(m.Problems))
		}
	}
	return t, nil
}

// fill fills the template in.
func (t *Template) fill(d Data) (string, error) {
	var b limited
	if err := t.t.Execute(&b, d); err != nil {
		return "", templateError(err)
	}
	if strings.TrimSpace(b.String()) == "" {
		return "", errors.New("the template makes an empty text; let it say something in every state")
	}
	return b.String(), nil
}

// own returns what the target's template makes of a message, "" where it has none. What came up may be none of what the template was
// tried on: where it fails then the message goes in our words, for an alarm in the wrong shape is better than none, and note says so.
func (c *Client) own(t Target, m Message) (text, note string) {
	if t.Template == nil || t.Way != Post {
		return "", ""
	}
	text, err := t.Template.fill(c.data(m))
	if err == nil && t.As == AsJSON && t.ContentType == "" && !json.Valid([]byte(text)) {
		err = errors.New("what it makes is no JSON")
	}
	if err != nil {
		return "", "the template failed and was left out: " + err.Error() + "; correct it"
	}
	return text, ""
}

// templateError leaves the library's prefix out.
func templateError(err error) error {
	return errors.New(line(strings.TrimPrefix(err.Error(), "template: ")))
}

// data is what a template can say of a message.
func (c *Client) data(m Message) Data {
	d := Data{
		Chain: c.Chain, State: m.State, Title: c.title(m), Text: c.text(m, room{most: mostTemplate / 4, size: bytesOf}), Since: m.Since, Reminder: m.Reminder,
		Problems: make([]DataProblem, len(m.Problems)),
	}
	for i, e := range m.Problems {
		d.Problems[i] = DataProblem{e.Problem, e.Since}
	}
	return d
}

// asJSON returns a value as JSON.
func asJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %T: %w", v, err)
	}
	return string(text), nil
}

// limited is a text that does not grow for ever.
type limited struct{ strings.Builder }

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > mostTemplate {
		return 0, fmt.Errorf("it makes more than %d kB", mostTemplate>>10)
	}
	return l.Builder.Write(p)
}
