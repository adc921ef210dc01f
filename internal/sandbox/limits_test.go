package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

// stat tells of the file that every test here begins with.
func stat(c *sftp.Client) error { _, err := c.Stat("catalog/old"); return err }

// list lists its folder.
func list(c *sftp.Client) error { _, err := c.ReadDir("catalog"); return err }

// create makes a file.
func create(name string) func(c *sftp.Client) error {
	return func(c *sftp.Client) error { return send(c, name, []byte("x")) }
}

// TestLimits asks each kind of server for what it refuses, and for what it must go on doing.
func TestLimits(t *testing.T) {
	rename := func(to string) func(c *sftp.Client) error {
		return func(c *sftp.Client) error { return c.Rename("catalog/old", to) }
	}
	read := func(c *sftp.Client) error { return open(c, os.O_RDONLY) }
	for _, tt := range []struct {
		server  string
		refuses []func(c *sftp.Client) error
		code    uint32
		does    []func(c *sftp.Client) error
	}{
		{"no-read-back", []func(c *sftp.Client) error{read}, denied, []func(c *sftp.Client) error{stat, list}},
		{"no-stat", []func(c *sftp.Client) error{stat}, denied, []func(c *sftp.Client) error{list, read}},
		{"no-list", []func(c *sftp.Client) error{list}, denied, []func(c *sftp.Client) error{stat, read}},
		{
			"one-folder-renames",
			[]func(c *sftp.Client) error{rename("old")},
			denied,
			[]func(c *sftp.Client) error{rename("catalog/new")},
		},
		{"no-rename", []func(c *sftp.Client) error{rename("catalog/new"), rename("old")}, unsupported, []func(c *sftp.Client) error{create("x")}},
		{
			"no-delete",
			[]func(c *sftp.Client) error{func(c *sftp.Client) error { return c.Remove("catalog/old") }},
			denied,
			[]func(c *sftp.Client) error{rename("old")},
		},
		{
			"no-dot-names", []func(c *sftp.Client) error{
				create(".x"), create("catalog/.x"), rename("catalog/.old"), func(c *sftp.Client) error { return c.Mkdir(".d") },
			}, denied, []func(c *sftp.Client) error{create("catalog/x.y"), rename("catalog/new.")},
		},
		{
			"one-file",
			[]func(c *sftp.Client) error{func(c *sftp.Client) error {
				f, err := c.OpenFile("catalog/a", os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
				if err != nil {
					return err
				}
				defer func() { _ = f.Close() }()
				return create("catalog/b")(c)
			}},
			failure,
			[]func(c *sftp.Client) error{create("catalog/a"), create("catalog/b")},
		},
		{
			"no-home",
			[]func(c *sftp.Client) error{create("x"), rename("old"), func(c *sftp.Client) error { return c.Mkdir("d") }},
			denied,
			[]func(c *sftp.Client) error{create("catalog/x"), rename("catalog/new")},
		},
	} {
		t.Run(tt.server, func(t *testing.T) {
			s := newTestSandbox(t, func(o *Options) {
				if err := o.SetServer(tt.server); err != nil {
					t.Fatal(err)
				}
			})
			put(t, s, "catalog/old", "old")
			c := newTestClient(t, s)
			for i, do := range tt.refuses {
				if err := do(c); code(err) != tt.code {
					t.Errorf("%d: got %v, want code %d", i, err, tt.code)
				}
			}
			for i, do := range tt.does {
				if err := do(c); err != nil {
					t.Errorf("%d is refused, too: %v", i, err)
				}
			}
		})
	}
}

// TestEatsOnClose closes files of every kind: none is left when the close is answered, and what the platform reads was read.
func TestEatsOnClose(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.Limits.EatsOnClose = true })
	c := newTestClient(t, s)
	for _, name := range []string{"x.tmp", "catalog/.g_1.csv.1.tmp", "catalog/g_1.csv"} {
		if err := send(c, name, []byte("sku,price\n1,2\n")); err != nil {
			t.Fatal(err)
		}
		if got := sizeOf(s, name); got >= 0 {
			t.Errorf("%s lies there with %d bytes", name, got)
		}
	}
	jobs := s.Jobs()
	if len(jobs) != 1 || jobs[0].File != "catalog/g_1.csv" || jobs[0].SHA256 != digestOf("sku,price\n1,2\n") {
		t.Errorf("jobs %+v, want one of the final name", jobs)
	}
	if h := s.History("catalog/g_1.csv"); len(h) != 3 || !h[1].Complete || !h[2].Gone || h[2].By != OpEat {
		t.Errorf("the name showed %+v", h)
	}
	s.Faults().CutAfter(5)
	_ = send(c, "catalog/g_1.csv", []byte("sku,price\n1,3\n"))
	eventually(t, "the cut file is eaten", func() bool { return len(s.Jobs()) == 2 && sizeOf(s, "catalog/g_1.csv") < 0 })
}

func TestClockAhead(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.ClockAhead = time.Hour })
	put(t, s, "catalog/old", "old")
	c := newTestClient(t, s)
	info, err := os.Stat(filepath.Join(s.Home(), "catalog", "old"))
	if err != nil {
		t.Fatal(err)
	}
	want := info.ModTime().Add(time.Hour).Truncate(time.Second)
	if got, err := c.Stat("catalog/old"); err != nil || !got.ModTime().Equal(want) {
		t.Errorf("Stat tells %v (%v), want %v", got, err, want)
	}
	if got, err := c.ReadDir("catalog"); err != nil || len(got) != 1 || !got[0].ModTime().Equal(want) {
		t.Errorf("ReadDir tells %v (%v), want %v", got, err, want)
	}
}

func TestDelay(t *testing.T) {
	const delay = 30 * time.Millisecond
	s := newTestSandbox(t, func(o *Options) { o.Limits.Delay = delay })
	put(t, s, "catalog/old", "old")
	c := newTestClient(t, s)
	start := time.Now()
	for _, do := range []func(*sftp.Client) error{stat, list} {
		if err := do(c); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < 2*delay {
		t.Errorf("two operations took %v, want %v at least", took, 2*delay)
	}
}

func TestSetServer(t *testing.T) {
	var none Options
	for _, name := range ServerNames() {
		var o Options
		if err := o.SetServer(name); err != nil {
			t.Error(err)
		}
		if o.Features == none.Features && o.Limits == none.Limits && o.ClockAhead == 0 {
			t.Errorf("%s changes nothing", name)
		}
	}
	if err := none.SetServer("no-such"); err == nil || !slices.Contains(ServerNames(), "no-rename") {
		t.Errorf("an unknown name is taken (%v), or a known one is missing", err)
	}
}
