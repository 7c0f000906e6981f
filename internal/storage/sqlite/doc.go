// Package sqlite is the embedded store: vault.Store, vault.Ledger,
// vault.Bookkeeping, vault.Registry, vault.Custody, vault.Erasures,
// vault.Requests, vault.Remains, vault.Proceedings, vault.Outbox and vault.Grants
// on one SQLite file, and vault.Pruner on one that nobody serves. It is the only
// importer of the driver and of database/sql.
//
// # Shape
//
// One process has the file, by an exclusive lock on a file next to it. Within
// it one connection writes, in the batches of package commitqueue, and a few
// read. All statements are constants; each is prepared once per connection.
// Tables, limits and triggers are in migrations/sqlite.
//
// # A commit, and what a crash leaves behind
//
//  1. BEGIN IMMEDIATE takes the write lock. The head is read: where the log
//     stands, and the time of its last entry. From here on it is now: the
//     clock's time, or the last entry's where the clock went back.
//  2. Each change runs in a savepoint: preconditions, writes, entries. Where
//     one fails, its savepoint is rolled back and it alone gets the error.
//  3. The leaves of all changes are appended to the tree, and nodes and head
//     are written.
//  4. COMMIT writes the pages and a commit record to the write-ahead log and
//     syncs it to the disk (synchronous=FULL).
//
// A crash before the sync of step 4 loses the batch whole: SQLite ignores
// frames of the write-ahead log after the last commit record. A crash after it
// keeps the batch whole. Nobody was answered before the sync came back, so
// nothing acknowledged is ever lost, and an entry is in the tree if and only if
// its change was committed.
//
// If COMMIT returns an error, neither is certain. The connection is thrown
// away, which ends the transaction; the queue looks the change ids up on a new
// one. A failed sync of the write-ahead log is found as missing, because SQLite
// publishes a commit to other connections only after its sync; it is written
// again whole, and synced again.
//
// # Reading
//
// Reads see the last commit, never a part of one. Expiry is judged by the
// clock, or by the time of the last entry if that is later, so that a clock
// that went back revives nothing. Lists are passed as JSON and unpacked by
// json_each: one statement for any length.
//
// # Holds
//
// A hold is a row with its terms; placing one touches nothing that it is about.
// Whether a standing hold matches a mapping is one predicate, a constant that is
// part of every statement that asks: those that destroy judge it where they
// destroy, so neither a race nor a mapping that comes later escapes. Where none
// stands, a look into an empty partial index is all that it costs. A criterion
// of a hold that is not set costs nothing either. Where very many mappings are
// past their time and held, the first plan of a sweep passes over all of them;
// the next ones remember, in memory, until where that was so, and forget it when
// one of those holds is released.
//
// # Erasures
//
// What becomes of a person's values is found in one pass over the ties, in the
// commit. What stays is moved to fresh keys, row by row, each only if it does not
// go; then what is left under the old keys is counted in their index, and must be
// as much as goes. So nothing that came in between is destroyed, and nothing that
// goes is left out. The rows stay: their key is gone, which costs one row however
// much it sealed. A tombstone for each key tells the sweeps what to take, held or
// not, and says of an older copy of the file what must not be read from it.
//
// A plan reads several statements in one read transaction.
//
// An erasure answers the request that asked for it in its own commit, and the
// commit that completes a deferred one answers it then. A tombstone says which
// version wrapped the key, and whether it sealed what stays: so that finality is
// one statement over tombstones, and that a replay in an older copy of the file
// can tell what goes from what stays. A key with a tombstone is never inserted.
//
// # What is kept out
//
// A value that was erased and is suppressed is known by its look-up digest: that
// of its row, as long as the row is there under a key with a tombstone; then that
// of the row in suppressions which the sweep wrote in the same commit. Whether
// there is anything of either kind is asked once for a batch, and only where a
// mapping has to be made. The scope of such a row is 32 zero bytes where the value
// is kept out of all of them.
//
// # Requests
//
// A request has a revision, and a change names the one that it read. Its notes
// are sealed under data keys whose subject_ref is the request's id, so that every
// rule on keys is one for them too: they are wrapped anew with the rest, are not
// idle while a note stands, and go with the request. People of whom nothing is
// left are found by looking at everybody: it is the one read, beside the inventory,
// that grows with the tenant, and is for a sweep that runs a few times a day.
//
// # Proceedings, budgets and notices
//
// A proceeding has a revision, too, and a change names the one that it read. What
// rides along with a change is written in its savepoint: an approval is used before
// anything else is judged, what is opened or told comes after the entries.
//
// The suspensions that stand are read once for a batch, from a partial index that
// is empty where there are none: whatever changes them commits alone, or has them
// read again.
//
// A budget is one row for an hour, and counting is one statement that changes
// nothing where the limit would be passed. Changes of a batch run one after the
// other in one transaction, so that each counts for the next, and the savepoint of
// one that fails takes its counts back.
//
// A notice is written in the commit of what it tells. Whoever takes it puts it off
// in the same transaction: after a crash it is given out again once that time is
// over, so that it may be sent twice and is never lost.
//
// # Grants
//
// A grant is a proceeding that rides along with what it rests on. Beside it stands a
// row for each token that it gave. A flush beyond what it names writes those rows in
// its own savepoint and counts them: where there are too many the savepoint takes them
// back. Those that it names are noted in a transaction of their own, if the grant is
// not closed by then; a crash may lose a note, and the entry of the grant had named
// the token beforehand.
//
// What a flush depends on is read in one read transaction, which sees the last commit
// of when it was asked, or a later one. What is alive of a scope is found along an
// index of what has not expired.
//
// # Searching the log
//
// A search walks along the terms of its rarest wish, in the order of the log, each as
// far as the page is long, and looks up for each entry whether it has a term of every
// other wish. What several terms lead to is there once. So a page costs at most as
// many steps as the rarest wish has entries in the stretch that is asked for, never
// the log; a count costs all of these. The terms of a batch are one statement.
//
// # Pruning
//
// A [Pruner] has the file alone. In transactions of vault.PruneBatch leaves it sets
// them to NULL and then deletes their terms, the one change of an entry and the one
// deletion of a term that the triggers let through, and these only in a log with an
// entry of kind prune. That such an entry names the range is asked by the pruner,
// once, and of each leaf, whether it is still what was hashed and its columns what it
// says: one that is not stays, for an auditor to see, and nothing after it goes.
//
// # What is not promised
//
// Rows that are deleted are overwritten with zeros in the file
// (secure_delete), but the write-ahead log may hold them until its next
// checkpoint, and file systems and disks keep copies of their own. What makes
// a value unreadable is the destruction of its key's wrapping, not the delete.
//
// Formats: https://www.sqlite.org/wal.html, https://www.sqlite.org/lockingv3.html.
package sqlite
