package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/store"
	"gondola/internal/web"
)

// checkPage looks at the passwords of the page. One that can't be read here is config's to report.
func (s *setup) checkPage(fault func(path string, err error)) {
	for i, u := range s.cfg.Web.Users {
		if text, err := u.Password.Value(); err == nil {
			if err := web.CheckHash(text); err != nil {
				fault(fmt.Sprintf("web.users[%d].password", i), err)
			}
		}
	}
}

// HashPassword returns what web.users of a config keeps of a password.
func HashPassword(password string) (string, error) { return web.HashPassword(password) }

// pageRoles takes over roles. None at all is another thing than nothing said.
func pageRoles(names []string) []web.Role {
	roles := make([]web.Role, len(names))
	for i, name := range names {
		roles[i] = web.Role(name)
	}
	return roles
}

// pageUsers returns who can log in on the page.
func (s *setup) pageUsers() []web.User {
	users := make([]web.User, len(s.cfg.Web.Users))
	for i, u := range s.cfg.Web.Users {
		users[i] = web.User{Name: u.Name, Hash: u.Password.Value, Roles: pageRoles(u.Roles)}
	}
	return users
}

// pageTrouble tells what does not work of the page, as of a loop.
func (h *House) pageTrouble(what, problem string) {
	loop := "page " + what
	h.troubles.note(loop, problem)
	if problem == "" {
		h.log.Info("works again", "loop", loop)
		return
	}
	h.tell(Event{Kind: EventTrouble, Text: fmt.Sprintf("%s: %s", loop, problem)})
}

// desk is where people decide on the page.
type desk struct{ h *House }

// Question implements web.Desk.
func (d desk) Question(ctx context.Context, what string) (web.Question, error) {
	if id, ok := FindingID(what); ok {
		return d.aboutRows(ctx, id)
	}
	seq, err := strconv.ParseInt(what, 10, 64)
	if err != nil || seq < 1 {
		return web.Question{}, &web.Declined{Phrase: "act.unknown"}
	}
	return d.aboutDrop(ctx, seq)
}

// aboutRows is the question of a finding.
func (d desk) aboutRows(ctx context.Context, id int64) (web.Question, error) {
	rows, err := d.h.HeldFindings(ctx)
	if err != nil {
		return web.Question{}, err
	}
	q := web.Question{What: findingName(id), Covers: time.Duration(d.h.cfg.Brake.Approval)}
	for _, r := range rows {
		if r.ID == q.What {
			q.Findings, q.Rejects = []web.HeldPart{d.part(r)}, rejects(r.Code)
		}
	}
	return sealed(q)
}

// aboutDrop is the question of an export that is held, with the rows of it that are.
func (d desk) aboutDrop(ctx context.Context, seq int64) (web.Question, error) {
	q := web.Question{What: strconv.FormatInt(seq, 10), Drop: seq, Covers: time.Duration(d.h.cfg.Brake.Approval), Rejects: true}
	held, err := d.h.HeldExports(ctx)
	if err != nil {
		return q, err
	}
	for _, one := range held {
		if one.Seq != seq {
			continue
		}
		q.Name, q.Feed = one.Name, one.Feed
		for _, f := range one.Findings {
			q.Findings = append(q.Findings, web.HeldPart{Store: d.h.nameFor(one.Vendor), Text: f.Text})
		}
	}
	if q.Findings == nil {
		return sealed(q)
	}
	own, err := d.h.heldRowsOf(ctx, seq)
	if err != nil {
		return q, declined(err)
	}
	rows, err := d.h.HeldFindings(ctx)
	if err != nil {
		return q, err
	}
	for _, r := range rows {
		if slices.ContainsFunc(own, func(f store.Finding) bool { return findingName(f.ID) == r.ID }) {
			q.Findings = append(q.Findings, d.part(r))
		}
	}
	for _, other := range heldBeside(held, seq) {
		q.Along = append(q.Along, strconv.FormatInt(other, 10))
	}
	return sealed(q)
}

// heldBeside returns the other drops that are held in a place where a drop is: an approval is of what the brake has found there.
func heldBeside(held []Held, seq int64) []int64 {
	var along []int64
	for _, one := range held {
		for _, other := range held {
			if one.Seq == seq && other.Seq != seq && other.Feed == one.Feed && other.Vendor == one.Vendor {
				along = append(along, other.Seq)
			}
		}
	}
	slices.Sort(along)
	return slices.Compact(along)
}

// part puts a finding into the page's values.
func (d desk) part(r HeldRows) web.HeldPart {
	p := web.HeldPart{Store: d.h.nameFor(r.Vendor), Text: r.Text}
	for _, m := range r.Worst {
		p.Worst = append(p.Worst, web.HeldRow{Key: m.Key, Line: m.Line, Old: d.h.priceText(m.Old), New: d.h.priceText(m.New)})
	}
	return p
}

// priceText returns a price with the decimals of the chain's currency, "" for one that there is not.
func (s *setup) priceText(m catalog.Money) string {
	if m == 0 {
		return ""
	}
	return m.Text(s.cfg.Chain.PriceDecimals)
}

// sealed names what a question shows, so that a decision is on that and nothing else.
func sealed(q web.Question) (web.Question, error) {
	if len(q.Findings) == 0 {
		return q, &web.Declined{Phrase: "act.gone", Args: []any{q.What}}
	}
	text, err := json.Marshal(q)
	if err != nil {
		return q, fmt.Errorf("encode question: %w", err)
	}
	sum := sha256.Sum256(text)
	q.Seen = hex.EncodeToString(sum[:16])
	return q, nil
}

// rejects reports whether rows that are held for a reason can be rejected: a store that waits as a whole can't.
func rejects(code catalog.Code) bool { return code != catalog.BrakeFirst && code != catalog.BrakeLate }

// declined turns an error that the reader can do something about into words for them.
func declined(err error) error {
	if e, ok := errors.AsType[*OthersRowsError](err); ok {
		return &web.Declined{Phrase: "act.others", Args: []any{e.Drop, e.Other, findingName(e.Finding)}}
	}
	return err
}

// Decide implements web.Desk.
func (d desk) Decide(ctx context.Context, is web.Decision) error {
	q, err := d.Question(ctx, is.What)
	if err != nil {
		return err
	}
	switch {
	case q.Seen != is.Seen:
		return &web.Declined{Phrase: web.Changed}
	case !is.Approve && !q.Rejects:
		return &web.Declined{Phrase: "act.no-reject"}
	}
	done, err := d.decided(ctx, q, is)
	if err == nil && !done {
		err = &web.Declined{Phrase: "act.gone", Args: []any{q.What}}
	}
	if err == nil {
		d.h.log.Info("decided on the page", "what", q.What, "approved", is.Approve, "who", is.Who)
	}
	return declined(err)
}

// decided hands a decision on. It reports whether there was anything left to decide.
func (d desk) decided(ctx context.Context, q web.Question, is web.Decision) (bool, error) {
	if q.Drop == 0 {
		id, _ := FindingID(q.What)
		if is.Approve {
			return d.h.ApproveFinding(ctx, id, is.Who)
		}
		return d.h.RejectFinding(ctx, id, is.Who)
	}
	var n int
	var err error
	if is.Approve {
		n, err = d.h.Approve(ctx, q.Drop, nil, is.Who)
	} else {
		n, err = d.h.Reject(ctx, q.Drop, is.Who)
	}
	return n > 0, err
}

// Pauses implements web.Desk.
func (d desk) Pauses(ctx context.Context) (web.Pauses, error) {
	var all web.Pauses
	paused, err := d.h.Paused(ctx)
	if err != nil {
		return all, err
	}
	for _, p := range paused {
		all.Now = append(all.Now, web.PauseNow{Store: idFor(p.Vendor), Text: d.h.pausedText([]Paused{p})})
	}
	for _, v := range d.h.vendors {
		all.Stores = append(all.Stores, web.StoreName{ID: v.ID, Name: v.Name})
	}
	return all, nil
}

// Pause implements web.Desk.
func (d desk) Pause(ctx context.Context, p web.PauseOrder) error {
	if err := d.know(p.Stores); err != nil {
		return err
	}
	err := d.h.Pause(ctx, PauseAsk{Vendors: p.Stores, Until: p.Until, Reason: p.Reason, Who: p.Who})
	if err == nil {
		d.h.log.Info("paused on the page", "vendors", p.Stores, "until", p.Until, "who", p.Who)
	}
	return err
}

// Resume implements web.Desk.
func (d desk) Resume(ctx context.Context, id, who string) (int, error) {
	var vendors []string
	if id != "" {
		vendors = []string{id}
	}
	if err := d.know(vendors); err != nil {
		return 0, err
	}
	ended, err := d.h.Resume(ctx, vendors, who)
	if err == nil {
		d.h.log.Info("resumed on the page", "vendors", vendors, "ended", len(ended), "who", who)
	}
	return len(ended), err
}

// know declines stores that are not in the config.
func (d desk) know(ids []string) error {
	for _, id := range ids {
		if _, ok := d.h.vendor(id); !ok {
			return &web.Declined{Phrase: "pause.store", Args: []any{id}}
		}
	}
	return nil
}
