package daemon

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// priceList returns an export with rows for the two stores of a live house.
func priceList(rows, factor int) string {
	var b strings.Builder
	b.WriteString("Sucursal;Código;Descripción;Precio;Activo\n")
	for i := range rows {
		fmt.Fprintf(&b, "00%d;A%05d;Artículo de prueba %d;%d,%02d;S\n", 1+i%2, i/2, i, factor*(1+i%900), i%100)
	}
	return b.String()
}

// TestPreviewInTime measures how long a preview takes beside an export of the same size that counts already.
func TestPreviewInTime(t *testing.T) {
	d := newDropSite(t, liveOptions{})
	sizes := []int{10_000, 100_000}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, rows := range sizes {
		name := fmt.Sprintf("precios%d.csv", rows)
		d.put(name, priceList(rows, 1))
		d.await("the export to count", func() bool { return d.receipt(name) != "" })
		start := time.Now()
		code, page := d.upload("", text("precios.csv", priceList(rows, 2)))
		took := time.Since(start)
		t.Logf("%d rows: previewed in %v", rows, took.Round(time.Millisecond))
		if code != http.StatusOK || !strings.Contains(words(page), "Los cambios de precio más grandes") && !strings.Contains(words(page), "No dio el tiempo") {
			t.Errorf("%d\n%s", code, words(page))
		}
		// What was not worked out in time is no worse to send.
		if code, _ := d.post("/drop/send", url.Values{"token": {d.token(page)}}); code != http.StatusOK {
			t.Errorf("sent: %d", code)
		}
		d.await("the drop", func() bool {
			_, page := d.get("/drop")
			return strings.Contains(page, ">precios.csv<")
		})
	}
}
