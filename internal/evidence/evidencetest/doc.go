// Package evidencetest makes logs for tests: a whole quarter of a tenant, as the
// service would have written it, with everything that evidence is about.
//
//	q := evidencetest.MadeQuarter(1, 1000)
//	e, err := evidence.Build(ctx, q.Source(), q.Facts, q.Period)
//
// The same seed and size make the same log, byte for byte. The log begins two weeks
// before its period and ends a few hours after it. Its entries hold what those of
// package vault hold, kind by kind; every proceeding is opened before it is used.
package evidencetest
