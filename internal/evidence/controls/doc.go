// Package controls asks the log whether the controls of the house held in a period.
//
// A control is a line of the catalogue (authz/controls.yaml): a title, the clauses of
// SOC 2, HIPAA, GDPR and the EU AI Act that it is evidence for, how often it is tried,
// what it does not cover, and the name of a query. The queries are a closed list of
// this package; a catalogue that names another one is not loaded, and neither is one
// that leaves a clause of the list out without a reason.
//
// Run walks the log once and answers every control with a result:
//
//	pass        it held for all that was looked at
//	fail        it did not; the exceptions name their entries
//	partial     it held for what could be judged, and some of it could not
//	not_tested  there was nothing to look at, or the facts for it were not given
//
// Nothing to look at is a pass only where the catalogue says so of a control. What
// happened before the period counts where something of the period rests on it; what
// came after it does not, so that the results of a period stay the same.
//
// The package reads entries as they are. That they are the log of its checkpoint is
// for package verify; a log that was tampered with can say anything here. It keeps
// nothing, and its memory grows with what is open (approvals, reviews, requests,
// holds, prompts without a dispatch), not with the log.
package controls
