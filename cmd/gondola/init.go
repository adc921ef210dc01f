package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// initFlags are the answers that were given on the command line.
type initFlags struct {
	language, brand, chainID, timeZone string
	identifyBy                         string
	decimals                           int
	stores                             []string
	storesFile                         string
	host                               string
	port                               int
	user, passwordFile, passwordEnv    string
	hostKeys                           []string
	samples, columns                   []string
	export, decimal, dates             string
	yes, offline                       bool

	given func(flag string) bool
}

// newInitCommand makes a new installation's files.
func newInitCommand(a *app) *cobra.Command {
	var f initFlags
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a folder with a config, by a few questions or to fill in",
		Long: `Makes a folder ready for a chain: a commented config.yaml, the drop folders it names, in each the page that
tells store staff how it works, and a spreadsheet to fill in for what no export of yours is given for.
Existing files are never overwritten.

On a terminal it asks what it needs to know, checks every answer at once, shows the server's host key and
pins it, tries the login, and finds the columns of your exports. Ctrl-C leaves nothing behind. What a flag
says is not asked. Without a terminal, or with --yes, nothing is asked and nobody is connected to: what no
flag says stands in the config as CHANGE-ME.

The password is no flag, because others can see those: it is typed, or stands in a file or in the
environment.`,
		Example: "  gondola init shop\n" +
			"  gondola init shop --yes --language pt\n" +
			"  gondola init shop --user PY_UY_7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3 --store 290056,Centro,001 --sample precios.csv",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("one DIR at a time; %q is too much", args[1])
			}
			return nil
		},
		Annotations: codes(),
		RunE: func(c *cobra.Command, args []string) error {
			f.given = c.Flags().Changed
			return a.initialize(c.Context(), strings.Join(args, ""), f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.language, "language", "es", "`LANGUAGE` that store staff read: es, pt or en")
	flags.StringVar(&f.brand, "brand", config.DefaultBrand, "`BRAND` of the platform, in lower case")
	flags.StringVar(&f.user, "user", "", "`NAME` of the SFTP login; one such as PY_UY_<uuid> tells chain and country, too")
	flags.StringVar(&f.chainID, "chain-id", "", "`UUID` of the chain at the platform")
	flags.StringVar(&f.timeZone, "time-zone", "", "local time of the schedules, an IANA `NAME` such as America/Montevideo")
	flags.IntVar(&f.decimals, "price-decimals", 0, "`NUMBER` of decimals of the prices (default: the country's)")
	flags.StringVar(&f.identifyBy, "identify-by", "", "`CODE` that the platform knows the articles by: sku or barcode (default: what the samples have)")
	flags.StringArrayVar(&f.stores, "store", nil, "a store: `ID[,NAME[,ERPCODE]]`; may be repeated")
	flags.StringVar(&f.storesFile, "stores", "", "CSV or Excel `FILE` with the stores: id, name, erp_code")
	flags.StringVar(&f.host, "host", "", "`HOST` of the SFTP server (default: the brand's)")
	flags.IntVar(&f.port, "port", config.DefaultPort, "its `PORT`")
	flags.StringVar(&f.passwordFile, "password-file", "", "`FILE` that holds the SFTP password")
	flags.StringVar(&f.passwordEnv, "password-env", "", "environment `VARIABLE` that holds it (default GONDOLA_SFTP_PASSWORD)")
	flags.StringArrayVar(&f.hostKeys, "host-key", nil, "`FINGERPRINT` of the server, SHA256:..., as the platform confirmed it; may be repeated")
	flags.StringArrayVar(&f.samples, "sample", nil, "export `FILE` of yours to find the columns in; may be repeated")
	flags.StringVar(&f.export, "export", config.DefaultExport, "`KIND` of the samples: full (each has every article) or partial")
	flags.StringArrayVar(&f.columns, "column", nil, "`FIELD=HEADER` where a sample's header is not known by itself, such as price=PVP2; vendor= is the store")
	flags.StringVar(&f.decimal, "decimal", "", "`MARK` of numbers where a sample does not prove it: comma or point")
	flags.StringVar(&f.dates, "dates", "", "`ORDER` of dates likewise: day-first or month-first")
	flags.BoolVar(&f.yes, "yes", false, "ask nothing, also on a terminal")
	flags.BoolVar(&f.offline, "offline", false, "connect to nobody")
	return c
}

// initialized is what init --json prints.
type initialized struct {
	Dir      string   `json:"dir"`
	Made     []string `json:"made"`
	Problems int      `json:"problems"` // what is left to do in the config, CHANGE-ME among it
	Next     string   `json:"next"`     // the command to run next
}

func (a *app) initialize(ctx context.Context, dir string, f initFlags) error {
	in, err := f.installation()
	if err != nil {
		return usagef("%w", err)
	}
	v := newInterview(ctx, a)
	if f.yes {
		v = nil
	}
	if v == nil {
		if dir == "" {
			return usagef("DIR is missing")
		}
		if err := daemon.CheckInitFolder(dir); err != nil {
			return err
		}
		if f.given("user") {
			in = in.Propose()
		}
		in, err = draftAll(ctx, in, f)
	} else {
		in, dir, err = (&initInterview{interview: v, a: a, in: in, dir: dir, f: f}).run()
	}
	if err != nil {
		return err
	}
	made, err := daemon.Init(dir, in)
	if err != nil {
		return err
	}
	return a.printInitialized(dir, in, made)
}

// printInitialized tells what was made, whether the config is whole, and what to do next.
func (a *app) printInitialized(dir string, in daemon.Installation, made []string) error {
	path := filepath.Join(dir, defaultConfig)
	r := initialized{Dir: dir, Made: made, Next: "gondola check --config " + quoted(path)}
	var text string
	cfg, err := config.Load(path)
	var problems config.Problems
	switch {
	case err == nil:
		problems = daemon.Check(cfg)
	case !errors.As(err, &problems):
		return err
	}
	for _, p := range problems {
		if !p.Warning {
			r.Problems++
			text += "  " + p.Error() + "\n"
		}
	}
	if r.Problems == 0 {
		r.Next = "gondola once --config " + quoted(path)
	}
	if a.JSON {
		return a.printJSON(r)
	}
	for _, name := range made {
		// Join would drop the separator that marks a folder.
		a.printf("made %s\n", filepath.Clean(dir)+string(filepath.Separator)+name)
	}
	switch {
	case r.Problems > 0 && in.ChainID == "":
		a.printf("\nNow fill in every CHANGE-ME in %s, then run:\n\n  %s\n", path, r.Next)
	case r.Problems > 0:
		a.printf("\nLeft to do in the config:\n%s\nThen run:\n\n  %s\n", text, r.Next)
	default:
		a.printf("\nThe config is fine: %s, %s. Put an export into its drop folder, then run:\n\n  %s\n",
			count(len(cfg.Vendors), "store"), count(len(cfg.Feeds), "feed"), r.Next)
	}
	return nil
}

// quoted returns a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t'\"$`\\()&;|<>*?") && os.PathSeparator == '/' {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
