package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/sandbox"
)

// completeFlags lets shells complete what the flags of all commands take: words that are fixed, and what the config names. Everything else
// is a file, or nothing that could be known.
func completeFlags(a *app, root *cobra.Command) {
	fixed := map[string][]string{
		"language": {"es", "pt", "en"}, "log-level": {"debug", "info", "warn", "error"}, "log-format": {"auto", "text", "json"},
		"kind": {"catalog", "promotions"}, "fate": {"keep", "eat", "move"}, "brand": daemon.Brands(), "decimal": {"comma", "point"},
		"dates": {"day-first", "month-first"}, "identify-by": {"sku", "barcode"},
	}
	register := func(c *cobra.Command, name string, complete cobra.CompletionFunc) {
		if err := c.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err) // the flag is there, and this is the one place that completes
		}
	}
	register(root, "config", cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt))
	for _, c := range root.Commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			var complete cobra.CompletionFunc
			switch words, known := fixed[f.Name]; {
			case known:
				complete = cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
			case f.Name == "server":
				complete = cobra.FixedCompletions(sandbox.ServerNames(), cobra.ShellCompDirectiveNoFileComp)
			case f.Name == "vendor":
				complete = a.completeFrom(func(cfg *config.Config) (all []string) {
					for _, v := range cfg.Vendors {
						all = append(all, cobra.CompletionWithDesc(v.ID, v.Name))
					}
					return all
				})
			case f.Name == "feed":
				complete = a.completeFrom(func(cfg *config.Config) (all []string) {
					for _, feed := range cfg.Feeds {
						all = append(all, cobra.CompletionWithDesc(feed.Name, feed.Drop))
					}
					return all
				})
			case f.Name == "dir" || strings.HasSuffix(f.Name, "-dir") || f.Name == "out":
				complete = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
			default:
				return
			}
			register(c, f.Name, complete)
		})
	}
}

// completeFrom completes with what the config names. A shell has no use for what is wrong with the config: then there is nothing.
func (a *app) completeFrom(list func(*config.Config) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		cfg, err := a.look()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return list(cfg), cobra.ShellCompDirectiveNoFileComp
	}
}
