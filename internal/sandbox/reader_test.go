package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	centroFile = "catalog/gondola_290056.csv"
	priceOf5   = "sku,price\nA-1,5\n"
)

func exists(t testing.TB, s *Sandbox, name string) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(s.Home(), name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestKeptFileIsReadAgainOnlyWhenChanged(t *testing.T) {
	s := newTestSandbox(t, nil)
	put(t, s, centroFile, priceOf5)
	if got := len(s.Scan()); got != 1 {
		t.Fatalf("%d jobs at first", got)
	}
	if got := len(s.Scan()); got != 0 {
		t.Errorf("%d jobs for an unchanged file", got)
	}
	path := filepath.Join(s.Home(), centroFile)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, centroFile, strings.Replace(priceOf5, "5", "6", 1))
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got := len(s.Scan()); got != 1 || s.Shelf("290056")[0].Price != "6" {
		t.Errorf("%d jobs for other content of the same size and time", got)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := len(s.Scan()); got != 1 {
		t.Errorf("%d jobs for a new time", got)
	}
	if !exists(t, s, centroFile) {
		t.Error("a kept file is gone")
	}
	if got := len(s.Jobs()); got != 3 {
		t.Errorf("%d jobs in all, want 3", got)
	}
}

func TestSameFileComesBack(t *testing.T) {
	s := newTestSandbox(t, nil)
	put(t, s, centroFile, priceOf5)
	s.Scan()
	path, aside := filepath.Join(s.Home(), centroFile), filepath.Join(s.Home(), "aside")
	if err := os.Rename(path, aside); err != nil {
		t.Fatal(err)
	}
	s.Scan()
	if err := os.Rename(aside, path); err != nil {
		t.Fatal(err)
	}
	if got := len(s.Scan()); got != 1 {
		t.Errorf("%d jobs for a file that had been away", got)
	}
}

func TestEat(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.Fate = Eat })
	put(t, s, centroFile, priceOf5)
	put(t, s, "catalog/bad name_1.csv", priceOf5)
	s.Scan()
	if exists(t, s, centroFile) {
		t.Error("a read file is still there")
	}
	if !exists(t, s, "catalog/bad name_1.csv") {
		t.Error("a file that is never read was eaten")
	}
	if got := s.Shelf("290056")[0].Price; got != "5" {
		t.Errorf("price is %s", got)
	}
	ops := s.Operations()
	if diff := cmp.Diff([]Op{{N: 1, At: s.opts.Now(), Kind: OpEat, Path: centroFile}}, ops); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	want := []Change{{N: 1, At: s.opts.Now(), Path: centroFile, By: OpEat, Gone: true}}
	if diff := cmp.Diff(want, s.Changes()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestMove(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.Fate = Move })
	moved := "catalog/" + MovedTo + "/" + path.Base(centroFile)
	for _, price := range []string{"5", "6"} { // the second takes the place of the first
		put(t, s, centroFile, "sku,price\nA-1,"+price+"\n")
		s.Scan()
		if got := s.Shelf("290056")[0].Price; got != price {
			t.Errorf("price is %s, want %s", got, price)
		}
		if exists(t, s, centroFile) || !exists(t, s, moved) {
			t.Error("a read file was not moved")
		}
	}
	if jobs := s.Scan(); len(jobs) > 0 {
		t.Errorf("what was moved is read again: %+v", jobs)
	}
	at := s.opts.Now()
	op, change := Op{At: at, Kind: OpMove, Path: centroFile, To: moved}, Change{At: at, Path: centroFile, By: OpMove, Gone: true}
	var ops []Op
	var changes []Change
	for n := 1; n <= 2; n++ {
		op.N, change.N = n, n
		ops, changes = append(ops, op), append(changes, change)
	}
	if diff := cmp.Diff(ops, s.Operations()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(changes, s.Changes()); diff != "" {
		t.Errorf("changes of final names (-want +got):\n%s", diff)
	}
}

func TestReplacedBetweenReadingAndEating(t *testing.T) {
	for _, fate := range []Fate{Keep, Eat, Move} {
		t.Run(string(fate), func(t *testing.T) {
			var s *Sandbox
			s = newTestSandbox(t, func(o *Options) {
				o.Fate = fate
				o.OnRead = func(path string) {
					if s.Shelf("290056")[0].Price == "10.5" { // only the first time
						put(t, s, path, "sku,price\nA-1,6\n")
					}
				}
			})
			put(t, s, centroFile, priceOf5)
			s.Scan()
			if got := s.Shelf("290056")[0].Price; got != "5" {
				t.Errorf("the first scan shows %s, want what it had read", got)
			}
			s.Scan()
			want, there := "6", true
			if fate != Keep {
				want, there = "5", false // by name: the replacement was eaten unread
			}
			if got := s.Shelf("290056")[0].Price; got != want {
				t.Errorf("the second scan shows %s, want %s", got, want)
			}
			if got := exists(t, s, centroFile); got != there {
				t.Errorf("the file is there: %t, want %t", got, there)
			}
		})
	}
}

func TestWhatIsLookedAt(t *testing.T) {
	s := newTestSandbox(t, nil)
	if err := errors.Join(
		os.Mkdir(filepath.Join(s.Home(), "Catalog"), 0o755),
		os.Mkdir(filepath.Join(s.Home(), "katalog"), 0o755),
		os.Mkdir(filepath.Join(s.Home(), "catalog/folder_290056.csv"), 0o755),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		centroFile, "catalog/gondola2_290056.csv", "Catalog/my_export_s8ym.csv", "catalog/promo1.csv", // these matter
		"gondola_290056.csv", // noted
		"katalog/gondola_290056.csv", "catalog/.gondola_290056.csv", "catalog/gondola_290056.csv.tmp", "catalog/gondola_290056.txt", ".hidden.csv", "notes",
	} {
		put(t, s, name, priceOf5)
	}
	got := s.Scan()
	want := []Job{
		{File: "Catalog/my_export_s8ym.csv", Vendor: "s8ym", Status: Completed, Rows: 1, Applied: 1},
		{File: "catalog/gondola2_290056.csv", Vendor: "290056", Status: Completed, Rows: 1, Applied: 1},
		{File: centroFile, Vendor: "290056", Status: Completed, Rows: 1, Applied: 1},
		{File: "catalog/promo1.csv", Status: Ignored, Reason: ReasonName},
		{File: "gondola_290056.csv", Status: Ignored, Reason: ReasonFolder},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Job{}, "ID", "At", "SHA256")); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if again := s.Scan(); len(again) != 0 {
		t.Errorf("unchanged files made jobs again: %+v", again)
	}
}

func TestOrderOfReading(t *testing.T) {
	read := func(seed uint64) (files []string) {
		s := newTestSandbox(t, func(o *Options) { o.OrderSeed = seed })
		for _, part := range []string{"a", "b", "c", "d", "e", "f"} {
			put(t, s, "catalog/"+part+"_290056.csv", priceOf5)
		}
		for _, j := range s.Scan() {
			files = append(files, j.File)
		}
		return files
	}
	sorted := read(0)
	if !slices.IsSorted(sorted) || len(sorted) != 6 {
		t.Errorf("without a seed the order is %v", sorted)
	}
	one := read(1)
	if slices.IsSorted(one) {
		t.Errorf("with a seed the order is %v", one)
	}
	if diff := cmp.Diff(one, read(1)); diff != "" {
		t.Errorf("the same seed gave another order:\n%s", diff)
	}
	slices.Sort(one)
	if diff := cmp.Diff(sorted, one); diff != "" {
		t.Errorf("the files differ:\n%s", diff)
	}
}

func TestPartialFileIsReadAsFarAsItIsThere(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	f, err := c.OpenFile(centroFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("sku,price\nA-1,5")); err != nil {
		t.Fatal(err)
	}
	s.Scan()
	if got := s.Shelf("290056")[0].Price; got != "5" {
		t.Errorf("price is %s, want the half of 51 that is there", got)
	}
	if _, err := f.Write([]byte("1\n")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s.Scan()
	if got := s.Shelf("290056")[0].Price; got != "51" {
		t.Errorf("price is %s, want 51", got)
	}
}
