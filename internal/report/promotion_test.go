package report

import (
	"strings"
	"testing"

	"gondola/internal/catalog"
)

func promotionsBase(t *testing.T, lang string) Answer {
	a := base(t, lang)
	a.Kind, a.Name, a.Feed, a.Seq = catalog.KindPromotions, "promos noviembre.xlsx", "promos", 31
	a.Reading = Reading{
		Sheet: "Promos", HeaderRow: 1,
		Columns: []Column{
			{Role: "sku", Header: "Código"},
			{Role: "start_date", Header: "Desde", Date: "day-first"},
			{Role: "end_date", Header: "Hasta", Date: "day-first", Proof: "30/11/2026", ProofRow: 4},
			{Role: "offer", Header: "Promo"},
			{Role: "discounted_price", Header: "Precio oferta", Decimal: "comma", Proof: "99,90", ProofRow: 5},
		},
	}
	return a
}

// promotions is an export of promotions in which everything happens that can.
func promotions(t *testing.T, lang string) Answer {
	a := promotionsBase(t, lang)
	a.Verdict, a.Rows, a.RowsRejected = AcceptedWithIssues, 140, 11
	read := func(n int, text, kind, benefit, details, value string) {
		a.Issues = append(a.Issues, row(catalog.PromoRead, catalog.Note, n, "Promo", text, kind, benefit, details, value))
	}
	read(2, "3x2", "same_item_bundle", "free_item", "B2G1", "")
	read(3, "2 x 1", "same_item_bundle", "free_item", "B1G1", "")
	read(6, "2da al 40%", "same_item_bundle", "percentage_value_off", "B1G1", "40")
	read(7, "3ra al 50%", "same_item_bundle", "percentage_value_off", "B2G1", "50")
	read(9, "-12,5%", "strikethrough", "", "", "12.5")
	a.Issues = append(a.Issues,
		row(catalog.DateMidnight, catalog.Note, 0, "", "Hasta"),
		row(catalog.DateText, catalog.Error, 11, "Desde", "31/02/2026"),
		row(catalog.DateAmbiguous, catalog.Error, 12, "Desde", "05/06/2026", "Desde"),
		row(catalog.DateMissing, catalog.Error, 13, "Hasta", "end_date"),
		row(catalog.DateOrder, catalog.Error, 14, "Hasta", "2026-12-10 09:30:00", "2026-12-08 23:59:59"),
		row(catalog.PromoMissing, catalog.Error, 15, ""),
		row(catalog.PromoText, catalog.Error, 16, "Promo", "2x"),
		row(catalog.PromoBoth, catalog.Error, 17, "", "3x2", "99,90"),
		row(catalog.PromoPercent, catalog.Error, 18, "Promo", "-120%"),
		row(catalog.PromoField, catalog.Error, 19, "Tipo", "promotion_type", "combo"),
		row(catalog.PromoLimit, catalog.Error, 20, "Máx. pedidos", "max_no_of_orders", "varios"),
		row(catalog.PromoCampaign, catalog.Error, 21, "Campaña", strings.Repeat("Semana del asado ", 8)),
		row(catalog.PromoOverlap, catalog.Warning, 40, "", "LS-33", "22"),
		row(catalog.PromoNotBelow, catalog.Error, 41, "", "99.9", "95", "Centro"),
		row(catalog.PromoNotBelow, catalog.Error, 42, "", "1299.5", "1299.5", "Puerto"),
		row(catalog.PromoNoPrice, catalog.Warning, 43, "", "LS-90", "Centro"),
		row(catalog.PromoUnknown, catalog.Warning, 44, "", "LS-91", "Puerto"),
		row(catalog.PromoOver, catalog.Warning, 45, "", "2026-11-20 23:59:59"),
		row(catalog.RowConflict, catalog.Warning, 46, "", "LS-33", "22"),
		row(catalog.RowSwitchSkipped, catalog.Warning, 0, "", "2"),
	)
	a.Stores = []StoreAnswer{
		{ID: "290056", Name: "Centro", Next: at(t, 16, 5), Changes: Changes{Started: 12, Ended: 3, Changed: 2, Same: 1500}},
		{ID: "290057", Name: "Puerto", Next: at(t, 16, 5), Withheld: 2, Changes: Changes{Started: 1, Ended: 1, Changed: 1, Same: 1}},
		{ID: "290058", Name: "Norte", Unchanged: true, Changes: Changes{Same: 117}},
	}
	return a
}

// promotionsSent is an export of promotions some of which wait for the end of others.
func promotionsSent(t *testing.T, lang string) Answer {
	a := promotionsBase(t, lang)
	a.Verdict, a.Rows, a.Updated = Accepted, 20, at(t, 17, 2)
	a.Stores = []StoreAnswer{
		{
			ID: "290056", Name: "Centro", Changes: Changes{Started: 1, Ended: 3, Changed: 2}, Waiting: 3,
			Sent: at(t, 16, 5), Verified: at(t, 16, 6),
		},
		{ID: "290057", Name: "Puerto", Changes: Changes{Started: 1, Ended: 1}, Waiting: 1, Sent: at(t, 16, 5)},
		{ID: "290058", Name: "Norte", Changes: Changes{Changed: 4}, Superseded: true},
	}
	return a
}

func TestOffer(t *testing.T) {
	for _, c := range []struct{ args, es, pt, en string }{
		{
			"3x2|same_item_bundle|free_item|B2G1|", "de cada 3 unidades se pagan 2",
			"de cada 3 unidades o cliente paga 2", "2 of every 3 units are paid for",
		},
		{
			"2x1|same_item_bundle|free_item|B1G1|", "de cada 2 unidades se paga 1",
			"de cada 2 unidades o cliente paga 1", "1 of every 2 units is paid for",
		},
		{
			"2da al 40%|same_item_bundle|percentage_value_off|B1G1|40", "de cada 2 unidades, la segunda tiene 40% de descuento",
			"de cada 2 unidades, a segunda tem 40% de desconto", "of every 2 units, the second one is 40% off",
		},
		{
			"3ra al 33,5|same_item_bundle|percentage_value_off|B2G1|33.5%", "de cada 3 unidades, la tercera tiene 33,5% de descuento",
			"de cada 3 unidades, a terceira tem 33,5% de desconto", "of every 3 units, the third one is 33.5% off",
		},
		{
			"x|same_item_bundle|percentage_value_off|B4G1|10", "de cada 5 unidades, la última tiene 10% de descuento",
			"de cada 5 unidades, a última tem 10% de desconto", "of every 5 units, the last one is 10% off",
		},
		{
			"x|same_item_bundle|percentage_value_off|B3G2|10", "de cada 5 unidades, las últimas 2 tienen 10% de descuento",
			"de cada 5 unidades, as últimas 2 têm 10% de desconto", "of every 5 units, the last 2 are 10% off",
		},
		{
			"x|same_item_bundle|absolute_value_off|B1G1|10.5", "de cada 2 unidades, la segunda tiene 10,50 de descuento",
			"de cada 2 unidades, a segunda tem 10,50 de desconto", "of every 2 units, the second one is 10.50 off",
		},
		{
			"x|same_item_bundle|absolute_value_off|B1G2|10", "de cada 3 unidades, las últimas 2 tienen 10 de descuento",
			"de cada 3 unidades, as últimas 2 têm 10 de desconto", "of every 3 units, the last 2 are 10 off",
		},
		{
			"-20%|strikethrough|||20", "el artículo cuesta 20% menos que su precio normal",
			"o produto custa 20% menos que o preço normal", "the article costs 20% less than its normal price",
		},
		{
			"20 off|strikethrough|||20", "el artículo cuesta 20% menos que su precio normal",
			"o produto custa 20% menos que o preço normal", "the article costs 20% less than its normal price",
		},
		{
			"$ 20%|strikethrough|||20%", "el artículo cuesta 20% menos que su precio normal",
			"o produto custa 20% menos que o preço normal", "the article costs 20% less than its normal price",
		},
		{"a $ 99,90|strikethrough|||99.90", "el artículo cuesta 99,90", "o produto custa 99,90", "the article costs 99.90"},
		// Whatever else comes is at least shown.
		{"x|same_item_bundle|free_item|B2|", "same_item_bundle, free_item, B2", "same_item_bundle, free_item, B2", "same_item_bundle, free_item, B2"},
		{"x|same_item_bundle|gift|B2G1|7", "same_item_bundle, gift, B2G1, 7", "same_item_bundle, gift, B2G1, 7", "same_item_bundle, gift, B2G1, 7"},
		{"x|strikethrough", "strikethrough", "strikethrough", "strikethrough"},
		{"x|raffle", "raffle", "raffle", "raffle"},
		{"x", "…", "…", "…"},
	} {
		for lang, want := range map[string]string{Spanish: c.es, Portuguese: c.pt, English: c.en} {
			w := newWords(lang)
			got := phrase{w: w, args: strings.Split(c.args, "|")}.Offer(0)
			if got != want || w.err != nil {
				t.Errorf("%s %s: %q, %v, want %q", lang, c.args, got, w.err, want)
			}
		}
	}
}

func TestPromotionSentences(t *testing.T) {
	for _, c := range []struct {
		lang, want string
		is         catalog.Issue
	}{
		// A day that counts whole needs no time; a clock on a wall is in no zone.
		{Spanish, "Terminó el 08/05/2026; no se envía.", row(catalog.PromoOver, catalog.Warning, 4, "", "2026-05-08 23:59:59")},
		{Spanish, "Terminó el 08/05/2026 00:00; no se envía.", row(catalog.PromoOver, catalog.Warning, 4, "", "2026-05-08 00:00:00")},
		{English, "It ended on 8 May 2026 21:30:15; it is not sent.", row(catalog.PromoOver, catalog.Warning, 4, "", "2026-05-08 21:30:15")},
		{Portuguese, "Terminou em ayer; não é enviada.", row(catalog.PromoOver, catalog.Warning, 4, "", "ayer")},
		{
			Portuguese, "Começa em 10/05/2026 e termina antes, em 08/05/2026.",
			row(catalog.DateOrder, catalog.Error, 4, "", "2026-05-10 00:00:00", "2026-05-08 23:59:59"),
		},
		{
			English, "It starts on 10 May 2026 09:00 and ends before that, on 10 May 2026 08:00.",
			row(catalog.DateOrder, catalog.Error, 4, "", "2026-05-10 09:00:00", "2026-05-10 08:00:00"),
		},
		{
			Spanish, "“05/06/2026” puede ser el 5 de junio o el 6 de mayo, y las demás fechas de “Desde” no lo aclaran.",
			row(catalog.DateAmbiguous, catalog.Error, 4, "", "05/06/2026", "Desde"),
		},
		{
			English, "“1-12-26 9:00” can be 1 December or 12 January, and the other dates of “From” do not tell.",
			row(catalog.DateAmbiguous, catalog.Error, 4, "", "1-12-26 9:00", "From"),
		},
		{
			Portuguese, "“0506” pode ser uma data que começa pelo dia ou pelo mês, e as outras datas de “Início” não esclarecem.",
			row(catalog.DateAmbiguous, catalog.Error, 4, "", "0506", "Início"),
		},
		{
			Spanish, "“combo” no sirve como tipo de promoción; la plataforma conoce strikethrough, same_item_bundle.",
			row(catalog.PromoField, catalog.Error, 4, "", "promotion_type", "combo"),
		},
		{
			English, "“gift” can't be used as kind of benefit; the platform knows free_item, percentage_value_off, absolute_value_off.",
			row(catalog.PromoField, catalog.Error, 4, "", "promotion_sub_type", "gift"),
		},
		{
			English, "“3x2” can't be used as quantities of the offer; the platform knows B2G1, B1G1.",
			row(catalog.PromoField, catalog.Error, 4, "", "bundle_details", "3x2"),
		},
		{Spanish, "“x” no sirve como motivo.", row(catalog.PromoField, catalog.Error, 4, "", "reason", "x")},
		{
			Spanish, "En Centro no se envía: la oferta de 99,90 no es menor que el precio normal de 95.",
			row(catalog.PromoNotBelow, catalog.Error, 4, "", "99.9", "95", "Centro"),
		},
		{
			English, "It is not sent: the offer of 1,299.00 is not below the normal price of 999.",
			row(catalog.PromoNotBelow, catalog.Error, 4, "", "1299.00", "999"),
		},
		{English, "The article LS-91 is not in the catalogue.", row(catalog.PromoUnknown, catalog.Warning, 4, "", "LS-91")},
	} {
		if what, _ := Sentence(c.lang, c.is); what != c.want {
			t.Errorf("%s %s:\n got %q\nwant %q", c.lang, c.is.Code, what, c.want)
		}
	}
}

// One row for each article is right in a catalogue, and one for each promotion in an export of those.
func TestSentenceForPromotions(t *testing.T) {
	is := row(catalog.RowConflict, catalog.Warning, 9, "", "LS-33", "7")
	for kind, want := range map[catalog.Kind]string{
		catalog.KindCatalog:    "Keep only one row for each article.",
		catalog.KindPromotions: "Keep only one row for each promotion.",
		"":                     "Keep only one row for each article.",
	} {
		if _, do := SentenceFor(English, kind, is); do != want {
			t.Errorf("%q: %q, want %q", kind, do, want)
		}
	}
}

func TestStorePromotions(t *testing.T) {
	for _, c := range []struct {
		name  string
		store StoreAnswer
		want  []string
	}{
		{"none", StoreAnswer{}, nil},
		{"one each", StoreAnswer{Changes: Changes{Started: 1, Ended: 1}}, []string{"Promotions: 1 starts, 1 ends."}},
		{"several", StoreAnswer{Changes: Changes{Started: 1200, Ended: 2}}, []string{"Promotions: 1,200 start, 2 end."}},
		{"one changes", StoreAnswer{Changes: Changes{Changed: 1}}, []string{
			"Promotions: 1 changes.",
			"The one that changes ends first and starts again, with the new data, once the platform has read that it ended.",
		}},
		{"two change", StoreAnswer{Changes: Changes{Changed: 2}}, []string{
			"Promotions: 2 change.",
			"Those that change end first and start again, with the new data, once the platform has read that they ended.",
		}},
		{"they wait", StoreAnswer{Changes: Changes{Changed: 2}, Waiting: 2}, []string{
			"Promotions: 2 change.",
			"2 promotions wait: they start once the platform has read that the one before, of the same article, ended. Nothing needs to be done.",
		}},
		{"nothing will come of it", StoreAnswer{Changes: Changes{Changed: 2}, Waiting: 1, Superseded: true}, []string{"Promotions: 2 change."}},
	} {
		r := receipt{words: newWords(English)}
		got := r.promotions(c.store)
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") || r.words.err != nil {
			t.Errorf("%s: %q, %v, want %q", c.name, got, r.words.err, c.want)
		}
	}
}

// Articles and promotions of one store are told of in two sentences: brands that hold both in one file have both.
func TestTextTellsArticlesAndPromotions(t *testing.T) {
	a := base(t, Spanish)
	a.Verdict = Accepted
	a.Stores = []StoreAnswer{{ID: "1", Changes: Changes{PriceUp: 3, Ended: 1, Same: 2}}}
	got, err := Text(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Cambios: 3 suben de precio.", "Promociones: 1 termina.", "2 artículos quedan igual."} {
		if !strings.Contains(got, want) {
			t.Errorf("receipt does not say %q:\n%s", want, got)
		}
	}
}

func TestColumnsTellTheirProof(t *testing.T) {
	for _, c := range []struct {
		column Column
		want   string
	}{
		{Column{Role: "start_date", Header: "Desde", Date: "day-first"}, "fecha de inicio = “Desde” (día/mes/año)"},
		{
			Column{Role: "end_date", Header: "Hasta", Date: "month-first", Proof: "11/30/2026", ProofRow: 4},
			"fecha de fin = “Hasta” (mes/día/año, como muestra “11/30/2026” en la fila 4)",
		},
		{
			Column{Role: "price", Header: "Precio", Decimal: "point", Proof: "1,299.50", ProofRow: 9},
			"precio = “Precio” (decimales con punto, como muestra “1,299.50” en la fila 9)",
		},
		{Column{Role: "start_date", Header: "Desde"}, "fecha de inicio = “Desde”"},
		{Column{Role: "start_date", Header: "Desde", Date: "year-first"}, "fecha de inicio = “Desde”"},
	} {
		r := receipt{words: newWords(Spanish), answer: Answer{Reading: Reading{Columns: []Column{c.column}}}}
		if got := r.columns(); got != c.want || r.words.err != nil {
			t.Errorf("%+v: %q, %v, want %q", c.column, got, r.words.err, c.want)
		}
	}
}
