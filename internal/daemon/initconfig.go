package daemon

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/feed"
	"gondola/internal/platform"
	"gondola/internal/report"
	"gondola/templates"
)

// unknown stands in a config for what only the admin knows; package config calls it a problem.
const unknown = "CHANGE-ME"

// defaultPassword is where a config that nobody said otherwise for has its password.
const defaultPassword = "env:GONDOLA_SFTP_PASSWORD"

// configText is what the template of the config is filled with.
type configText struct {
	Installation
	Schema, PriceDecimals                string
	IdentifyOr, AboutHost, AboutPassword string
	Open                                 bool // something is left to be filled in
	Feeds                                []feedText
}

// feedText is a feed in it.
type feedText struct {
	Draft
	Source                              string   // of the stores
	AboutDrop, AboutExport, AboutSource string   // comments
	Columns                             []string // lines
}

// reference is a reference to a secret that needs no quotes.
var reference = regexp.MustCompile(`^[a-z]+:[A-Za-z0-9_./-]+$`)

// config returns the config. The same template makes the one that is filled in by hand and the one that is complete.
func (in Installation) config(w starterWords) ([]byte, error) {
	t, err := template.New("config.yaml.tmpl").Funcs(template.FuncMap{
		"yaml": config.Scalar, "quote": strconv.Quote, "line": commented,
		"fill": func(text string) string {
			if text == "" {
				return unknown
			}
			return config.Scalar(text)
		},
		"reference": func(text string) string {
			if reference.MatchString(text) {
				return text
			}
			return config.Scalar(text)
		},
	}).ParseFS(templates.Files, "init/config.yaml.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read starter config: %w", err)
	}
	text := in.configText(w)
	var out bytes.Buffer
	if err := t.Execute(&out, text); err != nil {
		return nil, fmt.Errorf("write starter config: %w", err)
	}
	return out.Bytes(), nil
}

func (in Installation) configText(w starterWords) configText {
	in = in.withDefaults()
	text := configText{
		Installation: in, Schema: config.SchemaLine, PriceDecimals: strconv.Itoa(max(in.PriceDecimals, 0)),
		IdentifyOr: "barcode", AboutHost: "as the account manager named it",
		AboutPassword: "or file:/path/to/password; never the password itself",
		Open:          slices.Contains([]string{in.ChainID, in.TimeZone, in.Host, in.User}, "") || len(in.Stores) == 0 || len(in.HostKeys) == 0,
	}
	if in.IdentifyBy == text.IdentifyOr {
		text.IdentifyOr = "sku"
	}
	if in.Host != "" && in.Host == BrandHost(in.Brand) {
		text.AboutHost = brandTitle(in.Brand) + "'s; other brands have their own"
	}
	if strings.HasPrefix(in.Password, "file:") {
		text.AboutPassword = "a file that only its owner may read"
	}
	for i, f := range in.feeds(w) {
		t := textOf(f)
		if i == 0 {
			t.AboutDrop = "exports are put here; answers appear beside them and in " + report.FolderNames(in.Language).Answers + "/"
		} else if f.Vendor.Column != unknown {
			t.AboutSource = "" // said above
		}
		text.Feeds = append(text.Feeds, t)
		text.Open = text.Open || f.Vendor.Column == unknown
	}
	return text
}

func (in Installation) withDefaults() Installation {
	in.Brand = cmp.Or(in.Brand, config.DefaultBrand)
	in.IdentifyBy = cmp.Or(in.IdentifyBy, config.DefaultIdentifyBy)
	in.PriceDecimals = cmp.Or(in.PriceDecimals, config.DefaultPriceDecimals)
	in.Password = cmp.Or(in.Password, defaultPassword)
	if in.Port == config.DefaultPort {
		in.Port = 0
	}
	if brand, ok := platform.LookupBrand(in.Brand); ok {
		in.Host = cmp.Or(in.Host, brand.SFTPHost)
	}
	return in
}

// textOf returns a feed as the template writes it.
func textOf(f Draft) feedText {
	t := feedText{Draft: f}
	has := map[string]string{
		string(catalog.KindCatalog): "article of its stores", string(catalog.KindPromotions): "promotion that is on or coming",
	}[f.Kind]
	if t.AboutExport = "full = each export has every " + has; f.Export != config.DefaultExport {
		t.AboutExport = "each has every " + has + "; or partial"
	}
	switch v := f.Vendor; {
	case v.All:
		t.Source, t.AboutSource = "all", "every store has the same"
	case len(v.IDs) > 0:
		ids := make([]string, len(v.IDs))
		for i, id := range v.IDs {
			ids[i] = config.Scalar(id)
		}
		t.Source, t.AboutSource = "{ids: ["+strings.Join(ids, ", ")+"]}", "the stores that every export is about"
	case v.FileName != "":
		t.Source, t.AboutSource = "{file_name: "+config.Scalar(v.FileName)+"}", "where the file's name has erp_code or id"
	case v.Column == unknown:
		t.Source, t.AboutSource = "{column: "+unknown+"}", "the header of the column with erp_code or id; or all, ids, file_name"
	default:
		t.Source, t.AboutSource = "{column: "+config.Scalar(v.Column)+"}", "the header of the column with erp_code or id"
	}
	for _, role := range append(feed.Roles(catalog.Kind(f.Kind)), feed.RoleVendor) {
		c, ok := f.Columns[string(role)]
		if !ok {
			continue
		}
		var parts []string
		for _, part := range []struct{ key, value string }{{"from", config.Scalar(c.From)}, {"decimal", c.Decimal}, {"date", c.Date}} {
			if part.value != "" && (part.key != "from" || c.From != "") {
				parts = append(parts, part.key+": "+part.value)
			}
		}
		line := fmt.Sprintf("%s: {%s}", role, strings.Join(parts, ", "))
		if len(parts) == 1 && c.From != "" {
			line = fmt.Sprintf("%s: %s", role, config.Scalar(c.From))
		}
		t.Columns = append(t.Columns, line)
	}
	return t
}

// commentColumn is where the comments of the config begin, where the text before them leaves room.
const commentColumn = 32

// commented puts a comment behind a line; "" is none.
func commented(line, comment string) string {
	if comment == "" {
		return line
	}
	if n := utf8.RuneCountInString(line); n < commentColumn {
		line += strings.Repeat(" ", commentColumn-n)
	} else {
		line += "   "
	}
	return line + "# " + comment
}

// brandTitle writes a brand as people do.
func brandTitle(name string) string {
	titles := map[string]string{"pedidosya": "PedidosYa", "foodpanda": "foodpanda", "hungerstation": "HungerStation", "talabat": "Talabat"}
	return cmp.Or(titles[name], name)
}

// complete fills in what is not known yet, so that the config loads: what is known can be tried before the rest is there.
func (in Installation) complete() Installation {
	in = in.withDefaults()
	in.ChainID = cmp.Or(in.ChainID, "00000000-0000-4000-8000-000000000000")
	in.TimeZone = cmp.Or(in.TimeZone, "UTC")
	in.Host, in.User = cmp.Or(in.Host, "host"), cmp.Or(in.User, "user")
	in.Password = "to be tried" // what it refers to need not be there yet
	if len(in.Stores) == 0 {
		in.Stores = []config.Vendor{{ID: "0"}}
	}
	if len(in.HostKeys) == 0 {
		in.HostKeys = []string{"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
	}
	return in
}

// load returns the config as it would be read, with what is not known yet filled in.
func (in Installation) load() (*config.Config, error) {
	in = in.complete()
	w, err := readStarterWords(in.Language)
	if err != nil {
		return nil, err
	}
	text, err := in.config(w)
	if err != nil {
		return nil, err
	}
	return config.Parse(filepath.Join("init", configName), text)
}

// Check says what is wrong with what stands under a key of the config (chain.id, say, or vendors for all stores), nil where nothing is:
// the same, in the same words, as of the whole config later.
func (in Installation) Check(key string) error {
	var problems []config.Problem
	cfg, err := in.load()
	if found, ok := errors.AsType[config.Problems](err); ok {
		problems = found
	} else if err != nil {
		return err
	} else {
		problems = Check(cfg)
	}
	for _, p := range problems {
		if !p.Warning && (p.Path == key || strings.HasPrefix(p.Path, key+".") || strings.HasPrefix(p.Path, key+"[")) {
			p.File, p.Line, p.Path = "", 0, ""
			return p
		}
	}
	return nil
}
