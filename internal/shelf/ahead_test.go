package shelf

import (
	"errors"
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

// TestBehind works on all values in their order, whatever number of batches they fill, and on none behind an error, of which who makes
// them hears before long.
func TestBehind(t *testing.T) {
	defer goleak.VerifyNone(t)
	broken := errors.New("broken")
	for _, n := range []int{0, 1, aheadRecords - 1, aheadRecords, aheadRecords + 1, 10*aheadRecords + 7} {
		for _, fails := range []int{-1, 0, aheadRecords + 5} {
			var done []int
			b := workBehind(func(v int) error {
				if v == fails {
					return broken
				}
				done = append(done, v)
				return nil
			})
			told := false
			for i := range n {
				err := b.put(i)
				if err != nil && !errors.Is(err, broken) || err == nil && told {
					t.Errorf("%d values, failing at %d: put %d: %v", n, fails, i, err)
				}
				told = err != nil
			}
			if long := n > fails+(aheadBatches+2)*aheadRecords && fails >= 0; long != told && (long || fails < 0) {
				t.Errorf("%d values, failing at %d: whoever puts them was told: %v", n, fails, told)
			}
			want, wantErr := n, error(nil)
			if fails >= 0 && fails < n {
				want, wantErr = fails, broken
			}
			for range 2 { // asked again, it says the same
				if err := b.finish(); !errors.Is(err, wantErr) {
					t.Errorf("%d values: %v, want %v", n, err, wantErr)
				}
			}
			if len(done) != want || want > 0 && (done[0] != 0 || !slices.IsSorted(done)) {
				t.Errorf("%d values, failing at %d: %d were worked on, want %d", n, fails, len(done), want)
			}
		}
	}
}
