// Package oidctest runs a real provider of credentials for tests: oidc-provider
// of npm, with the clients of provider.mjs, as a process of its own on a free port
// of the loopback interface. Its keys are new each time, and it ends with the test.
//
// The packages of package-lock.json are installed once, by npm ci without scripts,
// into a folder of the user's cache that has the digest of that file in its name;
// nothing is written into the tree. A test is skipped only where there is no node
// of [MinNode] or newer; `make deps` installs one.
package oidctest
