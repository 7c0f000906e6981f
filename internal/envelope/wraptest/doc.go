// Package wraptest is the contract of [envelope.KeyWrapper] as tests. A wrapper
// passes with three lines:
//
//	func TestConformance(t *testing.T) {
//		wraptest.Run(t, func(t *testing.T) envelope.KeyWrapper { return open(t) })
//	}
//
// What open returns must implement [Controls] as well: rotation, destruction of
// versions and an outage are not part of the interface, since the serving
// identity may do none of them, but the contract speaks of each.
//
// Each clause is a function from a wrapper to an error, so the suite's own test
// can hold it against wrappers that break one promise each and see it go red.
//
// [Memory] is a wrapper in memory for the tests of other packages: a checking
// fake that passes the suite, counts its calls and can be stopped.
package wraptest
