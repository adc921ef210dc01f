package web

import "time"

// fullStory has something of everything.
func fullStory() Story {
	at := time.Date(2026, 11, 26, 17, 5, 0, 0, time.UTC)
	price := func(text string) []Says {
		return []Says{{Values: []Value{{Name: "price", Text: text, Amount: true}, {Name: "active", Text: "true"}, {Name: "quantity", Text: "12"}}}}
	}
	arrived := StoryDocument{
		Delivery: Delivery{
			Name: "catalog/gondola_290056.csv", State: "taken", Rows: 2, Planned: at.Add(-time.Hour), Began: at.Add(-time.Hour), Verified: at.Add(-time.Hour),
			Proof: "digest", Fate: "taken",
		},
		Says: price("1199.9"), SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Whole: true,
	}
	before := StoryDocument{Delivery: Delivery{Name: "catalog/gondola_290056.csv", State: "queued", Planned: at}, Says: price("1100"), SHA256: "2c26b46b"}
	return Story{
		Key: "0042", At: at,
		Shelves: []StoryShelf{
			{
				Store: "Centro", Shelf: "catalog", Wanted: price("1234.5"), Sent: price("1199.9"),
				Next: &StoryNext{Differs: true, Says: price("1234.5"), Unsettled: true, Waiting: 1, Withheld: 1},
				Pending: []StorySource{
					{Feed: "precios", Drop: 14, Name: "precios.xlsx", Came: at, State: "held", Says: price("12.34"), Issues: []string{"Precios que cambian demasiado"}},
				},
				Sources: []StorySource{
					{Name: "", Came: at, State: "counts", Says: []Says{{Values: []Value{{Name: "active", Text: "false"}}}}, Wins: []string{"active"}, Note: "gondola on undoes it"},
					{
						Feed: "precios", Drop: 12, Name: "precios <b>.xlsx", Came: at.Add(-time.Hour), State: "counts", Says: price("1234.5"), Wins: []string{"price"},
						Rows: []StoryRow{{
							Drop: 12, Sheet: "Hoja 1", Row: 17,
							Cells: []StoryCell{{"A17", "Cód. Artículo", "sku", "0042"}, {"C17", "Precio c/IVA", "price", "1.143,06"}},
							Steps: []StoryStep{{"read", "price", "1.143,06", "1143.06"}, {"price.markup", "price", "1143.06", "1234.50"}},
						}},
					},
					{
						Feed: "stock", Drop: 9, Name: "stock.csv", State: "counts", Says: []Says{{Missing: true}},
						Rows: []StoryRow{{Drop: 9, Row: 3, Rejected: true, Issues: []string{"“x” no es una cantidad."}}, {Drop: 9, Row: 4, Excluded: true}},
					},
				},
				Refused:   []Refusal{{Reason: "Product <not> found", Drop: 12, Row: 17, At: at}},
				Documents: []StoryDocument{arrived}, Before: &before,
			},
			{Shelf: "promotions", Next: &StoryNext{Held: true}},
		},
	}
}
