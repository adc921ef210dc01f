package config

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the .want files of testdata anew; read the difference before keeping it")

// testPassword is the variable that the files under testdata name.
const testPassword = "GONDOLA_TEST_PASSWORD"

// TestMistakes reads one file for each mistake; what must be said about it stands in the .want file beside it. $DIR is the
// package's folder, from which the files' relative paths count.
func TestMistakes(t *testing.T) {
	t.Setenv(testPassword, "x")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			c, err := Parse(name, readFile(t, file))
			if err == nil {
				t.Fatal("no problem was found")
			}
			if c != nil {
				t.Error("a config came back with the problems")
			}
			got := strings.ReplaceAll(err.Error(), dir, "$DIR") + "\n"
			if runtime.GOOS == "windows" {
				if strings.HasPrefix(name, "password-file-") {
					t.Skip("its words are the system's own")
				}
				got = regexp.MustCompile(`\$DIR[^ :)]*`).ReplaceAllStringFunc(got, filepath.ToSlash)
			}
			wantFile := strings.TrimSuffix(file, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(wantFile, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(readFile(t, wantFile)), got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGoodFilesHaveNoWarnings(t *testing.T) {
	t.Setenv(testPassword, "x")
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		c, err := Load(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if len(c.Warnings) != 0 {
			t.Errorf("%s: warnings: %v", file, Problems(c.Warnings))
		}
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
