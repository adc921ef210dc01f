package table

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

// drawn is a cell that is to be written, and what must be read.
type drawn struct {
	value any
	style int
	want  written
}

// drawCell draws a cell that is not blank. Texts have no "_x", since excelize masks it in one writer and not in the other.
func drawCell(t *rapid.T, styles []int) drawn {
	signs := []rune("aZñé€🍋\u0301 \t\n_0Dd5F;,.'\"<&>=-+%")
	zeros := [...]int{0, 13, 1, 1}
	style := rapid.IntRange(0, len(styles)-1).Draw(t, "style")
	d := drawn{style: styles[style]}
	text, shown := "", ""
	switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); kind {
	case 0, 1:
		texts := []string{"1001", "007", "1.234,50", "TRUE", "#N/A", " ", "a\r\nb", "a\rb"}
		text = rapid.OneOf(rapid.SampledFrom(texts), rapid.StringOfN(rapid.SampledFrom(signs), 1, 40, -1)).Draw(t, "text")
		d.value, d.want.Kind = text, "text"
	case 2:
		n := rapid.Int64Range(-999_999_999_999_999, 999_999_999_999_999).Draw(t, "whole")
		d.value, d.want.Kind, text = n, "number", strconv.FormatInt(n, 10)
		if n >= 0 {
			shown = strings.Repeat("0", max(0, zeros[style]-len(text))) + text
		}
	case 3:
		cents := rapid.Int64Range(1, 9_999_999_999).Draw(t, "cents")*100 + 25
		text = fmt.Sprintf("%d.%02d", cents/100, cents%100)
		d.value, d.want.Kind = float64(cents)/100, "number"
	case 4:
		yes := rapid.Bool().Draw(t, "yes")
		d.value, d.want.Kind, text, shown = yes, "bool", pick(yes, "1", "0"), pick(yes, "TRUE", "FALSE")
	case 5:
		day := time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 90_000_000).Draw(t, "minute")) * time.Minute)
		d.value, d.want.Kind, d.style = day, "date", 0
		shown = pick(day.Hour()+day.Minute() == 0, day.Format(time.DateOnly), day.Format(time.DateTime))
	}
	if shown == "" {
		shown = text
	}
	d.want.Value, d.want.Shown = &text, &shown
	return d
}

// What excelize has been given comes out, whichever of its two writers wrote it down.
func TestRoundTripThroughExcelize(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		f := excelize.NewFile()
		defer f.Close()
		styles := []int{0}
		for _, format := range []string{"0000000000000", "0.00", "#,##0.00;[Red]-#,##0.00"} {
			id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
			must(t, err)
			styles = append(styles, id)
		}
		var want []string
		const inMemory, streamed = "En memoria", "Fila a fila"
		must(t, f.SetSheetName("Sheet1", inMemory))
		_, err := f.NewSheet(streamed)
		must(t, err)
		w, err := f.NewStreamWriter(streamed)
		must(t, err)
		line := 0
		for range rapid.IntRange(1, 12).Draw(rt, "rows") {
			line += rapid.IntRange(1, 3).Draw(rt, "gap")
			hidden := rapid.Bool().Draw(rt, "hidden")
			row := make([]any, rapid.IntRange(1, 8).Draw(rt, "cells"))
			for i := range row {
				if rapid.IntRange(0, 3).Draw(rt, "blank") == 0 {
					continue
				}
				ref, err := excelize.CoordinatesToCellName(i+1, line)
				must(t, err)
				d := drawCell(rt, styles)
				d.want.Cell, d.want.Sheet, d.want.RowHidden = ref, inMemory, hidden
				must(t, f.SetCellValue(inMemory, ref, d.value))
				if d.style > 0 {
					must(t, f.SetCellStyle(inMemory, ref, ref, d.style))
				}
				want = append(want, d.want.String())
				d.want.Sheet, d.want.Formula = streamed, rapid.Bool().Draw(rt, "formula") && d.want.Kind == "number"
				row[i] = excelize.Cell{StyleID: d.style, Value: d.value, Formula: pick(d.want.Formula, "A1<2&\"x\"", "")}
				want = append(want, d.want.String())
			}
			must(t, f.SetRowVisible(inMemory, line, !hidden))
			must(t, w.SetRow(fmt.Sprint("A", line), row, excelize.RowOpts{Hidden: hidden}))
		}
		must(t, w.Flush())
		path := filepath.Join(dir, "round.xlsx")
		must(t, f.SaveAs(path))
		tab := mustOpen(t, path, Options{})
		defer tab.Close()
		var got []string
		for _, s := range tab.Sheets() {
			got = append(got, found(t, s)...)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("cells (-want +got):\n%s", diff)
		}
	})
}
