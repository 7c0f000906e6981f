package vault

import (
	"context"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

const (
	sealNote        = "request-note"
	sealSubjectName = "subject-name"
)

// noteBinding is the place of a note: that of its request. Its own id is that of
// the change, which nobody knows when it is sealed; the digest in the entry of
// the change tells whether two notes were swapped.
func noteBinding(tenant, requestID string) envelope.Binding {
	return envelope.Binding{Purpose: sealNote, Tenant: tenant, Scope: requestID}
}

// sealNote seals the text of a note under the request's data key, or a fresh one
// where it has none.
func (s *Service) sealNote(ctx context.Context, tenant string, effect *NoteRequest, text string) error {
	requestID := effect.Note.RequestID
	key, fresh, err := s.keyOf(ctx, tenant, owner{subjectRef: requestID})
	if err != nil {
		return err
	}
	effect.Key = fresh
	effect.Note.KeyID = key.ID()
	if effect.Note.Sealed, err = key.Seal(noteBinding(tenant, requestID), []byte(text)); err != nil {
		return fmt.Errorf("vault: seal a note: %w", err)
	}
	return nil
}

// keyOf is a data key of an owner that can seal: one that stands, or a fresh one,
// which has to be written with what it seals.
func (s *Service) keyOf(ctx context.Context, tenant string, o owner) (*envelope.DataKey, *DataKey, error) {
	stored, err := s.store.Keys(ctx, tenant, KeyQuery{ScopeID: o.scopeID, SubjectRef: o.subjectRef, Limit: 1})
	if err != nil {
		return nil, nil, err
	}
	for _, k := range stored {
		opened, err := s.openStored(ctx, tenant, []string{k.ID})
		if err != nil {
			return nil, nil, err
		}
		if key := opened[k.ID].Key; key != nil {
			return key, nil, nil
		}
	}
	fresh, err := s.freshKey(ctx, tenant)
	if err != nil {
		return nil, nil, fmt.Errorf("vault: data key: %w", err)
	}
	return fresh.Key, &DataKey{ID: fresh.ID, ScopeID: o.scopeID, SubjectRef: o.subjectRef, Wrapped: fresh.Wrapped}, nil
}

// openNotes opens notes. One that does not open was altered or moved.
func (s *Service) openNotes(ctx context.Context, tenant string, notes []RequestNote) ([]NoteInfo, error) {
	var ids []string
	for _, n := range notes {
		ids = append(ids, n.KeyID)
	}
	keys, err := s.openStored(ctx, tenant, unique(ids))
	if err != nil {
		return nil, err
	}
	infos := make([]NoteInfo, 0, len(notes))
	for _, n := range notes {
		key := keys[n.KeyID].Key
		if key == nil {
			return nil, errNoteLost
		}
		text, err := key.Open(noteBinding(tenant, n.RequestID), n.Sealed)
		if err != nil {
			return nil, errNoteLost
		}
		infos = append(infos, NoteInfo{ID: n.ID, Author: n.Author, Text: string(text), At: n.At})
	}
	return infos, nil
}
