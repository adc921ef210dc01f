// Package certificate is a TLS certificate on disk: it is read again when its files change, so that whoever renews it restarts nothing.
// A new one that is no good keeps nobody out: the one before goes on, and that is told.
package certificate

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
)

// Pair is a certificate and its key. Its methods may be called by several goroutines at once.
type Pair struct {
	path, key string
	trouble   func(problem string)

	mu    sync.Mutex
	stamp string           // of the files when they were last read; guarded by mu
	now   *tls.Certificate // the last good one; guarded by mu
	told  string           // the last trouble, "" for none; guarded by mu
}

// Open reads a certificate, with its chain, and its key from PEM files. trouble hears why a later one can't be used, once for each change
// of the words, and "" once one can. It must not block.
func Open(path, key string, trouble func(problem string)) (*Pair, error) {
	c := &Pair{path: path, key: key, trouble: trouble}
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
func (c *Pair) look() (string, error) {
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

// Certificate returns the certificate as it is now, for tls.Config.GetCertificate.
func (c *Pair) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
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
		c.tell(fmt.Sprintf("the new certificate can't be used, so the old one goes on: %v; put a matching pair there", err))
		return c.now, nil
	}
	c.now = &pair
	c.tell("")
	return c.now, nil
}

// tell tells what is wrong, where it is something else than before. The caller holds mu.
func (c *Pair) tell(problem string) {
	if problem != c.told {
		c.told = problem
		c.trouble(problem)
	}
}
