package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gondola/internal/catalog"
)

// Forms are the forms of paths that work at the platform, "" for one that is not known yet. The documentation of the brands has two
// for orders, of which one answers 404.
type Forms struct {
	Order string `json:"order,omitempty"` // of one order
	List  string `json:"list,omitempty"`  // of a store's orders
}

// The values of [Forms].
const (
	FormChain  = "chain"  // /v2/chains/{chain}/orders/{id}, the newer one [doc]
	FormShort  = "short"  // /v2/orders/{id}, of PedidosYa's pages [doc]
	FormOrders = "orders" // …/vendors/{vendor}/orders, which works in production [partner]
	FormBare   = "bare"   // …/vendors/{vendor}, as the pages print it [doc]; answers an empty 404 [partner]
)

// MaxOrderRange is how far back orders can be asked for, and how long a range of time may be [doc].
const MaxOrderRange = 60 * 24 * time.Hour

// The size of a page of orders [doc].
const (
	DefaultPageSize = 20
	MaxPageSize     = 500
)

// maxIDLength of what comes from outside and becomes part of a path.
const maxPathID = 200

// timeForm is how the list of orders is asked for times, in UTC [doc].
const timeForm = "2006-01-02T15:04:05"

// chainPath returns the path of something of the chain, its parts escaped.
func (c *Client) chainPath(parts ...string) string {
	path := "/v2/chains/" + url.PathEscape(c.cfg.Chain)
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}

// CatalogPath returns the path that a store's catalogue is updated at, for [Client.Send].
func (c *Client) CatalogPath(vendor string) string { return c.chainPath("vendors", vendor, "catalog") }

// PromotionPath returns the path that promotions are sent to, for [Client.Send].
func (c *Client) PromotionPath() string { return c.chainPath("promotion") }

// checkID returns an error for what can't be part of a path: it may have come from outside.
func checkID(what, id string) error {
	if id == "" || len(id) > maxPathID || strings.Trim(id, ".") == "" {
		return fmt.Errorf("%s %.40q is none", what, id)
	}
	for i := range len(id) {
		if c := id[i]; !isLetter(c) && (c < '0' || c > '9') && !strings.ContainsRune("-_.:", rune(c)) {
			return fmt.Errorf("%s %.40q is none", what, id)
		}
	}
	return nil
}

// ErrOddOrder says that one order can't be asked for: its id can be in no path, or what the platform answers is no order. Others can be.
var ErrOddOrder = errors.New("this order can't be asked for")

// Order returns an order as it is now. Orders that the platform does not know, or knows no more after 60 days, are [ErrNotFound]; those
// that nobody can ask for are [ErrOddOrder].
func (c *Client) Order(ctx context.Context, id string) (Order, error) {
	if err := checkID("order id", id); err != nil {
		return Order{}, fmt.Errorf("%w: %w", ErrOddOrder, err)
	}
	paths := map[string]string{FormChain: c.chainPath("orders", id), FormShort: "/v2/orders/" + url.PathEscape(id)}
	var order Order
	err := c.either(ctx, c.form(func(f *Forms) *string { return &f.Order }, FormChain, FormShort), func(form string) error {
		body, err := c.do(ctx, request{use: UseOrders, priority: PriorityOrders, method: http.MethodGet, path: paths[form], most: MaxBody})
		if err != nil {
			return err
		}
		if order, err = ParseOrder(body); err != nil {
			return fmt.Errorf("%w: %w", ErrOddOrder, err)
		}
		return nil
	})
	if err != nil {
		return Order{}, fmt.Errorf("get order %s: %w", id, err)
	}
	return order, nil
}

// OrderQuery asks for the orders of one store in a range of time. Whether the time is that of creation or of the last change is
// [unknown].
type OrderQuery struct {
	Vendor   string
	From, To time.Time // at most MaxOrderRange apart
	Page     int       // from 1; 0 is 1
	PageSize int       // up to MaxPageSize; 0 is MaxPageSize
}

// OrderPage is one page of orders.
type OrderPage struct {
	Orders      []Order
	Unread      []json.RawMessage // what stands among them and is no order
	Page, Pages int               // Pages is 0 where the platform does not say how many there are
}

// Orders returns one page of a store's orders.
func (c *Client) Orders(ctx context.Context, q OrderQuery) (OrderPage, error) {
	if err := checkID("vendor id", q.Vendor); err != nil {
		return OrderPage{}, err
	}
	if q.To.Sub(q.From) > MaxOrderRange || q.To.Before(q.From) {
		return OrderPage{}, fmt.Errorf("list orders of %s: the range %s to %s is not one of up to 60 days", q.Vendor, q.From.UTC().Format(timeForm),
			q.To.UTC().Format(timeForm))
	}
	q.Page = max(q.Page, 1)
	if q.PageSize <= 0 || q.PageSize > MaxPageSize {
		q.PageSize = MaxPageSize
	}
	// Seconds are all that can be asked for: the end is rounded up, so that no order falls between two ranges. The longest range must not
	// get longer by it: it would be refused as often as it is asked for.
	from, to := q.From.UTC().Truncate(time.Second), q.To.UTC().Add(time.Second-1).Truncate(time.Second)
	if earliest := to.Add(-MaxOrderRange); from.Before(earliest) {
		from = earliest
	}
	query := url.Values{
		"start_time": {from.Format(timeForm)}, "end_time": {to.Format(timeForm)},
		"page": {strconv.Itoa(q.Page)}, "page_size": {strconv.Itoa(q.PageSize)},
	}
	paths := map[string]string{FormOrders: c.chainPath("vendors", q.Vendor, "orders"), FormBare: c.chainPath("vendors", q.Vendor)}
	var page OrderPage
	err := c.either(ctx, c.form(func(f *Forms) *string { return &f.List }, FormOrders, FormBare), func(form string) error {
		body, err := c.do(ctx, request{use: UseOrders, priority: PriorityOrders, method: http.MethodGet, path: paths[form], query: query})
		if err != nil {
			return err
		}
		page, err = parseOrderPage(body, q)
		return err
	})
	if err != nil {
		return OrderPage{}, fmt.Errorf("list orders of %s: %w", q.Vendor, err)
	}
	return page, nil
}

// AllOrders calls fn for every page of a store's orders, the first one first. Orders that come meanwhile may move others from one page
// to the next, so that an order can come twice; windows that overlap find what was missed.
func (c *Client) AllOrders(ctx context.Context, q OrderQuery, fn func(OrderPage) error) error {
	first := "" // order of the page before: a platform that takes no notice of the number sends the same page for ever
	for q.Page = max(q.Page, 1); ; q.Page++ {
		page, err := c.Orders(ctx, q)
		if err != nil {
			return err
		}
		if len(page.Orders) > 0 && page.Orders[0].ID == first && page.Pages == 0 {
			return nil
		}
		if err := fn(page); err != nil {
			return err
		}
		if len(page.Orders)+len(page.Unread) == 0 || page.Pages > 0 && q.Page >= page.Pages {
			return nil
		}
		if len(page.Orders) > 0 {
			first = page.Orders[0].ID
		}
	}
}

func parseOrderPage(body []byte, q OrderQuery) (OrderPage, error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return OrderPage{}, errors.New("read orders: no JSON object")
	}
	var all []json.RawMessage
	if raw, ok := o["orders"]; !ok || json.Unmarshal(raw, &all) != nil {
		return OrderPage{}, errNoList
	}
	page := OrderPage{Page: intOf(o.text("page_number"), q.Page), Pages: intOf(o.text("total_pages"), 0)}
	for _, raw := range all {
		order, err := ParseOrder(raw)
		if err != nil {
			page.Unread = append(page.Unread, raw)
			continue
		}
		page.Orders = append(page.Orders, order)
	}
	return page, nil
}

// errNoList says that an answer has no orders, not even an empty list: the path means something else.
var errNoList = errors.New("read orders: the answer has no list of them")

// intOf reads a small number.
func intOf(text string, otherwise int) int {
	if n, err := strconv.Atoi(string(ParseNumber(text))); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

// pathForm is one path that has two forms.
type pathForm struct {
	known  string   // that works, "" when it is not known
	tries  []string // the one to begin with first
	remark func(form string)
}

// form looks up which form of a path works.
func (c *Client) form(field func(*Forms) *string, forms ...string) pathForm {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := *field(&c.forms)
	p := pathForm{known: known, tries: forms}
	if known == forms[1] {
		p.tries = []string{forms[1], forms[0]}
	} else if known != forms[0] {
		p.known = ""
	}
	p.remark = func(form string) {
		c.mu.Lock()
		changed := *field(&c.forms) != form
		*field(&c.forms) = form
		now := c.forms
		c.mu.Unlock()
		if changed && c.cfg.FormsFound != nil {
			c.cfg.FormsFound(now)
		}
	}
	return p
}

// either asks with the form that works, and with the other one when the first does not exist. A 404 with words is about what was asked
// for, an empty one about the path [partner]; so where a form is known to work, a 404 with words is believed.
func (c *Client) either(_ context.Context, p pathForm, ask func(form string) error) error {
	var first error
	for i, form := range p.tries {
		err := ask(form)
		if err == nil {
			p.remark(form)
			return nil
		}
		e, isAnswer := errors.AsType[*APIError](err)
		missing := isAnswer && e.Status == http.StatusNotFound
		if i > 0 {
			// That the other form is no path, or is not allowed, is no news: the first answer counts.
			if missing || isAnswer && !e.Temporary() || errors.Is(err, errNoList) {
				return first
			}
			return err
		}
		if !missing && !errors.Is(err, errNoList) || missing && p.known == form && strings.TrimSpace(e.Body) != "" {
			return err
		}
		first = err
	}
	return first
}

// Send makes a request that becomes a job: a PUT with articles or promotions. The path begins with /v2, its parts escaped; see
// [Client.CatalogPath] and [Client.PromotionPath]. It may be repeated.
func (c *Client) Send(ctx context.Context, use Use, method, path string, body []byte) (JobRef, error) {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#\\ ") || strings.Contains(path, "/.") || strings.Contains(path, "//") {
		return JobRef{}, fmt.Errorf("send to %q: not a path of the interface", path)
	}
	answer, err := c.do(ctx, request{use: use, priority: PriorityJobs, method: method, path: path, body: body})
	if err != nil {
		return JobRef{}, err
	}
	return parseJobRef(answer), nil
}

// CatalogJob returns where a job of the catalogue stands.
func (c *Client) CatalogJob(ctx context.Context, id string) (Job, error) {
	return c.job(ctx, UseCatalog, JobCatalog, c.chainPath("catalog", "jobs", id), id)
}

// PromotionJob returns where a job of promotions stands.
func (c *Client) PromotionJob(ctx context.Context, id string) (Job, error) {
	return c.job(ctx, UsePromotions, JobPromotion, c.chainPath("promotion", "jobs", id), id)
}

func (c *Client) job(ctx context.Context, use Use, kind JobKind, path, id string) (Job, error) {
	if err := checkID("job id", id); err != nil {
		return Job{}, err
	}
	body, err := c.do(ctx, request{use: use, priority: PriorityJobs, method: http.MethodGet, path: path})
	if err != nil {
		return Job{}, fmt.Errorf("get %s job %s: %w", kind, id, err)
	}
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return Job{}, fmt.Errorf("get %s job %s: the answer is no JSON object", kind, id)
	}
	if o.text("job_id") == "" { // whoever asks for a job knows which one it is
		o = withID(o, id)
	}
	return jobOf(o, kind, body)
}

func withID(o object, id string) object {
	if o == nil {
		o = object{}
	}
	o["job_id"] = json.RawMessage(strconv.Quote(id))
	return o
}

// CatalogPage is one page of what a store's catalogue has at the platform.
type CatalogPage struct {
	Products    []catalog.Item
	Odd         int // products with neither SKU nor barcode
	Page, Pages int // Pages is 0 where the platform does not say how many there are
}

// AllCatalog calls fn for every page of a store's catalogue and returns how many there were. What changes meanwhile may move articles
// from one page to the next, so that one can come twice, or not at all.
//
// Pages are counted from 1 [assumed: as those of orders]. Where the last one turns out empty they are counted from 0, and that one is asked
// for at the end.
func (c *Client) AllCatalog(ctx context.Context, vendor string, fn func(CatalogPage) error) (pages int, err error) {
	size, err := c.catalogPageSize(ctx, vendor, fn)
	if err != nil || size.last {
		return size.pages, err
	}
	first := size.first
	for n := 2; ; n++ {
		page, err := c.CatalogPage(ctx, vendor, n, size.size)
		if err != nil {
			return n - 1, err
		}
		now := page.firstKey()
		if page.Pages == 0 && now == first { // it takes no notice of the number
			return n - 1, nil
		}
		if first = now; page.empty() {
			return n - 1, c.pageZero(ctx, vendor, size.size, n <= page.Pages, fn)
		}
		if err := fn(page); err != nil {
			return n, err
		}
		if page.Pages > 0 && n >= page.Pages {
			return n, nil
		}
	}
}

// pagesBegun is what the first page told.
type pagesBegun struct {
	size, pages int
	first       string
	last        bool
}

// catalogPageSize hands on the first page, and returns the size of pages that the platform takes.
func (c *Client) catalogPageSize(ctx context.Context, vendor string, fn func(CatalogPage) error) (b pagesBegun, err error) {
	for i, size := range catalogPageSizes {
		page, err := c.CatalogPage(ctx, vendor, 1, size)
		e, ok := errors.AsType[*APIError](err)
		if ok && i+1 < len(catalogPageSizes) && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity) {
			continue
		}
		if err != nil {
			return b, err
		}
		b = pagesBegun{size: size, pages: 1, first: page.firstKey()}
		if page.empty() {
			b.last = true
			return b, c.pageZero(ctx, vendor, size, page.Pages > 0, fn)
		}
		b.last = page.Pages == 1
		return b, fn(page)
	}
	return b, nil
}

// pageZero hands on page 0, where there is reason to believe that there is one. That there is none is no error.
func (c *Client) pageZero(ctx context.Context, vendor string, size int, reason bool, fn func(CatalogPage) error) error {
	if !reason {
		return nil
	}
	page, err := c.CatalogPage(ctx, vendor, 0, size)
	if e, ok := errors.AsType[*APIError](err); ok && !e.Temporary() {
		return nil
	}
	if err != nil {
		return err
	}
	return fn(page)
}

func (p CatalogPage) empty() bool { return len(p.Products)+p.Odd == 0 }

// firstKey tells pages apart.
func (p CatalogPage) firstKey() string {
	if len(p.Products) == 0 {
		return ""
	}
	return p.Products[0].SKU + " " + p.Products[0].Barcode
}

// catalogPageSizes are the sizes of pages that are asked for, the next one where the platform refuses [assumed: the most and the usual size
// of pages of orders]. How large a page of the catalogue may be is [unknown].
var catalogPageSizes = [...]int{MaxPageSize, 100, DefaultPageSize}

// CatalogPage returns one page of a store's catalogue, from 1 on, with up to size articles.
func (c *Client) CatalogPage(ctx context.Context, vendor string, page, size int) (CatalogPage, error) {
	if err := checkID("vendor id", vendor); err != nil {
		return CatalogPage{}, err
	}
	query := url.Values{"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(size)}}
	body, err := c.do(ctx, request{
		use: UseCatalog, priority: PriorityAudit, method: http.MethodGet, path: c.CatalogPath(vendor), query: query,
	})
	if err != nil {
		return CatalogPage{}, fmt.Errorf("list catalogue of %s: %w", vendor, err)
	}
	var o object
	var all []object
	if json.Unmarshal(body, &o) != nil || json.Unmarshal(o["products"], &all) != nil {
		return CatalogPage{}, fmt.Errorf("list catalogue of %s: the answer has no list of products", vendor)
	}
	out := CatalogPage{Page: intOf(o.text("page_number"), page), Pages: intOf(o.text("total_pages"), 0)}
	for _, one := range all {
		if it := productOf(one); it.SKU != "" || it.Barcode != "" {
			out.Products = append(out.Products, it)
		} else {
			out.Odd++
		}
	}
	return out, nil
}

// ExportCatalog asks for a store's catalogue as CSV. Where it lies is told by webhook, in a catalogue job's event [doc].
func (c *Client) ExportCatalog(ctx context.Context, vendor string) (JobRef, error) {
	if err := checkID("vendor id", vendor); err != nil {
		return JobRef{}, err
	}
	body, err := c.do(ctx, request{
		use: UseCatalog, priority: PriorityAudit, method: http.MethodPost, path: c.chainPath("vendors", vendor, "catalog", "export"),
	})
	if err != nil {
		return JobRef{}, fmt.Errorf("export catalogue of %s: %w", vendor, err)
	}
	return parseJobRef(body), nil
}
