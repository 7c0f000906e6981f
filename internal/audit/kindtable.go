package audit

import "slices"

// The words that several kinds share. What an entry is about may stand in each that
// has obligations at all.
var (
	onlyAllow = []Decision{Allow}
	mayAllow  = []Decision{NoDecision, Allow}
	asked     = []Decision{Allow, Partial, Deny}

	about = []string{ObligationApprover, ObligationClass, ObligationDestination, ObligationProceeding}
	// demanded is what the policy attaches to a restoration.
	demanded = []string{"consent:", "form:", "max_tokens:", "mfa", "notify", "reference", "review_hours:"}
	ofPerson = []string{"identity:", "reference:", "request:"}

	// statuses are what becomes of a token that somebody wants back.
	statuses = []string{
		"ambiguous", "denied", "erased", "expired", "integrity_failure", "masked", "needs_approval", "needs_consent", "over_budget",
		"partial", "place", "restored", "restricted", "suspended", "unknown",
	}
	reported = []string{"destinations", "holdings", "names", "restorations"}
	erased   = []string{"deferred", "erased", "keys", "rekeyed", "shared"}
	touched  = []string{"mappings", "shared"}
	// given are the fields of what was given back, or not.
	given = with(called, fieldCode, fieldCounts, "coverage_digest", "destination", "entities", "model", "note_digest", fieldObligations,
		"reason", "recipient", "reference", fieldResults, "scope_refs", "subject_refs", "tokens")
)

func with(list []string, more ...string) []string { return append(slices.Clone(list), more...) }

// calledKind begins the rule of a kind that somebody always calls for, and that is
// written only where the policy allowed it.
func calledKind(kind Kind, must ...string) KindRule {
	return KindRule{
		Kind: kind, Must: with(must, fieldActor, clientField, fieldDecision), May: with(called, fieldObligations),
		Decisions: onlyAllow, Obligations: about,
	}
}

// processKind begins the rule of a kind that the process or a command may write on
// its own; a caller may stand in it.
func processKind(kind Kind, must ...string) KindRule {
	return KindRule{Kind: kind, Must: must, May: with(called, fieldObligations), Decisions: mayAllow, Obligations: about}
}

// bareKind is the rule of a kind that nobody calls for.
func bareKind(kind Kind, must ...string) KindRule {
	return KindRule{Kind: kind, Must: must, Decisions: []Decision{NoDecision}}
}

func (r KindRule) may(fields ...string) KindRule { r.May = with(r.May, fields...); return r }
func (r KindRule) codes(words ...string) KindRule {
	r.May, r.Codes = with(r.May, fieldCode), words
	return r
}
func (r KindRule) counts(names ...string) KindRule {
	r.May, r.Counts = with(r.May, fieldCounts), names
	return r
}
func (r KindRule) duties(words ...string) KindRule {
	r.Obligations = with(r.Obligations, words...)
	return r
}
func (r KindRule) decided(list []Decision, results []string) KindRule {
	r.Decisions, r.Results = list, results
	return r
}

// kindTable is in the order of Kinds; a test pins it.
var kindTable = []KindRule{
	calledKind(KindTokenize, "destination").codes().counts(countDenials, CountUnanalyzed).
		may("coverage_digest", "entities", fieldResults, "scope_refs", "source_digest", "subject_refs", "tokens").
		decided([]Decision{Allow, Deny}, []string{ResultAllowed, "blocked", "kept", "masked", "suppressed", "tokenized", ResultWarned}),
	calledKind(KindRestore, "reason").may(given...).codes("report").counts(reported...).duties(demanded...).duties(ofPerson...).
		decided(asked, statuses),
	processKind(KindOutcome).may(given...).codes().counts(reported...).duties(demanded...).duties(ofPerson...).duties(ObligationIntent).
		decided([]Decision{NoDecision, Allow, Partial}, statuses),
	processKind(KindIntegrityFailure, "tokens").may(given...).codes("report").counts(reported...).
		duties(demanded...).duties(ofPerson...).duties(ObligationIntent, ObligationGrant).
		decided([]Decision{NoDecision, Allow, Partial}, statuses),
	calledKind(KindScopeOpen, fieldCounts, "scope_refs").counts("idle_ttl_seconds"),
	calledKind(KindScopeClose, "scope_refs"),
	calledKind(KindHoldPlace, fieldCounts, "hold_ids", "reference").
		counts("classes", "destinations", "entities", "identifiers", "scopes", "subjects"),
	calledKind(KindHoldReview, "hold_ids").may("reference"),
	calledKind(KindHoldRelease, "hold_ids", "reference"),
	calledKind(KindSubjectSearch, fieldCounts).codes("assess", "notes", "report").duties(ofPerson...).
		counts(append([]string{
			"classes", "entities", "entries", "identifiers", "mappings", "notes", "scopes", "subjects", "tokens",
		}, append(reported, erased...)...)...).
		may("entities", "reason", "reference", "scope_refs", "subject_refs"),
	// Of a person whom a consent named, older ones have no decision of their own.
	processKind(KindSubjectLink, fieldActor, clientField, fieldCounts, "subject_refs").may("reference").counts("mappings"),
	calledKind(KindSubjectUnlink, fieldCounts, "subject_refs").may("reference").counts("mappings"),
	processKind(KindErase, fieldCounts, fieldObligations, "reference").counts(erased...).duties(ofPerson...).
		may("key_ids", "scope_refs", "subject_refs"),
	bareKind(KindSweep, fieldCounts).may("key_ids", "scope_refs", "subject_refs", "tokens").
		counts("keys", "mappings", "requests", "scopes", "subjects", "tombstones"),
	processKind(KindTenantCreate, "key_ids").duties(ObligationVersion),
	processKind(KindKeyCreate, "key_ids").may("reference"),
	processKind(KindKeyDestroy, "key_ids").may("reference", fieldCounts),
	processKind(KindKeyRotate, fieldCounts).counts("min_wrap_version"),
	processKind(KindKeyRewrap, fieldCounts, "key_ids").counts("keys", "oldest_wrap_version"),
	processKind(KindTenantSuspend).may("reference"),
	processKind(KindTenantResume).may("reference"),
	processKind(KindTenantClose).may("reference"),
	processKind(KindPolicyLoad).codes("reload").may("reference").duties("tenant:", ObligationVersion),
	bareKind(KindServiceStart),
	bareKind(KindServiceStop),
	bareKind(KindAuthFailures, fieldCounts).counts(),
	refusedKind(),
	calledKind(KindRequestOpen, fieldCode, "reference").codes("access", "accounting", "erasure", "objection", "restriction").
		counts(CountDueAt).may("subject_refs").duties(ofPerson...).duties(ObligationRegime),
	calledKind(KindRequestChange, fieldCode, fieldObligations, "reference").counts(CountDueAt).
		codes("assign", "complete", "extend", "identity", "note", "refuse", "withdraw").may("note_digest", "subject_refs").duties(ofPerson...),
	calledKind(KindRestrict, fieldCode, fieldCounts, fieldObligations, "reference", "subject_refs").codes("restrict").
		counts(touched...).duties(ofPerson...),
	calledKind(KindLiftRestriction, fieldCode, fieldCounts, fieldObligations, "reference", "subject_refs").codes("lift", "refuse", "withdraw").
		counts(touched...).duties(ofPerson...),
	processKind(KindKeyRetire, fieldCounts).counts("retired_below").may("reference").duties("backup_horizon_not_passed"),
	processKind(KindFinality, fieldCounts).counts("erasures", "retired_below").may("reference"),
	processKind(KindReseal, fieldCounts, "key_ids").counts("rekeyed").may("reference", "subject_refs").duties(ofPerson...),
	processKind(KindReplay, fieldCounts, "replay_of").counts("erased", "keys", "rekeyed").may("key_ids", "reference", "subject_refs"),
	calledKind(KindApprovalRequest, fieldCode, fieldCounts, "reference").counts("approvals", "tokens").
		codes("erase", "hold_release", "policy_promotion", "restore", "tenant_close", "trim").
		may("entities", "note_digest", "reason", "recipient", "scope_refs", "subject_refs").duties(demanded...),
	calledKind(KindApprovalDecide, fieldCode, fieldObligations).codes("approve", "redeem", "reject").
		may("note_digest", "reason", "reference").duties("tenant:", ObligationVersion),
	calledKind(KindReviewOpen).may(given...).duties(demanded...),
	calledKind(KindReviewClose, fieldCode, fieldObligations, "reference").codes("justified", "not_justified", "policy_gap"),
	calledKind(KindSuspend, "reference").may("entities", "reason", "scope_refs").
		counts(CountCallers, CountClients, CountEndUsers, CountEntities, CountReasons, CountScopes),
	calledKind(KindLiftSuspension, fieldObligations, "reference"),
	calledKind(KindIncidentOpen, "reference").counts(CountAwareAt),
	calledKind(KindIncidentChange, fieldCode, fieldObligations, "reference").codes(
		"assessed", "authority_notified", "closed_no_risk", "closed_not_an_incident", "closed_notified", "contained", "handed_over", "persons_notified"),
	calledKind(KindConsent, fieldCode, "reference").codes().may("subject_refs"),
	calledKind(KindWithdrawConsent, fieldObligations, "reference").codes().may("subject_refs"),
	calledKind(KindAccessReview, "reference").counts("change", "keep", "revoke"),
	calledKind(KindPolicyPropose, fieldCode, fieldObligations, "reference").codes().duties("tenant:", ObligationVersion),
	calledKind(KindPolicyChange, fieldCode, fieldObligations, "reference").codes("drop", "promote", "rollback").duties("tenant:", ObligationVersion),
	calledKind(KindDispatch, fieldCode, "destination", "request_id").codes("cancelled", "error", "ok", "refused", "timeout").
		may("model", "reference").
		counts("cached_tokens", "input_tokens", "latency_ms", "output_tokens", "reasoning_tokens", "total_tokens"),
	processKind(KindLogRotate, fieldCounts, "key_ids").counts("version").may("reference"),
	processKind(KindPrune, fieldCounts).counts("from", "leaves", "to").may("reference", fieldResults).decided(mayAllow, kindNames()),
	processKind(KindControl, fieldCode, fieldCounts, "reference").codes("fail", "not_tested", "partial", "pass").
		counts("exceptions", "population", "unknown"),
	calledKind(KindEvidenceRequest, "reference"),
	processKind(KindEvidenceDone, fieldCode, fieldObligations).codes("done", "failed").counts("bytes", "entries").may("note_digest", "reference"),
	calledKind(KindGrant, fieldCounts, "reason").may(given...).codes().duties(demanded...).counts(CountTTL, CountBudget).decided(asked, statuses),
	calledKind(KindGrantRenew, fieldCounts, fieldObligations, "reason").may("reference", "scope_refs").duties(ObligationGrant).counts(CountTTL),
	calledKind(KindGrantFlush, fieldObligations, "reason").may(given...).codes().duties(demanded...).duties(ObligationGrant).counts().
		decided(asked, statuses),
	// The process closes those whose time is over.
	processKind(KindGrantClose, fieldCode, fieldObligations, "reason").codes("ended", "expired", "revoked").
		may(given...).duties(demanded...).duties(ObligationGrant).counts().decided([]Decision{NoDecision, Allow, Partial}, statuses),
	processKind(KindRecover, fieldCounts, "source_digest").counts("anchored", "copied").may("reference"),
}

// refusedKind is the rule of what was refused on the way to an operation: it has
// what was known of that.
func refusedKind() KindRule {
	return KindRule{
		Kind: KindRequestRefused, Must: []string{fieldCode, fieldDecision},
		May: with(given, "hold_ids", "key_ids", "source_digest"), Decisions: []Decision{Deny},
		Obligations: with(with(with(about, demanded...), ofPerson...), "backup_horizon_not_passed", "tenant:", ObligationVersion),
		Results:     statuses,
	}
}

// kindNames are the kinds as names of results.
func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k.Kind)
	}
	return names
}
