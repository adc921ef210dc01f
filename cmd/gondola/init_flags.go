package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// languages are those that store staff can be answered in, with their names.
func languages() []option {
	return []option{{"es", "Español"}, {"pt", "Português"}, {"en", "English"}}
}

// installation returns what the flags say. Each is checked as its line in the config would be.
func (f initFlags) installation() (in daemon.Installation, err error) {
	in.Language = f.language
	if !slices.ContainsFunc(languages(), func(o option) bool { return o.name == f.language }) {
		return in, fmt.Errorf("unknown language %q (known: es, pt, en)", f.language)
	}
	in.Brand, in.ChainID, in.TimeZone, in.Host, in.Port, in.User = f.brand, f.chainID, f.timeZone, f.host, f.port, f.user
	in.HostKeys, in.IdentifyBy = f.hostKeys, f.identifyBy
	if in.PriceDecimals = f.decimals; f.given("price-decimals") && f.decimals == 0 {
		in.PriceDecimals = daemon.NoDecimals
	}
	if f.given("store") && f.given("stores") {
		return in, fmt.Errorf("--store and --stores exclude each other; drop one of the two")
	}
	if f.given("password-file") && f.given("password-env") {
		return in, fmt.Errorf("--password-file and --password-env exclude each other; drop one of the two")
	}
	for _, text := range f.stores {
		store, err := pastedStore(text)
		if err != nil {
			return in, fmt.Errorf("--store: %w", err)
		}
		in.Stores = append(in.Stores, store)
	}
	if f.storesFile != "" {
		if in.Stores, err = daemon.ReadStores(f.storesFile); err != nil {
			return in, err
		}
	}
	if in.Password, err = f.password(); err != nil {
		return in, err
	}
	for _, c := range []struct{ flag, key string }{
		{"brand", "chain.brand"},
		{"chain-id", "chain.id"},
		{"time-zone", "chain.time_zone"},
		{"price-decimals", "chain.price_decimals"},
		{"identify-by", "chain.identify_by"},
		{"store", "vendors"},
		{"stores", "vendors"},
		{"host", "sftp.host"},
		{"port", "sftp.port"},
		{"user", "sftp.user"},
		{"host-key", "sftp.host_keys"},
	} {
		if f.given(c.flag) {
			err := in.Check(c.key)
			if c.flag == "port" {
				err = checkPort(in)
			}
			if err != nil {
				return in, fmt.Errorf("--%s: %w", c.flag, err)
			}
		}
	}
	return in, f.checkSamples()
}

// checkPort is Check for the port, which may be the default one to an Installation where it is 0.
func checkPort(in daemon.Installation) error {
	if in.Port == 0 {
		return errors.New("want 1 to 65535, found 0")
	}
	return in.Check("sftp.port")
}

// checkSamples looks at what is said of the samples.
func (f initFlags) checkSamples() error {
	for _, sample := range f.samples {
		if err := checkFile(sample); err != nil {
			return fmt.Errorf("--sample: %w", err)
		}
	}
	for _, c := range []struct {
		flag, value string
		known       []string
	}{
		{"export", f.export, []string{"full", "partial"}},
		{"decimal", f.decimal, []string{"comma", "point"}},
		{"dates", f.dates, []string{"day-first", "month-first"}},
	} {
		if f.given(c.flag) && !slices.Contains(c.known, c.value) {
			return fmt.Errorf("--%s: unknown value %q (known: %s)", c.flag, c.value, strings.Join(c.known, ", "))
		}
		if f.given(c.flag) && len(f.samples) == 0 {
			return fmt.Errorf("--%s is about samples; name one with --sample", c.flag)
		}
	}
	if len(f.columns) > 0 && len(f.samples) == 0 {
		return fmt.Errorf("--column is about samples; name one with --sample")
	}
	for _, c := range f.columns {
		if field, header, ok := strings.Cut(c, "="); !ok || field == "" || header == "" {
			return fmt.Errorf("--column: %q is no column; write FIELD=HEADER, such as price=PVP2", c)
		}
	}
	return nil
}

// password returns the reference to the password. A file is named by its whole path: relative ones count from the config.
func (f initFlags) password() (string, error) {
	switch {
	case f.passwordEnv != "":
		return "env:" + f.passwordEnv, nil
	case f.passwordFile != "":
		path, err := filepath.Abs(f.passwordFile)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		return "file:" + path, nil
	}
	return "", nil
}

// pastedStore reads a store as it is pasted or given: id, name and ERP code, apart by semicolon, tab or comma.
func pastedStore(text string) (config.Vendor, error) {
	mark := ","
	for _, m := range []string{"\t", ";"} {
		if strings.Contains(text, m) {
			mark = m
			break
		}
	}
	parts := strings.Split(text, mark)
	if len(parts) > 3 {
		return config.Vendor{}, fmt.Errorf("%q has more than id, name and ERP code; write 290056;Centro;001", text)
	}
	parts = append(parts, "", "")
	v := config.Vendor{ID: strings.TrimSpace(parts[0]), Name: strings.TrimSpace(parts[1]), ERPCode: strings.TrimSpace(parts[2])}
	if v.ID == "" {
		return v, fmt.Errorf("%q begins with no id; write 290056;Centro;001", text)
	}
	return v, nil
}

// draftAll drafts a feed for every sample by what the flags say.
func draftAll(ctx context.Context, in daemon.Installation, f initFlags) (daemon.Installation, error) {
	for _, sample := range f.samples {
		d, _, err := f.draft(ctx, in, sample)
		if err != nil {
			return in, usagef("--sample %s: %w", sample, err)
		}
		in.IdentifyBy = in.Identify(d)
		in.Feeds = append(in.Feeds, d)
	}
	return in, nil
}

// draft drafts a feed, with what the flags say of it. The Inspection is of the evidence alone.
func (f initFlags) draft(ctx context.Context, in daemon.Installation, sample string) (daemon.Draft, daemon.Inspection, error) {
	d, found, err := in.Draft(ctx, sample)
	if err != nil {
		return d, found, err
	}
	d.Export = f.export
	for _, c := range f.columns {
		field, header, _ := strings.Cut(c, "=")
		// The flag may be about another sample.
		if slices.ContainsFunc(found.Columns, func(c daemon.InspectedColumn) bool { return c.Header == header }) {
			if err := d.SetColumn(field, header); err != nil {
				return d, found, err
			}
		}
	}
	// Each look shows one doubt of a kind.
	for range maxDoubts {
		if d, _, err = in.Look(ctx, d, sample); err != nil || !f.settle(&d) {
			break
		}
	}
	return d, found, err
}

// maxDoubts is more than an export has columns with numbers or dates.
const maxDoubts = 20

// settle decides the doubts that the flags speak of, and returns whether there were any.
func (f initFlags) settle(d *daemon.Draft) bool {
	settled := false
	for _, doubt := range d.Doubts {
		value := map[string]string{"decimal": f.decimal, "date": f.dates}[doubt.What]
		if value != "" {
			d.SetReading(doubt, value)
			settled = true
		}
	}
	return settled
}
