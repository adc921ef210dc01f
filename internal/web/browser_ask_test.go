package web

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

// unnamed finds what a reader who sees nothing is told no name of.
const unnamed = `[...document.querySelectorAll('input:not([type=hidden]), select, button, a, section[aria-labelledby], table')].filter(e =>
	!(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-label')
	|| e.hasAttribute('aria-labelledby') && !document.getElementById(e.getAttribute('aria-labelledby'))).map(e => e.outerHTML.slice(0, 80))`

// small finds what a thumb misses.
const small = `[...document.querySelectorAll('button, .button, input:not([type=hidden]), select')].filter(e =>
	e.getBoundingClientRect().height < 24).map(e => e.outerHTML.slice(0, 80))`

// TestBrowserOfPagesThatAsk shows the login and the pages of decisions as on a phone and on a desk, by day and by night. With
// GONDOLA_SHOTS naming a folder it leaves pictures there.
func TestBrowserOfPagesThatAsk(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing: install it, as .ci/run does")
		}
		t.Skip("no chromium on this machine")
	}
	s, _ := newOpen(t, func(c *Config) { c.Open = []Role{RoleView, RoleApprove} })
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(profileDir(t)))
	ctx, closeAll := chromedp.NewExecAllocator(context.Background(), options...)
	defer closeAll()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	complaints := make(chan string, 100)
	chromedp.ListenTarget(ctx, func(e any) {
		if e, ok := e.(*log.EventEntryAdded); ok && !strings.Contains(e.Entry.URL, "favicon") {
			complaints <- e.Entry.Text
		}
	})
	for _, width := range []int64{360, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			for name, page := range map[string]string{"login": "/login", "approve": "/approve?of=F7", "reject": "/reject?of=F7", "pause": "/pause", "page": "/?quiet"} {
				var wide string
				var weak, nameless, tiny []string
				var shot []byte
				if err := chromedp.Run(ctx,
					chromedp.EmulateViewport(width, 800),
					emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
					chromedp.Navigate(s.url+page),
					chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth ? "wider than the window" : ""`, &wide),
					chromedp.Evaluate(faint, &weak), chromedp.Evaluate(unnamed, &nameless), chromedp.Evaluate(small, &tiny),
					chromedp.FullScreenshot(&shot, 100),
				); err != nil {
					t.Fatal(err)
				}
				if wide != "" || len(weak)+len(nameless)+len(tiny) > 0 {
					t.Errorf("%s, %d, %s: %s\nfaint: %s\nwithout a name: %s\nsmall: %s", name, width, scheme, wide,
						strings.Join(weak, "\n"), strings.Join(nameless, "\n"), strings.Join(tiny, "\n"))
				}
				if dir := os.Getenv("GONDOLA_SHOTS"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+"-"+map[int64]string{360: "phone", 1280: "desk"}[width]+".png"), shot, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	for len(complaints) > 0 {
		t.Errorf("the browser complains: %s", <-complaints)
	}
}
