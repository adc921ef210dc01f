package outbox

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// knows makes a passport from "feature" and "-feature".
func knows(words ...string) Passport {
	p := Passport{At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	for _, w := range words {
		if f, no := strings.CutPrefix(w, "-"); no {
			p = p.With(Feature(f), Cannot)
		} else {
			p = p.With(Feature(w), Can)
		}
	}
	return p
}

func TestPassportChooses(t *testing.T) {
	const limit = 1000
	for _, tc := range []struct {
		knows string
		way   string
		small Proof
		large Proof
		line  []string
	}{
		{"", WayAside, ProofClosed, ProofClosed, []string{"aside: ", "absent for one or two round trips", "proof by closed"}},
		{
			"posix-rename rename stat list stat-after-close read-back", WayPosixRename, ProofDigest, ProofSize,
			[]string{"posix-rename: ", "never absent", "proof by digest up to 0.001 MB, by size beyond"},
		},
		{"-posix-rename rename-over rename list", WayRenameOver, ProofSize, ProofSize, []string{"rename-over: ", "proof by size"}},
		{"-posix-rename -rename-over rename read-back", WayAside, ProofDigest, ProofClosed, []string{"aside: "}},
		{"-posix-rename -rename-over -rename stat stat-after-close", WayDirect, ProofSize, ProofSize, []string{"direct: no rename works", "written back"}},
		{"eats-on-close stat", WayDirect, ProofSize, ProofSize, []string{"direct: ", "taken away as soon as they are closed", "proof by size"}},
		{"eats-on-close posix-rename -stat", WayDirect, ProofClosed, ProofClosed, []string{"direct: "}},
		{"-home", WayAside, ProofClosed, ProofClosed, []string{"nothing can be written in the home"}},
	} {
		p := knows(strings.Fields(tc.knows)...)
		if p.Way() != tc.way || p.Proof(limit, limit) != tc.small || p.Proof(limit+1, limit) != tc.large {
			t.Errorf("%s: %s, %s, %s; want %s, %s, %s", tc.knows, p.Way(), p.Proof(limit, limit), p.Proof(limit+1, limit), tc.way, tc.small, tc.large)
		}
		if p.Proof(0, 0) == ProofDigest {
			t.Errorf("%s: promises a digest though nothing is read back", tc.knows)
		}
		for _, words := range tc.line {
			if line := p.Line(limit); !strings.Contains(line, words) || strings.Contains(line, "\n") {
				t.Errorf("%s: line %q does not say %q", tc.knows, line, words)
			}
		}
	}
	if line := (Passport{}).Line(limit); !strings.Contains(line, "not known yet") {
		t.Errorf("without a passport the line is %q", line)
	}
	for skew, words := range map[time.Duration]string{90 * time.Second: "1m30s ahead", -time.Hour: "1h0m0s behind", 100 * time.Millisecond: ""} {
		p := knows("rename")
		p.Skew, p.SkewKnown = skew, true
		if line := p.Line(limit); !strings.Contains(line, words) || words == "" && strings.Contains(line, "clock") {
			t.Errorf("skew %v: line %q, want %q", skew, line, words)
		}
	}
	p := knows("rename")
	p.Most = 12
	if line := p.Line(limit); !strings.Contains(line, "refused more than 12 files") {
		t.Errorf("the line of a server that takes few files is %q", line)
	}
}

// TestPassportLearns contradicts a passport, probes again, and contradicts what the new probe says.
func TestPassportLearns(t *testing.T) {
	first := knows("posix-rename", "rename", "-eats-on-close")
	if first.Stale() {
		t.Error("a fresh passport is stale")
	}
	doubted := first.Doubted(PosixRename, Cannot, "unsupported").Doubted(PosixRename, Cannot, "unsupported")
	if !doubted.Stale() || doubted.Way() != WayAside || len(doubted.Doubts) != 1 || !strings.Contains(doubted.Line(1), "contradicts posix-rename") {
		t.Errorf("doubted: %+v", doubted)
	}
	if first.Way() != WayPosixRename || len(first.Doubts) > 0 {
		t.Error("a correction has changed the passport that it was made from")
	}
	renewed := doubted.Renewed(knows("posix-rename", "rename", "-eats-on-close"))
	if renewed.Stale() || renewed.Way() != WayAside || !strings.Contains(renewed.Line(1), "in use it refused posix-rename") {
		t.Errorf("a probe that says otherwise is believed over use: %+v", renewed)
	}
	if again := renewed.Renewed(knows("posix-rename", "rename")); again.Stale() || again.Way() != WayAside {
		t.Errorf("the next probe forgets what use has shown: %+v", again)
	}
	if same := doubted.Renewed(knows("-posix-rename", "rename")); len(same.InUse) > 0 || same.Stale() {
		t.Errorf("probe and use agree: %+v", same)
	}
}

// TestPassportTries counts probes that break off, and stops at some point.
func TestPassportTries(t *testing.T) {
	var p Passport
	for try := range ProbeTries {
		if !p.Stale() {
			t.Fatalf("not probed again after %d tries", try)
		}
		broken := knows("home")
		broken.Broke = "rename"
		p = p.Renewed(broken)
	}
	if p.Stale() {
		t.Errorf("a server that breaks off is probed for ever: %+v", p)
	}
}

func TestPassportIsKept(t *testing.T) {
	p := knows("posix-rename", "-setstat").Doubted(List, Cannot, "denied")
	p.Server, p.Sessions, p.Files, p.Most, p.Skew, p.SkewKnown, p.Left = "SSH-2.0-x", 2, 4, 9, time.Minute, true, []string{"x"}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var got Passport
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("kept and read (-want +got):\n%s", diff)
	}
}
