// Package transittest starts a real HashiCorp Vault server for tests: the one
// of testserver, built once and kept outside the tree. It has the transit and KV
// engines, AppRole, the file audit device and the identities of deploy/transit,
// with their policies as they are shipped.
//
// A test that stops, seals or reads what is the server's own takes [Start]. One
// that holds any server against a promise takes [Open], which is the server that
// VAULT_ADDR and VAULT_TOKEN name, where they do: a newer Vault, or an OpenBao.
//
// Building takes some minutes the first time. Nothing is skipped where it
// cannot be built: the test fails and says why.
package transittest
