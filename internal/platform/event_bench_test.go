package platform

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParseEvent reads an order of twenty lines, as most events are.
func BenchmarkParseEvent(b *testing.B) {
	var items []string
	for i := range 20 {
		items = append(items, fmt.Sprintf(`{"_id":"1-%d","sku":"%08d","name":"Galletitas de limón","barcode":["7501234567890"],"pricing":{"quantity":%d,`+
			`"unit_price":%d.5,"pricing_type":"UNIT"},"status":"IN_CART","comment":""}`, i, i, i%3+1, 90+i))
	}
	body := fmt.Appendf(nil, `{"order_id":"bench-1","external_order_id":"1","status":"RECEIVED","client":{"store_id":"290000"},"customer":{"first_name":`+
		`"Sentinela"},"payment":{"order_total":12.5},"items":[%s],"sys":{"created_at":"2026-11-22T12:00:00Z"}}`, strings.Join(items, ","))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if e, err := ParseEvent(body); err != nil || len(e.Order.Items) != 20 {
			b.Fatal(err)
		}
	}
}
