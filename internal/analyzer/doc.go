// Package analyzer asks an analyzer outside what personal data a text holds, over
// the REST contract of Microsoft Presidio:
//
//	POST <url>/analyze
//	{"text": "...", "language": "en", "score_threshold": 0.5, "entities": ["PERSON"]}
//	200 [{"entity_type": "PERSON", "start": 0, "end": 8, "score": 0.85, ...}]
//
// start and end count code points of the text; fields beyond these four are not
// read. The contract is that of presidio-analyzer 2.2
// (https://microsoft.github.io/presidio/api-docs/api-docs.html).
//
// # What is promised
//
// The text goes to the one address of the configuration and nowhere else: over
// TLS, unless that is loopback or plain HTTP was asked for by name; redirects are
// not followed and no proxy is asked. What is reserved, as living tokens are,
// does not leave: it is replaced by as many asterisks as it has code points.
//
// An answer is taken whole or not at all. A position outside the text, an entity
// that is neither ours nor in the map, a score beyond 0 to 1, a body that is too
// large or no JSON, and a status other than 200 make it [ErrAnswer]; what does not
// come, or not in time, is [ErrUnavailable]. Neither quotes the text, nor what the
// analyzer said. A finding that reaches into a reserved range is cut around it.
//
// After [BreakAfter] failures in a row nobody is asked for [BreakFor], and calls
// fail at once: a request must not wait for an analyzer that is known to be down.
//
// # What is lost on failure
//
// Nothing is kept here. Whether a text passes that could not be analyzed is for
// the caller to say; the default of the service is that it does not.
package analyzer
