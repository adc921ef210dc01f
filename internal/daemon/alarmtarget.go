package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"gondola/internal/alert"
	"gondola/internal/config"
	"gondola/internal/report"
)

// alarmTarget is one entry of alerts.
type alarmTarget struct {
	config.Alert
	place    string // in the config
	way      alert.Way
	template *alert.Template // of a post that has one
}

// setAlarms takes over who is told. It returns what is wrong with it.
func (s *setup) setAlarms() error {
	var errs []error
	for i, a := range s.cfg.Alerts {
		t := alarmTarget{Alert: a, place: fmt.Sprintf("alerts[%d]", i)}
		switch {
		case a.Ping.IsSet():
			t.way = alert.Ping
		case a.Post.IsSet():
			t.way = alert.Post
		default:
			t.way = alert.Mail
		}
		if a.Template != "" {
			var err error
			if t.template, err = alarmTemplate(a); err != nil {
				errs = append(errs, config.PathError{Path: t.place + ".template", Err: err})
			}
		}
		s.alarms = append(s.alarms, t)
	}
	return errors.Join(errs...)
}

// alarmTemplate reads an admin's template and tries it.
func alarmTemplate(a config.Alert) (*alert.Template, error) {
	text, err := os.ReadFile(a.Template)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return alert.ParseTemplate(string(text), a.As == config.AsJSON && a.ContentType == "")
}

// read returns the target with its secrets, as they are now.
func (t alarmTarget) read() (alert.Target, error) {
	target := alert.Target{Way: t.way, As: alert.As(t.As), Chat: t.Chat, Template: t.template, ContentType: t.ContentType}
	if t.way == alert.Mail {
		m := t.Mail
		target.Mail = alert.Mailbox{Server: m.Server, User: m.User, TLS: alert.TLS(m.TLS), From: m.From, To: m.To}
		var err error
		if m.Password.IsSet() {
			target.Mail.Password, err = m.Password.Value()
		}
		return target, err
	}
	secret := t.Post
	if t.way == alert.Ping {
		secret = t.Ping
	}
	var err error
	if target.Address, err = secret.Value(); err == nil {
		err = config.CheckAddress(target.Address)
	}
	return target, err
}

func (s *setup) alertsAfter() time.Duration { return time.Duration(s.cfg.AlertsAfter) }

// alarmDaily is when what still stands is said again.
func (s *setup) alarmDaily() alert.Daily {
	return alert.Daily{On: s.cfg.AlertsRemind.On, At: s.cfg.AlertsRemind.At, Zone: s.zone}
}

// alarmClient tells in the chain's language. A phrase that can't be said is its name: the alarm goes out all the same.
func (s *setup) alarmClient() alert.Client {
	say := report.NewPhrases(s.cfg.Chain.Language, s.zone)
	var mu sync.Mutex // targets are told at the same time, and phrases remember what went wrong
	return alert.Client{Chain: s.cfg.Chain.ID, Say: func(key string, args ...any) string {
		mu.Lock()
		defer mu.Unlock()
		text, err := say.Say(key, args...)
		if err != nil {
			return key
		}
		return text
	}}
}

// AlertTrial is what came back when the way to a target was tried.
type AlertTrial struct {
	Target string `json:"target"` // its place in the config
	Way    string `json:"way"`    // ping, post or mail; of a post to a service that people read in, its name
	Answer string `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
	Config bool   `json:"-"` // a secret could not be read, or is no address
}

// TryAlerts sends every target of a config a message that says it is a trial, and returns what came back. It needs no state. Its error is
// one of the config.
func TryAlerts(ctx context.Context, cfg *config.Config) ([]AlertTrial, error) {
	s, err := newSetup(cfg)
	if err != nil {
		return nil, cfg.Locate(err)[0]
	}
	client := s.alarmClient()
	all := make([]AlertTrial, len(s.alarms))
	var wait sync.WaitGroup
	for i, t := range s.alarms {
		wait.Go(func() { all[i] = t.try(ctx, &client) })
	}
	wait.Wait()
	return all, nil
}

// try sends a trial.
func (t alarmTarget) try(ctx context.Context, client *alert.Client) AlertTrial {
	trial := AlertTrial{Target: t.place, Way: string(t.way)}
	if t.way == alert.Post && t.As != config.AsJSON {
		trial.Way = t.As
	}
	target, err := t.read()
	if err != nil {
		trial.Error, trial.Config = err.Error(), true
		return trial
	}
	answer, err := client.Tell(ctx, target, alert.Trial(t.way, newRunID(), time.Now()))
	trial.Answer = answer.Status
	if answer.Text != "" {
		trial.Answer += ": " + answer.Text
	}
	trial.Error = answer.Note // somebody would not have been told
	if err != nil {
		trial.Error = err.Error()
	}
	return trial
}
