package table

import "testing"

func TestEncode(t *testing.T) {
	for _, tc := range []struct {
		encoding   Encoding
		text, want string
	}{
		{Windows1252, "Ñandú 5 € – “sí”", "\xd1and\xfa 5 \x80 \x96 \x93s\xed\x94"},
		{Latin9, "Ñandú 5 € –", "\xd1and\xfa 5 \xa4 ?"},
		{Windows1252, "Żubr 🍺", "?ubr ?"},
		{Windows1252, "a\x80b", "a?b"}, // no UTF-8 at all
		{UTF8, "Żubr 🍺", "Żubr 🍺"},
	} {
		if got := string(Encode(tc.encoding, tc.text)); got != tc.want {
			t.Errorf("%q in %s: %q, want %q", tc.text, tc.encoding, got, tc.want)
		}
	}
}
