package inbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair is a certificate for this machine with its key, as PEM.
func pair(t *testing.T, name string) (certificate, key []byte) {
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
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// TestCertificate changes the certificate while the server runs, to a good one, to nonsense, and back.
func TestCertificate(t *testing.T) {
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
	write(pair(t, "first"))
	v := newServed(t, Config{Certificate: path, Key: key})
	v.url = strings.Replace(v.url, "http:", "https:", 1)
	name := func() string {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		defer client.CloseIdleConnections()
		req, err := http.NewRequest(http.MethodPost, v.url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", testSecret)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%d", res.StatusCode)
		}
		return res.TLS.PeerCertificates[0].Subject.CommonName
	}
	expect := func(want string, told ...string) {
		t.Helper()
		if got := name(); got != want {
			t.Errorf("the certificate is %s, want %s", got, want)
		}
		got := v.told()
		if len(got) != len(told) {
			t.Errorf("told: %q", got)
			return
		}
		for i := range got {
			if !strings.Contains(got[i], told[i]) {
				t.Errorf("told: %q, want %q", got, told)
			}
		}
	}
	expect("first")
	write(pair(t, "second"))
	expect("second")
	third, thirdKey := pair(t, "third")
	write(third, []byte("nonsense"))
	expect("second", "the old one goes on")
	expect("second", "the old one goes on")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	expect("second", "the old one goes on", "no such file")
	write(third, thirdKey)
	expect("third", "the old one goes on", "no such file", "certificate: ")

	if _, err := New(Config{Listen: "127.0.0.1:0", Secrets: v.c.Secrets, Certificate: path, Key: path}); err == nil {
		t.Error("a certificate without its key is taken")
	}
}

func newPool(t *testing.T, certificate []byte) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificate) {
		t.Fatal("no certificate")
	}
	return pool
}
