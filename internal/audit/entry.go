package audit

import "time"

// Version is the version of the entry schema. It rises when a field is added
// or a rule of an existing one changes, since a strict parser of the version
// before cannot read such a leaf.
const Version = 1

// Limits of one leaf and of what one change may ask to be linked.
const (
	// MaxLeaf is the size in bytes that no leaf exceeds: 60 times the usual
	// entry, small enough that a page of 1,000 entries stays in memory.
	MaxLeaf = 32 << 10
	// MaxTokens is the number of token ids in one leaf: with ids of 8 to 26
	// characters they fill at most the greater part of MaxLeaf.
	MaxTokens = 1024
	// MaxListed is the number of items in each list of an entry before it is
	// linked: six times the largest request (10,000 values), so that it only
	// ever stops a mistake.
	MaxListed = 1 << 16
	// MaxIdentifier is the length in bytes of an identifier. OpenID Connect
	// allows 255 for a subject, the longest identifier that is not ours.
	MaxIdentifier = 256
	// MaxDigest is the length of a digest: a SHA-512 in hex fills it.
	MaxDigest = 128
	// MinDigest is the shortest digest: 64 bits in hex. Shorter ones collide,
	// and a short string is more likely a value put in the wrong place.
	MinDigest = 16
	// MaxName is the length of tenants, token ids, entities and the names of
	// counts. Ours are at most 40 long.
	MaxName = 64
	// MaxMap is the number of names in one map: three times the closed set of
	// entities.
	MaxMap = 128
	// MaxCount is the largest integer that survives any JSON reader
	// (RFC 8785 section 3.2.2.3, RFC 7493 section 2.2).
	MaxCount = 1<<53 - 1
)

// Kind says what an entry records. The list is closed: see Kinds.
type Kind string

// The kinds of entry. Each has its sentence in Kinds.
const (
	KindTokenize         Kind = "tokenize"
	KindRestore          Kind = "restore"
	KindOutcome          Kind = "outcome"
	KindIntegrityFailure Kind = "integrity_failure"
	KindScopeOpen        Kind = "scope_open"
	KindScopeClose       Kind = "scope_close"
	KindHoldPlace        Kind = "hold_place"
	KindHoldReview       Kind = "hold_review"
	KindHoldRelease      Kind = "hold_release"
	KindSubjectSearch    Kind = "subject_search"
	KindSubjectLink      Kind = "subject_link"
	KindSubjectUnlink    Kind = "subject_unlink"
	KindErase            Kind = "erase"
	KindSweep            Kind = "sweep"
	KindTenantCreate     Kind = "tenant_create"
	KindKeyCreate        Kind = "key_create"
	KindKeyDestroy       Kind = "key_destroy"
	KindKeyRotate        Kind = "key_rotate"
	KindKeyRewrap        Kind = "key_rewrap"
	KindTenantSuspend    Kind = "tenant_suspend"
	KindTenantResume     Kind = "tenant_resume"
	KindTenantClose      Kind = "tenant_close"
	KindPolicyLoad       Kind = "policy_load"
	KindServiceStart     Kind = "service_start"
	KindServiceStop      Kind = "service_stop"
	KindAuthFailures     Kind = "auth_failures"
	KindRequestRefused   Kind = "request_refused"
	KindRequestOpen      Kind = "request_open"
	KindRequestChange    Kind = "request_change"
	KindRestrict         Kind = "restrict"
	KindLiftRestriction  Kind = "lift_restriction"
	KindKeyRetire        Kind = "key_retire"
	KindFinality         Kind = "finality"
	KindReplay           Kind = "replay"
	KindRecover          Kind = "recover"
	KindReseal           Kind = "reseal"
	KindApprovalRequest  Kind = "approval_request"
	KindApprovalDecide   Kind = "approval_decide"
	KindReviewOpen       Kind = "review_open"
	KindReviewClose      Kind = "review_close"
	KindSuspend          Kind = "suspend"
	KindLiftSuspension   Kind = "lift_suspension"
	KindIncidentOpen     Kind = "incident_open"
	KindIncidentChange   Kind = "incident_change"
	KindConsent          Kind = "consent"
	KindWithdrawConsent  Kind = "withdraw_consent"
	KindAccessReview     Kind = "access_review"
	KindPolicyPropose    Kind = "policy_propose"
	KindPolicyChange     Kind = "policy_change"
	KindDispatch         Kind = "dispatch"
	KindLogRotate        Kind = "log_rotate"
	KindPrune            Kind = "prune"
	KindControl          Kind = "control"
	KindEvidenceRequest  Kind = "evidence_request"
	KindEvidenceDone     Kind = "evidence_done"
	KindGrant            Kind = "grant"
	KindGrantRenew       Kind = "grant_renew"
	KindGrantFlush       Kind = "grant_flush"
	KindGrantClose       Kind = "grant_close"
)

// Decision is the answer of the policy, empty where none was asked for.
type Decision string

// The decisions.
const (
	Allow   Decision = "allow"
	Deny    Decision = "deny"
	Partial Decision = "partial" // some of the tokens were allowed, others not
)

// Client is the machine that called.
type Client struct {
	ClientID  string `json:"client_id"`
	JTIDigest string `json:"jti_digest"` // digest of the JWT's jti: which credential, without the credential
	CertFP    string `json:"cert_fp"`    // fingerprint of the client certificate, where there is one
}

// Entry is one record of the log. The set of fields is closed; a field that is
// empty is left out of the leaf. Names in the leaf are the json tags.
//
// The zero values of V, Seq, Parts, Time and Prev are set by Link and
// Finalise; a caller fills in the rest.
type Entry struct {
	V        int       `json:"v"`
	Tenant   string    `json:"tenant"`
	Time     time.Time `json:"time"` // set in the commit, by the store's clock: RFC 3339, UTC, six decimals
	Kind     Kind      `json:"kind"`
	ChangeID string    `json:"change_id"` // random, one per change, never used twice in a log
	Seq      int       `json:"seq"`       // position among the linked entries of one change, from 0
	Parts    int       `json:"parts"`     // how many linked entries the change has, 0 for a single one

	Environment      string `json:"environment"`
	Channel          string `json:"channel"`
	Client           Client `json:"client"`
	Actor            string `json:"actor"`
	OnBehalfOf       string `json:"on_behalf_of"` // digest of the end user
	EndUserAssurance string `json:"end_user_assurance"`
	Agent            string `json:"agent"`
	Session          string `json:"session"`
	Model            string `json:"model"`
	Destination      string `json:"destination"`
	Recipient        string `json:"recipient"`
	Reason           string `json:"reason"`
	Reference        string `json:"reference"`
	NoteDigest       string `json:"note_digest"` // keyed digest of a note that is sealed elsewhere
	PolicyVersion    string `json:"policy_version"`

	RuleIDs     []string       `json:"rule_ids"`
	Decision    Decision       `json:"decision"`
	Obligations []string       `json:"obligations"`
	Entities    map[string]int `json:"entities"` // entity → count
	Tokens      []string       `json:"tokens"`   // token ids, never with their label
	Results     map[string]int `json:"results"`  // status → count

	ScopeRefs      []string       `json:"scope_refs"`
	SubjectRefs    []string       `json:"subject_refs"`
	HoldIDs        []string       `json:"hold_ids"`
	KeyIDs         []string       `json:"key_ids"`
	CoverageDigest string         `json:"coverage_digest"`
	SourceDigest   string         `json:"source_digest"` // keyed digest of the document that values came from
	ReplayOf       string         `json:"replay_of"`     // change id of the first request with the same idempotency key
	RequestID      string         `json:"request_id"`
	Replica        string         `json:"replica"`
	Code           string         `json:"code"`   // the error code of a refusal or failure
	Counts         map[string]int `json:"counts"` // what else was counted: mappings, keys, denials

	Prev string `json:"prev"` // hex leaf hash of the linked entry before this one, empty for the first
}
