package daemon

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gondola/internal/config"
	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/table"
)

// orderSetup is how orders leave for the ERP.
type orderSetup struct {
	dir    string // "" = they don't
	format order.Format
	name   order.Name
	every  time.Duration // 0 = a file for each order
	rules  order.Rules
}

// severalName is what files are called that hold several orders, where the config says nothing else.
const severalName = "{vendor}_{time}"

// setOrders takes over how orders leave. It returns what is wrong with it.
func (s *setup) setOrders() error {
	e := s.cfg.Orders.Export
	var errs []error
	fault := func(key string, err error) {
		errs = append(errs, config.PathError{Path: "orders.export." + key, Err: err})
	}
	o := orderSetup{dir: e.Dir, every: time.Duration(e.Every)}
	o.format = order.Format{
		Shape: order.Shape(e.Format), Comma: e.Decimal == "comma", Customer: e.Customer,
		Separator: map[string]rune{"semicolon": ';', "tab": '\t'}[e.Separator],
		Encoding:  table.Encoding(strings.TrimSuffix(e.Encoding, "-bom")), Mark: strings.HasSuffix(e.Encoding, "-bom"),
	}
	if e.Format == config.OrderJSON && e.Encoding != "utf-8" {
		fault("encoding", errors.New("json is always utf-8; write that, or another format"))
	}
	if e.Format == config.OrderTemplate {
		var err error
		if o.format, err = readTemplate(o.format, e.Template); err != nil {
			fault("template", err)
		}
	}
	pattern := e.Name
	if o.every > 0 && pattern == config.DefaultOrderName {
		pattern = severalName
	}
	var err error
	if o.name, err = order.ParseName(pattern, o.every > 0); err != nil {
		fault("name", err)
	}
	for i, word := range e.On {
		state := platform.OrderState(strings.ToUpper(word))
		if !order.Known(state) {
			fault(fmt.Sprintf("on[%d]", i), fmt.Errorf("unknown state %q (known: %s)", word, stateNames()))
		}
		if o.dir != "" {
			o.rules.On = append(o.rules.On, state)
		}
	}
	o.rules.OnChange = e.OnChange == config.OnChangeExport
	o.rules.Vendors = s.VendorIDs()
	s.orders = o
	return errors.Join(errs...)
}

// stateNames lists the states of orders for a message.
func stateNames() string {
	var all []string
	for _, s := range order.States() {
		all = append(all, string(s))
	}
	return strings.Join(all, ", ")
}

// readTemplate reads an admin's template and tries it.
func readTemplate(f order.Format, path string) (order.Format, error) {
	if path == "" {
		return f, nil // the config says so already
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return f, fmt.Errorf("read the template: %w", err)
	}
	return f.ParseTemplate(path, text)
}
