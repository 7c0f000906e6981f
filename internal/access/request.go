package access

import (
	"net/netip"
	"slices"
	"time"
)

// Action is what a caller wants to do. The list is closed.
type Action string

// The actions. Only ActionRestore is about a value and needs a reason.
const (
	ActionTokenize      Action = "tokenize"
	ActionRestore       Action = "restore"
	ActionScope         Action = "scope"
	ActionAuditRead     Action = "audit_read"
	ActionPolicyRead    Action = "policy_read"
	ActionLimitsRead    Action = "limits_read"
	ActionAssertEndUser Action = "assert_end_user"
	ActionHoldPlace     Action = "hold_place" // and review one, and ask what one would reach
	ActionHoldRelease   Action = "hold_release"
	ActionHoldRead      Action = "hold_read"
	ActionSubjectSearch Action = "subject_search"
	ActionSubjectLink   Action = "subject_link" // and take it back
	ActionErase         Action = "erase"        // and ask what an erasure would touch
	ActionRequestRead   Action = "request_read"
	// ActionRequestManage is all that moves a request of a person on but what
	// destroys: intake, identity, assignment, notes, extension, refusal,
	// withdrawal, completion, and a restriction and its end.
	ActionRequestManage Action = "request_manage"
	ActionRequestReport Action = "request_report" // what a person is told, and the notes of a request
	ActionNamesRestore  Action = "names_restore"  // the callers' own names of scopes and people
	ActionRetentionRead Action = "retention_read"

	// The approvals are for requests of other people: of a restoration, and of
	// each Operation.
	ActionApproveRestore     Action = "approve_restore"
	ActionApproveErase       Action = "approve_erase"
	ActionApproveHoldRelease Action = "approve_hold_release"
	ActionApprovePolicy      Action = "approve_policy"
	ActionApproveTrim        Action = "approve_trim"
	ActionApproveTenantClose Action = "approve_tenant_close"
	ActionApprovalRead       Action = "approval_read"
	ActionReviewRead         Action = "review_read" // of uses of a reason that demands one
	ActionReviewClose        Action = "review_close"
	ActionQuotaRead          Action = "quota_read" // the caller's own
	ActionSuspend            Action = "suspend"    // and lift one
	ActionSuspensionRead     Action = "suspension_read"
	ActionIncidentManage     Action = "incident_manage"
	ActionIncidentRead       Action = "incident_read" // and assess one
	ActionConsentManage      Action = "consent_manage"
	ActionConsentRead        Action = "consent_read"
	ActionExposureRead       Action = "exposure_read"
	ActionPolicyManage       Action = "policy_manage" // reload, try on tenants, promote, roll back
	ActionPolicyExplain      Action = "policy_explain"
	ActionKeyManage          Action = "key_manage"
	ActionTenantManage       Action = "tenant_manage"
	ActionAccessReview       Action = "access_review"
	ActionDispatch           Action = "dispatch" // write down what a vendor did with a prompt of the caller's
	ActionEvidence           Action = "evidence" // of a period: ask for it and read it
	ActionControls           Action = "controls" // try them and read how they went
)

var actions = []Action{
	ActionTokenize, ActionRestore, ActionScope, ActionAuditRead,
	ActionPolicyRead, ActionLimitsRead, ActionAssertEndUser,
	ActionHoldPlace, ActionHoldRelease, ActionHoldRead, ActionSubjectSearch,
	ActionSubjectLink, ActionErase, ActionRequestRead, ActionRequestManage,
	ActionRequestReport, ActionNamesRestore, ActionRetentionRead,
	ActionApproveRestore, ActionApproveErase, ActionApproveHoldRelease, ActionApprovePolicy,
	ActionApproveTrim, ActionApproveTenantClose, ActionApprovalRead, ActionReviewRead,
	ActionReviewClose, ActionQuotaRead, ActionSuspend, ActionSuspensionRead, ActionIncidentManage,
	ActionIncidentRead, ActionConsentManage, ActionConsentRead, ActionExposureRead,
	ActionPolicyManage, ActionPolicyExplain, ActionKeyManage, ActionTenantManage, ActionAccessReview,
	ActionDispatch, ActionEvidence, ActionControls,
}

// Actions returns the closed list.
func Actions() []Action { return slices.Clone(actions) }

// Roles returns the closed list of roles that a rule may name. A role of the
// caller that is not among them gives nothing: identity providers put roles of
// other services into the same claim.
func Roles() []string {
	return []string{"gateway", "restorer", "approver", "privacy_officer", "legal", "auditor", "operator"}
}

// Class is how sensitive a value is.
type Class string

// The classes, from the least to the most sensitive.
const (
	ClassPublic       Class = "public"
	ClassInternal     Class = "internal"
	ClassConfidential Class = "confidential"
	ClassRestricted   Class = "restricted"
)

// Classes returns the closed list, from the least to the most sensitive.
func Classes() []Class {
	return []Class{ClassPublic, ClassInternal, ClassConfidential, ClassRestricted}
}

// classCount sizes the tables that have a number per class.
const classCount = 4

// rank orders classes by sensitivity; unknown classes have none.
func (c Class) rank() (int, bool) {
	switch c {
	case ClassPublic:
		return 0, true
	case ClassInternal:
		return 1, true
	case ClassConfidential:
		return 2, true
	case ClassRestricted:
		return 3, true
	}
	return 0, false
}

// Form is how much of a value is given back.
type Form string

// The forms. FormPartial shows the last four characters, FormMasked none.
const (
	FormFull    Form = "full"
	FormPartial Form = "partial"
	FormMasked  Form = "masked"
)

// rank orders forms by how much they show; 0 is no form at all.
func (f Form) rank() int {
	switch f {
	case FormFull:
		return 3
	case FormPartial:
		return 2
	case FormMasked:
		return 1
	}
	return 0
}

// Place is where in a text a token stands.
type Place string

// The places.
const (
	PlaceProse Place = "prose"
	PlaceCode  Place = "code"
	PlaceURL   Place = "url"
	PlaceTool  Place = "tool"
)

// Places returns the closed list.
func Places() []Place { return []Place{PlaceProse, PlaceCode, PlaceURL, PlaceTool} }

// EndUserMatch says how the end user that the caller names stands to the one
// that the scope is bound to.
type EndUserMatch string

// The ways an end user can match. A scope that does not exist yet is Unbound.
const (
	EndUserUnbound EndUserMatch = "unbound" // the scope is bound to no end user
	EndUserSame    EndUserMatch = "same"    // bound, and the caller names the same
	EndUserAbsent  EndUserMatch = "absent"  // bound, and the caller names none
	EndUserOther   EndUserMatch = "other"   // bound, and the caller names another
)

// EndUserMatches returns the closed list.
func EndUserMatches() []EndUserMatch {
	return []EndUserMatch{EndUserUnbound, EndUserSame, EndUserAbsent, EndUserOther}
}

// Request is everything that a decision may depend on.
//
// For ActionRestore every field that has a closed list must be in it. The
// other actions have no reason, class or entity, and naming one is a deny.
type Request struct {
	Action Action
	Roles  []string
	Reason string
	Entity string
	Class  Class // of the mapping; at the label stage the entity's own

	SameClient bool         // the scope is bound to the caller's client, or does not exist yet
	EndUser    EndUserMatch // the zero value matches nothing
	MFA        bool
	// SecondPerson is for ActionHoldRelease: whoever asks is not the one who
	// placed the hold. The zero value is the one that gives less.
	SecondPerson bool
	Attributes   map[string]string // unknown names are ignored: no rule can ask for them

	Place Place
	Tool  string // with PlaceTool

	Held        bool // expired, and kept only because a legal hold matches it
	Restricted  bool // processing is restricted (not the class of that name)
	Environment string

	Tenant  string     // whose overlay counts; empty has none
	ACR     string     // the authentication context of the credential
	At      time.Time  // when; the zero value is outside of all hours
	Address netip.Addr // where the connection comes from; the zero value is in no network
	// Approved is how many people have approved exactly this restoration.
	Approved int
	// Consented says that everyone whom the value is about consents, at this
	// time, to the purpose of the reason. It is read only where there is one.
	Consented bool
}

// Why says what a denial is about. The list is closed; it is meant for the
// audit log and for choosing the public status, never for the caller as it is.
type Why string

// The reasons for a denial, those of the caller first. The first group is the
// same whatever the token is; the second depends on its mapping and place.
const (
	WhyNone          Why = ""
	WhyNoRule        Why = "no_rule"        // no rule gives any of the roles this action or reason
	WhyReasonUnknown Why = "reason_unknown" // the reason is not in the catalogue, or the action takes none
	WhyEntity        Why = "entity"         // unknown, or not given by a rule or not reached by the reason
	WhyClass         Why = "class"          // the same of the class
	WhyRule          Why = "rule"           // a deny rule
	WhyAttribute     Why = "attribute"      // an attribute or the environment does not fit
	WhyNetwork       Why = "network"        // the reason is not for the network that the caller is in
	WhyHours         Why = "hours"          // the reason is not for this hour
	WhyMFA           Why = "mfa"            // a second factor, or a stronger authentication, is needed
	WhyFault         Why = "fault"          // the engine failed; see the package comment

	WhyBinding       Why = "binding"        // would be allowed for the client and end user of the scope
	WhyRestricted    Why = "restricted"     // the reason does not reach restricted data
	WhyHeld          Why = "held"           // the reason does not reach data that only a hold keeps
	WhyPlace         Why = "place"          // would be allowed in prose
	WhyConsent       Why = "consent"        // would be allowed with the consent of whom it is about
	WhyNeedsApproval Why = "needs_approval" // would be allowed once approved by more people
	WhySecondPerson  Why = "second_person"  // would be allowed to somebody other than who placed the hold
)

// Whys returns the closed list of what a denial can be about.
func Whys() []Why {
	return []Why{
		WhyNoRule, WhyReasonUnknown, WhyEntity, WhyClass, WhyRule, WhyAttribute, WhyNetwork, WhyHours, WhyMFA, WhyFault,
		WhyBinding, WhyRestricted, WhyHeld, WhyPlace, WhyConsent, WhyNeedsApproval, WhySecondPerson,
	}
}

// Decision is the answer. The zero value is a deny.
type Decision struct {
	Allow       bool
	Form        Form     // with an allow of ActionRestore
	Approvals   int      // how many approvals the restoration needs
	RuleIDs     []string // the rules that decided, sorted; none when no rule matched
	Why         Why      // with a deny
	Obligations []string // what the reason demands, sorted: see Reason.Obligations

	// Budgets are those of the reason that count for this class, and Purpose
	// the consent that it rests on. They are also given with WhyConsent and
	// WhyNeedsApproval, so that both can be shown to who asks for an approval.
	Budgets []Budget
	Purpose string
	Notify  bool          // somebody is to be told of every use
	Review  time.Duration // every use opens a review that is due so long after; 0 is none
}
