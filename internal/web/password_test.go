package web

import (
	"context"
	"strings"
	"sync"
	"testing"
)

func TestHashPassword(t *testing.T) {
	const password = "pan con membrillo"
	text, err := HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "$argon2id$v=19$m=19456,t=2,p=1$") || CheckHash(text) != nil {
		t.Errorf("made %q: %v", text, CheckHash(text))
	}
	if again, _ := HashPassword(password); again == text {
		t.Error("the same password twice has the same hash: there is no salt")
	}
	for tried, want := range map[string]bool{password: true, password + " ": false, "": false, strings.ToUpper(password): false} {
		if got := matches(t, text, tried); got != want {
			t.Errorf("%q matches: %v, want %v", tried, got, want)
		}
	}
	for _, bad := range []string{"", "once letras", strings.Repeat("x", MaxPassword+1)} {
		if _, err := HashPassword(bad); err == nil || strings.Contains(err.Error(), "once letras") {
			t.Errorf("a password of %d bytes: %v", len(bad), err)
		}
	}
}

// matches holds a password against a hash.
func matches(t *testing.T, text, password string) bool {
	t.Helper()
	h, err := parseHash(text)
	if err != nil {
		t.Fatal(err)
	}
	ok, err := newHasher().matches(t.Context(), h, password)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// TestForeignHash reads a hash of the reference implementation, from its own tests.
func TestForeignHash(t *testing.T) {
	const theirs = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if !matches(t, theirs, "password") || matches(t, theirs, "Password") {
		t.Error("the reference implementation disagrees")
	}
}

func TestCheckHash(t *testing.T) {
	const salt, sum = "c29tc2FsdHNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, c := range []struct{ text, want string }{
		{"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + sum, ""},
		{"  $argon2id$v=19$m=7168,t=5,p=1$" + salt + "$" + sum + "\n", ""},
		{"hunter2hunter2", "not an argon2id hash; run `gondola web password`"},
		{"", "not an argon2id hash"},
		{"$2y$10$abcdefghijklmnopqrstuuJ9Cn1bq0Zy1cXvF3zCjSi1xgI4Ry1Zy", "not an argon2id hash"},
		{"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + sum, "not an argon2id hash"},
		{"$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + sum, "another version"},
		{"$argon2id$v=19$m=19456,p=1$" + salt + "$" + sum, "without its costs"},
		{"$argon2id$v=19$t=2,m=19456,p=1$" + salt + "$" + sum, "without its costs"},
		{"$argon2id$v=19$m=-1,t=2,p=1$" + salt + "$" + sum, "without its costs"},
		{"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + sum, "costs too much"},
		{"$argon2id$v=19$m=19456,t=4000000000,p=1$" + salt + "$" + sum, "costs too much"},
		{"$argon2id$v=19$m=19456,t=2,p=255$" + salt + "$" + sum, "costs too much"},
		{"$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + sum, "costs too little"},
		{"$argon2id$v=19$m=19456,t=1,p=1$" + salt + "$" + sum, "costs too little"},
		{"$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + sum, "costs too little"},
		{"$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + sum, "costs too little"},
		{"$argon2id$v=19$m=19456,t=2,p=1$c2E$" + sum, "broken salt"},
		{"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + sum[:20], "cut off or broken"},
		{"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + sum + "=", "cut off or broken"},
	} {
		err := CheckHash(c.text)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.text, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func FuzzCheckHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tc2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHash(text)
		if err != nil {
			return
		}
		if h.memory > mostMemory || h.passes > mostPasses || h.threads < 1 || h.threads > mostThreads || len(h.salt) > mostBytes || len(h.sum) > mostBytes {
			t.Fatalf("%q was taken: %+v", text, h)
		}
		if again, err := parseHash(h.String()); err != nil || again.String() != h.String() {
			t.Fatalf("%q is read as %q, and that as %v, %v", text, h, again, err)
		}
	})
}

// TestHasherIsBusy has a password checked that takes for ever: others are told to come back, and none of them needs memory.
func TestHasherIsBusy(t *testing.T) {
	h := newHasher()
	kept, err := parseHash(testHash())
	if err != nil {
		t.Fatal(err)
	}
	h.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range maxWaiting {
		wait.Go(func() {
			if ok, err := h.matches(ctx, kept, testPassword); ok || err == nil {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
	for len(h.waiting) < maxWaiting {
		if t.Context().Err() != nil {
			t.Fatal("they don't wait")
		}
	}
	if _, err := h.matches(t.Context(), kept, testPassword); err == nil {
		t.Error("one more than may wait was taken")
	}
	cancel()
	wait.Wait()
	<-h.turn
	if ok, err := h.matches(t.Context(), kept, testPassword); !ok || err != nil {
		t.Errorf("afterwards: %v, %v", ok, err)
	}
}
