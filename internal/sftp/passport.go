package sftp

import (
	"gondola/internal/outbox"
)

// Passport returns what is known of the server, with what this connection has found out.
func (r *Remote) Passport() outbox.Passport {
	r.known.Lock()
	defer r.known.Unlock()
	return r.passport
}

// contradict notes that a feature is not what the passport says. What follows goes by it at once.
func (r *Remote) contradict(f outbox.Feature, a outbox.Ability, err error) {
	r.change(func(p outbox.Passport) (outbox.Passport, bool) {
		if p.Says(f) == a {
			return p, false
		}
		words := ""
		if err != nil {
			words = err.Error()
		}
		r.c.Log.Info("the server is not as its passport says", "feature", string(f), "found", string(a), "err", words)
		if p.At.IsZero() || p.Says(f) == outbox.Unknown {
			return p.With(f, a), true // nothing was said before: that is no contradiction
		}
		return p.Doubted(f, a, words), true
	})
}

// stands notes how many files at once the server was seen to stand after it had refused more.
func (r *Remote) stands(files int) {
	r.change(func(p outbox.Passport) (outbox.Passport, bool) {
		if files <= 0 || p.Most > 0 && p.Most <= files {
			return p, false
		}
		r.c.Log.Info("the server refuses more files at once", "files", files)
		p.Most = files
		return p, true
	})
}

// stoodMore notes that the server takes twice as many files at once as was known.
func (r *Remote) stoodMore(beside int64) {
	r.change(func(p outbox.Passport) (outbox.Passport, bool) {
		if p.Most == 0 || beside < 2*int64(p.Most) {
			return p, false
		}
		p.Most = int(beside)
		return p, true
	})
}

// prove notes what use has shown to work and no probe has tried.
func (r *Remote) prove(f outbox.Feature) {
	r.change(func(p outbox.Passport) (outbox.Passport, bool) {
		if p.Says(f) != outbox.Unknown {
			return p, false
		}
		return p.With(f, outbox.Can), true
	})
}

// change corrects the passport and says so. A Remote without one keeps what it learns to itself.
func (r *Remote) change(how func(outbox.Passport) (outbox.Passport, bool)) {
	r.known.Lock()
	defer r.known.Unlock()
	p, changed := how(r.passport)
	if !changed {
		return
	}
	r.passport = p
	if r.c.Learned != nil && !p.At.IsZero() {
		r.c.Learned(p)
	}
}

// renamesOver reports whether the one-step rename is to be tried: the passport says so, or the server does and nothing is known yet.
func (r *Remote) renamesOver(p outbox.Passport) bool {
	return p.Has(outbox.PosixRename) || r.advertised && !p.Lacks(outbox.PosixRename)
}
