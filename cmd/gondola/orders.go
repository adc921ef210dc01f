package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// newOrdersCommand is the parent of what is about orders.
func newOrdersCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "orders",
		Short: "Show orders, and hand them to the ERP",
		Long: `Orders come in by webhook and by asking, and leave for the ERP as files (orders.export of the config), each
state that is asked for once. list and show say what is known of them; export hands over now what is due;
replay hands over once more, as a new revision, what the ERP has lost; gaps shows what the platform's events and
its answers tell differently.`,
		Example:     "  gondola orders list --since 24h\n  gondola orders show 12345678\n  gondola orders replay 12345678 --who ana",
		Annotations: codes(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown %q", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newOrdersListCommand(a), newOrdersShowCommand(a), newOrdersExportCommand(a), newOrdersReplayCommand(a), newOrdersGapsCommand(a))
	return c
}

// orderFlags are how orders are chosen.
type orderFlags struct {
	vendor, state, since, until string
	waiting                     bool
	limit                       int
}

func (f *orderFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.vendor, "vendor", "", "only the store with this `ID`")
	c.Flags().StringVar(&f.state, "state", "", "only this `STATE`, such as READY_FOR_PICKUP")
	c.Flags().StringVar(&f.since, "since", "", "changed at this `TIME` or later: 2006-01-02T15:04 in the chain's zone, RFC 3339 or 6h for six hours ago")
}

// ask returns what the flags ask for.
func (f *orderFlags) ask(cfg *config.Config) (daemon.OrderAsk, error) {
	ask := daemon.OrderAsk{Vendor: f.vendor, State: strings.ToUpper(f.state), Waiting: f.waiting, Limit: f.limit}
	zone, now := zoneOf(cfg.Chain.TimeZone), time.Now()
	var err error
	if f.since != "" {
		if ask.Since, err = momentOf("--since", f.since, now, zone); err != nil {
			return ask, err
		}
	}
	if f.until != "" {
		ask.Until, err = momentOf("--until", f.until, now, zone)
	}
	return ask, err
}

func newOrdersListCommand(a *app) *cobra.Command {
	var f orderFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List orders, the one that changed last first",
		Long: `Lists orders by state and store, without anything personal. A cancelled order says how far it was before, in
parentheses; one that went on after it was cancelled, or may have, is marked with !, and one in a state that
is not known with ?. Orders of stores that are not in the config are kept and never handed over.`,
		Example:     "  gondola orders list --since 24h --state CANCELLED\n  gondola orders list --waiting --json",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.listOrders(c.Context(), f) },
	}
	f.register(c)
	c.Flags().BoolVar(&f.waiting, "waiting", false, "only orders of which something waits to be handed over")
	c.Flags().IntVar(&f.limit, "limit", 100, "at most so `MANY`")
	return c
}

// orderList is what orders list --json prints.
type orderList struct {
	Orders []daemon.OrderLine `json:"orders"`
}

func (a *app) listOrders(ctx context.Context, f orderFlags) error {
	if f.limit < 1 {
		return usagef("--limit is 1 or more, found %d", f.limit)
	}
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		ask, err := f.ask(cfg)
		if err != nil {
			return err
		}
		all, err := h.Orders(ctx, ask)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(orderList{slices.Concat([]daemon.OrderLine{}, all)})
		}
		if len(all) == 0 {
			a.printf("No such orders.\n")
			return nil
		}
		zone := zoneOf(cfg.Chain.TimeZone)
		rows := make([][]string, len(all))
		for i, o := range all {
			rows[i] = []string{clock(o.Changed, zone), storeOf(cfg, o), o.ExternalID, o.Code, stateWords(o), o.Total, strconv.Itoa(o.Items), yes(o.Waiting), o.ID}
		}
		a.table([]string{"CHANGED", "STORE", "EXTERNAL ID", "CODE", "STATE", "TOTAL", "LINES", "WAITS", "ID"}, rows)
		return nil
	}, nothingYet)
}

// storeOf returns what people call the store of an order.
func storeOf(cfg *config.Config, o daemon.OrderLine) string {
	if !o.Listed {
		return o.Vendor + " (not in config)"
	}
	return storeName(cfg, o.Vendor)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// stateWords writes where an order stands.
func stateWords(o daemon.OrderLine) string {
	text := o.State
	if o.Before != "" {
		text += " (" + o.Before + ")"
	}
	if o.Contradiction {
		text += " !"
	}
	if o.Unknown != "" {
		text = strings.TrimSpace(text + " ? " + o.Unknown)
	}
	return text
}

func newOrdersShowCommand(a *app) *cobra.Command {
	var personal bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show all that is known of an order",
		Long: `Shows an order by its id, the id that customers see, or the rider's code: how it was told, what was handed to
the ERP in which file, and its articles. Names, addresses, telephone, document numbers and remarks are
masked, also with --json, unless --personal is given.`,
		Example:     "  gondola orders show 12345678\n  gondola orders show wxfr-2440-rtbs --personal",
		Args:        oneArg("ID"),
		Annotations: codes(),
		RunE:        func(c *cobra.Command, args []string) error { return a.showOrder(c.Context(), args[0], personal) },
	}
	c.Flags().BoolVar(&personal, "personal", false, "show what is personal, too")
	return c
}

// orderDetails is what orders show --json prints.
type orderDetails struct {
	Orders []daemon.OrderDetail `json:"orders"`
}

func (a *app) showOrder(ctx context.Context, word string, personal bool) error {
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		all, err := h.OrderDetails(ctx, word, personal)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(orderDetails{all})
		}
		for i, d := range all {
			if i > 0 {
				a.printf("\n")
			}
			a.printOrder(cfg, d)
		}
		return nil
	}, nothingYet)
}

func (a *app) printOrder(cfg *config.Config, d daemon.OrderDetail) {
	zone := zoneOf(cfg.Chain.TimeZone)
	line := func(name, value string) {
		if value != "" {
			a.printf("%-12s %s\n", name, plain(value))
		}
	}
	line("order", d.ID)
	line("external id", d.ExternalID)
	line("code", d.Code)
	line("store", storeOf(cfg, d.OrderLine))
	line("state", stateWords(d.OrderLine))
	line("cancelled", strings.TrimSpace(d.Reason+" "+d.Order.CancelledBy))
	line("created", clock(d.Created, zone))
	line("changed", clock(d.Changed, zone))
	line("total", strings.TrimSpace(d.Total+" "+d.Order.Payment.Type))
	c := d.Order.Customer
	line("customer", strings.TrimSpace(c.FirstName+" "+c.LastName))
	line("telephone", c.Phone)
	line("documents", strings.TrimSpace(c.NationalID+" "+c.TaxID))
	line("address", strings.TrimSpace(strings.Join([]string{c.Street, c.Number, c.Zip, c.City}, " ")))
	line("directions", c.Instructions)
	line("comment", d.Order.Comment)
	switch {
	case !d.Purged.IsZero():
		line("personal", "removed on "+clock(d.Purged, zone))
	case d.Newest == "":
		line("articles", "not kept here; they are asked for again with the next poll")
	}
	var rows [][]string
	for _, i := range d.Order.Items {
		rows = append(rows, []string{i.SKU, i.Name, i.State, string(i.Pricing.Quantity), string(i.Pricing.Weight), string(i.Pricing.UnitPrice), string(i.Pricing.Total), i.Note})
	}
	if rows != nil {
		a.printf("\n")
		a.table([]string{"SKU", "NAME", "STATE", "QUANTITY", "WEIGHT", "PRICE", "TOTAL", "REMARK"}, rows)
	}
	rows = nil
	for _, s := range d.Sightings {
		rows = append(rows, []string{clock(s.At, zone), string(s.By), string(s.State), clock(s.Updated, zone)})
	}
	a.printf("\n")
	a.table([]string{"TOLD", "BY", "STATE", "PLATFORM'S TIME"}, rows)
	rows = nil
	for _, o := range d.HandOvers {
		what := o.Seen
		if o.Skipped {
			what += ", skipped"
		}
		if o.Replay {
			what += ", once more"
		}
		rows = append(rows, []string{o.Asked, what, strconv.Itoa(o.Revision), o.Stands, clock(o.Done, zone), o.File})
	}
	if rows != nil {
		a.printf("\n")
		a.table([]string{"ASKED", "STATE", "REVISION", "STANDS", "HANDED OVER", "FILE"}, rows)
	}
}

func newOrdersExportCommand(a *app) *cobra.Command {
	var dry bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "export",
		Short: "Hand over to the ERP now what is due",
		Long: `Makes the files for the ERP now, without regard to orders.export.every. A running daemon is asked to do it and
waited for; without one this command does it itself. --dry-run prints the files instead, and changes nothing:
what is personal is in them where the config says so.`,
		Example:     "  gondola orders export\n  gondola orders export --dry-run",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE: func(c *cobra.Command, _ []string) error {
			if dry {
				return a.previewOrders(c.Context())
			}
			return a.exportOrders(c.Context(), wait)
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "print the files, and make none")
	c.Flags().DurationVar(&wait, "wait", time.Minute, "wait at most this `DURATION` for a running daemon; 0s only asks it")
	return c
}

// orderPreviews is what orders export --dry-run --json prints.
type orderPreviews struct {
	Files []daemon.OrderPreview `json:"files"`
}

func (a *app) previewOrders(ctx context.Context) error {
	return a.attached(ctx, func(_ *config.Config, h *daemon.House) error {
		all, err := h.PreviewOrders(ctx)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(orderPreviews{slices.Concat([]daemon.OrderPreview{}, all)})
		}
		if len(all) == 0 {
			a.printf("Nothing is due.\n")
		}
		for _, p := range all {
			if p.Error != "" {
				complain(a.Stderr, errors.New(p.Error))
				continue
			}
			a.printf("== %s\n%s\n", plain(p.Name), p.Text)
		}
		return nil
	}, nothingYet)
}

// orderExport is what orders export --json prints.
type orderExport struct {
	Done bool `json:"done"`
	Left int  `json:"left"` // hand-overs that wait
}

func (a *app) exportOrders(ctx context.Context, wait time.Duration) error {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	running, err := store.Running(cfg.State.Dir)
	if err != nil {
		return err
	}
	var out orderExport
	beside := func() error {
		return a.beside(ctx, cfg, func(h *daemon.House) (err error) {
			out, err = askHandOver(ctx, h, wait)
			return err
		})
	}
	if running {
		err = beside()
	} else {
		err = a.handOverHere(ctx, &out)
		if errors.Is(err, store.ErrLocked) { // it was started just now
			err = beside()
		}
	}
	if err != nil {
		return err
	}
	if a.JSON {
		if err := a.printJSON(out); err != nil {
			return err
		}
	} else {
		a.printExport(out)
	}
	if !out.Done && wait > 0 || out.Left > 0 {
		return ended(exitError)
	}
	return nil
}

func (a *app) printExport(out orderExport) {
	switch {
	case out.Done && out.Left == 0:
		a.printf("Everything that was due is handed over.\n")
	case out.Left > 0:
		a.printf("Not done: %s; gondola status says why.\n", waits(out.Left, "hand-over"))
	default:
		a.printf("Asked the running daemon; gondola status says how far it is.\n")
	}
}

// handOverHere hands over without a daemon.
func (a *app) handOverHere(ctx context.Context, out *orderExport) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	_, err = a.withHouse(ctx, cfg, daemon.Options{}, func(h *daemon.House) (daemon.Outcome, error) {
		left, err := h.HandOverNow(ctx)
		*out = orderExport{Done: err == nil, Left: left}
		return daemon.Outcome{}, err
	})
	return err
}

// askHandOver asks the running daemon and waits for it.
func askHandOver(ctx context.Context, h *daemon.House, wait time.Duration) (out orderExport, err error) {
	if err := h.AskHandOver(ctx); err != nil || wait <= 0 {
		return out, err
	}
	over := time.After(wait)
	look := time.NewTicker(pushLook)
	defer look.Stop()
	for {
		out.Done, out.Left, err = h.HandedOver(ctx)
		if err != nil || out.Done {
			return out, err
		}
		select {
		case <-ctx.Done():
			return out, errors.New("stopped by a signal; the daemon goes on with what it was asked for")
		case <-over:
			return out, nil
		case <-look.C:
		}
	}
}
