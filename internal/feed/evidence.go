package feed

// evidence is what the cells of one column of numbers prove about its decimal convention.
type evidence struct {
	comma, point proof  // cells that only read so
	plain        int    // numbers without point and comma: they read the same either way
	open         int    // numbers that read either way, and not the same: 1.234
	openUneven   int    // those of them whose three last digits are not 000
	openMarks    [2]int // those of them with a comma, with a point
	openFirst    proof
}

// proof is how many cells prove a convention, and the first of them.
type proof struct {
	count int
	text  string
	row   int
	three bool // one of them has three decimals or more
}

// convention is how a column of numbers is to be read.
type convention struct {
	mark byte // the decimal mark, with the doubts about it; noMark when nothing proves one
	proof
}

// add takes one cell of the column into account. A cell proves a convention when the other one can't read it: 1.234,50 and 12,5
// prove the comma, and so does 1.234.567, where the point can only group. Cells that hold no number prove nothing.
func (e *evidence) add(cell string, row int, words []string) {
	if n, ok := scanNumeral(cell, words); ok {
		e.weigh(cell, row, &n)
	}
}

// weigh is add for a cell that was taken apart already.
func (e *evidence) weigh(cell string, row int, n *numeral) {
	if !n.marked() {
		e.plain++
		return
	}
	// A separator that ends the number, as in "1.234,", may be one of the sentence.
	if n.tail == 0 {
		return
	}
	byComma, byPoint := n.reads(comma), n.reads(point)
	switch {
	case byComma && byPoint:
		e.open++
		e.openFirst.add(cell, row)
		if n.core[len(n.core)-3:] != "000" {
			e.openUneven++
		}
		if n.last == comma {
			e.openMarks[0]++
		} else {
			e.openMarks[1]++
		}
	case byComma:
		e.comma.add(cell, row)
		e.comma.three = e.comma.three || n.last == comma && n.tail >= 3
	case byPoint:
		e.point.add(cell, row)
		e.point.three = e.point.three || n.last == point && n.tail >= 3
	}
}

// add counts one more proof; the first one is kept, to be shown.
func (p *proof) add(cell string, row int) {
	p.count++
	if p.count == 1 {
		p.text, p.row = excerpt(cell), row
	}
}

// decide returns the convention that most proofs are for, with the doubts that the column leaves. Where they are even, it
// contradicts itself and proves nothing.
func (e *evidence) decide() convention {
	switch {
	case e.comma.count > e.point.count:
		return e.comma.of(comma, e.point)
	case e.point.count > e.comma.count:
		return e.point.of(point, e.comma)
	}
	return convention{mark: noMark}
}

// of returns the convention that p is the proof of, against the proofs of the other one.
func (p proof) of(mark byte, against proof) convention {
	if !p.three {
		mark |= twoDecimals
	}
	if against.count > 0 {
		mark |= disputed
	}
	return convention{mark: mark, proof: p}
}

// fewQuantities are so few numbers that all of them may be thousands.
const fewQuantities = 2

// decideQuantity is decide with one more proof, for stock that an ERP writes with three decimals throughout: 12,000 and 3,250.
// There every number has the mark, also the small ones, and not all end in 000, which a column of thousands never shows.
func (e *evidence) decideQuantity() convention {
	c := e.decide()
	if c.mark != noMark || e.comma.count > 0 || e.plain > 0 || e.openUneven == 0 || e.open <= fewQuantities {
		return c
	}
	switch e.open {
	case e.openMarks[0]:
		return convention{mark: comma, proof: e.openFirst}
	case e.openMarks[1]:
		return convention{mark: point, proof: e.openFirst}
	}
	return c
}

// configured returns the convention that the config names, and whether it names one.
func configured(decimal string) (convention, bool) {
	switch decimal {
	case DecimalComma:
		return convention{mark: comma}, true
	case DecimalPoint:
		return convention{mark: point}, true
	}
	return convention{}, false
}

// name returns the convention as HeaderColumn spells it.
func (c convention) name() string {
	switch c.mark &^ doubts {
	case comma:
		return DecimalComma
	case point:
		return DecimalPoint
	}
	return ""
}
