// Package metrics serves the figures of what goes on beside the requests: group
// commit, the log and those who follow it, keys, notices, what people have to come
// back to, controls. Requests themselves are counted in httpapi.
//
// # Where the figures come from
//
// Counts that a part of the process keeps anyway (commits, the cache of keys,
// breakers, notices) are read when somebody asks: [Sources]. Figures that need the
// store are read by [Collector.Watch] in the background, at its own pace, and the
// last of them are served: GET /metrics is open to the network it is bound to, and
// must not be a way to make the store work. What a [Reader] reads is over all
// tenants, by the same role interfaces that the domain has, and nothing is written.
//
// # What is promised
//
//   - No label names a tenant, a caller, a person, a scope or anything that somebody
//     typed. Every label and each of its values is of a closed list: [Families].
//     Whatever a source says beyond it is left out, or counted as "other".
//   - A figure that was read too long ago is not served: a gap shows in a graph, a
//     flat line does not. When the last were read is served always.
//   - A part that is not there (no export, no webhooks, no key service) has no
//     figures, rather than zeros.
//
// # What is lost on failure
//
// Counts begin at zero with the process, as Prometheus expects. Where the store does
// not answer, the figures that need it end after [StaleAfter], and the number of
// failed readings rises. Nothing else depends on this package.
//
// Format: Prometheus text exposition format 0.0.4.
package metrics
