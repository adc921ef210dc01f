package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
)

// TestSandboxSpeaks reads what gondola sandbox tells a person, takes its word for it, and ends it.
func TestSandboxSpeaks(t *testing.T) {
	dir := t.TempDir()
	articles := filepath.Join(dir, "articles.json")
	if err := os.WriteFile(articles, []byte(`{"sales_buffer": 1, "vendors": {"7": [{"sku": "A", "price": "1.50", "active": true}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const variable = "GONDOLA_TEST_MADE_UP"
	for _, name := range []string{variable, tokenCatalogVar, tokenPromotionsVar, tokenOrdersVar} {
		t.Setenv(name, "")
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	out, in := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"sandbox", "--dir", filepath.Join(dir, "p"), "--articles", articles, "--password-env", variable}, nil, in, &stderr)
		_ = in.Close()
	}()
	var told strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		told.WriteString(lines.Text() + "\n")
		if lines.Text() == "Ctrl-C ends it." {
			stop()
		}
	}
	if code := <-ended; code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	facts, sftp, ok := strings.Cut(told.String(), "For the config:\n")
	if !ok || !strings.Contains(facts, "store     7, 1 article\n") || !strings.Contains(facts, "page      http://127.0.0.1:") {
		t.Errorf("facts:\n%s", told.String())
	}
	_, password, ok := strings.Cut(facts, "export "+variable+"=")
	if password, _, _ = strings.Cut(password, "\n"); !ok || len(password) < 16 {
		t.Errorf("no password was made up, or a short one:\n%s", facts)
	}

	// What it prints for the config is a config.
	t.Setenv(variable, password)
	for _, name := range []string{tokenCatalogVar, tokenPromotionsVar, tokenOrdersVar} {
		_, token, ok := strings.Cut(facts, "export "+name+"=")
		if token, _, _ = strings.Cut(token, "\n"); !ok || len(token) < 16 {
			t.Errorf("no token was made up for %s:\n%s", name, facts)
		}
		t.Setenv(name, token)
	}
	sftp, _, _ = strings.Cut(sftp, "Ctrl-C")
	cfg, err := config.Parse(filepath.Join(dir, "config.yaml"), []byte(sftp+`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: UTC}
vendors: [{id: "7"}]
feeds: [{name: all, drop: drop, vendor: all}]
`))
	if err != nil {
		t.Fatalf("the lines for the config are none: %v", err)
	}
	if cfg.SFTP.Host != "127.0.0.1" || cfg.SFTP.Port == 0 || cfg.SFTP.User != "gondola" || len(cfg.SFTP.HostKeys) != 1 {
		t.Errorf("the config's server is %s:%d, user %s, %d host keys", cfg.SFTP.Host, cfg.SFTP.Port, cfg.SFTP.User, len(cfg.SFTP.HostKeys))
	}
}
