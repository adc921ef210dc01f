package alert

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// words are those of a chain, as report has them.
func words(key string, args ...any) string {
	switch key {
	case "alarm.title":
		return fmt.Sprintf("Gondola %s: %s", args...)
	case "alarm.reminder":
		return fmt.Sprintf("Gondola %s: %s (recordatorio)", args...)
	case "alarm.since":
		return "Desde " + args[0].(time.Time).Format("02/01 15:04") + "."
	case "alarm.more":
		return fmt.Sprintf("Y %d más.", args...)
	case "alarm.trial":
		return "Solo una prueba."
	}
	return map[string]string{"state.ok": "Todo en orden", "state.stopped": "No se envía nada", "state.test": "Prueba"}[key]
}

// tricky is a problem with signs that mean something in the services' markup.
func tricky() []Entry {
	e := entries()
	e[0].Text, e[0].Do, e[0].Detail = `<a> & *b* "c" @everyone`, "Corrija_la `contraseña`.\\", "línea 1\nlínea 2"
	return e
}

// TestBodies holds what each service gets against what it documents. These are written by hand.
func TestBodies(t *testing.T) {
	since := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	bad := Message{Way: Post, State: Stopped, Since: since, Problems: tricky()}
	for _, c := range []struct {
		as   As
		path string
		m    Message
		want string
	}{
		{AsSlack, "/services/T/B/" + token, bad, `/services/T/B/s3cr3t-t0ken
{"mrkdwn":false,"text":"Gondola 7d3f9b52: No se envía nada\nDesde 26/11 12:00.\n\n• &lt;a&gt; &amp; *b* \"c\" @everyone\n  Corrija_la ` + "`contraseña`" + `.\\\n  (línea 1 línea 2)"}`},
		{AsDiscord, "/api/webhooks/1/" + token, bad, `/api/webhooks/1/s3cr3t-t0ken
{"allowed_mentions":{"parse":[]},"content":"**Gondola 7d3f9b52: No se envía nada**\nDesde 26/11 12:00.\n\n• <a\\> & \\*b\\* \"c\" @everyone\n  Corrija\\_la \\` + "`contraseña\\\\`" + `.\\\\\n  (línea 1 línea 2)"}`},
		{AsTelegram, "/bot" + token, bad, `/bots3cr3t-t0ken/sendMessage
{"chat_id":"-100","link_preview_options":{"is_disabled":true},"text":"Gondola 7d3f9b52: No se envía nada\nDesde 26/11 12:00.\n\n• <a> & *b* \"c\" @everyone\n  Corrija_la ` + "`contraseña`" + `.\\\n  (línea 1 línea 2)"}`},
		{AsTelegram, "/bot" + token + "/sendMessage", Trial(Post, "", since), `/bots3cr3t-t0ken/sendMessage
{"chat_id":"-100","link_preview_options":{"is_disabled":true},"text":"Gondola 7d3f9b52: Prueba\nSolo una prueba."}`},
		{AsNtfy, "/" + token, bad, `/
{"message":"Desde 26/11 12:00.\n\n• <a> & *b* \"c\" @everyone\n  Corrija_la ` + "`contraseña`" + `.\\\n  (línea 1 línea 2)","priority":5,"tags":["rotating_light"],"title":"Gondola 7d3f9b52: No se envía nada","topic":"s3cr3t-t0ken"}`},
		{AsNtfy, "/behind/" + token, Message{Way: Post, State: OK, Since: since}, `/behind
{"message":"Desde 26/11 12:00.","priority":3,"tags":["white_check_mark"],"title":"Gondola 7d3f9b52: Todo en orden","topic":"s3cr3t-t0ken"}`},
		{AsTeams, "/workflows/" + token + "?sig=abcd1234", Message{Way: Post, State: Stopped, Since: since, Problems: tricky(), Reminder: true}, `/workflows/s3cr3t-t0ken?sig=abcd1234
{"attachments":[{"content":{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","body":[{"type":"TextBlock","text":"Gondola 7d3f9b52: No se envía nada (recordatorio)","wrap":true,"weight":"Bolder","size":"Medium","color":"Attention"},{"type":"TextBlock","text":"Desde 26/11 12:00.","wrap":true},{"type":"TextBlock","text":"• <a> & \\*b\\* \"c\" @everyone","wrap":true},{"type":"TextBlock","text":"Corrija\\_la \\` + "`contraseña\\\\`" + `.\\\\","wrap":true},{"type":"TextBlock","text":"(línea 1 línea 2)","wrap":true}],"type":"AdaptiveCard","version":"1.2"},"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null}],"type":"message"}`},
	} {
		t.Run(string(c.as)+" "+string(c.m.State), func(t *testing.T) {
			got := posted(t, Target{Way: Post, As: c.as, Chat: "-100"}, c.path, c.m)
			if diff := cmp.Diff(c.want+"\n", got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// posted returns what a service gets: where to, and the body.
func posted(t *testing.T, target Target, path string, m Message) (got string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.URL.RequestURI() + "\n" + string(body)
		if kind := r.Header.Get("Content-Type"); kind != "application/json" && target.ContentType != kind {
			t.Errorf("content type %s", kind)
		}
		_, _ = io.WriteString(w, map[As]string{AsSlack: "ok", AsTelegram: `{"ok":true,"result":{}}`}[target.As])
	}))
	defer server.Close()
	target.Address = server.URL + path
	if _, err := (&Client{Chain: "7d3f9b52-40c8", Say: words}).Tell(t.Context(), target, m); err != nil {
		t.Error(err)
	}
	return got
}

// TestLongBodies has hundreds of problems, and one that is endless: what a service gets stays within what it takes, and says how much is
// left out.
func TestLongBodies(t *testing.T) {
	many := Message{Way: Post, State: Stopped}
	for range 500 {
		many.Problems = append(many.Problems, tricky()...)
	}
	endless := Message{Way: Post, State: Stopped, Problems: tricky()}
	endless.Problems[0].Text = strings.Repeat("😀_*", 20_000)
	for as, c := range map[As]struct {
		field string
		size  func(string) int
		most  int
	}{
		AsSlack:    {"text", unitsOf, 4000},
		AsDiscord:  {"content", unitsOf, 2000},
		AsTelegram: {"text", unitsOf, 4096},
		AsNtfy:     {"message", bytesOf, 4096},
		AsTeams:    {"", bytesOf, 28_000},
	} {
		for name, m := range map[string]Message{"many": many, "endless": endless} {
			t.Run(string(as)+" "+name, func(t *testing.T) {
				_, text, _ := strings.Cut(posted(t, Target{Way: Post, As: as, Chat: "1"}, "/x/"+token, m), "\n")
				if c.field != "" {
					var body map[string]any
					if err := json.Unmarshal([]byte(text), &body); err != nil {
						t.Fatal(err)
					}
					text = body[c.field].(string)
				}
				if n := c.size(text); n > c.most || n < c.most/4 {
					t.Errorf("%d long, at most %d are taken", n, c.most)
				}
				if want := map[string]string{"many": " más.", "endless": "…"}[name]; !strings.Contains(text, want) {
					t.Errorf("it does not say that something is missing: …%s", text[max(0, len(text)-100):])
				}
			})
		}
	}
}

// TestTemplates has a person's own words, for programs and for services, and what can be wrong with them.
func TestTemplates(t *testing.T) {
	parse := func(text string, isJSON bool) *Template {
		t.Helper()
		tmpl, err := ParseTemplate(text, isJSON)
		if err != nil {
			t.Fatal(err)
		}
		return tmpl
	}
	bad := Message{Way: Post, State: Stopped, Problems: tricky()}
	own := Target{Way: Post, As: AsJSON, Template: parse(`{"msg":{{json .Title}},"all":[{{range $i, $p := .Problems}}{{if $i}},{{end}}{{json $p.Text}}{{end}}]}`, true)}
	if got, want := posted(t, own, "/x", bad), "/x\n"+`{"msg":"Gondola 7d3f9b52: No se envía nada","all":["\u003ca\u003e \u0026 *b* \"c\" @everyone"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	plain := Target{Way: Post, As: AsJSON, ContentType: "text/plain", Template: parse("{{.State}} {{.Chain}}{{if .Reminder}} again{{end}}", false)}
	if got := posted(t, plain, "/x", bad); got != "/x\nstopped 7d3f9b52-40c8" {
		t.Errorf("got %s", got)
	}
	chat := Target{Way: Post, As: AsSlack, Template: parse("<!channel> {{.Title}}", false)}
	if got := posted(t, chat, "/x", bad); got != "/x\n"+`{"text":"<!channel> Gondola 7d3f9b52: No se envía nada"}`+"\n" {
		t.Errorf("got %s", got)
	}
	for text, want := range map[string]string{
		"{{.Nothing}}":                "can't evaluate field Nothing",
		"{{if}}":                      "missing value for if",
		`{"a": "{{.Text}}"}`:          "no JSON (state stopped, problems 2)",
		`{"a": {{json .Text}},}`:      "no JSON (state ok, problems 0)",
		"{{range .Problems}}x{{end}}": "makes an empty text",
		`{{define "x"}}{{printf "%100000d" 1}}{{end}}{{template "x"}}`: "more than 64 kB",
	} {
		if _, err := ParseTemplate(text, strings.HasPrefix(text, `{"`)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

// TestTemplateFailsLater has templates that did well when they were tried and fail on what comes up: the alarm goes out all the same, and
// who tries the way hears why.
func TestTemplateFailsLater(t *testing.T) {
	var heard string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard = string(body)
		_, _ = io.WriteString(w, "ok")
	}))
	defer server.Close()
	c := &Client{Chain: "7d3f9b52-40c8", Say: words}
	bad := Message{Way: Post, State: Failing, Problems: []Entry{{Problem: Problem{Key: "x", Kind: Full, Text: `say "full"`}, Loud: Full}}}
	for name, one := range map[string]struct {
		as           As
		template     string
		heard, noted string
	}{
		"fails":     {AsSlack, `{{.Title}}{{if eq .State "failing"}}{{index .Problems 7}}{{end}}`, `say \"full\"`, "out of range"},
		"says none": {AsSlack, `{{if ne .State "failing"}}{{.Title}}{{end}}`, `say \"full\"`, "makes an empty text"},
		"too long":  {AsJSON, `{{if eq .State "failing"}}{{printf "%100000d" 1}}{{else}}1{{end}}`, `"state": "failing"`, "more than 64 kB"},
		"no JSON":   {AsJSON, `{"a": "{{if eq .State "failing"}}{{range .Problems}}{{.Text}}{{end}}{{end}}"}`, `"state": "failing"`, "no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, err := ParseTemplate(one.template, one.as == AsJSON)
			if err != nil {
				t.Fatal(err)
			}
			heard = ""
			a, err := c.Tell(t.Context(), Target{Way: Post, Address: server.URL, As: one.as, Template: tmpl}, bad)
			if err != nil || !strings.Contains(heard, one.heard) {
				t.Errorf("heard %s, %v; want %s", heard, err, one.heard)
			}
			if !strings.Contains(a.Note, one.noted) || !strings.Contains(a.Note, "correct it") {
				t.Errorf("note %q, want %q", a.Note, one.noted)
			}
		})
	}
}

// TestServicesRefuse has services on a bad day: what is said of them helps, shows no address, and a service that wants to be left alone is.
func TestServicesRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		as     As
		status int
		header string // Retry-After
		body   string
		want   string
		wait   time.Duration
	}{
		"Slack answers with a page":          {AsSlack, 200, "", "<html>sign in", "did not say ok", 0},
		"Slack's webhook is gone":            {AsSlack, 404, "", "no_service", "404 Not Found: no_service; the webhook is gone; make a new one", 0},
		"Slack is busy":                      {AsSlack, 429, "30", "rate_limited", "429 Too Many Requests", 30 * time.Second},
		"Teams took it and did not post it":  {AsTeams, 200, "", "Webhook message delivery failed with error: HTTP error 429", "did not deliver it", 0},
		"Teams accepts":                      {AsTeams, 202, "", "", "", 0},
		"Discord says nothing":               {AsDiscord, 204, "", "", "", 0},
		"Discord's webhook is gone":          {AsDiscord, 404, "", `{"message": "Unknown Webhook", "code": 10015}`, "make a new one", 0},
		"Discord is busy, and says so below": {AsDiscord, 429, "", `{"message":"You are being rate limited.","retry_after":64.57,"global":false}`, "429", 64570 * time.Millisecond},
		"Telegram refuses with a 200":        {AsTelegram, 200, "", `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`, "write to the bot once", 0},
		"Telegram refuses":                   {AsTelegram, 401, "", `{"ok":false,"error_code":401,"description":"Unauthorized"}`, "correct the bot's token", 0},
		"Telegram is busy":                   {AsTelegram, 429, "", `{"ok":false,"error_code":429,"parameters":{"retry_after":14}}`, "429", 14 * time.Second},
		"Telegram answers at length":         {AsTelegram, 200, "", `{"ok":true,"result":{"text":"` + strings.Repeat("x", 3000) + `"}}`, "", 0},
		"something else answers as Telegram": {AsTelegram, 200, "", "hello", "did not send the message", 0},
		"ntfy wants a login":                 {AsNtfy, 403, "", `{"code":40301,"http":403,"error":"forbidden"}`, "the right to write to the topic", 0},
		"a wait beyond reason":               {AsNtfy, 429, "999999999999", "", "429", LongestRetry},
		"a wait that is none":                {AsNtfy, 429, "soon", "", "429", 0},
		"a wait until a time long past":      {AsNtfy, 429, "Fri, 31 Dec 1999 23:59:59 GMT", "", "429", 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			target := Target{Way: Post, As: c.as, Chat: "1", Address: server.URL + "/x/" + token}
			a, err := (&Client{Say: words}).Tell(t.Context(), target, Message{Way: Post, State: OK})
			if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			secret(t, server.URL, a, err)
			now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
			if got, want := Later(err, now, now, 1).Sub(now), max(firstRetry, c.wait); got != want {
				t.Errorf("tried again after %s, want %s", got, want)
			}
		})
	}
}

// FuzzAnswers reads whatever a service may answer.
func FuzzAnswers(f *testing.F) {
	f.Add("30", []byte(`{"ok":false,"parameters":{"retry_after":1e300}}`))
	f.Add("-1", []byte(`{"retry_after":-5}`))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if wait := waitOf(http.Header{"Retry-After": {header}}, body); wait < 0 || wait > LongestRetry {
			t.Errorf("wait %s", wait)
		}
		for _, as := range []As{AsJSON, AsSlack, AsTeams, AsTelegram} {
			_ = accepted(Target{Way: Post, As: as}, line(string(body)), body)
		}
	})
}
