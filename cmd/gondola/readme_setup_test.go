package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestReadmeSetUp runs the README's block about setting up, line by line, against the simulated platform: what init would ask is said by
// flags, and run is ended once it works. Only what installs the program is left out.
func TestReadmeSetUp(t *testing.T) {
	block := blockWith(t, "gondola init /srv/gondola")
	script := "platform --articles platform.json --scan 100ms\nmkdir srv\n"
	ran := 0
	for line := range strings.Lines(block) {
		line = strings.NewReplacer("/srv/gondola", "$WORK/srv/gondola", "/tmp/try", "$WORK/try").Replace(strings.TrimSpace(line))
		args := arguments(line)
		switch {
		case strings.HasPrefix(line, "make build"):
			continue
		case len(args) > 0 && args[0] == "init":
			script += "exec " + line + " --user gondola --chain-id 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3 --time-zone America/Montevideo" +
				" --store 290056,Centro,001 --host $HOST --port $PORT --host-key $HOSTKEY --password-env PASSWORD\n"
		case len(args) == 1 && args[0] == "run":
			script += "exec " + line + " &daemon&\nuntil '\"running\": true' gondola status --json\nkill -INT daemon\nwait daemon\n"
		case len(args) > 0:
			script += "exec " + line + "\n"
		default: // cd and cp are the script's, too
			script += line + "\n"
		}
		ran++
	}
	if ran < 6 {
		t.Errorf("only %d lines of the block run", ran)
	}
	script += "exists $PLATFORM/catalog/gondola_290056.csv drop/catalogo/LEEME.html drop/promociones/LEEME.html $WORK/try/catalog/gondola_290056.csv\n" +
		"exists drop/catalogo/catalogo.xlsx.respuesta.txt\nnoplatform\n" +
		"-- platform.json --\n{\"sales_buffer\": 0, \"vendors\": {\"290056\": [{\"sku\": \"EJEMPLO-1\", \"price\": \"1\", \"active\": true}]}}\n"
	runScript(t, script)
}

// TestReadmeSandbox runs the README's block about the simulated platform, at ports that are free.
func TestReadmeSandbox(t *testing.T) {
	block := blockWith(t, "gondola sandbox --dir")
	page := freeAddress(t)
	block = strings.NewReplacer("127.0.0.1:8482", page, "127.0.0.1:8480", freeAddress(t), "/tmp/platform", "$WORK/platform", "--for 1m", "--for 1s").Replace(block)
	script := ""
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		if script == "" {
			script = "exec " + line + " &platform&\n"
			continue
		}
		script += "until 'orders' " + line + "\n"
	}
	runScript(t, script+"kill -INT platform\nwait platform\n"+
		"-- platform.json --\n{\"vendors\": {\"290056\": [{\"sku\": \"A-1\", \"price\": \"1\", \"active\": true}]}}\n")
}

// blockWith returns the README's shell block in which a line stands.
func blockWith(t *testing.T, text string) string {
	t.Helper()
	for _, block := range blocks(readme(t), "console") {
		if strings.Contains(block, text) {
			return block
		}
	}
	t.Fatalf("README.md has no block with %q", text)
	return ""
}

func runScript(t *testing.T, script string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "readme.txt")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	p := scriptParams(t)
	p.Dir, p.Files = "", []string{path}
	testscript.Run(t, p)
}
