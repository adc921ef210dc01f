package daemon

import (
	"bytes"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/report"
	"gondola/templates"
)

// staffWords are the texts of the page for store staff. {names} in braces stand for files and folders: see guideNamesOf.
type staffWords struct {
	TitleCatalogue    string            `json:"title_catalogue"`
	TitlePromotions   string            `json:"title_promotions"`
	Lead              string            `json:"lead"`
	WhatHeading       string            `json:"what_heading"`
	WhatStarter       string            `json:"what_starter"` // the feed is for a starter spreadsheet
	WhatSample        string            `json:"what_sample"`  // the feed is for the ERP's export
	WhatOnce          string            `json:"what_once"`
	StepsHeading      string            `json:"steps_heading"`
	Steps             []string          `json:"steps"`
	ReadHeading       string            `json:"read_heading"`
	ReadLead          string            `json:"read_lead"`
	Verdicts          map[string]string `json:"verdicts"` // by report.Verdict
	WrongHeading      string            `json:"wrong_heading"`
	Wrong             []string          `json:"wrong"`
	FoldersHeading    string            `json:"folders_heading"`
	Folders           [][2]string       `json:"folders"`
	OffersHeading     string            `json:"offers_heading"`
	OffersPrice       string            `json:"offers_price"`
	OffersDates       string            `json:"offers_dates"`
	PromotionsHeading string            `json:"promotions_heading"`
	Promotions        string            `json:"promotions"`
	CallHeading       string            `json:"call_heading"`
	Call              []string          `json:"call"`
	CallWhen          string            `json:"call_when"`
}

// guideView is what the template of the page sees. Texts that name files are markup.
type guideView struct {
	Lang, Title, Lead                                                       string
	WhatHeading, StepsHeading, ReadHeading, ReadLead, WrongHeading          string
	FoldersHeading, OffersHeading, PromotionsHeading, CallHeading, CallWhen string
	What, WhatOnce, OffersDates, Promotions                                 template.HTML
	Steps, Wrong                                                            []template.HTML
	Verdicts, Folders, Offers                                               []guideLine
	Call                                                                    []string
}

// guideLine is a line of a table: what stands somewhere, and what it means.
type guideLine struct {
	Name        string
	Says, Means template.HTML
}

// guidePage returns the page for the staff that uses a feed's drop folder.
func (w starterWords) guidePage(in Installation, f Draft) ([]byte, error) {
	t, err := template.ParseFS(templates.Files, "init/guide.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read guide: %w", err)
	}
	s := w.Staff
	names := w.guideNamesOf(in, f)
	v := guideView{
		Lang: in.Language, Title: s.TitleCatalogue, Lead: s.Lead, WhatHeading: s.WhatHeading, StepsHeading: s.StepsHeading,
		ReadHeading: s.ReadHeading, ReadLead: s.ReadLead, WrongHeading: s.WrongHeading, FoldersHeading: s.FoldersHeading,
		OffersHeading: s.OffersHeading, PromotionsHeading: s.PromotionsHeading, CallHeading: s.CallHeading, CallWhen: s.CallWhen,
		What: names.mark(s.WhatStarter), WhatOnce: names.mark(s.WhatOnce), OffersDates: names.mark(s.OffersDates),
		Promotions: names.mark(s.Promotions), Steps: names.markAll(s.Steps), Wrong: names.markAll(s.Wrong), Call: s.Call,
	}
	if f.Sample != "" {
		v.What = names.mark(s.WhatSample)
	}
	for _, verdict := range []report.Verdict{report.Accepted, report.AcceptedWithIssues, report.Held, report.Rejected} {
		v.Verdicts = append(v.Verdicts, guideLine{
			string(verdict), names.mark(report.Heading(in.Language, verdict)), names.mark(s.Verdicts[string(verdict)]),
		})
	}
	for _, line := range s.Folders {
		v.Folders = append(v.Folders, guideLine{Says: names.mark(line[0]), Means: names.mark(line[1])})
	}
	if f.Kind == string(catalog.KindPromotions) {
		v.Title = s.TitlePromotions
		for _, line := range slices.Concat(w.Promotions.Offers, [][2]string{{w.Promotions.Columns["price"].Header, s.OffersPrice}}) {
			means, _, _ := strings.Cut(line[1], ". ")
			v.Offers = append(v.Offers, guideLine{Says: names.mark(line[0]), Means: names.mark(strings.TrimSuffix(means, ".") + ".")})
		}
	}
	var page bytes.Buffer
	if err := t.Execute(&page, v); err != nil {
		return nil, fmt.Errorf("write guide: %w", err)
	}
	return page.Bytes(), nil
}

// fillIns are the {names} of a text, each followed by what stands for it.
type fillIns []string

// guideNamesOf returns the names of files and folders as they will be: those of answers are asked where answers are written.
func (w starterWords) guideNamesOf(in Installation, f Draft) fillIns {
	folders := report.FolderNames(in.Language)
	file := f.Sample
	if file == "" {
		file = f.Name + starterSuffix
	}
	answer := report.Answer{Language: in.Language, Name: file}
	promotions := dropOf(w.Promotions.Name)
	for _, other := range in.feeds(w) {
		if other.Kind == string(catalog.KindPromotions) {
			promotions = other.Drop
		}
	}
	name := func(text string) string { return `<b class="name">` + template.HTMLEscapeString(text) + "</b>" }
	base := func(p string) string { return path.Base(strings.ReplaceAll(p, `\`, "/")) }
	return fillIns{
		"{file}", name(file), "{suffix}", name(folders.AnswerSuffix), "{answer}", name(file + folders.AnswerSuffix),
		"{answers}", name(folders.Answers + "/"), "{rejected}", name(folders.Rejected + "/"), "{index}", name(folders.Index),
		"{workbook}", name(base(report.WorkbookPath("", answer))), "{self}", name(folders.Guide), "{promotions}", name(promotions + "/"),
		"{guide}", template.HTMLEscapeString(w.Guide), "{no}", template.HTMLEscapeString(w.No),
		"{status}", template.HTMLEscapeString(w.Promotions.Columns["status"].Header),
	}
}

// mark returns a text with its names filled in, as markup.
func (n fillIns) mark(text string) template.HTML {
	return template.HTML(strings.NewReplacer(n...).Replace(template.HTMLEscapeString(text))) //nolint:gosec // escaped, and so are the names
}

func (n fillIns) markAll(texts []string) []template.HTML {
	all := make([]template.HTML, len(texts))
	for i, text := range texts {
		all[i] = n.mark(text)
	}
	return all
}
