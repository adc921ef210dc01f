package shelf

import (
	"slices"
	"testing"

	"go.uber.org/goleak"
)

// TestReadAhead hands out what it is given, in order, whatever number of batches that fills, and stops where nobody wants more.
func TestReadAhead(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, n := range []int{0, 1, aheadRecords - 1, aheadRecords, aheadRecords + 1, 5*aheadRecords + 3} {
		for _, wanted := range []int{0, 1, n / 2, n, n + 5} {
			made := 0
			a := readAhead(func(yield func(int) bool) {
				for i := range n {
					if made++; !yield(i) {
						return
					}
				}
			})
			var got []int
			for range wanted {
				v, ok := a.next()
				if !ok {
					break
				}
				got = append(got, v)
			}
			a.stop()
			want := make([]int, min(n, wanted))
			for i := range want {
				want[i] = i
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d of %d: got %v", wanted, n, got)
			}
			if most := wanted + (aheadBatches+1)*aheadRecords; made > most {
				t.Errorf("%d of %d: made %d, want at most %d", wanted, n, made, most)
			}
		}
	}
}
