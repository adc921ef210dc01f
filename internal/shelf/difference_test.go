package shelf

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"gondola/internal/catalog"
)

// TestDifferences walks two stacks that agree in some articles, have some each, and say otherwise of one.
func TestDifferences(t *testing.T) {
	files := Files{Dir: t.TempDir()}
	priced := func(key string, price catalog.Money) Record {
		return Record{Key: key, Item: catalog.Item{SKU: key, Set: catalog.Price, Price: price}}
	}
	before := writeAll(t, files, []table{
		{"A": priced("A", 1000), "B": priced("B", 1000), "C": priced("C", 1000)}, {"B": priced("B", 2000)},
	})
	after := writeAll(t, files, []table{{"A": priced("A", 1000), "B": priced("B", 3000), "D": priced("D", 1000)}})
	var got []string
	err := files.Differences(before, after, func(before, after Record) error {
		got = append(got, fmt.Sprintf("%s %v -> %s %v", before.Key, before.Item.Price, after.Key, after.Item.Price))
		return nil
	})
	want := []string{
		fmt.Sprintf("B %v -> B %v", catalog.Money(2000), catalog.Money(3000)),
		fmt.Sprintf("C %v ->  %v", catalog.Money(1000), catalog.Money(0)),
		fmt.Sprintf(" %v -> D %v", catalog.Money(0), catalog.Money(1000)),
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	stop := errors.New("enough")
	if err := files.Differences(before, after, func(Record, Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("not stopped: %v", err)
	}
}
