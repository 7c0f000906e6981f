// Package client is the Go client of a Counterfoil service: it takes the
// personal data out of a prompt before the prompt leaves, and puts it back into
// the answer.
//
//	vault, err := client.New("https://vault.example.com", client.Config{
//		Token:   source,                                     // a fresh bearer JWT for each request
//		LogKeys: []string{"vault.example.com/log/acme+..."}, // of the tenant's log, pinned
//	})
//	out, err := vault.Tokenize(ctx, client.TokenizeRequest{
//		Scope: "chat-2041", Content: client.Text(prompt),
//	})
//	// send out.Text to the model
//	back, err := vault.Detokenize(ctx, client.DetokenizeRequest{
//		Scope: "chat-2041", Reason: client.Reason{Code: "LLM_RESPONSE"}, Content: client.Text(answer),
//	})
//
// A client speaks for one tenant, and may be used by several goroutines. It
// needs the standard library, golang.org/x/mod and the format of the audit
// log; nothing of the service itself.
//
// # Requests
//
// What is sent is a Go type: a [Text], [SpannedText], [Values], [Tokens] or
// [Payload]. Only those that an operation knows fit it, so that one cannot be
// taken for another. The answer holds the same kind, or there is an error. A
// [Payload] is the JSON body of a model provider; it goes out and comes back
// byte for byte and is never encoded again. Strings that are not UTF-8 are
// refused here: the JSON encoder would change them in silence.
//
// # Receipts
//
// Each answer to a change carries a receipt: an inclusion proof of its log
// entry in a signed head of the tenant's log. The client checks it before it
// gives the answer out: signature under a pinned key, log, proof (RFC 6962),
// and that the log went on. It remembers the heads that it saw. The new entry
// must come after all that the newest head covered when the request was sent,
// and wherever two receipts state a root for the same size, the roots must be
// equal. A receipt states three: that of its head, and, by the proof, those of
// the tree up to its entry and with it. So a fork is seen at the next call, if
// no entry of somebody else came in between. Other forks escape a caller who may
// not read the log, as a gateway may not: the service proves consistency to those
// who may read it, and to nobody else. What such a caller can do is to keep its
// receipts ([Config.Receipts]) and give them to an auditor, whose verifier holds them
// against the whole log (counterfoil-verify --receipt). Heads are forgotten when
// the process ends.
//
// A caller who may read the log sets [Config.Checkpoints]: then each head that
// comes, of a receipt or published, is taken only with the RFC 6962 proof that it
// and the greatest one before are of one history, and the greater one is kept. In
// a file ([CheckpointFile]) it outlives the process. The first head of all is
// believed, as nothing is known before it. What is kept and cannot be used is
// [ErrCheckpoints], and no request is made.
//
// A log changes its key from time to time. A head that no pinned key has signed
// makes the client ask for the keys once and follow the handovers, by which each key
// vouches for the next. What nobody vouches for is refused ([FaultHandover]).
//
// If any of it fails the answer is withheld and the error is a
// [*ReceiptError]. What the service did stays done: tokens were made, or the
// log may say that values were given. A receipt proves that an entry was
// written, not which words it holds: the leaf hash is for an auditor, who finds
// the entry by the request id.
//
// [Config.LogKeys] are to come over a way that you trust, not from the service
// that is to be checked. [Config.TrustOnFirstUse] fetches them from the service
// itself before the first request and keeps them as long as the client lives:
// trust on first use. It notices a log that changes hands later, not one that
// was false from the beginning.
//
// # What waits for others
//
// Where the policy wants the word of others, [Client.Detokenize] says
// [StatusNeedsApproval] of a token. [Client.RequestRestoration] then asks with
// the same request, others answer by [Client.DecideRestoration], and
// [Client.RedeemRestoration] has the values, once. A redemption whose answer is
// lost on the way is spent: it is sent again as every request is, and the second
// answer is [ErrConflict]. Ask anew.
//
// The log of what changes the policy is the system's own. Its receipts are passed
// on and not checked, since a client has the keys of its tenant's log.
//
// # Failures
//
// A refusal of the service is a [*Problem] (RFC 9457), for errors.As; the
// closed list of codes has sentinels for errors.Is, such as [ErrDenied]. No
// text of an error holds a value, a credential, or words that the service
// chose: only codes, places, limits and ids. [Problem.Detail] has the words.
// What the caller's own token source or transport says of a failure is passed
// on as it is.
//
// Retries are made where the request certainly may be sent again: when the
// connection failed (no answer, or not a whole one), and on 429 and 503 that
// come with Retry-After. Never on other answers, not on a timeout (the service
// is slow, and asking twice makes it slower), not where certificates fail. They
// are bounded by [Config.Attempts], [Config.RetryFor] and the context, and
// never come before the service said. Each POST carries an Idempotency-Key,
// the same for all attempts of a call, so that the log can tell a repetition
// from a second wish. A restoration that is repeated is decided and recorded
// again.
//
// Redirects are refused, because a bearer token must not follow one. Without
// TLS only loopback addresses are spoken to, unless [Config.AllowPlainHTTP].
//
// Formats: RFC 9457, RFC 6750, RFC 6962, https://c2sp.org/tlog-checkpoint,
// https://c2sp.org/signed-note, and the OpenAPI document of the service.
package client
