package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"gondola/internal/durable"
)

// answerPerm lets everybody read an answer who can see the drop folder: it says less than the export does.
const answerPerm = 0o644

// maxFileName is how many bytes a name may have on the file systems that drop folders lie on.
const maxFileName = 255

// mark tells Notepad that the text is UTF-8: without it, it shows accents as other letters.
const mark = "\ufeff"

// Write writes the receipt into a drop folder, twice: into its folder of answers, and beside where the file was dropped. An answer
// that is there already is replaced whole. When one of the two can't be written the other one still is; the error says which.
// It may be called again until it succeeds, and whenever the answer changes.
func Write(folder string, a Answer) error {
	if a.Name == "" || a.Name == "." || a.Name == ".." || strings.ContainsAny(a.Name, `/\`) {
		return fmt.Errorf("write answer: %q is no file name", a.Name)
	}
	text, err := Text(a)
	if err != nil {
		return err
	}
	text = mark + strings.ReplaceAll(text, "\n", "\r\n")
	path := Path(folder, a)
	inside := makeFolder(filepath.Dir(path))
	if inside == nil {
		inside = put(path, text)
	}
	beside := put(filepath.Join(folder, answerName(a, FolderNames(a.Language).AnswerSuffix)), text)
	if err := errors.Join(inside, beside); err != nil {
		return fmt.Errorf("write answer for %q: %w; give gondola write permission for the drop folder", a.Name, err)
	}
	return nil
}

// Path returns where Write keeps the receipt for good: in the drop folder's folder of answers. Only the answer's Language, Name and Seq
// count.
func Path(folder string, a Answer) string {
	return filepath.Join(folder, FolderNames(a.Language).Answers, answerName(a, ".txt"))
}

// makeFolder makes the folder of answers, as open as the drop folder it lies in: who may drop may read.
func makeFolder(path string) error {
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("look at drop folder: %w", err)
	}
	mode := info.Mode() & (fs.ModePerm | fs.ModeSetgid)
	if err := os.Mkdir(path, mode); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return fmt.Errorf("make folder of answers: %w", err)
	}
	// The process's own mask may have taken permissions away.
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("open folder of answers: %w", err)
	}
	return nil
}

func put(path, text string) error {
	return durable.WriteFile(path, answerPerm, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// answerName returns the name of the answer for a file: its whole name, so that precios.csv and precios.xlsx get one each, and the
// suffix. A name that leaves no room for the suffix is cut, and then told apart by the claim's number.
func answerName(a Answer, suffix string) string {
	name := a.Name
	if room := maxFileName - len(suffix); len(name) > room {
		tail := "~" + strconv.FormatInt(a.Seq, 10)
		cut := room - len(tail)
		for cut > 0 && !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut] + tail
	}
	return name + suffix
}
