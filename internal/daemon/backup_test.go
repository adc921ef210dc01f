package daemon

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/sandbox"
	"gondola/internal/store"
)

// shelfText returns what the platform shows for a store.
func shelfText(s *sandbox.Sandbox, vendor string) string {
	var all []string
	for _, a := range s.Shelf(vendor) {
		all = append(all, fmt.Sprintf("%s %s %t", a.SKU, a.Price, a.Active))
	}
	return strings.Join(all, ", ")
}

// withShelf gives the case's platform articles to begin with, for it takes none that it does not know.
func (c *caseRun) withShelf(skus ...string) {
	c.Helper()
	var articles []sandbox.Article
	for _, sku := range skus {
		articles = append(articles, sandbox.Article{SKU: sku, Price: "1", Active: true})
	}
	c.platform = newTestSandbox(c.T, sandbox.Options{
		Password: casePassword, Vendors: []sandbox.Vendor{{ID: "1", Articles: articles}, {ID: "2", Articles: articles}},
	})
	c.seenOps = 0
	c.restart(func(cfg *config.Config) { pointAt(cfg, c.platform) })
}

// restore puts a backup where a new state folder is, and opens that.
func (c *caseRun) restore(backup string) {
	c.Helper()
	dir := filepath.Join(c.TempDir(), "elsewhere")
	if err := os.CopyFS(dir, os.DirFS(backup)); err != nil {
		c.Fatal(err)
	}
	c.restart(func(cfg *config.Config) { cfg.State.Dir = dir })
}

// TestRestoredBackup loses a state after it was backed up. What the platform was sent since is not known; it gets to show what is wanted.
func TestRestoredBackup(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {min_rows: 1000}")
	c.withShelf("A", "B", "C", "D")
	c.export("full", "sku,precio\nA,10.50\nB,20.00\nC,30.00\n")
	c.push(false)
	c.platform.Scan()
	c.export("full", "sku,precio\nA,11.00\nB,20.00\nC,30.00\n")
	// A plan that has not begun when the copy is made: it must not leave years later.
	if err := c.house.store.RecordSlot(c.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.house.planDue(c.Context()); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	b, err := c.house.Backup(c.Context(), backup)
	if err != nil || len(b.Missing) > 0 || b.Files < 5 {
		t.Fatalf("backup: %+v, %v", b, err)
	}

	// Life goes on: another price, B is sold out, and another store's file.
	c.flush()
	c.clock = c.clock.Add(time.Hour)
	c.export("full", "sku,precio\nA,12.00\nC,33.00\n")
	c.push(false)
	c.platform.Scan()
	if got, want := shelfText(c.platform, "1"), "A 12 true, B 20 false, C 33 true, D 1 true"; got != want {
		t.Fatalf("before the loss: %s, want %s", got, want)
	}

	c.clock = c.clock.Add(time.Hour)
	c.restore(backup)
	if waiting, err := c.house.store.Waiting(c.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("what was on its way then still is: %+v, %v", waiting, err)
	}
	c.put()
	// Nobody asks for it: it is due by itself.
	if err := c.house.send(c.Context()); err != nil {
		t.Fatal(err)
	}
	if put := c.put()["catalog/gondola_1.csv"]; put != "sku,price,active\nA,11.00,1\nB,20.00,1\nC,30.00,1\n" {
		t.Errorf("put: %s", put)
	}
	c.platform.Scan()
	if got, want := shelfText(c.platform, "1"), "A 11 true, B 20 true, C 30 true, D 1 true"; got != want {
		t.Errorf("afterwards: %s, want %s", got, want)
	}
	if rows := c.entries(store.EntryRestored); len(rows) != 1 {
		t.Errorf("ledger: %+v", rows)
	}
	if _, err := c.house.store.VerifyLedger(c.Context()); err != nil {
		t.Error(err)
	}

	// It is a state like any other from here on: nothing is owed, the archive is found, and the next export goes on top.
	c.restart(func(*config.Config) {})
	if put := c.push(false); len(put) != 0 {
		t.Errorf("owed once more: %v", put)
	}
	v, err := c.house.Verify(c.Context())
	if err != nil || len(v.Damage) > 0 || v.Exports != 2 {
		t.Errorf("verify: %+v, %v", v, err)
	}
	c.restart(func(cfg *config.Config) {
		cfg.Feeds[0].Rules.Price.Markup = new(config.Rate)
		*cfg.Feeds[0].Rules.Price.Markup = 10_000
	})
	if put := c.push(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "A,12.10,") {
		t.Errorf("read again by other rules: %s", put)
	}
}

// TestRestoredBackupOfParts takes over a state whose documents left in several files, so that there are more deliveries than plans.
func TestRestoredBackupOfParts(t *testing.T) {
	c := newRules(t, oneFullFeed, "send: {catalog: {max_rows: 2}}\nbrake: {equal_prices: off, min_rows: 1000}")
	c.export("full", "sku,precio\nA,10.00\nB,20.00\nC,30.00\nD,40.00\nE,50.00\n")
	c.push(false)
	c.export("full", "sku,precio\nA,11.00\nB,20.00\nC,30.00\nD,40.00\nE,50.00\n")
	c.push(false)
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := c.house.Backup(c.Context(), backup); err != nil {
		t.Fatal(err)
	}
	before, err := c.house.store.Sent(c.Context(), "catalog/1")
	if err != nil {
		t.Fatal(err)
	}
	c.restore(backup)
	after, err := c.house.store.Sent(c.Context(), "catalog/1")
	if err != nil {
		t.Fatal(err)
	}
	// What nobody knows lies above all that was sent.
	if len(after) != len(before)+1 || !slices.Equal(after[:len(before)], before) {
		t.Errorf("sent: %v, before the backup %v", after, before)
	}
}

// TestRestoredBackupOfWhatWasOff takes an article off by hand after the backup, where no feed says anything of that.
func TestRestoredBackupOfWhatWasOff(t *testing.T) {
	c := newRules(t, `  - {name: part, drop: drop, export: partial, vendor: {ids: ["1"]}}`, "brake: {min_rows: 1000}")
	c.withShelf("A", "B")
	c.export("part", "sku,precio\nA,10.50\nB,20.00\n")
	c.push(false)
	c.platform.Scan()
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := c.house.Backup(c.Context(), backup); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(time.Hour)
	c.switchOff(OffAsk{Articles: []string{"A"}})
	c.push(false)
	c.platform.Scan()
	if got, want := shelfText(c.platform, "1"), "A 10.5 false, B 20 true"; got != want {
		t.Fatalf("before the loss: %s, want %s", got, want)
	}
	c.clock = c.clock.Add(time.Hour)
	c.restore(backup)
	if err := c.house.send(c.Context()); err != nil {
		t.Fatal(err)
	}
	c.platform.Scan()
	if got, want := shelfText(c.platform, "1"), "A 10.5 true, B 20 true"; got != want {
		t.Errorf("afterwards: %s, want %s", got, want)
	}
}

// TestBackupOfABackup shows that a state which was taken over can be backed up and taken over again.
func TestBackupOfABackup(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	for i := range 2 {
		backup := filepath.Join(t.TempDir(), "backup")
		if _, err := c.house.Backup(c.Context(), backup); err != nil {
			t.Fatal(err)
		}
		c.restore(backup)
		if rows := c.entries(store.EntryRestored); len(rows) != i+1 {
			t.Errorf("restored %d times, the ledger says %d", i+1, len(rows))
		}
	}
}

func TestBackupAsOneFile(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	file := filepath.Join(t.TempDir(), "gondola.tar.gz")
	b, err := c.house.Backup(c.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	zip, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			names = append(names, h.Name)
		}
	}
	if len(names) != b.Files+2 || !slices.Contains(names, "gondola.db") || !slices.Contains(names, "gondola.db-wal") {
		t.Errorf("%d files, want %d, the database and its empty log: %v", len(names), b.Files, names)
	}
	if rest, err := os.ReadDir(filepath.Dir(file)); err != nil || len(rest) != 1 {
		t.Errorf("left behind: %v, %v", rest, err)
	}
}

// TestBackupOverAKilledState puts a backup over a state whose database was never closed, so that its log is still there.
func TestBackupOverAKilledState(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	backup, dir := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "state")
	if _, err := c.house.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	c.export("full", articles(3, 0, "11.50"))
	c.push(false)
	for _, from := range []string{c.house.cfg.State.Dir, backup} {
		files, err := filepath.Glob(filepath.Join(from, "gondola.db*"))
		if err != nil || from != backup && len(files) < 2 {
			t.Fatalf("no log: %v, %v", files, err)
		}
		for _, file := range files {
			if err := os.MkdirAll(dir, 0o750); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if text, err := s.Sound(t.Context()); text != "" || err != nil {
		t.Errorf("the database: %s, %v", text, err)
	}
	if newest, err := s.Newest(t.Context()); newest != 1 || err != nil {
		t.Errorf("the newest drop is %d (%v), want the backup's", newest, err)
	}
}

func TestBackupSaysWhatIsMissing(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	sent, err := c.house.store.Sent(c.Context(), "catalog/1")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.house.files.Path(sent[0])); err != nil {
		t.Fatal(err)
	}
	b, err := c.house.Backup(c.Context(), filepath.Join(t.TempDir(), "backup"))
	if err != nil || len(b.Missing) != 1 || !strings.Contains(b.Missing[0], string(sent[0])) {
		t.Errorf("backup: %+v, %v", b, err)
	}
}

func TestBackupWhereItCanNotBe(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	full, file := t.TempDir(), filepath.Join(t.TempDir(), "there.tar.gz")
	for _, name := range []string{filepath.Join(full, "a"), file} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		full:                     "is not empty",
		filepath.Join(full, "a"): "is not a folder",
		file:                     "is there already",
		filepath.Join(c.house.cfg.State.Dir, "backup"): "lies in the state folder",
		c.house.cfg.State.Dir:                          "lies in the state folder",
	} {
		if _, err := c.house.Backup(c.Context(), path); !errors.Is(err, ErrBackupPath) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want that it %s", path, err, want)
		}
	}
}
