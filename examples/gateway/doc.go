// Command gateway is an example to copy from: a reverse proxy between an application
// and a model that keeps personal data from the model.
//
//	gateway -token-file gateway.jwt -log-key acme.vkey -upstream https://api.openai.com
//
// The application changes one thing, the base URL of its library. Each request is
// tokenized whole, in one call that also gives out the grant for its answer. It goes
// on with the application's own key, and with nothing else of its head but what the
// vendors' libraries need. The answer comes back with the values: while it streams if
// it does, at once if not.
//
// # What is promised
//
// What cannot be tokenized is not sent, and what cannot be restored is not passed on:
// the application has an error then, or its stream breaks off. A value in the address
// of a request goes nowhere, as the paths are a closed list and queries are dropped.
//
// A conversation that is named by X-Conversation has the same tokens on each turn,
// which caches of prompts like. Its scope is bound to the application's key: who knows
// the name of somebody else's conversation is in another scope. Without the header, or
// without a key, each request is a scope of its own, which restores as well, as
// applications send the whole history.
//
// # What is not
//
// Only tokens of the request are restored: of an API that keeps the history on its own
// side (previous_response_id) tokens of earlier turns stay tokens. Who may use the
// gateway is for the network around it, or for the vendor, who refuses a wrong key.
// And the vault finds what its detection finds. A gateway of your own would also tell
// the vault what the vendor did with the prompt (client.Dispatch), and for which end
// user it asks (OnBehalfOf).
package main
