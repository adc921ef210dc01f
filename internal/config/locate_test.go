package config

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// cronError is another room's error: it knows the path and not this package.
type cronError struct{ path string }

func (e *cronError) Error() string      { return e.path + ": want five fields" }
func (e *cronError) ConfigPath() string { return e.path }

func TestLocate(t *testing.T) {
	c := mustParse(t, "feeds:", "send:\n  catalog:\n    schedule: \"* *\"\nfeeds:")
	place := func(line, column int, path, text, message string) Problem {
		return Problem{File: c.file.name, Line: line, Column: column, Path: path, Text: text, Message: message}
	}
	cron := place(12, 15, "send.catalog.schedule", "* *", "want five fields")
	brand := place(1, 1, "chain.brand", "", "no such brand")
	plain := Problem{File: c.file.name, Message: "disk on fire"}
	brandErr := PathError{Path: "chain.brand", Err: errors.New("no such brand")}
	for _, tc := range []struct {
		name string
		err  error
		want []Problem
	}{
		{"nil", nil, nil},
		{"plain", errors.New("disk on fire"), []Problem{plain}},
		{"path", brandErr, []Problem{brand}},
		{"pointer", &brandErr, []Problem{brand}},
		{"another room's", &cronError{"send.catalog.schedule"}, []Problem{cron}},
		{"wrapped", fmt.Errorf("open house: %w", &cronError{"send.catalog.schedule"}), []Problem{cron}},
		{
			"tree", errors.Join(brandErr, fmt.Errorf("x: %w", errors.Join(&cronError{"send.catalog.schedule"}, errors.New("disk on fire")))),
			[]Problem{brand, cron, plain},
		},
		{"joined without paths", errors.Join(errors.New("a"), errors.New("b")), []Problem{{File: c.file.name, Message: "a\nb"}}},
		{"innermost", PathError{"send", &cronError{"send.catalog.schedule"}}, []Problem{cron}},
		{"problems", &Problems{cron, brand}, []Problem{cron, brand}},
		{"list item", PathError{"sftp.host_keys[0]", errors.New("x")}, []Problem{
			place(9, 15, "sftp.host_keys[0]", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "x"),
		}},
	} {
		if diff := cmp.Diff(tc.want, c.Locate(tc.err), cmpopts.IgnoreFields(Problem{}, "Excerpt")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestProblemFallsBackToTheNearestParent(t *testing.T) {
	c := mustParse(t, "", "")
	for path, want := range map[string][2]int{
		"feeds[0].vendor.column":      {13, 22},
		"feeds[0].vendor.ids[3]":      {13, 5},
		"feeds[0].columns.price.from": {11, 5},
		"feeds[7].name":               {10, 1},
		"sftp.stall_timeout":          {5, 1},
		"brake.approval":              {1, 1},
		"":                            {1, 1},
	} {
		p := c.Problem(path, "x %d", 1)
		if [2]int{p.Line, p.Column} != want || p.Path != path || p.Message != "x 1" {
			t.Errorf("%s: %+v, want place %v", path, p, want)
		}
		if exact := path == "feeds[0].vendor.column"; (p.Text == "Sucursal") != exact {
			t.Errorf("%s: text %q", path, p.Text)
		}
	}
}
