// Package internal_test holds the house to its own rules: who may import whom, which outside library has which one importer, how
// long files and functions may be, and that every exported name says what it is. The rules are data; the code only compares.
package internal_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// module is the path that our own packages begin with.
const module = "gondola"

// layers says who may import whom. A package without a row is a mistake: whoever adds one decides where it belongs.
var layers = map[string][]string{
	// 6: flags, signals, exit codes, printing. Beside the house it knows the values that it prints.
	"cmd/gondola": {
		"internal/config", "internal/daemon", "internal/sandbox", "templates", "testdata/demo",
		"internal/catalog", "internal/shelf", "internal/store", "internal/supervisor",
	},
	// Beside the house, which knows nothing of it: who starts, watches and stops the process that the house lives in.
	"internal/supervisor": {"internal/durable", "templates"},
	// 5: the house wires everything below; the sandbox shares nothing with the client it is there to catch.
	"internal/daemon": {
		"internal/alert", "internal/catalog", "internal/config", "internal/drop", "internal/durable", "internal/feed", "internal/inbox",
		"internal/order",
		"internal/outbox", "internal/platform", "internal/report", "internal/schedule", "internal/sftp", "internal/shelf", "internal/store",
		"internal/table", "internal/web", "templates",
	},
	"internal/sandbox": {},
	// 3
	"internal/store": {
		"internal/catalog", "internal/drop", "internal/durable", "internal/inbox", "internal/order", "internal/outbox", "internal/platform",
		"internal/seam", "internal/shelf",
	},
	"internal/web": {"internal/certificate", "internal/report", "templates"},
	// 2
	"internal/order":  {"internal/catalog", "internal/platform", "internal/table"},
	"internal/report": {"internal/catalog", "internal/durable", "internal/shelf", "internal/table", "templates"},
	"internal/sftp":   {"internal/outbox", "internal/seam"},
	// OpenSSH's server for tests. Nothing lists it, so only tests can import it.
	"internal/sftp/sshdtest": {},
	// 1
	"internal/drop":     {"internal/durable", "internal/seam"},
	"internal/alert":    {},
	"internal/feed":     {"internal/catalog", "internal/table"},
	"internal/inbox":    {"internal/certificate"},
	"internal/outbox":   {},
	"internal/platform": {"internal/catalog", "internal/table"},
	"internal/shelf":    {"internal/catalog", "internal/durable"},
	// 0
	"internal/catalog":     {},
	"internal/certificate": {}, // of both servers: the inbox and the page
	"internal/config":      {},
	"internal/durable":     {"internal/seam"},
	"internal/schedule":    {},
	"internal/seam":        {}, // no rank: rooms of every one mark their seams
	"internal/table":       {},
	"templates":            {},
	"testdata/demo":        {},
}

// library is an outside library, by the beginning of its import paths, and the packages that may use it.
type library struct {
	path string
	by   []string
	why  string // there is more than one
}

// libraries lists every outside library that the program is made of. Each has one importer, so that it can be replaced in one place.
var libraries = []library{
	{path: "github.com/expr-lang/expr", by: []string{"internal/feed"}},
	{path: "github.com/fsnotify/fsnotify", by: []string{"internal/drop"}},
	{path: "github.com/gofrs/flock", by: []string{"internal/store"}},
	{path: "github.com/lmittmann/tint", by: []string{"cmd/gondola"}},
	{
		path: "github.com/pkg/sftp", by: []string{"internal/sandbox", "internal/sftp"},
		why: "the client and the simulated server both speak SFTP, and share nothing",
	},
	{path: "github.com/prometheus/client_golang", by: []string{"internal/web"}},
	{path: "github.com/robfig/cron/v3", by: []string{"internal/schedule"}},
	{path: "github.com/skeema/knownhosts", by: []string{"internal/sftp"}},
	{path: "github.com/spf13/cobra", by: []string{"cmd/gondola"}},
	{path: "github.com/spf13/pflag", by: []string{"cmd/gondola"}},
	{path: "github.com/xuri/excelize/v2", by: []string{"internal/table"}},
	{path: "go.yaml.in/yaml/v4", by: []string{"internal/config"}},
	{path: "golang.org/x/crypto/argon2", by: []string{"internal/web"}},
	{
		path: "golang.org/x/crypto/ssh", by: []string{"internal/sandbox", "internal/sftp"},
		why: "the client and the simulated server both speak SSH, and share nothing",
	},
	{
		path: "golang.org/x/sync/errgroup", by: []string{"internal/daemon", "internal/outbox"},
		why: "the house runs its loops in one group, the outbox its lanes; neither is the other's business",
	},
	{
		path: "golang.org/x/sys", by: []string{"internal/daemon", "internal/durable", "internal/supervisor"},
		why: "the house asks for free space, only a system call renames a file without replacing one, and the supervisor is Windows' own",
	},
	{path: "golang.org/x/term", by: []string{"cmd/gondola"}},
	{path: "golang.org/x/text/unicode/norm", by: []string{"internal/feed"}},
	{path: "golang.org/x/text/width", by: []string{"cmd/gondola"}},
	{path: "modernc.org/sqlite", by: []string{"internal/store"}},
}

// The budgets.
const (
	maxFileLines     = 600
	maxFunctionLines = 100
	maxWiringLines   = 200 // in the house: one straight line from config to loops is read from top to bottom
	wiring           = "internal/daemon"
)

func TestLayers(t *testing.T) {
	for _, problem := range layerProblems(ours(t), layers) {
		t.Error(problem)
	}
}

func TestLibraries(t *testing.T) {
	for _, problem := range libraryProblems(ours(t), libraries) {
		t.Error(problem)
	}
}

func TestBudgets(t *testing.T) {
	for _, problem := range budgetProblems(ours(t)) {
		t.Error(problem)
	}
}

func TestEverythingExportedIsDocumented(t *testing.T) {
	for _, problem := range documentProblems(ours(t)) {
		t.Error(problem)
	}
}

// TestRulesCanFail gives the rules a tiny house in which every one of them is broken once.
func TestRulesCanFail(t *testing.T) {
	house := parse(t, map[string]string{
		"cmd/tool/main.go": `// Command tool is documented.
package main

import (
	_ "example.org/lib/deep"
	_ "example.org/stray"
	_ "gondola/internal/cellar"
	_ "os"
)
`,
		"internal/attic/attic.go": `package attic

import _ "example.org/lib"

type Box struct{}

func (Box) Open() {}

// Close is documented.
func (Box) Close() {}

type chest struct{}

func (chest) Open() {}

const (
	// One is documented.
	One = 1
	Two = 2 // so is Two
	Three = 3
)
`,
		"internal/cellar/cellar.go": "// Package cellar is documented.\npackage cellar\n" + strings.Repeat("\n", maxFileLines) +
			"func long() {\n" + strings.Repeat("\n", maxFunctionLines) + "}\n",
		"internal/daemon/daemon.go": "// Package daemon is documented.\npackage daemon\n\nfunc wires() {\n" +
			strings.Repeat("\n", maxFunctionLines) + "}\n",
	})
	got := slices.Concat(
		layerProblems(house, map[string][]string{"cmd/tool": {}, "internal/cellar": {}, "internal/daemon": {}, "internal/gone": {}}),
		libraryProblems(house, []library{
			{path: "example.org/lib", by: []string{"cmd/tool"}},
			{path: "example.org/unused", by: []string{"cmd/tool"}},
			{path: "example.org/two", by: []string{"a", "b"}},
		}),
		budgetProblems(house),
		documentProblems(house),
	)
	want := []string{
		"cmd/tool must not import internal/cellar",
		"internal/attic has no row in layers: decide where it belongs",
		"internal/gone has a row in layers and no code",
		"cmd/tool imports example.org/stray, which has no row in libraries",
		"internal/attic imports example.org/lib, which is cmd/tool's alone",
		"example.org/unused has a row in libraries and no importer cmd/tool",
		"example.org/two has a row in libraries and no importer a",
		"example.org/two has a row in libraries and no importer b",
		"example.org/two has more than one importer and no reason for it",
		"internal/cellar/cellar.go has 704 lines, at most 600 are allowed",
		"internal/cellar/cellar.go: function long has 102 lines, at most 100 are allowed",
		"internal/attic has no package comment",
		"internal/attic/attic.go: Box has no comment",
		"internal/attic/attic.go: Box.Open has no comment",
		"internal/attic/attic.go: Three has no comment",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// source is a production file.
type source struct {
	path    string // from the module's root, with slashes
	pkg     string // its folder
	imports []string
	lines   int
	syntax  *ast.File
	files   *token.FileSet
}

// ours parses every production file of the module.
func ours(t *testing.T) []source {
	t.Helper()
	root := os.DirFS("..")
	texts := map[string]string{}
	err := fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			hidden := name != "." && strings.HasPrefix(e.Name(), ".")
			// The module's own testdata holds a package that is embedded; a package's testdata holds none.
			if hidden || e.Name() == "testdata" && name != "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			text, err := fs.ReadFile(root, name)
			// Scripts that make fixtures are run by hand and are part of no program.
			if !strings.HasPrefix(string(text), "//go:build ignore") {
				texts[name] = string(text)
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < len(layers) {
		t.Fatalf("only %d files found: this is not the module's root", len(texts))
	}
	return parse(t, texts)
}

// parse parses files, by path.
func parse(t *testing.T, texts map[string]string) []source {
	t.Helper()
	var all []source
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		s := source{path: filepath.ToSlash(name), pkg: path.Dir(filepath.ToSlash(name)), files: token.NewFileSet()}
		var err error
		if s.syntax, err = parser.ParseFile(s.files, name, texts[name], parser.ParseComments|parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
		s.lines = strings.Count(texts[name], "\n")
		for _, i := range s.syntax.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			s.imports = append(s.imports, imported)
		}
		all = append(all, s)
	}
	return all
}

// importsOf returns what each package imports, without doubles.
func importsOf(all []source) map[string][]string {
	imports := map[string][]string{}
	for _, s := range all {
		imports[s.pkg] = append(imports[s.pkg], s.imports...)
	}
	for pkg := range imports {
		slices.Sort(imports[pkg])
		imports[pkg] = slices.Compact(imports[pkg])
	}
	return imports
}

// layerProblems compares our own imports with the table.
func layerProblems(all []source, table map[string][]string) []string {
	var problems []string
	imports := importsOf(all)
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		allowed, ok := table[pkg]
		if !ok {
			problems = append(problems, pkg+" has no row in layers: decide where it belongs")
			continue
		}
		for _, imported := range imports[pkg] {
			if own, ok := strings.CutPrefix(imported, module+"/"); ok && !slices.Contains(allowed, own) {
				problems = append(problems, pkg+" must not import "+own)
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(table)) {
		if _, ok := imports[pkg]; !ok {
			problems = append(problems, pkg+" has a row in layers and no code")
		}
	}
	return problems
}

// libraryProblems compares imports from outside with the table.
func libraryProblems(all []source, table []library) []string {
	var problems []string
	imports := importsOf(all)
	used := map[string]bool{} // library and importer
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		for _, imported := range imports[pkg] {
			// The standard library's paths have no dot in front of the first slash.
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
				continue
			}
			i := slices.IndexFunc(table, func(l library) bool { return imported == l.path || strings.HasPrefix(imported, l.path+"/") })
			switch {
			case i < 0:
				problems = append(problems, fmt.Sprintf("%s imports %s, which has no row in libraries", pkg, imported))
			case !slices.Contains(table[i].by, pkg):
				problems = append(problems, fmt.Sprintf("%s imports %s, which is %s's alone", pkg, imported, strings.Join(table[i].by, "'s and ")))
			default:
				used[table[i].path+" "+pkg] = true
			}
		}
	}
	for _, l := range table {
		for _, pkg := range l.by {
			if !used[l.path+" "+pkg] {
				problems = append(problems, fmt.Sprintf("%s has a row in libraries and no importer %s", l.path, pkg))
			}
		}
		if len(l.by) > 1 && l.why == "" {
			problems = append(problems, l.path+" has more than one importer and no reason for it")
		}
	}
	return problems
}

// budgetProblems finds files and functions that are too long to be read.
func budgetProblems(all []source) []string {
	var problems []string
	for _, s := range all {
		if s.lines > maxFileLines {
			problems = append(problems, fmt.Sprintf("%s has %d lines, at most %d are allowed", s.path, s.lines, maxFileLines))
		}
		most := maxFunctionLines
		if s.pkg == wiring {
			most = maxWiringLines
		}
		for _, d := range s.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := s.files.Position(f.End()).Line - s.files.Position(f.Pos()).Line + 1; lines > most {
				problems = append(problems, fmt.Sprintf("%s: function %s has %d lines, at most %d are allowed", s.path, f.Name, lines, most))
			}
		}
	}
	return problems
}

// documentProblems finds packages and exported names without a comment.
func documentProblems(all []source) []string {
	var problems []string
	documented := map[string]bool{}
	for _, s := range all {
		documented[s.pkg] = documented[s.pkg] || s.syntax.Doc != nil
	}
	for _, pkg := range slices.Sorted(maps.Keys(documented)) {
		if !documented[pkg] {
			problems = append(problems, pkg+" has no package comment")
		}
	}
	for _, s := range all {
		for _, d := range s.syntax.Decls {
			for _, name := range undocumented(d) {
				problems = append(problems, s.path+": "+name+" has no comment")
			}
		}
	}
	return problems
}

// undocumented returns the exported names of a declaration that say nothing about themselves. Names in a group may share its comment
// only when they are values: a type is worth its own.
func undocumented(d ast.Decl) []string {
	var names []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() {
			if receiver := receiverOf(d); receiver == "" {
				names = append(names, d.Name.Name)
			} else if ast.IsExported(receiver) {
				names = append(names, receiver+"."+d.Name.Name)
			}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && cmp.Or(spec.Doc, d.Doc) == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() && cmp.Or(spec.Doc, spec.Comment, d.Doc) == nil {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// receiverOf returns the name of the type that a method belongs to, "" for a function.
func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	t := f.Recv.List[0].Type
	for {
		switch inner := t.(type) {
		case *ast.StarExpr:
			t = inner.X
		case *ast.IndexExpr:
			t = inner.X
		case *ast.IndexListExpr:
			t = inner.X
		case *ast.Ident:
			return inner.Name
		default:
			return ""
		}
	}
}
