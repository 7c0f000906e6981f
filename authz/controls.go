package authz

import _ "embed" // for the catalogue

// Controls is the catalogue of controls, as data: which clauses of SOC 2, HIPAA, GDPR
// and the EU AI Act each is evidence for, and the query of the log that yields it.
//
//	controls.yaml      the controls, with how often they are tried and what they do not cover
//
// It stands beside the policy bundle and is no part of it: it decides nothing, so the
// policy version does not change with it. Package controls reads it, strictly.
//
//go:embed controls.yaml
var Controls []byte
