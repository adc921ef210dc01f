package supervisor

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the units of testdata anew; read the difference before keeping it")

// maxExposure is what systemd-analyze security may say of the unit at most.
const maxExposure = 2.0

// units are services in every shape: of a package, of a config, and one whose paths are not made for units.
var units = map[string]Service{
	"package": {
		Name: "gondola", User: "gondola", Program: "/usr/bin/gondola", Config: "/etc/gondola/config.yaml", State: "/var/lib/gondola",
		Shared: []string{"/srv/gondola"}, Environment: "/etc/gondola/gondola.env",
	},
	"config": {
		Name: "gondola-sur", User: "tienda", Program: "/usr/local/bin/gondola", Config: "/srv/sur/config.yaml", State: "/srv/sur/state",
		Shared: []string{"/srv/sur/drop/precios", "/srv/sur/drop/promociones"}, Environment: "/srv/sur/gondola-sur.env",
		Credentials: []Credential{{"sftp", "/srv/sur/credentials/sftp"}, {"orders", "/srv/sur/credentials/orders"}},
	},
	"odd": {
		Name: "gondola", User: "gondola", Program: "/opt/la góndola/gondola", Config: `/home/ana/50% $HOME "x"/config.yaml`,
		State: "/home/ana/st ate", Shared: []string{"/mnt/Precios y stock", `/mnt/back\slash`}, Environment: "/home/ana/50%/a b.env",
		Credentials: []Credential{{"sftp", "/home/ana/50%/c d"}},
	},
}

func TestUnit(t *testing.T) {
	for name, s := range units {
		t.Run(name, func(t *testing.T) {
			got, err := s.Unit()
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".service")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("unit (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnitRefusesControlCharacters has a folder whose name would begin a line of the unit.
func TestUnitRefusesControlCharacters(t *testing.T) {
	s := units["config"]
	s.Shared = []string{"/srv/a\nExecStartPre=/bin/x"}
	if text, err := s.Unit(); err == nil {
		t.Errorf("written:\n%s", text)
	}
}

// overall is the last line of systemd-analyze security.
var overall = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

// TestUnitIsSound has systemd itself read the units: nothing in them is unknown to it or misread, and they leave little open.
func TestUnitIsSound(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("systemd-analyze is missing; .ci/run installs it")
		}
		t.Skip("no systemd-analyze here (Debian's package systemd)")
	}
	for name, s := range units {
		t.Run(name, func(t *testing.T) {
			s.Program = "/bin/true" // one that is there
			if name == "odd" {
				s.Program = filepath.Join(t.TempDir(), "la góndola")
				if err := os.WriteFile(s.Program, []byte("#!/bin/sh\n"), 0o700); err != nil { //nolint:gosec // a program
					t.Fatal(err)
				}
			}
			text, err := s.Unit()
			if err != nil {
				t.Fatal(err)
			}
			// The package's user need not be here; root would be judged for being root.
			text = strings.NewReplacer("User="+s.User+"\n", "User=daemon\n", "Group="+s.User+"\n", "Group=daemon\n").Replace(text)
			path := filepath.Join(t.TempDir(), s.Name+".service")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || strings.Contains(string(out), path) {
				t.Errorf("systemd-analyze verify: %v\n%s", err, out)
			}
			out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", path).CombinedOutput()
			found := overall.FindStringSubmatch(string(out))
			if found == nil {
				t.Fatalf("systemd-analyze security: %v\n%s", err, out)
			}
			exposure, err := strconv.ParseFloat(found[1], 64)
			if err != nil || exposure > maxExposure {
				t.Errorf("exposure %s, want at most %v (%v)\n%s", found[1], maxExposure, err, out)
			}
			t.Logf("exposure %v", exposure)
		})
	}
}

func TestCheckName(t *testing.T) {
	for name, want := range map[string]bool{
		"gondola": true, "gondola-2": true, "": false, "2": false, "Gondola": false, "a b": false, "../x": false, "-x": false,
		strings.Repeat("x", 32): false,
	} {
		if err := CheckName(name); (err == nil) != want {
			t.Errorf("CheckName(%q): %v", name, err)
		}
	}
}
