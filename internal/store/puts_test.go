package store

import (
	"testing"
	"time"
)

// TestPuts links what the page put into a folder with the drop that it became.
func TestPuts(t *testing.T) {
	b := newTestStore(t)
	put := func(id, feed, name, sum string, after time.Duration) {
		t.Helper()
		b.ok(b.AddPut(t.Context(), Put{ID: id, Feed: feed, Name: name, SHA256: sum, Who: id + "'s", At: at(after)}))
	}
	put("second", "stock", "a.csv", "s1", time.Minute)
	put("first", "stock", "a.csv", "s1", 0)
	put("other", "stock", "a.csv", "s2", 0)
	put("elsewhere", "precios", "a.csv", "s1", 0)
	put("in vain", "stock", "b.csv", "s1", 0)
	b.ok(b.RemovePut(t.Context(), "in vain"))
	for _, one := range []struct {
		drop Drop
		want string
	}{
		{Drop{Seq: 1, Feed: "stock", Name: "b.csv", SHA256: "s1"}, ""},
		{Drop{Seq: 2, Feed: "stock", Name: "a.csv", SHA256: "s1"}, "first"},
		{Drop{Seq: 2, Feed: "stock", Name: "a.csv", SHA256: "s1"}, "first"}, // told twice after a crash
		{Drop{Seq: 3, Feed: "stock", Name: "a.csv", SHA256: "s1"}, "second"},
		{Drop{Seq: 4, Feed: "stock", Name: "a.csv", SHA256: "s1"}, ""},
	} {
		b.ok(b.Seen(t.Context(), one.drop))
		got, ok, err := b.PutOf(t.Context(), one.drop.Seq)
		if err != nil || got.ID != one.want || ok != (one.want != "") {
			t.Errorf("drop %d is %+v, %v, want %q", one.drop.Seq, got, err, one.want)
		}
	}
	b.ok(b.RemovePut(t.Context(), "first")) // it is a drop: too late
	if got, ok, err := b.Put(t.Context(), "first"); err != nil || !ok || got.Seq != 2 || got.Who != "first's" {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
	open, err := b.OpenPuts(t.Context())
	if err != nil || len(open) != 2 || open[0].ID != "elsewhere" || open[1].ID != "other" {
		t.Errorf("open: %+v, %v", open, err)
	}
	var who []string
	b.ok(b.Entries(t.Context(), time.Time{}, EntryDrop, func(e Entry) error {
		who = append(who, e.Facts.Who)
		return nil
	}))
	if len(who) != 4 || who[0] != "" || who[1] != "first's" || who[2] != "second's" || who[3] != "" {
		t.Errorf("the ledger says %q", who)
	}
	b.ok(b.ForgetPuts(t.Context(), at(time.Second)))
	if _, ok, err := b.Put(t.Context(), "first"); err != nil || ok {
		t.Errorf("an old row is still there: %v", err)
	}
	if _, ok, err := b.Put(t.Context(), "second"); err != nil || !ok {
		t.Errorf("a younger row is gone: %v", err)
	}
}
