// Package lifemodel holds tests, and no code, of what holds, erasure, restriction
// and retention come to together, on both stores: a file with a local key, and
// PostgreSQL with a key service.
//
// The model (model_test.go) says in the plainest words what a service owes: a
// list of what was ever tokenized and what became of it. Random histories of
// what people do are played to it and to the service, with a clock that moves,
// and after each step the two are compared: nothing that is held is destroyed,
// nothing erased or expired is restored, everything else is, and the receipts of
// erasures verify, the first ones and those against the newest head. At the end
// of a history everything is let go, and nothing may be left in the store.
//
// The races (race_test.go) have two replicas of one database do at once what must
// not both succeed, such as to erase and to restore a value. What each did stands
// in the log at a place, and of the two orders exactly one outcome is allowed for
// each. The replicas do not tell each other which keys are gone: what guards is
// the commit.
//
// What a restoration needs besides its values is raced for, too
// (entitledraces_test.go): 64 clients have of one budget exactly what it has, of
// 100 redeems of one approval one has the value, and no entry of a restoration
// that a suspension matches stands after that of the suspension.
//
// Each has twins: a service whose store forgets one of its conditions, or an
// outcome that must not be, is found out.
//
// With COUNTERFOIL_LONG=1 there are 10^4 histories and 10^5 rounds, and a sweep
// of 10^6 rows while requests are served (scale_test.go), which prints figures.
// COUNTERFOIL_ROUNDS and COUNTERFOIL_ROWS are other numbers of rounds and rows.
package lifemodel
