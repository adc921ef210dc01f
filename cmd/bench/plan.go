package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver of the database contenders

	"gondola/internal/platform"
	"gondola/internal/shelf"
)

// changedEvery is the distance of articles whose price changes in the question which ones did.
const changedEvery = 1000

// holdPlan compares ways to find out which articles of a large shelf changed.
func (b *bench) holdPlan(ctx context.Context) ([]outcome, error) {
	shelves, err := b.shelves(ctx, b.size.shelf, changedEvery)
	if err != nil {
		return nil, err
	}
	c := contest{
		name: "plan", title: fmt.Sprintf("which of %s articles changed", thousands(b.size.shelf)),
		contenders: []contender{
			{name: "gondola: plan", role: ours, do: b.worker("plan-diff", shelves)},
			{name: "limit: sorted files, merged", role: limit, do: b.worker("plan-merge", shelves)},
			{name: "comm", role: peer, need: []string{"iconv"}, do: b.shell(`LC_ALL=C comm -13 "$1/sent.txt" "$1/wanted.txt"`, shelves)},
			{name: "flat file into a map", role: peer, do: b.worker("plan-map", shelves)},
			{name: "SQLite, one scan", role: peer, do: b.worker("plan-scan", shelves)},
			{name: "SQLite, a look-up a row", role: peer, do: b.worker("plan-look-up", shelves)},
		},
		goals: []goal{
			{text: "plan, to the sorted merge", most: 2, unit: "×", measure: times("gondola: plan", "limit: sorted files, merged")},
			{text: "plan, ahead of a SQLite scan", least: 4, unit: "×", measure: times("SQLite, one scan", "gondola: plan")},
		},
	}
	return []outcome{b.run(ctx, c)}, nil
}

// holdPush shows that a push costs what changed.
func (b *bench) holdPush(ctx context.Context) ([]outcome, error) {
	few := b.size.pushed / 10
	large, err := b.shelves(ctx, b.size.pushed, b.size.pushed/10)
	if err != nil {
		return nil, err
	}
	small, err := b.shelves(ctx, few, few/10)
	if err != nil {
		return nil, err
	}
	c := contest{
		name: "push", title: fmt.Sprintf("10 changed articles of %s, to durable documents", thousands(b.size.pushed)),
		contenders: []contender{
			{name: "gondola: push", role: ours, do: b.worker("push", large, b.path("work"))},
			{name: fmt.Sprintf("gondola: push, of %s", thousands(few)), role: ours, do: b.worker("push", small, b.path("work"))},
			{name: "limit: sorted files, merged", role: limit, do: b.worker("plan-merge", large)},
			{name: "cmp", role: limit, need: []string{"iconv"}, do: b.shell(`cmp -l "$1/sent.txt" "$1/wanted.txt" || true`, large)},
		},
		goals: []goal{
			{text: "records a second and core", least: 5, unit: "million", measure: told("gondola: push", "records a second and core")},
			{text: "memory", most: 64, unit: "MiB", measure: memory("gondola: push")},
			{text: "work after the merge, to that of a tenth", most: 1.5, unit: "×", measure: func(o *outcome) (spread, bool) {
				large, small := o.fact("gondola: push", "after the merge"), o.fact(o.contenders[1].name, "after the merge")
				return spread{large.median / small.median, large.least / small.most, large.most / small.least, large.n}, large.n > 0 && small.median > 0
			}},
		},
	}
	return []outcome{b.run(ctx, c)}, nil
}

// shelves returns a folder with a large shelf as it is wanted and as it was sent, in every form that a contender reads.
func (b *bench) shelves(ctx context.Context, articles, every int) (string, error) {
	return b.input(ctx, fmt.Sprintf("shelf-%d-%d", articles, every), "shelf", strconv.Itoa(articles), strconv.Itoa(every))
}

// makeShelves writes the shelf that contenders compare.
func makeShelves(dir string, articles, every int) error {
	files := shelf.Files{Dir: filepath.Join(dir, "records")}
	if err := os.MkdirAll(files.Dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"sent", "wanted"} {
		record := func(i int) shelf.Record {
			it := article(i)
			if name == "wanted" && i%every == every/2 {
				it.Price++
			}
			return shelf.Record{Key: it.SKU, Item: it}
		}
		w, err := files.Create()
		if err != nil {
			return err
		}
		err = writeFile(filepath.Join(dir, name+".txt"), func(text *bufio.Writer) error {
			for i := range articles {
				r := record(i)
				if err := w.Add(r); err != nil {
					return err
				}
				fmt.Fprintf(text, "%s;%s;%d;%d;%t\n", r.Key, r.Item.Barcode, r.Item.Price, r.Item.Quantity, r.Item.Active)
			}
			return nil
		})
		if err != nil {
			w.Abort()
			return err
		}
		d, err := w.Commit()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".digest"), []byte(d), 0o644)
		}
		if err != nil {
			return err
		}
	}
	return planDatabase(filepath.Join(dir, "sent.db"), articles)
}

// planDatabase keeps what was sent as one would who keeps everything in a database.
func planDatabase(path string, articles int) (err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec(`CREATE TABLE sent (sku TEXT PRIMARY KEY, barcode TEXT, price INTEGER, quantity INTEGER, active INTEGER) WITHOUT ROWID`)
	if err != nil {
		return err
	}
	add, err := tx.Prepare(`INSERT INTO sent VALUES (?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = add.Close() }() // the commit tells
	for i := range articles {
		it := article(i)
		if _, err := add.Exec(it.SKU, it.Barcode, int64(it.Price), it.Quantity, it.Active); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// question asks what changed between the two shelves of a folder.
func question(dir string) (shelf.Files, shelf.Question, error) {
	wanted, err := os.ReadFile(filepath.Join(dir, "wanted.digest"))
	sent, err2 := os.ReadFile(filepath.Join(dir, "sent.digest"))
	q := shelf.Question{Wanted: []shelf.Digest{shelf.Digest(wanted)}, Sent: []shelf.Digest{shelf.Digest(sent)}}
	return shelf.Files{Dir: filepath.Join(dir, "records")}, q, errors.Join(err, err2)
}

// planDiff compares two shelves as the house does.
func planDiff(args []string, m *measure) error {
	files, q, err := question(args[0])
	if err != nil {
		return err
	}
	s, err := files.Diff(q)
	if err == nil && s.Differs == 0 {
		err = errNoWork
	}
	m.tell("changed", float64(s.Differs), "")
	return err
}

// planMerge compares two sorted files line by line.
func planMerge(args []string, m *measure) error {
	sent, err := os.Open(filepath.Join(args[0], "sent.txt"))
	wanted, err2 := os.Open(filepath.Join(args[0], "wanted.txt"))
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	changed := 0
	a, b := bufio.NewReaderSize(sent, 256<<10), bufio.NewReaderSize(wanted, 256<<10)
	old, err := a.ReadSlice('\n')
	line, err2 := b.ReadSlice('\n')
	for err == nil && err2 == nil {
		switch c := bytes.Compare(old[:bytes.IndexByte(old, ';')], line[:bytes.IndexByte(line, ';')]); {
		case c < 0:
			old, err = a.ReadSlice('\n')
		case c > 0:
			changed++
			line, err2 = b.ReadSlice('\n')
		default:
			if !bytes.Equal(old, line) {
				changed++
			}
			old, err = a.ReadSlice('\n')
			line, err2 = b.ReadSlice('\n')
		}
	}
	if !errors.Is(err, io.EOF) || !errors.Is(err2, io.EOF) || changed == 0 {
		return errors.Join(err, err2, errNoWork)
	}
	m.tell("changed", float64(changed), "")
	return errors.Join(sent.Close(), wanted.Close())
}

// lines calls fn for every line of a file, cut at the first semicolon.
func lines(path string, fn func(key, line string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		key, rest, _ := strings.Cut(scan.Text(), ";")
		if err := fn(key, rest); err != nil {
			return err
		}
	}
	return scan.Err()
}

// planMap keeps what was sent in memory.
func planMap(args []string, m *measure) error {
	was := map[string]string{}
	err := lines(filepath.Join(args[0], "sent.txt"), func(key, line string) error { was[key] = line; return nil })
	if err != nil {
		return err
	}
	changed := 0
	err = lines(filepath.Join(args[0], "wanted.txt"), func(key, line string) error {
		if was[key] != line {
			changed++
		}
		return nil
	})
	m.tell("changed", float64(changed), "")
	return err
}

// planScan reads what was sent from a database, in the order of the keys.
func planScan(args []string, m *measure) (err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(args[0], "sent.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.Query(`SELECT sku, barcode, price, quantity, active FROM sent ORDER BY sku`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	changed := 0
	err = lines(filepath.Join(args[0], "wanted.txt"), func(key, line string) error {
		var r sentRow
		if !rows.Next() {
			return rows.Err()
		}
		if err := rows.Scan(&r.sku, &r.barcode, &r.price, &r.quantity, &r.active); err != nil {
			return err
		}
		if r.sku != key || r.line() != line {
			changed++
		}
		return nil
	})
	m.tell("changed", float64(changed), "")
	return errors.Join(err, rows.Err())
}

// sentRow is a row of the database.
type sentRow struct {
	sku, barcode    string
	price, quantity int64
	active          bool
}

func (r sentRow) line() string {
	return r.barcode + ";" + strconv.FormatInt(r.price, 10) + ";" + strconv.FormatInt(r.quantity, 10) + ";" + strconv.FormatBool(r.active)
}

// planLookUp asks a database for every article by itself.
func planLookUp(args []string, m *measure) (err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(args[0], "sent.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	find, err := db.Prepare(`SELECT barcode, price, quantity, active FROM sent WHERE sku = ?`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, find.Close()) }()
	changed := 0
	err = lines(filepath.Join(args[0], "wanted.txt"), func(key, line string) error {
		var r sentRow
		if err := find.QueryRow(key).Scan(&r.barcode, &r.price, &r.quantity, &r.active); err != nil {
			return err
		}
		if r.line() != line {
			changed++
		}
		return nil
	})
	m.tell("changed", float64(changed), "")
	return err
}

// pushFew plans a push and writes its documents.
func pushFew(args []string, m *measure) error {
	files, q, err := question(args[0])
	if err != nil {
		return err
	}
	work, err := emptyWork(args[1])
	if err != nil {
		return err
	}
	// New record files go into the work folder: the inputs stay as they are.
	files.Scratch = work.Dir
	s, err := files.Diff(q)
	if err != nil {
		return err
	}
	compared := s.Change.Same + s.Differs
	cpu, clock := ownCPU(), newClock(m)
	q.Says, q.Decimals = platform.CatalogFields, 2
	if s, err = files.Plan(q); err != nil {
		return err
	}
	clock.lap("merge")
	cpu = ownCPU() - cpu
	// One fsync takes what the disk has to do for others at that moment: the work is the median of many.
	var after []float64
	for range 21 {
		begun := time.Now()
		for _, part := range s.Parts {
			if _, err := writeDocument(work, part, args[1]); err != nil {
				return err
			}
		}
		after = append(after, time.Since(begun).Seconds())
	}
	m.add("write", after[0])
	if s.Differs != 10 {
		return fmt.Errorf("%w: %d differ", errNoWork, s.Differs)
	}
	m.Seconds = m.Stages[0].Seconds + m.Stages[1].Seconds
	m.tell("records a second and core", float64(compared)/cpu.Seconds()/1e6, "million")
	m.tell("after the merge", spreadOf(after).median, "s")
	return nil
}
