package config

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReferences finds every secret of a config, and gives none away.
func TestReferences(t *testing.T) {
	c := &Config{
		SFTP:   SFTP{Password: newSecret("systemd:sftp", "/etc/gondola")},
		API:    API{Tokens: Tokens{Catalog: newSecret("inline: all of it", "/")}},
		Orders: Orders{Webhook: Webhook{Secrets: []Secret{newSecret("env:OLD", "/"), newSecret("file:hook", "/etc/gondola")}}},
		Alerts: []Alert{{Ping: newSecret("file:/run/ping", "/")}},
	}
	want := []Reference{
		{"sftp.password", "systemd", "sftp"},
		{"api.tokens.catalog", "", ""},
		{"orders.webhook.secrets[0]", "env", "OLD"},
		{"orders.webhook.secrets[1]", "file", filepath.FromSlash("/etc/gondola/hook")},
		{"alerts[0].ping", "file", filepath.FromSlash("/run/ping")},
	}
	if diff := cmp.Diff(want, c.References()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}
