package client

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// LogKey is a public key of the log.
type LogKey struct {
	Version int       `json:"version"` // rises with every rotation
	Key     string    `json:"key"`     // a C2SP signed-note verifier key
	Since   time.Time `json:"since"`
	// Handover is the note by which the key before vouches for it. The first has none.
	Handover string `json:"handover,omitempty"`
	// Trusted says that it is pinned, or that pinned keys vouch for it.
	Trusted bool `json:"trusted"`
}

// LogKeys fetches the keys of the log, the newest first. From now on the client
// trusts those for which the keys vouch that it trusted before.
func (c *Client) LogKeys(ctx context.Context) ([]LogKey, error) {
	if err := c.trust(ctx); err != nil {
		return nil, err
	}
	listed, err := c.listKeys(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.log.adopt(listed); err != nil {
		return nil, err
	}
	trusted := c.log.trusted()
	for i := range listed {
		listed[i].Trusted = slices.Contains(trusted, listed[i].Key)
	}
	return listed, nil
}

func (c *Client) listKeys(ctx context.Context) ([]LogKey, error) {
	var answer struct {
		Keys []LogKey `json:"keys"`
	}
	if err := c.get(ctx, "audit/keys", &answer); err != nil {
		return nil, err
	}
	if len(answer.Keys) > maxKeys {
		return nil, badAnswer("the log has too many keys")
	}
	for i := range answer.Keys {
		answer.Keys[i].Trusted = false // that is not for the service to say
	}
	return answer.Keys, nil
}

// renew asks for the keys again, once, where a head is signed by none that is
// trusted, and follows the handovers. It is an error if the head is still not
// signed by a trusted key then.
func (c *Client) renew(ctx context.Context, note string) error {
	listed, err := c.listKeys(ctx)
	if err != nil {
		return err
	}
	if err := c.log.adopt(listed); err != nil {
		return err
	}
	evidence := &Receipt{Checkpoint: note}
	if _, err := audit.OpenCheckpoint([]byte(note), c.log.trusted()...); err == nil {
		return nil
	}
	for _, k := range listed {
		// The service says that this is its key, and nobody vouches for it.
		if _, err := audit.OpenCheckpoint([]byte(note), k.Key); err == nil {
			return &ReceiptError{FaultHandover, evidence}
		}
	}
	return &ReceiptError{FaultSignature, evidence}
}

// trusted returns the keys that are.
func (l *logbook) trusted() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.keys)
}

// adopt trusts the keys for which those vouch that are trusted. A handover states
// a head of the log, which must be of the history that is known.
func (l *logbook) adopt(listed []LogKey) error {
	oldest := slices.Clone(listed)
	slices.SortFunc(oldest, func(a, b LogKey) int { return a.Version - b.Version })
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range oldest {
		if k.Handover == "" || slices.Contains(l.keys, k.Key) {
			continue
		}
		h, err := audit.OpenHandover([]byte(k.Handover), l.keys...)
		if err != nil || h.Origin != l.origin || h.New != k.Key || len(l.keys) == maxKeys {
			continue // it leads to no key, so what that signed stays refused
		}
		if h.Size > 0 && !l.learn([]head{{h.Size, h.Root}}) {
			return &ReceiptError{FaultFork, &Receipt{Checkpoint: k.Handover}}
		}
		l.keys = append(l.keys, h.New)
	}
	return nil
}

func isFault(err error, fault Fault) bool {
	var e *ReceiptError
	return errors.As(err, &e) && e.Fault == fault
}
