package drop

import (
	"strings"
	"testing"
)

func TestFitName(t *testing.T) {
	long := strings.Repeat("ñ", 200) + ".xlsx"
	for name, want := range map[string]string{
		"precios.xlsx":                     "precios.xlsx",
		"Precios Ñandú 12·07.csv":          "Precios Ñandú 12·07.csv",
		`C:\fakepath\precios.csv`:          "precios.csv",
		"../../etc/passwd":                 "passwd",
		"a/b/..":                           "_",
		"precios\x00\x1b[31m.csv":          "precios__[31m.csv",
		"precios\r\nX: y.csv":              "precios__X_ y.csv",
		"sub:stream.csv":                   "sub_stream.csv",
		"gpj.\u202evsc.csv":                "gpj.vsc.csv", // written from right to left
		"precios.csv. . ":                  "precios.csv_",
		"  precios.csv":                    "precios.csv",
		"CON":                              "_CON",
		"aux.csv":                          "_aux.csv",
		"com1 .csv":                        "_com1 .csv",
		"console.csv":                      "console.csv",
		"\xe1rea.csv":                      "_rea.csv",
		".hidden.csv":                      "",
		"~$precios.xlsx":                   "",
		"precios.csv.part":                 "",
		"precios.tmp":                      "",
		"Thumbs.db":                        "",
		"precios.xlsx.respuesta.txt":       "",
		"leeme.html":                       "",
		"":                                 "",
		"   ":                              "",
		"___":                              "___",
		long:                               shortName(long),
		"com9." + strings.Repeat("x", 226): shortName("_com9." + strings.Repeat("x", 226)),
	} {
		got, ok := FitName(Folder{AnswerSuffixes: []string{".respuesta.txt"}, Guides: []string{"LEEME.html"}}, name)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", name, got, ok, want)
		}
		if len(got) > maxName {
			t.Errorf("%q has %d bytes", got, len(got))
		}
	}
}

func FuzzFitName(f *testing.F) {
	for _, name := range []string{"a.csv", `C:\x\..`, "nul", "\u202e", ".a", "a\xff."} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := FitName(Folder{}, name)
		if !ok {
			return
		}
		if strings.ContainsAny(got, "/\\:\x00\r\n") || strings.HasPrefix(got, ".") || len(got) > maxName || got != strings.TrimRight(got, ". ") {
			t.Errorf("%q became %q", name, got)
		}
		if again, ok := FitName(Folder{}, got); !ok || again != got {
			t.Errorf("%q becomes %q and then %q", name, got, again)
		}
	})
}
