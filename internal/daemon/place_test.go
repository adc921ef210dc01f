package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/config"
)

// The same export becomes the same documents, byte by byte, in whatever zone and language the machine runs.
func TestDocumentsAreTheSameEverywhere(t *testing.T) {
	here := time.Local
	defer func() { time.Local = here }()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 4, 4, 23, 30, 0, 0, time.UTC) // the night in which clocks go back in Chile
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const feeds = `
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Santiago}
vendors: [{id: "1", name: Uno, erp_code: "001"}, {id: "2", name: Dos, erp_code: "002", time_zone: Pacific/Easter}]
sftp: {host: sandbox, user: gondola, password: "file:secret", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds:
  - {name: catalogo, drop: drop/catalogo, export: full, vendor: {column: Sucursal}}
  - {name: promos, kind: promotions, drop: drop/promos, export: full, vendor: {column: Sucursal}}
`
	write("secret", "x")
	path := write("config.yaml", feeds)
	exports := map[string]string{
		"catalogo": write("precios.csv", "Sucursal;Código;Precio;Stock\n001;Ñ1;1.234,50;7\n002;ı2;12,00;3\n001;i3;10,00;0\n"),
		"promos": write("promos.csv", "Sucursal;Código;Campaña;Oferta;Precio oferta;Desde;Hasta\n001;Ñ1;Añada;3x2;;05/09/2099;25/09/2099\n"+
			"002;I2;Fin;;99,90;2099-09-05 23:30;2099-12-31 00:30\n"),
	}
	want := map[string]string{}
	for i, place := range []string{"UTC", "America/Santiago", "Asia/Kathmandu", "Pacific/Kiritimati"} {
		zone, err := time.LoadLocation(place)
		if err != nil {
			t.Fatal(err)
		}
		time.Local = zone
		for name, value := range map[string]string{"TZ": place, "LANG": []string{"C", "es_CL.UTF-8", "tr_TR.UTF-8", "ar_EG"}[i]} {
			t.Setenv(name, value)
		}
		got := map[string]string{}
		for feed, export := range exports {
			cfg, err := config.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			out := t.TempDir()
			result, err := Convert(t.Context(), cfg, feed, export, out)
			if err != nil || result.Rejected || len(result.Documents) != 2 {
				t.Fatalf("%s: %+v, %v", feed, result, err)
			}
			for _, d := range result.Documents {
				text, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(d.Folder), d.Name))
				if err != nil {
					t.Fatal(err)
				}
				got[d.Folder+"/"+d.Name] = string(text)
			}
			for _, is := range result.Issues {
				got[feed+" issues"] += is.Text + "\n"
			}
		}
		if i == 0 {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in %s (-UTC +there):\n%s", place, diff)
		}
	}
}
