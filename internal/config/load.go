package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile is the size in bytes of the largest file that is taken for a config: thousands of stores fit in a tenth of it.
const maxFile = 4 << 20

// Load reads and checks the config file at path. Mistakes in the file come back all at once as *[Problems]; a file that can't be
// read is a plain error.
func Load(path string) (*Config, error) { return load(path, true) }

// Look is [Load] for who sends nothing: a secret that can't be read here is a warning only, because it may be there for the daemon
// alone.
func Look(path string) (*Config, error) { return load(path, false) }

func load(path string, sends bool) (*Config, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open config %q: %w; correct the path, or run `gondola init DIR` for a new one", path, bare(err))
	case err != nil:
		return nil, fmt.Errorf("open config %q: %w; let the user that runs gondola read it", path, bare(err))
	}
	return parseFor(path, data, sends)
}

// Parse is [Load] for bytes that were read already. name is what problems call the file; its folder is what relative paths count
// from. The environment and the files that secrets refer to are looked at.
func Parse(name string, data []byte) (*Config, error) { return parseFor(name, data, true) }

func parseFor(name string, data []byte, sends bool) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("find the folder of config %q: %w; run gondola from a folder that exists", name, err)
	}
	d := newDecoder(name, dir, data)
	root := d.document(data)
	if root == nil {
		return nil, &d.problems
	}
	c := defaults()
	d.root(root, c)
	d.file.shown = d.source.shown(root)
	for i := range d.problems {
		d.problems[i].Excerpt = d.file.excerpt(d.problems[i])
	}
	c.file = d.file
	c.finish(dir)
	sum := sha256.Sum256(data)
	c.Digest = hex.EncodeToString(sum[:])

	found := d.problems
	if !d.tainted[""] {
		found = append(found, check(c, d.tainted, sends)...)
	}
	found.sort()
	if found.fatal() {
		return nil, &found
	}
	c.Warnings = found
	return c, nil
}

// document returns the top node of the file's one document, nil (with the reason among the problems) when there is none to read.
func (d *decoder) document(data []byte) *yaml.Node {
	if len(data) > maxFile {
		d.at(1, 1, "larger than %d MB; is this a config file?", maxFile>>20)
		return nil
	}
	if !d.readable(data) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		d.at(1, 1, "not valid YAML: %v", err)
		return nil
	}
	var first, second yaml.Node
	err = loader.Load(&first)
	if errors.Is(err, io.EOF) || (err == nil && (len(first.Content) == 0 || isNull(first.Content[0]))) {
		d.at(1, 1, "the file is empty; run `gondola init DIR` for a commented one")
		return nil
	}
	if err != nil {
		d.syntax(data, err)
		return nil
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(data, err)
	default:
		d.at(second.Line, second.Column, "a second document begins here; keep one and remove the line ---")
	}
	return first.Content[0]
}

// readable reports the first byte that is no text. The YAML library refuses it too, but doesn't say where: and an ñ from an
// editor that doesn't save UTF-8 is the likeliest mistake of all. UTF-16 is left to the library; its byte order mark shows it.
func (d *decoder) readable(data []byte) bool {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return true
	}
	line, column, begin := 1, 1, 0
	broken := func(format string, args ...any) bool {
		d.at(line, column, format, args...)
		text, _, _ := strings.Cut(string(data[begin:]), "\n")
		d.problems[len(d.problems)-1].Excerpt = brokenExcerpt(text, column, isKey)
		return false
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return broken("not UTF-8: byte 0x%02X; save the file as UTF-8", data[i])
		case r == 0x7f || r < ' ' && r != '\t' && r != '\n' && r != '\r':
			return broken("control character 0x%02X; remove it", r)
		}
		i += n
		if column++; r == '\n' {
			line, column, begin = line+1, 1, i
		}
	}
	return true
}

// syntax turns an error of the YAML library into a problem. Its words are kept, because they are what a search finds; the source
// line is not shown, because it may hold a secret.
func (d *decoder) syntax(data []byte, err error) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		d.at(1, 1, "not valid YAML: %v", err)
		return
	}
	lines := strings.Split(string(data), "\n")
	line := min(max(load.Mark.Line, 1), len(lines))
	text := strings.TrimSuffix(lines[line-1], "\r")
	column := min(max(load.Mark.Column, 1), utf8.RuneCountInString(text)+1)
	hint := "check quotes, colons and indentation here and in the line above"
	if indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]; strings.Contains(indent, "\t") {
		hint = "indent with spaces, not with tabs"
	}
	d.at(line, column, "not valid YAML: %s; %s", load.Message, hint)
	d.problems[len(d.problems)-1].Excerpt = brokenExcerpt(text, column, isKey)
}

// absolute returns path as an absolute one that counts from dir; "" stays "".
func absolute(dir, path string) string {
	if path == "" {
		return ""
	}
	if path = filepath.FromSlash(path); filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
