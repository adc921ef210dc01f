package main

import (
	"context"
	"errors"
	"os/user"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// newHostKeyCommand shows and changes by which keys the server is known.
func newHostKeyCommand(a *app) *cobra.Command {
	var who string
	c := &cobra.Command{
		Use:   "hostkey {list | accept FINGERPRINT | forget FINGERPRINT}",
		Short: "Show by which keys the platform's server is known, and accept a new one",
		Long: `Nothing is sent to a server whose key is not known. list shows the keys of the config, of the known_hosts
file and those accepted here, and what the server shows instead where files wait because of it. accept
keeps one more, in the state folder: what waits goes at once, and nobody edits the config. It can be done
ahead of time, when the platform announces a new key. Have the platform confirm the fingerprint first:
it is believed as it is given. forget takes an acceptance back.`,
		Example: "  gondola hostkey list\n" +
			"  gondola hostkey accept SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw --who ana",
		Args:        cobra.RangeArgs(1, 2),
		Annotations: codes(),
		RunE:        func(c *cobra.Command, args []string) error { return a.hostKey(c.Context(), args, who) },
	}
	c.Flags().StringVar(&who, "who", "", "`NAME` of who accepts or forgets, kept beside it (default: the system's user)")
	return c
}

// hostKeyAnswer is what hostkey accept and forget print with --json.
type hostKeyAnswer struct {
	Fingerprint string `json:"fingerprint"`
	Done        string `json:"done"` // accepted or forgotten
	Who         string `json:"who,omitempty"`
}

func (a *app) hostKey(ctx context.Context, args []string, who string) (err error) {
	verb := args[0]
	switch {
	case verb != "list" && verb != "accept" && verb != "forget":
		return usagef("unknown %q (known: list, accept, forget)", verb)
	case verb == "list" && len(args) > 1:
		return usagef("list takes nothing; %q is too much", args[1])
	case verb != "list" && len(args) < 2:
		return usagef("FINGERPRINT is missing: SHA256: and 43 characters, as the platform confirmed it")
	}
	if verb != "list" {
		if err := daemon.CheckHostKey(args[1]); err != nil {
			return usagef("%w", err)
		}
	}
	cfg, err := a.look()
	if err != nil {
		return err
	}
	if verb == "list" {
		return a.listHostKeys(ctx, cfg)
	}
	h, err := daemon.AttachOrMake(ctx, cfg, daemon.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if who == "" {
		u, err := user.Current()
		if err != nil {
			return usagef("find out who says so: %w; say it with --who", err)
		}
		who = u.Username
	}
	if verb == "accept" {
		return a.acceptHostKey(ctx, h, args[1], who)
	}
	return a.forgetHostKey(ctx, h, args[1], who)
}

// knownHostKeys returns the keys by which the server is known, whether or not anything has run here.
func knownHostKeys(ctx context.Context, cfg *config.Config) (keys daemon.HostKeys, err error) {
	h, err := daemon.Attach(ctx, cfg, daemon.Options{})
	if errors.Is(err, store.ErrNone) {
		return daemon.ConfigHostKeys(cfg)
	}
	if err != nil {
		return keys, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return h.HostKeys(ctx)
}

func (a *app) listHostKeys(ctx context.Context, cfg *config.Config) error {
	keys, err := knownHostKeys(ctx, cfg)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(keys)
	}
	a.printf("%s is known by\n\n", keys.Address)
	rows := make([][]string, len(keys.Keys))
	for i, k := range keys.Keys {
		rows[i] = []string{k.Fingerprint, k.From, k.Who, clock(k.At, zoneOf(cfg.Chain.TimeZone))}
	}
	a.table([]string{"FINGERPRINT", "FROM", "WHO", "WHEN"}, rows)
	if keys.Trouble != "" {
		a.printf("\nFiles wait: %s\n", plain(keys.Trouble))
	}
	return nil
}

func (a *app) acceptHostKey(ctx context.Context, h *daemon.House, fingerprint, who string) error {
	if err := h.AcceptHostKey(ctx, fingerprint, who); err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(hostKeyAnswer{Fingerprint: fingerprint, Done: "accepted", Who: who})
	}
	a.printf("%s is accepted, by %s. What waited because of the server's key goes now.\n", fingerprint, plain(who))
	return nil
}

func (a *app) forgetHostKey(ctx context.Context, h *daemon.House, fingerprint, who string) error {
	there, err := h.ForgetHostKey(ctx, fingerprint, who)
	if err != nil {
		return err
	}
	if !there {
		return usagef("%s was not accepted here; gondola hostkey list shows where it is from", fingerprint)
	}
	if a.JSON {
		return a.printJSON(hostKeyAnswer{Fingerprint: fingerprint, Done: "forgotten", Who: who})
	}
	a.printf("%s is no longer accepted, by %s.\n", fingerprint, plain(who))
	return nil
}
