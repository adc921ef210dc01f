package sandbox

import (
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// testOptions are a chain with two stores; the sandbox reads only when it is told to.
func testOptions(t testing.TB) Options {
	t.Helper()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return Options{
		Dir: t.TempDir(), User: "CHAIN_1", Password: "open sesame", Chain: "Almacenes Prueba",
		Vendors: []Vendor{
			{ID: "290056", Name: "Centro", Articles: []Article{
				{SKU: "B-2", Name: "Yerba", Price: "120", Active: true, SalesBuffer: 1},
				{SKU: "A-1", Barcode: "07790001", Name: "Arroz", Price: "10.50", Active: true, SalesBuffer: 3},
			}},
			{ID: "s8ym", Name: "Puerto", Articles: []Article{{SKU: "A-1", Barcode: "07790001", Price: "11", SalesBuffer: 1}}},
		},
		Now: func() time.Time { return at },
	}
}

// newTestSandbox starts a sandbox with a catalogue folder.
func newTestSandbox(t testing.TB, change func(*Options)) *Sandbox {
	t.Helper()
	o := testOptions(t)
	if change != nil {
		change(&o)
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := os.MkdirAll(filepath.Join(s.Home(), "catalog"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes a file into the sandbox's home, past the SFTP server.
func put(t testing.TB, s *Sandbox, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.Home(), name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// login opens an SSH connection, with the sandbox's password unless others are given.
func login(t testing.TB, s *Sandbox, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	t.Helper()
	if auth == nil {
		auth = []ssh.AuthMethod{ssh.Password("open sesame")}
	}
	host, port := s.SFTPAddr()
	c, err := ssh.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)), &ssh.ClientConfig{
		User: "CHAIN_1", Auth: auth,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if got, want := ssh.FingerprintSHA256(key), s.HostKey(); got != want {
				t.Errorf("host key is %s, HostKey says %s", got, want)
			}
			return nil
		},
	})
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// newTestClient opens an SFTP session on a connection of its own.
func newTestClient(t testing.TB, s *Sandbox, o ...sftp.ClientOption) *sftp.Client {
	t.Helper()
	conn, err := login(t, s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sftp.NewClient(conn, o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// send writes a file over SFTP as a careful client does: write-only, created, truncated.
func send(c *sftp.Client, name string, data []byte) error {
	f, err := c.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// eventually waits for something that another goroutine of the sandbox is about to do.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen in time: %s", what)
		}
	}
}

func TestShelfIsSortedAndCopied(t *testing.T) {
	s := newTestSandbox(t, nil)
	want := []Article{
		{SKU: "A-1", Barcode: "07790001", Name: "Arroz", Price: "10.5", Active: true, SalesBuffer: 3},
		{SKU: "B-2", Name: "Yerba", Price: "120", Active: true, SalesBuffer: 1},
	}
	got := s.Shelf("290056")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("shelf (-want +got):\n%s", diff)
	}
	got[0].Price = "1"
	if diff := cmp.Diff(want, s.Shelf("290056")); diff != "" {
		t.Errorf("changing the answer changed the shelf (-want +got):\n%s", diff)
	}
	if got := s.Shelf("nobody"); len(got) != 0 {
		t.Errorf("unknown store has articles: %v", got)
	}
}

func TestSetPrice(t *testing.T) {
	s := newTestSandbox(t, nil)
	if err := s.SetPrice("290056", "A-1", "9.90"); err != nil {
		t.Fatal(err)
	}
	if got := s.Shelf("290056")[0].Price; got != "9.9" {
		t.Errorf("price is %s, want 9.9", got)
	}
	for _, tt := range []struct{ vendor, sku, price string }{
		{"290056", "A-1", "9,90"}, {"290056", "nothing", "1"}, {"nobody", "A-1", "1"},
	} {
		if err := s.SetPrice(tt.vendor, tt.sku, tt.price); err == nil {
			t.Errorf("SetPrice(%q, %q, %q) was taken", tt.vendor, tt.sku, tt.price)
		}
	}
	if got := s.Shelf("290056")[0].Price; got != "9.9" {
		t.Errorf("refused prices changed the shelf to %s", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"no folder":      func(o *Options) { o.Dir = "" },
		"no login":       func(o *Options) { o.Password = "" },
		"fate":           func(o *Options) { o.Fate = "burn" },
		"authorized key": func(o *Options) { o.AuthorizedKeys = []string{"no key"} },
		"vendor twice":   func(o *Options) { o.Vendors = append(o.Vendors, o.Vendors[0]) },
		"sku twice":      func(o *Options) { o.Vendors[1].Articles = append(o.Vendors[1].Articles, o.Vendors[1].Articles[0]) },
		"price":          func(o *Options) { o.Vendors[1].Articles[0].Price = "11,0" },
		"sftp address":   func(o *Options) { o.SFTPListen = "127.0.0.1:no" },
		"http address":   func(o *Options) { o.HTTPListen = "127.0.0.1:no" },
		"broken key":     func(o *Options) { _ = os.WriteFile(filepath.Join(o.Dir, keyFile), []byte("x"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t)
			spoil(&o)
			if s, err := Start(t.Context(), o); err == nil {
				_ = s.Close()
				t.Error("the options were taken")
			}
		})
	}
}

func TestRestartKeepsHostKeyAndFiles(t *testing.T) {
	o := testOptions(t)
	first, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	put(t, first, "gondola.csv", "x")
	key := first.HostKey()
	if err := first.SetPrice("290056", "A-1", "99"); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	second, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := second.HostKey(); got != key || !strings.HasPrefix(got, "SHA256:") {
		t.Errorf("host key is %s after a restart, was %s", got, key)
	}
	if got := second.Shelf("290056")[0].Price; got != "10.5" {
		t.Errorf("price is %s after a restart, want the one of the options", got)
	}
	if _, err := os.Stat(filepath.Join(second.Home(), "gondola.csv")); err != nil {
		t.Errorf("file after a restart: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLogins(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	_, strange, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ssh.NewSignerFromKey(strange)
	if err != nil {
		t.Fatal(err)
	}
	s := newTestSandbox(t, func(o *Options) {
		o.AuthorizedKeys = []string{string(ssh.MarshalAuthorizedKey(signer.PublicKey()))}
	})
	if _, err := login(t, s, ssh.PublicKeys(signer)); err != nil {
		t.Errorf("authorized key: %v", err)
	}
	if _, err := login(t, s, ssh.PublicKeys(stranger)); err == nil {
		t.Error("a stranger's key was taken")
	}
	if _, err := login(t, s); err != nil {
		t.Errorf("password: %v", err)
	}
	before := s.Faults().LoginAttempts()
	if _, err := login(t, s, ssh.Password("wrong")); err == nil {
		t.Error("a wrong password was taken")
	}
	if got := s.Faults().LoginAttempts() - before; got != 1 {
		t.Errorf("one wrong password counts as %d attempts", got)
	}
}

func TestScanEvery(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.ScanEvery = time.Millisecond })
	put(t, s, "catalog/gondola_290056.csv", "sku,price\nA-1,8\n")
	eventually(t, "the file is read", func() bool { return s.Shelf("290056")[0].Price == "8" })
}
