package daemon

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/config"
	"gondola/internal/sandbox"
	"gondola/internal/store"
)

// version names the release whose fixture TestMakeVersion makes: README, Working on it.
var version = flag.String("version", "", "make the fixture of this version in testdata/versions")

const (
	versionsDir   = "../../testdata/versions"
	versionConfig = "config.yaml"
	versionState  = "state.tar.gz"
	// versionPlace stands for the folder of the house in a fixture's database.
	versionPlace = "/srv/gondola-fixture"
)

// versionText is the config of a fixture. What it says of the platform is set anew for each run.
const versionText = `# The config of the fixture beside it: made by TestMakeVersion, read by every version to come.
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056", name: Centro, erp_code: "001"}, {id: "290057", name: Puerto, erp_code: "002"}]
state: {min_free: 1MB}
sftp: {host: sandbox, user: gondola, password: "file:password", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
drops: {settle: 100ms, quiet: 500ms, scan: 300ms}
feeds:
  - {name: precios, drop: drop, match: ["*.csv"], export: full, missing: deactivate, vendor: {column: Sucursal}}
  - {name: promos, kind: promotions, drop: promos, vendor: {column: Sucursal}}
send: {catalog: {schedule: "0 3 1 1 *", full: "off"}, promotions: {schedule: "0 3 1 1 *"}}
brake: {price_change: off}
orders:
  webhook: {listen: 127.0.0.1:8480, secrets: ["file:secret"]}
  poll: {every: 0s}
  export: {dir: erp, format: json, on: [READY_FOR_PICKUP], on_change: ignore}
`

// TestMakeVersion makes the fixture of a release: a state after some usual work, and its config.
func TestMakeVersion(t *testing.T) {
	if *version == "" {
		t.Skip("makes a fixture with -version NAME")
	}
	v := newVersionRun(t)
	v.write(versionConfig, versionText)
	v.open()
	v.put("drop", "uno.csv", liveExport)
	v.put("promos", "promo.csv", "Sucursal;sku;campaña;precio oferta;desde;hasta\n001;A1;Semana;9,00;2026-01-01;2036-01-01\n")
	v.awaitDrops(2)
	v.push()
	v.hook("order-1")
	v.await("the order at the ERP", func() bool { return len(v.orderFiles()) == 1 })
	v.put("drop", "dos.csv", strings.Replace(liveExport, "10,50", "11,50", 1))
	v.awaitDrops(3)
	v.close()
	v.move(v.dir, versionPlace)
	for _, path := range []string{"state/lock", "state/live.yaml", "state/gondola.db-wal", "state/gondola.db-shm"} {
		if err := os.Remove(filepath.Join(v.dir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	out := filepath.Join(versionsDir, *version)
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	pack, err := os.Create(filepath.Join(out, versionState))
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(pack)
	archive := tar.NewWriter(zip)
	for _, dir := range []string{"drop", "promos"} {
		_ = os.RemoveAll(filepath.Join(v.dir, dir)) // they are made anew
	}
	for _, path := range []string{"password", "secret", versionConfig} {
		_ = os.Remove(filepath.Join(v.dir, path)) // likewise
	}
	for _, name := range v.orderFiles() {
		_ = os.Remove(name) // the ERP has read them
	}
	err = archive.AddFS(os.DirFS(v.dir))
	if err := errors.Join(err, archive.Close(), zip.Close(), pack.Close(), os.WriteFile(filepath.Join(out, versionConfig), []byte(versionText), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestUpgrade opens the state of every version that has a fixture, as it is and as every schema before it would have had it, by its own
// config: every row is still there, the database is one that this program would have made, and the house goes on working.
func TestUpgrade(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(versionsDir, "*", versionState))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	migrations, err := filepath.Glob("../store/migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	fresh := newVersionRun(t)
	fresh.write(versionConfig, versionText)
	fresh.open()
	fresh.close()
	want := fresh.schema()
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		made := newVersionRun(t)
		made.unpack(path)
		for n := made.userVersion(); n > 0; n-- {
			t.Run(fmt.Sprintf("%s schema %d", name, n), func(t *testing.T) {
				v := newVersionRun(t)
				v.unpack(path)
				if n < v.userVersion() {
					v.goBack(migrations[:n])
				} else {
					v.exec(readFile(t, "testdata/rows.sql"))
				}
				before := v.rows(nil)
				for table, rows := range before {
					if len(rows.all) == 0 {
						t.Errorf("table %s has no row: nothing is shown of it; add one to testdata/rows.sql", table)
					}
				}
				st, err := store.Open(t.Context(), filepath.Join(v.dir, "state"))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := st.VerifyLedger(t.Context()); err != nil {
					t.Error(err)
				}
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
				v.intact(before)
				if diff := cmp.Diff(want, v.schema()); diff != "" {
					t.Errorf("the schema is another one than that of a new database (-new +upgraded):\n%s", diff)
				}
				v.open()
				defer v.close()
				v.works()
			})
		}
	}
}

// versionRun is a house on the state of some version.
type versionRun struct {
	*testing.T
	dir      string
	platform *sandbox.Sandbox
	address  string
	house    *House
	stop     func()
}

func newVersionRun(t *testing.T) *versionRun {
	t.Helper()
	v := &versionRun{T: t, dir: t.TempDir(), address: unused(t)}
	v.platform = newTestSandbox(t, sandbox.Options{Password: casePassword, Vendors: []sandbox.Vendor{{ID: "290056"}, {ID: "290057"}}})
	for _, dir := range []string{"drop", "promos", "erp"} {
		if err := os.Mkdir(filepath.Join(v.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	v.write("password", casePassword)
	v.write("secret", hookSecret)
	return v
}

func (v *versionRun) write(name, text string) {
	v.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, name), []byte(text), 0o600); err != nil {
		v.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unpack puts a fixture in place.
func (v *versionRun) unpack(path string) {
	v.Helper()
	v.write(versionConfig, readFile(v.T, filepath.Join(filepath.Dir(path), versionConfig)))
	f, err := os.Open(path)
	if err != nil {
		v.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	zip, err := gzip.NewReader(f)
	if err != nil {
		v.Fatal(err)
	}
	archive := tar.NewReader(zip)
	for {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			v.Fatal(err)
		}
		to := filepath.Join(v.dir, filepath.FromSlash(entry.Name))
		if entry.FileInfo().IsDir() {
			err = os.MkdirAll(to, 0o755)
		} else if data, readErr := io.ReadAll(archive); readErr != nil {
			err = readErr
		} else {
			err = errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o600))
		}
		if err != nil {
			v.Fatal(err)
		}
	}
	v.move(versionPlace, v.dir)
}

// db opens the database for itself.
func (v *versionRun) db() *sql.DB {
	v.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(v.dir, "state", "gondola.db")))
	if err != nil {
		v.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func (v *versionRun) exec(statements string) {
	v.Helper()
	db := v.db()
	_, err := db.ExecContext(v.Context(), statements)
	if err := errors.Join(err, db.Close()); err != nil {
		v.Fatal(err)
	}
}

// query returns the rows of a query as texts.
func (v *versionRun) query(query string) []string {
	v.Helper()
	db := v.db()
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(v.Context(), query)
	if err != nil {
		v.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			v.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		v.Fatal(err)
	}
	return all
}

func (v *versionRun) tables() []string {
	return v.query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
}

func (v *versionRun) columns(table string) []string {
	return v.query(fmt.Sprintf(`SELECT name FROM pragma_table_info('%s') ORDER BY cid`, table))
}

func (v *versionRun) userVersion() int {
	n := 0
	_, _ = fmt.Sscan(v.query(`PRAGMA user_version`)[0], &n)
	return n
}

// schema returns what the database is made of.
func (v *versionRun) schema() string {
	var all []string
	for _, table := range v.tables() {
		columns := v.query(fmt.Sprintf(`SELECT name || ' ' || type || ' ' || "notnull" || ' ' || pk || ' ' || COALESCE(dflt_value, '') FROM pragma_table_info('%s') ORDER BY name`, table))
		all = append(all, table+": "+strings.Join(columns, ", "))
	}
	rest := v.query(`SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master WHERE type <> 'table' ORDER BY type, name`)
	return strings.Join(append(all, rest...), "\n")
}

// move writes another folder into all that the database knows of paths.
func (v *versionRun) move(from, to string) {
	v.Helper()
	for _, table := range v.tables() {
		if strings.HasPrefix(table, "ledger") {
			continue // nobody changes it, and it names no paths
		}
		for _, column := range v.columns(table) {
			v.exec(fmt.Sprintf(`UPDATE "%s" SET "%s" = replace("%s", '%s', '%s') WHERE typeof("%s") = 'text' AND instr("%s", '%s')`,
				table, column, column, from, to, column, column, from))
		}
	}
}

// goneTables are those that an earlier schema had, with what makes a row of theirs.
var goneTables = map[string]string{
	"hold": `INSERT INTO hold (id, class, login, error, at) VALUES (1, 'credentials', '0011', 'refused', 1767225600000)`,
}

// goBack makes the database one of an earlier schema: what this one has and that one knows is what that one would have written.
func (v *versionRun) goBack(migrations []string) {
	v.Helper()
	v.exec(readFile(v.T, "testdata/rows.sql"))
	path := filepath.Join(v.dir, "state", "gondola.db")
	later := filepath.Join(v.dir, "later.db")
	for _, more := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + more)
	}
	if err := os.Rename(path, later); err != nil {
		v.Fatal(err)
	}
	for _, m := range migrations {
		v.exec(readFile(v.T, m))
	}
	v.exec(fmt.Sprintf("PRAGMA user_version = %d", len(migrations)))
	db := v.db()
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(v.Context(), "ATTACH $1 AS later", later); err != nil {
		v.Fatal(err)
	}
	known := map[string][]string{}
	tables := v.tables()
	for _, table := range tables {
		known[table] = v.columns(table)
	}
	for _, table := range tables {
		if statement, gone := goneTables[table]; gone {
			if _, err := db.ExecContext(v.Context(), statement); err != nil {
				v.Fatal(err)
			}
			continue
		}
		list := `"` + strings.Join(known[table], `", "`) + `"`
		if _, err := db.ExecContext(v.Context(), fmt.Sprintf(`INSERT OR REPLACE INTO main.%s (%s) SELECT %s FROM later.%s`, table, list, list, table)); err != nil {
			v.Fatalf("%s as it was: %v", table, err)
		}
	}
}

// tableRows are the rows of a table as far as some columns are concerned.
type tableRows struct {
	columns []string
	all     []string
}

// rows returns the rows of every table; those of columns that were there then, where a look before is given.
func (v *versionRun) rows(before map[string]tableRows) map[string]tableRows {
	v.Helper()
	all := map[string]tableRows{}
	for _, table := range v.tables() {
		columns := v.columns(table)
		if before != nil {
			if columns = before[table].columns; columns == nil {
				continue
			}
		}
		quoted := make([]string, len(columns))
		for i, c := range columns {
			quoted[i] = `quote("` + c + `")`
		}
		rows := v.query(fmt.Sprintf(`SELECT %s AS r FROM "%s" ORDER BY r`, strings.Join(quoted, " || ', ' || "), table))
		all[table] = tableRows{columns, rows}
	}
	return all
}

// intact looks whether every row from before is still there, or is where a migration put it.
func (v *versionRun) intact(before map[string]tableRows) {
	v.Helper()
	after := v.rows(before)
	for table, was := range before {
		if _, gone := goneTables[table]; gone {
			if n := v.query(`SELECT count(*) FROM holds WHERE sent_by = 'sftp'`); n[0] != "1" {
				v.Errorf("the row of %s is gone", table)
			}
			continue
		}
		for _, row := range was.all {
			if !slices.Contains(after[table].all, row) {
				v.Errorf("a row of %s is gone: %.300s", table, row)
			}
		}
		if len(after[table].all) < len(was.all) {
			v.Errorf("%s has %d rows, had %d", table, len(after[table].all), len(was.all))
		}
	}
	if got := v.query(`PRAGMA quick_check`); got[0] != "ok" {
		v.Errorf("quick_check: %v", got)
	}
	if got := v.query(`SELECT "table" FROM pragma_foreign_key_check`); len(got) > 0 {
		v.Errorf("foreign_key_check: %v", got)
	}
}

// open opens the house and runs it.
func (v *versionRun) open() {
	v.Helper()
	cfg, err := config.Load(filepath.Join(v.dir, versionConfig))
	if err != nil {
		v.Fatal(err)
	}
	pointAt(cfg, v.platform)
	cfg.Orders.Webhook.Listen = v.address
	v.house, err = Open(v.Context(), cfg, Options{Serve: true})
	if err != nil {
		v.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.house.Run(ctx) }()
	v.stop = func() {
		cancel()
		if err := errors.Join(<-done, v.house.Close()); err != nil {
			v.Error(err)
		}
	}
}

func (v *versionRun) close() { v.stop() }

func (v *versionRun) put(folder, name, text string) {
	v.Helper()
	temp := filepath.Join(v.dir, folder, "."+name+".tmp")
	if err := errors.Join(os.WriteFile(temp, []byte(text), 0o600), os.Rename(temp, filepath.Join(v.dir, folder, name))); err != nil {
		v.Fatal(err)
	}
}

func (v *versionRun) await(what string, true func() bool) {
	v.Helper()
	for deadline := time.Now().Add(30 * time.Second); !true(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s, err := v.house.Status(v.Context())
			v.Fatalf("in vain: %s; %+v, %v", what, s, err)
		}
	}
}

// awaitDrops waits until the drop with a number is read.
func (v *versionRun) awaitDrops(n int64) {
	v.Helper()
	v.await(fmt.Sprintf("drop %d", n), func() bool {
		all, err := v.house.store.DropsAfter(v.Context(), n-1)
		return err == nil && len(all) > 0 && all[0].State == "read"
	})
}

// push has everything sent that differs, and waits for it.
func (v *versionRun) push() {
	v.Helper()
	if err := v.house.Push(v.Context(), Ask{}); err != nil {
		v.Fatal(err)
	}
	v.await("everything sent", func() bool {
		s, err := v.house.Status(v.Context())
		return err == nil && len(s.Waiting) == 0 && !slices.ContainsFunc(s.Stores, func(one StoreStatus) bool { return one.Differs > 0 })
	})
}

// hook tells of an order as the platform does.
func (v *versionRun) hook(id string) {
	v.Helper()
	body := fmt.Sprintf(`{"order_id":%q,"status":"READY_FOR_PICKUP","client":{"chain_id":%q,"store_id":"290056"},"items":[]}`, id, sandbox.DefaultChainID)
	req, err := http.NewRequestWithContext(v.Context(), http.MethodPost, "http://"+v.address+"/webhook", strings.NewReader(body))
	if err != nil {
		v.Fatal(err)
	}
	req.Header.Set("Authorization", hookSecret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		v.Fatalf("an order was answered with %d", res.StatusCode)
	}
}

// orderFiles lists the files for the ERP.
func (v *versionRun) orderFiles() []string {
	files, err := filepath.Glob(filepath.Join(v.dir, "erp", "[^.]*"))
	if err != nil {
		v.Fatal(err)
	}
	return files
}

// works has the house do its daily work.
func (v *versionRun) works() {
	v.Helper()
	last, err := v.house.store.Newest(v.Context())
	if err != nil {
		v.Fatal(err)
	}
	if s, err := v.house.Status(v.Context()); err != nil || len(s.Stores) != 4 {
		v.Fatalf("status: %+v, %v", s, err)
	}
	v.put("drop", "nuevo.csv", strings.Replace(liveExport, "10,50", "12,50", 1))
	v.awaitDrops(last + 1)
	v.push()
	if got := readFile(v.T, filepath.Join(v.platform.Home(), "catalog", "gondola_290056.csv")); !strings.Contains(got, "A1,12.50") {
		v.Errorf("the document says:\n%s", got)
	}
	v.hook("order-2")
	v.await("the order at the ERP", func() bool { return len(v.orderFiles()) == 1 })
	if check, err := v.house.Verify(v.Context()); err != nil || len(check.Damage) > 0 {
		v.Errorf("verify: %+v, %v", check.Damage, err)
	}
	if _, err := v.house.Explain(v.Context(), About{Article: "A1"}); err != nil {
		v.Errorf("explain: %v", err)
	}
}
