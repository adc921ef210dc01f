package web

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestDropPageIsReadable looks at the drop page with what weak eyes and screen readers need, by day and by night, on a phone and a desk.
func TestDropPageIsReadable(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing: install it, as .ci/run does")
		}
		t.Skip("no chromium on this machine")
	}
	s := newServed(t, Config{Language: "es", Look: fixed(Page{}), Drops: &fakeDrops{}, Open: []Role{RoleView, RoleDrop}})
	file := filepath.Join(t.TempDir(), "p.csv")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(profileDir(t)))
	ctx, closeAll := chromedp.NewExecAllocator(context.Background(), options...)
	defer closeAll()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, width := range []int64{360, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			var wide bool
			var weak []string
			var nodes []*accessibility.Node
			err := chromedp.Run(ctx,
				chromedp.EmulateViewport(width, 800),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				chromedp.Navigate(s.url+"/drop"), chromedp.SetUploadFiles("#file", []string{file}), chromedp.WaitVisible(".send button"),
				chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide), chromedp.Evaluate(faint, &weak),
				chromedp.ActionFunc(func(ctx context.Context) (err error) {
					nodes, err = accessibility.GetFullAXTree().Do(ctx)
					return err
				}),
			)
			if err != nil {
				t.Fatal(err)
			}
			if wide || len(weak) > 0 {
				t.Errorf("%d, %s: wide %v, faint: %s", width, scheme, wide, strings.Join(weak, "\n"))
			}
			roles, unnamed := map[string]int{}, 0
			for _, n := range nodes {
				if n.Role == nil || n.Ignored {
					continue
				}
				role := strings.Trim(string(n.Role.Value), `"`)
				roles[role]++
				if (role == "button" || role == "link" || role == "combobox") && (n.Name == nil || string(n.Name.Value) == `""`) {
					unnamed++
				}
			}
			for role, least := range map[string]int{"main": 1, "navigation": 1, "heading": 4, "button": 3, "combobox": 2, "status": 1, "article": 1, "link": 2} {
				if roles[role] < least {
					t.Errorf("%d, %s: a screen reader meets %d x %s, want %d; it meets %v", width, scheme, roles[role], role, least, roles)
				}
			}
			if unnamed > 0 {
				t.Errorf("%d, %s: %d controls have no name", width, scheme, unnamed)
			}
		}
	}
}
