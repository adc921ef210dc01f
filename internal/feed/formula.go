package feed

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// A formula is an expression that makes a price or a quantity of what a row says:
//
//	price * 1.05
//	quantity - 5
//	number("Costo") * (text("Rubro") == "Vinos" ? 1.40 : 1.25)
//
// Names are price, quantity, maximum_sales_quantity (numbers), active (yes or no), sku, barcode and vendor (texts), each as the export
// says it. text("Header") is what the row's cell in a column shows, number("Header") the number in it, read by what its column proves or,
// as number("Header", "comma"), as it says. round(x, digits), floor, ceil, abs, min, max, lower, upper and trim are the functions.
//
// Numbers are exact: 0.1 + 0.2 is 0.3, and a third is a third. A formula that asks for what the row leaves blank has nothing to say.
//
// Formulas are programs from a config, and programs must end: there are no loops, no variables and no calls but of the functions above,
// so the work is that of the formula's length, which is limited.

const (
	maxFormulaNodes  = 200
	maxFormulaLength = 4000 // bytes
	formulaMemory    = 10_000
	maxRoundDigits   = 9
	maxPattern       = 200 // bytes: time to match grows with it
)

// The names that a formula may use, and those of its functions for columns.
const (
	namePrice    = "price"
	nameQuantity = "quantity"
	nameMaxSales = "maximum_sales_quantity"
	nameActive   = "active"
	nameVendor   = "vendor"
	nameText     = "text"
	nameNumber   = "number"
)

// number is a number in a formula. What it points to is never changed.
type number struct{ *big.Rat }

// formulaRow is what a formula knows of a row.
type formulaRow struct {
	Price    number `expr:"price"`
	Quantity number `expr:"quantity"`
	MaxSales number `expr:"maximum_sales_quantity"`
	Active   bool   `expr:"active"`
	SKU      string `expr:"sku"`
	Barcode  string `expr:"barcode"`
	Vendor   string `expr:"vendor"`
}

// formula is a formula that compiled, and the columns that it asks for. It belongs to one goroutine.
type formula struct {
	program *vm.Program
	machine vm.VM
	needs   catalog.Fields    // of the row
	store   bool              // it asks for the store
	headers []string          // of the columns, each once
	decimal map[string]string // by header, where the formula says how its numbers are written

	columns map[string]*column // by header, of the export that is being read
	env     formulaRow
	row     table.Row
}

// errBlank says that a formula asked for what the row leaves blank.
var errBlank = errors.New("blank")

// noResult says why a formula has no result for a row.
type noResult struct {
	col  *column // nil where no cell is to blame
	text string
}

// Error implements error.
func (e *noResult) Error() string { return e.text }

// formulaOf compiles a formula; nil where there is none or it does not compile.
func formulaOf(text string) *formula {
	if text == "" {
		return nil
	}
	f, err := compileFormula(text)
	if err != nil {
		return nil
	}
	return f
}

// compileFormula compiles a formula. The error says what is wrong, and where in the text.
func compileFormula(text string) (*formula, error) {
	f := &formula{decimal: map[string]string{}, machine: vm.VM{MemoryBudget: formulaMemory}}
	if len(text) > maxFormulaLength {
		return nil, fmt.Errorf("want at most %d bytes, found %d", maxFormulaLength, len(text))
	}
	guard := &formulaGuard{f: f}
	options := []expr.Option{
		expr.Env(formulaRow{}), expr.DisableAllBuiltins(), expr.MaxNodes(maxFormulaNodes), expr.Patch(guard),
		expr.Function(nameText, f.text, new(func(string) string)),
		expr.Function(nameNumber, f.number, new(func(string) number), new(func(string, string) number)),
	}
	for _, name := range slices.Sorted(maps.Keys(formulaFunctions)) {
		fn := formulaFunctions[name]
		options = append(options, expr.Function(name, fn.call, fn.types...))
		if fn.operator != "" {
			options = append(options, expr.Operator(fn.operator, name))
		}
	}
	program, err := expr.Compile(text, options...)
	if guard.fault != nil {
		return nil, guard.fault
	}
	if err != nil {
		return nil, formulaError(err)
	}
	if t := program.Node().Type(); t == nil || t.String() != "feed.number" {
		return nil, errors.New("the result is no number; write a formula such as price * 1.05")
	}
	f.program = program
	return f, nil
}

// formulaError puts an error of the compiler on one line.
func formulaError(err error) error {
	at, ok := errors.AsType[*file.Error](err)
	if !ok {
		return errors.New(strings.Join(strings.Fields(err.Error()), " "))
	}
	message := strings.ReplaceAll(at.Message, "feed.number", "number")
	return fmt.Errorf("at character %d: %s", at.Column+1, strings.Join(strings.Fields(message), " "))
}

// bind gives the formula the columns of an export.
func (f *formula) bind(columns map[string]*column) { f.columns = columns }

// result works the formula out for a row. The error is errBlank, or a *noResult.
func (f *formula) result(r table.Row, store string, item catalog.Item) (*big.Rat, error) {
	if !item.Set.Has(f.needs) {
		return nil, errBlank
	}
	f.row = r
	f.env = formulaRow{
		Price:    number{big.NewRat(int64(item.Price), 1000)},
		Quantity: number{new(big.Rat).SetInt64(item.Quantity)}, MaxSales: number{new(big.Rat).SetInt64(item.MaxSales)},
		Active: item.Active, SKU: item.SKU, Barcode: item.Barcode, Vendor: store,
	}
	out, err := f.machine.Run(f.program, &f.env)
	if none, ok := errors.AsType[*noResult](err); ok {
		return nil, none
	}
	if errors.Is(err, errBlank) {
		return nil, errBlank
	}
	n, ok := out.(number)
	if err != nil || !ok || n.Rat == nil {
		return nil, &noResult{text: "?"}
	}
	return n.Rat, nil
}

// column returns the column of the header that a function was called with.
func (f *formula) column(header any) *column { return f.columns[squeeze(header.(string))] }

// text is the function of that name.
func (f *formula) text(args ...any) (any, error) {
	return strings.Join(strings.Fields(unwrap(shown(f.row, f.column(args[0])))), " "), nil
}

// number is the function of that name.
func (f *formula) number(args ...any) (any, error) {
	col := f.column(args[0])
	text := unwrap(cell(f.row, col))
	if text == "" {
		return nil, errBlank
	}
	if noAmount(typed(f.row, col), catalog.PriceText, catalog.PriceText) != "" {
		return nil, &noResult{col, excerpt(shown(f.row, col))}
	}
	mark := decimalMark(f.row, col)
	n, ok := scanNumeral(text, currencyWords)
	if !ok || n.glued && mark&^doubts != comma || n.doubtful(mark) || !n.reads(mark) {
		return nil, &noResult{col, excerpt(text)}
	}
	whole, fraction := n.split(mark)
	v, ok := wholeNumber(whole)
	if !ok || len(fraction) > maxFraction {
		return nil, &noResult{col, excerpt(text)}
	}
	rat, ok := new(big.Rat).SetString(strconv.FormatInt(v, 10) + "." + fraction + "0")
	if !ok {
		return nil, &noResult{col, excerpt(text)}
	}
	if n.negative {
		rat.Neg(rat)
	}
	return number{rat}, nil
}

// maxFraction is how many decimals a number in a cell may have: programs write seventeen.
const maxFraction = 30

// formulaFunction is a function, or an operator on numbers.
type formulaFunction struct {
	operator string
	call     func(...any) (any, error)
	types    []any
}

// formulaFunctions are all functions but those for columns, by name. Those of operators can't be called: no name begins with a line.
var formulaFunctions = map[string]formulaFunction{
	"_add": arithmetic("+", (*big.Rat).Add),
	"_sub": arithmetic("-", (*big.Rat).Sub),
	"_mul": arithmetic("*", (*big.Rat).Mul),
	"_div": {"/", divide, []any{new(func(number, number) number)}},
	"_eq":  comparison("==", func(c int) bool { return c == 0 }),
	"_ne":  comparison("!=", func(c int) bool { return c != 0 }),
	"_lt":  comparison("<", func(c int) bool { return c < 0 }),
	"_le":  comparison("<=", func(c int) bool { return c <= 0 }),
	"_gt":  comparison(">", func(c int) bool { return c > 0 }),
	"_ge":  comparison(">=", func(c int) bool { return c >= 0 }),
	"min":  choice(func(c int) bool { return c <= 0 }),
	"max":  choice(func(c int) bool { return c >= 0 }),
	"abs": {"", func(a ...any) (any, error) {
		return number{new(big.Rat).Abs(a[0].(number).Rat)}, nil
	}, []any{new(func(number) number)}},
	"floor": {"", func(a ...any) (any, error) { return wholes(a[0].(number).Rat, 0, 1), nil }, []any{new(func(number) number)}},
	"ceil":  {"", func(a ...any) (any, error) { return wholes(a[0].(number).Rat, 1, 1), nil }, []any{new(func(number) number)}},
	"round": {"", round, []any{new(func(number) number), new(func(number, number) number)}},
	"lower": textFunction(strings.ToLower),
	"upper": textFunction(strings.ToUpper),
	"trim":  textFunction(trim),
}

func arithmetic(operator string, do func(z, x, y *big.Rat) *big.Rat) formulaFunction {
	return formulaFunction{operator, func(a ...any) (any, error) {
		return number{do(new(big.Rat), a[0].(number).Rat, a[1].(number).Rat)}, nil
	}, []any{new(func(number, number) number)}}
}

func comparison(operator string, is func(int) bool) formulaFunction {
	return formulaFunction{operator, func(a ...any) (any, error) {
		return is(a[0].(number).Cmp(a[1].(number).Rat)), nil
	}, []any{new(func(number, number) bool)}}
}

func choice(first func(int) bool) formulaFunction {
	return formulaFunction{"", func(a ...any) (any, error) {
		if first(a[0].(number).Cmp(a[1].(number).Rat)) {
			return a[0], nil
		}
		return a[1], nil
	}, []any{new(func(number, number) number)}}
}

func textFunction(do func(string) string) formulaFunction {
	return formulaFunction{"", func(a ...any) (any, error) { return do(a[0].(string)), nil }, []any{new(func(string) string)}}
}

func divide(a ...any) (any, error) {
	by := a[1].(number).Rat
	if by.Sign() == 0 {
		return nil, &noResult{text: "\u00f7 0"}
	}
	return number{new(big.Rat).Quo(a[0].(number).Rat, by)}, nil
}

// wholes rounds x to a whole number of scale-ths: down with up = 0, up with up = 1.
func wholes(x *big.Rat, up, scale int64) number {
	n := new(big.Int).Mul(x.Num(), big.NewInt(scale))
	rest := new(big.Int)
	n.DivMod(n, x.Denom(), rest)
	if rest.Sign() != 0 {
		n.Add(n, big.NewInt(up))
	}
	return number{new(big.Rat).SetFrac(n, big.NewInt(scale))}
}

// round rounds half away from zero, to whole numbers or to so many digits.
func round(a ...any) (any, error) {
	digits := int64(0)
	if len(a) > 1 {
		d := a[1].(number).Rat
		if !d.IsInt() || d.Sign() < 0 || d.Cmp(big.NewRat(maxRoundDigits, 1)) > 0 {
			return nil, &noResult{text: "round(\u2026, " + d.RatString() + ")"}
		}
		digits = d.Num().Int64()
	}
	scale := int64(1)
	for range digits {
		scale *= 10
	}
	x := a[0].(number).Rat
	half := big.NewRat(1, 2*scale)
	if x.Sign() < 0 {
		return wholes(new(big.Rat).Sub(x, half), 1, scale), nil
	}
	return wholes(new(big.Rat).Add(x, half), 0, scale), nil
}
