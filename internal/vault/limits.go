package vault

import (
	"context"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/token"
)

// Limits of the domain. Every one has a name, a number and a reason, and is
// served by GET /v1/limits (invariant 17).
const (
	// MaxTextBytes bounds one text. A megabyte is about 250,000 model tokens,
	// more than today's context windows take.
	MaxTextBytes = 1 << 20
	// MaxPayloadBytes bounds a body of a provider: as much as the interface
	// takes, a history of several contexts.
	MaxPayloadBytes = 4 << 20
	// MaxFindings bounds values, spans or tokens of one request: one commit
	// and at most ten linked entries.
	MaxFindings = 10_000
	// MaxValueBytes bounds one value: the longest private key is below 16 KiB,
	// and a value must not be a document.
	MaxValueBytes = 16 << 10
	// MaxNameBytes bounds the caller's names of scopes, subjects and end users.
	MaxNameBytes = 256
	// MaxNoteBytes bounds the free text of a reason, of which a digest is kept.
	MaxNoteBytes = 4 << 10
	// MaxSubjects bounds the different people that one request names: each has
	// a data key of their own, which is read and opened for the request.
	MaxSubjects = 256
	// MaxReadScopes bounds the further scopes of a request: a prompt may mix a
	// conversation with a few collections of documents. Each costs two reads.
	MaxReadScopes = 8
	// MaxDestinations bounds where one prompt may go: the vendors that a gateway
	// falls back to.
	MaxDestinations = 8
	// MaxTTL bounds a mapping's life: the longest class retention.
	MaxTTL = 365 * 24 * time.Hour
	// MaxAttempts bounds how often a request plans again after its commit met
	// a changed world. Each attempt fails only if another change was faster.
	MaxAttempts = 8
	// MaxSealsPerKey is the number of values that a data key of a scope seals
	// before the next begins: what an erasure must seal again at most.
	MaxSealsPerKey = 1024
	// DenialWindow is the time in which identical denials of a caller share
	// one further entry with a count.
	DenialWindow = time.Minute
	// MaxDenialWindows bounds the memory for open windows; denials beyond it
	// are committed one by one.
	MaxDenialWindows = 10_000
	// SweepBatch bounds the mappings that one sweep commit destroys, so that
	// restorations wait at most for so many deletes.
	SweepBatch = 500
	// ClaimLife is how long an idempotency key stands for its first body: the
	// longest that a client waits before it gives a request up.
	ClaimLife = 24 * time.Hour
	// ClaimSweep bounds the idempotency keys that are forgotten at a time.
	ClaimSweep = 1000
	// RewrapBatch bounds the keys that are wrapped anew in one commit and one
	// call of the key service.
	RewrapBatch = 200
	// PageTokens bounds a page of tokens of one source.
	PageTokens = 1000
	// SpanCacheTexts and SpanCacheSpans bound the memory for findings in texts
	// that come again, as the history of a chat does each turn: the entries of
	// a few hundred chats, and not more than some thirty megabytes should every
	// text be full of findings.
	SpanCacheTexts = 8192
	SpanCacheSpans = 64
	// SpanCacheBytes is the length of a text below which it is cheaper to
	// search it than to find out whether it came before.
	SpanCacheBytes = 256
	// TenantKeyLife is how long index and log keys stay in memory.
	TenantKeyLife = 24 * time.Hour
	// RetryAfter is the advice of an answer that says unavailable.
	RetryAfter = time.Second
	// MaxHoldTerms bounds what one hold names: people, values, scopes, entities
	// and classes. Each is judged for every mapping that is to be destroyed.
	MaxHoldTerms = 1000
	// PageHolds bounds a page of holds.
	PageHolds = 100
	// MaxIdentifiers bounds what a person is searched by.
	MaxIdentifiers = 50
	// MaxSightings bounds the answer of a search: of a person that is in more
	// scopes than that, only the first are listed, and the answer says so.
	MaxSightings = 1000
	// MaxReseals bounds the values of others that an erasure seals anew in one
	// commit: ten keys of scopes that are full.
	MaxReseals = 10_240
	// PageErasures bounds a page of erasures.
	PageErasures = 100
	// PageEntries bounds a page of the log.
	PageEntries = 1000
	// MaxAnyOf bounds the scopes, and the people, of which a search of the log names
	// any: a name rarely stood for more in the life of a log.
	MaxAnyOf = 64
)

// LimitsInForce returns every named limit to a caller who may read them.
func (s *Service) LimitsInForce(ctx context.Context, call Call) ([]Limit, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionLimitsRead); err != nil {
		return nil, err
	}
	return s.Limits(), nil
}

// Limits returns the named limits of the domain and of what it is made of.
func (s *Service) Limits() []Limit {
	seconds := func(d time.Duration) int64 { return int64(d / time.Second) }
	own := []Limit{
		{"text_bytes", "bytes", "one text of a request", MaxTextBytes},
		{"payload_bytes", "bytes", "one payload", MaxPayloadBytes},
		{"payload_depth", "count", "nesting of a payload", payload.MaxDepth},
		{"payload_leaves", "count", "strings, keys and long numbers of a payload", payload.MaxLeaves},
		{"payload_pointers", "bytes", "all places of a payload, as JSON pointers", payload.MaxPointerBytes},
		{"findings", "count", "values, spans or tokens of one request", MaxFindings},
		{"value_bytes", "bytes", "one value", MaxValueBytes},
		{"name_bytes", "bytes", "name of a scope, subject or end user", MaxNameBytes},
		{"note_bytes", "bytes", "note of a reason", MaxNoteBytes},
		{"subjects", "count", "different subjects of one request", MaxSubjects},
		{"read_scopes", "count", "further scopes of one request", MaxReadScopes},
		{"destinations", "count", "destinations of one request", MaxDestinations},
		{"ttl_seconds", "seconds", "life of a mapping", seconds(MaxTTL)},
		{"commit_attempts", "count", "plans of one request before it is refused", MaxAttempts},
		{"seals_per_key", "count", "values under one data key of a scope", MaxSealsPerKey},
		{"denial_window_seconds", "seconds", "identical denials share one further entry", seconds(DenialWindow)},
		{"denial_windows", "count", "open denial windows", MaxDenialWindows},
		{"sweep_batch", "count", "mappings that one sweep commit destroys", SweepBatch},
		{"idempotency_seconds", "seconds", "an idempotency key stands for its first body", seconds(ClaimLife)},
		{"idempotency_sweep", "count", "idempotency keys forgotten at a time", ClaimSweep},
		{"rewrap_batch", "count", "keys wrapped anew in one commit", RewrapBatch},
		{"hold_terms", "count", "people, values, scopes, entities and classes that one hold names", MaxHoldTerms},
		{"hold_page", "count", "holds of one page", PageHolds},
		{"subject_identifiers", "count", "identifiers that a person is searched by", MaxIdentifiers},
		{"subject_sightings", "count", "scopes and entities in the answer of a search", MaxSightings},
		{"erase_reseals", "count", "values of others that one erasure seals anew", MaxReseals},
		{"request_page", "count", "requests of persons of one page", PageRequests},
		{"request_age_seconds", "seconds", "a person asked at most so long before it was written down", seconds(maxReceivedAgo)},
		{"report_values", "count", "values of a person whose restorations a report looks for", MaxReportTokens},
		{"report_restorations", "count", "restorations that a report lists", MaxReportRestorations},
		{"summary_requests", "count", "requests that one summary counts", MaxSummaryRequests},
		{"subject_searches", "count", "searches for people by one person in an hour", MaxSearches},
		{"names", "count", "scopes and people whose names one request asks for", MaxNames},
		{"suppression_seconds", "seconds", "what was erased is kept out unless the request says otherwise", seconds(DefaultSuppression)},
		{"sent_seconds", "seconds", "how far behind the last time of sending may be", seconds(SentResolution)},
		{"source_page", "count", "tokens of one page of a source", PageTokens},
		{"span_cache_texts", "count", "texts whose findings are remembered, without the texts", SpanCacheTexts},
		{"span_cache_spans", "count", "findings of a text that is remembered", SpanCacheSpans},
		{"span_cache_bytes", "bytes", "shortest text that is remembered", SpanCacheBytes},
		{"tenant_key_seconds", "seconds", "index and log keys in memory", seconds(TenantKeyLife)},
		{"approval_seconds", "seconds", "others have so long to agree, and the requester to use it", seconds(ApprovalLife)},
		{"proceeding_page", "count", "approvals, reviews, suspensions, incidents or consents of one page", PageProceedings},
		{"proceeding_bytes", "bytes", "what is kept of one of them", MaxProceedingBody},
		{"overdue_reviews", "count", "overdue reviews that take reasons with reviews away from a person", MaxOverdueReviews},
		{"suspensions", "count", "suspensions that stand at a time", MaxSuspensions},
		{"suspension_terms", "count", "what one suspension names", MaxSuspensionTerms},
		{"incident_events", "count", "events of one incident", MaxIncidentEvents},
		{"assessment_seconds", "seconds", "time that one assessment looks at", seconds(MaxAssessment)},
		{"assessment_entries", "count", "entries that one assessment reads", MaxAssessedEntries},
		{"assessment_tokens", "count", "tokens that one assessment names", MaxAssessedTokens},
		{"review_period_seconds", "seconds", "period of an access review", seconds(MaxReviewPeriod)},
		{"matrix_uses", "count", "restorations that the matrix looks at for uses of rights", MaxUses},
		{"proposals", "count", "proposed policies that are open at a time", MaxProposals},
		{"proposal_page", "count", "proposed policies of one page", PageProposals},
		{"notice_batch", "count", "notices of a tenant that are sent in one turn", NoticeBatch},
		{"notice_seconds", "seconds", "a replica has a notice that it took", seconds(NoticeLease)},
		{"notice_bytes", "bytes", "what one notice tells", MaxNoticeBody},
		{"token_candidate", "code points", "longest reading of a token, and what a stream holds back", token.MaxCandidate},
		{"detect_seconds", "seconds", "detection in one text", seconds(detect.DefaultTimeout)},
		{"key_seconds", "seconds", "a plain data key in memory", seconds(envelope.MaxKeyAge)},
		{"key_cache", "count", "plain data keys in memory", envelope.CacheKeys},
		{"key_pool", "count", "data keys of a tenant that were wrapped in advance", envelope.PoolKeys},
		{"entry_bytes", "bytes", "one entry of the log", audit.MaxLeaf},
		{"entry_tokens", "count", "tokens that one entry names; more are linked entries", audit.MaxTokens},
	}
	return slices.Concat(own, limitsOfTheLog(), limitsOfGrants(), s.limits)
}

// limitsOfTheLog are those of reading the log and of what is drawn from it.
func limitsOfTheLog() []Limit {
	return []Limit{
		{"audit_page", "count", "entries of one page", PageEntries},
		{"audit_any_of", "count", "scopes or people that one search names", MaxAnyOf},
		{"dispatch_latency_ms", "milliseconds", "time that a vendor took", MaxDispatchLatencyMS},
		{"dispatch_tokens", "count", "tokens of a model in each count of a dispatch", MaxDispatchTokens},
		{"evidence_period_seconds", "seconds", "period of the evidence that one request asks for", int64(MaxEvidencePeriod / time.Second)},
		{"evidence_open", "count", "evidence that is being put together for a tenant", MaxEvidenceOpen},
		{"prune_batch", "count", "leaves taken out in one transaction", PruneBatch},
	}
}
