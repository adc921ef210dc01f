package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"gondola/internal/config"
	"gondola/internal/durable"
	"gondola/internal/report"
	"gondola/templates"
)

// configName is the file that init writes and every command looks for.
const configName = "config.yaml"

// starterSuffix ends the names of the starter spreadsheets, which are copied into the drop folders once they are filled in.
const starterSuffix = ".xlsx"

// Init makes a folder ready for a chain: a commented config to fill in with its schema for editors, the drop folders it names, and a starter spreadsheet for each
// of them in the language (es, pt or en). Files that exist are never overwritten: when one does, nothing is written. It returns what
// it made, relative to dir.
func Init(dir, language string) ([]string, error) {
	if !slices.Contains(report.Languages(), language) {
		return nil, fmt.Errorf("unknown language %q (known: %s)", language, strings.Join(report.Languages(), ", "))
	}
	files, drops, err := initFiles(language)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("write %s: %w; remove it, or give init another folder", path, fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
	}
	var made []string
	for _, drop := range drops {
		if err := os.MkdirAll(filepath.Join(dir, drop, report.FolderNames(language).Answers), fs.ModePerm); err != nil {
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
		made = append(made, f.name)
	}
	return made, nil
}

// initFile is a file that init writes.
type initFile struct {
	name string
	data []byte
	perm fs.FileMode
}

// initFiles returns the files of a new installation, and its drop folders.
func initFiles(language string) (files []initFile, drops []string, err error) {
	w, err := readStarterWords(language)
	if err != nil {
		return nil, nil, err
	}
	names := report.FolderNames(language)
	text, err := w.config(language, names)
	if err != nil {
		return nil, nil, err
	}
	files = append(files, initFile{configName, text, 0o640}, initFile{config.SchemaName, config.Schema(), 0o644})
	for _, book := range w.books() {
		data, err := w.starter(book.words, book.columns, names)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, initFile{book.words.Name + starterSuffix, data, 0o644})
		drops = append(drops, filepath.Join("drop", book.words.Name))
	}
	return files, drops, nil
}

// config returns the starter config, whose feeds and store column have the names that the spreadsheets have.
func (w starterWords) config(language string, names report.Folders) ([]byte, error) {
	t, err := template.ParseFS(templates.Files, "init/config.yaml.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read starter config: %w", err)
	}
	var text bytes.Buffer
	err = t.Execute(&text, struct{ Schema, Language, Answers, Catalogue, Promotions, Store string }{
		Schema: config.SchemaLine, Language: language, Answers: names.Answers,
		Catalogue: w.Catalogue.Name, Promotions: w.Promotions.Name, Store: w.Catalogue.Columns["store"].Header,
	})
	if err != nil {
		return nil, fmt.Errorf("write starter config: %w", err)
	}
	return text.Bytes(), nil
}
