package certificate

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair returns a certificate with a serial number, and its key, as PEM.
func pair(t *testing.T, serial int64) (certificate, key []byte) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// TestPair renews a certificate, spoils it, takes it away, and mends it; what is wrong is told once.
func TestPair(t *testing.T) {
	dir := t.TempDir()
	path, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	stamp := time.Now().Add(-time.Hour)
	write := func(certificate, private []byte) {
		t.Helper()
		stamp = stamp.Add(time.Second)
		for name, text := range map[string][]byte{path: certificate, key: private} {
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(name, stamp, stamp); err != nil {
				t.Fatal(err)
			}
		}
	}
	var told []string
	if _, err := Open(path, key, nil); err == nil || !strings.Contains(err.Error(), "cert.pem") {
		t.Errorf("without files: %v", err)
	}
	write(pair(t, 1))
	p, err := Open(path, key, func(problem string) { told = append(told, problem) })
	if err != nil {
		t.Fatal(err)
	}
	expect := func(serial int64, want ...string) {
		t.Helper()
		for range 2 {
			c, err := p.Certificate(nil)
			if err != nil || c.Leaf.SerialNumber.Int64() != serial {
				t.Fatalf("shows %v (%v), want %d", c.Leaf.SerialNumber, err, serial)
			}
		}
		if len(told) != len(want) {
			t.Fatalf("told %q, want %q", told, want)
		}
		for i := range want {
			if want[i] == "" && told[i] != "" || !strings.Contains(told[i], want[i]) {
				t.Errorf("told %q, want %q", told, want)
			}
		}
		told = nil
	}
	expect(1)
	write(pair(t, 2))
	expect(2)
	third, thirdKey := pair(t, 3)
	write(third, []byte("nonsense"))
	expect(2, "the old one goes on")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	expect(2, "key.pem")
	write(third, thirdKey)
	expect(3, "")
	write(pair(t, 4))
	expect(4)
}
