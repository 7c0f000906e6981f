// Package rate says how fast a caller may call: so many requests per second on
// average, so many at once.
//
// It is the generic cell rate algorithm (ATM Forum Traffic Management 4.0,
// section 4.4.2; ITU-T I.371 annex A.1) in its form of virtual scheduling. Each
// key has one number, the theoretical arrival time: when its next request would
// come if it kept the rate exactly. A request is taken where that lies no further
// ahead than a burst allows, and moves it on by one interval. Nothing runs in the
// background, and a key that has not called for a while costs nothing to serve.
//
// # What is promised
//
// While the clock goes forward by d, a key takes no more than Burst + d/interval,
// however many other keys there are:
//
//   - A clock that goes back stands still. That of the process never does.
//   - Memory is bounded by MaxKeys. A key is given up only when its time has passed
//     and it is as good as one that never came. Where none has, those who have no
//     place share one allowance, and who gets a place later begins with what that
//     one had left. So a flood of keys makes the rest slower; it never lets a key
//     that was refused begin anew.
//
// The numbers are in memory and each replica has its own: n replicas let through
// n times the rate, and a restart lets every key begin anew. What must be exact
// across replicas is a budget, counted in the commit, not a rate.
//
// # Why not a library
//
// golang.org/x/time/rate is one bucket and has no keys. throttled/throttled v2.15
// has them, but its store in memory gives up the least recently used key whatever
// it owes, so that enough made-up keys wash a limit away; it ignores the lifetime
// of an entry; and after ten lost races for one key it fails with an error that
// holds the key, which is when many requests of one caller come at once.
package rate
