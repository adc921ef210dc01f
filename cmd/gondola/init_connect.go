package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/daemon"
)

// connect shows the server's host keys, pins the one that was confirmed, and tries the login. Nothing of the login leaves before a key
// is pinned. Whatever fails can be tried again, corrected, or left for later.
func (i *initInterview) connect() error {
	if i.f.offline {
		return nil
	}
	i.say("")
	if ok, err := i.yes("Connect to the server now, to see its key and try the login? Nothing is written there", true); err != nil || !ok {
		return err
	}
	if len(i.in.HostKeys) == 0 {
		if err := i.hostKey(); err != nil || len(i.in.HostKeys) == 0 {
			return err
		}
	}
	return i.login()
}

// hostKey asks the server for its keys until it shows them, and then for the one that counts.
func (i *initInterview) hostKey() error {
	for {
		i.say("Connecting to %s …", plain(i.in.Host))
		keys, err := i.in.ShownKeys(i.ctx)
		if err == nil {
			return i.pin(keys)
		}
		if i.ctx.Err() != nil {
			return errBrokenOff
		}
		i.complain(err)
		n, err := i.choose("What now?", []option{{"again", "try once more"}, {"server", "correct host and port"}, {"later", "go on without"}}, 0)
		if err != nil || n == 2 {
			return err
		}
		if n == 1 {
			if err := i.address(); err != nil {
				return err
			}
		}
	}
}

// address asks for host and port anew.
func (i *initInterview) address() error {
	if err := i.text("SFTP server", "sftp.host", &i.in.Host); err != nil {
		return err
	}
	_, err := i.ask("Port", strconv.Itoa(i.in.Port), func(answer string) error {
		n, err := strconv.Atoi(answer)
		if err != nil {
			return fmt.Errorf("want a number, found %q", answer)
		}
		old := i.in.Port
		i.in.Port = n
		if err := checkPort(i.in); err != nil {
			i.in.Port = old
			return err
		}
		return nil
	})
	return err
}

// pin asks which of the shown keys was confirmed. A fingerprint that somebody has from the platform is compared; a number is somebody's
// word that they have compared it.
func (i *initInterview) pin(keys []daemon.ShownKey) error {
	i.say("\nThe server shows %s. Anybody could stand in its place, so ask the account manager for the fingerprint, and paste what\n"+
		"you are told, or give the number of the one that you compared. Enter leaves it for later.", count(len(keys), "key"))
	for n, k := range keys {
		i.say("  %d  %s  %s", n+1, plain(k.Fingerprint), plain(k.Type))
	}
	_, err := i.ask("Fingerprint or number", "", func(answer string) error {
		if answer == "" {
			return nil
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(keys) {
			answer = keys[n-1].Fingerprint
		}
		answer = strings.TrimRight(answer, "=")
		if err := daemon.CheckHostKey(answer); err != nil {
			return err
		}
		if !slices.ContainsFunc(keys, func(k daemon.ShownKey) bool { return k.Fingerprint == answer }) {
			return fmt.Errorf("the server does not show %s: this may be another server, or the wrong fingerprint; send nothing there, ask the "+
				"account manager", answer)
		}
		i.in.HostKeys = []string{answer}
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(i.in.HostKeys) == 0:
		i.say("The login is not tried: nothing of it goes to a server that nobody has confirmed.")
	default:
		i.say("Pinned: %s", i.in.HostKeys[0])
	}
	return nil
}

// login tries the login until it works or somebody has enough.
func (i *initInterview) login() error {
	for {
		i.say("Logging in as %s …", plain(i.in.User))
		home, err := i.in.TryLogin(i.ctx, i.dir)
		if err == nil {
			return i.greet(home)
		}
		if i.ctx.Err() != nil {
			return errBrokenOff
		}
		i.complain(err)
		n, err := i.choose("What now?", []option{
			{"password", "type it again, for the file beside the config"},
			{"user", "correct the user"},
			{"again", "try once more as it is"},
			{"key", "look at the server's keys again"},
			{"later", "go on without"},
		}, 0)
		switch {
		case err != nil || n == 4:
			return err
		case n == 3:
			i.in.HostKeys = nil
			if err = i.hostKey(); err == nil && len(i.in.HostKeys) == 0 {
				return nil
			}
		case n == 0:
			err = i.secret()
		case n == 1:
			err = i.text("SFTP user", "sftp.user", &i.in.User)
		}
		if err != nil {
			return err
		}
	}
}

// greet tells that the login works.
func (i *initInterview) greet(home []string) error {
	there := "nothing is in its folder yet"
	if len(home) > 0 {
		there = "in its folder: " + plain(strings.Join(home[:min(len(home), shownCodes)], ", "))
	}
	i.say("The login works; %s.", there)
	return nil
}
