package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/sandbox"
)

// clinic is a house that runs, with everything that doctor looks at.
type clinic struct{ *live }

func newClinic(t *testing.T) clinic {
	t.Helper()
	t.Setenv("CLINIC_TOKEN", "made-up")
	t.Setenv("CLINIC_SECRET", hookSecret)
	address, erp := unused(t), t.TempDir()
	l := newLive(t, liveOptions{
		sandbox: sandbox.Options{API: sandbox.API{Tokens: sandbox.Tokens{Orders: "made-up", Catalog: "made-up-2", Promotions: "made-up-3"}}},
		minFree: 1_000_000,
		config: fmt.Sprintf(`api: {tokens: {orders: env:CLINIC_TOKEN}}
orders:
  webhook: {listen: %q, secrets: [env:CLINIC_SECRET], public_url: "http://%s/webhook"}
  poll: {every: 0s}
  export: {dir: %q, on: [READY_FOR_PICKUP]}
alerts: [{post: "http://127.0.0.1:1/"}]
`, address, address, erp),
	})
	l.cfg.API.URL = l.platform.RESTURL()
	return clinic{l}
}

// examine looks at everything by a config that differs from the house's.
func (c clinic) examine(change func(*config.Config)) map[string]Checkup {
	c.Helper()
	cfg := *c.cfg
	cfg.Feeds = slices.Clone(cfg.Feeds)
	if change != nil {
		change(&cfg)
	}
	begin := time.Now()
	all := map[string]Checkup{}
	for _, one := range Examine(c.Context(), &cfg, Options{}) {
		all[one.Group+"/"+one.Name] = one
		if one.State != CheckOK && one.Do == "" && one.State != CheckSkipped {
			c.Errorf("%s/%s says not what to do: %+v", one.Group, one.Name, one)
		}
	}
	if took := time.Since(begin); took > 30*time.Second {
		c.Errorf("it took %s", took)
	}
	left, err := filepath.Glob(filepath.Join(c.dir, "*", canaryPrefix+"*"))
	if err != nil || len(left) > 0 {
		c.Errorf("left behind: %v, %v", left, err)
	}
	return all
}

// TestDoctorOfAHouseThatIsWell looks at a house in which nothing is wrong.
func TestDoctorOfAHouseThatIsWell(t *testing.T) {
	c := newClinic(t)
	c.acquaint()
	c.put("precios.csv", liveExport)
	c.awaitEvent(EventRead, 1)
	c.push()
	c.awaitEvent(EventSent, 2)
	all := c.examine(nil)
	for name, one := range all {
		if one.State == CheckFail {
			t.Errorf("%s fails: %+v", name, one)
		}
	}
	for _, name := range []string{
		"config/secrets", "state/daemon", "state/folder", "state/space", "database/schema", "database/integrity", "time/clock", "time/sftp server",
		"time/api server", "folders/precios", "orders/folder", "sftp/server", "sftp/passport", "sftp/folder catalog", "api/token for orders",
		"webhook/public address", "now/work",
	} {
		if all[name].State != CheckOK {
			t.Errorf("%s: %+v", name, all[name])
		}
	}
	if runtime.GOOS == "linux" && !strings.Contains(all["folders/precios"].Text, "events come") {
		t.Errorf("of the folder's events it says: %+v", all["folders/precios"])
	}
	if drops := c.heard(EventTaken); len(drops) != 1 {
		t.Errorf("%d drops were taken: a canary among them", len(drops))
	}
}

// TestDoctorFindsWhatIsBroken breaks one thing at a time.
func TestDoctorFindsWhatIsBroken(t *testing.T) {
	c := newClinic(t)
	other := t.TempDir()
	file := filepath.Join(other, "file")
	open := filepath.Join(other, "open")
	for _, path := range []string{file, open} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(open, 0o644); err != nil { //nolint:gosec // what is looked for
		t.Fatal(err)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "respuestas"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		what   string
		change func(*config.Config)
		name   string
		state  string
		says   string
	}{
		{"missing drop folder", func(c *config.Config) { c.Feeds[0].Drop = filepath.Join(other, "none") }, "folders/precios", CheckFail, "there is no folder"},
		{"file in its place", func(c *config.Config) { c.Feeds[0].Drop = file }, "folders/precios", CheckFail, "is not a folder"},
		{"file in the place of answers", func(c *config.Config) { c.Feeds[0].Drop = full }, "folders/precios", CheckFail, "respuestas"},
		{"missing folder of orders", func(c *config.Config) { c.Orders.Export.Dir = filepath.Join(other, "none") }, "orders/folder", CheckFail, "there is no folder"},
		{"little space", func(c *config.Config) { c.State.MinFree = 1 << 60 }, "state/space", CheckFail, "MB free"},
		{"dead port", func(c *config.Config) { c.SFTP.Port = portOf(t, unused(t)) }, "sftp/server", CheckFail, "refused"},
		{"no such host", func(c *config.Config) { c.SFTP.Host = "no-such-host.invalid" }, "sftp/server", CheckFail, "no-such-host.invalid"},
		{"another host key", func(c *config.Config) {
			c.SFTP.HostKeys = []string{"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
		}, "sftp/server", CheckFail, "host-key"},
		{"folder that is not there", func(c *config.Config) { c.SFTP.Folders.Catalog = "elsewhere" }, "sftp/folder elsewhere", CheckWarn, "not there"},
		{"refused token", func(c *config.Config) { c.API.Tokens.Catalog = secretOf(t, "env:CLINIC_SECRET") }, "api/token for catalog", CheckFail, "401"},
		{"dead interface", func(c *config.Config) { c.API.URL = "http://" + unused(t) }, "api/token for orders", CheckFail, "refused"},
		{"dead public address", func(c *config.Config) { c.Orders.Webhook.PublicURL = "http://" + unused(t) + "/webhook" }, "webhook/public address", CheckFail, "refused"},
		{"no public address", func(c *config.Config) { c.Orders.Webhook.PublicURL = "" }, "webhook/public address", CheckWarn, "not set"},
		{"nobody is told", func(c *config.Config) { c.Alerts = nil }, "alerts/targets", CheckWarn, "nobody"},
		{"secret for everybody", func(c *config.Config) { c.SFTP.KeyPassphrase = secretOf(t, "file:"+open) }, "config/sftp.key_passphrase", CheckWarn, "everybody"},
		{"secret that is not there", func(c *config.Config) { c.SFTP.KeyPassphrase = secretOf(t, "env:CLINIC_NONE") }, "config/sftp.key_passphrase", CheckSkipped, "CLINIC_NONE"},
		{"config with a mistake", func(c *config.Config) { c.SFTP.Prefix = "x1" }, "config/file", CheckFail, "sftp.prefix"},
	} {
		t.Run(one.what, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.Contains(one.what, "everybody") {
				t.Skip("Windows' rights are lists")
			}
			if one.what == "secret that is not there" {
				t.Setenv("CLINIC_NONE", "there while the config is read")
			}
			found := c.examine(func(cfg *config.Config) {
				one.change(cfg)
				_ = os.Unsetenv("CLINIC_NONE")
			})[one.name]
			if found.State != one.state || !strings.Contains(found.Text, one.says) {
				t.Errorf("%s: %+v, want %s with %q", one.name, found, one.state, one.says)
			}
		})
	}
}

// TestDoctorTriesARefusedLoginOnce has a wrong password: it is offered once, and by nobody again.
func TestDoctorTriesARefusedLoginOnce(t *testing.T) {
	c := newClinic(t)
	c.file("password", "wrong")
	before := c.platform.Faults().LoginAttempts()
	for _, want := range []string{"credentials", "not asked"} {
		if found := c.examine(nil)["sftp/server"]; found.State != CheckFail || !strings.Contains(found.Text, want) {
			t.Errorf("%+v, want %q", found, want)
		}
	}
	if n := c.platform.Faults().LoginAttempts() - before; n != 1 {
		t.Errorf("it was offered %d times", n)
	}
}

func (c clinic) file(name, text string) { c.writeFile(name, text) }

// TestDoctorEndsWhereNobodyAnswers has a server that takes calls and says nothing.
func TestDoctorEndsWhereNobodyAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for half a minute")
	}
	c := newClinic(t)
	c.platform.Faults().Silent(true)
	if found := c.examine(nil)["sftp/server"]; found.State != CheckFail {
		t.Errorf("%+v", found)
	}
}

// TestDoctorOfAStateThatIsDamaged stops the house and damages its database, makes it one of another version, and takes it away.
func TestDoctorOfAStateThatIsDamaged(t *testing.T) {
	c := newClinic(t)
	c.put("precios.csv", liveExport)
	c.awaitEvent(EventRead, 1)
	c.stop()
	if found := c.examine(nil)["state/daemon"]; found.State != CheckWarn {
		t.Errorf("of a daemon that does not run: %+v", found)
	}
	whole, err := os.ReadFile(filepath.Join(c.cfg.State.Dir, "gondola.db"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(data []byte) {
		t.Helper()
		for _, more := range []string{"-wal", "-shm"} {
			_ = os.Remove(filepath.Join(c.cfg.State.Dir, "gondola.db"+more))
		}
		if err := os.WriteFile(filepath.Join(c.cfg.State.Dir, "gondola.db"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	damaged := slices.Clone(whole)
	for i := range 4096 {
		damaged[2*4096+i] = 0xa5 // the page of a table
	}
	write(damaged)
	found := c.examine(nil)
	if found["database/integrity"].State != CheckFail && found["database/schema"].State != CheckFail {
		t.Errorf("of a damaged database: %+v, %+v", found["database/integrity"], found["database/schema"])
	}
	newer := slices.Clone(whole)
	newer[63] = 200 // user_version
	write(newer)
	if found := c.examine(nil)["database/schema"]; found.State != CheckFail || !strings.Contains(found.Text, "version 200") {
		t.Errorf("of a newer database: %+v", found)
	}
	if err := os.RemoveAll(c.cfg.State.Dir); err != nil {
		t.Fatal(err)
	}
	if found := c.examine(nil); found["database/schema"].State != CheckSkipped || found["state/folder"].State != CheckSkipped {
		t.Errorf("of no state: %+v", found)
	}
	if _, err := os.Stat(c.cfg.State.Dir); !os.IsNotExist(err) {
		t.Error("it made a state")
	}
}

// TestExaminationsThatHang has a look that hears of no context, as one on a dead share: the others are there all the same.
func TestExaminationsThatHang(t *testing.T) {
	free := make(chan struct{})
	defer close(free)
	ctx, cancel := context.WithCancel(t.Context())
	list := []examination{
		{groupFolders, "dead", checkWithin, func(context.Context) []Checkup { <-free; return nil }},
		{groupSFTP, "well", checkWithin, func(context.Context) []Checkup {
			defer cancel()
			return []Checkup{{groupSFTP, "well", CheckOK, "", ""}}
		}},
	}
	begin := time.Now()
	all := examineAll(ctx, list)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if len(all) != 2 || all[0].State != CheckFail || all[0].Text != "no answer" || all[1].Name != "well" {
		t.Errorf("found: %+v", all)
	}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	var port int
	if _, err := fmt.Sscanf(address[strings.LastIndex(address, ":")+1:], "%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}
