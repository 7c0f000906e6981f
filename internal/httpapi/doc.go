// Package httpapi is the HTTP interface: it turns requests into calls of
// package vault and results into answers, and decides nothing itself. It is
// the only package that knows gin, and no *gin.Context leaves it.
//
// # The way of a request
//
//  1. observe: a request id, the headers of every answer, recovery, and at the
//     end one event and the metrics.
//  2. admit: the limits on requests under way and on time.
//  3. authenticate: exactly one bearer credential becomes a vault.Caller, with the
//     address of the connection.
//  4. pace: who calls too fast is refused before anything is read or decided.
//  5. onBehalf: the policy is fixed for the whole request; the end user in a header
//     is taken only from those who may assert one.
//  6. check: query, path and body are read strictly and held against the
//     OpenAPI document, once. What the handlers get is the very value that
//     was checked; nothing is decoded a second time.
//  7. The handler of the operation, one file for each, named as in vault.
//
// The order matters: no body is read for a stranger, and nothing is decided on
// a body that two parsers could read in two ways.
//
// # What leaves the process
//
// Errors are problems (RFC 9457), made from one table of codes; what has no
// code is internal and says nothing. A problem holds places, rules and ids. No
// text of the JSON decoder, the validator or the router is ever passed on,
// because all three quote what they were given. Places are built from names of
// the OpenAPI document and indexes only, so that a key of a body cannot come
// back either.
//
// The event of a request holds the operation, the caller, counts, the code and
// the time it took: no path, no query, no text of an error. Labels of metrics
// come from closed lists. A span holds what package telemetry can state.
//
// A report for a person may be a page to print. It goes through html/template, and
// has a Content-Security-Policy of its own under which a browser runs and loads
// nothing.
//
// The log is served under the paths of C2SP tlog-tiles, below /v1/audit: checkpoint,
// tiles and bundles of entries, byte for byte. People and scopes are searched for in
// a body, by POST, where the caller's own names of them are used: what stands in a
// URL ends in the access logs of others.
//
// A bundle of evidence is the one answer that is not in memory as a whole. Its length
// is said before its first byte; where the reading fails later, the connection is
// cut, so that a part never looks like all of it.
//
// # What is lost on failure
//
// Nothing but how fast callers were: the package keeps no other state, and that one
// for each replica alone. A panic becomes a 500 whose event names the type of what
// was panicked with, and functions, never their arguments. A client that went away
// is noted in the event as 499; whatever was committed for it stays committed, and
// the log has its entry.
//
// Formats: RFC 9457 (problems), RFC 6750 (bearer), RFC 6901 (pointers), RFC
// 7493 (I-JSON: no duplicate names, no unpaired surrogates), RFC 4648 (base64),
// draft-ietf-httpapi-ratelimit-headers-06 (rates), W3C CSP Level 3, C2SP
// tlog-tiles, tlog-checkpoint and signed-note (the log), RFC 6266 (attachments).
package httpapi
