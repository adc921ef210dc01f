package main

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// keyLine is a line of config within code: a path of keys, and perhaps what they are given.
var keyLine = regexp.MustCompile(`^([a-z_]+(?:\.[a-z_]+)*): (.+)$|^([a-z_]+(?:\.[a-z_]+)+)$`)

// fileName is what looks like a path of keys and is none.
var fileName = regexp.MustCompile(`\.(csv|env|hash|html|json|txt|xlsx|yaml)$`)

// small is the least that a config has; what a document says comes on top.
var small = map[string]string{
	"chain":   "chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}\n",
	"vendors": "vendors: [{id: \"290056\"}, {id: \"290057\"}]\n",
	"state":   "state:\n  dir: state\n",
	"sftp": "sftp:\n  host: sftp.example\n  user: gondola\n" +
		"  host_keys: [\"SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw\"]\n",
	"feeds": "feeds:\n  - name: precios\n    drop: drop/precios\n    vendor: all\n",
	"api":   "api:\n  tokens: {catalog: env:GONDOLA_TOKEN_CATALOG, promotions: env:GONDOLA_TOKEN_PROMOTIONS}\n  locale: es_UY\n",
}

// TestReadmeConfigLoads loads every block of YAML in the README with what a config needs besides, as check does, with its secrets and files.
func TestReadmeConfigLoads(t *testing.T) {
	dir := readmeFolder(t)
	found := blocks(readme(t), "yaml")
	if len(found) < 3 {
		t.Errorf("README.md has %d blocks of YAML: they are not found", len(found))
	}
	for _, block := range found {
		if err := loads(t, dir, block); err != nil {
			t.Errorf("README.md:\n%s\n%v", block, err)
		}
	}
	for _, block := range []string{"web: {listn: 127.0.0.1:8481}\n", "alerts: [{post: file:none.url}]\n", "web: {listen: 0.0.0.0:8481}\n"} {
		if loads(t, dir, block) == nil {
			t.Errorf("a wrong block was taken: %s", block)
		}
	}
}

// TestInitCommentsLoad loads what stands commented out in the config that init writes, to be switched on.
func TestInitCommentsLoad(t *testing.T) {
	dir := readmeFolder(t)
	code := regexp.MustCompile(`(?m)^#([a-z]+:.*|  - .*)$`)
	for name, text := range documents(t) {
		if filepath.Base(name) != defaultConfig {
			continue
		}
		var block string
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			block += m[1] + "\n"
		}
		if !strings.Contains(block, "alerts:") || !strings.Contains(block, "web:") {
			t.Errorf("%s: alerts and web are not there: %q", name, block)
		}
		if err := loads(t, dir, block); err != nil {
			t.Errorf("%s:\n%s\n%v", name, block, err)
		}
	}
}

// samplePlaces are the beginnings of blocks that samples in comments may go on.
var samplePlaces = []string{
	"alerts:\n", "api:\n", "web:\n  listen: 127.0.0.1:8481\n  users:\n",
	"feeds:\n  - name: precios\n    drop: drop/precios\n    vendor: {column: Local}\n    rules:\n      stores:\n",
	"feeds:\n  - name: precios\n    drop: drop/precios\n    vendor: all\n    rules:\n      price:\n",
}

// TestExampleCommentsLoad loads what comments of config.example.yaml show with "As in", each in its place.
func TestExampleCommentsLoad(t *testing.T) {
	dir := readmeFolder(t)
	samples := exampleSamples(documentText(t, "../../config.example.yaml"))
	if len(samples) < 4 {
		t.Errorf("%d samples in the comments of config.example.yaml: they are not found", len(samples))
	}
	for _, sample := range samples {
		var err error
		for _, head := range samplePlaces {
			if err = loads(t, dir, head+indented(sample, "          ")); err == nil {
				break
			}
		}
		if err != nil {
			t.Errorf("config.example.yaml: nowhere is it taken:\n%s%v", sample, err)
		}
	}
}

// TestReadmeKeysLoad tries every line of config in the midst of words: in README and example.
func TestReadmeKeysLoad(t *testing.T) {
	dir := readmeFolder(t)
	n := 0
	for _, name := range []string{"../../README.md", "../../config.example.yaml"} {
		for _, code := range spans(documentText(t, name)) {
			m := keyLine.FindStringSubmatch(code)
			if m == nil || fileName.MatchString(code) {
				continue
			}
			n++
			if err := keyLoads(t, dir, m[1]+m[3], m[2]); err != nil {
				t.Errorf("%s: `%s`: %v", name, code, err)
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d lines of config were found", n)
	}
	for _, wrong := range [][2]string{{"send.catalog.buy", ""}, {"send.catalog.by", "pigeon"}, {"listne", "127.0.0.1:8481"}, {"brakes.approval", ""}} {
		if keyLoads(t, dir, wrong[0], wrong[1]) == nil {
			t.Errorf("%s: %s was taken", wrong[0], wrong[1])
		}
	}
}

// keyLoads takes a key with its value in one of the places where the documents mean it; a key alone only has to be known.
func keyLoads(t *testing.T, dir, path, value string) error {
	t.Helper()
	var first error
	for _, parent := range []string{"", "sftp.", "web.", "orders.export.", "orders.webhook.", "feeds.", "chain."} {
		block, indent := "", ""
		for key := range strings.SplitSeq(parent+path, ".") {
			block += indent + key + ":\n"
			if indent += "  "; key == "feeds" {
				block, indent = block+"  - name: precios\n    drop: drop/precios\n    vendor: all\n    export: full\n", "    "
			}
		}
		block = strings.TrimSuffix(block, "\n") + " " + value + "\n"
		err := loads(t, dir, block)
		if err == nil || value == "" && !strings.Contains(err.Error(), "unknown key") {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// readmeFolder returns a folder with the files that the documents' configs name, and sets what they take from the environment.
func readmeFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"PING_URL", "SLACK_URL", "TELEGRAM_URL"} {
		t.Setenv("GONDOLA_"+name, "https://alerts.example/invented")
	}
	for _, name := range []string{"SFTP_PASSWORD", "MAIL_PASSWORD", "WEBHOOK_SECRET", "TOKEN_CATALOG", "TOKEN_PROMOTIONS", "TOKEN_ORDERS", "CLIENT_SECRET"} {
		t.Setenv("GONDOLA_"+name, "invented for the documents")
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.StartTLS()
	pair := server.TLS.Certificates[0]
	server.Close()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var hash strings.Builder
	if code := run(t.Context(), []string{"web", "password", "--bare"}, strings.NewReader("pan con membrillo\n"), &hash, os.Stderr); code != exitDone {
		t.Fatalf("web password: exit code %d", code)
	}
	for name, text := range map[string]string{
		"page.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})),
		"page.key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		"ana.hash": hash.String(), "alerts.url": "https://alerts.example/invented\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loads loads a block as check does, in a config that is whole: what the block has goes into the parts of the small one, or in their place
// where it is not told key by key.
func loads(t *testing.T, dir, block string) error {
	t.Helper()
	text := ""
	first := map[string]string{}
	for _, part := range regexp.MustCompile(`(?m)^[a-z_]+:`).FindAllStringIndex(block, -1) {
		first[block[part[0]:part[1]-1]] = block[part[0]:]
	}
	for key, part := range small {
		if below, in := first[key]; !in {
			text += part
		} else if rest, ok := strings.CutPrefix(below, key+":\n"); ok && (key == "sftp" || key == "state") {
			block = strings.Replace(block, below, strings.TrimSuffix(part, "\n")+"\n"+rest, 1)
		}
	}
	if !strings.Contains(block, "password: file:/etc") && !strings.Contains(block, "password: systemd:") {
		text = strings.Replace(text, "  user: gondola\n", "  user: gondola\n  password: env:GONDOLA_SFTP_PASSWORD\n", 1)
	}
	if strings.Contains(block, "format: single") { // which not every brand reads
		text = strings.Replace(text, "chain: {", "chain: {brand: foodpanda, ", 1)
	}
	path := filepath.Join(dir, defaultConfig)
	if err := os.WriteFile(path, []byte(text+block), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	for _, p := range daemon.Check(cfg) {
		if !p.Warning {
			return p
		}
	}
	return nil
}

// exampleSamples returns what comments show after "As in" or "For instance", on the lines behind it that are further in.
func exampleSamples(text string) []string {
	var found []string
	comment, open := regexp.MustCompile(`^\s*#( *)(.*)$`), false
	for line := range strings.Lines(text) {
		m := comment.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		switch {
		case m == nil:
			open = false
		case open && len(m[1]) >= 3:
			found[len(found)-1] += m[1][3:] + m[2] + "\n"
		default:
			if open = strings.HasSuffix(m[2], "As in") || strings.HasSuffix(m[2], "For instance"); open {
				found = append(found, "")
			}
		}
	}
	return found
}

func indented(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by) + "\n"
}
