//go:build race

package storagetest

// underRace tells that the race detector watches, which makes a store in this
// process twenty times as slow. What two changes do to each other is found
// without it, too.
const underRace = true
