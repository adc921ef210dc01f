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

// permission is what to do about a file that can't be written.
const permission = "give gondola write permission for the drop folder"

// Write writes the receipt into a drop folder: as text and as a page into its folder of answers, and as text beside where the file was
// dropped. An answer that is there already is replaced whole. When one of them can't be written the others still are; the error says
// which. It may be called again until it succeeds, and whenever the answer changes.
func Write(folder string, a Answer) error {
	if err := checkName(a); err != nil {
		return err
	}
	text, err := Text(a)
	if err != nil {
		return err
	}
	page, err := HTML(a)
	if err != nil {
		return err
	}
	text = mark + strings.ReplaceAll(text, "\n", "\r\n")
	path := Path(folder, a)
	inside := makeFolder(filepath.Dir(path))
	if inside == nil {
		inside = errors.Join(put(path, text), put(PagePath(folder, a), page))
	}
	beside := put(filepath.Join(folder, answerName(a, FolderNames(a.Language).AnswerSuffix)), text)
	if err := errors.Join(inside, beside); err != nil {
		return fmt.Errorf("write answer for %q: %w; %s", a.Name, err, permission)
	}
	return nil
}

// checkName refuses an answer whose file has no name of its own in a folder.
func checkName(a Answer) error {
	if a.Name == "" || a.Name == "." || a.Name == ".." || strings.ContainsAny(a.Name, `/\`) {
		return fmt.Errorf("write answer: %q is no file name", a.Name)
	}
	return nil
}

// Path returns where Write keeps the receipt for good: in the drop folder's folder of answers. Only the answer's Language, Name and Seq
// count.
func Path(folder string, a Answer) string {
	return filepath.Join(folder, FolderNames(a.Language).Answers, answerName(a, ".txt"))
}

// PagePath returns where Write keeps the receipt as a page, likewise.
func PagePath(folder string, a Answer) string {
	return filepath.Join(folder, FolderNames(a.Language).Answers, pageName(a))
}

// WorkbookPath returns where WriteWorkbook keeps the annotated workbook, likewise.
func WorkbookPath(folder string, a Answer) string {
	return filepath.Join(folder, FolderNames(a.Language).Answers, workbookName(a))
}

// pageName returns the name of the page for a file, which is never that of the index.
func pageName(a Answer) string {
	if name := answerName(a, ".html"); !strings.EqualFold(name, indexName) {
		return name
	}
	return answerName(a, "~.html")
}

// workbookName returns the name of the annotated workbook for a file. The corrected copy of a corrected copy has no longer name.
func workbookName(a Answer) string {
	suffix := FolderNames(a.Language).Workbook
	a.Name = strings.TrimSuffix(a.Name, suffix)
	return answerName(a, suffix)
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
