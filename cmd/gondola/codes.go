package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gondola/internal/daemon"
)

// newCodesCommand explains the codes of issues.
func newCodesCommand(a *app) *cobra.Command {
	var language string
	c := &cobra.Command{
		Use:   "codes [CODE]",
		Short: "Explain the codes of issues",
		Long: `Lists the codes that name what is wrong with data, such as G-PRICE-03, with what each means and what to do.
They are the same in answers, in what --json prints and in the log, and never change their meaning. With
CODE, or the beginning of some, only those are listed.`,
		Example:     "  gondola codes G-PRICE\n  gondola codes G-PROMO-08 --language es",
		Args:        cobra.MaximumNArgs(1),
		Annotations: codes(),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.codes(language, strings.Join(args, ""))
		},
	}
	c.Flags().StringVar(&language, "language", "en", "`LANGUAGE` of the explanations: es, pt or en")
	return c
}

func (a *app) codes(language, begins string) error {
	if !slices.Contains(daemon.Languages(), language) {
		return usagef("unknown language %q (known: %s)", language, strings.Join(daemon.Languages(), ", "))
	}
	var found []daemon.CodeText
	for _, c := range daemon.Codes(language) {
		if strings.HasPrefix(string(c.Code), strings.ToUpper(begins)) {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return usagef("no code begins with %q; gondola codes lists all of them", begins)
	}
	if a.JSON {
		return a.printJSON(struct {
			Codes []daemon.CodeText `json:"codes"`
		}{found})
	}
	rows := make([][]string, len(found))
	for i, c := range found {
		rows[i] = []string{string(c.Code), c.Title, c.Do}
	}
	a.table([]string{"CODE", "MEANING", "WHAT TO DO"}, rows)
	return nil
}
