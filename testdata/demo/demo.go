// Package demo holds the sample exports of three stores, what the platform knows before them, and what its shelves must be after them.
// It embeds the files and knows nothing about them; README.md beside it says what is in each.
package demo

import "embed"

// Files are the samples, under their names in this folder: precios.csv, stock_*.csv, stock_*.xlsx, promociones.xlsx, pedidos.txt, platform.json,
// expected.json, shelf/<vendor>.json and promotions/<vendor>.json.
//
//go:embed precios.csv stock_*.csv *.xlsx pedidos.txt platform.json expected.json shelf/*.json promotions/*.json
var Files embed.FS
