package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gondola/internal/config"
	"gondola/internal/store"
	"gondola/internal/web"
)

const pagePassword = "mate con bizcochos"

// pageConfig lets ana look and decide, and nobody anything without a login.
func pageConfig(t *testing.T) string {
	t.Helper()
	hash, err := HashPassword(pagePassword)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("brake: {min_rows: 2}\nweb: {open: [], users: [{name: ana, password: '%s', roles: [view, approve]}]}\n", hash)
}

// TestWhoDecidedOnThePage logs in with a browser, looks at an export that is held, approves it, pauses and goes on: the ledger names who.
func TestWhoDecidedOnThePage(t *testing.T) {
	l := newLive(t, liveOptions{config: pageConfig(t), change: func(c *config.Config) { c.Web.Listen = "127.0.0.1:0" }})
	l.put("precios.csv", "Sucursal;Código;Precio;Activo\n001;A1;10,50;S\n001;A2;11,00;S\n001;A3;12,00;S\n002;A1;11,00;S\n002;A2;11,50;S\n")
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventSent, 2)
	l.put("precios2.csv", "Sucursal;Código;Precio;Activo\n001;A1;10,60;S\n002;A1;11,00;S\n002;A2;11,50;S\n")
	l.awaitEvent(EventRead, 2)
	l.push()
	l.await("the export to be held", func() bool {
		held, err := l.house.HeldExports(context.Background())
		return err == nil && len(held) == 1
	})
	tab, complaints := newTab(t)
	see := func(what string, want ...string) {
		t.Helper()
		var text, place string
		if err := chromedp.Run(tab, chromedp.Location(&place), chromedp.Text("body", &text, chromedp.ByQuery)); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Fatalf("%s: %s does not show %q:\n%s", what, place, w, text)
			}
		}
	}
	run := func(what string, actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(tab, actions...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	run("open the page", chromedp.Navigate("http://"+l.house.PageAddr()+"/?quiet"))
	see("without a login", "Contraseña")
	run("a wrong password", chromedp.SendKeys("#name", "Ana"), chromedp.SendKeys("#password", "mate"), click("form button"))
	see("a wrong password", "El nombre o la contraseña no es correcto.")
	run("log in", chromedp.SendKeys("#name", "Ana"), chromedp.SendKeys("#password", pagePassword), leading(chromedp.SendKeys("#password", kb.Enter)))
	see("the page", "precios2.csv", "Entró como ana.")
	run("ask", click(`a[href="approve?of=2"]`))
	see("the question", "¿Aprobar?", "precios2.csv", "Centro", "como ana (page)")
	run("approve", click("form button"))
	see("the page", "2 quedó aprobado.", "Entró como ana.")
	run("pauses", click(`a[href="pause"]`))
	run("pause", chromedp.SendKeys("#reason", "inventario"), click(`form[action="/pause"] button`))
	see("the page", "Los envíos quedaron en pausa.", "inventario", "por ana (page)")
	run("pauses", click(`a[href="pause"]`))
	run("go on", click(`form[action="/resume"] button`))
	see("the page", "Los envíos siguen.")
	run("log out", click(".visitor button"))
	see("logged out", "Contraseña")
	l.push()
	l.await("the export to be sent", func() bool { return strings.Contains(l.remote("gondola_290056.csv"), "A1,10.60") })

	want := map[store.EntryKind]bool{store.EntryApproval: false, store.EntryPause: false, store.EntryResume: false}
	err := l.house.Ledger(t.Context(), time.Time{}, "", func(e store.Entry) error {
		if _, ok := want[e.Kind]; ok {
			want[e.Kind] = e.Facts.Who == "ana (page)"
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, named := range want {
		if !named {
			t.Errorf("the ledger does not name who in %s", kind)
		}
	}
	for len(complaints) > 0 {
		t.Errorf("the browser complains: %s", <-complaints)
	}
}

// click clicks something that leads to another page, and waits until that is there.
func click(what string) chromedp.Action { return leading(chromedp.Click(what, chromedp.ByQuery)) }

// leading does something that leads to another page, and waits until that is there.
func leading(action chromedp.Action) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := chromedp.RunResponse(ctx, action)
		return err
	})
}

// newTab opens a tab of a browser. What it complains of, or what a script does, is sent; a refused login is no complaint.
func newTab(t *testing.T) (context.Context, chan string) {
	t.Helper()
	ctx := openTab(t)
	complaints := make(chan string, 100)
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			if !strings.Contains(e.Entry.Text, "401") && !strings.Contains(e.Entry.URL, "favicon.ico") {
				complaints <- e.Entry.Text
			}
		case *runtime.EventConsoleAPICalled, *runtime.EventExceptionThrown:
			complaints <- "a script ran"
		}
	})
	return ctx, complaints
}

// TestDesk asks and decides on rows, on a store that waits, and on what there is not.
func TestDesk(t *testing.T) {
	c := newRules(t, onePartialFeed, "")
	d := desk{c.house}
	for what, phrase := range map[string]string{"": "act.unknown", "F": "act.unknown", "-1": "act.unknown", "F99": "act.gone", "99": "act.gone"} {
		_, err := d.Question(t.Context(), what)
		if no, ok := errors.AsType[*web.Declined](err); !ok || no.Phrase != phrase {
			t.Errorf("%q: %v, want %s", what, err, phrase)
		}
	}
	c.export("precios", "sku,precio\nA,10\nB,10\nC,10\n")
	c.slot(false)
	c.export("precios", "sku,precio\nA,30\n")
	c.slot(false)
	first := findingName(c.finding())
	q, err := d.Question(t.Context(), strings.ToLower(first))
	if err != nil || q.What != first || !q.Rejects || len(q.Findings) != 1 || len(q.Findings[0].Worst) != 1 {
		t.Fatalf("%+v, %v", q, err)
	}
	if w := q.Findings[0].Worst[0]; w.Key != "A" || w.Old != "10.00" || w.New != "30.00" {
		t.Errorf("the worst: %+v", w)
	}
	again, err := d.Question(t.Context(), first)
	if err != nil || again.Seen != q.Seen {
		t.Errorf("the same question is another one: %v", err)
	}
	// More is held by now than was shown.
	c.export("precios", "sku,precio\nB,1\n")
	c.slot(false)
	err = d.Decide(t.Context(), web.Decision{What: first, Seen: q.Seen, Approve: true, Who: "ana (page)"})
	if no, ok := errors.AsType[*web.Declined](err); !ok || no.Phrase != web.Changed && no.Phrase != "act.gone" {
		t.Errorf("a decision on what was shown before: %v", err)
	}
	now := findingName(c.finding())
	if q, err = d.Question(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	var told sync.Map
	c.house.log = slog.New(slog.NewTextHandler(writerFunc(func(p []byte) { told.Store(string(p), true) }), nil))
	if err := d.Decide(t.Context(), web.Decision{What: now, Seen: q.Seen, Who: "ana (page)"}); err != nil {
		t.Errorf("reject: %v", err)
	}
	if err := d.Decide(t.Context(), web.Decision{What: now, Seen: q.Seen, Who: "ana (page)"}); err == nil {
		t.Error("rejected twice")
	}
	if rows := c.status().Rows; len(rows) != 0 {
		t.Errorf("still held: %+v", rows)
	}
	for _, id := range []string{"9", "*"} {
		err := d.Pause(t.Context(), web.PauseOrder{Stores: []string{id}, Who: "ana (page)"})
		if no, ok := errors.AsType[*web.Declined](err); !ok || no.Phrase != "pause.store" {
			t.Errorf("pause %q: %v", id, err)
		}
	}
}

// writerFunc is a writer that is a function.
type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// TestPasswordsOfTheConfig finds a password where its hash should be, without telling it.
func TestPasswordsOfTheConfig(t *testing.T) {
	text := liveConfig(t.TempDir()) + "web: {listen: 127.0.0.1:8481, users: [{name: ana, password: 'no-es-un-hash', roles: [view]}]}\n"
	if err := os.WriteFile(t.TempDir()+"/password", []byte(casePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("config.yaml", []byte(strings.Replace(text, `"file:password"`, "inline", 1)))
	if err != nil {
		t.Fatal(err)
	}
	found := config.Problems(Check(cfg)).Error()
	if !strings.Contains(found, "web.users[0].password: is not an argon2id hash; run `gondola web password`") || strings.Contains(found, "no-es-un-hash") {
		t.Errorf("found: %s", found)
	}
	if shown, err := cfg.Effective().YAML(); err != nil || strings.Contains(string(shown), "no-es-un-hash") {
		t.Errorf("%v\n%s", err, shown)
	}
}
