package feed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// exports are whole files with what they must come to. A case without records wants none, one without issues none.
var exports = []struct {
	name    string
	spec    Spec
	lines   []string
	records []string
	issues  []string
	refused bool
}{
	{
		name:  "every field",
		spec:  specFor(),
		lines: []string{"Código;EAN;Precio;Activo;Stock;Cant. máx.", "1001;95200019;1.234,50;S;12;6", "00123;;990;no;0;0"},
		records: []string{
			"2 A1 1001/95200019 price=1234.5 active=true quantity=12 max=6",
			"3 A1 00123/ price=990 active=false quantity=0",
		},
	},
	{
		name:    "a blank cell speaks in a full export only",
		spec:    specFor(full),
		lines:   []string{"sku;price;active;stock;max_sales_quantity", "1001;;;;", "1002;5;;;0"},
		records: []string{"2 A1 1001/ price blank active blank quantity blank max blank", "3 A1 1002/ price=5 active blank quantity blank max blank"},
	},
	{
		name:    "a blank cell in a partial export says nothing",
		spec:    specFor(),
		lines:   []string{"sku;price;active", "1001;;S"},
		records: []string{"2 A1 1001/ active=true"},
	},
	{
		name:    "the header below titles and a date",
		spec:    specFor(),
		lines:   []string{"Listado de precios;;", "al 21/11/2026;;", ";;", "Código;Descripción;Precio", "1001;Arroz;10"},
		records: []string{"5 A1 1001/ price=10"},
	},
	{
		name:    "the header again on every page, headings and remarks",
		spec:    specFor(byColumn),
		lines:   []string{"Sucursal;Código;Nombre;Precio", "001;1;a;10", ";;BEBIDAS;", "SUCURSAL;CÓDIGO;NOMBRE;PRECIO", "1;2;b;20", "Generado por el sistema;;;"},
		records: []string{"2 A1 1/ price=10", "5 A1 2/ price=20"},
	},
	{
		name:    "lines of totals",
		spec:    specFor(),
		lines:   []string{"Código;Precio", "1;10", "Total:;10", "TOTAL-5;20", "Subtotal;30", "TOTALES GENERALES;40", "Totalmente;7", ";"},
		records: []string{"2 A1 1/ price=10", "4 A1 TOTAL-5/ price=20", "7 A1 Totalmente/ price=7"},
		issues:  []string{"G-ROW-03 note 3  [Total:]", "G-ROW-03 note 5  [Subtotal]", "G-ROW-03 note 6  [TOTALES GENERALES]"},
	},
	{
		name:    "a total in another column counts only without an identifier",
		spec:    specFor(),
		lines:   []string{"Nombre;Código;Precio", "Total limpieza;5;10", "Suma;;30"},
		records: []string{"2 A1 5/ price=10"},
		issues:  []string{"G-ROW-03 note 3  [Suma]"},
	},
	{
		name:    "a wrong cell rejects the row, every wrong cell is told",
		spec:    specFor(full),
		lines:   []string{"sku;Precio;Activo;Stock", "1;consultar;quizás;muchos", "2;10;S;1"},
		records: []string{"2 A1 1/ rejected", "3 A1 2/ price=10 active=true quantity=1"},
		issues:  []string{"G-PRICE-01 error 2 Precio [consultar]", "G-ACTIVE-01 error 2 Activo [quizás]", "G-QTY-01 error 2 Stock [muchos]"},
	},
	{
		name:    "notes and warnings take the row",
		spec:    specFor(),
		lines:   []string{"sku;Precio;Stock", "1;10,505;-3", "2;10,5000;3,5 kg"},
		records: []string{"2 A1 1/ price=10.51 quantity=0", "3 A1 2/ price=10.5 quantity=3"},
		issues: []string{
			"G-PRICE-05 note 2 Precio [10,505|10.51]", "G-QTY-02 warning 2 Stock [-3]", "G-QTY-03 note 3 Stock [3,5 kg|3]",
		},
	},
	{
		name:    "a price of zero, and one that is a barcode",
		spec:    specFor(),
		lines:   []string{"sku;Precio", "1;0,00", "2;7790895000997", "3;1"},
		records: []string{"2 A1 1/ rejected", "3 A1 2/ rejected", "4 A1 3/ price=1"},
		issues:  []string{"G-PRICE-02 error 2 Precio [0,00]", "G-PRICE-04 error 3 Precio [7790895000997]"},
	},
	{
		name:    "keys that are not there or can't be",
		spec:    specFor(),
		lines:   []string{"sku;Precio", ";10", "1,23E+05;20", "ok;30", "#N/A;40", strings.Repeat("x", 101) + ";50"},
		records: []string{"4 A1 ok/ price=30"},
		issues: []string{
			"G-KEY-01 error 2 sku [sku]", "G-KEY-02 error 3 sku [1,23E+05]", "G-KEY-02 error 5 sku [#N/A]",
			"G-KEY-02 error 6 sku [" + strings.Repeat("x", 60) + "…]",
		},
	},
	{
		name:    "a bad barcode beside an SKU is dropped with a warning",
		spec:    specFor(),
		lines:   []string{"sku;EAN;Precio", "1;7,79E+12;10", "2;95200018;20", "3;12345678905;30", "4;12;40"},
		records: []string{"2 A1 1/ price=10", "3 A1 2/ price=20", "4 A1 3/012345678905 price=30", "5 A1 4/ price=40"},
		issues: []string{
			"G-BARCODE-02 warning 2 EAN [7,79E+12]", "G-BARCODE-01 warning 3 EAN [95200018]",
			"G-BARCODE-04 note 4 EAN [12345678905|012345678905]", "G-BARCODE-03 warning 5 EAN [12]",
		},
	},
	{
		name:    "a bad barcode as the key leaves the row without one",
		spec:    specFor(byBarcode),
		lines:   []string{"EAN;SKU;Precio", "7,79E+12;a;10", "95200018;b;20", "95200019;c;30", "0;d;40"},
		records: []string{"4 A1 c/95200019 price=30"},
		issues: []string{
			"G-BARCODE-02 error 2 EAN [7,79E+12]", "G-BARCODE-01 error 3 EAN [95200018]", "G-KEY-01 error 5 EAN [barcode]",
		},
	},
	{
		name:    "ragged rows",
		spec:    specFor(full),
		lines:   []string{"sku,nombre,price,active,obs", "1,a,10,1", "2,b,20", "3,c,,d,30,1,x", "4,d,40,1,,,"},
		records: []string{"2 A1 1/ price=10 active=true", "3 A1 2/ price=20 active blank", "4 A1 3/ rejected", "5 A1 4/ price=40 active=true"},
		issues:  []string{"G-ROW-01 warning 3  [3|5]", "G-ROW-02 error 4  [7|5]"},
	},
	{
		name:  "stores by code, id, name and number",
		spec:  specFor(byColumn),
		lines: []string{"Sucursal;sku;Precio", "001;1;10", "1;2;10", "B2;3;10", "estacion norte;4;10", `="010";5;10`, "009;6;10", ";7;10"},
		records: []string{
			"2 A1 1/ price=10", "3 A1 2/ price=10", "4 B2 3/ price=10", "5 B2 4/ price=10", "6 C3 5/ price=10",
		},
		issues: []string{"G-STORE-01 error 7 Sucursal [009]", "G-STORE-02 error 8 Sucursal []"},
	},
	{
		name:    "a full export without some stores",
		spec:    specFor(byColumn, full),
		lines:   []string{"Sucursal;sku;Precio", "002;1;10"},
		records: []string{"2 B2 1/ price=10"},
		issues:  []string{"G-STORE-04 warning 0  [A1|Centro]", "G-STORE-04 warning 0  [C3|Puerto]"},
	},
	{
		name:    "fixed stores each get the record",
		spec:    specFor(func(s *Spec) { s.Source = VendorSource{IDs: []string{"C3", "A1"}} }, full),
		lines:   []string{"sku;Precio", "1;10"},
		records: []string{"2 C3 1/ price=10", "2 A1 1/ price=10"},
	},
	{
		name:    "the whole chain",
		spec:    specFor(func(s *Spec) { s.Source = VendorSource{All: true} }, full),
		lines:   []string{"Sucursal;sku;Precio", "009;1;10"},
		records: []string{"2 * 1/ price=10"},
	},
	{
		name:    "the config names a column, and wins over words",
		spec:    specFor(withColumn(RolePrice, Column{From: "precio OFERTA"})),
		lines:   []string{"sku;Precio;Precio Oferta", "1;10;9"},
		records: []string{"2 A1 1/ price=9"},
	},
	{
		name:    "a named column that is not there",
		spec:    specFor(withColumn(RolePrice, Column{From: "Precio Web"})),
		lines:   []string{"sku;Precio", "1;10"},
		issues:  []string{"G-HEAD-04 error 0  [price|Precio Web|sku|Precio]", "G-HEAD-08 warning 1 Precio [price|Precio|Precio Web]"},
		refused: true,
	},
	{
		name:    "two columns for one thing",
		spec:    specFor(),
		lines:   []string{"sku;Precio;PVP;Precio anterior", "1;10;11;9"},
		issues:  []string{"G-HEAD-03 error 0  [price|Precio|PVP]"},
		refused: true,
	},
	{
		name:    "no identifier",
		spec:    specFor(byBarcode),
		lines:   []string{"sku;Precio", "1;10"},
		issues:  []string{"G-HEAD-02 error 0  [barcode|sku|Precio]"},
		refused: true,
	},
	{
		name:    "articles and nothing about them",
		spec:    specFor(),
		lines:   []string{"sku;Nombre", "1;a"},
		issues:  []string{"G-HEAD-05 error 0  [sku|Nombre]"},
		refused: true,
	},
	{
		name:    "no header",
		spec:    specFor(),
		lines:   []string{"1001;10,50;Activo", "1002;20,50;Activo"},
		issues:  []string{"G-HEAD-01 error 0  [" + strings.Join(headerSample, "|") + "]"},
		refused: true,
	},
	{
		name:    "a header and nothing below it",
		spec:    specFor(),
		lines:   []string{"sku;Precio", "Total;0", ";"},
		issues:  []string{"G-FILE-06 error 0  []", "G-ROW-03 note 2  [Total]"},
		refused: true,
	},
	{
		name:    "not one good row",
		spec:    specFor(),
		lines:   []string{"sku;Precio", "1;x", ";5"},
		records: []string{"2 A1 1/ rejected"},
		issues:  []string{"G-DROP-02 error 0  [2]", "G-PRICE-01 error 2 Precio [x]", "G-KEY-01 error 3 sku [sku]"},
		refused: true,
	},
	{
		name:    "a PDF",
		spec:    specFor(),
		lines:   []string{"%PDF-1.4", "%%EOF"},
		issues:  []string{"G-FILE-02 error 0  [pdf]"},
		refused: true,
	},
	{
		name:    "nothing",
		spec:    specFor(),
		lines:   []string{""},
		issues:  []string{"G-FILE-01 error 0  []"},
		refused: true,
	},
	{
		name:    "dollars among pesos",
		spec:    specFor(),
		lines:   []string{"sku;Precio", "1;$ 1.350,00", "2;U$S 45,00", "3;45,00 USD", "4;12,50"},
		records: []string{"2 A1 1/ price=1350", "3 A1 2/ rejected", "4 A1 3/ rejected", "5 A1 4/ price=12.5"},
		issues:  []string{"G-PRICE-07 error 3 Precio [U$S 45,00]", "G-PRICE-07 error 4 Precio [45,00 USD]"},
	},
	{
		name:    "dollars among pesos where the config tells the decimal mark",
		spec:    specFor(withColumn(RolePrice, Column{Decimal: DecimalComma})),
		lines:   []string{"sku;Precio", "1;$ 1.350,00", "2;U$S 45,00"},
		records: []string{"2 A1 1/ price=1350", "3 A1 2/ rejected"},
		issues:  []string{"G-PRICE-07 error 3 Precio [U$S 45,00]"},
	},
	{
		name:    "dollars, and cells that are no amount",
		spec:    specFor(),
		lines:   []string{"sku;Precio", "1;USD 13.50", "2;consultar", "3;0"},
		records: []string{"2 A1 1/ price=13.5", "3 A1 2/ rejected", "4 A1 3/ rejected"},
		issues:  []string{"G-PRICE-01 error 3 Precio [consultar]", "G-PRICE-02 error 4 Precio [0]"},
	},
	{
		name:    "dollars throughout",
		spec:    specFor(),
		lines:   []string{"sku;Precio", "1;USD 13.50", "2;45.00 USD"},
		records: []string{"2 A1 1/ price=13.5", "3 A1 2/ price=45"},
	},
	{
		name:    "a quote that never closes",
		spec:    specFor(),
		lines:   []string{"sku;Precio", "1;10", `2;"20`, `3;"x;y"`},
		issues:  []string{"G-FILE-05 error 3  []"},
		refused: true,
	},
	{
		name:    "a word that two encodings spell",
		spec:    specFor(),
		lines:   []string{"sku;Precio;Nombre", "1;10;CAF\xc9\xae"},
		issues:  []string{"G-FILE-08 error 2  [windows-1252|CAFÉ®|utf-8|CAFɮ]"},
		refused: true,
	},
	{
		name:    "empty bytes",
		spec:    specFor(),
		lines:   []string{"sku;Precio", "1;10", "\x00\x00\x00\x00;20"},
		issues:  []string{"G-FILE-09 error 3  []"},
		refused: true,
	},
	{
		name:    "bytes that are no text",
		spec:    specFor(func(s *Spec) { s.Encoding = table.UTF8 }),
		lines:   []string{"sku;Precio", "1;10", "\xf1;20"},
		issues:  []string{"G-FILE-03 error 3  [utf-8|f1]"},
		refused: true,
	},
}

func TestConvert(t *testing.T) {
	for _, c := range exports {
		t.Run(c.name, func(t *testing.T) {
			records, res := converted(t, c.spec, c.lines...)
			wantLines(t, "records", said(records), c.records...)
			wantLines(t, "issues", told(res.Issues), c.issues...)
			if res.Refused != c.refused {
				t.Errorf("refused %v, want %v", res.Refused, c.refused)
			}
			again, res2 := converted(t, c.spec, c.lines...)
			if !reflect.DeepEqual(records, again) || !reflect.DeepEqual(res, res2) {
				t.Error("the same bytes gave something else the second time")
			}
		})
	}
}

// A column is read in one convention; the cells of the table are the column.
func TestConventionIsTheColumns(t *testing.T) {
	for _, c := range []struct {
		name   string
		spec   Spec
		header string
		cells  []string
		want   string // prices or quantities, "-" for a rejected row
		found  string // convention, proof and its row
		issues []string
	}{
		{"both separators", specFor(), "Precio", []string{"1.234", "1.234,50"}, "1234 1234.5", "comma 1.234,50 3", nil},
		{"two digits", specFor(), "Precio", []string{"1,234", "10.50"}, "1234 10.5", "point 10.50 3", nil},
		{"twice", specFor(), "Precio", []string{"1.234", "1.234.567"}, "1234 1234567", "comma 1.234.567 3", nil},
		{"a long leading group", specFor(), "Precio", []string{"1234,567", "1.500"}, "1234.57 1500", "comma 1234,567 2", []string{
			"G-PRICE-05 note 2 Precio [1234,567|1234.57]",
		}},
		{"a leading zero", specFor(), "Precio", []string{"0,500", "2,500"}, "0.5 2.5", "comma 0,500 2", nil},
		{"whole numbers need none", specFor(), "Precio", []string{"990", "1234"}, "990 1234", "  0", nil},
		{"nothing proves it", specFor(), "Precio", []string{"1.234", "990", "$ 2.500"}, "- 990 -", "  0", []string{
			"G-PRICE-03 error 2 Precio [1.234|Precio]", "G-PRICE-03 error 4 Precio [$ 2.500|Precio]",
		}},
		{"the config says it", specFor(withColumn(RolePrice, Column{Decimal: DecimalPoint})), "Precio", []string{"1,234", "10"}, "1234 10", "point  0", nil},
		{
			"the config is contradicted", specFor(withColumn(RolePrice, Column{Decimal: DecimalPoint})), "Precio",
			[]string{"10,50", "10"},
			"- 10",
			"point  0",
			[]string{"G-PRICE-01 error 2 Precio [10,50]"},
		},
		{
			"the fewer contradict the more", specFor(), "Precio",
			[]string{"1.234,50", "1,234.50", "9,99", "1.500"},
			"1234.5 - 9.99 -", "comma 1.234,50 2",
			[]string{"G-PRICE-01 error 3 Precio [1,234.50]", "G-PRICE-03 error 5 Precio [1.500|Precio]"},
		},
		{"as many say one as the other", specFor(), "Precio", []string{"1.234,50", "1,234.50", "5"}, "- - 5", "  0", []string{
			"G-PRICE-03 error 2 Precio [1.234,50|Precio]", "G-PRICE-03 error 3 Precio [1,234.50|Precio]",
		}},
		{"totals prove nothing", specFor(), "Precio", []string{"1.234", "5"}, "- 5", "  0", []string{"G-PRICE-03 error 2 Precio [1.234|Precio]"}},
		{"stock with three decimals throughout", specFor(), "Stock", []string{"12,000", "3,250", "7,000"}, "12 3 7", "comma 12,000 2", []string{
			"G-QTY-03 note 3 Stock [3,250|3]",
		}},
		{"stock below one proves decimals", specFor(), "Stock", []string{"12,000", "0,500", "5"}, "12 0 5", "comma 0,500 3", []string{
			"G-QTY-03 note 3 Stock [0,500|0]",
		}},
		{"whole stock with three zeros tells nothing", specFor(), "Stock", []string{"12.000", "5.000", "0"}, "- - 0", "  0", []string{
			"G-QTY-01 error 2 Stock [12.000]", "G-QTY-01 error 3 Stock [5.000]",
		}},
		{"thousands beside small numbers are no decimals", specFor(), "Stock", []string{"1,250", "15", "980"}, "- 15 980", "  0", []string{
			"G-QTY-01 error 2 Stock [1,250]",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := []string{"sku;" + c.header}
			for i, cell := range c.cells {
				lines = append(lines, fmt.Sprintf("a%d;%s", i, cell))
			}
			records, res := converted(t, c.spec, append(lines, ";9.999.999,99")...)
			var got []string
			for _, r := range records {
				switch {
				case r.Rejected:
					got = append(got, "-")
				case r.Item.Set.Has(catalog.Price):
					got = append(got, r.Item.Price.String())
				default:
					got = append(got, fmt.Sprint(r.Item.Quantity))
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("read as %q, want %q", s, c.want)
			}
			col := res.Header.Columns[1]
			if s := fmt.Sprintf("%s %s %d", col.Decimal, col.Proof, col.ProofRow); s != c.found {
				t.Errorf("convention %q, want %q", s, c.found)
			}
			last := len(c.cells) + 2
			wantLines(t, "issues", told(res.Issues), append(c.issues, fmt.Sprintf("G-KEY-01 error %d sku [sku]", last))...)
		})
	}
}

// "Disponible" is a flag here and a count there.
func TestDisponible(t *testing.T) {
	for _, c := range []struct {
		lines   []string
		records []string
		issues  []string
	}{
		{[]string{"sku;Disponible", "1;Sí", "2;no"}, []string{"2 A1 1/ active=true", "3 A1 2/ active=false"}, nil},
		{[]string{"sku;Disponible", "1;12", "2;0", "3;1"}, []string{"2 A1 1/ quantity=12", "3 A1 2/ quantity=0", "4 A1 3/ quantity=1"}, nil},
		{[]string{"sku;Disponible", "1;1", "2;0"}, []string{"2 A1 1/ active=true", "3 A1 2/ active=false"}, nil},
		{[]string{"sku;Stock;Disponible", "1;10;S"}, []string{"2 A1 1/ active=true quantity=10"}, nil},
		{[]string{"sku;Activo;Disponible", "1;S;10"}, []string{"2 A1 1/ active=true quantity=10"}, nil},
		{[]string{"sku;Activo;Stock;Disponible", "1;S;10;7"}, []string{"2 A1 1/ active=true quantity=10"}, nil},
		{[]string{"sku;Stock;Disponible", "1;10;7"}, nil, []string{"G-HEAD-03 error 0  [quantity|Stock|Disponible]"}},
	} {
		records, res := converted(t, specFor(), c.lines...)
		wantLines(t, c.lines[0]+" records", said(records), c.records...)
		wantLines(t, c.lines[0]+" issues", told(res.Issues), c.issues...)
	}
}

func TestResultCounts(t *testing.T) {
	_, res := converted(t, specFor(full, byColumn), "Sucursal;sku;EAN;Precio", "001;1;;10", "001;2;;x", "002;;;30", ";;;40", "009;;;50", "001;3;;60", ";4;;70")
	if res.Rows != 7 || res.Records != 2 || res.Rejected != 5 {
		t.Errorf("rows %d, records %d, rejected %d", res.Rows, res.Records, res.Rejected)
	}
	if want := map[string]int{"B2": 1, catalog.AllVendors: 2}; !reflect.DeepEqual(res.Keyless, want) {
		t.Errorf("keyless %v, want %v", res.Keyless, want)
	}
	if want := []string{"A1", "B2"}; !reflect.DeepEqual(res.Vendors, want) {
		t.Errorf("vendors %v, want %v", res.Vendors, want)
	}
	if res.Owned != catalog.Price {
		t.Errorf("owned %b", res.Owned)
	}
	if col, ok := res.Header.Column(RoleVendor); !ok || col.How != HowConfig || col.Index != 0 || res.Header.Row != 1 {
		t.Errorf("vendor column %+v, header row %d", col, res.Header.Row)
	}
	if _, ok := res.Header.Column(RoleActive); ok {
		t.Error("found a column that is not there")
	}
}

// Where a shift may have reached the identifier, it is not believed, and the article is not taken for missing either.
func TestLongRowIsKeylessBehindText(t *testing.T) {
	records, res := converted(t, specFor(full), "nombre,sku,price", "Queso, rallado,1,10", "Arroz,2,20")
	wantLines(t, "records", said(records), "3 A1 2/ price=20")
	if res.Keyless["A1"] != 1 {
		t.Errorf("keyless %v", res.Keyless)
	}
	_, res = converted(t, specFor(full, byColumn), "nombre,Sucursal,sku,price", "Queso, rallado,001,1,10", "Arroz,002,2,20")
	if res.Keyless[catalog.AllVendors] != 1 {
		t.Errorf("keyless %v", res.Keyless)
	}
}

func TestVendorByFileName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claimed")
	if err := os.WriteFile(path, []byte("sku,stock\n1,5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := specFor(full, func(s *Spec) {
		s.Source = VendorSource{FileName: regexp.MustCompile(`^stock_(?:(?P<erp_code>\d+)|(?P<id>[A-Z]\d))\.csv$`)}
	})
	for name, want := range map[string]string{
		"stock_002.csv": "B2", "stock_C3.csv": "C3", "stock_10.csv": "C3",
		"stock_7.csv": "G-STORE-03 error 0  [stock_7.csv|7]", "precios.csv": "G-STORE-03 error 0  [precios.csv|]",
	} {
		var got string
		res, err := Convert(t.Context(), spec, path, name, func(r Record) error {
			got = r.Vendor
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, is := range told(res.Issues) {
			got += is
		}
		if got != want || res.Refused != (len(want) > 2) {
			t.Errorf("%s: %s, refused %v, want %s", name, got, res.Refused, want)
		}
	}
}

// An error in row 5,000 must be told although thousands of notes come before it.
func TestIssuesAreBoundedAndGraveOnesStay(t *testing.T) {
	lines := []string{"sku;Precio"}
	for i := range 5000 {
		lines = append(lines, fmt.Sprintf("%d;1,2345", i))
	}
	lines = append(lines, "last;consultar")
	_, res := converted(t, specFor(), lines...)
	if len(res.Issues) != MaxIssues || res.Counts[catalog.PriceRounded] != 5000 || res.Counts[catalog.PriceText] != 1 {
		t.Errorf("%d issues, counts %v", len(res.Issues), res.Counts)
	}
	if last := res.Issues[MaxIssues-1]; last.Code != catalog.PriceText || last.Row != 5002 {
		t.Errorf("last issue %+v", last)
	}
	if second := res.Issues[1]; second.Row != 3 {
		t.Errorf("second issue %+v", second)
	}
}

func TestErrorsAreOurs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(path, []byte("sku;Precio\n"+strings.Repeat("1;10\n", 3*checkEvery)), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	if _, err := Convert(t.Context(), specFor(), path, "e.csv", func(Record) error { return full }); !errors.Is(err, full) {
		t.Errorf("emit failed, and Convert returned %v", err)
	}
	if _, err := Convert(t.Context(), specFor(), path+".gone", "e.csv", func(Record) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file, and Convert returned %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	_, err := Convert(ctx, specFor(), path, "e.csv", func(Record) error {
		n++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || n >= 3*checkEvery {
		t.Errorf("cancelled, and Convert returned %v after %d records", err, n)
	}
}

// TestStrayQuote reads a text with a mark for inches that looks like a quote: all rows are read, and the place is told.
func TestStrayQuote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stray.csv")
	if err := os.WriteFile(path, []byte("sku;Precio;Nombre\n1;10;pan\n2;20;\"Galleta 5\n3;30;sal\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	records := 0
	res, err := Convert(t.Context(), specFor(), path, "stray.csv", func(Record) error { records++; return nil })
	if err != nil || records != 3 || res.Refused {
		t.Fatalf("%d records, refused %t, %v", records, res.Refused, err)
	}
	if got := told(res.Issues); !slices.Equal(got, []string{"G-FILE-10 warning 3  []"}) {
		t.Errorf("issues %q", got)
	}
}
