package vault

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/payload"
)

// Call is what every operation knows besides its request: who calls, and how
// the call is named in the log.
type Call struct {
	Caller    Caller
	RequestID string // made by the service, never taken from outside unchecked
	Channel   string // how the request came in: "api", "cli"
	// Idempotency is nil where the caller sent no key.
	Idempotency *Idempotency

	// ApprovalID is of the approval that an operation uses whose request has no
	// field for it.
	ApprovalID string

	policy *access.Policy // see Pinned
}

// TokenizeRequest asks for tokens in place of personal data. Exactly one of
// Text, Values and Payload is set.
type TokenizeRequest struct {
	Scope       string
	Subject     string // whom the values are about, unless a span or value says otherwise
	Destination string // where the prompt is going; "" means "default"
	// Destinations are several of them, where a gateway may choose between them
	// later: what is done to an entity is the strictest of all. Not with Destination.
	Destinations []string
	TTL          time.Duration // 0 means the scope kind's
	Format       string        // "", "label" or "opaque"
	Detect       DetectOptions
	Existing     ExistingTokens
	ReadScopes   []string // whose tokens stay in what an assistant or a tool wrote
	SourceRef    string   // the document that the text is of, as the caller names it
	DryRun       bool     // nothing is written, no token is made

	Text   *string
	Spans  []Span // with Text: found by the caller
	Values []Value

	Payload []byte // a JSON body of a provider, as it is
	Shape   string // what kind of body; "" means that its structure tells

	// Grant, where it is set, asks for a grant to restore the answer, in the same
	// commit. Not with DryRun.
	Grant *GrantWish
}

// DetectOptions says whether and for what the text is searched.
type DetectOptions struct {
	Off      bool     // only the caller's spans are used
	Entities []string // empty means all of the default set
	Explain  bool     // say of each finding which rule found it
}

// ExistingTokens says what becomes of tokens that the text already holds.
type ExistingTokens string

// What becomes of existing tokens.
const (
	ExistingKeep ExistingTokens = "keep" // those that live in the scope stay; the default
	ExistingWrap ExistingTokens = "wrap" // all are data
)

// Span is a part of the text that the caller found. Offsets count Unicode
// code points of the request's text.
type Span struct {
	Start, End int
	Entity     string
	Subject    string
}

// Value is one value to be tokenized on its own.
type Value struct {
	Entity  string
	Value   string
	Subject string
}

// TokenizeResult is the answer: the text or the values with tokens.
type TokenizeResult struct {
	Text          *string
	Values        []string // a token, or what the action made of it, per value
	Tokens        []TokenInfo
	Payload       []byte // the body with tokens, spliced over the original bytes
	Coverage      *payload.Manifest
	Masked        []MaskInfo // findings that were masked or let through, not tokenized
	Unanalyzed    int        // texts that an external analyzer should have seen and did not
	PolicyVersion string
	Audit         *audit.Receipt // nil for a dry run
	// Grant is the one that was asked for, nil where the answer holds no token.
	Grant *GrantResult
}

// Origin says where a token of the answer comes from.
type Origin string

// The origins of a token.
const (
	OriginNew     Origin = "new"
	OriginReused  Origin = "reused"
	OriginKept    Origin = "kept"
	OriginWrapped Origin = "wrapped"
)

// TokenInfo describes one token of the answer. Offsets are those of the
// request's text, in code points; nil where values were sent.
type TokenInfo struct {
	Token      string // "" in a dry run, unless kept
	Entity     string
	Class      string
	Origin     Origin
	Pointer    string // of the string in the payload, where one was sent
	Start, End *int
	Score      *float64
	Rule       string     // recogniser/rule that found it, where the request asks
	ExpiresAt  *time.Time // nil in a dry run
}

// MaskInfo is a finding for which no token was made.
type MaskInfo struct {
	Entity     string
	Action     string // "mask", "warn" or "allow"
	Pointer    string
	Start, End *int
	Score      *float64 // with Rule
	Rule       string   // recogniser/rule that found it, where the request asks
}

// ReasonGiven is why somebody wants values back.
type ReasonGiven struct {
	Code      string
	Reference string // of a ticket or matter
	Note      string // free text: only its keyed digest is kept
}

// OnRefused says what stands in the answer for a token that is not restored.
type OnRefused string

// What stands in the answer for a refused token.
const (
	RefusedKeep  OnRefused = "keep"  // the token as it was; the default
	RefusedLabel OnRefused = "label" // its entity, as in <EMAIL_ADDRESS>
	RefusedFail  OnRefused = "fail"  // the whole request fails
)

// DetokenizeRequest asks for values back. Exactly one of Text, Tokens and
// Payload is set.
type DetokenizeRequest struct {
	Scope      string
	ReadScopes []string // further scopes whose tokens may stand in the text
	Reason     ReasonGiven
	Recipient  string // who will see the values, where the caller says so
	OnRefused  OnRefused

	Text   *string
	Tokens []string

	Payload []byte
	Shape   string

	// GrantID names a grant instead of Scope, ReadScopes, Reason and Recipient: the
	// text is restored under it, without an entry of its own for what the grant
	// names. With Text only.
	GrantID string
	// Partial says that the text goes on: its end may be the beginning of a token.
	// With GrantID only.
	Partial bool
}

// Status says what became of one token. The list is closed.
type Status string

// The statuses of a token in a restoration.
const (
	StatusRestored         Status = "restored"
	StatusPartial          Status = "partial"
	StatusMasked           Status = "masked"
	StatusPlace            Status = "place"
	StatusNeedsApproval    Status = "needs_approval"
	StatusNeedsConsent     Status = "needs_consent"
	StatusOverBudget       Status = "over_budget"
	StatusSuspended        Status = "suspended"
	StatusRestricted       Status = "restricted"
	StatusExpired          Status = "expired"
	StatusErased           Status = "erased"
	StatusAmbiguous        Status = "ambiguous"
	StatusIntegrityFailure Status = "integrity_failure"
	StatusDenied           Status = "denied"
	StatusUnknown          Status = "unknown"
)

// Statuses returns the closed list.
func Statuses() []Status {
	return []Status{
		StatusRestored, StatusPartial, StatusMasked, StatusPlace, StatusNeedsApproval, StatusNeedsConsent,
		StatusOverBudget, StatusSuspended, StatusRestricted, StatusExpired, StatusErased,
		StatusAmbiguous, StatusIntegrityFailure, StatusDenied, StatusUnknown,
	}
}

// TokenResult says what became of one occurrence of a token, in the order of
// the text or of the list.
type TokenResult struct {
	Token    string // as the caller wrote it
	Pointer  string // of the string in the payload, where one was sent
	Status   Status
	Form     string // full, partial, masked; "" where nothing was restored
	Repaired bool   // read from a form that a model had changed
}

// DetokenizeResult is the answer: the text or the values restored.
type DetokenizeResult struct {
	Text          *string
	Values        []string // per token: the value, or what OnRefused says
	Payload       []byte   // the body restored, spliced over the original bytes
	Results       []TokenResult
	PolicyVersion string
	Audit         *audit.Receipt // nil under a grant whose entry covers it
	// HoldbackChars is how many code points at the end of Text may still change as
	// the text goes on: they are not to be shown yet. At most token.MaxCandidate.
	HoldbackChars int
	Partial       bool // the text goes on
	// Reason is the one of the request or of its grant, once it was accepted.
	Reason string
}

// OpenScopeRequest makes a scope of a kind before its first use.
type OpenScopeRequest struct {
	Scope   string
	Kind    ScopeKind
	TTL     time.Duration // how long the scope lives; 0 means the kind's
	IdleTTL time.Duration // how long an unused mapping lives; 0 means the kind's
	EndUser string        // bound to the scope; "" means the caller's, if any
}

// OpenScopeResult describes the scope that stands.
type OpenScopeResult struct {
	Kind     ScopeKind
	Created  bool // false where an equal one stood
	EndsAt   time.Time
	IdleTTL  time.Duration
	EndUser  bool // whether one is bound
	ScopeRef string
	Audit    *audit.Receipt // nil where nothing was made
}

// EntryPage is a page of the log.
type EntryPage struct {
	Entries []StoredEntry
	// Next is the cursor of the next page; HasNext tells whether there is one.
	Next    int64
	HasNext bool
	// Count is how many match in all, where it was asked for.
	Count *int64
}

// LogKey is a key that checks signatures of a log.
type LogKey struct {
	Version int
	Key     string // C2SP signed-note verifier key
	Since   time.Time
	// Handover is how the key before it vouched for it, empty for a first one.
	Handover string
}

// PolicyInfo describes the policy in force.
type PolicyInfo struct {
	Version  string
	Reasons  []ReasonInfo
	Entities []EntityInfo
}

// ReasonInfo is a reason of the catalogue, for callers.
type ReasonInfo struct {
	Code, Description string
	GDPR, HIPAA       string // the legal basis under each
	ReferenceRequired bool
	ReferencePattern  string
	MaxTokens         int
}

// EntityInfo is an entity of the catalogue, for callers.
type EntityInfo struct {
	Name, Class, Action string
	Retention           time.Duration
}

// Limit is a named limit (invariant 17).
type Limit struct {
	Name, Unit, Why string
	Value           int64
}
