package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// initInterview asks for what the flags of init leave open. It writes nothing: that comes when all is said.
type initInterview struct {
	*interview
	a   *app
	in  daemon.Installation
	dir string
	f   initFlags
}

// run asks everything and returns what came of it.
func (i *initInterview) run() (daemon.Installation, string, error) {
	i.say("A few questions, then there is a config. Enter takes what stands in brackets; Ctrl-C ends it and leaves nothing behind.\n")
	for _, step := range []func() error{
		i.folder, i.language, i.brand, i.user, i.chain, i.stores, i.server, i.password, i.connect, i.samples, i.confirm,
	} {
		if err := step(); err != nil {
			return i.in, i.dir, err
		}
	}
	return i.in, i.dir, nil
}

// text asks for a text that stands under a key of the config.
func (i *initInterview) text(question, key string, value *string) error {
	_, err := i.ask(question, *value, func(answer string) error {
		if answer == "" {
			return errors.New("this is needed")
		}
		old := *value
		*value = answer
		err := i.in.Check(key)
		if err != nil {
			*value = old
		}
		return err
	})
	return err
}

func (i *initInterview) folder() error {
	if i.dir != "" {
		return daemon.CheckInitFolder(i.dir)
	}
	var err error
	i.dir, err = i.ask("Folder to make, for config, state and drop folders", "gondola", daemon.CheckInitFolder)
	return err
}

func (i *initInterview) language() error {
	if i.f.given("language") {
		return nil
	}
	n, err := i.choose("\nThe language in which store staff are answered", languages(), 0)
	if err == nil {
		i.in.Language = languages()[n].name
	}
	return err
}

func (i *initInterview) brand() error {
	if i.f.given("brand") {
		return nil
	}
	var options []option
	for _, name := range daemon.Brands() {
		options = append(options, option{name: name})
	}
	n, err := i.choose("\nThe platform's brand", options, 0)
	if err == nil {
		i.in.Brand = options[n].name
	}
	return err
}

// user asks for the login first, because its name tells most of what comes next.
func (i *initInterview) user() error {
	if !i.f.given("user") {
		i.say("\nThe SFTP login is from the platform's account manager; its name is one like PY_UY_7d3f9b52-…")
		if err := i.text("SFTP user", "sftp.user", &i.in.User); err != nil {
			return err
		}
	}
	i.in = i.in.Propose()
	return nil
}

func (i *initInterview) chain() error {
	if !i.f.given("chain-id") {
		if err := i.text("Chain id, a UUID", "chain.id", &i.in.ChainID); err != nil {
			return err
		}
	}
	if !i.f.given("time-zone") {
		if err := i.text("Time zone of the stores", "chain.time_zone", &i.in.TimeZone); err != nil {
			return err
		}
	}
	if i.f.given("price-decimals") {
		return nil
	}
	proposal := config.DefaultPriceDecimals
	if i.in.PriceDecimals != 0 {
		proposal = max(i.in.PriceDecimals, 0)
	}
	_, err := i.ask("Decimals of prices, 0 where the currency has none", strconv.Itoa(proposal), func(answer string) error {
		n, err := strconv.Atoi(answer)
		if err != nil || n < 0 || n > 3 {
			return fmt.Errorf("write a number from 0 to 3, found %q", answer)
		}
		if i.in.PriceDecimals = n; n == 0 {
			i.in.PriceDecimals = daemon.NoDecimals
		}
		return nil
	})
	return err
}

// stores takes stores line by line, as they are pasted, or all from a file. What is wrong with one is said at once, and it is left out.
func (i *initInterview) stores() error {
	if len(i.in.Stores) > 0 {
		return nil
	}
	i.say("\nYour stores, one a line: id at the platform; name; code in your ERP. Paste them, or give the path of a CSV or Excel file\n" +
		"that lists them. An empty line ends the list.")
	for {
		line, err := i.line(fmt.Sprintf("Store %d: ", len(i.in.Stores)+1), false)
		switch {
		case err != nil:
			return err
		case line == "" && len(i.in.Stores) > 0:
			return nil
		case line == "":
			i.complain(errors.New("at least one store is needed, such as 290056;Centro;001"))
			continue
		}
		if err := i.addStores(line); err != nil {
			i.complain(err)
		}
	}
}

// addStores adds the store of a line, or those of the file that it names.
func (i *initInterview) addStores(line string) error {
	before := i.in.Stores
	if path := typedPath(line); checkFile(path) == nil {
		found, err := daemon.ReadStores(path)
		if err != nil {
			return err
		}
		i.in.Stores = append(before, found...)
	} else {
		store, err := pastedStore(line)
		if err != nil {
			return err
		}
		i.in.Stores = append(before, store)
	}
	if err := i.in.Check("vendors"); err != nil {
		i.in.Stores = before
		return err
	}
	for _, s := range i.in.Stores[len(before):] {
		i.say("  %s  %s%s", plain(s.ID), plain(s.Name), map[bool]string{true: "  ERP code " + plain(s.ERPCode)}[s.ERPCode != ""])
	}
	return nil
}

func (i *initInterview) server() error {
	if i.f.given("host") {
		return nil
	}
	i.say("")
	i.in.Host = daemon.BrandHost(i.in.Brand)
	return i.text("SFTP server", "sftp.host", &i.in.Host)
}

// password asks where the password will be, and for the password itself where it goes into a file: not echoed, and in no config.
func (i *initInterview) password() error {
	if i.in.Password != "" {
		return nil
	}
	n, err := i.choose("\nThe SFTP password does not stand in the config. Where will it be?", []option{
		{"file", "typed now, kept in a file beside the config that only you may read"},
		{"environment", "in an environment variable"},
		{"systemd", "in a systemd credential of the service"},
	}, 0)
	if err != nil {
		return err
	}
	if n > 0 {
		question, scheme, proposal := "Name of the variable", "env:", "GONDOLA_SFTP_PASSWORD"
		if n == 2 {
			question, scheme, proposal = "Name of the credential", "systemd:", "sftp"
		}
		name, err := i.ask(question, proposal, func(answer string) error {
			if strings.ContainsAny(answer, " \t/=:") {
				return fmt.Errorf("%q is no name", answer)
			}
			return nil
		})
		i.in.Password = scheme + name
		return err
	}
	return i.secret()
}

// secret asks for the password itself.
func (i *initInterview) secret() error {
	i.in.Password = "file:" + daemon.PasswordName
	for {
		typed, err := i.line("Password (does not show): ", true)
		if err != nil {
			return err
		}
		if typed != "" {
			i.in.Secret = typed
			return nil
		}
		i.complain(errors.New("nothing was typed"))
	}
}

// confirm shows what will be made.
func (i *initInterview) confirm() error {
	i.say("")
	open := ""
	if len(i.in.HostKeys) == 0 {
		open = ", with the server's key left to be filled in"
	}
	ok, err := i.yes(fmt.Sprintf("Write the config of %s to %s%s?", count(len(i.in.Stores), "store"), filepath.Join(i.dir, defaultConfig), open), true)
	if err == nil && !ok {
		return errBrokenOff
	}
	i.say("")
	return err
}
