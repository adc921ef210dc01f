package main

import (
	"context"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// newBackupCommand copies the state.
func newBackupCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "backup PATH",
		Short: "Copy the state to another place, while the daemon runs",
		Long: `Copies the database as it is at one moment, and every file that it points to: shelves, documents, archived
exports. PATH becomes a folder, or one file where it ends in .tar.gz; it must not be there yet. The config
and the passwords are not in it.
To restore, stop the daemon, put the copy where state.dir is, and start it. Nobody knows what the platform
was sent since: the next files say everything. Promotions that were started since are not known any more.`,
		Example:     "  gondola backup /mnt/backup/gondola-monday\n  gondola backup /mnt/backup/gondola.tar.gz",
		Args:        oneArg("PATH"),
		Annotations: codes(),
		RunE:        func(c *cobra.Command, args []string) error { return a.backup(c.Context(), args[0]) },
	}
}

func (a *app) backup(ctx context.Context, path string) error {
	return a.attached(ctx, func(_ *config.Config, h *daemon.House) error {
		b, err := h.Backup(ctx, path)
		if err != nil {
			return err
		}
		code := exitDone
		if len(b.Missing) > 0 {
			code = exitError
		}
		if a.JSON {
			if err := a.printJSON(b); err != nil {
				return err
			}
			return ended(code)
		}
		a.printf("Backed up to %s: the database and %s, %.1f MB.\n", plain(b.Path), count(b.Files, "file"), float64(b.Bytes)/1e6)
		for _, m := range b.Missing {
			a.printf("missing or damaged before: %s\n", plain(m))
		}
		if code != exitDone {
			a.printf("The rest is in the copy. gondola verify says what that means.\n")
		}
		return ended(code)
	}, nothingYet)
}
