// Package transittest starts a real HashiCorp Vault server for tests: the one
// of testserver, built once and kept outside the tree, or the one that
// VAULT_ADDR and VAULT_TOKEN name. It has the transit and KV engines, AppRole,
// the file audit device and the two identities of deploy/transit, with their
// policies as they are shipped.
//
// Building takes some minutes the first time. Nothing is skipped where it
// cannot be built: the test fails and says why.
package transittest
