package export

import "github.com/counterfoil/counterfoil/internal/audit"

// A caption is a number of OCSF and what it is called there.
type caption struct {
	id   int
	name string
}

var (
	activityCreate = caption{1, "Create"}
	activityRead   = caption{2, "Read"}
	activityUpdate = caption{3, "Update"}
	activityDelete = caption{4, "Delete"}
	activityOther  = caption{99, "Other"}
)

// activities say what a kind does. A test pins that none is missing; one that a
// later version adds is Other until it stands here.
var activities = map[audit.Kind]caption{
	audit.KindTokenize: activityCreate, audit.KindScopeOpen: activityCreate, audit.KindHoldPlace: activityCreate,
	audit.KindTenantCreate: activityCreate, audit.KindKeyCreate: activityCreate, audit.KindRequestOpen: activityCreate,
	audit.KindApprovalRequest: activityCreate, audit.KindReviewOpen: activityCreate, audit.KindSuspend: activityCreate,
	audit.KindIncidentOpen: activityCreate, audit.KindConsent: activityCreate, audit.KindAccessReview: activityCreate,
	audit.KindPolicyPropose: activityCreate, audit.KindDispatch: activityCreate, audit.KindGrant: activityCreate,
	audit.KindRestrict: activityCreate, audit.KindEvidenceRequest: activityCreate, audit.KindEvidenceDone: activityCreate,

	audit.KindRestore: activityRead, audit.KindOutcome: activityRead, audit.KindIntegrityFailure: activityRead,
	audit.KindSubjectSearch: activityRead, audit.KindGrantFlush: activityRead, audit.KindControl: activityRead,

	audit.KindScopeClose: activityUpdate, audit.KindHoldReview: activityUpdate, audit.KindHoldRelease: activityUpdate,
	audit.KindSubjectLink: activityUpdate, audit.KindSubjectUnlink: activityUpdate, audit.KindKeyRotate: activityUpdate,
	audit.KindKeyRewrap: activityUpdate, audit.KindTenantSuspend: activityUpdate, audit.KindTenantResume: activityUpdate,
	audit.KindTenantClose: activityUpdate, audit.KindPolicyLoad: activityUpdate, audit.KindRequestChange: activityUpdate,
	audit.KindLiftRestriction: activityUpdate, audit.KindReseal: activityUpdate, audit.KindRecover: activityUpdate,
	audit.KindApprovalDecide: activityUpdate, audit.KindReviewClose: activityUpdate, audit.KindLiftSuspension: activityUpdate,
	audit.KindIncidentChange: activityUpdate, audit.KindWithdrawConsent: activityUpdate, audit.KindPolicyChange: activityUpdate,
	audit.KindLogRotate: activityUpdate, audit.KindGrantRenew: activityUpdate, audit.KindGrantClose: activityUpdate,

	audit.KindErase: activityDelete, audit.KindSweep: activityDelete, audit.KindKeyDestroy: activityDelete,
	audit.KindKeyRetire: activityDelete, audit.KindFinality: activityDelete, audit.KindReplay: activityDelete,
	audit.KindPrune: activityDelete,

	audit.KindServiceStart: activityOther, audit.KindServiceStop: activityOther,
	audit.KindAuthFailures: activityOther, audit.KindRequestRefused: activityOther,
}

func activityOf(kind audit.Kind) caption {
	if activity, known := activities[kind]; known {
		return activity
	}
	return activityOther
}

var (
	severityInformational = caption{1, "Informational"}
	severityLow           = caption{2, "Low"}
	severityMedium        = caption{3, "Medium"}
	severityHigh          = caption{4, "High"}
)

// severityOf is how loud an entry is. What was refused is low, since refusing is
// what the policy is for; high is what somebody has to look at today.
func severityOf(e *audit.Entry) caption {
	switch e.Kind {
	case audit.KindIntegrityFailure, audit.KindIncidentOpen, audit.KindRecover:
		return severityHigh
	case audit.KindReviewOpen, audit.KindSuspend, audit.KindTenantSuspend, audit.KindPolicyChange, audit.KindLogRotate:
		return severityMedium
	case audit.KindAuthFailures, audit.KindRequestRefused, audit.KindOutcome:
		return severityLow
	}
	if e.Decision == audit.Deny {
		return severityLow
	}
	return severityInformational
}

var (
	statusSuccess = caption{1, "Success"}
	statusFailure = caption{2, "Failure"}
	statusPartial = caption{99, "partial"}
)

// statusOf is how it ended: what was denied failed, for whoever asked.
func statusOf(e *audit.Entry) caption {
	switch e.Kind {
	case audit.KindIntegrityFailure, audit.KindOutcome, audit.KindAuthFailures, audit.KindRequestRefused:
		return statusFailure
	}
	switch e.Decision {
	case audit.Deny:
		return statusFailure
	case audit.Partial:
		return statusPartial
	default:
		return statusSuccess
	}
}
