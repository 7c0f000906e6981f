// Package webhook tells people outside that something happened, such as a
// break-glass restoration: a signed POST to the endpoints of the configuration.
//
// # What is sent
//
// A [Notice] becomes a body as the Standard Webhooks specification (version 1)
// has it, {"type", "timestamp", "tenant", "data"}, with three header fields:
//
//	webhook-id         the notice, the same in every attempt: receivers drop the second
//	webhook-timestamp  the attempt, in seconds since 1970
//	webhook-signature  v1,BASE64 of HMAC-SHA256(secret, id.timestamp.body), one for each secret
//
// An endpoint has several secrets while they are changed over: each signs, and a
// receiver takes the signature of whichever it has. [Verify] is the other side; it
// uses the standard library alone and may be copied.
//
// Whoever makes a notice puts ids, counts and times into it, never a value: what
// has left cannot be erased.
//
// # What is promised
//
// A notice goes to endpoints of its tenant, over TLS, and nowhere else. The host
// of an endpoint stands in a list of its own, exactly; redirects are answers like
// any other and are not followed; no proxy is asked. The address is judged when
// the connection is made, after the name was resolved, so that a name that
// resolves to another address the next time gains nothing: an endpoint that is
// not said to be internal is reached at public addresses only, and one that is,
// never at link-local ones, where clouds keep credentials. http is for the
// loopback interface in the development mode.
//
// Delivery is at least once. [Sender.Deliver] makes one attempt; what it returns
// is nil, or a [Failure] that says whether another may help. The caller keeps the
// notice and the number of attempts, and [Next] says when. An attempt that reached
// one endpoint and not another is repeated for the other alone, as long as this
// process lives; after a restart, or on another replica, the first is told twice.
//
// # What is lost on failure
//
// A notice whose last attempt fails, after about three days, or which the
// endpoint does not want any more (410). The entry in the log that it was about
// is not lost: a notice is a help, never the record.
//
// The answer of a receiver counts by its status and Retry-After only: its body
// is read up to a limit and dropped. Errors hold the name of the endpoint, a word
// out of a closed list and a status; not the address, whose query may be a
// credential, and nothing of a body.
//
// Format: Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks).
package webhook
