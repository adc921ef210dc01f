package feed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

func TestReadStores(t *testing.T) {
	want := []catalog.Vendor{{ID: "290056", Name: "Centro", ERPCode: "001"}, {ID: "s8ym", Name: "Cordón", ERPCode: "003"}}
	for _, tt := range []struct {
		name, text string
		want       []catalog.Vendor
		trouble    string
	}{
		{name: "headers", text: "id,name,erp_code\n290056,Centro,001\ns8ym,Cordón,003\n", want: want},
		{name: "in Spanish, in another order", text: "Sucursal;Código interno;ID plataforma\nCentro;001;290056\n;;\nCordón;003;s8ym\n", want: want},
		{name: "in Portuguese, with more columns", text: "Cidade\tLoja\tID da loja\tCódigo da loja\nRio\tCentro\t290056\t001\nRio\tCordón\ts8ym\t003\n", want: want},
		{name: "below a title", text: "Tiendas de muestra\n\nVendor ID,Nombre,Código ERP\n290056,Centro,001\ns8ym,Cordón,003\n", want: want},
		{name: "without headers", text: "290056;Centro;001\ns8ym;Cordón;003\n", want: want},
		{
			name: "codes alone", text: "290056\n290057\n",
			want: []catalog.Vendor{{ID: "290056"}, {ID: "290057"}},
		},
		{
			name: "one code, and so the platform's", text: "Código;Nombre\n290056;Centro\n",
			want: []catalog.Vendor{{ID: "290056", Name: "Centro"}},
		},
		{name: "rows without id", text: "id;name\n;Centro\n", trouble: "no list found; give the columns the headers"},
		{name: "a price list", text: "Artículo;Descripción;Importe;Otro\nPan;Pan;1,50;x\n", trouble: "no list found"},
		{name: "empty", text: "", trouble: "read stores: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stores.csv")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := ReadStores(path)
			if tt.trouble != "" {
				if err == nil || !strings.Contains(err.Error(), tt.trouble) {
					t.Errorf("%v, %v; want trouble %q", got, err, tt.trouble)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if _, err := ReadStores(filepath.Join(t.TempDir(), "none.csv")); err == nil {
		t.Error("a file that is not there was read")
	}
}

// FuzzReadStores gives it foreign bytes: it must neither panic nor return a store without an id.
func FuzzReadStores(f *testing.F) {
	f.Add([]byte("id;name;erp_code\n1;a;b\n"))
	f.Add([]byte("\xff\xfe1\x00;\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "stores.csv")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		stores, err := ReadStores(path)
		for _, s := range stores {
			if s.ID == "" {
				t.Errorf("a store without an id: %+v, %v", s, err)
			}
		}
		if err == nil && len(stores) == 0 {
			t.Error("neither stores nor an error")
		}
	})
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"Lista de Precios (2026)": "lista-de-precios-2026", "ÑANDÚ": "nandu", "   ": "", "价格": "", "stock_": "stock", "50% off": "50-off",
	} {
		if got := Plain(text); got != want {
			t.Errorf("Plain(%q) = %q, want %q", text, got, want)
		}
	}
}
