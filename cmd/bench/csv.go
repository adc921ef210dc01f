package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/durable"
	"gondola/internal/feed"
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/table"
)

// chainStores is how many stores the large export has.
const chainStores = 10

// holdCSV compares what it takes to get four columns out of a large export, and then to make documents of them.
func (b *bench) holdCSV(ctx context.Context) ([]outcome, error) {
	path, err := b.export(ctx, b.size.rows, chainStores)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	out, work := b.path("printed"), b.path("work")
	title := fmt.Sprintf("%s rows, %d MB", thousands(b.size.rows), info.Size()/1e6)
	utf8 := `iconv -f WINDOWS-1252 -t UTF-8 "$1" | `
	c := contest{
		name: "csv", title: "CSV (" + title + ") to records and documents",
		contenders: []contender{
			{name: "gondola: records", role: ours, do: b.worker("csv-records", path, strconv.Itoa(chainStores))},
			{name: "gondola: documents", role: ours, do: b.worker("csv-documents", path, work, strconv.Itoa(chainStores))},
			{name: "limit: one pass over bytes", role: limit, do: b.worker("csv-limit", path, out)},
			{name: "cat", role: limit, need: []string{"iconv"}, do: b.program("cat", path)},
			{name: "iconv", role: limit, need: []string{"iconv"}, do: b.program("iconv", "-f", "WINDOWS-1252", "-t", "UTF-8", path)},
			{name: "Go encoding/csv", role: peer, do: b.worker("csv-encoding", path, out)},
			{name: "DuckDB", role: peer, need: []string{"node", "node:@duckdb/node-api", "iconv"}, do: b.shell(
				utf8+`node "$2" "$3" "$4"`, path, b.script("duckdb.mjs"), b.peers.path("node:@duckdb/node-api"), out)},
			{name: "Python csv", role: peer, need: []string{"python3"}, do: b.program("python3", b.script("columns.py"), path)},
			{name: "pandas", role: peer, need: []string{"python3:pandas"}, do: b.program(b.peers.path("python3:pandas"), b.script("pandas_columns.py"), path, out)},
			{name: "csvkit", role: peer, need: []string{"csvcut"}, do: b.program("csvcut", "-d", ";", "-e", "windows-1252", "-c", "2,6,11,13", path)},
			{name: "Miller", role: peer, need: []string{"mlr", "iconv"}, do: b.shell(utf8+millerColumns, path)},
			{name: "sqlite3", role: peer, need: []string{"sqlite3", "iconv"}, do: b.shell(`iconv -f WINDOWS-1252 -t UTF-8 "$1" >"$2.utf8"; sqlite3 :memory: ".mode csv" ".separator ;" ".import $2.utf8 t" "`+sqliteColumns+`"`, path, out)},
		},
		goals: []goal{
			{text: "records, to the bare limit", most: 4, unit: "×", measure: times("gondola: records", "limit: one pass over bytes")},
			{text: "documents, to the bare limit", most: 8, unit: "×", measure: times("gondola: documents", "limit: one pass over bytes")},
			{text: "documents, to DuckDB's projection", most: 2, unit: "×", measure: times("gondola: documents", "DuckDB")},
			{text: "memory of records", most: 96, unit: "MiB", measure: memory("gondola: records")},
			{text: "memory of documents", most: 96, unit: "MiB", measure: memory("gondola: documents")},
		},
	}
	return []outcome{b.run(ctx, c)}, nil
}

const (
	millerColumns = `mlr --icsv --ifs ';' --ocsv --ofs ';' cut -o -f 'Artículo,EAN,Precio c/IVA,Stock' then ` +
		`put '$["Precio c/IVA"] = gsub(gsub($["Precio c/IVA"], "[.]", ""), ",", ".")'`
	sqliteColumns = `SELECT \"Artículo\", EAN, replace(replace(\"Precio c/IVA\", '.', ''), ',', '.'), Stock FROM t`
)

// thousands writes a number so that it can be read.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// csvLimit reads an export as fast as it can be read by somebody who knows that nothing is wrong with it: one pass over its bytes, in
// buffers that are used again.
func csvLimit(args []string, _ *measure) error {
	in, err := os.Open(args[0])
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	buffer := make([]byte, 1<<20)
	var row [columns][2]int
	filled, ended := 0, false
	for !ended {
		n, err := io.ReadFull(in, buffer[filled:])
		filled += n
		if ended = err != nil; ended && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		data := buffer[:filled]
		done, field, begin, quoted := 0, 0, 0, false
		for i, c := range data {
			switch {
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == ';':
				row[field] = [2]int{begin, i}
				field, begin = field+1, i+1
			case c == '\n':
				row[field] = [2]int{begin, i - 1}
				for _, column := range [...]int{columnSKU, columnBarcode, columnPrice, columnStock} {
					value := data[row[column][0]:row[column][1]]
					if column == columnPrice {
						for _, d := range value {
							switch d {
							case '.':
							case ',':
								_ = w.WriteByte('.') // the flush tells
							default:
								_ = w.WriteByte(d) // likewise
							}
						}
					} else {
						_, _ = w.Write(value) // likewise
					}
					_ = w.WriteByte(';') // likewise
				}
				_ = w.WriteByte('\n') // likewise
				done, field, begin = i+1, 0, i+1
			}
		}
		filled = copy(buffer, data[done:])
	}
	return errors.Join(w.Flush(), out.Close(), in.Close())
}

// csvStandard reads an export with Go's own reader, as one writes it who minds speed.
func csvStandard(args []string, _ *measure) error {
	in, err := os.Open(args[0])
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	r := csv.NewReader(bufio.NewReaderSize(in, 256<<10)) // which leaves the encoding as it is
	r.Comma, r.ReuseRecord = ';', true
	var price []byte
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		price = bytes.ReplaceAll(bytes.ReplaceAll(append(price[:0], row[columnPrice]...), []byte("."), nil), []byte(","), []byte("."))
		fmt.Fprintf(w, "%s;%s;%s;%s\n", row[columnSKU], row[columnBarcode], price, row[columnStock])
	}
	return errors.Join(w.Flush(), out.Close(), in.Close())
}

// exportSpec says how the generator's exports are to be understood.
func exportSpec(stores int) feed.Spec {
	s := feed.Spec{By: catalog.BySKU, Full: true, PriceDecimals: 2, Encoding: table.Auto, Source: feed.VendorSource{Column: "Sucursal"}, Columns: map[string]feed.Column{
		string(feed.RoleSKU): {From: "Artículo"}, string(feed.RoleBarcode): {From: "EAN"},
		string(feed.RolePrice): {From: "Precio c/IVA"}, string(feed.RoleQuantity): {From: "Stock"}, string(feed.RoleActive): {From: "Activo"},
	}}
	for i := range stores {
		s.Vendors = append(s.Vendors, catalog.Vendor{ID: fmt.Sprintf("%d", 290_000+i), Name: fmt.Sprintf("Delta %d", i+1), ERPCode: fmt.Sprintf("%03d", i+1)})
	}
	return s
}

// csvRecords understands an export and does nothing with it.
func csvRecords(args []string, m *measure) error {
	stores, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	return convert(exportSpec(stores), args[0], m)
}

func convert(spec feed.Spec, path string, m *measure) error {
	begun := time.Now()
	res, err := feed.Convert(context.Background(), spec, path, filepath.Base(path), func(feed.Record) error { return nil })
	if err != nil {
		return err
	}
	if res.Records == 0 || res.Rejected > 0 {
		return fmt.Errorf("%w: %d records, %d rejected, %v", errNoWork, res.Records, res.Rejected, res.Issues)
	}
	m.tell("rows/s", float64(res.Rows)/time.Since(begun).Seconds(), "rows/s")
	return nil
}

// csvDocuments goes the whole way from an export to the files of a first full push, each hashed and durable.
func csvDocuments(args []string, m *measure) error {
	stores, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	return documents(exportSpec(stores), args[0], args[1], m)
}

// documents makes documents of an export in a work folder that is emptied first.
func documents(spec feed.Spec, path, work string, m *measure) error {
	files, err := emptyWork(work)
	if err != nil {
		return err
	}
	clock := newClock(m)
	sorter := shelf.NewSorter(catalog.BySKU, work)
	defer func() { _ = sorter.Close() }() // the work folder is emptied the next time
	var res feed.Result
	err = sorter.Fill(func(put func(shelf.Row) error) (err error) {
		res, err = feed.Convert(context.Background(), spec, path, filepath.Base(path), func(r feed.Record) error {
			return put(shelf.Row{Vendor: r.Vendor, Item: r.Item, Promotion: r.Promotion, Line: r.Row, Rejected: r.Rejected})
		})
		return err
	})
	if err != nil {
		return err
	}
	clock.lap("read and sort")
	var layers []shelf.Digest
	group := &durable.Group{}
	err = sorter.Each(func(vendor string, rows *shelf.Rows) error {
		l, err := files.In(group).BuildLayer(shelf.LayerSpec{Full: true, Missing: shelf.Deactivate, Owned: res.Owned, Owner: vendor, Today: shelf.DayOf(time.Now())}, rows)
		layers = append(layers, l.Digest)
		return err
	}, nil)
	if err == nil {
		err = group.Commit()
	}
	if err != nil {
		return err
	}
	clock.lap("layer")
	rows, drafts, articles := 0, 0, 0
	for i, l := range layers {
		n, err := push(files.In(group), shelf.Question{Wanted: []shelf.Digest{l}, Full: true}, work, group, clock)
		if err != nil {
			return err
		}
		rows, drafts, articles = rows+n, drafts+1, articles+n
		if drafts < draftedTogether && articles < draftedArticles && i < len(layers)-1 {
			continue
		}
		if err := group.Commit(); err != nil {
			return err
		}
		drafts, articles = 0, 0
		clock.lap("write")
	}
	if rows == 0 {
		return errNoWork
	}
	return nil
}

// How many plans have their files made durable together, and how many articles they may be about: as in the house.
const (
	draftedTogether = 16
	draftedArticles = 100_000
)

// emptyWork returns the record files of an empty work folder.
func emptyWork(work string) (shelf.Files, error) {
	files := shelf.Files{Dir: filepath.Join(work, "records")}
	return files, errors.Join(os.RemoveAll(work), os.MkdirAll(files.Dir, 0o755))
}

// push plans and writes the documents of a plan, hashed and durable with a group.
func push(files shelf.Files, q shelf.Question, work string, group *durable.Group, clock *clock) (rows int, err error) {
	q.Says, q.Decimals = platform.CatalogFields, 2
	s, err := files.Plan(q)
	if err != nil {
		return 0, err
	}
	clock.lap("plan")
	for _, part := range s.Parts {
		n, err := writeDocument(files, part, work, group)
		if err != nil {
			return 0, err
		}
		rows += n
	}
	clock.lap("write")
	return rows, nil
}

// writeDocument does what the house does for each document.
func writeDocument(files shelf.Files, part shelf.Part, work string, group *durable.Group) (int, error) {
	f, err := durable.Create(filepath.Join(work, "new"), 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Abort()
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 256<<10)
	n, err := platform.WriteCatalog(w, platform.CatalogFormat{Fields: part.Fields, PriceDecimals: 2}, items(files, part.Digest))
	if err = errors.Join(err, w.Flush()); err != nil {
		return 0, err
	}
	return n, f.CommitIn(group, filepath.Join(work, hex.EncodeToString(sum.Sum(nil))+".csv"))
}

// items streams the articles of a record file.
func items(files shelf.Files, d shelf.Digest) iter.Seq2[catalog.Item, error] {
	return func(yield func(catalog.Item, error) bool) {
		for r, err := range files.Records(d) {
			if !yield(r.Item, err) {
				return
			}
		}
	}
}
