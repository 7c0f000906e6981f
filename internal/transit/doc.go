// Package transit is an [envelope.KeyWrapper] on the transit secrets engine of
// a HashiCorp Vault or OpenBao server. It is the only importer of vault/api.
//
// # What it promises
//
// Each tenant has a transit key of its own (see [KeyName]), whose versions are
// the versions of the contract. What is wrapped never leaves the server's
// authenticated encryption; nothing is ever wrapped in another way, whatever
// the server's state.
//
//	plaintext  = 0x01 ‖ the key as it is given
//	wrapped    = the bytes behind "vault:vN:", with N as the version
//
// The leading byte is the version of this form, and no plaintext is empty.
//
// Calls are batches (batch_input), of at most [MaxBatch] items and
// [MaxBatchBytes]; callers of one tenant that arrive while a call is under way share the next one. The engine
// answers a batch with one bad item by 400; its results are read all the same,
// and each item is judged on its own.
//
// # Two identities
//
// The serving identity may encrypt, decrypt and re-wrap, and nothing else: it
// cannot make a key, so that a key that somebody deleted is a failure to be
// seen and never a new, empty key of the same name. [Keys] is for the second
// identity, which makes, rotates and retires keys and can open nothing. The
// policies are deploy/transit/*.hcl.
//
// # What happens on failure
//
// A server that is down, sealed, slow, or that refuses the identity is
// [envelope.ErrUnavailable]: the client's own retries are off, one retry is made
// where the connection broke, and a call ends after [CallTimeout]. After
// [BreakAfter] failures in a row no call is made; every [BreakFor] somebody in
// the background asks whether the server takes the identity. So a refusal costs
// microseconds, no request is the one that tries, and recovery needs nobody. A
// token that expired or was revoked is replaced by logging in again, once per
// call. A tenant without a key fails alone.
//
// Where the server is, and who vouches for it, is said by [Config] alone:
// VAULT_SKIP_VERIFY, VAULT_AGENT_ADDR, proxies and redirects change nothing.
// Copies of plain keys are cleared when their call is over, but for those of
// net/http and of the encoding of JSON, which cannot be reached, and for what
// was sent in a call that failed, which may be read still.
//
// Nothing is kept but the token, in memory. A crash loses nothing.
//
// # Anchors
//
// [Anchors] keeps the anchors of the logs in a KV engine of version 2 of the same
// server, in place of files. It is independent of the rest, and has a policy of
// its own.
//
// Formats: https://developer.hashicorp.com/vault/api-docs/secret/transit.
package transit
