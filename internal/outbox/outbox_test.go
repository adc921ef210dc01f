package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// fakeQueue keeps deliveries in memory and logs every call, so that tests can look at the order of things.
type fakeQueue struct {
	mu       sync.Mutex
	due      []Delivery
	pending  []Pending
	hold     *Hold
	begun    map[int64]bool
	verified map[int64]Receipt
	deferred map[int64]string
	next     map[int64]time.Time
	parked   map[int64]Class
	fates    map[int64]Fate
	log      []string
	nextDue  time.Time

	begin func(id int64) (bool, error) // optional
	fail  string                       // this call fails
}

func newFakeQueue(due ...Delivery) *fakeQueue {
	return &fakeQueue{
		due: due, begun: map[int64]bool{}, verified: map[int64]Receipt{}, deferred: map[int64]string{},
		next: map[int64]time.Time{}, parked: map[int64]Class{}, fates: map[int64]Fate{},
	}
}

var errQueue = errors.New("disk on fire")

// call notes a call under the lock that the caller releases with the returned function.
func (q *fakeQueue) call(name string, id int64) (func(), error) {
	q.mu.Lock()
	q.log = append(q.log, fmt.Sprintf("%s %d", name, id))
	if q.fail == name {
		return q.mu.Unlock, errQueue
	}
	return q.mu.Unlock, nil
}

func (q *fakeQueue) Due(context.Context, time.Time) ([]Delivery, error) {
	done, err := q.call("due", 0)
	defer done()
	return slices.Clone(q.due), err
}

func (q *fakeQueue) Begin(_ context.Context, id int64, _ time.Time) (bool, error) {
	done, err := q.call("begin", id)
	defer done()
	if err != nil {
		return false, err
	}
	if q.begin != nil {
		return q.begin(id)
	}
	q.begun[id] = true
	return true, nil
}

func (q *fakeQueue) Verified(_ context.Context, id int64, r Receipt) error {
	done, err := q.call("verified", id)
	defer done()
	q.verified[id] = r
	return err
}

func (q *fakeQueue) Deferred(_ context.Context, id int64, next time.Time, class Class, text string) error {
	done, err := q.call("deferred", id)
	defer done()
	q.deferred[id], q.next[id] = string(class)+": "+text, next
	return err
}

func (q *fakeQueue) Parked(_ context.Context, id int64, class Class, _ string) error {
	done, err := q.call("parked", id)
	defer done()
	q.parked[id] = class
	return err
}

func (q *fakeQueue) Pending(context.Context, time.Time) ([]Pending, error) {
	done, err := q.call("pending", 0)
	defer done()
	return q.pending, err
}

func (q *fakeQueue) Fate(_ context.Context, id int64, fate Fate, _ time.Time) error {
	done, err := q.call("fate", id)
	defer done()
	q.fates[id] = fate
	return err
}

func (q *fakeQueue) Held(context.Context) (*Hold, error) {
	done, err := q.call("held", 0)
	defer done()
	return q.hold, err
}

func (q *fakeQueue) SetHold(_ context.Context, h *Hold) error {
	done, err := q.call("sethold", 0)
	defer done()
	q.hold = h
	return err
}

func (q *fakeQueue) Next(context.Context, time.Time) (time.Time, error) {
	done, err := q.call("next", 0)
	defer done()
	return q.nextDue, err
}

func (q *fakeQueue) note(what string, id int64) {
	done, _ := q.call(what, id)
	done()
}

// fakeRemote answers with its functions; those that are nil succeed.
type fakeRemote struct {
	q       *fakeQueue // its log is shared
	room    func(ctx context.Context, d Delivery) (leave func(), err error)
	replace func(ctx context.Context, d Delivery) (Receipt, error)
	look    func(name string) (Seen, error)
	sweep   func(folder string) error
	rest    func(ctx context.Context, folder string) error
	closed  atomic.Int32
}

func (r *fakeRemote) Room(ctx context.Context, d Delivery) (leave func(), err error) {
	if r.room != nil {
		return r.room(ctx, d)
	}
	return func() {}, ctx.Err()
}

func (r *fakeRemote) Replace(ctx context.Context, d Delivery) (Receipt, error) {
	r.q.note("replace", d.ID)
	if r.replace != nil {
		return r.replace(ctx, d)
	}
	return Receipt{Size: d.Size, Proof: ProofSize}, nil
}

func (r *fakeRemote) Look(_ context.Context, _, name string) (Seen, error) {
	r.q.note("look "+name, 0)
	if r.look != nil {
		return r.look(name)
	}
	return Seen{}, nil
}

func (r *fakeRemote) Sweep(_ context.Context, folder string, _ []string) (func(context.Context) error, error) {
	r.q.note("sweep "+folder, 0)
	rest := func(ctx context.Context) error {
		r.q.note("swept "+folder, 0)
		if r.rest != nil {
			return r.rest(ctx, folder)
		}
		return nil
	}
	if r.sweep != nil {
		return rest, r.sweep(folder)
	}
	return rest, nil
}

func (r *fakeRemote) Close() error { r.closed.Add(1); return nil }

func deliveries(n int) []Delivery {
	var ds []Delivery
	for i := range n {
		id := int64(i + 1)
		ds = append(ds, Delivery{ID: id, Target: fmt.Sprint("store", id), Folder: "catalog", Name: fmt.Sprintf("gondola_%d.csv", id), Size: 10 * id})
	}
	return ds
}

// newTestOutbox returns an outbox over fakes whose back-off has no randomness, and counts the dialling.
func newTestOutbox(q *fakeQueue, r *fakeRemote) (*Outbox, *int) {
	dials := new(int)
	r.q = q
	return &Outbox{
		Queue:   q,
		Dial:    func(context.Context) (Remote, error) { *dials++; return r, nil },
		Login:   func() (string, error) { return "login-1", nil },
		Now:     func() time.Time { return noon },
		Backoff: Backoff{Rand: func() float64 { return 0.5 }},
	}, dials
}

func flushed(t *testing.T, o *Outbox) Report {
	t.Helper()
	rep, err := o.Flush(t.Context())
	if err != nil {
		t.Fatalf("Flush: %v", err)
	}
	return rep
}

func TestFlushSends(t *testing.T) {
	q, r := newFakeQueue(deliveries(3)...), &fakeRemote{}
	q.nextDue = noon.Add(time.Hour)
	o, dials := newTestOutbox(q, r)
	rep := flushed(t, o)
	// Three targets go side by side, so they arrive in any order.
	slices.SortFunc(rep.Arrived, func(a, b Arrived) int { return int(a.Delivery.ID - b.Delivery.ID) })
	want := Report{Attempted: 3, Next: noon.Add(time.Hour)}
	for _, d := range deliveries(3) {
		want.Arrived = append(want.Arrived, Arrived{Delivery: d, Receipt: Receipt{Size: d.Size, Proof: ProofSize}})
	}
	if !cmp.Equal(rep, want) {
		t.Errorf("report: %s", cmp.Diff(want, rep))
	}
	if *dials != 1 || r.closed.Load() != 1 {
		t.Errorf("dialled %d, closed %d; want 1 and 1", *dials, r.closed.Load())
	}
	if n := count(q.log, "sweep catalog 0"); n != 1 {
		t.Errorf("folder swept %d times, want once", n)
	}
	for id := int64(1); id <= 3; id++ {
		b, rp, v := at(q.log, "begin", id), at(q.log, "replace", id), at(q.log, "verified", id)
		if b < 0 || b > rp || rp > v {
			t.Errorf("delivery %d: begin %d, replace %d, verified %d; want that order", id, b, rp, v)
		}
	}
}

func at(log []string, what string, id int64) int {
	return slices.Index(log, fmt.Sprintf("%s %d", what, id))
}

func count(log []string, line string) (n int) {
	for _, l := range log {
		if l == line {
			n++
		}
	}
	return n
}

func TestFlushWithoutWorkDoesNotDial(t *testing.T) {
	o, dials := newTestOutbox(newFakeQueue(), &fakeRemote{})
	flushed(t, o)
	if *dials != 0 {
		t.Errorf("dialled %d times, want never", *dials)
	}
}

func TestFlushClasses(t *testing.T) {
	for _, tc := range []struct {
		class    Class
		attempts int
		parked   bool
		wait     time.Duration // with half of the jitter's span
	}{
		{class: Transient, wait: 1500 * time.Millisecond},
		{class: Transient, attempts: 3, wait: 8500 * time.Millisecond},
		{class: Transient, attempts: 99, wait: (15*time.Minute + time.Second) / 2},
		{class: Permission, wait: 90 * time.Second},
		{class: NoSpace, attempts: 99, wait: 15*time.Minute + 30*time.Second},
		{class: "", wait: 1500 * time.Millisecond},
		{class: Foreign, parked: true},
		{class: Local, parked: true},
	} {
		t.Run(fmt.Sprintf("%s after %d", tc.class, tc.attempts), func(t *testing.T) {
			ds := deliveries(2)
			ds[0].Attempts = tc.attempts
			q := newFakeQueue(ds...)
			r := &fakeRemote{replace: func(_ context.Context, d Delivery) (Receipt, error) {
				if d.ID == 1 {
					return Receipt{}, fmt.Errorf("put: %w", &Failure{Class: tc.class, Err: errors.New("no")})
				}
				return Receipt{}, nil
			}}
			o, _ := newTestOutbox(q, r)
			rep := flushed(t, o)
			if len(rep.Arrived) != 1 || rep.Attempted != 2 || len(rep.Failures) != 1 {
				t.Errorf("report %+v: want the other delivery verified, one failure", rep)
			}
			if _, parked := q.parked[1]; parked != tc.parked {
				t.Errorf("parked %v, want %v", parked, tc.parked)
			}
			if got := q.next[1]; !tc.parked && !got.Equal(noon.Add(tc.wait)) {
				t.Errorf("next attempt after %v, want %v", got.Sub(noon), tc.wait)
			}
		})
	}
}

func TestFlushUnclassifiedIsTransient(t *testing.T) {
	q := newFakeQueue(deliveries(1)...)
	o, _ := newTestOutbox(q, &fakeRemote{replace: func(context.Context, Delivery) (Receipt, error) {
		return Receipt{}, errors.New(strings.Repeat("x", 5000) + " do this next")
	}})
	flushed(t, o)
	got := q.deferred[1]
	if !strings.HasPrefix(got, "transient: ") || !strings.HasSuffix(got, "do this next") || len(got) > 700 {
		t.Errorf("deferred with %d bytes %.40q…", len(got), got)
	}
}

func TestFlushCredentials(t *testing.T) {
	q := newFakeQueue(deliveries(2)...)
	o, dials := newTestOutbox(q, &fakeRemote{})
	good := o.Dial
	o.Dial = func(ctx context.Context) (Remote, error) {
		_, _ = good(ctx)
		return nil, &Failure{Class: Credentials, Err: errors.New("refused")}
	}
	login := "login-1"
	o.Login = func() (string, error) { return login, nil }
	rep := flushed(t, o)
	if rep.Held == nil || rep.Held.Login != "login-1" || !rep.Held.At.Equal(noon) || q.hold == nil {
		t.Fatalf("hold %+v, queue's %+v; want one of login-1", rep.Held, q.hold)
	}
	if len(q.begun)+len(q.deferred)+len(q.parked) != 0 {
		t.Errorf("deliveries were touched: %v", q.log)
	}
	// While the hold is in force nothing is dialled.
	if rep = flushed(t, o); rep.Held == nil || *dials != 1 {
		t.Errorf("dialled %d times under a hold, want still 1", *dials)
	}
	// A secret that can't be read for a moment is no other login.
	o.Login = func() (string, error) { return "", errors.New("read the password: permission denied") }
	if rep = flushed(t, o); rep.Held == nil || *dials != 1 || q.hold == nil {
		t.Errorf("dialled %d times, hold %v, while the secret can't be read; want still held", *dials, q.hold)
	}
	// Another login ends it.
	o.Login = func() (string, error) { return login, nil }
	login, o.Dial = "login-2", good
	if rep = flushed(t, o); rep.Held != nil || len(rep.Arrived) != 2 || q.hold != nil {
		t.Errorf("report %+v, hold %v after the login changed; want all sent", rep, q.hold)
	}
}

func TestFlushDialFailureDefersWithoutBegin(t *testing.T) {
	for _, tc := range []struct {
		class Class
		waits []time.Duration
	}{
		{Transient, []time.Duration{1500 * time.Millisecond, 2500 * time.Millisecond, 4500 * time.Millisecond}},
		{HostKey, []time.Duration{90 * time.Second, 150 * time.Second}},
		{Protocol, []time.Duration{90 * time.Second, 150 * time.Second}},
	} {
		q := newFakeQueue(deliveries(1)...)
		o, _ := newTestOutbox(q, &fakeRemote{})
		o.Dial = func(context.Context) (Remote, error) { return nil, &Failure{Class: tc.class, Err: errors.New("down")} }
		for i, wait := range tc.waits {
			rep := flushed(t, o)
			if rep.Deferred != 1 || rep.Attempted != 0 || rep.Dial == nil || len(q.begun) != 0 {
				t.Errorf("%s: report %+v, begun %v; want deferred, nothing begun", tc.class, rep, q.begun)
			}
			if got := q.next[1].Sub(noon); got != wait {
				t.Errorf("%s, failure %d: deferred by %v, want %v", tc.class, i, got, wait)
			}
		}
	}
}

func TestFlushSuperseded(t *testing.T) {
	q := newFakeQueue(deliveries(2)...)
	q.begin = func(id int64) (bool, error) { return id != 1, nil }
	o, _ := newTestOutbox(q, &fakeRemote{})
	if rep := flushed(t, o); rep.Attempted != 1 || at(q.log, "replace", 1) >= 0 {
		t.Errorf("a superseded delivery was sent: %v", q.log)
	}
}

func TestFlushLostConnection(t *testing.T) {
	q := newFakeQueue(deliveries(4)...)
	r := &fakeRemote{}
	o, dials := newTestOutbox(q, r)
	o.Parallel = 1
	r.replace = func(_ context.Context, d Delivery) (Receipt, error) {
		if d.ID == 2 || d.ID == 3 && *dials == 2 {
			return Receipt{}, &Failure{Class: Transient, Err: fmt.Errorf("put: %w", ErrLost)}
		}
		return Receipt{}, nil
	}
	rep := flushed(t, o)
	if len(rep.Arrived) != 1 || rep.Attempted != 3 || rep.Deferred != 3 || *dials != 2 {
		t.Errorf("report %+v after %d dials: want 1 verified, 3 attempted, the last deferred unbegun", rep, *dials)
	}
	if q.begun[4] {
		t.Error("delivery 4 was begun over a lost connection")
	}
}

func TestFlushLostInSweepBeginsNothing(t *testing.T) {
	q := newFakeQueue(deliveries(2)...)
	r := &fakeRemote{}
	o, dials := newTestOutbox(q, r)
	r.sweep = func(string) error {
		if *dials == 1 {
			return ErrLost
		}
		return errors.New("listing refused") // keeps nothing from being sent
	}
	if rep := flushed(t, o); len(rep.Arrived) != 2 || rep.Attempted != 2 || *dials != 2 {
		t.Errorf("report %+v after %d dials: want all sent over the second connection", rep, *dials)
	}
}

func TestFlushParallelAndOrder(t *testing.T) {
	var ds []Delivery
	for i := range 24 {
		ds = append(ds, Delivery{ID: int64(24 - i), Target: fmt.Sprint("store", i%6), Folder: "catalog", Name: fmt.Sprint(i, ".csv")})
	}
	q := newFakeQueue(ds...)
	var running, most atomic.Int32
	last := map[string]int64{}
	var mu sync.Mutex
	o, _ := newTestOutbox(q, &fakeRemote{replace: func(_ context.Context, d Delivery) (Receipt, error) {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		mu.Lock()
		if last[d.Target] > d.ID {
			t.Errorf("target %s: %d sent after %d", d.Target, d.ID, last[d.Target])
		}
		last[d.Target] = d.ID
		mu.Unlock()
		time.Sleep(time.Millisecond)
		return Receipt{}, nil
	}})
	o.Parallel = 3
	synctest.Test(t, func(t *testing.T) {
		rep, err := o.Flush(t.Context())
		if err != nil || len(rep.Arrived) != 24 {
			t.Errorf("Flush = %+v, %v", rep, err)
		}
	})
	if most.Load() != 3 {
		t.Errorf("%d at once, want 3", most.Load())
	}
}

// TestFlushBeginsWhatThereIsRoomFor leaves alone what would only wait for others: until it begins it can be superseded and paused.
func TestFlushBeginsWhatThereIsRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, room := newFakeQueue(deliveries(12)...), make(chan struct{}, 3)
		var begun, most atomic.Int32
		q.begin = func(int64) (bool, error) {
			most.Store(max(most.Load(), begun.Add(1)))
			return true, nil
		}
		r := &fakeRemote{
			room: func(context.Context, Delivery) (func(), error) {
				room <- struct{}{}
				return func() { begun.Add(-1); <-room }, nil
			},
			replace: func(context.Context, Delivery) (Receipt, error) { time.Sleep(time.Second); return Receipt{}, nil },
		}
		o, _ := newTestOutbox(q, r)
		o.Parallel = 8
		if rep := flushed(t, o); len(rep.Arrived) != 12 || most.Load() != 3 || begun.Load() != 0 {
			t.Errorf("%d arrived; %d had begun at once, want 3; %d have not ended", len(rep.Arrived), most.Load(), begun.Load())
		}
	})
}

// TestFlushLostWhileWaitingForRoom begins nothing over a connection that is gone by the time there is room, and all of it over the next.
func TestFlushLostWhileWaitingForRoom(t *testing.T) {
	q := newFakeQueue(deliveries(4)...)
	r := &fakeRemote{}
	o, dials := newTestOutbox(q, r)
	r.room = func(context.Context, Delivery) (func(), error) {
		if *dials == 1 {
			return nil, &Failure{Class: Transient, Err: ErrLost}
		}
		return func() {}, nil
	}
	if rep := flushed(t, o); len(rep.Arrived) != 4 || rep.Attempted != 4 || *dials != 2 {
		t.Errorf("report %+v after %d dials: want all sent over the second connection", rep, *dials)
	}
}

func TestFlushStopGivesGrace(t *testing.T) {
	for _, tc := range []struct {
		needs    time.Duration
		verified int
	}{{5 * time.Second, 1}, {time.Hour, 0}} {
		synctest.Test(t, func(t *testing.T) {
			q := newFakeQueue(deliveries(3)...)
			ctx, cancel := context.WithCancel(t.Context())
			o, _ := newTestOutbox(q, &fakeRemote{replace: func(ctx context.Context, _ Delivery) (Receipt, error) {
				cancel()
				select {
				case <-time.After(tc.needs):
					return Receipt{}, nil
				case <-ctx.Done():
					return Receipt{}, ctx.Err()
				}
			}})
			o.Parallel, o.Grace = 1, 10*time.Second
			start := time.Now()
			rep, err := o.Flush(ctx)
			if err != nil || rep.Attempted != 1 || len(rep.Arrived) != tc.verified || rep.Cut != 1-tc.verified {
				t.Errorf("Flush = %+v, %v; want one attempt, %d verified", rep, err, tc.verified)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v, longer than the grace", took)
			}
			// What was cut stays as it is in the books, and so does what had not begun.
			if len(q.deferred)+len(q.parked) != 0 || len(q.begun) != 1 {
				t.Errorf("books: begun %v, deferred %v, parked %v", q.begun, q.deferred, q.parked)
			}
		})
	}
}

func TestFlushStoppedWhileDialling(t *testing.T) {
	q := newFakeQueue(deliveries(1)...)
	o, _ := newTestOutbox(q, &fakeRemote{})
	ctx, cancel := context.WithCancel(t.Context())
	o.Dial = func(ctx context.Context) (Remote, error) { cancel(); return nil, ctx.Err() }
	if rep, err := o.Flush(ctx); err != nil || rep.Deferred != 0 || rep.Dial != nil {
		t.Errorf("Flush = %+v, %v; want nothing", rep, err)
	}
}

func TestFlushQueueTrouble(t *testing.T) {
	for _, call := range []string{"held", "due", "pending", "begin", "verified", "fate", "next"} {
		q := newFakeQueue(deliveries(3)...)
		q.pending = []Pending{{ID: 9, Folder: "catalog", Name: "other.csv", VerifiedAt: noon.Add(-3 * time.Hour)}}
		q.fail = call
		o, _ := newTestOutbox(q, &fakeRemote{})
		o.Parallel = 1
		if _, err := o.Flush(t.Context()); !errors.Is(err, errQueue) {
			t.Errorf("%s fails: Flush returned %v", call, err)
		}
		if call == "verified" && count(q.log, "begin 2") != 0 {
			t.Error("another attempt began although receipts can't be kept")
		}
	}
}

func TestFlushFates(t *testing.T) {
	long, short := noon.Add(-2*time.Hour), noon.Add(-time.Minute)
	for _, tc := range []struct {
		name string
		p    Pending
		seen Seen
		want Fate
	}{
		{"kept", Pending{Size: 5, VerifiedAt: long}, Seen{Exists: true, Size: 5}, FateKept},
		{"kept, window not over", Pending{Size: 5, VerifiedAt: short}, Seen{Exists: true, Size: 5}, ""},
		{"taken", Pending{Size: 5, VerifiedAt: short}, Seen{}, FateTaken},
		{"again", Pending{Size: 5, Replaced: true, VerifiedAt: short}, Seen{}, FateAgain},
		{"alien", Pending{Size: 5, VerifiedAt: short}, Seen{Exists: true, Size: 6}, FateAlien},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ds := deliveries(1)
			q := newFakeQueue(ds...)
			tc.p.ID, tc.p.Folder, tc.p.Name = 9, ds[0].Folder, ds[0].Name
			q.pending = []Pending{tc.p}
			o, _ := newTestOutbox(q, &fakeRemote{look: func(string) (Seen, error) { return tc.seen, nil }})
			rep := flushed(t, o)
			if got := q.fates[9]; got != tc.want {
				t.Errorf("fate %q, want %q", got, tc.want)
			}
			if (len(rep.Fates) == 1) != (tc.want != "") || len(rep.Arrived) != 1 {
				t.Errorf("report %+v", rep)
			}
			if l := slices.Index(q.log, "look gondola_1.csv 0"); l < 0 || l > at(q.log, "begin", 1) {
				t.Error("not looked at before the name was replaced")
			}
		})
	}
}

func TestFlushLooksAtNothingAnAttemptTouched(t *testing.T) {
	ds := deliveries(1)
	ds[0].Attempts = 1
	q := newFakeQueue(ds...)
	q.pending = []Pending{{ID: 9, Folder: ds[0].Folder, Name: ds[0].Name, Size: 5}}
	o, _ := newTestOutbox(q, &fakeRemote{})
	flushed(t, o)
	if len(q.fates) != 0 {
		t.Errorf("fates %v of a name that an attempt may have replaced", q.fates)
	}
}

func TestFlushLooksNeverFailAndDoNotSpin(t *testing.T) {
	q := newFakeQueue()
	q.nextDue = noon
	q.pending = []Pending{{ID: 9, Folder: "catalog", Name: "a.csv"}}
	o, dials := newTestOutbox(q, &fakeRemote{look: func(string) (Seen, error) { return Seen{}, errors.New("refused") }})
	rep := flushed(t, o)
	if !rep.Next.After(noon) {
		t.Errorf("next flush at %v, want later: the look would fail again at once", rep.Next)
	}
	flushed(t, o)
	if *dials != 1 {
		t.Errorf("dialled %d times for looks alone, want 1 until the wait is over", *dials)
	}
}

func TestBackoffBounds(t *testing.T) {
	for _, random := range []float64{0, 0.999999} {
		b := Backoff{Rand: func() float64 { return random }}
		for n := range 200 {
			if d := b.Delay(Transient, n); d < DefaultFirst || d > DefaultLast {
				t.Fatalf("Delay(transient, %d) = %v with %v", n, d, random)
			}
			if d := b.Delay(NoSpace, n); d < DefaultSlowFirst || d > DefaultSlowLast {
				t.Fatalf("Delay(no-space, %d) = %v with %v", n, d, random)
			}
		}
	}
}
