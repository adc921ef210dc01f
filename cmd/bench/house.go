package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// chain is whose events the program takes: those of another one are put aside.
const chain = "7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3"

// house is a folder with a config in which the real program works.
type house struct {
	dir    string
	stores int    // 0 = one
	hook   string // address of the listener for events; "" = none
	sshd   *sshd  // nil = a server that nobody reaches
}

func (h house) config() string { return filepath.Join(h.dir, "config.yaml") }

// drop returns the drop folder.
func (h house) drop() string { return filepath.Join(h.dir, "drop") }

// log returns where the program's log goes.
func (h house) log() io.Writer {
	f, err := os.Create(filepath.Join(h.dir, "log"))
	if err != nil {
		return io.Discard
	}
	return f
}

// write writes the config and makes the folders.
func (h house) write() error {
	var vendors strings.Builder
	for i := range max(h.stores, 1) {
		fmt.Fprintf(&vendors, "  - {id: \"%d\", name: Delta %d, erp_code: \"%03d\"}\n", 290_000+i, i+1, i+1)
	}
	server := `{host: 127.0.0.1, port: 1, user: nobody, password: "env:GONDOLA_BENCH", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}`
	if h.sshd != nil {
		pin, err := fingerprint(filepath.Join(h.sshd.dir, "host.pub"))
		if err != nil {
			return err
		}
		_, port, _ := strings.Cut(h.sshd.addr, ":")
		server = fmt.Sprintf("{host: 127.0.0.1, port: %s, user: %s, key: %q, host_keys: [%q]}", port, h.sshd.user, "file:"+filepath.Join(h.sshd.dir, "client"), pin)
	}
	text := fmt.Sprintf(`chain: {id: %s, time_zone: America/Montevideo, price_decimals: 2}
vendors:
%sstate: {dir: state, min_free: 1MB}
sftp: %s
feeds:
  - name: precios
    drop: drop
    export: full
    vendor: {column: Sucursal}
    columns: {sku: Artículo, barcode: EAN, price: Precio c/IVA, quantity: Stock, active: Activo}
send: {catalog: {schedule: "0 3 * * *", full: "off"}, promotions: {full: "off"}}
`, chain, vendors.String(), server)
	if h.hook != "" {
		text += fmt.Sprintf("orders: {webhook: {listen: %q, secrets: [\"env:GONDOLA_BENCH\"]}}\n", h.hook)
	}
	return errors.Join(os.Setenv("GONDOLA_BENCH", hookSecret), os.MkdirAll(h.drop(), 0o755), os.WriteFile(h.config(), []byte(text), 0o600))
}
