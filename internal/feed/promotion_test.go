package feed

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

func promotions(s *Spec) { s.Kind = catalog.KindPromotions }

func named(s *Spec) { s.Campaign = "C" }

// promoSpec is specFor for promotions, with a campaign for those that name none.
func promoSpec(change ...func(*Spec)) Spec {
	return specFor(append([]func(*Spec){promotions, named}, change...)...)
}

// offered writes records of promotions as tests compare them: "2 A1 1001/ C 2026-05-01..2026-05-08 -20%".
func offered(records []Record) []string {
	out := []string{}
	for _, r := range records {
		if r.Rejected {
			out = append(out, fmt.Sprintf("%d %s %s/%s rejected", r.Row, r.Vendor, r.Item.SKU, r.Item.Barcode))
			continue
		}
		p := r.Promotion
		when := strings.ReplaceAll(strings.ReplaceAll(p.Start.String()+".."+p.End.String(), " 00:00:00..", ".."), " 23:59:59", "")
		parts := []string{fmt.Sprint(r.Row), r.Vendor, p.SKU + "/" + p.Barcode, p.Campaign, when}
		if p.Type == catalog.SameItemBundle {
			parts = append(parts, p.Details(), string(p.Benefit))
		}
		add := func(name string, is bool, value any) {
			if is {
				parts = append(parts, fmt.Sprintf("%s=%v", name, value))
			}
		}
		add("price", p.Price != 0, p.Price)
		add("percent", p.Percent != 0, p.Percent)
		add("amount", p.Amount != 0, p.Amount)
		add("reason", p.Reason != DefaultReason, p.Reason)
		add("uses", p.UsageLimit != 0, p.UsageLimit)
		add("orders", p.MaxOrders != 0, p.MaxOrders)
		add("max", p.MaxSales != 0, p.MaxSales)
		if !p.Active {
			parts = append(parts, "ended")
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// platformHead is the header that production has.
const platformHead = "barcode,sku,campaign_name,reason,start_date,end_date,promotion_type,promotion_sub_type,discount_usage_limit," +
	"bundle_details,bundle_discount,discounted_price,max_no_of_orders,campaign_status,vendors,exclude"

// promotionExports are whole files with what they must come to. A case without issues wants none.
var promotionExports = []struct {
	name    string
	spec    Spec
	lines   []string
	records []string
	issues  []string
	refused bool
}{
	{
		name: "every way to offer, Spanish",
		spec: promoSpec(byColumn),
		lines: []string{
			"Sucursal;Código;Código de barras;Producto;Campaña;Oferta;Precio oferta;Desde;Hasta;Activa",
			"001;1001;95200019;Fideos;Semana;3x2;;01/05/2026;08/05/2026;Sí",
			"001;1002;;Arroz;Semana;;990,50;01/05/2026;31/05/2026;",
			"002;1003;;Aceite;;2da al 50%;;01/05/2026;08/05/2026;x",
			"002;1004;;Té;Semana;-20%;;01/05/2026;08/05/2026;No",
			"002;1005;;Café;Semana;$ 1.290;;01/05/2026;08/05/2026;Sí",
			"002;1006;;Yerba;Semana;3x2;;01/05/2026;08/05/2026;Sí",
		},
		records: []string{
			"2 A1 1001/95200019 Semana 2026-05-01..2026-05-08 B2G1 free_item",
			"3 A1 1002/ Semana 2026-05-01..2026-05-31 price=990.5",
			"4 B2 1003/ C 2026-05-01..2026-05-08 B1G1 percentage_value_off percent=50",
			"5 B2 1004/ Semana 2026-05-01..2026-05-08 percent=20 ended",
			"6 B2 1005/ rejected",
			"7 B2 1006/ Semana 2026-05-01..2026-05-08 B2G1 free_item",
		},
		issues: []string{
			"G-PROMO-03 note 2 Oferta [3x2|same_item_bundle|free_item|B2G1|]",
			"G-PROMO-03 note 4 Oferta [2da al 50%|same_item_bundle|percentage_value_off|B1G1|50]",
			"G-PROMO-03 note 5 Oferta [-20%|strikethrough|||20]",
			"G-PRICE-03 error 6 Oferta [$ 1.290|Oferta]",
		},
	},
	{
		name: "the platform's own format",
		spec: promoSpec(),
		lines: []string{
			platformHead,
			",1001,Semana,competitiveness,2026-05-01 09:00:00,2026-05-08 09:00:00,strikethrough,,,,,990,999,1,all,",
			",1002,3x2,overstock,2026-05-01 09:00:00,2026-05-08 09:00:00,same_item_bundle,free_item,,B2G1,,,,1,all,",
			"95200019,1003,2do al 40,,2026-05-01,2026-05-08,same_item_bundle,percentage_value_off,2,B1G1,40,,0,0,all,",
			",1004,Vale,competitiveness,2026-05-01,2026-05-08,Same Item Bundle,ABSOLUTE_VALUE_OFF,,b1g1,25.5,0,,,all,",
		},
		records: []string{
			"2 A1 1001/ Semana 2026-05-01 09:00:00..2026-05-08 09:00:00 price=990 orders=999",
			"3 A1 1002/ 3x2 2026-05-01 09:00:00..2026-05-08 09:00:00 B2G1 free_item reason=overstock",
			"4 A1 1003/95200019 2do al 40 2026-05-01..2026-05-08 B1G1 percentage_value_off percent=40 uses=2 ended",
			"5 A1 1004/ Vale 2026-05-01..2026-05-08 B1G1 absolute_value_off amount=25.5",
		},
	},
	{
		name: "what the platform does not know, and what is left open",
		spec: promoSpec(),
		lines: []string{
			"sku,start_date,end_date,promotion_type,promotion_sub_type,bundle_details,bundle_discount,discounted_price",
			"1,2026-05-01,2026-05-08,combo,,,,5", "2,2026-05-01,2026-05-08,same_item_bundle,gift,B2G1,,",
			"3,2026-05-01,2026-05-08,same_item_bundle,free_item,3x2,,", "4,2026-05-01,2026-05-08,same_item_bundle,,B2G1,,",
			"5,2026-05-01,2026-05-08,same_item_bundle,free_item,,,", "6,2026-05-01,2026-05-08,same_item_bundle,percentage_value_off,B1G1,,",
			"7,2026-05-01,2026-05-08,same_item_bundle,percentage_value_off,B1G1,100,",
			"8,2026-05-01,2026-05-08,strikethrough,,,,", "9,2026-05-01,2026-05-08,strikethrough,free_item,,,990",
			"10,2026-05-01,2026-05-08,same_item_bundle,free_item,B2G1,40,", "11,2026-05-01,2026-05-08,same_item_bundle,free_item,B2G1,0,990",
			"12,2026-05-01,2026-05-08,,free_item,B2G1,,", "13,2026-05-01,2026-05-08,strikethrough,,,,0",
			"14,2026-05-01,2026-05-08,same_item_bundle,absolute_value_off,B1G1,mucho,", "15,2026-05-01,2026-05-08,,,,40,",
			"16,2026-05-01,2026-05-08,same_item_bundle,absolute_value_off,B1G1,10.555,",
		},
		records: []string{
			"2 A1 1/ rejected", "3 A1 2/ rejected", "4 A1 3/ rejected", "5 A1 4/ rejected", "6 A1 5/ rejected", "7 A1 6/ rejected",
			"8 A1 7/ rejected", "9 A1 8/ rejected", "10 A1 9/ rejected", "11 A1 10/ rejected", "12 A1 11/ rejected",
			"13 A1 12/ C 2026-05-01..2026-05-08 B2G1 free_item", "14 A1 13/ rejected", "15 A1 14/ rejected", "16 A1 15/ rejected",
			"17 A1 16/ rejected",
		},
		issues: []string{
			"G-PROMO-06 error 2 promotion_type [promotion_type|combo]",
			"G-PROMO-06 error 3 promotion_sub_type [promotion_sub_type|gift]",
			"G-PROMO-06 error 4 bundle_details [bundle_details|3x2]",
			"G-PROMO-06 error 5 promotion_sub_type [promotion_sub_type|]",
			"G-PROMO-06 error 6 bundle_details [bundle_details|]",
			"G-PROMO-06 error 7 bundle_discount [bundle_discount|]",
			"G-PROMO-05 error 8 bundle_discount [100]",
			"G-PROMO-01 error 9  []",
			"G-PROMO-04 error 10  [990|free_item]",
			"G-PROMO-04 error 11  [B2G1|40]",
			"G-PROMO-04 error 12  [B2G1|990]",
			"G-PRICE-02 error 14 discounted_price [0]",
			"G-PRICE-01 error 15 bundle_discount [mucho]",
			"G-PROMO-01 error 16  []",
			"G-PRICE-03 error 17 bundle_discount [10.555|bundle_discount]",
		},
	},
	{
		name: "two columns that say the same, and two that don't",
		spec: promoSpec(),
		lines: []string{
			"sku;oferta;precio oferta;% descuento;desde;hasta",
			"1;-20%;;20;2026-05-01;2026-05-08", "2;$ 990;990;;2026-05-01;2026-05-08", "3;;990;20;2026-05-01;2026-05-08",
			"4;3x2;990;;2026-05-01;2026-05-08", "5;-20%;990;;2026-05-01;2026-05-08", "6;-20%;;30;2026-05-01;2026-05-08",
			"7;3x2;;33;2026-05-01;2026-05-08", "8;3x2;0;0%;2026-05-01;2026-05-08", "9;;;0;2026-05-01;2026-05-08",
			"10;;;;2026-05-01;2026-05-08", "11;$ 990;980;;2026-05-01;2026-05-08", "12;;;12,5;2026-05-01;2026-05-08",
		},
		records: []string{
			"2 A1 1/ C 2026-05-01..2026-05-08 percent=20", "3 A1 2/ C 2026-05-01..2026-05-08 price=990",
			"4 A1 3/ C 2026-05-01..2026-05-08 price=990", "5 A1 4/ rejected", "6 A1 5/ rejected", "7 A1 6/ rejected", "8 A1 7/ rejected",
			"9 A1 8/ C 2026-05-01..2026-05-08 B2G1 free_item", "10 A1 9/ rejected", "11 A1 10/ rejected", "12 A1 11/ rejected",
			"13 A1 12/ C 2026-05-01..2026-05-08 percent=12.5",
		},
		issues: []string{
			"G-PROMO-03 note 2 oferta [-20%|strikethrough|||20]",
			"G-PROMO-03 note 5 oferta [3x2|same_item_bundle|free_item|B2G1|]",
			"G-PROMO-04 error 5  [3x2|990]", "G-PROMO-04 error 6  [-20%|990]", "G-PROMO-04 error 7  [-20%|30]", "G-PROMO-04 error 8  [3x2|33]",
			"G-PROMO-05 error 10 % descuento [0]", "G-PROMO-01 error 11  []", "G-PROMO-04 error 12  [$ 990|980]",
		},
	},
	{
		name: "words beside the platform's columns",
		spec: promoSpec(),
		lines: []string{
			"sku;oferta;promotion_type;promotion_sub_type;bundle_details;bundle_discount;desde;hasta",
			"1;2da al 40%;same_item_bundle;percentage_value_off;B1G1;40;2026-05-01;2026-05-08",
			"2;3x2;same_item_bundle;;;;2026-05-01;2026-05-08", "3;3x2;strikethrough;;;;2026-05-01;2026-05-08",
			"4;3x2;;;B1G1;;2026-05-01;2026-05-08", "5;2da al 40%;;;;50;2026-05-01;2026-05-08",
		},
		records: []string{
			"2 A1 1/ C 2026-05-01..2026-05-08 B1G1 percentage_value_off percent=40", "3 A1 2/ C 2026-05-01..2026-05-08 B2G1 free_item",
			"4 A1 3/ rejected", "5 A1 4/ rejected", "6 A1 5/ rejected",
		},
		issues: []string{
			"G-PROMO-03 note 2 oferta [2da al 40%|same_item_bundle|percentage_value_off|B1G1|40]",
			"G-PROMO-03 note 3 oferta [3x2|same_item_bundle|free_item|B2G1|]",
			"G-PROMO-04 error 4  [3x2|strikethrough]", "G-PROMO-04 error 5  [3x2|B1G1]", "G-PROMO-04 error 6  [2da al 40%|50]",
		},
	},
	{
		name: "every wrong cell is told",
		spec: promoSpec(),
		lines: []string{
			"sku;oferta;desde;hasta;campaña;motivo;máx. pedidos;límite de usos;máx. por pedido;activa",
			"1;hasta 30%;31/02/2026;mañana;" + strings.Repeat("x", 101) + ";" + strings.Repeat("y", 101) + ";varios;1,5;-1;quizás",
			"2;20%;;;;;0;;;", "3;20%;2026-05-08;2026-05-01;a;b;3;4;5;n", "4;20%;2026-05-01;2026-05-08;a;b;3;4;5;n",
		},
		records: []string{
			"2 A1 1/ rejected", "3 A1 2/ rejected", "4 A1 3/ rejected",
			"5 A1 4/ a 2026-05-01..2026-05-08 percent=20 reason=b uses=4 orders=3 max=5 ended",
		},
		issues: []string{
			"G-PROMO-02 error 2 oferta [hasta 30%]", "G-DATE-01 error 2 desde [31/02/2026]", "G-DATE-01 error 2 hasta [mañana]",
			"G-PROMO-13 error 2 campaña [" + strings.Repeat("x", 60) + "…]", "G-PROMO-06 error 2 motivo [reason|" + strings.Repeat("y", 60) + "…]",
			"G-PROMO-12 error 2 límite de usos [discount_usage_limit|1,5]", "G-PROMO-12 error 2 máx. pedidos [max_no_of_orders|varios]",
			"G-PROMO-12 error 2 máx. por pedido [maximum_sales_quantity|-1]", "G-ACTIVE-01 error 2 activa [quizás]",
			"G-PROMO-03 note 3 oferta [20%|strikethrough|||20]",
			"G-DATE-03 error 3 desde [start_date]", "G-DATE-03 error 3 hasta [end_date]",
			"G-DATE-04 error 4 hasta [2026-05-08 00:00:00|2026-05-01 23:59:59]",
		},
	},
	{
		name:  "names that nobody gave, and a reason of the config",
		spec:  promoSpec(func(s *Spec) { s.Campaign, s.Reason = "", "overstock" }),
		lines: []string{"sku;oferta;desde;hasta", "1;3x2;2026-05-01 09:00;2026-05-08", "2;2da al 50%;2026-05-01;2026-05-08", "3;20%;2026-05-01;2026-05-08", "4;30%;2026-05-01;2026-05-08"},
		records: []string{
			"2 A1 1/ Oferta 2026-05-01 09:00:00..2026-05-08 B2G1 free_item reason=overstock",
			"3 A1 2/ Oferta 2026-05-01..2026-05-08 B1G1 percentage_value_off percent=50 reason=overstock",
			"4 A1 3/ Oferta 2026-05-01..2026-05-08 percent=20 reason=overstock",
			"5 A1 4/ Oferta 2026-05-01..2026-05-08 percent=30 reason=overstock",
		},
		issues: []string{
			"G-PROMO-03 note 2 oferta [3x2|same_item_bundle|free_item|B2G1|]",
			"G-PROMO-03 note 3 oferta [2da al 50%|same_item_bundle|percentage_value_off|B1G1|50]",
			"G-PROMO-03 note 4 oferta [20%|strikethrough|||20]", "G-PROMO-03 note 5 oferta [30%|strikethrough|||30]",
		},
	},
	{
		name: "prices have two decimals, or none where the currency has none",
		spec: promoSpec(func(s *Spec) { s.PriceDecimals = 3 }),
		lines: []string{
			"sku;precio oferta;desde;hasta", "1;10,5051;2026-05-01;2026-05-08", "2;1.234;2026-05-01;2026-05-08", "3;9,9;2026-05-01;2026-05-08",
			"4;-5;2026-05-01;2026-05-08", "5;3x2;2026-05-01;2026-05-08", "6;20%;2026-05-01;2026-05-08",
		},
		records: []string{
			"2 A1 1/ C 2026-05-01..2026-05-08 price=10.51", "3 A1 2/ C 2026-05-01..2026-05-08 price=1234",
			"4 A1 3/ C 2026-05-01..2026-05-08 price=9.9", "5 A1 4/ rejected", "6 A1 5/ rejected", "7 A1 6/ rejected",
		},
		issues: []string{
			"G-PRICE-05 note 2 precio oferta [10,5051|10.51]", "G-PRICE-02 error 5 precio oferta [-5]", "G-PRICE-01 error 6 precio oferta [3x2]",
			"G-PRICE-01 error 7 precio oferta [20%]",
		},
	},
	{
		name:    "a share without its sign is one where the header says so",
		spec:    promoSpec(),
		lines:   []string{"sku;Descuento;desde;hasta", "1;20;2026-05-01;2026-05-08", "2;20%;2026-05-01;2026-05-08"},
		records: []string{"2 A1 1/ rejected", "3 A1 2/ C 2026-05-01..2026-05-08 percent=20"},
		issues:  []string{"G-PROMO-05 error 2 Descuento [20]"},
	},
	{
		name:    "or the config",
		spec:    promoSpec(withColumn(RolePercent, Column{From: "Descuento"})),
		lines:   []string{"sku;Descuento;desde;hasta", "1;20;2026-05-01;2026-05-08", "2;0,2;2026-05-01;2026-05-08"},
		records: []string{"2 A1 1/ C 2026-05-01..2026-05-08 percent=20", "3 A1 2/ rejected"},
		issues:  []string{"G-PROMO-05 error 3 Descuento [0,2]"},
	},
	{
		name: "keys, stores, totals and shifted rows as in the catalogue",
		spec: promoSpec(byColumn, full),
		lines: []string{
			"Sucursal;sku;oferta;desde;hasta", "001;;3x2;2026-05-01;2026-05-08", "009;1;3x2;2026-05-01;2026-05-08", "Total;;;;",
			"001;2;3x2;2026-05-01;2026-05-08;x;y", "SUCURSAL;SKU;OFERTA;DESDE;HASTA", "002;3;3x2;2026-05-01",
		},
		records: []string{"5 A1 2/ rejected", "7 B2 3/ rejected"},
		issues: []string{
			"G-DROP-02 error 0  [4]",
			"G-KEY-01 error 2 sku [sku]", "G-STORE-01 error 3 Sucursal [009]", "G-ROW-03 note 4  [Total]", "G-ROW-02 error 5  [7|5]",
			"G-ROW-01 warning 7  [4|5]", "G-PROMO-03 note 7 oferta [3x2|same_item_bundle|free_item|B2G1|]", "G-DATE-03 error 7 hasta [end_date]",
		},
		refused: true,
	},
	{
		name:    "a normal price is no offer",
		spec:    promoSpec(),
		lines:   []string{"sku;Precio;Precio final;Desde;Hasta", "1;990;990;2026-05-01;2026-05-08"},
		issues:  []string{"G-HEAD-05 error 0  [sku|Precio|Precio final|Desde|Hasta]"},
		refused: true,
	},
	{
		name:    "no dates",
		spec:    promoSpec(),
		lines:   []string{"sku;Oferta", "1;3x2"},
		issues:  []string{"G-HEAD-02 error 0  [start_date|sku|Oferta]", "G-HEAD-02 error 0  [end_date|sku|Oferta]"},
		refused: true,
	},
	{
		name:    "no identifier",
		spec:    promoSpec(byBarcode),
		lines:   []string{"sku;Oferta;Desde;Hasta", "1;3x2;2026-05-01;2026-05-08"},
		issues:  []string{"G-HEAD-02 error 0  [barcode|sku|Oferta|Desde|Hasta]"},
		refused: true,
	},
	{
		name:    "two columns for one thing",
		spec:    promoSpec(),
		lines:   []string{"sku;Oferta;Promo;Desde;Hasta", "1;3x2;2x1;2026-05-01;2026-05-08"},
		issues:  []string{"G-HEAD-03 error 0  [offer|Oferta|Promo]"},
		refused: true,
	},
	{
		name:    "no header",
		spec:    promoSpec(),
		lines:   []string{"a;b", "1;2"},
		issues:  []string{"G-HEAD-01 error 0  [" + strings.Join(promotionSample, "|") + "]"},
		refused: true,
	},
}

func TestPromotionExports(t *testing.T) {
	for _, c := range promotionExports {
		t.Run(c.name, func(t *testing.T) {
			records, res := converted(t, c.spec, c.lines...)
			wantLines(t, "records", offered(records), c.records...)
			wantLines(t, "issues", told(res.Issues), c.issues...)
			if res.Refused != c.refused || res.Owned != 0 {
				t.Errorf("refused %v, want %v; owned %v", res.Refused, c.refused, res.Owned.Names())
			}
			for _, r := range records {
				if r.Item.Set|r.Item.Blank != 0 || r.Rejected != (r.Promotion == nil) {
					t.Errorf("record %+v", r)
				}
			}
		})
	}
}

// Every export says the same when its cells are texts of a sheet, but for what only a text can be.
func TestPromotionTextCellsReadAsCSV(t *testing.T) {
	for _, c := range promotionExports {
		if strings.HasPrefix(c.name, "keys,") {
			continue // rows that are too long or too short
		}
		t.Run(c.name, func(t *testing.T) {
			csv := filepath.Join(t.TempDir(), "export.csv")
			if err := os.WriteFile(csv, []byte(strings.Join(c.lines, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			records, res := convertedFile(t, c.spec, workbook(t, "Hoja1", sheetOf(t, csv)))
			// The workbooks of these tests hide their ninth column.
			issues := slices.DeleteFunc(told(res.Issues), func(s string) bool { return strings.HasPrefix(s, string(catalog.HeadHidden)) })
			wantLines(t, "records", offered(records), c.records...)
			wantLines(t, "issues", issues, c.issues...)
		})
	}
}

// What an export says does not depend on where its columns stand, and of its rows on none but itself and the proofs of the columns.
func TestOrderDoesNotMatter(t *testing.T) {
	var cells [][]string
	for _, line := range promotionExports[0].lines {
		cells = append(cells, strings.Split(line, ";"))
	}
	read := func(cells [][]string) []string {
		var lines []string
		for _, row := range cells {
			lines = append(lines, strings.Join(row, ";"))
		}
		records, _ := converted(t, promotionExports[0].spec, lines...)
		out := offered(records)
		for i := range out {
			_, out[i], _ = strings.Cut(out[i], " ") // the row's number
		}
		slices.Sort(out)
		return out
	}
	want := read(cells)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		at := rnd.Perm(len(cells[0]))
		var moved [][]string
		for _, row := range cells {
			var m []string
			for _, i := range at {
				m = append(m, row[i])
			}
			moved = append(moved, m)
		}
		rnd.Shuffle(len(moved)-1, func(i, j int) { moved[i+1], moved[j+1] = moved[j+1], moved[i+1] })
		wantLines(t, "records", read(moved), want...)
	}
}

func TestDateOrders(t *testing.T) {
	withDate := func(role Role, date string) func(*Spec) { return withColumn(role, Column{Date: date}) }
	for _, c := range []struct {
		name   string
		spec   Spec
		cells  [][2]string
		want   []string
		found  string // order, proof, row and column of the proof; of start and end
		issues []string
	}{
		{
			"each proves its own", promoSpec(),
			[][2]string{{"05/06/2026", "06/15/2026"}, {"13/06/2026", "07/01/2026"}},
			[]string{"2026-06-05..2026-06-15", "2026-06-13..2026-07-01"},
			"day-first 13/06/2026 3  | month-first 06/15/2026 2 ", nil,
		},
		{
			"the end proves it for the start", promoSpec(),
			[][2]string{{"05/06/2026", "30/06/2026"}, {"06/06/2026", "08/06/2026"}},
			[]string{"2026-06-05..2026-06-30", "2026-06-06..2026-06-08"},
			"day-first 30/06/2026 2 Hasta | day-first 30/06/2026 2 ", nil,
		},
		{
			"the start proves it for the end", promoSpec(),
			[][2]string{{"05/14/2026", "06/07/2026"}},
			[]string{"2026-05-14..2026-06-07"},
			"month-first 05/14/2026 2  | month-first 05/14/2026 2 Desde", nil,
		},
		{
			"nothing proves it", promoSpec(),
			[][2]string{{"05/06/2026", "07/06/2026"}, {"06/06/2026", "2026-06-07"}, {"5 de junio de 2026", "7-jun-26"}},
			[]string{"-", "2026-06-06..2026-06-07", "2026-06-05..2026-06-07"},
			"  0  |   0 ",
			[]string{"G-DATE-02 error 2 Desde [05/06/2026|Desde]", "G-DATE-02 error 2 Hasta [07/06/2026|Hasta]"},
		},
		{
			"a column that contradicts itself proves nothing", promoSpec(),
			[][2]string{{"13/06/2026", "2026-06-30"}, {"06/14/2026", "2026-06-30"}, {"05/06/2026", "2026-06-30"}},
			[]string{"2026-06-13..2026-06-30", "2026-06-14..2026-06-30", "-"},
			"  0  |   0 ",
			[]string{"G-DATE-02 error 4 Desde [05/06/2026|Desde]"},
		},
		{
			"nor does the other column help it", promoSpec(),
			[][2]string{{"13/06/2026", "30/06/2026"}, {"06/14/2026", "30/06/2026"}, {"05/06/2026", "30/06/2026"}},
			[]string{"2026-06-13..2026-06-30", "2026-06-14..2026-06-30", "-"},
			"  0  |   0 ",
			[]string{"G-DATE-02 error 4 Desde [05/06/2026|Desde]"},
		},
		{
			// Hasta has both orders, so nothing tells in which one Desde is written, whatever a single cell of it looks like.
			"a column that contradicts itself disproves the other one", promoSpec(),
			[][2]string{{"12/01/2026", "2026-12-31"}, {"2026-12-01", "31/12/2026"}, {"2026-12-01", "12/31/2026"}, {"12/13/2026", "2026-12-31"}},
			[]string{"-", "2026-12-01..2026-12-31", "2026-12-01..2026-12-31", "2026-12-13..2026-12-31"},
			"  0  |   0 ",
			[]string{"G-DATE-02 error 2 Desde [12/01/2026|Desde]"},
		},
		{
			"the config says it", promoSpec(withDate(RoleStart, DateDayFirst)),
			[][2]string{{"05/06/2026", "07/06/2026"}, {"06/14/2026", "2026-06-30"}},
			[]string{"2026-06-05..2026-06-07", "-"},
			"day-first  0  | day-first  0 ",
			[]string{"G-DATE-01 error 3 Desde [06/14/2026]"},
		},
		{
			"impossible days prove nothing", promoSpec(),
			[][2]string{{"31/02/2026", "2026-06-30"}, {"05/06/2026", "2026-06-30"}},
			[]string{"-", "-"},
			"  0  |   0 ",
			[]string{"G-DATE-01 error 2 Desde [31/02/2026]", "G-DATE-02 error 3 Desde [05/06/2026|Desde]"},
		},
		{
			"day or year first", promoSpec(),
			[][2]string{{"26-05-01", "26-05-31"}},
			[]string{"-"},
			"  0  |   0 ",
			[]string{"G-DATE-02 error 2 Desde [26-05-01|Desde]", "G-DATE-02 error 2 Hasta [26-05-31|Hasta]"},
		},
		{
			"a year that can only be last proves it", promoSpec(),
			[][2]string{{"01-05-26", "25-06-26"}, {"2026-05-01", "10-06-26"}},
			[]string{"2026-05-01..2026-06-25", "2026-05-01..2026-06-10"},
			"day-first 25-06-26 2 Hasta | day-first 25-06-26 2 ", nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := []string{"sku;Oferta;Desde;Hasta"}
			for i, cell := range c.cells {
				lines = append(lines, fmt.Sprintf("%d;20%%;%s;%s", i, cell[0], cell[1]))
			}
			// A row that keeps the export from being refused.
			records, res := converted(t, c.spec, append(lines, "z;20%;2026-01-01;2026-01-01")...)
			var got []string
			for _, r := range records[:len(c.cells)] {
				if r.Rejected {
					got = append(got, "-")
				} else {
					got = append(got, strings.Fields(offered([]Record{r})[0])[4])
				}
			}
			wantLines(t, "read", got, c.want...)
			var found []string
			for _, role := range []Role{RoleStart, RoleEnd} {
				col, _ := res.Header.Column(role)
				found = append(found, fmt.Sprintf("%s %s %d %s", col.Date, col.Proof, col.ProofRow, col.ProofColumn))
			}
			if s := strings.Join(found, " | "); s != c.found {
				t.Errorf("orders %q, want %q", s, c.found)
			}
			issues := slices.DeleteFunc(told(res.Issues), func(s string) bool { return strings.HasPrefix(s, string(catalog.PromoRead)) })
			wantLines(t, "issues", issues, c.issues...)
		})
	}
}

func TestMidnight(t *testing.T) {
	for _, c := range []struct {
		name   string
		ends   []string
		want   []string
		issues []string
	}{
		{"every end at 0:00 means the whole day", []string{"2026-05-08 00:00", "2026-05-09 0:00:00"}, []string{"2026-05-08 23:59:59", "2026-05-09 23:59:59"}, []string{"G-DATE-05 note 0  [Hasta]"}},
		{"days without a time need no telling", []string{"2026-05-08", "2026-05-09"}, []string{"2026-05-08 23:59:59", "2026-05-09 23:59:59"}, nil},
		{"days beside them don't make 0:00 a time", []string{"2026-05-08", "2026-05-09 00:00"}, []string{"2026-05-08 23:59:59", "2026-05-09 23:59:59"}, []string{"G-DATE-05 note 0  [Hasta]"}},
		{"where another time stands, 0:00 is one", []string{"2026-05-08 00:00", "2026-05-09 21:00", "2026-05-10"}, []string{"2026-05-08 00:00:00", "2026-05-09 21:00:00", "2026-05-10 23:59:59"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := []string{"sku;Precio oferta;Desde;Hasta"}
			for i, end := range c.ends {
				lines = append(lines, fmt.Sprintf("%d;10;2026-05-01 00:00;%s", i, end))
			}
			records, res := converted(t, promoSpec(), lines...)
			var got []string
			for _, r := range records {
				got = append(got, r.Promotion.End.String())
			}
			wantLines(t, "ends", got, c.want...)
			wantLines(t, "issues", told(res.Issues), c.issues...)
		})
	}
}

// A promotion that ends as it begins, because its end is at 0:00 where other ends are not, holds for no day.
func TestEndAsItBegins(t *testing.T) {
	records, res := converted(t, promoSpec(), "sku;Precio oferta;Desde;Hasta", "1;10;2026-05-08 00:00;2026-05-08 00:00", "2;10;2026-05-08;2026-05-08 21:00")
	wantLines(t, "records", offered(records), "2 A1 1/ rejected", "3 A1 2/ C 2026-05-08..2026-05-08 21:00:00 price=10")
	wantLines(t, "issues", told(res.Issues), "G-DATE-04 error 2 Hasta [2026-05-08 00:00:00|2026-05-08 00:00:00]")
}

func TestTypedPromotions(t *testing.T) {
	head := texts(1, "SKU", "Oferta", "Precio oferta", "% Descuento", "Desde", "Hasta", "Activa")
	// day is a date cell with the format dd/mm/yyyy.
	day := func(ref string, serial any) string { return fmt.Sprintf(`<c r="%s" s="3"><v>%v</v></c>`, ref, serial) }
	text := func(ref, s string) string {
		return fmt.Sprintf(`<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, ref, s)
	}
	row := func(n int, cells ...string) string {
		return fmt.Sprintf(`<row r="%d"><c r="A%d"><v>%d</v></c>%s</row>`, n, n, n, strings.Join(cells, ""))
	}
	for _, c := range []struct {
		name            string
		rows            string
		records, issues []string
	}{
		{
			"dates, numbers and shares as a spreadsheet has them",
			row(2, `<c r="C2"><v>990.5</v></c>`, day("E2", 46143), day("F2", 46150), `<c r="G2" t="b"><v>0</v></c>`) +
				row(3, `<c r="D3" s="2"><v>0.2</v></c>`, day("E3", 46143), day("F3", 46150.875)) +
				row(4, `<c r="B4" s="2"><v>0.125</v></c>`, day("E4", 46143), day("F4", 46150)) +
				row(5, `<c r="B5"><v>990</v></c>`, day("E5", 46143), day("F5", 46150)) +
				row(6, `<c r="D6"><v>20</v></c>`, day("E6", 46143), day("F6", 46150)),
			[]string{
				"2 A1 2/ C 2026-05-01..2026-05-08 price=990.5 ended", "3 A1 3/ C 2026-05-01..2026-05-08 21:00:00 percent=20",
				"4 A1 4/ C 2026-05-01..2026-05-08 percent=12.5", "5 A1 5/ C 2026-05-01..2026-05-08 price=990",
				"6 A1 6/ C 2026-05-01..2026-05-08 percent=20",
			},
			[]string{"G-PROMO-03 note 4 Oferta [12.5%|strikethrough|||12.5]"},
		},
		{
			"what is none by its type",
			row(2, `<c r="B2"><v>20</v></c>`, day("E2", 46143), day("F2", 46150)) + row(3, day("B3", 46143), day("E3", 46143), day("F3", 46150)) +
				row(4, `<c r="C4" s="2"><v>0.2</v></c>`, day("E4", 46143), day("F4", 46150)) +
				row(5, `<c r="D5"><v>0.2</v></c>`, day("E5", 46143), day("F5", 46150)) +
				row(6, `<c r="C6"><v>5</v></c><c r="E6"><v>46143</v></c>`, day("F6", 46150)) +
				row(7, `<c r="C7"><v>5</v></c><c r="E7" t="e"><v>#N/A</v></c><c r="F7"><f>E7+7</f></c>`) +
				row(8, `<c r="B8" t="e"><v>#REF!</v></c>`, day("E8", 0.5), day("F8", 46150)) +
				row(9, `<c r="C9"><v>5</v></c><c r="E9"><v>20260501</v></c>`, day("F9", 46150)),
			[]string{
				"2 A1 2/ rejected", "3 A1 3/ rejected", "4 A1 4/ rejected", "5 A1 5/ rejected", "6 A1 6/ rejected", "7 A1 7/ rejected",
				"8 A1 8/ rejected", "9 A1 9/ C 2026-05-01..2026-05-08 price=5",
			},
			[]string{
				"G-PROMO-02 error 2 Oferta [20]", "G-PROMO-02 error 3 Oferta [2026-05-01]", "G-PRICE-06 error 4 Precio oferta [20%]",
				"G-PROMO-05 error 5 % Descuento [0.2]", "G-DATE-01 error 6 Desde [46143]", "G-CELL-01 error 7 Desde [#N/A]",
				"G-CELL-02 error 7 Hasta [=E7+7]", "G-CELL-01 error 8 Oferta [#REF!]", "G-DATE-01 error 8 Desde [12:00:00]",
			},
		},
		{
			// 46178 is 5 June, typed as 06/05 or made of 05/06 by a spreadsheet that takes the month first: beside texts it could not
			// make a date of nobody knows.
			"dates that a spreadsheet may have swapped",
			row(2, `<c r="C2"><v>5</v></c>`, day("E2", 46178), day("F2", 46203)) + row(3, `<c r="C3"><v>5</v></c>`, text("E3", "13/06/2026"), day("F3", 46203)) +
				row(4, `<c r="C4"><v>5</v></c>`, day("E4", 46178-30), day("F4", 46203)),
			[]string{"2 A1 2/ rejected", "3 A1 3/ C 2026-06-13..2026-06-30 price=5", "4 A1 4/ rejected"},
			[]string{"G-DATE-02 error 2 Desde [2026-06-05|Desde]", "G-DATE-02 error 4 Desde [2026-05-06|Desde]"},
		},
		{
			"dates that it has not",
			row(2, `<c r="C2"><v>5</v></c>`, day("E2", 46178), day("F2", 46203)) + row(3, `<c r="C3"><v>5</v></c>`, text("E3", "13/06/2026"), day("F3", 46203)) +
				row(4, `<c r="C4"><v>5</v></c>`, day("E4", 46200), day("F4", 46203)),
			[]string{"2 A1 2/ C 2026-06-05..2026-06-30 price=5", "3 A1 3/ C 2026-06-13..2026-06-30 price=5", "4 A1 4/ C 2026-06-27..2026-06-30 price=5"},
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			records, res := convertedFile(t, promoSpec(), workbook(t, "Hoja1", head+c.rows))
			wantLines(t, "records", offered(records), c.records...)
			wantLines(t, "issues", told(res.Issues), c.issues...)
		})
	}
}

func TestSheetByKind(t *testing.T) {
	prices := texts(1, "Código", "Precio") + texts(2, "p", "10")
	promos := texts(1, "Código", "Código de barras", "Precio", "Oferta", "Desde", "Hasta", "Activa", "Cant. máx.") +
		texts(2, "o", "95200019", "99", "3x2", "2026-05-01", "2026-05-08", "No", "3")
	bare := texts(1, "Código", "Oferta", "Desde", "Hasta", "Activa") + texts(2, "b", "3x2", "2026-05-01", "2026-05-08", "No")
	promotion := "2 A1 o/95200019 C 2026-05-01..2026-05-08 B2G1 free_item max=3 ended"
	for _, c := range []struct {
		name               string
		sheets             []string
		prices, promotions []string
		told               []string // of prices
	}{
		{"prices first", []string{"Precios", prices, "Promociones", promos}, []string{"2 A1 p/ price=10"}, []string{promotion}, nil},
		{"promotions first", []string{"Promociones", promos, "Precios", prices}, []string{"2 A1 p/ price=10"}, []string{promotion}, nil},
		{"one that is both", []string{"Promociones", promos}, []string{"2 A1 o/95200019 price=99 active=false max=3"}, []string{promotion}, nil},
		// What is active there is the promotion: to end it must not switch the article off.
		{
			"promotions without prices",
			[]string{"Promociones", bare},
			nil,
			[]string{"2 A1 b/ C 2026-05-01..2026-05-08 B2G1 free_item ended"},
			[]string{"G-HEAD-05 error 0  [Código|Oferta|Desde|Hasta|Activa]"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := workbook(t, c.sheets...)
			records, res := convertedFile(t, specFor(), path)
			wantLines(t, "prices", said(records), c.prices...)
			wantLines(t, "told of prices", told(res.Issues), c.told...)
			records, res = convertedFile(t, promoSpec(), path)
			wantLines(t, "promotions", offered(records), c.promotions...)
			wantLines(t, "told of promotions", told(res.Issues), "G-PROMO-03 note 2 Oferta [3x2|same_item_bundle|free_item|B2G1|]")
		})
	}
}

// TestStarters fills in the promotions starter of each language and reads it back without any configuration.
func TestStarters(t *testing.T) {
	for _, lang := range []string{"es", "pt", "en"} {
		t.Run(lang, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("..", "..", "templates", "init", lang+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var words struct {
				Yes, No    string
				Promotions struct {
					Sheet   string
					Columns map[string]struct{ Header, About string }
					Offers  [][2]string
				}
			}
			if err := json.Unmarshal(file, &words); err != nil {
				t.Fatal(err)
			}
			b := words.Promotions
			sheet, guide := table.BookSheet{Name: b.Sheet}, table.BookSheet{Name: "Guide", Columns: make([]table.BookColumn, 2)}
			for _, id := range []string{"store", "sku", "barcode", "product", "campaign", "offer", "price", "start", "end", "status"} {
				column := table.BookColumn{Header: b.Columns[id].Header}
				switch id {
				case "price":
					column.Kind = table.ColumnMoney
				case "start", "end":
					column.Kind = table.ColumnDay
				}
				sheet.Columns = append(sheet.Columns, column)
				guide.Rows = append(guide.Rows, []table.BookCell{{Text: b.Columns[id].Header}, {Text: b.Columns[id].About}})
			}
			add := func(offer, price, status string) {
				sheet.Rows = append(sheet.Rows, []table.BookCell{
					{Text: "001"},
					{Text: "A" + fmt.Sprint(len(sheet.Rows))},
					{Text: "9520000000011"},
					{Text: "X"},
					{Text: "Y"},
					{Text: offer},
					{Kind: table.Number, Text: price},
					{Kind: table.Date, Text: "2026-05-01"},
					{Kind: table.Date, Text: "2026-05-08"},
					{Text: status},
				})
			}
			add("", "990", words.Yes)
			want := []string{"2 A1 A0/9520000000011 Y 2026-05-01..2026-05-08 price=990"}
			for i, offer := range b.Offers {
				add(offer[0], "", words.No)
				guide.Rows = append(guide.Rows, []table.BookCell{{Text: offer[0]}, {Text: offer[1]}})
				reads := []string{"B2G1 free_item", "B1G1 free_item", "B1G1 percentage_value_off percent=50", "percent=20"}[i]
				want = append(want, fmt.Sprintf("%d A1 A%d/9520000000011 Y 2026-05-01..2026-05-08 %s ended", i+3, i+1, reads))
			}
			path := filepath.Join(t.TempDir(), "starter.xlsx")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := table.WriteBook(f, []table.BookSheet{sheet, guide}); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			records, res := convertedFile(t, specFor(promotions, func(s *Spec) { s.Source = VendorSource{Column: b.Columns["store"].Header} }), path)
			wantLines(t, "records", offered(records), want...)
			if n := res.Counts[catalog.PromoRead]; len(res.Issues) != n || n != len(b.Offers) {
				t.Errorf("issues:\n%s", strings.Join(told(res.Issues), "\n"))
			}
			if len(res.Header.Columns) != 9 {
				t.Errorf("%d columns of 9 were understood", len(res.Header.Columns))
			}
		})
	}
}

func TestInspectPromotions(t *testing.T) {
	_, columns, _ := inspectedLines(t, promoSpec(forAll),
		"Sucursal;SKU;Oferta;Precio oferta;Desde;Hasta;Precio;Motivo;Reason",
		"001;1;;1,5;05/06/2026;30/06/2026;3;a;b")
	wantLines(t, "columns", columns,
		"Sucursal|vendor|name|", "SKU|sku|name|", "Oferta|offer|name|", "Precio oferta|discounted_price|name|", "Desde|start_date|name|",
		"Hasta|end_date|name|", "Precio|||", "Motivo|reason||", "Reason|reason||")
	found, columns, _ := inspectedLines(t, promoSpec(forAll), "SKU;Precio oferta;Desde;Hasta", "1;1,5;05/06/2026;30/06/2026")
	wantLines(t, "columns", columns, "SKU|sku|name|", "Precio oferta|discounted_price|name|comma", "Desde|start_date|name|", "Hasta|end_date|name|")
	if c := found.Columns[2]; c.Date != DateDayFirst || c.Proof != "30/06/2026" || c.ProofRow != 2 || c.ProofColumn != "Hasta" {
		t.Errorf("start %+v", c)
	}
}

func TestCheckPromotions(t *testing.T) {
	long := strings.Repeat("x", maxLabel+1)
	for _, c := range []struct {
		name string
		spec Spec
		want string
	}{
		{"nothing wrong", promoSpec(func(s *Spec) {
			s.Reason = "overstock"
			s.Columns = map[string]Column{"start_date": {From: "Desde", Date: DateDayFirst}, "discounted_price": {Decimal: DecimalComma}, "offer": {Decimal: DecimalPoint}}
		}), ""},
		{"kind", specFor(func(s *Spec) { s.Kind = catalog.KindAssortment }), `kind: "assortment" is no kind of export; write catalog or promotions`},
		{
			"a field of the other kind", promoSpec(withColumn(RolePrice, Column{From: "Precio"})),
			"columns.price: not a field; the fields are sku, barcode, maximum_sales_quantity, campaign_name, reason, start_date, end_date, offer, " +
				"discounted_price, discount_percent, promotion_type, promotion_sub_type, bundle_details, bundle_discount, discount_usage_limit, " +
				"max_no_of_orders, campaign_status",
		},
		{
			"and the other way round", specFor(withColumn(RoleOffer, Column{From: "Oferta"})),
			"columns.offer: not a field; the fields are sku, barcode, price, active, quantity, maximum_sales_quantity",
		},
		{"an order of words", promoSpec(withColumn(RoleStart, Column{Date: "dmy"})), `columns.start_date.date: "dmy" is no order of day and month; write day-first or month-first`},
		{"dates of a price", promoSpec(withColumn(RoleOfferPrice, Column{Date: DateDayFirst})), "columns.discounted_price.date: discounted_price holds no dates; leave date out"},
		{"decimals of a date", promoSpec(withColumn(RoleEnd, Column{Decimal: DecimalComma})), "columns.end_date.decimal: end_date holds no numbers; leave decimal out"},
		{"a long name", promoSpec(func(s *Spec) { s.Campaign = long }), fmt.Sprintf("campaign: want one line of at most 100 characters, found %q", long[:60]+"…")},
		{"a reason of two lines", promoSpec(func(s *Spec) { s.Reason = "a\nb" }), `reason: want one line of at most 100 characters, found "a b"`},
	} {
		got := ""
		if err := c.spec.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
