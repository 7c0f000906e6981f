// Command floor is what every figure of the benchmark stands beside: a bare gin and
// pgx program that does the same durable work as the service and nothing else. It
// checks no credential, asks no policy, detects, seals and signs nothing.
//
//	floor -postgres DSN     mappings and records in schema floor of that database
//	floor -sqlite PATH      the same in a file
//
// It prints "serving http://127.0.0.1:PORT" when it is ready, and ends in order at
// SIGTERM.
//
//	POST /tokenize  {"scope","values":[{"entity","value"}]}   a row for each value and a record, in one commit
//	POST /restore   {"scope","tokens"}                        reads the rows, then one record
//	POST /deny      {"scope","tokens"}                        one record, then 403
//	POST /echo                                                the body
//
// # What it is spared, and what not
//
// A row has the bytes that a sealed value would have, but they are the value and
// padding; a record has the size of an entry, but nobody could prove anything by it.
// There is one index. Durability is that of the service: PostgreSQL with fsync and
// synchronous_commit on (it does not start where either is off), SQLite with a
// write-ahead log and synchronous=FULL.
//
// It is meant to be hard to beat with these libraries: what arrives while a commit is
// under way joins the next (package commitqueue does the same, with more promises), a
// commit is one round trip with one prepared unnest for each table, and so is a read.
//
// # What is lost on failure
//
// Nothing that was answered: an answer follows its commit. A request that is under way
// when the process dies may have been committed without an answer.
package main
