package vault

import (
	"encoding/json"
	"slices"
	"time"
)

// MaxSuspensions bounds the suspensions that stand in a tenant: each is judged for
// every value that is restored.
const MaxSuspensions = 100

// SuspensionMatch says what a suspension stops. Every field that is set must
// match, and of a list any element. One that sets nothing stops everything.
type SuspensionMatch struct {
	Callers  []string `json:"callers,omitempty"` // actors, as in entries
	Clients  []string `json:"clients,omitempty"`
	EndUsers []Digest `json:"end_users,omitempty"`
	Scopes   []Digest `json:"scopes,omitempty"` // of their names
	Reasons  []string `json:"reasons,omitempty"`
	Entities []string `json:"entities,omitempty"`
	// From and To bound when a value was tokenized: [From, To). Zero is open.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Stopped tells whether any of the suspensions that stand stops any part of the
// restoration. A store asks it after the lock, with those that stand then, and
// answers ErrConflict. One that cannot be read stops everything.
func (r Restore) Stopped(standing []Proceeding) bool {
	for _, p := range standing {
		match, err := readSuspension(p.Body)
		if err != nil {
			return true
		}
		for _, ref := range r.Refs {
			if match.stops(r.By, ref) {
				return true
			}
		}
		for _, name := range r.Names {
			if match.stopsName(r.By, name) {
				return true
			}
		}
	}
	return false
}

func readSuspension(body []byte) (SuspensionMatch, error) {
	var match SuspensionMatch
	err := json.Unmarshal(body, &match)
	return match, err
}

func (m *SuspensionMatch) stops(by Restorer, ref RestoreRef) bool {
	return m.about(by) && m.ofScope(ref.ScopeName) && among(m.Entities, ref.Entity) &&
		(m.From.IsZero() || !ref.MadeAt.Before(m.From)) && (m.To.IsZero() || ref.MadeAt.Before(m.To))
}

// stopsName is stops for the callers' own names, which are no entity and of no
// time that is known here: these do not set them free.
func (m *SuspensionMatch) stopsName(by Restorer, name NameRef) bool {
	return m.about(by) && m.ofScope(name.ScopeName)
}

// ofScope counts a scope whose name was not read as one that is meant.
func (m *SuspensionMatch) ofScope(name Digest) bool { return name == Digest{} || among(m.Scopes, name) }

// about tells whether the suspension is about who restores, and why.
func (m *SuspensionMatch) about(by Restorer) bool {
	return among(m.Callers, by.Actor) && among(m.Clients, by.Client) && among(m.EndUsers, by.EndUser) && among(m.Reasons, by.Reason)
}

// among tells whether a list that is set has the element.
func among[T comparable](list []T, element T) bool {
	return len(list) == 0 || slices.Contains(list, element)
}
