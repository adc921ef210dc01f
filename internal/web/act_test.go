package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// deciding is a browser of somebody who may decide, in the house's own clock.
func deciding(t *testing.T) (*reader, *testDesk, served) {
	clock := newClock()
	zone, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	s, desk := newOpen(t, func(c *Config) { c.Zone, c.Now = zone, clock.now })
	b := s.reader(t).remote()
	b.login("todo", testPassword)
	return b, desk, s
}

// TestDecide approves and rejects: it is asked first, says what would happen, and who did it is kept.
func TestDecide(t *testing.T) {
	b, desk, _ := deciding(t)
	for act, c := range map[string]struct{ ask, done string }{
		"approve": {"Estas filas se envían enseguida. Por lo mismo no se vuelve a preguntar hasta el jue 26/11/2026 13:00", "F7 quedó aprobado."},
		"reject":  {"Estas filas quedan como se enviaron", "F7 quedó rechazado."},
	} {
		_, text := b.do(http.MethodGet, "/"+act+"?of=F7", nil)
		for _, want := range []string{
			c.ask, "2 precios cambian &lt;mucho&gt;.", "A&lt;1&gt;", `>10.00</td>`, `>90.00</td>`, "Centro", `method="post" action="/` + act + `"`, "como todo (page)",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", act, want, text)
			}
		}
		if strings.Contains(text, "<script") || strings.Contains(text, "style=") {
			t.Errorf("%s has script or style in it:\n%s", act, text)
		}
		token := tokenForm.FindStringSubmatch(text)[1]
		res, _ := b.do(http.MethodPost, "/"+act, url.Values{"of": {"F7"}, "seen": {"s1"}, "csrf": {token}})
		if res.code != http.StatusSeeOther || res.header.Get("Location") != "/" {
			t.Errorf("%s: %d to %s", act, res.code, res.header.Get("Location"))
		}
		if _, text := b.do(http.MethodGet, "/", nil); strings.Count(text, c.done) != 1 || !strings.Contains(text, `role="status"`) {
			t.Errorf("the page does not say %q:\n%s", c.done, text)
		}
		if _, text := b.do(http.MethodGet, "/", nil); strings.Contains(text, c.done) {
			t.Error("the page says it once more")
		}
	}
	if got := strings.Join(desk.done(), "; "); got != "F7 approve=true by todo (page); F7 approve=false by todo (page)" &&
		got != "F7 approve=false by todo (page); F7 approve=true by todo (page)" {
		t.Errorf("done: %s", got)
	}
}

// TestDecideOnSomethingElse has what is held change between the question and the answer: the reader is asked again, and nothing is done.
func TestDecideOnSomethingElse(t *testing.T) {
	b, desk, _ := deciding(t)
	token := b.token("/approve?of=F7")
	desk.mu.Lock()
	desk.seen = "s2"
	desk.mu.Unlock()
	form := url.Values{"of": {"F7"}, "seen": {"s1"}, "csrf": {token}}
	res, text := b.do(http.MethodPost, "/approve", form)
	if res.code != http.StatusConflict || !strings.Contains(text, `role="alert">Mientras tanto cambió`) || !strings.Contains(text, `name="seen" value="s2"`) {
		t.Errorf("%d\n%s", res.code, text)
	}
	if len(desk.done()) != 0 {
		t.Errorf("done: %v", desk.done())
	}
	form.Set("seen", "s2")
	if res, _ := b.do(http.MethodPost, "/approve", form); res.code != http.StatusSeeOther || len(desk.done()) != 1 {
		t.Errorf("once more: %d, %v", res.code, desk.done())
	}
	if res, text := b.do(http.MethodGet, "/reject?of=F1", nil); res.code != http.StatusConflict || strings.Contains(text, "<form") ||
		!strings.Contains(text, "no se puede rechazar") {
		t.Errorf("what can't be rejected: %d\n%s", res.code, text)
	}
}

// TestDeclined shows words for the reader, and nothing of what went wrong inside.
func TestDeclined(t *testing.T) {
	b, desk, _ := deciding(t)
	token := b.token("/approve?of=F7")
	for _, c := range []struct {
		err  error
		want string
		code int
	}{
		{&Declined{"act.gone", []any{"F7"}}, "F7 ya no espera a nadie", 409},
		{&Declined{"act.others", []any{3, 4, "F9"}}, "decida sobre F9", 409},
		{errors.New("SELECT secret"), "Ahora no se puede", 503},
	} {
		desk.mu.Lock()
		desk.no = c.err
		desk.mu.Unlock()
		for path, form := range map[string]url.Values{
			"/approve": {"of": {"F7"}, "seen": {"s1"}}, "/pause": {"store": {"*"}}, "/resume": {"store": {"*"}},
		} {
			form.Set("csrf", token)
			res, text := b.do(http.MethodPost, path, form)
			if res.code != c.code || !strings.Contains(text, c.want) || strings.Contains(text, "SELECT") {
				t.Errorf("%s, %v: %d\n%s", path, c.err, res.code, text)
			}
		}
	}
}

func TestPauseAndResume(t *testing.T) {
	b, desk, _ := deciding(t)
	res, text := b.do(http.MethodGet, "/pause?store=290057", nil)
	for _, want := range []string{"Centro, por ana", `value="290057" selected`, "Hasta (hora de America/Montevideo", `name="store" value="290056"`} {
		if res.code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%d, no %q:\n%s", res.code, want, text)
		}
	}
	if _, text := b.do(http.MethodGet, "/pause?store=nine", nil); !strings.Contains(text, `value="*" selected`) {
		t.Errorf("of a store that there is not:\n%s", text)
	}
	token := b.token("/pause")
	long := strings.Repeat("ñ", maxReason)
	for _, c := range []struct {
		path string
		form url.Values
		want string // what is done, or said where nothing is
	}{
		{"/pause", url.Values{"store": {"*"}}, `pause [] until 0001-01-01T00:00:00Z for "" by todo (page)`},
		{
			"/pause",
			url.Values{"store": {"290057", "290056"}, "until": {"2026-11-26T18:00"}, "reason": {" inventario "}},
			`pause [290056 290057] until 2026-11-26T18:00:00-03:00 for "inventario" by todo (page)`,
		},
		{"/pause", url.Values{"store": {"*", "290056"}, "reason": {long}}, `pause [] until 0001-01-01T00:00:00Z for "` + long + `" by todo (page)`},
		{"/pause", url.Values{}, "Elija una tienda o todas."},
		{"/pause", url.Values{"store": {"290056"}, "until": {"tomorrow"}, "reason": {"<b>"}}, "No se entiende la hora."},
		{"/pause", url.Values{"store": {"290056"}, "until": {"2026-11-26T08:59"}}, "Esa hora ya pasó."},
		{"/pause", url.Values{"store": {"290056"}, "reason": {long + "x"}}, "hasta 200 letras"},
		{"/pause", url.Values{"store": {"290056"}, "reason": {"a\nb"}}, "hasta 200 letras"},
		{"/resume", url.Values{"store": {"290056"}}, `resume "290056" by todo (page)`},
		{"/resume", url.Values{"store": {"*"}}, `resume "" by todo (page)`},
	} {
		before := len(desk.done())
		c.form.Set("csrf", token)
		res, text := b.do(http.MethodPost, c.path, c.form)
		done := desk.done()[before:]
		switch {
		case res.code == http.StatusSeeOther && len(done) == 1 && done[0] == c.want:
		case res.code == http.StatusBadRequest && len(done) == 0 && strings.Contains(text, c.want) && !strings.Contains(text, "<b>"):
			if id := c.form.Get("store"); id != "" && !strings.Contains(text, `value="`+id+`" selected`) {
				t.Errorf("what was chosen is lost:\n%s", text)
			}
		default:
			t.Errorf("%s %v: %d, done %q, want %q\n%s", c.path, c.form, res.code, done, c.want, text)
		}
	}
}

// TestEveryLanguageHasTheWords shows every page that asks in each of them: a phrase that is missing breaks it.
func TestEveryLanguageHasTheWords(t *testing.T) {
	for _, language := range []string{"es", "pt", "en"} {
		s, desk := newOpen(t, func(c *Config) { c.Language, c.Open = language, []Role{RoleView, RoleApprove} })
		b := s.reader(t)
		token := b.token("/approve?of=F7")
		seen := map[string]bool{}
		for _, phrase := range []string{"act.gone", "act.unknown", "act.others", "act.no-reject", "pause.store", "resume.none"} {
			desk.no = &Declined{phrase, []any{"1", "2", "3"}}
			_, text := b.do(http.MethodPost, "/approve", url.Values{"of": {"F7"}, "seen": {"s1"}, "csrf": {token}})
			if seen[text] || strings.Contains(text, phrase) || strings.Contains(text, `role="alert"></p>`) {
				t.Errorf("%s: %s:\n%s", language, phrase, text)
			}
			seen[text] = true
		}
		desk.no = nil
		for _, path := range []string{"/login", "/approve?of=F7", "/reject?of=F7", "/pause", "/"} {
			if res, text := b.do(http.MethodGet, path, nil); res.code != http.StatusOK || !strings.Contains(text, `lang="`+language+`"`) {
				t.Errorf("%s: %s: %d\n%s", language, path, res.code, text)
			}
		}
	}
}
