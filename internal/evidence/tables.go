package evidence

// The names of the tables that Build makes, in the order of the report.
const (
	TableRestorations        = "restorations"
	TableRestorationsReason  = "restorations_by_reason"
	TableRestorationsActor   = "restorations_by_actor"
	TableRestorationsEndUser = "restorations_by_end_user"
	TableRestorationsEntity  = "restorations_by_entity"
	TableDenials             = "denials"
	TableDenialsReason       = "denials_by_reason"
	TableApprovals           = "approvals"
	TableBreakGlass          = "break_glass"
	TableAccessReviews       = "access_reviews"
	TableAccessMatrix        = "access_matrix"
	TablePolicyVersions      = "policy_versions"
	TablePolicyDiffs         = "policy_diffs"
	TableKeys                = "keys"
	TableHolds               = "holds"
	TableErasures            = "erasures"
	TableRetentionSettings   = "retention_settings"
	TableRetentionDeleted    = "retention_deleted"
	TableExposure            = "exposure"
	TableAgreements          = "agreements"
	TableServiceLevels       = "service_levels"
	TableSuspensions         = "suspensions"
	TableIncidents           = "incidents"
	TableDispatches          = "dispatches"
	TableConsents            = "consents"
	// TableControls is made by package controls and added by the caller.
	TableControls = "controls"
)
