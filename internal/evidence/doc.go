// Package evidence turns a log into what an auditor asks for: tables of a period,
// complete populations, samples that anybody can draw again, and one signed bundle
// that verifies offline. It knows the format of the log and nothing of the service:
// the same tables come from a running service and from a bundle in a drawer.
//
// # What a restoration is
//
// One change of kind restore or grant with the decision allow or partial is one
// restoration, with its linked parts (seq above 0) joined. A replay (replay_of is
// set) is a restoration of its own and marked as such. Flushes and closes belong to
// their grant. A decision deny is a denial and no restoration. Outcome entries
// subtract nothing, since the entry before a restoration may say too much and never
// too little; what they say is shown beside it. A break-glass is a restoration that
// somebody has to look at within a time (an obligation review_hours).
//
// # Periods
//
// A period is [From, To) in whole seconds UTC, judged by the time in the entry, which
// the store sets and which never decreases. What stands at the beginning of a period
// follows from what came before, so a log is always walked from index 0. What comes
// after a period changes nothing in its tables and populations: a review that was
// held a day after the end is shown as open, and the evidence of a period is the same
// whenever it is made. Only what the service adds of itself (Facts: policy texts,
// retention settings, agreements, the access matrix) is of the moment it was made,
// and such tables say so.
//
// # Populations and samples
//
// See Populate and Sample for the digest and the draw, word for word; testdata has
// vectors. A population is complete since the log is, which package verify proves.
//
// # Bundles
//
// A bundle is one tar (USTAR, plain files, mode 0644, all of the time at which the
// evidence was made), its files sorted by path, the manifest as the last:
//
//	evidence/index.json      tenant, period, checkpoint, and the tables in order
//	evidence/<table>.csv     RFC 4180, cells that a spreadsheet would run defused
//	evidence/<table>.json    the same rows, with query, tool version, period,
//	                         checkpoint and the SHA-256 of the CSV
//	log/checkpoint           the C2SP signed note under which the log stands
//	log/entries/NNNNNN.jsonl EntriesPerFile leaves each, one a line, byte for byte;
//	                         of a pruned one "pruned " and its leaf hash in base64
//	log/handovers/NNN        from key to key, the oldest first
//	log/keys                 verifier keys, one a line
//	policies/<version>.tar   policy bundles
//	report.html              and whatever else the caller adds
//	manifest                 a C2SP signed note: audit.Statement with the title
//	                         audit.TitleEvidence, and for each other file a line
//	                         "<SHA-256 in hex>  <size>  <path>", sorted by path
//
// # What is promised, and what is lost on failure
//
// Write refuses what would not verify: a checkpoint of another log, a leaf that is
// not what its hash says, a path that leads elsewhere. A bundle whose writing failed
// has no manifest and is none. OpenBundle takes only what is whole, under keys that
// the caller trusts. That the tables follow from the log is said by the signature of
// who made them; anybody can have them again from the leaves in the bundle, by Build.
//
// What was pruned before is proved by its hash and told by nothing: every table and
// population says how many entries that are.
//
// In memory are the rows of the tables (about 0.25 kB for each entry of a usual log)
// and, for proofs, 64 bytes for each entry. A quarter of 10^5 entries is drawn and
// written in about three seconds.
//
// Formats: RFC 4180, RFC 8785 (entries), POSIX.1-1988 tar, https://c2sp.org/signed-note,
// https://c2sp.org/tlog-checkpoint, RFC 2104 and FIPS 180-4 (samples).
package evidence
