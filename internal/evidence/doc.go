// Package evidence turns a log into what an auditor asks for: tables of a period,
// complete populations, samples that anybody can draw again, and one signed bundle
// that verifies offline.
//
// # What a restoration is
//
// One change of kind restore or grant with the decision allow or partial is one
// restoration, with its linked parts (seq above 0) joined. A replay (replay_of is
// set) is a restoration of its own and marked as such. Flushes and closes belong to
// their grant. A decision deny is a denial and no restoration. Outcome entries
// subtract nothing, since the entry before a restoration may say too much and never
// too little; what they say is shown beside it.
package evidence
