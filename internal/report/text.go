package report

// Text returns the receipt as plain text, with "\n" at the line ends. An error means that a phrase is broken, which is our mistake.
func Text(a Answer) (string, error) {
	r := newReceipt(a)
	l, err := r.letter()
	if err != nil {
		return "", err
	}
	var p page
	p.line(0, l.title)
	p.blank()
	p.line(0, l.summary)
	p.blank()
	p.list(append(l.facts, r.where()...))
	for _, s := range l.sections {
		p.blank()
		p.line(0, s.title)
		p.blank()
		for i, b := range s.stores {
			if i > 0 {
				p.blank()
			}
			p.store(b)
		}
		for _, h := range s.pairs {
			p.line(2, h.what)
			p.line(2, h.do)
		}
		for i, g := range s.groups {
			if i > 0 {
				p.blank()
			}
			r.group(&p, g)
		}
		p.list(s.facts)
	}
	return p.String(), r.failed()
}

// where says which files in the folder of answers have more to read, for who found the text beside the drop.
func (r *receipt) where() []entry {
	a, w := r.answer, r.words
	if a.Name == "" {
		return nil
	}
	folder := w.say("folder.answers") + "/"
	all := []entry{{w.say("label.page"), clean(folder+pageName(a), maxName)}}
	if a.Workbook {
		all = append(all, entry{w.say("label.workbook"), clean(folder+workbookName(a), maxName)})
	}
	return all
}

// store writes what is said of stores.
func (p *page) store(b storeBlock) {
	p.line(2, b.names)
	if b.changes != "" {
		p.line(4, b.changes)
	}
	for _, s := range b.promotions {
		p.line(4, s)
	}
	for _, s := range b.same {
		p.line(4, s)
	}
	for _, h := range b.held {
		p.line(4, h.what)
		p.line(4, h.do)
	}
	for _, s := range b.standing {
		p.line(4, s)
	}
}

// group writes the issues of one kind.
func (r *receipt) group(p *page, g group) {
	w := r.words
	p.line(2, w.say("issue.title", w.title(g.code), g.total))
	p.line(2, w.say("issue.do", w.do(g.code)))
	shown := min(len(g.issues), MaxLines)
	for _, is := range g.issues[:shown] {
		line := w.what(is)
		if place := w.place(is, r.cell(is)); place != "" {
			line = place + ": " + small(line)
		}
		p.hang(4, 6, line)
	}
	if more := g.total - shown; more > 0 && shown > 0 {
		p.line(4, w.say("issue.more", more))
	}
}
