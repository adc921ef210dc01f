package web

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var shots = flag.String("shots", "", "write what the browser shows into this folder, for people to look at")

// axeScript is where npm puts the checks of accessibility; see .ci/axe.
const axeScript = "../../.ci/axe/node_modules/axe-core/axe.min.js"

// faint finds text that stands out from what is behind it less than readers with weak eyes need.
const faint = `(() => {
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b };
	const rgb = text => text.match(/[\d.]+/g).map(Number);
	const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
		if (c.length < 4 || c[3] > 0) return c.slice(0, 3) } return [255, 255, 255] };
	return [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())).filter(e => {
		const a = light(rgb(getComputedStyle(e).color).slice(0, 3)), b = light(behind(e));
		return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5 }).map(e => e.outerHTML.slice(0, 80)) })()`

// profileDir returns a folder for a browser's profile. The processes that a browser leaves behind write there for a moment after it has
// ended, so it is removed when they let it, which is not what t.TempDir does.
func profileDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gondola-browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 100 {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Logf("the browser's profile stays: %v", err)
	})
	return dir
}

// browser is a tab that a test looks at.
type browser struct {
	*testing.T
	ctx        context.Context
	complaints chan string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing: install it, as .ci/run does")
		}
		t.Skip("no chromium on this machine")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(profileDir(t)))
	ctx, closeAll := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(closeAll)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &browser{T: t, ctx: ctx, complaints: make(chan string, 100)}
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			b.complaints <- e.Entry.Text + " " + e.Entry.URL
		case *runtime.EventConsoleAPICalled:
			b.complaints <- "a script writes on the console"
		case *runtime.EventExceptionThrown:
			b.complaints <- e.ExceptionDetails.Error()
		}
	})
	return b
}

func (b *browser) run(actions ...chromedp.Action) {
	b.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// askScript evaluates an expression of a script.
func askScript[T any](b *browser, script string) (v T) {
	b.Helper()
	b.run(chromedp.Evaluate(script, &v))
	return v
}

// until waits until an expression of a script is true.
func (b *browser) until(script string) {
	b.Helper()
	if err := chromedp.Run(b.ctx, chromedp.Poll(script, nil, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		b.Fatalf("%s: %v; the page is %s", script, err, askScript[string](b, "document.body.innerText"))
	}
}

// lands waits until the browser is at a path.
func (b *browser) lands(path string) {
	b.Helper()
	var at string
	for range 200 {
		b.run(chromedp.Location(&at))
		if u, err := url.Parse(at); err == nil && u.Path == path {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.Fatalf("the browser is at %s, want %s", at, path)
}

// calm fails the test for what the browser complained of.
func (b *browser) calm() {
	b.Helper()
	for len(b.complaints) > 0 {
		b.Errorf("the browser complains: %s", <-b.complaints)
	}
}

// look is how a reader looks at pages.
type look struct {
	width  int64
	scheme string
}

var looks = []look{{360, "light"}, {360, "dark"}, {1280, "light"}, {1280, "dark"}}

func (l look) set() chromedp.Action {
	return chromedp.Tasks{
		chromedp.EmulateViewport(l.width, 800),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}),
	}
}

// shot writes what is shown, where somebody wants to look at it.
func (b *browser) shot(name string) {
	b.Helper()
	if *shots == "" {
		return
	}
	var picture []byte
	b.run(chromedp.FullScreenshot(&picture, 100))
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), picture, 0o600); err != nil {
		b.Fatal(err)
	}
}

// axe asks for what keeps people who hear, see or move otherwise from using the page. Without the script it says that it did not ask.
func (b *browser) axe(name string) {
	b.Helper()
	script, err := os.ReadFile(axeScript)
	if err != nil {
		if os.Getenv("CI") != "" {
			b.Fatalf("axe-core is missing: npm ci --prefix .ci/axe, as .ci/run does: %v", err)
		}
		b.Log("axe-core was not asked: npm ci --prefix .ci/axe brings it")
		return
	}
	type violation struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML, FailureSummary string }
	}
	var found []violation
	b.run(
		chromedp.Evaluate(string(script)+"; 0", nil),
		chromedp.Evaluate(`axe.run().then(r => r.violations)`, &found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
			return p.WithAwaitPromise(true)
		}),
	)
	for _, v := range found {
		text, _ := json.Marshal(v.Nodes[0])
		if v.Impact == "serious" || v.Impact == "critical" {
			b.Errorf("%s: %s (%s): %s: %s", name, v.ID, v.Impact, v.Help, text)
		} else {
			b.Logf("%s: %s (%s): %s: %s", name, v.ID, v.Impact, v.Help, text)
		}
	}
}

// storied is a config that has something on every page.
func storied(p Page) Config {
	return Config{
		Language: "es", Look: fixed(p), Stores: []Named{{"290056", "Centro"}, {"290057", "Puerto"}},
		Story: func(_ context.Context, a About) (Story, error) {
			if a.Article != "0042" {
				return Story{}, ErrNoArticle
			}
			return fullStory(), nil
		},
		Answer: func(_ context.Context, drop int64) (string, error) {
			if drop != 12 {
				return "", ErrNoDrop
			}
			return "RECIBIDO, CON OBSERVACIONES\n\nLeímos bien 9 de 10 filas.\n", nil
		},
	}
}

// TestBrowser shows every page to a browser, as on a phone and on a desk, by day and by night.
func TestBrowser(t *testing.T) {
	s := newServed(t, storied(fullPage()))
	b := newBrowser(t)
	grounds := map[string]bool{}
	for name, path := range map[string]string{"status": "/?quiet", "sku": "/sku?q=0042", "unknown": "/sku?q=1", "answer": "/answer?drop=12"} {
		for _, l := range looks {
			where := fmt.Sprintf("%s-%d-%s", name, l.width, l.scheme)
			b.run(l.set(), chromedp.Navigate(s.url+path), chromedp.Evaluate(`document.querySelectorAll('details').forEach(d => { d.open = true })`, nil))
			grounds[askScript[string](b, `getComputedStyle(document.body).backgroundColor`)] = true
			if wide := askScript[string](b, `document.documentElement.scrollWidth > innerWidth ? "wider than the window" : ""`); wide != "" {
				t.Errorf("%s: %s", where, wide)
			}
			if lang := askScript[string](b, `document.documentElement.lang`); lang != "es" {
				t.Errorf("%s: language %q", where, lang)
			}
			if weak := askScript[[]string](b, faint); len(weak) > 0 {
				t.Errorf("%s: faint: %s", where, strings.Join(weak, "\n"))
			}
			b.axe(where)
			b.shot(where)
			if name == "status" {
				heard(b, where)
			}
		}
	}
	if len(grounds) != 2 {
		t.Errorf("day and night have %d grounds", len(grounds))
	}
	for len(b.complaints) > 0 {
		if c := <-b.complaints; !strings.Contains(c, "404") { // of the article that there is not
			t.Errorf("the browser complains: %s", c)
		}
	}
}

// heard looks at what a screen reader meets on the status page.
func heard(b *browser, where string) {
	b.Helper()
	var nodes []*accessibility.Node
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		nodes, err = accessibility.GetFullAXTree().Do(ctx)
		return err
	}))
	roles := map[string]int{}
	for _, n := range nodes {
		if n.Role != nil && !n.Ignored {
			roles[strings.Trim(string(n.Role.Value), `"`)]++
		}
	}
	for role, least := range map[string]int{
		"banner": 1, "main": 1, "contentinfo": 1, "navigation": 2, "heading": 14, "table": 8, "columnheader": 50, "rowheader": 19, "region": 9, "link": 8,
		"status": 1, "time": 20,
	} {
		if roles[role] < least {
			b.Errorf("%s: a screen reader meets %d x %s, want %d; it meets %v", where, roles[role], role, least, roles)
		}
	}
}

// TestBrowserAxe has axe-core look at the pages that ask and at those on which files are dropped.
func TestBrowserAxe(t *testing.T) {
	s, _ := newOpen(t, func(c *Config) { c.Open = []Role{RoleView, RoleDrop, RoleApprove} })
	b := newBrowser(t)
	file := filepath.Join(t.TempDir(), "p.csv")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, l := range []look{looks[0], looks[3]} {
		for _, path := range []string{"/login", "/approve?of=F7", "/reject?of=F7", "/approve?of=F99", "/pause", "/drop", "/drop/answer/1", "/drop/sent/sent-by-page"} {
			b.run(l.set(), chromedp.Navigate(s.url+path))
			b.axe(fmt.Sprintf("%s, %d, %s", path, l.width, l.scheme))
		}
		b.run(chromedp.Navigate(s.url+"/drop"), chromedp.SetUploadFiles("#file", []string{file}), chromedp.WaitVisible(".send button"))
		b.axe(fmt.Sprintf("a preview, %d, %s", l.width, l.scheme))
		b.run(chromedp.Navigate(s.url+"/login"), chromedp.SetValue("#name", "vera"), chromedp.SetValue("#password", "wrong"),
			chromedp.Submit("form"), chromedp.WaitVisible("[role=alert]"))
		b.axe(fmt.Sprintf("a wrong password, %d, %s", l.width, l.scheme))
	}
}

// TestBrowserLoggedOut ends the login of a reader who has pages open: each leads to the login by itself, or as soon as it is used.
func TestBrowserLoggedOut(t *testing.T) {
	c := Config{
		Language: "es", Listen: freeAddress(t), Look: fixed(fullPage()), Open: []Role{}, Drops: &fakeDrops{},
		Users: []User{testUser("todo", RoleView, RoleDrop)}, Logins: NewLogins(time.Now),
	}
	serve(t, c, func(s *Server) { s.watch, s.still = 50*time.Millisecond, 100*time.Millisecond })
	file := filepath.Join(t.TempDir(), "p.csv")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	end := chromedp.ActionFunc(func(context.Context) error {
		c.Logins.sessions.mu.Lock()
		defer c.Logins.sessions.mu.Unlock()
		clear(c.Logins.sessions.all)
		return nil
	})
	b := newBrowser(t)
	enter := func(path string) {
		b.run(chromedp.Navigate("http://"+c.Listen+path), chromedp.SetValue("#name", "todo"), chromedp.SetValue("#password", testPassword), chromedp.Submit("form"))
		b.lands(path)
	}
	enter("/")
	b.until(`document.querySelector('#live.on')`)
	b.run(end)
	b.lands("/login")
	enter("/drop")
	b.run(chromedp.WaitReady("html.scripted"), end, chromedp.SetUploadFiles("#file", []string{file}))
	b.lands("/login")
}

// TestBrowserLive changes how things stand under the eyes of a reader: what they do there is not disturbed.
func TestBrowserLive(t *testing.T) {
	var page atomic.Pointer[Page]
	p := fullPage()
	for i := range 40 {
		p.Stores = append(p.Stores, Store{ID: fmt.Sprint(1000 + i), Name: fmt.Sprintf("Tienda %02d", i), Shelf: "catalog", Same: i, Settled: true})
	}
	page.Store(&p)
	began := time.Now()
	c := storied(p)
	c.Look = func(context.Context) (View, error) { return View{Page: *page.Load()}, nil }
	c.Now = func() time.Time { return began.Add(100 * time.Since(began)) } // views age soon
	addr := freeAddress(t)
	c.Listen = addr
	hurried := func(s *Server) { s.watch, s.still = 50*time.Millisecond, 200*time.Millisecond }
	stop := serve(t, c, hurried)
	b := newBrowser(t)
	b.run(looks[2].set(), chromedp.Navigate("http://"+addr+"/"))
	b.until(`document.querySelector('#live.on') && seen.textContent`)
	b.run(chromedp.Evaluate(`window.mark = 'same page'`, nil))

	// Somebody searches: the list follows while they type, and what is typed stays.
	b.run(chromedp.Focus("#store"), chromedp.SendKeys("#store", "tienda 07"))
	b.until(`document.querySelectorAll('#quiet-stores tbody tr').length == 1 && document.querySelector('#quiet-stores').open`)
	b.run(chromedp.Evaluate(`document.querySelector('#arrived').open = true; scrollTo(0, 700)`, nil))
	at := askScript[float64](b, `document.querySelector('#store').getBoundingClientRect().top`)

	next := p
	next.State, next.Problems = "held", []Problem{{Kind: "disk", Text: "Queda poco lugar.", Do: "Libere espacio.", Since: p.At}}
	next.Done = append([]Delivery{{Name: "catalog/gondola_1007.csv", Store: "Tienda 07", State: "verified", Planned: p.At, Began: p.At, Verified: p.At, Proof: "size"}}, p.Done...)
	page.Store(&next)
	b.until(`document.querySelector('#now').innerText.includes('Queda poco lugar.')`)
	for script, want := range map[string]string{
		`window.mark`: "same page",
		`document.activeElement.id + document.activeElement.value`:           "storetienda 07",
		`String(document.querySelector('#arrived').open)`:                    "true",
		`String(document.querySelectorAll('#arrived tbody tr').length)`:      "3",
		`String(document.querySelectorAll('#quiet-stores tbody tr').length)`: "1",
		`document.title`: "Los envíos están en pausa · Gondola",
		`document.querySelector('#news').textContent`: "Los envíos están en pausa. Problemas: 1. Retenidos: 3. En camino: 3.",
	} {
		if got := askScript[string](b, script); got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
	if now := askScript[float64](b, `document.querySelector('#store').getBoundingClientRect().top`); now < at-2 || now > at+2 {
		t.Errorf("what the reader looks at moved from %v to %v", at, now)
	}
	b.shot("live")
	b.calm()

	// The daemon goes away and comes back.
	stop()
	b.until(`document.querySelector('#live.gone')`)
	b.shot("gone")
	page.Store(&p)
	serve(t, c, hurried)
	b.until(`document.querySelector('#live.on') && document.querySelector('#now').innerText.includes('Sin permiso.')`)
	if got := askScript[string](b, `window.mark`); got != "same page" {
		t.Errorf("the page was loaded anew: %q", got)
	}
}

// TestBrowserKeys goes through the page with the keyboard alone.
func TestBrowserKeys(t *testing.T) {
	s := newServed(t, storied(fullPage()))
	b := newBrowser(t)
	b.run(looks[2].set(), chromedp.Navigate(s.url+"/"), chromedp.KeyEvent(kb.Tab))
	if got := askScript[string](b, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first stop is %q", got)
	}
	b.run(chromedp.KeyEvent(kb.Enter))
	if got := askScript[string](b, `document.activeElement.id`); got != "main" {
		t.Errorf("the way past the head leads to %q", got)
	}
	stops := askScript[int](b, `document.querySelectorAll('#main :is(a, button, input, select, summary), footer a').length`)
	for i := range stops {
		b.run(chromedp.KeyEvent(kb.Tab))
		if got := askScript[string](b, `(e => e === document.body ? 'nothing' : getComputedStyle(e).outlineStyle == 'none' ? 'unseen ' + e.outerHTML : '')(document.activeElement)`); got != "" {
			t.Errorf("stop %d of %d: %s", i+1, stops, got)
		}
	}
	if got := askScript[string](b, `document.activeElement.getAttribute('href')`); got != "status.json" {
		t.Errorf("the last stop is %q", got)
	}
	b.calm()
}

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
