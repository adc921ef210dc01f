package shelf

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStanding(t *testing.T) {
	files := newTestFiles(t)
	held, sent := write(t, files, costing("a", 1000, "b", 2000, "new", 5)), write(t, files, costing("a", 10, "b", 20, "c", 30))
	before, after, err := files.Standing([]Digest{held}, []Digest{sent}, write(t, files, costing("a", 11, "c", 31)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		file Digest
		want table
	}{{"before", before, costing("a", 10, "b", 20)}, {"after", after, costing("b", 20)}} {
		got := table{}
		for _, r := range read(t, files, []Digest{tc.file}) {
			got[r.Key] = r
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	if before, after, err = files.Standing(nil, []Digest{sent}, sent); err != nil || before+after != "" {
		t.Errorf("nothing held: %q, %q, %v", before, after, err)
	}
}
