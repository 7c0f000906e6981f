package vault

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

const (
	// MaxEvidencePeriod bounds the period of one request: a year and a day, what the
	// reports of a year's audit are about.
	MaxEvidencePeriod = 367 * 24 * time.Hour
	// MaxEvidenceOpen bounds what is being put together for a tenant at a time: each
	// walks the whole log.
	MaxEvidenceOpen = 4
	// evidenceTurn is how long a replica that said how far it is counts as the one
	// that does it.
	evidenceTurn = time.Minute
)

// EvidenceStatus says how far the evidence of a request is.
type EvidenceStatus string

// How far it is.
const (
	EvidencePending EvidenceStatus = "pending"
	EvidenceRunning EvidenceStatus = "running"
	EvidenceDone    EvidenceStatus = "done"
	EvidenceFailed  EvidenceStatus = "failed"
)

// EvidenceRequest asks for the evidence of [From, To), whole seconds UTC.
type EvidenceRequest struct{ From, To time.Time }

// EvidenceInfo is a request for evidence and what became of it.
type EvidenceInfo struct {
	ID                  string
	From, To            time.Time
	Status              EvidenceStatus
	Progress            int // per cent
	RequestedBy         string
	RequestedAt, DoneAt time.Time
	SHA256              string // of the bundle, in hex
	Bytes               int64
	Size                int64 // entries under the checkpoint of the bundle
}

// EvidenceResult answers a request.
type EvidenceResult struct {
	Evidence EvidenceInfo
	Audit    *audit.Receipt
}

// EvidencePage is a page of them, the newest first.
type EvidencePage struct {
	Evidence []EvidenceInfo
	Next     string // the cursor of the next page, empty where there is none
}

// EvidenceListRequest asks for a page.
type EvidenceListRequest struct {
	Before string
	Limit  int
}

// evidenceBody is what is kept of a request.
type evidenceBody struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	SHA256 string    `json:"sha256,omitempty"`
	Bytes  int64     `json:"bytes,omitempty"`
	Size   int64     `json:"size,omitempty"`
}

// evidenceProgress is the note of how far the evidence of a tenant is.
type evidenceProgress struct {
	ID      string `json:"id"`
	Replica string `json:"replica"`
	Percent int    `json:"percent"`
}

// RequestEvidence asks for the evidence of a period. It is put together in the
// background; who asked for what is an entry.
func (s *Service) RequestEvidence(ctx context.Context, call Call, req EvidenceRequest) (EvidenceResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionEvidence, audit.KindEvidenceRequest)
	if err != nil {
		return EvidenceResult{}, err
	}
	req.From, req.To = req.From.UTC(), req.To.UTC()
	switch now := s.clock(); {
	case req.From.IsZero() || !req.From.Equal(req.From.Truncate(time.Second)):
		return EvidenceResult{}, Invalid("/from", "must be whole seconds")
	case !req.To.After(req.From) || !req.To.Equal(req.To.Truncate(time.Second)):
		return EvidenceResult{}, Invalid("/to", "must be whole seconds, after from")
	case req.To.After(now):
		return EvidenceResult{}, Invalid("/to", "must not be in the future")
	case req.To.Sub(req.From) > MaxEvidencePeriod:
		return EvidenceResult{}, tooLarge("/to", "evidence_period_seconds", int(MaxEvidencePeriod.Seconds()))
	}
	open, err := s.proceedings.Proceedings(ctx, call.Caller.Tenant, ProceedingQuery{Kind: ProceedingEvidence, Open: true, Limit: MaxEvidenceOpen})
	if err != nil {
		return EvidenceResult{}, public(err)
	}
	if len(open) >= MaxEvidenceOpen {
		refusal := Errorf(CodeConflict, "%d requests are under way: wait for one", MaxEvidenceOpen)
		refusal.Limit = "evidence_open"
		return EvidenceResult{}, refusal
	}
	body := evidenceBody{From: req.From, To: req.To}
	entry.Reference = req.From.Format(time.RFC3339) + "/" + req.To.Format(time.RFC3339)
	p, receipt, err := openProceeding(ctx, s, call, keys, entry, func() (Proceeding, error) {
		return Proceeding{Kind: ProceedingEvidence, State: ProceedingPending, Actor: call.Caller.Subject, Body: encodeBody(body)}, nil
	})
	if err != nil {
		return EvidenceResult{}, err
	}
	if err := json.Unmarshal(p.Body, &body); err != nil {
		return EvidenceResult{}, public(err)
	}
	return EvidenceResult{Evidence: describeEvidence(p, body, evidenceProgress{}), Audit: receipt}, nil
}

func describeEvidence(p Proceeding, b evidenceBody, progress evidenceProgress) EvidenceInfo {
	info := EvidenceInfo{
		ID: p.ID, From: b.From, To: b.To, Status: EvidencePending, RequestedBy: p.Actor, RequestedAt: p.CreatedAt,
		DoneAt: p.ClosedAt, SHA256: b.SHA256, Bytes: b.Bytes, Size: b.Size,
	}
	switch p.State {
	case ProceedingDone:
		info.Status, info.Progress = EvidenceDone, 100
	case ProceedingRejected:
		info.Status = EvidenceFailed
	default:
		info.under(progress)
	}
	return info
}

// under takes in how far a replica is, where it is at this one.
func (e *EvidenceInfo) under(way evidenceProgress) {
	if e.Status == EvidencePending && e.ID == way.ID {
		e.Status, e.Progress = EvidenceRunning, way.Percent
	}
}

// Evidence shows a request for evidence and how far it is.
func (s *Service) Evidence(ctx context.Context, call Call, id string) (EvidenceInfo, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionEvidence); err != nil {
		return EvidenceInfo{}, err
	}
	var body evidenceBody
	row, err := s.storedProceeding(ctx, call.Caller.Tenant, ProceedingEvidence, id, &body)
	if err != nil {
		return EvidenceInfo{}, err
	}
	_, progress, err := s.evidenceUnderWay(ctx, call.Caller.Tenant)
	return describeEvidence(row, body, progress), err
}

// Evidences returns a page of requests for evidence.
func (s *Service) Evidences(ctx context.Context, call Call, req EvidenceListRequest) (EvidencePage, error) {
	s = s.under(call)
	var page EvidencePage
	var err error
	page.Next, err = listProceedings(ctx, s, call, access.ActionEvidence, ProceedingQuery{Kind: ProceedingEvidence},
		ProceedingListRequest{Limit: req.Limit, Cursor: req.Before},
		func(p Proceeding, b evidenceBody) {
			page.Evidence = append(page.Evidence, describeEvidence(p, b, evidenceProgress{}))
		})
	if err != nil {
		return EvidencePage{}, err
	}
	_, progress, err := s.evidenceUnderWay(ctx, call.Caller.Tenant)
	for i := range page.Evidence {
		page.Evidence[i].under(progress)
	}
	return page, err
}

// EvidenceBundle opens the bundle of a request that is done. The caller closes it.
func (s *Service) EvidenceBundle(ctx context.Context, call Call, id string) (io.ReadCloser, EvidenceInfo, error) {
	s = s.under(call)
	info, err := s.Evidence(ctx, call, id)
	if err != nil {
		return nil, info, err
	}
	if info.Status != EvidenceDone {
		return nil, info, Errorf(CodeConflict, "it is not done: it is %s", info.Status)
	}
	if s.bundles == nil {
		return nil, info, Errorf(CodeUnavailable, "no bundles are kept here")
	}
	bundle, err := s.bundles(ctx, call.Caller.Tenant, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, info, Errorf(CodeNotFound, "the bundle is not kept here any more").Because(err)
	}
	return bundle, info, public(err)
}

// evidenceUnderWay says how far the evidence of a tenant is that a replica is at.
func (s *Service) evidenceUnderWay(ctx context.Context, tenant string) (Note, evidenceProgress, error) {
	var progress evidenceProgress
	note, err := s.Bookmark(ctx, tenant, NoteEvidence)
	if err == nil && len(note.Body) > 0 {
		err = public(json.Unmarshal(note.Body, &progress))
	}
	return note, progress, err
}

// NextEvidence returns the oldest request of a tenant that is open, unless another
// replica is at it. Two that are at it all the same do the work twice; one of them
// is heard.
func (s *Service) NextEvidence(ctx context.Context, tenant string) (EvidenceInfo, bool, error) {
	rows, err := s.proceedings.Proceedings(ctx, tenant, ProceedingQuery{Kind: ProceedingEvidence, Open: true, Limit: MaxEvidenceOpen})
	if err != nil || len(rows) == 0 {
		return EvidenceInfo{}, false, public(err)
	}
	note, progress, err := s.evidenceUnderWay(ctx, tenant)
	if err != nil {
		return EvidenceInfo{}, false, err
	}
	oldest := rows[len(rows)-1]
	if progress.ID == oldest.ID && progress.Replica != s.replica && s.clock().Sub(note.At) < evidenceTurn {
		return EvidenceInfo{}, false, nil
	}
	var body evidenceBody
	if err := json.Unmarshal(oldest.Body, &body); err != nil {
		return EvidenceInfo{}, false, public(err)
	}
	return describeEvidence(oldest, body, evidenceProgress{}), true, nil
}

// EvidenceProgress says how far this replica is.
func (s *Service) EvidenceProgress(ctx context.Context, tenant, id string, percent int) error {
	body, err := json.Marshal(evidenceProgress{ID: id, Replica: s.replica, Percent: percent})
	if err != nil {
		return public(err)
	}
	return s.SetBookmark(ctx, tenant, Note{Kind: NoteEvidence, Order: s.clock().UnixMicro(), Body: body})
}

// FinishEvidence closes a request: with the bundle's digest and size, or as failed
// where there is no digest. One that is closed already stays as it is.
func (s *Service) FinishEvidence(ctx context.Context, tenant string, done EvidenceInfo) error {
	var body evidenceBody
	row, err := s.storedProceeding(ctx, tenant, ProceedingEvidence, done.ID, &body)
	if err != nil || row.State.Closes() {
		return err
	}
	body.SHA256, body.Bytes, body.Size = done.SHA256, done.Bytes, done.Size
	entry := s.entry(Call{Channel: "lifecycle"}, audit.KindEvidenceDone, nil)
	entry.Obligations = []string{audit.ObligationProceeding + row.ID}
	row.State, entry.Code = ProceedingDone, "done"
	if done.SHA256 == "" {
		row.State, entry.Code = ProceedingRejected, "failed"
	} else {
		entry.NoteDigest = done.SHA256
		entry.Counts = map[string]int{"bytes": int(done.Bytes), "entries": int(done.Size)}
	}
	row.Body = encodeBody(body)
	_, err = s.commit(ctx, tenant, ChangeProceedings{[]Proceeding{row}}, entry)
	if errors.Is(err, ErrConflict) {
		return nil // another replica was first
	}
	return public(err)
}
