// Package export carries the log of a tenant out of the service as it grows, to a
// place that the service cannot take back from: storage with Object Lock (package
// objectstore), or a folder ([Dir]) that something else carries away.
//
// # Layout
//
// Below the tenant's name, with numbers of 15 digits so that names sort:
//
//	entries/2026/01/02/000000000000017-000000000000041.jsonl
//	    the leaves 17 to 41, byte for byte, one in a line: in the order of names
//	    they are what counterfoil-verify --log reads
//	entries/2026/01/02/000000000000017-000000000000041.csv, .ocsf.jsonl
//	    the same entries for spreadsheets (RFC 4180) and for SIEMs (OCSF 1.6.0,
//	    class API Activity), where they are asked for
//	checkpoints/000000000000042
//	    the head of 42 entries as it was signed (C2SP tlog-checkpoint)
//	keys/1, keys/2, keys/2.handover
//	    the verifier keys of the log, and how one vouched for the next
//	manifests/2026-01-02
//	    what there is of a day, signed with the key of the log: see [Manifest]
//	listings/2026-01-02/000000000000042-0123456789abcdef
//	    objects of a day that has many, in the form of sha256sum: see [ListAfter]
//
// An object is created once and never changed. Days are those of the entries, UTC;
// no object holds entries of two days, and a manifest is written once a later day
// has begun in the log, or on the clock. Days of a log follow one another without a
// gap, and so do the indexes in their manifests: an empty day has a manifest too. An
// entry that comes with a time of a day whose manifest is written or begun, which
// takes clocks that are a minute apart, counts for the first day that is open.
//
// # What is promised, and what is lost on failure
//
// Only what a signed checkpoint covers goes out. Leaves must have their hashes, and
// the batch that reaches the head must bring all that is out to the root that is
// signed: of a database that was changed nothing goes out but, at most, what lay a
// batch or more before the head. Entries go out in order and without a gap, at
// least once.
//
// Where to go on is a cursor that is kept with the log. Before a batch is written,
// the cursor says which entries it has and what its objects hash to, and before a
// manifest, with which entry the day ends; so what was cut off, at whichever place,
// is written again under the same names with the same bytes, for which a sink is
// content with what it has. After a crash the cursor is never ahead of the sink.
// Where the cursor is lost, all goes out again: batches may be divided differently
// and then lie beside the old ones with the same entries, while checkpoints and
// manifests that say the same of the log are left as they are. Where it says
// something else of the log, an object that is there already is [ErrDiffers]: the
// sink has another history of it, or is that of another log. A log that was taken up
// from an older copy of the data therefore needs a new place.
//
// A sink that is down costs nothing but lag: the log keeps what was not exported.
// Leaves that were pruned before they were exported are [ErrPruned].
package export
