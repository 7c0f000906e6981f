// Package postgres is the production store: vault.Store, vault.Ledger,
// vault.Bookkeeping, vault.Registry, vault.Custody, vault.Erasures,
// vault.Requests, vault.Remains, vault.Proceedings, vault.Outbox, vault.Grants and
// vault.Pruner on PostgreSQL 15 or later. It is the only importer of pgx. Any number
// of processes serve one database; there is no state in them that another would miss.
//
// # Shape
//
// Two pools, one for each role that migrations/postgres/roles.sql describes:
// what serves has no right to destroy, and what destroys goes through the
// other pool. A third role reads, for verification (OpenReadOnly). The service
// refuses to start as a superuser, as the owner of the tables, with a role that
// may do more than it should, on a schema of another version, or on a server
// that runs without fsync.
//
// Every table is behind row-level security. A transaction names its tenant as
// its first act, in a setting that ends with it; without it there is no row.
// The one read that spans tenants, their list, is a function that the owner
// made for it. All settings are of a transaction, never of a session, so a
// pooler in transaction mode may stand between (Config.Pooled).
//
// # A commit, and what a crash leaves behind
//
// Changes are shared into batches by package commitqueue. A batch is one
// transaction of three or four round trips:
//
//  1. BEGIN (READ COMMITTED), the settings, the lock on the head of the
//     tenant's log; then, in the same round trip but as statements of their
//     own, with snapshots from after the lock, the time and all rows that the
//     changes of the batch are about. The lock is had by one batch at a time,
//     whichever process it is of: from here on nobody else writes for the
//     tenant. Now is the database's clock, or the time of the last entry where
//     the clock went back.
//  2. Each change is judged by the image of those rows, in the order of
//     arrival, and puts what it does into the image. One that fails is undone
//     there and gets its error alone; no statement ever raised it. What
//     commits alone has its conditions in its statements instead, and is rolled
//     back where they change other than the rows that it named.
//  3. The batch is written, with one statement for each kind of row, then its
//     entries, the nodes of the tree and the head: one round trip (what ties takes
//     one more, a sweep too, an erasure up to two). Every statement must change exactly as many rows as the image
//     said; otherwise somebody writes without the lock, and nothing is committed.
//  4. COMMIT, without any timeout of the server, on nobody's context. The
//     server answers once the commit record is on its disk, and on that of its
//     synchronous standbys (synchronous_commit is set to on, or left at
//     remote_apply).
//
// A crash before the commit record is durable loses the batch whole, one after
// it keeps it whole. Nobody was answered before.
//
// # Erasures
//
// An erasure destroys keys and deletes no value: the rows of what went have no
// key, which every read tells and every restoration asks for, until the sweep
// has them. What stays is moved to fresh keys first. Then, under the lock, the
// values of the subject are walked along once, and what is left under the keys
// that go is counted: all of it must go, no other key may have to, and otherwise
// nothing is committed. So an erasure is as quick as that walk, 6 microseconds
// for each value of the subject, and meanwhile nobody else commits for the
// tenant. Holds on other people, and on values that the subject does not have,
// are left out once; each of the others is asked about each value.
//
// A tombstone says which key went with which erasure, and which version of the
// wrapping key wrapped it. The sweep goes by tombstones and marks them once
// nothing is under the key; the rows are never deleted. No key that has one is
// inserted again. Once the versions of all keys of an erasure are retired it is
// final: no backup opens what went. What is retired is counted under the lock.
//
// An erasure is done again in an older copy of the data by its tombstones: the
// keys that stand there are destroyed, held or not, for they were destroyed
// before. Which entities its suppression takes for common is not in the erasure:
// in a copy that never had it, all that it erased is kept out of every scope.
//
// # Suppression
//
// What an erasure keeps out is found by look-up digest: while the rows of what
// went are there, by their keys' tombstones; the sweep writes the digest down as
// it takes the row, in the same commit. Both are read under the lock, with the
// end of the time, and judged by the time of the commit. Where nothing is
// suppressed that is one look at two empty indexes for each batch; otherwise it
// is a look or two for each new value, and while a sweep is behind one for each
// value that has the same digest.
//
// # Requests
//
// A request of a person is changed by its revision, in the statement that changes
// it; the erasure that it asks for opens or changes it in its own commit. What
// closes it forgets whom it was about. Notes are under a key of the request,
// which goes with them. Requests, and people about whom there is nothing any
// more, are swept by statements that ask for that again.
//
// # Proceedings
//
// What people come back to is one row, changed by its revision. What a change
// uses, opens or rests on is read with all else in the round trip that takes the
// lock, and judged by the time of the commit. Suspensions are read for each batch
// that restores: they commit alone, so no batch has some changes before one and
// some after it, and no restoration has a place in the log after the suspension
// that stops it. Where none stands that is one look at an empty stretch of an
// index. An approval that is used commits alone with what it is used for.
//
// # Budgets
//
// Of a budget there is a row for each hour in which something was spent. It is
// read and written under the lock, in the commit that spends, so replicas do not
// pass it together; within a batch each change meets what those before it spent,
// and one that fails spends nothing. The hour is that of the commit's time. Rows
// of hours that are over are deleted at leisure: nothing asks for them.
//
// # Grants
//
// A grant is a proceeding, opened by what it rests on: a restoration, or a tokenize
// that it rides along with, in whose commit it is written and under an entry of its
// own, or neither is. Beside it stands a row for each token that it gave. Those that
// it does not name are counted under the lock, in the commit of the flush that draws
// them, so replicas do not pass its limit together. The others are noted, with nothing
// but a share of the grant, which keeps it from being closed meanwhile: a row that is
// lost with a crash is one line less in the report of the stream, and its entry had
// named the token beforehand.
//
// What a flush depends on is one round trip on the primary: a transaction of several
// statements that are sent together, and see one moment, which is not before the
// flush asked. What is committed after that moment is met by the next flush.
//
// What is alive of a scope is found along an index of what has not expired, so what
// has, and waits for the sweep or is held, costs nothing. Rows whose key an erasure
// destroyed are passed over until the sweep has them.
//
// # Notices
//
// A notice is written with its change and is as durable. It is handed out by
// lease, by the database's clock: whoever takes it and falls silent, or settles
// it where no answer comes, may have delivered it, so that it may come twice. It
// is never lost.
//
// # Destinations
//
// When a value was sent somewhere is a row beside it: made with the value,
// written anew where the last time is an hour old, and otherwise not even
// locked.
//
// # Unknown outcomes
//
// Where COMMIT is not answered with success, or with a warning (a wait for a
// standby that was cancelled), the connection is closed and the change ids are
// looked up. That takes the same lock, so it waits until the old transaction
// has ended, one way or the other, even if its COMMIT is still on its way. And
// it commits itself: it took a row lock, which is written to the log, so that
// its COMMIT is answered only once the standbys have everything up to it. What
// was found is then as durable as anything. What is missing is applied once
// more. A tenant that is being made has no head; the lock on its name stands
// for it.
//
// # Holds
//
// A hold says what it is about, and is written without looking at any mapping.
// Whether a mapping is held is one condition, part of each statement that has to
// know: the ones that destroy have it among their own conditions, with a
// snapshot from after the lock, so a sweep that was planned before a hold was
// placed destroys nothing of what it keeps. Without a standing hold it is one
// look at an empty index for each mapping. A hold by destination, or by the time
// of sending, looks at where the value was sent as well. Planning a sweep passes
// over all that is past its time and held, each time, in windows that no
// statement is too slow for, each of which begins where the last one ended.
//
// # Reading
//
// A read is one round trip and, but for that of a flush, one statement, on the
// primary. The plan of an erasure, what keys seal and an inventory take several, in a transaction that
// sees one moment. Expiry is judged
// by the database's clock, or by the time of the last entry if that is later.
//
// # Searching the log
//
// A search walks along the terms of its rarest wish, in the order of the log, each as
// far as the page is long, and looks up for each entry whether it has a term of every
// other wish. What several terms lead to is there once. So a page costs at most as
// many steps as the rarest wish has entries in the stretch that is asked for, never
// the log. A count costs all of these, and has two minutes.
//
// # Pruning
//
// A Pruner is the owner, whom no service is, and may work beside them: no commit
// writes what stands. In transactions of vault.PruneBatch leaves it sets them to NULL
// and then deletes their terms. Triggers let the owner do these two things, where the
// transaction says that it prunes and the log has an entry of kind prune, and no
// third. That such an entry names the range is asked by the pruner, once, and of each
// leaf, whether it is still what was hashed and its columns what it says: one that is
// not stays, for an auditor to see, and nothing after it goes.
//
// # Beyond one machine
//
// A change, a lock and a read are of one tenant, and every key begins with it, so that
// PostgreSQL with Citus can spread the tables by tenant: after the migrations the
// triggers are dropped and each table but goose_db_version is distributed by the column
// tenant, those that others refer to first. Nothing that is promised needs a trigger:
// rights and the code keep it, and verify finds what an owner does. The locks of a
// name, in TryLease and where a tenant is made, are those of one node: all services
// connect to the same. A later migration that makes a table leaves it to be
// distributed. What of this can be asked of a schema, a file or a statement is asked
// by tests; nothing here was measured on more than one machine.
//
// # A server without an answer
//
// Where several attempts in a row got no answer at all, the server is left
// alone: reads, commits and the probe are refused at once, as unavailable, and
// nothing of them is begun. It is asked every two seconds whether it is back,
// on a connection of its own. An unknown outcome is looked up all the same.
//
// # Helps
//
// Listen tells a process which data keys any replica destroyed, and TryLease
// gives one of them the turn. Both need a session of their own, past a pooler.
// Nothing depends on either: that a key stands is asked in each commit.
//
// # Errors
//
// What reaches a caller is a condition of package vault, or ErrUnavailable with
// the SQLSTATE. Never a statement, an address, or what the server said: its
// messages may quote values.
package postgres
