package daemon

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
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// openTab opens a browser with a tab, for two minutes.
func openTab(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing: install it, as .ci/run does")
		}
		t.Skip("no chromium on this machine")
	}
	profile, err := os.MkdirTemp("", "gondola-browser")
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(profile))
	ctx, closeAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(func() {
		cancel()
		closeTab()
		closeAll()
		// The processes that a browser leaves behind write there for a moment longer.
		for range 100 {
			if os.RemoveAll(profile) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return ctx
}

// browse opens a browser that complains to the test about what scripts throw and what the page's policy forbids.
func browse(t *testing.T) context.Context {
	t.Helper()
	ctx := openTab(t)
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			t.Errorf("the browser complains: %s %s", e.Entry.Text, e.Entry.URL)
		case *runtime.EventExceptionThrown:
			t.Errorf("a script threw: %s", e.ExceptionDetails.Error())
		}
	})
	return ctx
}

// shot is a screenshot that is kept where GONDOLA_SHOTS names a folder: for people.
func shot(t *testing.T, name string) chromedp.Action {
	dir := os.Getenv("GONDOLA_SHOTS")
	if dir == "" {
		return chromedp.Tasks{}
	}
	var png []byte
	return chromedp.Tasks{
		chromedp.FullScreenshot(&png, 100),
		chromedp.ActionFunc(func(context.Context) error { return os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600) }),
	}
}

// looks is how a reader sees a page.
func looks(width int64, scheme string) chromedp.Action {
	return chromedp.Tasks{
		chromedp.EmulateViewport(width, 900),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
	}
}

// TestDropPageInABrowser drops files as people do: chooses them, drags them, sends them, reads the answer.
func TestDropPageInABrowser(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	write := func(name, text string) string {
		d.writeFile(name, text)
		return filepath.Join(d.dir, name)
	}
	good := write("precios.csv", liveExport)
	bad := write("precios ñandú.csv", "Sucursal;Código;Precio;Activo\n001;A1;12,00;S\n001;A2;gratis;S\n009;A3;1,00;S\n")
	pdf := write("lista.pdf", "%PDF-1.7\nsomething")
	ctx := browse(t)
	var wide bool
	var said, first, focus string
	narrow := chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide)
	check := func(what string, actions ...chromedp.Action) {
		t.Helper()
		began := time.Now()
		if err := chromedp.Run(ctx, actions...); err != nil {
			var at string
			_ = chromedp.Run(ctx, chromedp.Text("body", &at))
			t.Fatalf("%s: %v; the page says:\n%s", what, err, at)
		}
		t.Logf("%s: %v", what, time.Since(began).Round(time.Millisecond))
		if wide {
			t.Errorf("%s: wider than the window", what)
		}
	}
	check("empty", looks(360, "light"), chromedp.Navigate(d.url+"/drop"), narrow, shot(t, "empty-phone"))
	check("a preview", looks(1280, "light"), chromedp.Navigate(d.url+"/drop"),
		chromedp.SetUploadFiles("#file", []string{good}), chromedp.WaitVisible(".send button"), narrow, shot(t, "preview-desk"),
		looks(360, "dark"), narrow, shot(t, "preview-phone-dark"), chromedp.Text(".results", &said),
		chromedp.Text(".now", &first))
	for _, want := range []string{"Así se tomaría", "Centro", "Puerto"} {
		if !strings.Contains(said, want) {
			t.Errorf("the preview does not say %q:\n%s", want, said)
		}
	}
	if first != "precios.csv: revisado" {
		t.Errorf("a screen reader hears %q", first)
	}
	check("by keyboard", chromedp.Focus(".send button"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(".fate .verdict"),
		chromedp.Text(".fate", &said), shot(t, "answer-phone-dark"), chromedp.Evaluate(`location.pathname`, &focus))
	if !strings.Contains(said, "Recibido, todo bien") || focus != "/drop" {
		t.Errorf("at %s the answer is:\n%s", focus, said)
	}
	check("several at once, dragged", looks(1280, "dark"), chromedp.Navigate(d.url+"/drop"),
		chromedp.SetUploadFiles("#file", []string{bad, pdf}),
		chromedp.WaitVisible(`[aria-label="precios ñandú.csv"] .send button`), chromedp.WaitVisible(`[aria-label="lista.pdf"]`), narrow,
		chromedp.Text(".results", &said), shot(t, "wrong-desk-dark"))
	for _, want := range []string{"con observaciones", "C3", "Así no se puede usar", "documento PDF"} {
		if !strings.Contains(said, want) {
			t.Errorf("the previews do not say %q:\n%s", want, said)
		}
	}
	// The one that is sent does not take the other from the page.
	check("one of two", chromedp.Click(`[aria-label="precios ñandú.csv"] .send button`), chromedp.WaitVisible(".fate .verdict"),
		chromedp.WaitVisible(`[aria-label="lista.pdf"]`), looks(360, "light"), narrow, shot(t, "answer-wrong-phone"))
	drag := `(() => { const t = new DataTransfer(); t.items.add(new File(["Sucursal;Código;Precio;Activo\n001;A1;99,00;S\n"], "arrastrado.csv"));
		for (const kind of ["dragenter", "dragover", "drop"])
			document.querySelector(".zone").dispatchEvent(new DragEvent(kind, {dataTransfer: t, bubbles: true, cancelable: true})); })()`
	check("dragged", chromedp.Navigate(d.url+"/drop"), chromedp.Evaluate(drag, nil), chromedp.WaitVisible(`[aria-label="arrastrado.csv"] .send button`),
		looks(1280, "light"), shot(t, "moves-desk"), chromedp.Text(".results", &said))
	if !strings.Contains(said, "Los cambios de precio más grandes") {
		t.Errorf("the preview does not show the moves:\n%s", said)
	}
	check("the list of answers", chromedp.Navigate(d.url+"/drop"), chromedp.WaitVisible(".list"), shot(t, "list-desk"))
}

// TestDropPageWithoutScript does the same in a browser that runs no scripts.
func TestDropPageWithoutScript(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	d.writeFile("precios.csv", liveExport)
	ctx := browse(t)
	var said string
	err := chromedp.Run(ctx, emulation.SetScriptExecutionDisabled(true), looks(360, "light"), chromedp.Navigate(d.url+"/drop"),
		chromedp.SetUploadFiles("#file", []string{filepath.Join(d.dir, "precios.csv")}), chromedp.Click(".drop > button"),
		chromedp.WaitVisible(".send button"), shot(t, "noscript-phone"), chromedp.Click(".send button"),
		chromedp.WaitVisible(".fate .verdict"), chromedp.Text(".fate", &said))
	if err != nil || !strings.Contains(said, "Recibido, todo bien") {
		t.Fatalf("%v\n%s", err, said)
	}
}
