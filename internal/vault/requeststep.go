package vault

import (
	"context"
	"errors"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// step is one change of a request: what it is called in the entry, what it does
// to the row, and with which effect. An effect of nil is UpdateRequest.
type step struct {
	code   string
	duty   string // what came with it, as it stands among the obligations
	note   string // free text, of which the entry has the keyed digest
	due    bool   // it changes until when the person is to be answered
	change func(row *SubjectRequest, keys *keySet) error
	effect func(ctx context.Context, row SubjectRequest) (Effect, error)
	kind   audit.Kind
}

// updating is the effect of most steps.
func updating(_ context.Context, row SubjectRequest) (Effect, error) {
	return UpdateRequest{Request: row}, nil
}

// take does a step on a request. Two people who change a request at once both
// succeed, one after the other, as long as the second step is still possible.
func (s *Service) take(ctx context.Context, call Call, id string, st step) (RequestResult, error) {
	if st.effect == nil {
		st.effect = updating
	}
	if st.kind == "" {
		st.kind = audit.KindRequestChange
	}
	keys, entry, err := s.authorise(ctx, call, access.ActionRequestManage, st.kind)
	if err != nil {
		return RequestResult{}, err
	}
	tenant := call.Caller.Tenant
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		if err := claim.read(ctx, s, tenant, &entry); err != nil {
			return RequestResult{}, public(err)
		}
		if entry.ReplayOf != "" {
			return s.requestBefore(ctx, tenant, keys, id, entry.ReplayOf)
		}
		result, err := s.takeOnce(ctx, tenant, keys, id, st, entry, &claim)
		if err == nil || !plannable(err) {
			return result, public(err)
		}
	}
	return RequestResult{}, public(ErrConflict)
}

func (s *Service) takeOnce(ctx context.Context, tenant string, keys *keySet, id string, st step, entry audit.Entry, claim *claiming) (RequestResult, error) {
	row, err := s.openRequest(ctx, tenant, id)
	if err != nil {
		return RequestResult{}, err
	}
	if err := st.change(&row, keys); err != nil {
		return RequestResult{}, err
	}
	describeStep(&entry, &row, st.code)
	if st.duty != "" {
		entry.Obligations = append(entry.Obligations, st.duty)
	}
	if st.due {
		entry.SetInstant(audit.CountDueAt, row.DueAt)
	}
	if st.note != "" {
		entry.NoteDigest = hexDigest(keys.index.Note(st.note))
	}
	effect, err := st.effect(ctx, row)
	if err != nil {
		return RequestResult{}, err
	}
	committed, err := s.commitClaiming(ctx, tenant, effect, entry, claim)
	if err != nil {
		if note, ok := effect.(NoteRequest); ok && note.Key != nil {
			s.refused(tenant, err, []DataKey{*note.Key})
		}
		return RequestResult{}, err
	}
	return s.requestAfter(ctx, tenant, keys, id, committed)
}

// describeStep names in an entry which request it is about, and the step.
func describeStep(entry *audit.Entry, row *SubjectRequest, code string) {
	entry.Reference, entry.Code = row.Reference, code
	entry.Obligations = []string{"request:" + row.ID}
	if row.SubjectRef != "" {
		entry.SubjectRefs = []string{row.SubjectRef}
	}
}

// openRequest returns a request that is not closed.
func (s *Service) openRequest(ctx context.Context, tenant, id string) (SubjectRequest, error) {
	row, err := s.storedRequest(ctx, tenant, id)
	if err == nil && row.State.Closes() {
		err = Errorf(CodeConflict, "the request is closed")
	}
	return row, err
}

// in refuses a step from any other state.
func (r *SubjectRequest) in(states ...RequestState) error {
	if !slices.Contains(states, r.State) {
		return Errorf(CodeConflict, "the request is %s", r.State)
	}
	return nil
}

// IdentifyRequest says that somebody established that the person asks and, where
// the request says nobody yet, who it is.
func (s *Service) IdentifyRequest(ctx context.Context, call Call, id string, req IdentifyRequest) (RequestResult, error) {
	s = s.under(call)
	return s.take(ctx, call, id, step{code: "identity", change: func(row *SubjectRequest, keys *keySet) error {
		if err := row.in(StateReceived, StateAwaitingIdentity); err != nil {
			return err
		}
		named := req.Subject != "" || len(req.Identifiers) > 0
		switch {
		case named && row.named():
			return Errorf(CodeConflict, "the request says already whom it is about")
		case !named && !row.named():
			return Invalid("/subject", "is required, or identifiers")
		}
		if err := s.nameIn(keys, row, req.Subject, req.Identifiers); err != nil {
			return err
		}
		row.Identity, row.State = req.Identity, StateOpen
		return s.checkIdentity(&row.Identity)
	}})
}

// AssignRequest says who works on a request.
func (s *Service) AssignRequest(ctx context.Context, call Call, id, assignee string) (RequestResult, error) {
	s = s.under(call)
	return s.take(ctx, call, id, step{code: "assign", change: func(row *SubjectRequest, _ *keySet) error {
		row.Assignee = assignee
		return checkIdentifier("/assignee", assignee)
	}})
}

// ExtendRequest gives a request the longer time that its regime allows once,
// where its clock has not run out: the person has to be told by then.
func (s *Service) ExtendRequest(ctx context.Context, call Call, id, reference string) (RequestResult, error) {
	s = s.under(call)
	return s.take(ctx, call, id, step{code: "extend", due: true, duty: "reference:" + reference, change: func(row *SubjectRequest, _ *keySet) error {
		if err := checkIdentifier("/reference", reference); err != nil {
			return err
		}
		switch {
		case reference == "":
			return Invalid("/reference", "is required")
		case row.Extended:
			return Errorf(CodeConflict, "the request was extended before")
		case s.clock().After(row.DueAt):
			return Errorf(CodeConflict, "the request was due already")
		}
		row.Extended, row.DueAt = true, extendedDue(row.Kind, row.Regime, row.ReceivedAt)
		return nil
	}})
}

// RefuseRequest closes a request with a reason of the closed list. What it had
// restricted is restored again for every reason that may.
func (s *Service) RefuseRequest(ctx context.Context, call Call, id string, code RefusalCode) (RequestResult, error) {
	s = s.under(call)
	return s.give(ctx, call, id, "refuse", func(row *SubjectRequest) error {
		if !slices.Contains(RefusalCodes(), code) {
			return Invalid("/refusal_code", "is none of the codes")
		}
		row.State, row.RefusalCode = StateRefused, string(code)
		return nil
	})
}

// WithdrawRequest closes a request that the person takes back.
func (s *Service) WithdrawRequest(ctx context.Context, call Call, id string) (RequestResult, error) {
	s = s.under(call)
	return s.give(ctx, call, id, "withdraw", func(row *SubjectRequest) error {
		row.State = StateWithdrawn
		return nil
	})
}

// give gives a request up, and lifts what it had restricted in the same commit.
func (s *Service) give(ctx context.Context, call Call, id, code string, end func(*SubjectRequest) error) (RequestResult, error) {
	row, err := s.readRequest(ctx, call, id)
	if err != nil {
		return RequestResult{}, err
	}
	restricted := row.State == StateRunning
	st := step{code: code, change: func(row *SubjectRequest, _ *keySet) error {
		if restricted != (row.State == StateRunning) {
			return ErrConflict // it was restricted in between: read again
		}
		if row.State == StateDeferred {
			return Errorf(CodeConflict, "what was asked for is done, but for what a hold keeps")
		}
		return end(row)
	}}
	if restricted {
		st.kind, st.effect = audit.KindLiftRestriction, lifting
	}
	return s.take(ctx, call, id, st)
}

// readRequest reads a request before the caller may do anything with it.
func (s *Service) readRequest(ctx context.Context, call Call, id string) (SubjectRequest, error) {
	if _, err := s.read(ctx, call, access.ActionRequestManage); err != nil {
		return SubjectRequest{}, err
	}
	return s.storedRequest(ctx, call.Caller.Tenant, id)
}

// CompleteRequest closes a request that is answered: one for access or an
// accounting once the person has the report, an objection that is upheld, whose
// values stay restricted, and any for which there is nothing to do.
func (s *Service) CompleteRequest(ctx context.Context, call Call, id string, partial bool) (RequestResult, error) {
	s = s.under(call)
	return s.take(ctx, call, id, step{code: "complete", change: func(row *SubjectRequest, _ *keySet) error {
		switch {
		case row.Kind == RequestErasure:
			return Errorf(CodeConflict, "an erasure is completed by what it destroys")
		case row.Kind == RequestRestriction && row.State == StateRunning:
			return Errorf(CodeConflict, "a restriction is completed when it is lifted")
		case row.Kind != RequestObjection || row.State != StateRunning:
			if err := row.in(StateOpen); err != nil {
				return err
			}
		}
		row.State = StateCompleted
		if partial {
			row.State = StatePartial
		}
		return nil
	}})
}

// NoteOnRequest adds what somebody writes about a request. The text is sealed;
// the entry has its keyed digest.
func (s *Service) NoteOnRequest(ctx context.Context, call Call, id, text string) (RequestResult, error) {
	s = s.under(call)
	return s.take(ctx, call, id, step{
		code: "note", note: text,
		change: func(*SubjectRequest, *keySet) error {
			switch {
			case text == "":
				return Invalid("/text", "is required")
			case len(text) > MaxNoteBytes:
				return tooLarge("/text", "note_bytes", MaxNoteBytes)
			default:
				return checkText("/text", text)
			}
		},
		effect: func(ctx context.Context, row SubjectRequest) (Effect, error) {
			note := NoteRequest{Note: RequestNote{RequestID: row.ID, Author: call.Caller.Subject}}
			err := s.sealNote(ctx, call.Caller.Tenant, &note, text)
			return note, err
		},
	})
}

// NotesOfRequest opens the notes of a request, the oldest first. That they were
// read is an entry, which is written before they are opened.
func (s *Service) NotesOfRequest(ctx context.Context, call Call, id string) (NotesResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionRequestReport, audit.KindSubjectSearch)
	if err != nil {
		return NotesResult{}, err
	}
	tenant := call.Caller.Tenant
	row, err := s.storedRequest(ctx, tenant, id)
	if err != nil {
		return NotesResult{}, err
	}
	notes, err := s.requests.RequestNotes(ctx, tenant, id)
	if err != nil {
		return NotesResult{}, public(err)
	}
	describeStep(&entry, &row, "notes")
	entry.Counts = map[string]int{"notes": len(notes)}
	committed, err := s.commit(ctx, tenant, Record{}, entry)
	if err != nil {
		return NotesResult{}, public(err)
	}
	var result NotesResult
	if result.Notes, err = s.openNotes(ctx, tenant, notes); err != nil {
		return NotesResult{}, public(err)
	}
	result.Audit, err = s.receipt(keys, committed)
	return result, err
}

// errNoteLost says that a note does not open.
var errNoteLost = errors.New("vault: a note of a request does not open")
