package web

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/report"
)

// fakeDrops takes everything in and remembers it.
type fakeDrops struct {
	mu       sync.Mutex
	received []string // names with what came
	fails    error
	previews chan struct{} // where not nil, a preview waits for it or for its reader to leave
	left     chan error    // hears of readers who left
	book     string        // where the marked copy of drop 1 lies, "" for this file
}

func (*fakeDrops) Feeds() []DropFeed {
	return []DropFeed{{"precios", "catalog"}, {"ofertas", "promotions"}}
}
func (*fakeDrops) Starters() []string { return []string{"catalogo.xlsx"} }

func (*fakeDrops) Starter(name string) ([]byte, error) {
	if name != "catalogo.xlsx" {
		return nil, fs.ErrNotExist
	}
	return []byte("PK"), nil
}

func (f *fakeDrops) Receive(_ context.Context, u Upload) (string, error) {
	data, err := io.ReadAll(u.Body)
	if err != nil {
		return "", errors.Join(ErrBroken, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received = append(f.received, fmt.Sprintf("%s=%s@%d", u.Name, data, u.Modified.UnixMilli()))
	return fmt.Sprintf("T%d", len(f.received)), f.fails
}

func (f *fakeDrops) Preview(ctx context.Context, token, feed string) (DropPreview, error) {
	if f.previews != nil {
		select {
		case <-f.previews:
		case <-ctx.Done():
			f.left <- ctx.Err()
			return DropPreview{}, ctx.Err()
		}
	}
	return DropPreview{
		Token: token, Name: "p.csv", Feed: feed, Others: f.Feeds(),
		What: report.Preview{Answer: report.Answer{Language: "en", Name: "<b>p.csv", Feed: "precios", Verdict: report.Accepted, Rows: 3}},
	}, nil
}

func (f *fakeDrops) Send(_ context.Context, token, who string) (string, error) {
	if token != "T1" {
		return "", ErrUnknown
	}
	return "sent-by-" + who, f.fails
}

func (*fakeDrops) Follow(_ context.Context, id string) (DropFate, error) {
	if id != "sent-by-page" {
		return DropFate{}, ErrUnknown
	}
	return DropFate{Name: "p.csv"}, nil
}
func (*fakeDrops) Answers(context.Context) ([]report.Answer, error) { return nil, nil }

func (*fakeDrops) Answer(_ context.Context, seq int64) (report.Answer, error) {
	if seq != 1 {
		return report.Answer{}, fs.ErrNotExist
	}
	return report.Answer{Name: "p.csv", Seq: 1, Verdict: report.Accepted}, nil
}

func (f *fakeDrops) Workbook(_ context.Context, seq int64) (string, error) {
	if seq != 1 {
		return "", fs.ErrNotExist
	}
	return cmp.Or(f.book, "droppage_test.go"), nil
}

const (
	boundary      = "xxxx"
	multipartForm = "multipart/form-data; boundary=" + boundary
)

// theirs stands in the bodies of tests for the visitor's token.
const theirs = "THEIR-TOKEN"

// formOf returns the body of a form with parts, each its Content-Disposition behind form-data and its text.
func formOf(parts ...[2]string) string {
	var b strings.Builder
	for _, p := range append([][2]string{{`name="csrf"`, theirs}}, parts...) {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n", boundary, p[0], p[1])
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// post sends a body and returns the code and the page.
func (s served) post(t *testing.T, path, kind, body string, headers ...string) (int, string) {
	t.Helper()
	body = strings.ReplaceAll(body, theirs, s.token)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(page)
}

// TestDropPageNeedsItsRole asks for everything of the drop page without the role.
func TestDropPageNeedsItsRole(t *testing.T) {
	for _, open := range [][]Role{nil, {RoleView, RoleApprove}} {
		drops := &fakeDrops{}
		s := newServed(t, Config{Look: fixed(Page{}), Drops: drops, Open: open})
		for _, path := range []string{"/drop", "/drop/sent/x", "/drop/answer/1", "/drop/answer/1/workbook", "/starter/catalogo.xlsx"} {
			if res, _ := ask(t, http.MethodGet, s.url+path); res.code != http.StatusForbidden {
				t.Errorf("%s: %d", path, res.code)
			}
		}
		if code, _ := s.post(t, "/drop/preview", multipartForm, formOf([2]string{`name="file"; filename="a.csv"`, "a"})); code != http.StatusForbidden {
			t.Errorf("preview: %d", code)
		}
		if code, _ := s.post(t, "/drop/send", "application/x-www-form-urlencoded", "csrf="+theirs+"&token=T1"); code != http.StatusForbidden {
			t.Errorf("send: %d", code)
		}
		if len(drops.received) > 0 {
			t.Errorf("received %q", drops.received)
		}
	}
	s := newServed(t, Config{Look: fixed(Page{}), Open: []Role{RoleDrop}})
	if res, _ := ask(t, http.MethodGet, s.url+"/drop"); res.code != http.StatusNotFound {
		t.Errorf("without a drop page: %d", res.code)
	}
}

// TestDropPageTakesForms sends what browsers and their like send.
func TestDropPageTakesForms(t *testing.T) {
	file := func(header string) [2]string { return [2]string{`name="file"; ` + header, "data"} }
	for name, one := range map[string]struct {
		kind, body string
		code       int
		received   string
		says       string
	}{
		"a file":              {multipartForm, formOf(file(`filename="a.csv"`)), 200, "a.csv=data@-62135596800000", "Send p.csv"},
		"with a time":         {multipartForm, formOf([2]string{`name="modified"`, "1764180000000"}, file(`filename="a.csv"`)), 200, "a.csv=data@1764180000000", ""},
		"a silly time":        {multipartForm, formOf([2]string{`name="modified"`, "99999999999999999"}, file(`filename="a.csv"`)), 200, "a.csv=data@-62135596800000", ""},
		"utf-8":               {multipartForm, formOf(file(`filename="ñandú.csv"`)), 200, "ñandú.csv=data@-62135596800000", ""},
		"utf-8, marked":       {multipartForm, formOf(file(`filename*=UTF-8''%C3%B1.csv`)), 200, "ñ.csv=data@-62135596800000", ""},
		"no file chosen":      {multipartForm, formOf(file(`filename=""`)), 400, "", "No file came"},
		"no part":             {multipartForm, formOf(), 400, "", "No file came"},
		"no form":             {"text/plain", "hello", 403, "", "This page is old"},
		"no boundary":         {"multipart/form-data", "hello", 400, "", "did not arrive whole"},
		"another boundary":    {multipartForm, "--yyyy\r\n\r\n", 400, "", "did not arrive whole"},
		"cut off":             {multipartForm, strings.TrimSuffix(formOf(file(`filename="a.csv"`)), "\r\n--"+boundary+"--\r\n"), 400, "", "did not arrive whole"},
		"two files":           {multipartForm, formOf(file(`filename="a.csv"`), file(`filename="b.csv"`)), 200, "a.csv=data@-62135596800000 b.csv=data@-62135596800000", ""},
		"a token":             {"application/x-www-form-urlencoded", "csrf=" + theirs + "&token=T1&feed=ofertas", 200, "", "Send p.csv"},
		"no token":            {multipartForm, strings.Replace(formOf(file(`filename="a.csv"`)), theirs, "", 1), 403, "", "This page is old"},
		"another one's token": {multipartForm, strings.Replace(formOf(file(`filename="a.csv"`)), theirs, "x", 1), 403, "", "This page is old"},
		"a token too late":    {multipartForm, strings.Replace(formOf(file(`filename="a.csv"`), [2]string{`name="csrf"`, theirs}), theirs, "", 1), 403, "", "This page is old"},
		"a long field":        {multipartForm, formOf([2]string{`name="feed"`, strings.Repeat("x", 1<<20)}, file(`filename="a.csv"`)), 200, "a.csv=data@-62135596800000", ""},
		"a long form":         {"application/x-www-form-urlencoded", "csrf=" + theirs + "&token=" + strings.Repeat("x", 1<<20), 403, "", "This page is old"},
		"headers without end": {multipartForm, "--" + boundary + "\r\n" + strings.Repeat("X: y\r\n", 1<<16), 400, "", "did not arrive whole"},
	} {
		t.Run(name, func(t *testing.T) {
			drops := &fakeDrops{}
			s := newServed(t, Config{Language: "en", Look: fixed(Page{}), Drops: drops, Open: []Role{RoleDrop}})
			code, page := s.post(t, "/drop/preview", one.kind, one.body)
			if got := strings.Join(drops.received, " "); code != one.code || got != one.received || !strings.Contains(page, one.says) {
				t.Errorf("%d, received %q, want %d, %q and %q in:\n%s", code, got, one.code, one.received, one.says, page)
			}
			if strings.Contains(page, "<b>p.csv") {
				t.Error("a name is no text")
			}
		})
	}
}

// TestDropPageFails says what a reader can do about each error.
func TestDropPageFails(t *testing.T) {
	for _, one := range []struct {
		err  error
		code int
		says string
	}{
		{fmt.Errorf("write: %w", ErrFull), 507, "no space on the disk"},
		{ErrLarge, 413, "2,147 MB fit"},
		{ErrBusy, 503, "many spreadsheets at once"},
		{&NameError{Name: "x", Match: []string{"*.csv", "<i>"}}, 422, "Rename it: *.csv, &lt;i&gt;"},
		{errors.New("secret words"), 500, "Something of Gondola"},
	} {
		drops := &fakeDrops{fails: one.err}
		s := newServed(t, Config{Language: "en", Look: fixed(Page{}), Drops: drops, Open: []Role{RoleDrop}})
		code, page := s.post(t, "/drop/preview", multipartForm, formOf([2]string{`name="file"; filename="a.csv"`, "data"}), fragment, "1")
		if code != one.code || !strings.Contains(page, one.says) || strings.Contains(page, "secret") || strings.Contains(page, "<html") {
			t.Errorf("%v: %d\n%s", one.err, code, page)
		}
		code, page = s.post(t, "/drop/send", "application/x-www-form-urlencoded", "csrf="+theirs+"&token=T1&name=a.csv")
		if code != one.code || !strings.Contains(page, one.says) || !strings.Contains(page, `value="T1"`) {
			t.Errorf("sent, %v: %d\n%s", one.err, code, page)
		}
	}
	s := newServed(t, Config{Language: "en", Look: fixed(Page{}), Drops: &fakeDrops{}, Open: []Role{RoleDrop}})
	if code, page := s.post(t, "/drop/send", "application/x-www-form-urlencoded", "csrf="+theirs+"&token=T9"); code != 410 || strings.Contains(page, `value="T9"`) {
		t.Errorf("an unknown token: %d\n%s", code, page)
	}
	if code, _ := s.post(t, "/drop/send", "application/x-www-form-urlencoded", "csrf="+theirs+"&token=T1"); code != 303 {
		t.Errorf("sent: %d", code)
	}
	if code, _ := s.post(t, "/drop/send", "application/x-www-form-urlencoded", "csrf="+theirs+"&token=T1", "Sec-Fetch-Site", "cross-site"); code != 403 {
		t.Errorf("sent by another site: %d", code)
	}
	if res, page := ask(t, http.MethodGet, s.url+"/drop/sent/other"); res.code != 410 {
		t.Errorf("followed what nobody knows: %d\n%s", res.code, page)
	}
	for path, want := range map[string]string{
		"/starter/catalogo.xlsx": `attachment; filename=catalogo.xlsx`, "/starter/x": "", "/starter/..%2fx": "", "/drop/answer/x": "", "/drop/answer/2": "", "/drop/answer/2/workbook": "",
	} {
		res, _ := ask(t, http.MethodGet, s.url+path)
		if got := res.header.Get("Content-Disposition"); got != want || (want == "") != (res.code == 404) {
			t.Errorf("%s: %d, %q", path, res.code, got)
		}
	}
}

// TestUploadStalls sends half a file and waits. The server does not wait for ever, and not a shorter time for a slow line.
func TestUploadStalls(t *testing.T) {
	drops := &fakeDrops{}
	s := newServed(t, Config{Language: "en", Look: fixed(Page{}), Drops: drops, Open: []Role{RoleDrop}})
	s.drops.stall = 300 * time.Millisecond
	body := strings.ReplaceAll(formOf([2]string{`name="file"; filename="a.csv"`, strings.Repeat("x", 100)}), theirs, s.token)
	connect := func() net.Conn {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := fmt.Fprintf(c, "POST /drop/preview HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", multipartForm, len(body)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	slow := connect()
	for i := 0; i < len(body); i += 20 {
		if _, err := io.WriteString(slow, body[i:min(i+20, len(body))]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(80 * time.Millisecond) // in all, longer than a silence may be
	}
	res, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("slow: %v, %v", res, err)
	}
	_ = res.Body.Close()
	stalled, began := connect(), time.Now()
	if _, err := io.WriteString(stalled, body[:len(body)-60]); err != nil {
		t.Fatal(err)
	}
	res, err = http.ReadResponse(bufio.NewReader(stalled), nil)
	if err != nil || res.StatusCode != http.StatusBadRequest {
		t.Fatalf("stalled: %v, %v", res, err)
	}
	if took := time.Since(began); took > readTimeout/2 {
		t.Errorf("a stalled upload was waited for %v", took)
	}
	_ = res.Body.Close()
	if len(drops.received) != 1 {
		t.Errorf("received %q", drops.received)
	}
}

// TestReaderLeaves ends a preview that nobody waits for.
func TestReaderLeaves(t *testing.T) {
	drops := &fakeDrops{previews: make(chan struct{}), left: make(chan error, 1)}
	s := newServed(t, Config{Language: "en", Look: fixed(Page{}), Drops: drops, Open: []Role{RoleDrop}})
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body := strings.ReplaceAll(formOf([2]string{`name="file"; filename="a.csv"`, "data"}), theirs, s.token)
	if _, err := fmt.Fprintf(c, "POST /drop/preview HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", multipartForm, len(body), body); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-drops.left:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the preview goes on")
	}
}

// TestManyUploads refuses more than can come at once, and takes in again when there is room.
func TestManyUploads(t *testing.T) {
	drops := &fakeDrops{}
	s := newServed(t, Config{Language: "en", Look: fixed(Page{}), Drops: drops, Open: []Role{RoleDrop}})
	for range maxUploading {
		s.drops.uploading <- struct{}{}
	}
	body := formOf([2]string{`name="file"; filename="a.csv"`, "data"})
	if code, page := s.post(t, "/drop/preview", multipartForm, body); code != 503 || !strings.Contains(page, "many spreadsheets") {
		t.Errorf("%d\n%s", code, page)
	}
	<-s.drops.uploading
	if code, _ := s.post(t, "/drop/preview", multipartForm, body); code != 200 {
		t.Errorf("with room: %d", code)
	}
}

// TestManyPreviewsInOneRequest has each of several files take long to look at: the answer comes, as long as one after the other is done.
func TestManyPreviewsInOneRequest(t *testing.T) {
	drops := &fakeDrops{previews: make(chan struct{}), left: make(chan error, 1)}
	c := Config{Listen: freeAddress(t), Look: fixed(Page{}), Drops: drops, Open: []Role{RoleDrop}}
	const files = 6
	var s served
	serve(t, c, func(of *Server) {
		of.patience = 500 * time.Millisecond
		s = served{of, "http://" + c.Listen}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range files {
			time.Sleep(150 * time.Millisecond)
			drops.previews <- struct{}{}
		}
	}()
	var parts [][2]string
	for range files {
		parts = append(parts, [2]string{`name="file"; filename="p.csv"`, "x"})
	}
	if code, text := s.post(t, "/drop/preview", multipartForm, formOf(parts...)); code != http.StatusOK || strings.Count(text, `class="result"`) != files {
		t.Errorf("%d\n%s", code, text)
	}
	<-done
}

// TestWorkbookIsNoLink puts a link in the place of a marked copy: those who write to the drop folder may not read all that we may.
func TestWorkbookIsNoLink(t *testing.T) {
	dir := t.TempDir()
	secret, book := filepath.Join(dir, "secret"), filepath.Join(dir, "p.csv.xlsx")
	if err := os.WriteFile(secret, []byte("the key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, book); err != nil {
		t.Skip("no links here: ", err)
	}
	s := newServed(t, Config{Look: fixed(Page{}), Drops: &fakeDrops{book: book}, Open: []Role{RoleDrop}})
	if res, text := ask(t, http.MethodGet, s.url+"/drop/answer/1/workbook"); res.code != http.StatusNotFound || strings.Contains(text, "key") {
		t.Errorf("%d: %s", res.code, text)
	}
}
