package main

import (
	"encoding/json"
	"fmt"

	"gondola/internal/sandbox"
	samples "gondola/testdata/demo"
)

// demoSamples is what the demo begins with, and what must come of it.
type demoSamples struct {
	waves  [][]demoExport // one is dropped when what the one before asked for has arrived
	stores []demoStore
}

// demoExport is a file to be dropped.
type demoExport struct {
	name, dir string
	data      []byte
}

// demoStore is one store of the chain.
type demoStore struct {
	id, name, erpCode string

	before []sandbox.Article // what the platform knows at the start
	after  []shelfArticle    // what its shelf must be when all exports were sent
	offers []shelfPromotion  // what promotions it must have then
}

// loadSamples reads the samples, which are part of this program.
func loadSamples() (demoSamples, error) {
	s := demoSamples{
		waves: [][]demoExport{
			{
				{name: "precios.csv", dir: demoPrices},
				{name: "stock_001.csv", dir: demoStock},
				{name: "stock_002.xlsx", dir: demoStock},
				{name: "stock_003.csv", dir: demoStock},
			},
			// Offers are held against the prices, so these come first.
			{{name: "promociones.xlsx", dir: demoPromotions}},
		},
		stores: []demoStore{
			{id: "290056", name: "Centro", erpCode: "001"},
			{id: "290057", name: "Puerto", erpCode: "002"},
			{id: "s8ym", name: "Cordón", erpCode: "003"},
		},
	}
	for _, wave := range s.waves {
		for i := range wave {
			var err error
			if wave[i].data, err = samples.Files.ReadFile(wave[i].name); err != nil {
				return s, fmt.Errorf("read sample: %w", err)
			}
		}
	}
	data, err := samples.Files.ReadFile("platform.json")
	if err != nil {
		return s, fmt.Errorf("read sample: %w", err)
	}
	vendors, err := parseArticles(data)
	if err != nil {
		return s, fmt.Errorf("read sample platform.json: %w", err)
	}
	for i := range s.stores {
		store := &s.stores[i]
		for _, v := range vendors {
			if v.ID == store.id {
				store.before = v.Articles
			}
		}
		if store.after, err = loadGolden[shelfArticle]("shelf", store.id); err != nil {
			return s, err
		}
		if store.offers, err = loadGolden[shelfPromotion]("promotions", store.id); err != nil {
			return s, err
		}
	}
	return s, nil
}

// loadGolden reads what a store must have in the end.
func loadGolden[T any](what, store string) ([]T, error) {
	data, err := samples.Files.ReadFile(what + "/" + store + ".json")
	if err != nil {
		return nil, fmt.Errorf("read sample: %w", err)
	}
	var golden []T
	if err := json.Unmarshal(data, &golden); err != nil {
		return nil, fmt.Errorf("read sample %s of store %s: %w", what, store, err)
	}
	return golden, nil
}
