package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/sftp"
)

// clockFact is the name of the fact with the last measurement of the server's clock.
const clockFact = "clock skew"

// ClockSkew is how far the server's clock was ahead of ours when a file was last verified there.
type ClockSkew struct {
	Skew time.Duration `json:"skew"` // right to a second; negative where ours is ahead
	At   time.Time     `json:"at"`   // by our clock
}

// ClockSkew returns the last measurement of the server's clock; ok is false where there was none yet.
func (h *House) ClockSkew(ctx context.Context) (skew ClockSkew, ok bool, err error) {
	text, err := h.store.Fact(ctx, clockFact)
	if err != nil || text == "" {
		return skew, false, err
	}
	if err := json.Unmarshal([]byte(text), &skew); err != nil {
		return skew, false, fmt.Errorf("read fact %s: %w", clockFact, err)
	}
	return skew, true, nil
}

// clockWrong returns how far the clock is wrong, where that is more than the config allows; 0 where it is right, or nobody knows.
func (h *House) clockWrong(ctx context.Context) (time.Duration, error) {
	if h.cfg.SFTP.Host == "" {
		return 0, nil // no server tells the time any more
	}
	skew, ok, err := h.ClockSkew(ctx)
	if err != nil || !ok || skew.Skew.Abs() <= time.Duration(h.cfg.SFTP.ClockSkew) {
		return 0, err
	}
	return skew.Skew, nil
}

// measureEvery is how often a clock that is wrong is looked at again: while promotions wait for it nothing may be sent that would tell.
const measureEvery = 10 * time.Minute

// measureClock asks the server for its clock again where the last answer was that ours is wrong, and has what waited planned when it is
// right. A server that does not answer, or can't tell, leaves it as it was.
func (h *House) measureClock(ctx context.Context) error {
	wrong, err := h.clockWrong(ctx)
	if err != nil || wrong == 0 {
		return err
	}
	last, _, err := h.ClockSkew(ctx)
	if now := h.now(); err != nil || now.Sub(last.At).Abs() < measureEvery || now.Sub(h.measured).Abs() < measureEvery || !h.homeIsFree() {
		return err
	}
	h.measured = h.now()
	hold, err := h.store.Hold(ctx, outbox.BySFTP)
	if err != nil || hold != nil {
		return err // the login was refused: nothing knocks
	}
	c, err := h.server(ctx)
	if err != nil {
		return err
	}
	if c.Passport, err = h.store.Passport(ctx, c.Account()); err != nil {
		return err
	}
	if c.Passport.Lacks(outbox.Delete) {
		return nil // each look would leave its files there for good
	}
	r, err := sftp.Dial(ctx, c)
	if err != nil {
		h.log.Debug("measure the clock", "err", err)
		return h.noteRefusal(ctx, c, err)
	}
	defer func() { _ = r.Close() }()
	found, err := r.Probe(ctx)
	if err != nil || !found.SkewKnown {
		h.log.Debug("measure the clock", "known", found.SkewKnown, "err", err)
		return nil
	}
	if err := h.keepClock(ctx, found.Skew); err != nil {
		return err
	}
	if wrong, err = h.clockWrong(ctx); err == nil && wrong == 0 {
		h.log.Info("clock is right again")
		err = h.store.PlanSoon(ctx, h.targetNames())
	}
	return err
}

// keepClock keeps a measurement of now.
func (h *House) keepClock(ctx context.Context, skew time.Duration) error {
	text, err := json.Marshal(ClockSkew{Skew: skew, At: h.now()})
	if err != nil {
		return fmt.Errorf("keep fact %s: %w", clockFact, err)
	}
	return h.store.SetFact(context.WithoutCancel(ctx), clockFact, string(text))
}

// noteClock keeps the newest measurement of a flush.
func (h *House) noteClock(ctx context.Context, r outbox.Report) error {
	for i := len(r.Arrived) - 1; i >= 0; i-- {
		receipt := r.Arrived[i].Receipt
		if !receipt.SkewKnown {
			continue
		}
		return h.keepClock(ctx, receipt.Skew)
	}
	return nil
}
