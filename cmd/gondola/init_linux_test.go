package main

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gondola/internal/config"
	"gondola/internal/sandbox"
)

// What the invented chain of these tests has at the platform.
const (
	initUser     = "PY_UY_7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3"
	initPassword = "invented: for the interview"
)

// newInitPlatform runs a simulated platform and returns how it is reached.
func newInitPlatform(t *testing.T) (s *sandbox.Sandbox, host, port string) {
	t.Helper()
	s, err := sandbox.Start(t.Context(), sandbox.Options{
		Dir: filepath.Join(t.TempDir(), "platform"), SFTPListen: sandbox.DefaultListen, HTTPListen: sandbox.DefaultListen,
		User: initUser, Password: initPassword, ScanEvery: time.Hour, Fate: sandbox.Keep,
		Vendors: []sandbox.Vendor{{ID: "290056", Name: "Centro"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	address, n := s.SFTPAddr()
	return s, address, strconv.Itoa(n)
}

// TestInitInterview goes the whole way, from a folder that does not exist to a document on the platform, with a wrong answer to nearly every
// question: the server on another port, the wrong fingerprint, the wrong password.
func TestInitInterview(t *testing.T) {
	platform, host, port := newInitPlatform(t)
	dir := t.TempDir()
	export := "Sucursal;Código;Precio;Existencia dep.;Detalle\n001;A1;1.234;7;Pan\n001;A2;990;0;Leche\n002;A1;25;3;Pan\n"
	if err := os.WriteFile(filepath.Join(dir, "lista_2026-11-21.csv"), []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}
	x := newTerminal(t, dir, nil, "init")
	x.answer("Folder to make", "lista_2026-11-21.csv")
	x.answer("is a file; give init a folder", "shop")
	x.answer("Number [1]: ", "fr")
	x.answer(`"fr" is none of them`, "es")
	x.answer("The platform's brand", "")
	x.answer("SFTP user: ", "")
	x.answer("this is needed", initUser)
	x.answer("Chain id, a UUID [7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3]: ", "7d3f9b52")
	x.answer(`not a UUID: "7d3f9b52"`, "")
	x.answer("Time zone of the stores [America/Montevideo]: ", "Montevideo")
	x.answer("write an IANA name such as America/Montevideo", "")
	x.answer("Decimals of prices, 0 where the currency has none [2]: ", "9")
	x.answer("write a number from 0 to 3", "")
	// Pasted in one go; one of the lines is wrong, and says so.
	x.answer("Store 1: ", "290056;Centro;001\r290 057;Puerto;002\r290057;Puerto\r")
	x.expect(`not a store's code: "290 057"`)
	x.answer("SFTP server [vendor-automation-sftp-live-us.prod.aws.qcommerce.live]: ", host)
	x.answer("Where will it be?", "")
	x.answer("Password (does not show): ", "not this one")
	x.answer("Connect to the server now", "")
	// Nothing listens on port 22 of a test machine that has SSH, or its server is no platform of ours: both are told.
	x.f22(host, port)
	x.answer("Fingerprint or number: ", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	x.answer("this may be another server, or the wrong fingerprint", platform.HostKey())
	x.expect("Pinned: " + platform.HostKey())
	x.expect("refused user")
	x.answer("Number [1]: ", "password")
	x.answer("Password (does not show): ", initPassword)
	x.expect("The login works; nothing is in its folder yet.")
	x.answer("Path of an export", "none.csv")
	x.answer("no such file", "lista_2026-11-21.csv")
	x.expect("read as a catalogue")
	x.answer("Column with the barcode", "")
	x.answer("Column with the stock", "4")
	x.expect("How is it written?")
	x.answer("Number [1]: ", "comma")
	x.answer("Enter takes it so", "price=9")
	x.answer(`the export has no column "9"`, "")
	x.expect("The export has codes of no store: 002")
	x.answer("Which of them is 290057 Puerto?", "003")
	x.answer(`"003" is none of them`, "002")
	x.answer("every article of its stores?", "full")
	x.expect("go into drop/lista")
	x.answer("Path of an export", "")
	x.answer("Write the config of 2 stores", "")
	x.expect("The config is fine: 2 stores, 2 feeds.")
	x.expect("gondola once --config shop/config.yaml")
	if code := x.end(); code != exitDone {
		t.Fatalf("exit code %d:\n%s", code, x.text())
	}
	if strings.Contains(x.text(), initPassword) || strings.Contains(x.text(), "not this one") {
		t.Error("a password shows on the terminal")
	}
	t.Log(x.text())
	initThrough(t, platform, dir)
}

// initThrough looks at what the interview wrote, and sends an export by it.
func initThrough(t *testing.T, platform *sandbox.Sandbox, dir string) {
	t.Helper()
	shop := filepath.Join(dir, "shop")
	info, err := os.Stat(filepath.Join(shop, "password"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info, err)
	}
	text, err := os.ReadFile(filepath.Join(shop, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), initPassword) || !strings.HasPrefix(string(text), config.SchemaLine+"\n") {
		t.Errorf("the config:\n%s", text)
	}
	sample := filepath.Join(dir, "lista_2026-11-21.csv")
	cfg := filepath.Join(shop, "config.yaml")
	for _, args := range [][]string{
		{"check", "--config", cfg},
		{"inspect", "--config", cfg, "--feed", "lista", sample},
		{"convert", "--config", cfg, "--feed", "lista", "--out", filepath.Join(dir, "out"), sample},
	} {
		mustRun(t, args...)
	}
	data, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shop, "drop", "lista", "lista.csv"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "once", "--config", cfg)
	got, err := os.ReadFile(filepath.Join(platform.Home(), "catalog", "gondola_290056.csv"))
	if want := "sku,price,quantity\nA1,1234.00,7\nA2,990.00,0\n"; err != nil || string(got) != want {
		t.Errorf("on the platform lies %q, %v; want %q", got, err, want)
	}
	initGuideIsTrue(t, shop, cfg)
}

// guideName is a file or folder that the page for staff names.
var guideName = regexp.MustCompile(`<b class="name">([^<]*)</b>`)

// initGuideIsTrue drops what staff may drop, good and bad, and looks for every file and folder that their page names.
func initGuideIsTrue(t *testing.T, shop, cfg string) {
	t.Helper()
	drop := filepath.Join(shop, "drop", "lista")
	page, err := os.ReadFile(filepath.Join(drop, "LEEME.html"))
	if err != nil {
		t.Fatal(err)
	}
	const sample = "lista_2026-11-21.csv"
	for name, text := range map[string]string{
		sample:     "Sucursal;Código;Precio;Existencia dep.;Detalle\n001;A1;gratis;7;Pan\n001;A2;991;0;Leche\n002;A1;25;3;Pan\n",
		"nada.csv": "esto no es una lista\n",
	} {
		if err := os.WriteFile(filepath.Join(drop, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, complaints strings.Builder
	if code := run(t.Context(), []string{"once", "--config", cfg}, nil, &out, &complaints); code != exitData {
		t.Fatalf("exit code %d, want %d\n%s%s", code, exitData, out.String(), complaints.String())
	}
	names := guideName.FindAllStringSubmatch(string(page), -1)
	if len(names) < 8 {
		t.Errorf("the page names only %q", names)
	}
	for _, m := range names {
		name := html.UnescapeString(m[1])
		if name == sample {
			continue // it was taken
		}
		if rest, ok := strings.CutPrefix(name, ".respuesta"); ok {
			name = sample + ".respuesta" + rest
		}
		found := false
		for _, folder := range []string{drop, filepath.Join(drop, "respuestas"), shop} {
			info, err := os.Stat(filepath.Join(folder, name))
			found = found || err == nil && info.IsDir() == strings.HasSuffix(name, "/")
		}
		if !found {
			t.Errorf("the page names %q, which a drop does not make", name)
		}
	}
	answer, err := os.ReadFile(filepath.Join(drop, sample+".respuesta.txt"))
	if first := "RECIBIDO, CON OBSERVACIONES"; err != nil || !strings.Contains(string(page), first) || !strings.Contains(string(answer[:100]), first) {
		t.Errorf("the answer does not begin as the page says, %v:\n%s", err, answer)
	}
	if now, err := os.ReadFile(filepath.Join(drop, "LEEME.html")); err != nil || string(now) != string(page) {
		t.Errorf("the page was touched: %v", err)
	}
}

// mustRun runs a command line in this process; it must end well.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	var out, complaints strings.Builder
	if code := run(t.Context(), args, nil, &out, &complaints); code != exitDone {
		t.Fatalf("gondola %s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), complaints.String())
	}
	return out.String()
}

// f22 gets past the port that the sandbox does not have: whatever answers at 22 here, or nothing does.
func (x *terminal) f22(host, port string) {
	x.t.Helper()
	x.expect("Connecting to ")
	x.answer("What now?", "server")
	x.answer("SFTP server ["+host+"]: ", "sftp://"+host)
	x.answer("want the host's name alone", "")
	x.answer("Port [22]: ", "70000")
	x.answer("want 1 to 65535", port)
}

// TestInitBrokenOff leaves in the middle, by each of the keys that do so, and by a signal: nothing is left behind, and the terminal is as it
// was.
func TestInitBrokenOff(t *testing.T) {
	for name, leave := range map[string]func(x *terminal){
		"Ctrl-C":       func(x *terminal) { x.send("\x03") },
		"Ctrl-D":       func(x *terminal) { x.send("\x04") },
		"a signal":     func(x *terminal) { _ = x.cmd.Process.Signal(syscall.SIGTERM) },
		"no to all":    nil,
		"the password": nil,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x := newTerminal(t, dir, nil, "init", "shop", "--language", "es", "--brand", "pedidosya", "--user", initUser, "--chain-id",
				"7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3", "--time-zone", "UTC", "--price-decimals", "2", "--host", "127.0.0.1", "--offline")
			x.answer("Store 1: ", "290056;Centro;001\r")
			x.expect("Where will it be?")
			switch name {
			case "no to all":
				x.answer("Number [1]: ", "environment")
				x.answer("Name of the variable [GONDOLA_SFTP_PASSWORD]: ", "")
				x.answer("Path of an export", "")
				x.answer("with the server's key left to be filled in? [Y/n]: ", "n")
			case "the password":
				x.answer("Number [1]: ", "1")
				x.expect("Password (does not show): ")
				x.send("half of it\x03")
			default:
				x.expect("Number [1]: ")
				leave(x)
			}
			x.expect("broken off: nothing was written")
			if code := x.end(); code != exitError {
				t.Errorf("exit code %d", code)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
			if strings.Contains(x.text(), "half of it") {
				t.Error("the password shows")
			}
			mode, err := unix.IoctlGetTermios(int(x.master.Fd()), unix.TCGETS)
			if err != nil || mode.Lflag&unix.ECHO == 0 || mode.Lflag&unix.ICANON == 0 {
				t.Errorf("the terminal stays raw: %+v, %v", mode, err)
			}
		})
	}
}

// TestInitGoesOnWithoutServer has nobody at the address: it is told, and the config is written with the key left open.
func TestInitGoesOnWithoutServer(t *testing.T) {
	dir := t.TempDir()
	x := newTerminal(t, dir, nil, "init", "shop", "--language", "pt", "--brand", "glovo", "--user", "delta", "--chain-id",
		"7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3", "--time-zone", "UTC", "--price-decimals", "0", "--port", "9", "--store", "a-1")
	x.answer("SFTP server: ", "")
	x.answer("this is needed", "127.0.0.1")
	x.answer("Where will it be?", "")
	x.answer("Password (does not show): ", "")
	x.answer("nothing was typed", initPassword)
	x.answer("Connect to the server now", "maybe")
	x.answer("write y or n", "y")
	x.answer("127.0.0.1:9 can't be reached", "1")
	x.answer("127.0.0.1:9 can't be reached", "later")
	x.answer("Path of an export", "")
	x.answer("with the server's key left to be filled in? [Y/n]: ", "")
	x.expect("sftp.host_keys[0]: still to be filled in")
	x.expect("gondola check --config shop/config.yaml")
	if code := x.end(); code != exitDone {
		t.Errorf("exit code %d:\n%s", code, x.text())
	}
	if _, err := os.Stat(filepath.Join(dir, "shop", "drop", "promocoes", "LEIAME.html")); err != nil {
		t.Error(err)
	}
}

// TestInitAnotherServer pins a key that another server has by the time of the login: nothing of the login is sent there.
func TestInitAnotherServer(t *testing.T) {
	platform, host, port := newInitPlatform(t)
	dir := t.TempDir()
	key := "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	x := newTerminal(t, dir, nil, "init", "shop", "--language", "en", "--brand", "pedidosya", "--user", initUser, "--host", host, "--port", port,
		"--chain-id", "7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3", "--time-zone", "UTC", "--price-decimals", "2", "--store", "290056,Centro",
		"--host-key", key)
	x.answer("Where will it be?", "file")
	x.answer("Password (does not show): ", initPassword)
	x.answer("Connect to the server now", "")
	x.expect("shows another host key than the one that you pinned")
	x.answer("Number [1]: ", "again")
	x.expect("shows another host key than the one that you pinned")
	x.answer("Number [1]: ", "key")
	x.answer("Fingerprint or number: ", "2")
	x.answer("is no fingerprint", "")
	x.expect("nothing of it goes to a server that nobody has confirmed")
	x.answer("Path of an export", "")
	x.answer("Write the config", "")
	if code := x.end(); code != exitDone {
		t.Errorf("exit code %d:\n%s", code, x.text())
	}
	for _, op := range platform.Operations() {
		t.Errorf("the other server was told %v", op)
	}
}
