package daemon

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gondola/internal/durable"
	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/store"
)

const (
	// orderPage is how many hand-overs are read at once, and the most that go into one file.
	orderPage = 200
	// orderFilePerm lets the group of the folder read: the ERP is somebody else.
	orderFilePerm = fs.FileMode(0o640)
)

// orderAskFact is where somebody beside the daemon asks that what is due is handed over now.
const orderAskFact = "orders asked"

// handOverOrders hands over what is due, where its time has come. It is a loop of the daemon, and the only one that writes into the
// ERP's folder.
func (h *House) handOverOrders(ctx context.Context) error {
	asked, err := h.store.Fact(ctx, orderAskFact)
	if err != nil {
		return err
	}
	err = h.handOver(ctx, asked != "")
	if _, others := errors.AsType[*orderError](err); asked == "" || err != nil && !others {
		return err
	}
	// An order that can't be written does not get better by hurry, and the others have gone.
	return errors.Join(err, h.store.SetFact(ctx, orderAskFact, ""))
}

// handOver hands over what is due; with now without regard to the time between two files.
func (h *House) handOver(ctx context.Context, now bool) error {
	staged, err := h.store.StagedOrderFiles(ctx)
	if err != nil {
		return err
	}
	oldest, err := h.store.OldestDue(ctx)
	if err != nil {
		return err
	}
	groups := h.dueGroups(oldest, now)
	h.ordersNext = h.firstRipe(oldest)
	if len(staged)+len(groups) == 0 {
		return nil
	}
	if h.orders.dir != "" {
		if err := h.readyOrderFolder(ctx); err != nil {
			return err
		}
		if !h.sweptOrders {
			if err := h.sweepOrderFolder(staged); err != nil {
				return err
			}
			h.sweptOrders = true
		}
	}
	var errs []error
	for _, f := range staged {
		if err := h.publishOrders(ctx, f); err != nil {
			if f.Dir == h.orders.dir {
				return err
			}
			errs = append(errs, &orderError{err}) // of a folder that the config had before: nothing else goes there
		}
	}
	for _, vendors := range groups {
		if err := h.handOverGroup(ctx, vendors); err != nil {
			errs = append(errs, err)
			if _, ok := errors.AsType[*orderError](err); !ok {
				break // the folder or the disk: others would fare the same
			}
		}
	}
	return errors.Join(errs...)
}

// dueGroups returns the stores whose orders go into the same files and whose time has come.
func (h *House) dueGroups(oldest map[string]time.Time, now bool) [][]string {
	if h.orders.dir == "" {
		return nil
	}
	var groups [][]string
	var together []string
	ripe := false // of what goes together
	for _, v := range h.vendors {
		since, ok := oldest[v.ID]
		switch one := now || h.ripe(since); {
		case !ok:
		case h.orders.every > 0 && !h.orders.name.PerVendor():
			together, ripe = append(together, v.ID), ripe || one
		case one:
			groups = append(groups, []string{v.ID})
		}
	}
	if ripe {
		groups = append(groups, together)
	}
	return groups
}

// ripe reports whether what is due since a time goes into a file now. What seems to come from the future was written before the clock
// was set back.
func (h *House) ripe(since time.Time) bool {
	at := h.now()
	return !since.Add(h.orders.every).After(at) || since.After(at)
}

// firstRipe returns when the first of what is due but not ripe becomes so, zero where there is none.
func (h *House) firstRipe(oldest map[string]time.Time) (first time.Time) {
	for _, v := range h.vendors {
		since, ok := oldest[v.ID]
		if at := since.Add(h.orders.every); ok && !h.ripe(since) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// orderError says that an order can't be written. Others can.
type orderError struct{ err error }

// Error implements error.
func (e *orderError) Error() string { return e.err.Error() }

// Unwrap implements errors.Unwrap.
func (e *orderError) Unwrap() error { return e.err }

// handOverGroup hands over all that is due of some stores.
func (h *House) handOverGroup(ctx context.Context, vendors []string) error {
	after := map[string]int64{}
	blocked := map[string]bool{} // orders of which something can't be written: what comes later of them waits
	var first error
	for {
		page, err := h.duePage(ctx, vendors, after)
		if err != nil || len(page) == 0 {
			return cmp.Or(err, first)
		}
		good, bad := h.readable(page, blocked)
		first = cmp.Or(first, bad)
		for len(good) > 0 {
			n := 1
			if h.orders.every > 0 {
				n = len(good)
			}
			err := h.handOverFile(ctx, good[:n])
			if _, ok := errors.AsType[*orderError](err); ok {
				blocked[good[0].due.Key] = true
				first = cmp.Or(first, err)
			} else if err != nil {
				return err
			}
			good = slices.DeleteFunc(good[n:], func(w dueWork) bool { return blocked[w.due.Key] })
		}
	}
}

// duePage returns the next hand-overs of some stores, in their order.
func (h *House) duePage(ctx context.Context, vendors []string, after map[string]int64) ([]store.DueOrder, error) {
	var page []store.DueOrder
	for _, v := range vendors {
		more, err := h.store.DueOrders(ctx, v, after[v], orderPage)
		if err != nil {
			return nil, err
		}
		page = append(page, more...)
	}
	slices.SortFunc(page, func(a, b store.DueOrder) int { return cmp.Compare(a.Seq, b.Seq) })
	page = page[:min(len(page), orderPage)]
	for _, d := range page {
		after[d.Vendor] = d.Seq
	}
	return page, ctx.Err()
}

// dueWork is a hand-over, as a row and as what a file says of it.
type dueWork struct {
	due  store.DueOrder
	over order.HandOver
}

// readable reads hand-overs and tries them. It returns those that can be written, and why the first of the others can't.
func (h *House) readable(page []store.DueOrder, blocked map[string]bool) (good []dueWork, first error) {
	for _, d := range page {
		if blocked[d.Key] {
			continue
		}
		over, err := h.overOf(d)
		if err == nil && h.orders.every > 0 {
			_, err = h.orders.format.Render([]order.HandOver{over}) // so that one order does not keep a whole file back
		}
		if err != nil {
			blocked[d.Key] = true
			first = cmp.Or[error](first, &orderError{fmt.Errorf("hand order %s over: %w", d.Head.ID, err)})
			continue
		}
		good = append(good, dueWork{d, over})
	}
	return good, first
}

// overOf reads what a file says of a hand-over.
func (h *House) overOf(d store.DueOrder) (order.HandOver, error) {
	over := order.HandOver{Due: d.Due, Seq: d.Seq, Replay: d.Replay, Contradiction: d.Head.Contradiction}
	over.Vendor, _ = h.vendor(d.Vendor)
	if d.Seen == platform.StateCancelled {
		over.Before = d.Head.Reached
	}
	if len(d.Body) == 0 {
		return over, errors.New("what the platform told of it is not kept; it is asked again with the next poll")
	}
	var err error
	over.Order, err = platform.ParseOrder(d.Body)
	return over, err
}

// handOverFile writes one file and hands it over.
func (h *House) handOverFile(ctx context.Context, in []dueWork) error {
	f, staged, err := h.stageOrders(ctx, in)
	if err != nil || !staged {
		return err
	}
	return h.publishOrders(ctx, f)
}

// stageOrders writes one file under a name that the ERP does not read, and notes what is in it. It is not staged where an order has
// changed meanwhile: the next look makes another file of it.
func (h *House) stageOrders(ctx context.Context, in []dueWork) (f store.OrderFile, staged bool, err error) {
	overs, dues := make([]order.HandOver, len(in)), make([]store.DueOrder, len(in))
	for i, w := range in {
		overs[i], dues[i] = w.over, w.due
	}
	data, err := h.orders.format.Render(overs)
	if err != nil {
		return f, false, &orderError{fmt.Errorf("hand order %s over: %w", dues[0].Head.ID, err)}
	}
	sum := sha256.Sum256(data)
	f = store.OrderFile{
		ID: dues[0].Seq, Dir: h.orders.dir, Temp: orderTemp(dues[0].Seq), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data)),
		Orders: len(dues), Personal: h.orders.format.Customer, At: h.now(),
	}
	if f.Name, err = h.freeName(ctx, f, h.orders.name.Of(overs, f.At)); err != nil {
		return f, false, err
	}
	temp := filepath.Join(f.Dir, f.Temp)
	if err := durable.Stage(temp, orderFilePerm, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		return f, false, fmt.Errorf("write a file for the ERP: %w", err)
	}
	err = h.store.StageOrderFile(ctx, f, dues)
	if errors.Is(err, store.ErrOrderChanged) {
		return f, false, os.Remove(temp)
	}
	return f, err == nil, err // with another error it may be noted or not: the next look finds out
}

// freeName returns a name that no file for the ERP has or had, and nothing else in the folder.
func (h *House) freeName(ctx context.Context, f store.OrderFile, base string) (string, error) {
	ending := h.orders.format.Extension()
	for try := 0; ; try++ {
		name := base + ending
		if try > 0 {
			name = fmt.Sprintf("%s_%d%s", base, f.ID, ending)
		}
		if try > 1 {
			name = fmt.Sprintf("%s_%d_%d%s", base, f.ID, try, ending)
		}
		named, err := h.store.OrderFileNamed(ctx, name)
		if err != nil || named {
			if err != nil {
				return "", err
			}
			continue
		}
		there, err := lies(filepath.Join(f.Dir, name))
		if err != nil {
			return "", fmt.Errorf("look at orders.export.dir: %w", err)
		}
		if !there {
			return name, nil
		}
	}
}

// publishOrders hands a staged file over. One that is not there any more was handed over before, by a process that could not note it.
func (h *House) publishOrders(ctx context.Context, f store.OrderFile) error {
	temp := filepath.Join(f.Dir, f.Temp)
	there, err := lies(temp)
	if err != nil {
		return fmt.Errorf("look at a file for the ERP: %w", err)
	}
	if marked, err := lies(filepath.Join(f.Dir, orderMark)); !there && (err != nil || !marked) {
		return errors.Join(fmt.Errorf("%s, where file %q for the ERP waits, is not there, or not the folder that it was: mount the share; if it is for good, "+
			"put an empty file named %s there, and hand over once more with gondola orders replay", f.Dir, f.Name, orderMark), err)
	}
	if there {
		sum, err := durable.Digest(temp)
		if err != nil {
			return fmt.Errorf("read a file for the ERP: %w", err)
		}
		if sum != f.SHA256 {
			h.log.Warn("file for the ERP is written anew", "name", f.Name, "want", f.SHA256, "found", sum)
			return h.store.UnstageOrderFile(ctx, f.ID)
		}
		if f, err = h.giveName(ctx, f); err != nil {
			return err
		}
	}
	if err := h.store.OrderFileDone(context.WithoutCancel(ctx), f, h.now()); err != nil {
		return err
	}
	h.tell(Event{Kind: EventHanded, Name: f.Name, Rows: f.Orders, SHA256: f.SHA256})
	return nil
}

// giveName gives a staged file its name, or another one where something came to lie under it.
func (h *House) giveName(ctx context.Context, f store.OrderFile) (store.OrderFile, error) {
	for {
		err := durable.Publish(filepath.Join(f.Dir, f.Temp), filepath.Join(f.Dir, f.Name))
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		base := f.Name[:len(f.Name)-len(filepath.Ext(f.Name))]
		name, err := h.freeName(ctx, f, base)
		if err != nil {
			return f, err
		}
		if err := h.store.RenameOrderFile(ctx, f.ID, name); err != nil {
			return f, err
		}
		f.Name = name
	}
}
