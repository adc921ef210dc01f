package main

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// The layout of the chart, in pixels.
const (
	chartWidth  = 960
	labelWidth  = 250
	barsWidth   = 560
	barHeight   = 13
	barStep     = 18
	titleHeight = 44
	panelWidth  = 290
	panelHeight = 210
	// barsFrom and barsTo are the powers of ten that the bars' scale begins and ends with.
	barsFrom, barsTo = -1, 3
)

// chartStyle holds for paper and for dark screens.
const chartStyle = `<style>
text{font:12px system-ui,sans-serif;fill:#222}
.title{font-weight:600;font-size:13px}.head{font-weight:600;font-size:18px}.small{font-size:11px;fill:#555}
.ground{fill:#fff}.grid{stroke:#ddd}.one{stroke:#555}.line{fill:none;stroke-width:2;stroke:#1a6fb5}.dot{fill:#1a6fb5}.linear{stroke:#999;stroke-dasharray:4 4}
.gondola{fill:#1a6fb5}.limit{fill:#4c9a52}.peer{fill:#c4b6a4}.spread{stroke:#222}
@media(prefers-color-scheme:dark){text{fill:#ddd}.small{fill:#aaa}.ground{fill:#181a1b}.grid{stroke:#3a3d3f}.one{stroke:#bbb}
.line{stroke:#6cb2f0}.dot{fill:#6cb2f0}.gondola{fill:#6cb2f0}.limit{fill:#77c07c}.peer{fill:#76695a}.spread{stroke:#eee}}
</style>
`

// chart draws the results: how many times as long as the bare limit everybody takes, and how costs grow.
func chart(r results) string {
	var s strings.Builder
	y := 60
	for i := range r.outcomes {
		if o := &r.outcomes[i]; o.curve == nil {
			y = o.bars(&s, y)
		}
	}
	x := 20
	for i := range r.outcomes {
		if o := &r.outcomes[i]; o.curve != nil && len(o.curve.points) > 1 {
			if x+panelWidth > chartWidth {
				x, y = 20, y+panelHeight+30
			}
			o.curve.draw(&s, o.title, x, y+10)
			x += panelWidth + 20
		}
	}
	if x > 20 {
		y += panelHeight + 40
	}
	y += 20
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d">`+"\n%s"+
		`<rect class="ground" width="%d" height="%d"/><text class="head" x="20" y="30">How many times as long as the bare limit</text>`+
		`<text class="small" x="20" y="48">%s, %s; medians, and lines from the least to the most</text>`+"\n",
		chartWidth, y, chartWidth, y, chartStyle, chartWidth, y, html.EscapeString(r.machine), r.begun.UTC().Format("2006-01-02"))
	return head + s.String() + "</svg>\n"
}

// bars draws a contest and returns where the next one goes.
func (o *outcome) bars(s *strings.Builder, y int) int {
	least, _ := o.baseline()
	type bar struct {
		contender
		ratio spread
	}
	var all []bar
	for _, c := range o.contenders {
		if ratio, ok := o.ratio(c.name, least); ok {
			all = append(all, bar{c, ratio})
		}
	}
	if least == "" || len(all) < 2 {
		return y
	}
	slices.SortStableFunc(all, func(a, b bar) int { return cmp.Compare(a.ratio.median, b.ratio.median) })
	fmt.Fprintf(s, `<text class="title" x="20" y="%d">%s</text>`+"\n", y+26, html.EscapeString(o.title))
	top, bottom := y+34, y+titleHeight+len(all)*barStep
	for p := barsFrom; p <= barsTo; p++ {
		x, class := barX(math.Pow10(p)), "grid"
		if p == 0 {
			class = "one"
		}
		fmt.Fprintf(s, `<line class="%s" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, class, x, top, x, bottom)
		fmt.Fprintf(s, `<text class="small" x="%.1f" y="%d" text-anchor="middle">%g</text>`+"\n", x, bottom+12, math.Pow10(p))
	}
	for i, b := range all {
		at := y + titleHeight + i*barStep
		from, to := barX(1), barX(b.ratio.median)
		fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWidth, at+barHeight-2, html.EscapeString(b.name))
		fmt.Fprintf(s, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"/>`, b.role, min(from, to), at, max(math.Abs(to-from), 2), barHeight)
		fmt.Fprintf(s, `<line class="spread" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, barX(b.ratio.least), at+barHeight/2, barX(b.ratio.most), at+barHeight/2)
		fmt.Fprintf(s, `<text class="small" x="%d" y="%d">%s ×, %.0f MiB</text>`+"\n", labelWidth+barsWidth+25, at+barHeight-2, short(b.ratio.median), mebi(o.rss(b.name)))
	}
	return bottom + 14
}

// barX returns where a ratio lies.
func barX(ratio float64) float64 {
	at := (math.Log10(max(ratio, math.Pow10(barsFrom))) - barsFrom) / (barsTo - barsFrom)
	return labelWidth + 15 + barsWidth*min(at, 1)
}

// draw draws a curve with both axes logarithmic, beside a line of what is linear.
func (c *curve) draw(s *strings.Builder, title string, x, y int) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range c.points {
		low, high = min(low, p.m.least), max(high, p.m.most)
	}
	first, last := c.points[0], c.points[len(c.points)-1]
	bottom, top := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	left, right := math.Log10(first.x), math.Log10(last.x)
	px := func(v float64) float64 {
		return float64(x+40) + (math.Log10(v)-left)/(right-left)*(panelWidth-60)
	}
	py := func(v float64) float64 {
		return float64(y+panelHeight-25) - (math.Log10(v)-bottom)/max(top-bottom, 1)*(panelHeight-65)
	}
	for i, line := range wrapped(title, 36) {
		fmt.Fprintf(s, `<text class="title" x="%d" y="%d">%s</text>`+"\n", x, y+12+15*i, html.EscapeString(line))
	}
	for p := bottom; p <= max(top, bottom+1); p++ {
		v := math.Pow(10, p)
		fmt.Fprintf(s, `<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, x+40, py(v), x+panelWidth-20, py(v))
		fmt.Fprintf(s, `<text class="small" x="%d" y="%.1f" text-anchor="end">%g s</text>`+"\n", x+36, py(v)+4, v)
	}
	// From the largest size down: there the line shows what growing on as the size does would have cost before.
	from := max(first.x, last.x*math.Pow(10, bottom)/last.m.median)
	fmt.Fprintf(s, `<line class="linear" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", px(last.x), py(last.m.median), px(from), py(last.m.median*from/last.x))
	var path []string
	for _, p := range c.points {
		path = append(path, fmt.Sprintf("%.1f,%.1f", px(p.x), py(p.m.median)))
		fmt.Fprintf(s, `<circle class="dot" cx="%.1f" cy="%.1f" r="3.5"/>`, px(p.x), py(p.m.median))
		fmt.Fprintf(s, `<line class="spread" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, px(p.x), py(p.m.least), px(p.x), py(p.m.most))
		fmt.Fprintf(s, `<text class="small" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", px(p.x), y+panelHeight-8, thousands(int(p.x)))
	}
	fmt.Fprintf(s, `<polyline class="line" points="%s"/>`+"\n", strings.Join(path, " "))
	fitted, ahead := c.slope()
	fmt.Fprintf(s, `<text class="small" x="%d" y="%d">%s: exponent %.2f, at the end %.2f</text>`+"\n", x+40, y+panelHeight+8, html.EscapeString(c.of), fitted, ahead)
}

// wrapped cuts a title into lines.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
