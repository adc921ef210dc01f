package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// pair is where a certificate for this machine and its key lie.
type pair struct {
	certificate, key string
	stamp            time.Time
}

// newPair writes a certificate.
func newPair(t *testing.T, name string) *pair {
	dir := t.TempDir()
	p := &pair{filepath.Join(dir, "page.pem"), filepath.Join(dir, "page.key"), time.Now().Add(-time.Hour)}
	p.write(t, name)
	return p
}

// write puts another one there.
func (p *pair) write(t *testing.T, name string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	p.put(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// spoil puts nonsense there.
func (p *pair) spoil(t *testing.T) {
	t.Helper()
	p.put(t, []byte("nonsense"), []byte("nonsense"))
}

func (p *pair) put(t *testing.T, certificate, key []byte) {
	t.Helper()
	p.stamp = p.stamp.Add(time.Second)
	for path, text := range map[string][]byte{p.certificate: certificate, p.key: key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, p.stamp, p.stamp); err != nil {
			t.Fatal(err)
		}
	}
}
