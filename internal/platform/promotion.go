package platform

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
)

// PromotionFormat says what a file of promotions looks like.
type PromotionFormat struct {
	Brand Brand
	By    catalog.IdentifyBy // which identifier the rows have; "" is the SKU

	// MaxSales says that the file has the column maximum_sales_quantity, because a promotion in it sets that limit. Where the brand
	// has no such column, the file has none either and the limit is left out.
	MaxSales bool

	// Stores is of a file for several stores; nil for one store, which the file's name tells. A promotion that says otherwise in its
	// Stores is written as it says; all of a file must say the same [partner].
	Stores *Stores
}

// WritePromotions writes rows as a file of promotions and returns how many it has below the header, which is always there. Columns
// and rows come in the order of production's files [partner] and of rows; nothing here looks for two rows that contradict each other.
//
// Each row has the chain's own identifier and no other, as in [WriteCatalog]; both columns are there, as in production [partner].
// Dates always have their time. A limit of 0 is an empty cell: both mean none [doc].
//
// The first error of rows ends the file. So do a promotion without identifier, campaign, reason or one of its dates [doc], one that
// ends before it starts, an unknown type or benefit, an amount that is not above zero or has more than [MaxPromotionDecimals]
// decimals, a strikethrough without its price (a share that nobody has priced), a value that its type has no column for, text that
// would break the file (see [WriteCatalog]), stores that mean nothing, and [ErrTooManyRows] beyond [MaxPromotionRows].
func WritePromotions(w io.Writer, f PromotionFormat, rows iter.Seq2[catalog.Promotion, error]) (int, error) {
	cells := promotionCells{maxSales: f.MaxSales && f.Brand.MaxSales}
	columns := append(identifierColumns(), cells.names()...)
	var stores *[2]string
	if f.Stores != nil {
		vendors, exclude, err := f.Stores.cells()
		if err != nil {
			return 0, fmt.Errorf("write promotions: %w", err)
		}
		// Production has both columns, the second one empty where it says nothing [partner].
		columns, stores = append(columns, vendorsColumn, excludeColumn), &[2]string{vendors, exclude}
	}
	return fileWriter[catalog.Promotion]{
		name: "promotions", columns: columns, maxRows: MaxPromotionRows,
		key: func(p catalog.Promotion) string { return p.Key(f.By) },
		fill: func(p catalog.Promotion, row []string) (bool, error) {
			if err := identify(f.By, p.SKU, p.Barcode, row); err != nil {
				return false, err
			}
			if p.MaxSales != 0 && f.Brand.MaxSales && !f.MaxSales {
				return false, errors.New("it sets a maximum sales quantity, which the file has no column for")
			}
			if err := cells.fill(p, row[2:]); err != nil {
				return false, err
			}
			if stores == nil {
				return true, nil
			}
			return true, storeCells(p, stores, row[len(row)-2:])
		},
	}.write(w, rows)
}

// storeCells writes the two cells of a row. The first row decides what those of its file say.
func storeCells(p catalog.Promotion, stores *[2]string, cells []string) error {
	own := *stores
	if p.Stores != "" {
		own[0], own[1], _ = strings.Cut(p.Stores, storesSeparator)
	}
	if cells[0] != "" && (cells[0] != own[0] || cells[1] != own[1]) {
		return errors.New("it is for other stores than the rows before it")
	}
	copy(cells, own[:])
	return nil
}

// promotionCells writes the cells of a promotion, the identifier's aside.
type promotionCells struct {
	maxSales bool // there is a column for that
}

// names returns the columns' names, in the order that production has [partner]. There the maximum sales quantity does not occur; it
// stands behind the other limit that orders have [assumed: the order does not matter].
func (c promotionCells) names() []string {
	names := []string{
		"campaign_name", "reason", "start_date", "end_date", "promotion_type", "promotion_sub_type", "discount_usage_limit",
		"bundle_details", "bundle_discount", "discounted_price", "max_no_of_orders", "campaign_status",
	}
	if c.maxSales {
		names = slices.Insert(names, len(names)-1, maxSalesColumn)
	}
	return names
}

// fill writes one cell for each column.
func (c promotionCells) fill(p catalog.Promotion, cells []string) error {
	if err := errors.Join(needText("campaign name", p.Campaign), needText("reason", p.Reason), checkPeriod(p.Start, p.End)); err != nil {
		return err
	}
	price, discount, err := c.offer(p)
	if err != nil {
		return err
	}
	var limits [3]string
	for i, l := range []struct {
		name  string
		value int64
	}{{"uses in one order", p.UsageLimit}, {"orders", p.MaxOrders}, {"sales in one order", p.MaxSales}} {
		switch {
		case l.value < 0:
			return fmt.Errorf("a limit of %d %s is below zero", l.value, l.name)
		case l.value > 0:
			limits[i] = strconv.FormatInt(l.value, 10)
		}
	}
	copy(cells, []string{
		p.Campaign, p.Reason, p.Start.String(), p.End.String(), string(p.Type), string(p.Benefit), limits[0],
		p.Details(), discount, price, limits[1],
	})
	cells = cells[11:]
	if c.maxSales {
		cells[0], cells = limits[2], cells[1:]
	}
	cells[0] = flag(p.Active)
	return nil
}

// offer returns the cells of what is offered: the price of a strikethrough, the discount of a bundle. What the type has no column for
// is an error, for it would be lost.
func (c promotionCells) offer(p catalog.Promotion) (price, discount string, err error) {
	switch p.Type {
	case catalog.Strikethrough:
		if p.Benefit != "" || p.Buy != 0 || p.Get != 0 || p.Amount != 0 {
			return "", "", errors.New("a strikethrough with the benefit of a bundle")
		}
		if p.Price == 0 && p.Percent != 0 {
			return "", "", fmt.Errorf("a strikethrough of %s percent without its price", p.Percent)
		}
		price, err = c.amount("discounted price", p.Price)
		return price, "", err
	case catalog.SameItemBundle:
		if p.Price != 0 {
			return "", "", errors.New("a bundle with the price of a strikethrough")
		}
		if _, _, err := catalog.ParseDetails(p.Details()); err != nil {
			return "", "", err
		}
		discount, err = c.discount(p)
		return "", discount, err
	default:
		return "", "", fmt.Errorf("unknown promotion type %q", p.Type)
	}
}

// discount returns the cell of a bundle's discount: the share without its sign, or the amount [partner].
func (c promotionCells) discount(p catalog.Promotion) (string, error) {
	switch p.Benefit {
	case catalog.FreeItem, catalog.PercentOff, catalog.AmountOff:
	default:
		return "", fmt.Errorf("unknown benefit %q of a bundle", p.Benefit)
	}
	if p.Percent != 0 && p.Benefit != catalog.PercentOff || p.Amount != 0 && p.Benefit != catalog.AmountOff {
		return "", fmt.Errorf("a bundle with another discount than its benefit %s", p.Benefit)
	}
	switch p.Benefit {
	case catalog.PercentOff:
		if p.Percent <= 0 || p.Percent > catalog.Hundred {
			return "", fmt.Errorf("%s percent off is not above 0 and at most 100", p.Percent)
		}
		return p.Percent.String(), nil
	case catalog.AmountOff:
		return c.amount("amount off", p.Amount)
	}
	return "", nil
}

// amount returns an amount of money as the platform takes it in a promotion: in its shortest form, because the row that ends a promotion
// must be the one that started it [doc], and a config may have another idea of the currency's decimals by then.
func (c promotionCells) amount(name string, m catalog.Money) (string, error) {
	if m <= 0 {
		return "", fmt.Errorf("%s %s is not above zero", name, m)
	}
	if m != m.Round(MaxPromotionDecimals) {
		return "", fmt.Errorf("%s %s has more than %d decimals", name, m, MaxPromotionDecimals)
	}
	return m.String(), nil
}

// needText returns an error unless s says something and can stand in a file.
func needText(name, s string) error {
	if strings.TrimSpace(s) == "" {
		return fmt.Errorf("the %s is missing", name)
	}
	return checkText(s)
}

// wallLength is the length of a date with its time. Years of more or fewer than four digits have another one.
const wallLength = len("2026-05-08 23:59:59")

// checkPeriod returns an error unless both dates are there, can be written, and are in order.
func checkPeriod(start, end catalog.Wall) error {
	switch {
	case start == 0:
		return errors.New("the start date is missing")
	case end == 0:
		return errors.New("the end date is missing")
	case end < start:
		return fmt.Errorf("it ends at %s, before it starts at %s", end, start)
	case len(start.String()) != wallLength, len(end.String()) != wallLength:
		return fmt.Errorf("from %s to %s is outside of the years that can be written", start, end)
	}
	return nil
}
