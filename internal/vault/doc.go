// Package vault is the domain: it takes personal data out of texts, keeps the
// encrypted mappings, and gives a value back only to a caller whom the policy
// allows it, for a reason that is committed to the log first.
//
// # The one rule of writing
//
// Every state change is a [Change]: what changes, and the entry that says so.
// [Store.Commit] makes both durable or neither. There is no other way to alter
// what can be restored, by whom, or for how long. [Note] writes bookkeeping
// from a closed list and cannot widen access.
//
// # A restoration, and what a crash leaves behind
//
//  1. The text is scanned; nothing is stored.
//  2. The policy decides by label; mappings are read; the policy decides again
//     by mapping. Nothing is stored.
//  3. The intent entry is committed, on the condition that the mappings and
//     their keys still live. A crash after this point leaves an entry for a
//     value that nobody received: the log may say too much, never too little.
//  4. Only now the values are opened and put back into the text.
//
// # A restoration that streams
//
// A stream goes by a grant ([Service.OpenGrant], or [TokenizeRequest.Grant] in the
// commit of the prompt): a [Proceeding] with an entry that names the tokens which it
// covers. Each flush ([Stream.Push]) that holds tokens reads the world once from the
// primary ([Grants.Live]), decides each token by where it stands under the policy in
// force, and opens what it read there. What the grant does not name, or was decided
// under another policy, has the entry of a flush before it is opened ([Draw]). One
// entry closes the grant and says what was given. Where the world cannot be read, or
// the grant is over, the tokens stay and the stream goes on. A crash loses what was
// given since the last flush from the closing entry; the grant's own names it.
//
// # Who else has a say
//
// What people have to come back to is a [Proceeding]: an approval, a review, a
// suspension, an incident, a consent, an access review, a proposed policy. What of
// it decides a restoration is judged in its commit, after the lock: the approval
// that it uses ([Redemption]), the budgets that it counts against ([Spend]), the
// suspensions that stand, the consents that it rests on, the reviews that its actor
// let pass. So it holds across replicas, and a decision that was made before does
// not outlive what it rested on.
//
// A request is decided under one version of the policy, which it takes at its
// beginning ([Service.Pinned]); the policy itself is read again, tried for tenants,
// promoted and rolled back while requests go on.
//
// The package imports no web framework, no SQL driver and no key service: the
// stores and key wrappers are given to it.
//
// # What a log says by itself
//
// Whoever checks a log has the log and a public key. So it names the policy versions
// that its entries may be decided under before the first of them is, the change of
// its own key with the old one's word for the new one, and every range of leaves
// that was taken out of it, before they are. What is drawn from it (evidence, the
// results of controls) is drawn from entries, not from tables beside them; who asked
// for it, and what came of it, are entries too. What the process reads of a log for
// itself is in logprocess.go, what it answers to auditors in logreads.go.
package vault
