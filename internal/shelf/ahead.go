package shelf

import (
	"iter"
	"sync/atomic"
)

// How far is read ahead: a batch is large enough that handing it on costs nothing beside reading its records.
const (
	aheadRecords = 256
	aheadBatches = 3 // one is read into, one waits, one is worked on
)

// ahead hands out values of which a goroutine makes the next ones while somebody works on the last: reading records takes about as long
// as what is done with them. It must be stopped.
type ahead[T any] struct {
	full, empty chan []T
	stopped     chan struct{}
	done        chan struct{} // closed when nothing is made any more

	now []T
	at  int
}

// readAhead begins to make the values of seq.
func readAhead[T any](seq iter.Seq[T]) *ahead[T] {
	a := &ahead[T]{
		full: make(chan []T, aheadBatches), empty: make(chan []T, aheadBatches),
		stopped: make(chan struct{}), done: make(chan struct{}),
	}
	for range aheadBatches {
		a.empty <- make([]T, 0, aheadRecords)
	}
	go a.make(seq)
	return a
}

// make fills batches.
func (a *ahead[T]) make(seq iter.Seq[T]) {
	defer close(a.done)
	defer close(a.full)
	batch := <-a.empty
	for v := range seq {
		if batch = append(batch, v); len(batch) < aheadRecords {
			continue
		}
		a.full <- batch // there is room for every batch there is
		select {
		case batch = <-a.empty:
		case <-a.stopped:
			return
		}
	}
	a.full <- batch
}

// next returns the next value, false behind the last one.
func (a *ahead[T]) next() (v T, ok bool) {
	for a.at >= len(a.now) {
		if a.now != nil {
			clear(a.now)
			a.empty <- a.now[:0]
		}
		if a.now, ok = <-a.full; !ok {
			return v, false
		}
		a.at = 0
	}
	a.at++
	return a.now[a.at-1], true
}

// stop waits until nothing is made any more. It is called once.
func (a *ahead[T]) stop() {
	close(a.stopped)
	<-a.done
}

// behind works on values in a goroutine while somebody makes the next ones, in their order. It must be finished.
type behind[T any] struct {
	full, empty chan []T
	failed      atomic.Bool   // err is there
	done        chan struct{} // closed when all is worked on
	err         error         // what ended the work; owned by the goroutine until done

	now []T
}

// workBehind begins to do something with the values that are put.
func workBehind[T any](do func(T) error) *behind[T] {
	b := &behind[T]{full: make(chan []T, aheadBatches), empty: make(chan []T, aheadBatches), done: make(chan struct{})}
	for range aheadBatches {
		b.empty <- make([]T, 0, aheadRecords)
	}
	b.now = <-b.empty
	go b.work(do)
	return b
}

// work empties batches, of what comes behind an error without a look.
func (b *behind[T]) work(do func(T) error) {
	defer close(b.done)
	for batch := range b.full {
		for i := 0; i < len(batch) && b.err == nil; i++ {
			if b.err = do(batch[i]); b.err != nil {
				b.failed.Store(true)
			}
		}
		clear(batch)
		b.empty <- batch[:0]
	}
}

// put hands a value on. It returns what has ended the work, as soon as that is known; finish tells for sure.
func (b *behind[T]) put(v T) error {
	if b.failed.Load() {
		return b.finish()
	}
	if b.now = append(b.now, v); len(b.now) == aheadRecords {
		b.full <- b.now
		b.now = <-b.empty
	}
	return nil
}

// finish waits until all values are worked on and returns the first error. It may be called again.
func (b *behind[T]) finish() error {
	if b.now != nil {
		b.full <- b.now
		b.now = nil
		close(b.full)
	}
	<-b.done
	return b.err
}

// beside does something with the values that from puts, in a goroutine while from makes the next ones. It returns when all is done, with
// the error of from, or else what ended the doing.
func beside[T any](do func(T) error, from func(put func(T) error) error) (err error) {
	b := workBehind(do)
	defer func() {
		if derr := b.finish(); err == nil {
			err = derr
		}
	}()
	return from(b.put)
}

// readRecord is a record, or what ended the reading.
type readRecord struct {
	record Record
	err    error
}

// Records yields the records of a file in their order, the last time with what ended them early, if anything did.
func (f Files) Records(d Digest) iter.Seq2[Record, error] {
	return f.overlaid([]Digest{d})
}

// overlaid is Records of a stack.
func (f Files) overlaid(stack []Digest) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		a := readAhead(f.records(stack))
		defer a.stop()
		for r, ok := a.next(); ok && yield(r.record, r.err); r, ok = a.next() {
		}
	}
}

// records yields the records of a stack, of which the last may be what ended them early.
func (f Files) records(stack []Digest) iter.Seq[readRecord] {
	return func(yield func(readRecord) bool) {
		o, err := f.Overlay(stack)
		if err != nil {
			yield(readRecord{err: err})
			return
		}
		defer func() { _ = o.Close() }() // it was only read
		for o.Next() {
			if !yield(readRecord{record: o.Record()}) {
				return
			}
		}
		if err := o.Err(); err != nil {
			yield(readRecord{err: err})
		}
	}
}
