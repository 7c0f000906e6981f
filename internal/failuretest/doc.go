// Package failuretest shows what the service does while a part of production
// fails: a whole service, behind its HTTP interface, on a real PostgreSQL and a
// real transit engine, of which the tests take one away at a time, make it
// slow, fill its disk or kill it.
//
// Of each row of the failure table it shows the answer (503 unavailable, with
// advice when to ask again and the part that is missing), how fast it comes,
// what is recorded, and that the same process serves again once the part is
// back, without anybody's help. Two things hold in all of them: what was
// acknowledged restores afterwards, and what was restored has its entry.
//
// There is nothing in the package but tests.
package failuretest
