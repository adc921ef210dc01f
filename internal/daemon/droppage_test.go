package daemon

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/store"
	"gondola/internal/web"
)

// dropSite is a live house whose drop page is served.
type dropSite struct {
	*live
	page *dropPage
	url  string
}

// newDropSite serves the drop page of a live house to whoever has roles; none is all of them.
func newDropSite(t *testing.T, o liveOptions, roles ...web.Role) *dropSite {
	t.Helper()
	d := &dropSite{live: newLive(t, o)}
	d.serve(roles...)
	return d
}

func (d *dropSite) serve(roles ...web.Role) {
	d.Helper()
	if roles == nil {
		roles = []web.Role{web.RoleView, web.RoleDrop}
	}
	d.page = &dropPage{d.house, previewWithin}
	s, err := web.New(web.Config{
		Listen: "127.0.0.1:0", Language: d.cfg.Chain.Language, Zone: d.house.zone, Look: d.house.view, Healthy: d.house.Healthy,
		Drops: d.page, Open: roles,
	})
	if err != nil {
		d.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	d.url = "http://" + s.Addr().String()
	house := d.stop
	d.stop = func() {
		stop()
		if err := <-done; err != nil {
			d.Errorf("serve: %v", err)
		}
		house()
	}
}

// ask makes a request and returns the code and the page.
func (d *dropSite) ask(req *http.Request) (int, string) {
	d.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.Fatal(err)
	}
	res, err := (&http.Client{Jar: jar}).Do(req)
	if err != nil {
		d.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		d.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (d *dropSite) get(path string) (int, string) {
	d.Helper()
	req, err := http.NewRequestWithContext(d.Context(), http.MethodGet, d.url+path, http.NoBody)
	if err != nil {
		d.Fatal(err)
	}
	return d.ask(req)
}

func (d *dropSite) post(path string, form url.Values) (int, string) {
	d.Helper()
	form.Set("csrf", d.csrf())
	req, err := http.NewRequestWithContext(d.Context(), http.MethodPost, d.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		d.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.ask(req)
}

// sentFile is a file as a browser sends it. header, where there is one, stands for its whole Content-Disposition.
type sentFile struct {
	name, header string
	data         []byte
}

// upload sends files for a preview.
func (d *dropSite) upload(feed string, files ...sentFile) (int, string) {
	d.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.WriteField("csrf", d.csrf()); err != nil {
		d.Fatal(err)
	}
	if feed != "" {
		if err := w.WriteField("feed", feed); err != nil {
			d.Fatal(err)
		}
	}
	for _, f := range files {
		header := f.header
		if header == "" {
			header = fmt.Sprintf(`form-data; name="file"; filename="%s"`, f.name)
		}
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {header}, "Content-Type": {"application/octet-stream"}})
		if err == nil {
			_, err = part.Write(f.data)
		}
		if err != nil {
			d.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		d.Fatal(err)
	}
	req, err := http.NewRequestWithContext(d.Context(), http.MethodPost, d.url+"/drop/preview", &b)
	if err != nil {
		d.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	return d.ask(req)
}

func text(name, data string) sentFile { return sentFile{name: name, data: []byte(data)} }

// csrf returns what forms of the page bring back.
func (d *dropSite) csrf() string {
	d.Helper()
	_, page := d.get("/drop")
	m := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		d.Fatalf("no token in:\n%s", page)
	}
	return m[1]
}

var tokenIn = regexp.MustCompile(`action="/drop/send">\s*<input type="hidden" name="csrf" value="[^"]+"><input type="hidden" name="token" value="([A-Z0-9]+)"`)

// token returns the token of the only file that can be sent from a page.
func (d *dropSite) token(page string) string {
	d.Helper()
	all := tokenIn.FindAllStringSubmatch(page, -1)
	if len(all) != 1 {
		d.Fatalf("%d files can be sent from:\n%s", len(all), page)
	}
	return all[0][1]
}

// words returns what stands in a page.
func words(page string) string {
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")), " ")
}

// TestDropPage follows a spreadsheet from the page to the answer.
func TestDropPage(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	code, page := d.get("/drop")
	if code != http.StatusOK || !strings.Contains(page, "Enviar una planilla") {
		t.Fatalf("%d\n%s", code, page)
	}
	code, page = d.upload("", text("precios.csv", liveExport))
	if code != http.StatusOK {
		t.Fatalf("%d\n%s", code, page)
	}
	said := words(page)
	for _, want := range []string{
		"Así se tomaría: todo bien", "Leímos 3 filas", "catálogo, exportación precios", "sale de la venta", "punto y coma",
		"Precio “Precio”: decimales con coma", "Centro (290056)", "2 artículos nuevos", "Puerto (290057)", "1 artículo nuevo", "Iría a la plataforma",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the preview does not say %q:\n%s", want, said)
		}
	}
	// Nothing has changed yet.
	if files, err := os.ReadDir(d.drops); err != nil || len(files) > 1 {
		t.Errorf("the drop folder holds %v, %v", files, err)
	}
	if drops, err := d.house.store.RecentDrops(t.Context(), []string{"precios"}, 9); err != nil || len(drops) != 0 {
		t.Errorf("drops %v, %v", drops, err)
	}
	if left, err := filepath.Glob(filepath.Join(d.cfg.State.Dir, shelfDir, "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("the preview left %v, %v", left, err)
	}
	token := d.token(page)
	code, page = d.post("/drop/send", url.Values{"token": {token}})
	if code != http.StatusOK || !strings.Contains(words(page), "Enviado: espera su turno") {
		t.Errorf("%d\n%s", code, page)
	}
	again := regexp.MustCompile(`data-again="([^"]+)"`).FindStringSubmatch(page)
	if again == nil {
		t.Fatalf("nothing to follow in:\n%s", page)
	}
	d.await("the answer on the page", func() bool {
		_, page = d.get(again[1])
		return strings.Contains(words(page), "Recibido, todo bien")
	})
	if !strings.Contains(page, "enviado por page") {
		t.Errorf("the answer does not say who dropped it:\n%s", words(page))
	}
	d.await("the answer in the folder", func() bool { return d.receipt("precios.csv") != "" })
	who := ""
	err := d.house.store.Entries(t.Context(), time.Time{}, store.EntryDrop, func(e store.Entry) error {
		who = e.Facts.Who
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if who != "page" {
		t.Errorf("the ledger says that %q dropped it", who)
	}
	// Sent twice, it is there once.
	if code, page = d.post("/drop/send", url.Values{"token": {token}}); code != http.StatusOK || !strings.Contains(words(page), "Recibido, todo bien") {
		t.Errorf("sent again: %d\n%s", code, words(page))
	}
	if _, page = d.get("/drop"); !strings.Contains(page, `href="/drop/answer/1"`) {
		t.Errorf("the answer is not listed:\n%s", page)
	}
	if code, page = d.get("/drop/answer/1"); code != http.StatusOK || !strings.Contains(words(page), "Recibido, todo bien") {
		t.Errorf("%d\n%s", code, page)
	}
	if code, _ = d.get("/drop/answer/2"); code != http.StatusNotFound {
		t.Errorf("an answer that does not exist: %d", code)
	}
}

// TestDropPageByConfig serves the drop page to whom the config lets drop.
func TestDropPageByConfig(t *testing.T) {
	for role, want := range map[string]int{config.RoleDrop: http.StatusOK, config.RoleView: http.StatusForbidden} {
		l := newLive(t, liveOptions{change: func(c *config.Config) { c.Web.Listen, c.Web.Open = "127.0.0.1:0", []string{role} }})
		d := &dropSite{live: l, url: "http://" + l.house.PageAddr()}
		if code, page := d.get("/drop"); code != want {
			t.Errorf("%s: %d\n%s", role, code, page)
		}
	}
}
