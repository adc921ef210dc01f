package daemon

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The example of how Gondola is watched by Prometheus and Grafana.
const (
	rulesFile     = "../../templates/monitoring/gondola.rules.yaml"
	dashboardFile = "../../templates/monitoring/gondola.dashboard.json"
	rulesTestFile = "testdata/monitoring/gondola.rules.test.yaml"
)

var (
	metricName   = regexp.MustCompile(`\bgondola_[a-z_]+\b`)
	metricLabels = regexp.MustCompile(`\b(gondola_[a-z_]+)\{([^}]*)\}`)
	labelName    = regexp.MustCompile(`([a-z]+)(=~|=|!=)`)
	legendLabel  = regexp.MustCompile(`\{\{([a-z]+)\}\}`)
)

// TestMonitoringNamesWhatIsMeasured holds rules and dashboard against the numbers of a house in which everything is on.
func TestMonitoringNamesWhatIsMeasured(t *testing.T) {
	c, _ := newAudited(t, "send: {catalog: {by: api}}")
	// With a token for orders they would be asked for; here nobody asks.
	c.house.cfg.API.Tokens.Orders = c.house.cfg.API.Tokens.Catalog
	labels := map[string]string{}
	all, err := c.house.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		labels[m.Name] = m.Label
	}
	// Audits are measured once there is one.
	c.auditNow(AuditAsk{})
	if all, err = c.house.measureAudits(t.Context()); err != nil || len(all) == 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, m := range all {
		labels[m.Name] = m.Label
	}
	for _, file := range []string{rulesFile, dashboardFile} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := metricName.FindAllString(string(text), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d metrics only", file, len(names))
		}
		for _, name := range names {
			if _, ok := labels[name]; !ok {
				t.Errorf("%s names %s, which is not measured", file, name)
			}
		}
		for _, use := range metricLabels.FindAllStringSubmatch(string(text), -1) {
			for _, label := range labelName.FindAllStringSubmatch(use[2], -1) {
				if own := labels[use[1]]; label[1] != own && label[1] != "instance" && label[1] != "job" {
					t.Errorf("%s asks for %s by %s, its label is %q", file, use[1], label[1], own)
				}
			}
		}
	}
	for _, p := range dashboard(t).Panels {
		for _, target := range p.Targets {
			for _, label := range legendLabel.FindAllStringSubmatch(target.LegendFormat, -1) {
				has := slices.ContainsFunc(metricName.FindAllString(target.Expr, -1), func(name string) bool { return labels[name] == label[1] })
				if !has {
					t.Errorf("panel %q: nothing of %s has the label %s", p.Title, target.Expr, label[1])
				}
			}
		}
	}
}

// board is what matters of a dashboard.
type board struct {
	Panels []struct {
		ID      int
		Title   string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ Expr, LegendFormat string }
	}
}

func dashboard(t *testing.T) (b board) {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDashboardIsWhole finds panels that lie over each other, have no question or share a number.
func TestDashboardIsWhole(t *testing.T) {
	b := dashboard(t)
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range b.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q with %d questions", p.ID, p.Title, len(p.Targets))
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q is wider than the page", p.Title)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[at]; other != "" {
					t.Fatalf("panels %q and %q lie over each other", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
	}
}

// TestRulesAreSound has Prometheus' own tool read the rules and try them on numbers, and read every question of the dashboard.
func TestRulesAreSound(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("promtool is missing; .ci/run installs it")
		}
		t.Skip("no promtool here (Debian's package prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", rulesFile}, {"test", "rules", rulesTestFile}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil { //nolint:gosec // the test's own words
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	// It reads no dashboards: its questions become rules.
	rules := map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": questions(t)}}}
	file := t.TempDir() + "/dashboard.rules.yaml"
	if err := os.WriteFile(file, []byte(encode(rules)), 0o600); err != nil { // JSON is YAML
		t.Fatal(err)
	}
	if out, err := exec.Command(promtool, "check", "rules", file).CombinedOutput(); err != nil { //nolint:gosec // likewise
		t.Errorf("promtool on the dashboard: %v\n%s", err, out)
	}
}

// questions returns what the dashboard asks, each as a rule of its own.
func questions(t *testing.T) (all []any) {
	t.Helper()
	for _, p := range dashboard(t).Panels {
		for i, target := range p.Targets {
			name := "panel:" + string(rune('a'+i)) + ":" + strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' {
					return r
				}
				return '_'
			}, strings.ToLower(p.Title))
			all = append(all, map[string]any{"record": name, "expr": strings.ReplaceAll(target.Expr, "$instance", ".*")})
		}
	}
	return all
}
