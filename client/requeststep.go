package client

import "context"

// Why a request is refused; the OpenAPI document has the articles.
const (
	RefusedIdentity   = "identity_not_established"
	RefusedUnfounded  = "manifestly_unfounded"
	RefusedExcessive  = "excessive"
	RefusedObligation = "legal_obligation"
	RefusedClaims     = "legal_claims"
	RefusedGrounds    = "compelling_grounds"
	RefusedNotOurs    = "not_our_data"
	RefusedDuplicate  = "duplicate"
)

// IdentifyRequest says that somebody established that the person asks and,
// where the request names nobody yet, who that is.
type IdentifyRequest struct {
	Identity    IdentityCheck
	Subject     string
	Identifiers []Identifier
}

// IdentifyRequest opens a request whose person was established.
func (c *Client) IdentifyRequest(ctx context.Context, id string, r IdentifyRequest) (*SubjectRequestStep, error) {
	value := struct {
		Identity    *IdentityCheck `json:"identity"`
		Subject     string         `json:"subject,omitempty"`
		Identifiers []Identifier   `json:"identifiers,omitempty"`
	}{r.Identity.sent(), r.Subject, r.Identifiers}
	texts := append(append(spelled(r.Identifiers), r.Subject), r.Identity.texts()...)
	return c.take(ctx, id, "identity", plain{value, texts})
}

// AssignRequest says who works on a request, by a code; "" is nobody.
func (c *Client) AssignRequest(ctx context.Context, id, assignee string) (*SubjectRequestStep, error) {
	value := struct {
		Assignee *string `json:"assignee"`
	}{}
	if assignee != "" {
		value.Assignee = &assignee
	}
	return c.take(ctx, id, "assign", plain{value, []string{assignee}})
}

// NoteOnRequest writes a note, which is sealed and goes with the request.
func (c *Client) NoteOnRequest(ctx context.Context, id, text string) (*SubjectRequestStep, error) {
	value := struct {
		Text string `json:"text"`
	}{text}
	return c.take(ctx, id, "notes", plain{value, []string{text}})
}

// ExtendRequest extends the time for the answer, once. The reference is the
// number of the letter that told the person so.
func (c *Client) ExtendRequest(ctx context.Context, id, reference string) (*SubjectRequestStep, error) {
	value := struct {
		Reference string `json:"reference"`
	}{reference}
	return c.take(ctx, id, "extend", plain{value, []string{reference}})
}

// RefuseRequest closes a request for a reason of the closed list, and lifts what
// it had restricted.
func (c *Client) RefuseRequest(ctx context.Context, id, code string) (*SubjectRequestStep, error) {
	value := struct {
		Code string `json:"refusal_code"`
	}{code}
	return c.take(ctx, id, "refuse", plain{value, []string{code}})
}

// WithdrawRequest closes a request that the person took back, and lifts what it
// had restricted.
func (c *Client) WithdrawRequest(ctx context.Context, id string) (*SubjectRequestStep, error) {
	return c.take(ctx, id, "withdraw", plain{value: struct{}{}})
}

// LiftRestriction ends a restriction that was asked for, and completes its
// request.
func (c *Client) LiftRestriction(ctx context.Context, id string) (*SubjectRequestStep, error) {
	return c.take(ctx, id, "lift", plain{value: struct{}{}})
}

// CompleteRequest closes a request that is answered, or a part of it is.
func (c *Client) CompleteRequest(ctx context.Context, id string, partial bool) (*SubjectRequestStep, error) {
	value := struct {
		Partial bool `json:"partial,omitempty"`
	}{partial}
	return c.take(ctx, id, "complete", plain{value: value})
}

func (c *Client) take(ctx context.Context, id, step string, b plain) (*SubjectRequestStep, error) {
	path, err := requestPath(id)
	if err != nil {
		return nil, err
	}
	return c.step(ctx, path+"/"+step, b, "", false)
}

// ExecuteRequest does what an open request for an erasure, a restriction or an
// objection asks for.
type ExecuteRequest struct {
	ConfirmSubject string // the subject of the request again, where it has one
	PreviewID      string // of a TryRequest: another match is a conflict
	ApprovalID     string // where the policy demands one: of the PreviewID
	Suppress       string // of an erasure; empty is Suppress30Days

	IdempotencyKey string // 128 random bits where it is empty
}

// ExecuteRequest erases, or restricts.
func (c *Client) ExecuteRequest(ctx context.Context, id string, r ExecuteRequest) (*SubjectRequestStep, error) {
	return c.execute(ctx, id, r, false)
}

// TryRequest tells what a request for an erasure would erase, and erases
// nothing. That it was asked is in the log.
func (c *Client) TryRequest(ctx context.Context, id string) (*SubjectRequestStep, error) {
	return c.execute(ctx, id, ExecuteRequest{}, true)
}

func (c *Client) execute(ctx context.Context, id string, r ExecuteRequest, dryRun bool) (*SubjectRequestStep, error) {
	path, err := requestPath(id)
	if err != nil {
		return nil, err
	}
	value := struct {
		ConfirmSubject string `json:"confirm_subject,omitempty"`
		PreviewID      string `json:"preview_id,omitempty"`
		ApprovalID     string `json:"approval_id,omitempty"`
		Suppress       string `json:"suppress,omitempty"`
		DryRun         bool   `json:"dry_run,omitempty"`
	}{r.ConfirmSubject, r.PreviewID, r.ApprovalID, r.Suppress, dryRun}
	return c.step(ctx, path+"/execute", plain{value, []string{r.ConfirmSubject, r.PreviewID, r.ApprovalID, r.Suppress}}, r.IdempotencyKey, dryRun)
}
