//go:build !windows

package supervisor

import (
	"cmp"
	"fmt"
	"os"
)

// UserOf returns who a service runs as where the admin has said user, "" for nothing.
func UserOf(service, user string) string { return cmp.Or(user, service) }

// Describe returns what Install would tell the system.
func (s Service) Describe() (string, error) { return s.Unit() }

// CredentialNote says what to do for a secret of the config that is a credential of systemd's, "" for nothing.
func CredentialNote(key string, c Credential) string {
	if _, err := os.Stat(c.Path); err == nil {
		return ""
	}
	return fmt.Sprintf("%s is a credential: put the secret into %s, for root alone (chmod 600).", key, c.Path)
}

// EnvironmentNote says what to do for a secret of the config that is an environment variable.
func EnvironmentNote(key, name, file string) string {
	return fmt.Sprintf("%s is an environment variable: a line %s=... in %s, for root alone (chmod 600), sets it for the service.", key, name, file)
}
