package inbox

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
)

// certificate is the certificate on disk, read again when its files change.
type certificate struct {
	path, key string
	trouble   func(problem string)

	mu    sync.Mutex
	stamp string           // of the files when they were last read; guarded by mu
	now   *tls.Certificate // the last good one; guarded by mu
}

func newCertificate(path, key string, trouble func(string)) (*certificate, error) {
	c := &certificate{path: path, key: key, trouble: trouble}
	stamp, err := c.look()
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(path, key)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	c.stamp, c.now = stamp, &pair
	return c, nil
}

// look returns what tells one version of the files from another.
func (c *certificate) look() (string, error) {
	stamp := ""
	for _, path := range []string{c.path, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("read certificate: %w", err)
		}
		stamp += fmt.Sprintf("%d %d\n", info.Size(), info.ModTime().UnixNano())
	}
	return stamp, nil
}

// get returns the certificate as it is now. A new one that is no good keeps nobody out: the old one goes on, and it is told.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp, err := c.look()
	if err == nil && stamp == c.stamp {
		return c.now, nil
	}
	var pair tls.Certificate
	if err == nil {
		// The stamp first: a file that changes while it is read is read once more.
		c.stamp = stamp
		pair, err = tls.LoadX509KeyPair(c.path, c.key)
	}
	if err != nil {
		if stamp == "" {
			c.stamp = "" // once it is there again, it is read
		}
		c.trouble(fmt.Sprintf("the new certificate can't be used, so the old one goes on: %v; put a matching pair there", err))
		return c.now, nil
	}
	c.now = &pair
	c.trouble("")
	return c.now, nil
}
