// Package authz is the shipped policy bundle, as data: who may restore what,
// for which reason, in which form, and which entities exist at all.
//
//	model.conf         how a rule is matched (Casbin: columns and registered functions, no eval)
//	policy.csv         the rules: role, action, reason, classes, entities, conditions, form
//	reasons.yaml       the reason codes with legal basis, reference, places, hours, approvals and limits
//	overlays.yaml      what single tenants take away from them
//	entities.yaml      the closed set of entities with class, retention, normaliser, format, action
//	destinations.yaml  where prompts go, and what is done to each entity on the way
//	retention.yaml     how long values are kept at most, and records of the service
//	separation.yaml    which roles may not be one caller's
//	operations.yaml    what other than a restoration needs approvals, and how many
//	decisions/*.yaml   what the rules must decide, as tables: the tests of the policy
//	texts/*.yaml       what must be found in a text, and what becomes of it: tests too
//
// Package access reads it, strictly: a name that nothing knows is a load
// error and never a rule that silently does not match. The files make the
// policy version, but for decisions and texts, which are tests.
package authz

import "embed"

// FS is the bundle that is built into the program.
//
//go:embed model.conf policy.csv reasons.yaml overlays.yaml entities.yaml destinations.yaml retention.yaml separation.yaml operations.yaml decisions/*.yaml texts/*.yaml
var FS embed.FS
