package httpapi

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// OpenSubjectRequest writes down what a person asks for. An erasure that is
// confirmed, or looked at, is done at once.
func (a *api) OpenSubjectRequest(ctx context.Context, r gen.OpenSubjectRequestRequestObject) (gen.OpenSubjectRequestResponseObject, error) {
	b := r.Body
	if b.Kind == gen.Erasure && (b.ConfirmSubject != nil || b.PreviewId != nil || value(b.DryRun)) {
		return a.eraseAtOnce(ctx, b)
	}
	// What is meant for an erasure at once must not be dropped without a word:
	// whoever says it believes that something is erased.
	for _, only := range []struct {
		field string
		given bool
	}{
		{"/confirm_subject", b.ConfirmSubject != nil}, {"/preview_id", b.PreviewId != nil},
		{"/dry_run", value(b.DryRun)}, {"/suppress", b.Suppress != nil}, {"/approval_id", b.ApprovalId != nil},
	} {
		if only.given {
			return nil, vault.Invalid(only.field, "goes with an erasure that is done at once")
		}
	}
	ctx, x := begin(ctx)
	received, errReceived := instant("/received_at", b.ReceivedAt)
	identity, errIdentity := identityCheck(b.Identity)
	if err := errors.Join(errReceived, errIdentity); err != nil {
		return nil, err
	}
	result, err := a.service.OpenSubjectRequest(ctx, x.call, vault.IntakeRequest{
		Kind: vault.RequestKind(b.Kind), Regime: string(b.Regime), Subject: value(b.Subject),
		Identifiers: identifiers(b.Identifiers), Reference: b.Reference, Assignee: value(b.Assignee),
		ReceivedAt: received, Identity: identity,
	})
	if err != nil {
		return nil, err
	}
	return created(requestStep(&result)), nil
}

// SubjectRequests lists the requests of persons.
func (a *api) SubjectRequests(ctx context.Context, r gen.SubjectRequestsRequestObject) (gen.SubjectRequestsResponseObject, error) {
	ctx, x := begin(ctx)
	from, errFrom := instant("query:from", r.Params.From)
	to, errTo := instant("query:to", r.Params.To)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, err
	}
	page, err := a.service.SubjectRequests(ctx, x.call, vault.RequestListRequest{
		Kind: vault.RequestKind(value(r.Params.Kind)), Status: vault.RequestState(value(r.Params.Status)),
		Open: value(r.Params.Open), From: from, To: to,
		Limit: int(value(r.Params.Limit)), Cursor: value(r.Params.Cursor),
	})
	if err != nil {
		return nil, err
	}
	answer := gen.SubjectRequestPage{
		Requests: make([]gen.SubjectRequest, 0, len(page.Requests)), NextCursor: optional(page.Next),
	}
	for i := range page.Requests {
		answer.Requests = append(answer.Requests, subjectRequest(&page.Requests[i]))
	}
	return ok(answer), nil
}

// SubjectRequest shows one request.
func (a *api) SubjectRequest(ctx context.Context, r gen.SubjectRequestRequestObject) (gen.SubjectRequestResponseObject, error) {
	ctx, x := begin(ctx)
	info, err := a.service.SubjectRequest(ctx, x.call, r.RequestId)
	if err != nil {
		return nil, err
	}
	return ok(gen.SubjectRequestAnswer{Request: subjectRequest(&info)}), nil
}

func identityCheck(given *gen.IdentityCheck) (*vault.IdentityCheck, error) {
	if given == nil {
		return nil, nil
	}
	at, err := instant("/identity/at", &given.At)
	return &vault.IdentityCheck{
		Method: given.Method, Reference: given.Reference, VerifiedBy: given.VerifiedBy, At: at,
	}, err
}

func subjectRequest(r *vault.RequestInfo) gen.SubjectRequest {
	out := gen.SubjectRequest{
		RequestId: r.ID, Kind: gen.SubjectRequestKind(r.Kind), Regime: gen.Regime(r.Regime), Reference: r.Reference,
		Status: gen.SubjectRequestStatus(r.Status), SubjectRef: optional(r.SubjectRef),
		Named: r.Named, Identifiers: int64(r.Identifiers), Assignee: optional(r.Assignee),
		RefusalCode: optional(gen.RefusalCode(r.RefusalCode)), Extended: r.Extended,
		ReceivedAt: r.ReceivedAt, DueAt: r.DueAt, ClosedAt: moment(r.ClosedAt), Overdue: r.Overdue,
	}
	if r.Identity != nil {
		out.Identity = pointer(identityInfo(*r.Identity))
	}
	if r.Erasure != nil {
		out.Erasure = pointer(erasureInfo(r.Erasure))
	}
	return out
}

func identityInfo(check vault.IdentityCheck) gen.IdentityInfo {
	return gen.IdentityInfo{
		Method: check.Method, Reference: check.Reference, VerifiedBy: check.VerifiedBy, At: check.At,
	}
}

// requestStep answers what opened or changed a request.
func requestStep(r *vault.RequestResult) gen.SubjectRequestStep {
	return gen.SubjectRequestStep{
		Request: pointer(subjectRequest(&r.Request)), Audit: receipt(r.Audit),
		Restricted: optional(int64(r.Restricted)), Shared: optional(int64(r.Shared)),
	}
}
