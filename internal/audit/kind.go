package audit

// KindInfo is a line of the table of kinds.
type KindInfo struct {
	Kind     Kind
	Sentence string // what an entry of this kind says happened
}

// kinds is the closed list, in the order of documentation. Removing a line
// would make old logs unreadable; adding one needs nothing else.
var kinds = []KindInfo{
	{KindTokenize, "Values were replaced by tokens, or a caller was refused that."},
	{KindRestore, "Somebody was given values back, or was refused them; written before any value was opened."},
	{KindOutcome, "Something failed after a restore was recorded, so less was given than its entry says."},
	{KindIntegrityFailure, "A stored value did not open under its key and place: it was altered or moved, and was not given."},
	{KindScopeOpen, "A scope was made and bound to its client and end user."},
	{KindScopeClose, "A scope was ended by its client: everything in it expired."},
	{KindHoldPlace, "A legal hold was placed: nothing that it matches is destroyed until it is released."},
	{KindHoldReview, "It was said until when somebody has to look at a hold again."},
	{KindHoldRelease, "A legal hold was released; what it alone kept may be destroyed."},
	{KindSubjectSearch, "Somebody looked for what there is of a person; nothing was given back."},
	{KindSubjectLink, "Somebody tied values to a person, whom they are about."},
	{KindSubjectUnlink, "Such ties were undone."},
	{KindErase, "What there was of a person was destroyed, as far as no hold keeps it; its data keys are named."},
	{KindSweep, "Expired mappings and keys were destroyed, one batch."},
	{KindTenantCreate, "A tenant came into being, with its keys and its log."},
	{KindKeyCreate, "A wrapping, index or signing key was made."},
	{KindKeyDestroy, "Data keys were destroyed, and with them every value that they sealed."},
	{KindKeyRotate, "A wrapping key has a new version; no key is written under one before it any more."},
	{KindKeyRewrap, "Keys were wrapped anew under the current version, one batch; what they seal is as it was."},
	{KindTenantSuspend, "A tenant was suspended: nothing is tokenized or restored until it is resumed."},
	{KindTenantResume, "A suspended tenant is served again."},
	{KindTenantClose, "A tenant was closed for good; what it holds expires in its time."},
	{KindPolicyLoad, "A policy version came into force."},
	{KindServiceStart, "A replica began to serve."},
	{KindServiceStop, "A replica stopped serving after draining."},
	{KindAuthFailures, "Requests without a valid credential, counted over one minute."},
	{KindRequestRefused, "A known caller was refused before anything was decided on values; identical refusals are counted over one minute."},
	{KindRequestOpen, "What a person asked for was written down, and its clock began."},
	{KindRequestChange, "A request of a person was changed; the code says how."},
	{KindRestrict, "The values of a person were restricted: restored only for reasons that reach restricted data."},
	{KindLiftRestriction, "Such a restriction was lifted."},
	{KindKeyRetire, "Versions of a wrapping key are about to be destroyed: nothing stands that one of them wrapped."},
	{KindFinality, "Versions of a wrapping key were destroyed: what was erased under them opens nowhere any more."},
	{KindReseal, "Values were sealed anew under other data keys, one batch, so that the keys can be destroyed."},
	{KindReplay, "An erasure was done again in an older copy of the data."},
	{KindApprovalRequest, "Somebody asked others to agree to a restoration or another operation; nothing was given or done."},
	{KindApprovalDecide, "Somebody agreed to it or rejected it."},
	{KindReviewOpen, "A use that has to be looked at was put on the list."},
	{KindReviewClose, "Somebody looked at such a use; the code is the finding."},
	{KindSuspend, "Restorations were suspended: from here on nothing that it matches is restored."},
	{KindLiftSuspension, "Such a suspension was lifted."},
	{KindIncidentOpen, "An incident was written down, and its clocks began."},
	{KindIncidentChange, "Something happened in an incident, or it was closed; the code says what."},
	{KindConsent, "It was written down that a person consents to a purpose."},
	{KindWithdrawConsent, "Such a consent was withdrawn."},
	{KindAccessReview, "Somebody reviewed who may have what back, and decided on each right."},
	{KindPolicyPropose, "A policy bundle was proposed; for the tenants of its trial it decides from here on."},
	{KindPolicyChange, "A proposed policy was promoted, rolled back or dropped; the code says which."},
	{KindDispatch, "It was written down what a vendor did with a prompt: the record of its request ends here."},
	{KindLogRotate, "The log has a new signing key, for which the one before it vouched."},
	{KindPrune, "Leaf bytes that had been kept long enough, and archived, are taken out of a range; hashes and proofs stay."},
	{KindControl, "A control was tried; the code is the result, the reference its name."},
	{KindEvidenceRequest, "Somebody asked for the evidence of a period."},
	{KindEvidenceDone, "That evidence was put together; the digest is that of its bundle."},
	{KindGrant, "Tokens were granted to a stream, until a time, before any of them was restored."},
	{KindGrantRenew, "A grant stands for longer: until a time from here on."},
	{KindGrantFlush, "A stream is about to restore tokens beyond those that its grant names."},
	{KindGrantClose, "A grant ended: its stream did, or it was revoked; the code says which."},
	{KindRecover, "An older copy of the data took over: what its anchor names beyond it is lost, and what was erased stays erased."},
}

var knownKinds = func() map[Kind]bool {
	m := make(map[Kind]bool, len(kinds))
	for _, k := range kinds {
		m[k.Kind] = true
	}
	return m
}()

// Kinds returns the closed list of kinds with a sentence for each.
func Kinds() []KindInfo { return append([]KindInfo(nil), kinds...) }
