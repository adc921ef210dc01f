package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInspectedLinesAreConfig pastes the lines that inspect ends with into a config, and has the same export read with it: every
// column must be the config's then, whatever its header looks like to YAML.
func TestInspectedLinesAreConfig(t *testing.T) {
	for _, header := range []string{
		"Código;Precio;Stock;Sucursal",
		"Cód. Artículo;Precio c/IVA;Cant.;Local",
		"SKU;Precio: final, #;[Stock];'Tienda'",
		`C&o&d;"""Precio"" {final}";- Stock;# Tienda`,
		"\"Código\nartículo\";Precio\t(final)!;*Stock*;Tienda:",
		"? Código;@Precio@;Qty on hand;> Store",
	} {
		dir := t.TempDir()
		export, path := filepath.Join(dir, "export.csv"), filepath.Join(dir, "config.yaml")
		write(t, export, header+"\nA-1;1.234,50;3,5;001\nA-2;10,00;7;001\n")
		bare := inspectJSON(t, export)
		if bare.Refused || len(bare.Columns) != 4 {
			t.Fatalf("%q: not understood: %+v", header, bare)
		}
		lines := strings.ReplaceAll(strings.TrimSuffix(bare.Config, "\n"), "\n", "\n    ")
		write(t, path, `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056", erp_code: "001"}]
sftp: {host: sftp.example, user: x, password: env:NOT_THERE, host_keys: ["SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw"]}
feeds:
  - name: precios
    drop: drop
    `+lines+"\n")
		fed := inspectJSON(t, "--config", path, "--feed", "precios", export)
		if fed.Refused || fed.Config != "" || fed.Rows != bare.Rows || fed.Records != bare.Records {
			t.Errorf("%q: understood otherwise with its own lines\n%s\n%+v", header, lines, fed)
		}
		for i, c := range fed.Columns {
			if was := bare.Columns[i]; c.FoundBy != "config" || was.FoundBy != "name" || c.Role != was.Role || c.Decimal != was.Decimal {
				t.Errorf("%q: column %+v, without config %+v", header, c, was)
			}
		}
	}
}

// inspectJSON runs inspect and returns what it prints.
func inspectJSON(t *testing.T, args ...string) inspected {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), append([]string{"inspect", "--json"}, args...), nil, &stdout, &stderr)
	if code != exitDone && code != exitData {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	var got inspected
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Refused != (code == exitData) {
		t.Errorf("exit code %d, refused %v", code, got.Refused)
	}
	return got
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
