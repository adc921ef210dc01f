package feed

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"gondola/internal/catalog"
)

// formulaGuard lets nothing into a formula but what is listed here, notes which names and columns it uses, and makes its numbers exact.
// The library calls it for every node, children first.
type formulaGuard struct {
	f     *formula
	fault error // the first
}

// formulaOperators are the operators with two sides. Missing are those that can make much of little: ranges and powers.
var formulaOperators = []string{
	"+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">=", "and", "&&", "or", "||", "in", "not in", "contains", "startsWith", "endsWith", "matches",
}

// formulaNames are the names of values.
var formulaNames = []string{namePrice, nameQuantity, nameMaxSales, nameActive, "sku", "barcode", nameVendor}

// formulaFields are the fields that names stand for.
var formulaFields = map[string]catalog.Fields{
	namePrice: catalog.Price, nameQuantity: catalog.Quantity, nameMaxSales: catalog.MaxSales, nameActive: catalog.Active,
}

// Visit implements the library's visitor.
func (g *formulaGuard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.StringNode, *ast.BoolNode, *ast.ConditionalNode:
	case *ast.IntegerNode:
		g.exact(node, strconv.Itoa(n.Value))
	case *ast.FloatNode:
		// The shortest text that stands for the float is what was written.
		g.exact(node, strconv.FormatFloat(n.Value, 'f', -1, 64))
	case *ast.IdentifierNode:
		g.name(n)
	case *ast.UnaryNode:
		g.unary(node, n)
	case *ast.BinaryNode:
		g.binary(n)
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			if _, ok := item.(*ast.StringNode); !ok {
				g.refuse(n, "a list of anything but texts is not for formulas; compare numbers one by one")
			}
		}
	case *ast.CallNode:
		g.call(n)
	default:
		g.refuse(n, "this is not for formulas; they have numbers, texts, names, functions, comparisons and a ? b : c")
	}
}

// refuse notes a fault at the place of a node, unless there is one already.
func (g *formulaGuard) refuse(n ast.Node, format string, args ...any) {
	if g.fault == nil {
		g.fault = fmt.Errorf("at character %d: "+format, append([]any{n.Location().From + 1}, args...)...)
	}
}

// exact puts an exact number in the place of a literal.
func (g *formulaGuard) exact(node *ast.Node, digits string) {
	r, ok := new(big.Rat).SetString(digits)
	if !ok {
		g.refuse(*node, "%s is no number", digits)
		return
	}
	ast.Patch(node, &ast.ConstantNode{Value: number{r}})
}

// name checks a name, and notes its use.
func (g *formulaGuard) name(n *ast.IdentifierNode) {
	functions := append([]string{nameNumber, nameText}, slices.Collect(maps.Keys(formulaFunctions))...)
	functions = slices.DeleteFunc(functions, func(name string) bool { return name[0] == '_' })
	switch {
	case slices.Contains(formulaNames, n.Value):
		g.f.needs |= formulaFields[n.Value]
		g.f.store = g.f.store || n.Value == nameVendor
	case !slices.Contains(functions, n.Value):
		slices.Sort(functions)
		g.refuse(n, "unknown name %q (known: %s; functions: %s; a column is text(\"Header\") or number(\"Header\"))", n.Value,
			strings.Join(formulaNames, ", "), strings.Join(functions, ", "))
	}
}

// unary makes a sign a difference from zero, which the operators on numbers know.
func (g *formulaGuard) unary(node *ast.Node, n *ast.UnaryNode) {
	switch n.Operator {
	case "!", "not":
	case "+", "-":
		ast.Patch(node, &ast.BinaryNode{Operator: n.Operator, Left: &ast.ConstantNode{Value: number{new(big.Rat)}}, Right: n.Node})
	default:
		g.refuse(n, "the operator %s is not for formulas", n.Operator)
	}
}

// binary checks an operator. A pattern must stand in the formula: one from a cell could be anything.
func (g *formulaGuard) binary(n *ast.BinaryNode) {
	if !slices.Contains(formulaOperators, n.Operator) {
		g.refuse(n, "the operator %s is not for formulas (known: %s)", n.Operator, strings.Join(formulaOperators, " "))
	}
	if pattern, ok := n.Right.(*ast.StringNode); n.Operator == "matches" && (!ok || len(pattern.Value) > maxPattern) {
		g.refuse(n, "matches needs a pattern in quotes, of at most %d bytes", maxPattern)
	}
	if _, ok := n.Right.(*ast.ArrayNode); (n.Operator == "in" || n.Operator == "not in") && !ok {
		g.refuse(n, "%s needs a list of texts, such as [\"Vinos\", \"Quesos\"]", n.Operator)
	}
}

// call notes which columns are asked for.
func (g *formulaGuard) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	switch {
	case !ok:
		g.refuse(n, "only functions can be called")
		return
	case callee.Value != nameText && callee.Value != nameNumber || len(n.Arguments) == 0:
		return
	}
	header, ok := n.Arguments[0].(*ast.StringNode)
	if !ok || squeeze(header.Value) == "" {
		g.refuse(n, "%s needs the header of a column in quotes", callee.Value)
		return
	}
	if !slices.ContainsFunc(g.f.headers, func(h string) bool { return squeeze(h) == squeeze(header.Value) }) {
		g.f.headers = append(g.f.headers, header.Value)
	}
	if len(n.Arguments) < 2 {
		return
	}
	if err := g.decimal(header.Value, n.Arguments[1]); err != nil {
		g.refuse(n, "%v", err)
	}
}

// decimal notes how the numbers of a column are written.
func (g *formulaGuard) decimal(header string, arg ast.Node) error {
	text, ok := arg.(*ast.StringNode)
	if !ok {
		return errors.New("the decimal mark must stand in quotes")
	}
	if _, ok := configured(text.Value); !ok {
		return fmt.Errorf("%q is no decimal mark; write %q or %q", text.Value, DecimalComma, DecimalPoint)
	}
	g.f.decimal[squeeze(header)] = text.Value
	return nil
}
