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

	"gondola/internal/durable"
	"gondola/internal/report"
	"gondola/templates"
)

// configName is the file that init writes and every command looks for.
const configName = "config.yaml"

// starterName is the starter spreadsheet, which is copied into the drop folder once it is filled in.
const starterName = "catalogo.csv"

// Init makes a folder ready for a chain: a commented config to fill in, the drop folder it names, and a starter spreadsheet in the
// language (es, pt or en). Files that exist are never overwritten. It returns what it made, relative to dir.
func Init(dir, language string) ([]string, error) {
	if !slices.Contains(report.Languages(), language) {
		return nil, fmt.Errorf("unknown language %q (known: %s)", language, strings.Join(report.Languages(), ", "))
	}
	config, err := templates.Files.ReadFile("init/config.yaml")
	if err != nil {
		return nil, fmt.Errorf("read starter config: %w", err)
	}
	config = bytes.Replace(config, []byte("language: es "), []byte("language: "+language+" "), 1)
	config = bytes.Replace(config, []byte("{column: Sucursal}"), []byte("{column: "+storeColumn(language)+"}"), 1)
	starter, err := templates.Files.ReadFile("init/" + language + ".csv")
	if err != nil {
		return nil, fmt.Errorf("read starter spreadsheet: %w", err)
	}
	names := report.FolderNames(language)
	if err := os.MkdirAll(filepath.Join(dir, "drop", "catalogo", names.Answers), fs.ModePerm); err != nil {
		return nil, fmt.Errorf("make drop folder: %w", err)
	}
	made := []string{filepath.Join("drop", "catalogo") + string(filepath.Separator)}
	for _, f := range []struct {
		name string
		data []byte
		perm fs.FileMode
	}{
		{configName, config, 0o640},
		{starterName, starter, 0o644},
	} {
		path := filepath.Join(dir, f.name)
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("write %s: %w; remove it, or give init another folder", path, fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
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

// storeColumn is the header of the starter spreadsheet's column with the store.
func storeColumn(language string) string {
	switch language {
	case report.Portuguese:
		return "Loja"
	case report.English:
		return "Store"
	}
	return "Sucursal"
}
