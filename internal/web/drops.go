package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gondola/internal/report"
)

// MaxUpload is how many bytes a file that is dropped on the page may have: as many as a part of a workbook unzipped. Larger ones have the
// drop folder.
const MaxUpload = 2 << 30

// Drops is what the drop page shows and does. Its methods may be called by several goroutines at once. Their errors are those of this
// package where a reader can do something about them.
type Drops interface {
	// Feeds lists what can be dropped.
	Feeds() []DropFeed
	// Starters lists the names of the starter spreadsheets, and Starter returns one of them, fs.ErrNotExist where there is none.
	Starters() []string
	Starter(name string) ([]byte, error)
	// Receive keeps a file for a while and returns the token that it is known by.
	Receive(ctx context.Context, u Upload) (token string, err error)
	// Preview reads a received file as a feed would, "" leaves it to the file which. It ends with ctx, and within seconds in any case.
	Preview(ctx context.Context, token, feed string) (DropPreview, error)
	// Send puts the bytes that were received into the drop folder of the feed that they were last previewed for, and returns what they can
	// be followed by. Sent twice, a file is there once.
	Send(ctx context.Context, token, who string) (id string, err error)
	// Follow tells what has become of a file that was sent.
	Follow(ctx context.Context, id string) (DropFate, error)
	// Answers lists the last drops, the newest first, with verdicts alone, and Answer returns one of them in full.
	Answers(ctx context.Context) ([]report.Answer, error)
	Answer(ctx context.Context, seq int64) (report.Answer, error)
	// Workbook returns where the copy of a drop lies in which what is wrong is marked, fs.ErrNotExist where there is none.
	Workbook(ctx context.Context, seq int64) (path string, err error)
}

// DropFeed is a feed that files can be dropped for.
type DropFeed struct {
	Name string
	Kind string // catalog or promotions
}

// Upload is a file that a browser sends.
type Upload struct {
	Name     string // as the browser calls it
	Modified time.Time
	Size     int64 // at most, -1 where that is not known
	Body     io.Reader
}

// DropPreview is what a received file would be.
type DropPreview struct {
	Token  string
	Name   string         // that the file would have in the drop folder
	Feed   string         // that reads it
	Others []DropFeed     // that would take the name, too
	What   report.Preview // in words it is shown
}

// DropFate is what has become of a file that was sent.
type DropFate struct {
	Name   string
	Seq    int64          // of the drop that it became, 0 before
	Stuck  bool           // it can't be taken at the moment
	Gone   bool           // it was taken away before it was a drop
	Answer *report.Answer // nil before it was read
}

// What a reader can do something about.
var (
	ErrUnknown = errors.New("nothing is known by this token")                              // choose the file once more
	ErrLarge   = errors.New("the file is too large")                                       // see MaxUpload
	ErrFull    = errors.New("no space left")                                               // nothing was lost
	ErrBusy    = errors.New("too much at once")                                            // try again
	ErrLies    = errors.New("a file of this name lies in the drop folder")                 // likewise
	ErrFolder  = errors.New("the drop folder can't be written to")                         // likewise
	ErrBroken  = errors.New("the file did not arrive whole")                               // choose it once more
	errStale   = errors.New("the form is not of a page of ours that the visitor has read") // open the page again
	errNothing = errors.New("no file came")                                                // choose one
)

// NameError says that no feed takes a file of its name.
type NameError struct {
	Name  string
	Match []string // patterns of names that would be taken
}

// Error implements error.
func (e *NameError) Error() string {
	return fmt.Sprintf("no feed takes %q; known: %s", e.Name, strings.Join(e.Match, ", "))
}
