package inbox

import (
	"encoding/base64"
	"testing"
	"time"
)

// TestSecretEncodings shows secrets as other languages and libraries write them.
func TestSecretEncodings(t *testing.T) {
	const latin = "contrase\xf1a:\xe7" // what Java makes of it in a header
	for _, c := range []struct {
		secret, header string
		want           bool
	}{
		{"user:pass1", "Basic " + base64.RawStdEncoding.EncodeToString([]byte("user:pass1")), true},
		{"us?r:p~ss", "Basic " + base64.URLEncoding.EncodeToString([]byte("us?r:p~ss")), false},
		{"contraseña:ç", latin, true},
		{"contraseña:ç", "Bearer " + latin, true},
		{"contraseña:ç", "Basic " + base64.StdEncoding.EncodeToString([]byte(latin)), true},
		{"contraseña:ç", "contrase\xf1a", false},
		{"a", "\xf1", false},
	} {
		callers := &callers{now: time.Now, secrets: []func() (string, error){func() (string, error) { return c.secret, nil }}}
		if found, _ := callers.check([]string{c.header}); (found != nil) != c.want {
			t.Errorf("secret %q, header %q: %t", c.secret, c.header, found != nil)
		}
	}
}
