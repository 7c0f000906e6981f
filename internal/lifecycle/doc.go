// Package lifecycle is the work that the service does by itself: publishing
// checkpoints and anchors, committing the counts of collapsed denials, and
// destroying what has expired, closed grants a day after they were closed.
//
// Everything here may be interrupted at any point and begun again: each step
// reads where things stand and commits through the domain like any other
// change. Nothing depends on it for safety. What has expired is not
// restorable whether or not the sweep has run, and a checkpoint that was not
// published yet delays an auditor by a second.
//
// What follows a log from elsewhere (its export, its folder of tiles, evidence that
// somebody asked for, controls that are due) are chores, see [Worker.Also]: each has
// a pace of its own, so that a place that hangs holds up neither a checkpoint nor a
// sweep, and goes on where it was after a crash.
//
// An anchor is the exception in importance: it is the memory outside the
// database of how far a log had come. A database that is put back from an
// older copy is behind its anchor and is refused at the next start. At most
// the entries of one [PublishEvery] can be lost to such a copy unnoticed.
//
// Beside each anchor is the journal of erasures of its log: what has to be done
// again in an older copy, so that what was erased stays erased. It is ahead of
// its anchor or level with it, never behind: an erasure is journaled after its
// commit and before the anchor that speaks for it. A crash between its commit and
// its line is mended at the next start, from the database; the loss of the
// database in that moment, at most one [PublishEvery] and usually a few
// milliseconds, loses that erasure to an older copy.
package lifecycle
