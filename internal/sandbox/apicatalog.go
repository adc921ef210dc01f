package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// productBody is one product of an update. What is not there stays as it is.
type productBody struct {
	SKU      string      `json:"sku"`
	Barcode  string      `json:"barcode"` // says nothing new: the SKU counts
	Price    plainNumber `json:"price"`
	Active   *bool       `json:"active"`
	Quantity *int        `json:"quantity"`
	MaxSales *int        `json:"maximum_sales_quantity"`
	Short    *int        `json:"max_sales_quantity"` // the name in some texts
}

// plainNumber is a JSON number as it was written, "" for none. A number in quotes is refused.
type plainNumber string

// UnmarshalJSON implements json.Unmarshaler.
func (n *plainNumber) UnmarshalJSON(data []byte) error {
	switch {
	case string(data) == "null":
	case strings.ContainsAny(string(data), "\"{[tf"):
		return &json.UnmarshalTypeError{Value: string(data), Type: reflect.TypeFor[float64]()}
	default:
		*n = plainNumber(data)
	}
	return nil
}

// cells returns the product as a row of a file, whose rules are the same.
func (p productBody) cells() cells {
	var c cells
	c[colSKU], c[colPrice] = p.SKU, string(p.Price)
	if p.Active != nil {
		c[colActive] = strconv.FormatBool(*p.Active)
	}
	if p.Quantity != nil {
		c[colQuantity] = strconv.Itoa(*p.Quantity)
	}
	if p.MaxSales != nil {
		c[colMaxSales] = strconv.Itoa(*p.MaxSales)
	}
	return c
}

// putCatalog takes an update of products.
func (r *rest) putCatalog(c *call) answer {
	var body struct {
		Products []productBody `json:"products"`
	}
	if why := r.decode(c, &body); why != "" {
		return r.invalid(why)
	}
	if len(body.Products) == 0 {
		return r.invalid("no products")
	}
	for i, p := range body.Products {
		name := "products[" + strconv.Itoa(i) + "]"
		if r.opts.Rules.MaxSalesShort {
			p.MaxSales, p.Short = p.Short, p.MaxSales
		}
		switch {
		case p.Short != nil && !r.opts.Rules.UnknownFields:
			return r.invalid(name + ": unknown field for the maximum sales quantity")
		case p.SKU == "":
			return r.invalid(name + ": no sku")
		case p.Price == "" && p.Active == nil && p.Quantity == nil && p.MaxSales == nil:
			return r.invalid(name + ": no change")
		}
		body.Products[i] = p
	}
	vendor := c.PathValue("vendor")
	if r.opts.Rules.OneProductNow && len(body.Products) == 1 {
		return r.oneProduct(vendor, body.Products)
	}
	job := r.jobs.add(JobCatalog, vendor, func(string) jobResult { return r.updateCatalog(vendor, body.Products) })
	return accepted(job)
}

// oneProduct carries the update of one product out at once.
func (r *rest) oneProduct(vendor string, products []productBody) answer {
	r.reader.scan.Lock()
	defer r.reader.scan.Unlock()
	result := r.updateCatalog(vendor, products)
	if result.refused > 0 {
		return r.invalid(result.items[0].Reasons[0].Reason)
	}
	return reply(http.StatusOK, map[string]string{"sku": products[0].SKU})
}

// updateCatalog puts products on a shelf. The reader's turn is ours.
func (r *rest) updateCatalog(vendor string, products []productBody) jobResult {
	rules := r.opts.Rules
	rules.BothIdentifiers = true // as the documented body has them
	t := &table{rules: rules}
	changes := map[place]change{}
	result := jobResult{pairs: len(products)}
	for _, p := range products {
		ch, why := t.change(p.cells())
		field := "sku"
		if why != "" {
			_, field, _ = strings.Cut(why, " ") // "invalid price"
		} else if _, ok := r.stores.find(vendor, p.SKU, ""); !ok {
			why = RowMissing
		}
		item := itemFeedback{SKU: p.SKU, Status: itemTaken, Reasons: []rejectionReason{}}
		if why != "" {
			item.Status = itemRejected
			item.Reasons = append(item.Reasons, rejectionReason{field, why})
			result.refused++
		} else {
			changes[place{vendor, p.SKU}] = ch
		}
		if why != "" || !rules.OnlyRejected {
			result.items = append(result.items, item)
		}
	}
	r.stores.apply(changes, nil)
	result.file = r.feedbackCSV(result.items)
	if result.refused > 0 && rules.RejectionsFail {
		result.status = Failed
	}
	return result
}

// listedProduct is one product of the catalogue's list.
type listedProduct struct {
	SKU      string      `json:"sku"`
	Barcode  string      `json:"barcode"`
	Name     string      `json:"name"`
	Price    json.Number `json:"price"`
	Active   bool        `json:"active"`
	MaxSales *int        `json:"maximum_sales_quantity,omitempty"`
	Short    *int        `json:"max_sales_quantity,omitempty"`
}

// listCatalog answers with a page of a store's products, sorted by SKU.
func (r *rest) listCatalog(c *call) answer {
	first := 1
	if r.opts.Rules.FirstPageIsZero {
		first = 0
	}
	page, size, why := r.paging(c.URL.Query(), first)
	if why != "" {
		return r.invalid(why)
	}
	shelf, pages := pageOf(r.Shelf(c.PathValue("vendor")), page-first, size, 0)
	products := make([]listedProduct, 0, len(shelf))
	for _, a := range shelf {
		p := listedProduct{SKU: a.SKU, Barcode: padded(a.Barcode), Name: a.Name, Price: json.Number(either(a.Price, "0")), Active: a.Active}
		if r.opts.Rules.MaxSalesShort {
			p.Short = &a.MaxSales
		} else {
			p.MaxSales = &a.MaxSales
		}
		products = append(products, p)
	}
	return reply(http.StatusOK, struct {
		Page     int             `json:"page_number"`
		Size     int             `json:"page_size"`
		Pages    int             `json:"total_pages"`
		Products []listedProduct `json:"products"`
	}{page, size, pages, products})
}

// padded returns a barcode as partners see it in what comes from the platform: with zeros in front, as a GTIN-14.
func padded(barcode string) string {
	const digits = 14
	if !isDigits(barcode) || len(barcode) >= digits {
		return barcode
	}
	return strings.Repeat("0", digits-len(barcode)) + barcode
}

// exportCatalog begins an export, whose file is told of by an event.
func (r *rest) exportCatalog(c *call) answer {
	vendor := c.PathValue("vendor")
	job := r.jobs.add(JobExport, vendor, func(string) jobResult {
		shelf := r.Shelf(vendor)
		return jobResult{pairs: len(shelf), file: exportCSV(shelf)}
	})
	return accepted(job)
}

// exportCSV writes a shelf as the platform's export has it: every cell quoted.
func exportCSV(shelf []Article) []byte {
	var b bytes.Buffer
	row := func(fields ...string) {
		for i, f := range fields {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + strings.ReplaceAll(f, `"`, `""`) + `"`)
		}
		b.WriteByte('\n')
	}
	row("sku", "barcode", "price", "active", "maximum_sales_quantity")
	for _, a := range shelf {
		most := ""
		if a.MaxSales > 0 {
			most = strconv.Itoa(a.MaxSales)
		}
		row(a.SKU, padded(a.Barcode), a.Price, strconv.FormatBool(a.Active), most)
	}
	return b.Bytes()
}

// downloadURL returns where a job's file lies. Both kinds of addresses are known from partners.
func (r *rest) downloadURL(job string) string {
	if r.opts.Rules.Presigned {
		return r.HTTPURL() + "/downloads/" + job + ".csv?signature=" + r.signature(job)
	}
	return r.RESTURL() + "/v2/chains/" + r.opts.API.ChainID + "/catalog/files/" + job + ".csv"
}

// signature makes a presigned address hard to guess.
func (r *rest) signature(job string) string {
	mac := hmac.New(sha256.New, r.signing)
	_, _ = mac.Write([]byte(job)) // a hash takes everything
	return hex.EncodeToString(mac.Sum(nil))
}

// download answers with a job's file.
func (r *rest) download(c *call) answer {
	id, csv := strings.CutSuffix(c.PathValue("file"), ".csv")
	job, ok := r.jobs.find(id)
	if !csv || !ok || job.Sequence == 0 || r.opts.Rules.Presigned {
		return answer{status: http.StatusNotFound}
	}
	return answer{status: http.StatusOK, kind: "text/csv", body: job.result.file}
}

// servePresigned answers on another host than the interface's. A token has no business there: it is refused, as storage behind signed
// addresses does, and noted among the requests.
func (r *rest) servePresigned(w http.ResponseWriter, q *http.Request) {
	id, _ := strings.CutSuffix(q.PathValue("file"), ".csv")
	job, ok := r.jobs.find(id)
	note := Request{At: r.opts.Now(), Method: q.Method, Path: q.URL.Path, Status: http.StatusOK}
	switch {
	case q.Header.Get("Authorization") != "":
		note.Status, note.Fault = http.StatusBadRequest, "token sent to a foreign host"
	case !ok || job.Sequence == 0 || !hmac.Equal([]byte(q.FormValue("signature")), []byte(r.signature(id))):
		note.Status = http.StatusForbidden
	}
	r.note(&note)
	if note.Status != http.StatusOK {
		http.Error(w, http.StatusText(note.Status), note.Status)
		return
	}
	w.Header().Set("Content-Type", "text/csv")
	http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(job.result.file))
}

// category is a group of products. Its fields are assumed: nobody outside knows them.
type category struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	ParentID *string `json:"parent_id"`
}

// listCategories answers with made-up categories, the same for every store.
func (r *rest) listCategories(c *call) answer {
	parent := "10"
	all := []category{{"10", "Almacén", nil}, {"11", "Infusiones", &parent}, {"12", "Conservas", &parent}, {"20", "Limpieza", nil}}
	leaves := all[1:]
	if c.URL.Query().Get("only_leaves") == "true" {
		all = leaves
	}
	return reply(http.StatusOK, map[string][]category{"categories": all})
}
