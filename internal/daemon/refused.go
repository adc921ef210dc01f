package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"gondola/internal/alert"
	"gondola/internal/config"
	"gondola/internal/durable"
	"gondola/internal/store"
)

// RefusedConfig is a config file that was changed and that the running daemon does not take: it goes on by the one before.
type RefusedConfig struct {
	File     string           `json:"file"`
	Digest   string           `json:"digest,omitempty"` // SHA-256 of its bytes, "" where it can't be read
	At       time.Time        `json:"at"`
	Problems []config.Problem `json:"problems"`
}

// refusedFact is where the daemon keeps the config that it refused.
const refusedFact = "config refused"

// keepRefused writes down that a config was refused, or with no problems that the one there now is well.
func (h *House) keepRefused(ctx context.Context, r RefusedConfig) error {
	text := ""
	if len(r.Problems) > 0 {
		text = encode(r)
	}
	ctx = context.WithoutCancel(ctx)
	old, err := h.store.Fact(ctx, refusedFact)
	if err != nil || old == text {
		return err
	}
	return h.store.SetFact(ctx, refusedFact, text)
}

// refusedConfig returns the config that the running daemon has refused, nil where there is none or none runs.
func (h *House) refusedConfig(ctx context.Context) (*RefusedConfig, error) {
	text, err := h.store.Fact(ctx, refusedFact)
	if err != nil || text == "" {
		return nil, err
	}
	if h.outbox == nil {
		// What a daemon refused that runs no more is looked at anew by the next one.
		if running, err := store.Running(h.cfg.State.Dir); err != nil || !running {
			return nil, err
		}
	}
	var r RefusedConfig
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, fmt.Errorf("read which config was refused: %w", err)
	}
	return &r, nil
}

// maxRefused is how many problems of a config an alarm tells; gondola check names all.
const maxRefused = 5

// configProblems finds a changed config that is not taken.
func (h *House) configProblems(ctx context.Context, l *problemList) error {
	r, err := h.refusedConfig(ctx)
	if err != nil || r == nil || len(r.Problems) == 0 {
		return err
	}
	var lines []string
	for _, p := range r.Problems {
		if !p.Warning && len(lines) < maxRefused {
			lines = append(lines, p.Error())
		}
	}
	l.add(alert.Problem{Key: "config", Kind: alert.Config, Detail: strings.Join(lines, "\n")}, r.File)
	return nil
}

// liveName is where the running daemon keeps the config that it goes by, in the state folder: every default filled in, no secret in it.
const liveName = "live.yaml"

// keepLive writes down the config that the house goes by. Only commands beside it need it, while the file has mistakes.
func (h *House) keepLive() {
	text, err := h.cfg.Effective().YAML()
	if err == nil {
		err = durable.WriteFile(filepath.Join(h.cfg.State.Dir, liveName), 0o600, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		})
	}
	if err != nil {
		h.log.Warn("config in use was not written down", "error", err.Error())
	}
}

// LiveConfig returns the config that the daemon goes by which works on a state folder, for commands that only look and ask, where the
// config file has mistakes. It reports false where no daemon runs there.
func LiveConfig(stateDir string) (*config.Config, bool) {
	running, err := store.Running(stateDir)
	if err != nil || !running {
		return nil, false
	}
	cfg, err := config.Look(filepath.Join(stateDir, liveName))
	return cfg, err == nil
}
