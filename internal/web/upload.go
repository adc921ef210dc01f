package web

import (
	"errors"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"

	"gondola/internal/report"
)

// The limits of what is uploaded. A request may take long as long as it moves.
const (
	uploadStall  = 20 * time.Second // without a byte
	uploadWithin = 30 * time.Minute // in all
	restWithin   = 2 * time.Second  // for what a browser sends of a form that is refused
	maxUploading = 8                // requests at once
	maxFiles     = 50               // in one request
	maxForm      = 64 << 10         // bytes of a form without a file
	maxField     = 1 << 10          // bytes of a field beside files
)

// preview receives files and shows what they would be; or shows that of a file that was received before, as another feed reads it.
func (p *dropPages) preview(w http.ResponseWriter, r *http.Request) {
	form, err := p.receive(w, r)
	if err == nil && len(form.files) == 0 {
		err = errNothing
	}
	if err != nil {
		code, message := p.explain(err)
		p.show(w, r, code, dropView{Chosen: form.feed, Message: message})
		return
	}
	v, code := dropView{Chosen: form.feed}, http.StatusOK
	for _, f := range form.files {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(p.patience)) // each file takes its time
		result, failed := p.result(r, f, form.feed)
		if failed != 0 && len(form.files) == 1 {
			code = failed
		}
		v.Results = append(v.Results, result)
	}
	p.show(w, r, code, v)
}

// result previews one file. The code is that of its error, 0 for none.
func (p *dropPages) result(r *http.Request, f receivedFile, feed string) (result dropResult, code int) {
	result = dropResult{Token: f.token, Name: f.name}
	var seen DropPreview
	err := f.err
	if err == nil {
		seen, err = p.drops.Preview(r.Context(), f.token, feed)
	}
	var part string
	if err == nil {
		part, err = report.PreviewPart(seen.What)
	}
	if err != nil {
		code, result.Error = p.explain(err)
		result.Token = ""
		return result, code
	}
	return dropResult{
		Token: seen.Token, Name: seen.Name, Feed: seen.Feed, Others: seen.Others, Send: seen.What.Verdict != report.Rejected,
		Part: template.HTML(part), //nolint:gosec // report fills a template that escapes
	}, 0
}

// receivedForm is what a request brought.
type receivedForm struct {
	feed     string
	modified time.Time
	files    []receivedFile
}

// receivedFile is a file that came, or did not.
type receivedFile struct {
	token, name string
	err         error
}

// receive reads a form with files, or one with the token of a file that was received before.
func (p *dropPages) receive(w http.ResponseWriter, r *http.Request) (receivedForm, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		form := receivedForm{feed: r.PostFormValue("feed")}
		if !isTheirs(r.Context(), r.PostFormValue(tokenField)) {
			return form, errStale
		}
		if token := r.PostFormValue("token"); token != "" {
			form.files = []receivedFile{{token: token, name: r.PostFormValue("name")}}
		}
		return form, nil
	}
	select {
	case p.uploading <- struct{}{}:
		defer func() { <-p.uploading }()
	default:
		return receivedForm{}, ErrBusy
	}
	control := http.NewResponseController(w)
	began := time.Now()
	// The server's own limits are for requests without files.
	_ = control.SetWriteDeadline(began.Add(uploadWithin + p.patience))
	body := &patient{ReadCloser: r.Body, control: control, stall: p.stall, until: began.Add(uploadWithin)}
	r.Body = body
	var form receivedForm
	parts, err := r.MultipartReader()
	if err != nil {
		err = errors.Join(ErrBroken, err)
	} else {
		form, err = p.readParts(r, parts)
	}
	body.end(err == nil)
	_ = control.SetWriteDeadline(time.Now().Add(p.patience))
	return form, err
}

// readParts goes through the parts of a form. It returns what came before an error, too.
func (p *dropPages) readParts(r *http.Request, parts *multipart.Reader) (form receivedForm, err error) {
	theirs := false
	for len(form.files) < maxFiles {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return form, errors.Join(ErrBroken, err)
		}
		switch name := part.FileName(); {
		case name != "" && !theirs:
			return form, errStale // the token comes before the files: nothing is kept for whoever has none
		case name != "":
			f := receivedFile{name: name}
			f.token, f.err = p.drops.Receive(r.Context(), Upload{Name: name, Modified: form.modified, Size: r.ContentLength, Body: part})
			form.files = append(form.files, f)
		case part.FormName() == tokenField:
			var token string
			token, err = field(part)
			theirs = isTheirs(r.Context(), token)
		case part.FormName() == "feed":
			form.feed, err = field(part)
		case part.FormName() == "modified":
			form.modified, err = timeField(part)
		}
		if err != nil {
			return form, err
		}
	}
	return form, nil
}

// field reads a short field.
func field(part *multipart.Part) (string, error) {
	text, err := io.ReadAll(io.LimitReader(part, maxField))
	if err != nil {
		return "", errors.Join(ErrBroken, err)
	}
	return string(text), nil
}

// timeField reads when a file was last changed, in milliseconds since 1970 as a browser has it; zero where that makes no sense.
func timeField(part *multipart.Part) (time.Time, error) {
	text, err := field(part)
	if err != nil {
		return time.Time{}, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n > maxMillis {
		return time.Time{}, nil //nolint:nilerr // the time of arrival stands in for it
	}
	return time.UnixMilli(n), nil
}

// maxMillis is a time far enough in the future to be nonsense.
const maxMillis = 1 << 43

// patient is the body of a request that may take long while bytes come.
type patient struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	until   time.Time
}

// Read implements io.Reader.
func (b *patient) Read(to []byte) (int, error) {
	next := time.Now().Add(b.stall)
	if next.After(b.until) {
		next = b.until
	}
	if err := b.control.SetReadDeadline(next); err != nil {
		return 0, err
	}
	return b.ReadCloser.Read(to)
}

// end ends the reading. What is left to do with a whole form is not the browser's time; of another one the server waits for the rest, but
// not for long.
func (b *patient) end(whole bool) {
	deadline := time.Now().Add(restWithin)
	if whole {
		if n, err := io.Copy(io.Discard, io.LimitReader(b, maxForm)); err == nil && n < maxForm {
			deadline = time.Time{}
		}
	}
	_ = b.control.SetReadDeadline(deadline)
}
