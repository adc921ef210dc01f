package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/durable"
	"gondola/internal/report"
)

// configName is the file that init writes and every command looks for.
const configName = "config.yaml"

// PasswordName is the file, beside the config, that init keeps a password in: only its owner may read it.
const PasswordName = "password"

// starterSuffix ends the names of the starter spreadsheets, which are copied into the drop folders once they are filled in.
const starterSuffix = ".xlsx"

// Installation is what init is told of a chain. What is left out stands in the config as CHANGE-ME, or as its default.
type Installation struct {
	Language string // es, pt or en
	Brand    string // default pedidosya

	ChainID       string
	TimeZone      string
	IdentifyBy    string // sku or barcode; default sku
	PriceDecimals int    // default 2; NoDecimals for none
	Stores        []config.Vendor

	Host     string // default the brand's
	Port     int    // default 22
	User     string
	Password string // a reference; default env:GONDOLA_SFTP_PASSWORD
	// Secret is the password itself, for the file that Password then names; "" = there is none to be written.
	Secret   string
	HostKeys []string

	// Feeds were found in samples. A kind that has none gets a starter: a feed for the spreadsheet that staff fill in.
	Feeds []Draft
}

// NoDecimals is the PriceDecimals of an Installation whose currency has none; zero is the default.
const NoDecimals = -1

// Init makes a folder ready for a chain: a commented config with its schema for editors, the drop folders it names with the page that
// tells staff what they are for, and a starter spreadsheet for each that was not made for a sample. Files that exist are never
// overwritten: when one does, or something goes wrong in between, nothing is left of it. It returns what it made, relative to dir.
func Init(dir string, in Installation) (made []string, err error) {
	if !slices.Contains(report.Languages(), in.Language) {
		return nil, fmt.Errorf("unknown language %q (known: %s)", in.Language, strings.Join(report.Languages(), ", "))
	}
	files, drops, err := in.files()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := free(filepath.Join(dir, f.name)); err != nil {
			return nil, err
		}
	}
	var done undo
	defer func() {
		if err != nil {
			done.all()
			made = nil
		}
	}()
	for _, drop := range drops {
		if err := done.mkdirAll(filepath.Join(dir, drop, report.FolderNames(in.Language).Answers)); err != nil {
			return nil, fmt.Errorf("make drop folder: %w", err)
		}
		made = append(made, drop+string(filepath.Separator))
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		err := durable.WriteFile(path, f.perm, func(w io.Writer) error {
			_, err := w.Write(f.data)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
		done.paths = append(done.paths, path)
		made = append(made, f.name)
	}
	// What people look for first is named first.
	made = slices.Insert(made[:len(made)-1], len(drops), configName)
	return made, nil
}

// CheckInitFolder says why a folder can't become an installation, nil where it can: who is asked many questions hears of it first.
func CheckInitFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file; give init a folder", dir)
	}
	for _, name := range []string{configName, config.SchemaName, PasswordName} {
		if err := free(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// free says that a file exists, nil where none does.
func free(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("write %s: %w; remove it, or give init another folder", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// undo takes back what was made, the last first.
type undo struct{ paths []string }

// mkdirAll is os.MkdirAll that remembers which folders were not there.
func (u *undo) mkdirAll(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if parent := filepath.Dir(path); parent != path {
		if err := u.mkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, fs.ModePerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	u.paths = append(u.paths, path)
	return nil
}

// all removes everything. A folder in which somebody put something meanwhile stays.
func (u *undo) all() {
	for _, path := range slices.Backward(u.paths) {
		_ = os.Remove(path)
	}
}

// initFile is a file that init writes.
type initFile struct {
	name string
	data []byte
	perm fs.FileMode
}

// files returns the files of a new installation, and its drop folders. The config comes last: where it is, everything is.
func (in Installation) files() (files []initFile, drops []string, err error) {
	w, err := readStarterWords(in.Language)
	if err != nil {
		return nil, nil, err
	}
	if in.Secret != "" {
		files = append(files, initFile{PasswordName, []byte(in.Secret + "\n"), 0o600})
	}
	files = append(files, initFile{config.SchemaName, config.Schema(), 0o644})
	for _, f := range in.feeds(w) {
		drops = append(drops, filepath.FromSlash(f.Drop))
		page, err := w.guidePage(in, f)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, initFile{filepath.Join(filepath.FromSlash(f.Drop), report.FolderNames(in.Language).Guide), page, 0o644})
		if f.Sample != "" {
			continue
		}
		data, err := w.starter(*w.book(f), starterColumns(f), report.FolderNames(in.Language))
		if err != nil {
			return nil, nil, err
		}
		files = append(files, initFile{f.Name + starterSuffix, data, 0o644})
	}
	text, err := in.config(w)
	if err != nil {
		return nil, nil, err
	}
	return append(files, initFile{configName, text, 0o640}), drops, nil
}

// feeds returns the feeds of the config: those of samples, and starters for the kinds that have none.
func (in Installation) feeds(w starterWords) []Draft {
	all := slices.Clone(in.Feeds)
	for _, kind := range []catalog.Kind{catalog.KindCatalog, catalog.KindPromotions} {
		if slices.ContainsFunc(in.Feeds, func(d Draft) bool { return d.Kind == string(kind) }) {
			continue
		}
		book := w.Catalogue
		if kind == catalog.KindPromotions {
			book = w.Promotions
		}
		name := freeName(all, book.Name)
		all = append(all, Draft{Feed: config.Feed{
			Name: name, Kind: string(kind), Drop: dropOf(name), Export: config.DefaultExport,
			Vendor: config.VendorSource{Column: book.Columns["store"].Header},
		}})
	}
	return all
}

// book returns the words of the starter spreadsheet for a feed's kind.
func (w *starterWords) book(f Draft) *bookWords {
	if f.Kind == string(catalog.KindPromotions) {
		return &w.Promotions
	}
	return &w.Catalogue
}

// starterColumns returns the columns of the starter spreadsheet for a feed's kind.
func starterColumns(f Draft) []starterColumn {
	if f.Kind == string(catalog.KindPromotions) {
		return promotionColumns
	}
	return catalogueColumns
}
