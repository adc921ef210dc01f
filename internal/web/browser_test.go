package web

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

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

// TestBrowser shows the page to a browser, as on a phone and on a desk, by day and by night.
func TestBrowser(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing: install it, as .ci/run does")
		}
		t.Skip("no chromium on this machine")
	}
	s := newServed(t, Config{Language: "es", Look: fixed(fullPage())})
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(profileDir(t)))
	ctx, closeAll := chromedp.NewExecAllocator(context.Background(), options...)
	defer closeAll()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	complaints := make(chan string, 100)
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			complaints <- e.Entry.Text
		case *runtime.EventConsoleAPICalled, *runtime.EventExceptionThrown:
			complaints <- "a script ran"
		}
	})
	grounds := map[string]bool{}
	for _, width := range []int64{360, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			var wide, ground, lang string
			var weak []string
			var nodes []*accessibility.Node
			err := chromedp.Run(ctx,
				chromedp.EmulateViewport(width, 800),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				chromedp.Navigate(s.url+"/?quiet"),
				chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth ? "wider than the window" : ""`, &wide),
				chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &ground),
				chromedp.Evaluate(`document.documentElement.lang`, &lang),
				chromedp.Evaluate(faint, &weak),
				chromedp.ActionFunc(func(ctx context.Context) (err error) {
					nodes, err = accessibility.GetFullAXTree().Do(ctx)
					return err
				}),
			)
			if err != nil {
				t.Fatal(err)
			}
			grounds[ground] = true
			if wide != "" || lang != "es" || len(weak) > 0 {
				t.Errorf("%d, %s: %s, lang %q, faint: %s", width, scheme, wide, lang, strings.Join(weak, "\n"))
			}
			roles := map[string]int{}
			for _, n := range nodes {
				if n.Role != nil && !n.Ignored {
					roles[strings.Trim(string(n.Role.Value), `"`)]++
				}
			}
			for role, least := range map[string]int{
				"banner": 1, "main": 1, "contentinfo": 1, "navigation": 1, "heading": 8, "table": 3, "columnheader": 21, "rowheader": 8, "region": 5, "link": 2,
			} {
				if roles[role] < least {
					t.Errorf("%d, %s: a screen reader meets %d x %s, want %d; it meets %v", width, scheme, roles[role], role, least, roles)
				}
			}
		}
	}
	if len(grounds) != 2 {
		t.Errorf("day and night have %d grounds", len(grounds))
	}
	for len(complaints) > 0 {
		t.Errorf("the browser complains: %s", <-complaints)
	}
}
