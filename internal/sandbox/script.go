package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxScript is how long a script may be.
const maxScript = 1 << 20

// scriptLine is one line of a script.
type scriptLine struct {
	line  int
	after time.Duration
	order string
	do    string
	args  []string
}

// RunScript lets orders live as a script says, and returns the ids of the orders that it made, in their order. A line of a script is a
// time since the beginning, a name for an order, what happens, and what that needs:
//
//	0s    a  new 290056 DELIVERY A-1:2 B-2:0.35kg   # store, type, articles; all but the store may be left out
//	5s    a  READY_FOR_PICKUP                      # any state
//	7s    a  cart                                  # its cart changes
//	9s    a  cancel ITEM_UNAVAILABLE CUSTOMER      # reason, by whom
//	9s    -  fault duplicate-events                # one of FaultNames; fault NAME off ends it
//
// What follows a # and empty lines count for nothing. The whole script is read before anything happens.
func (s *Sandbox) RunScript(ctx context.Context, r io.Reader) (ids []string, err error) {
	lines, err := readScript(r)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	begun := time.Now()
	for _, l := range lines {
		select {
		case <-ctx.Done():
			return ids, nil
		case <-time.After(l.after - time.Since(begun)):
		}
		id, err := s.runLine(l, names[l.order])
		if err != nil {
			return ids, fmt.Errorf("run order script: line %d: %w", l.line, err)
		}
		if l.do == newDeed {
			names[l.order] = id
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// readScript reads all lines, sorted by time.
func readScript(r io.Reader) ([]scriptLine, error) {
	var lines []scriptLine
	known := map[string]bool{}
	in := bufio.NewScanner(r)
	for n := 1; in.Scan(); n++ {
		text, _, _ := strings.Cut(in.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if len(words) < 3 {
			return nil, fmt.Errorf("read order script: line %d: want a time, an order's name and what happens", n)
		}
		after, err := time.ParseDuration(words[0])
		if err != nil || after < 0 {
			return nil, fmt.Errorf("read order script: line %d: %q is no time; write it as 1m30s", n, words[0])
		}
		l := scriptLine{n, after, words[1], words[2], words[3:]}
		if l.do == newDeed {
			known[l.order] = true
		} else if l.do != "fault" && !known[l.order] {
			return nil, fmt.Errorf("read order script: line %d: there is no order %q yet; write new before", n, l.order)
		}
		lines = append(lines, l)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read order script: %w", err)
	}
	slices.SortStableFunc(lines, func(a, b scriptLine) int { return int(a.after - b.after) })
	return lines, nil
}

// runLine carries a line out, and returns the id of the order that it made.
func (s *Sandbox) runLine(l scriptLine, id string) (made string, err error) {
	arg := func(n int, otherwise string) string {
		if n < len(l.args) {
			return l.args[n]
		}
		return otherwise
	}
	switch l.do {
	case newDeed:
		order := NewOrder{Vendor: arg(0, ""), Type: arg(1, "")}
		for _, text := range l.args[min(2, len(l.args)):] {
			line, err := readOrderLine(text)
			if err != nil {
				return "", err
			}
			order.Lines = append(order.Lines, line)
		}
		return s.AddOrder(order)
	case cartDeed:
		return "", s.ChangeCart(id)
	case "cancel":
		return "", s.Cancel(id, arg(0, "CUSTOMER_REQUEST"), arg(1, "CUSTOMER"))
	case "fault":
		return "", s.faults.Set(arg(0, ""), arg(1, "on") != "off")
	}
	return "", s.Advance(id, l.do)
}

// readOrderLine reads SKU, SKU:2 or SKU:0.35kg.
func readOrderLine(text string) (OrderLine, error) {
	sku, count, has := strings.Cut(text, ":")
	line := OrderLine{SKU: sku, Quantity: 1}
	if weight, kg := strings.CutSuffix(count, "kg"); kg {
		line.Weight = weight
	} else if has {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return line, fmt.Errorf("%q is no article; write SKU, SKU:2 or SKU:0.35kg", text)
		}
		line.Quantity = n
	}
	return line, nil
}
