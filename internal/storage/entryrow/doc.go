// Package entryrow is what the stores keep of an entry beside its leaf: the
// columns and terms by which entries are searched. All of it follows from the
// leaf, and [Row.Check] tells whether it says what the leaf says. Both stores
// write, search and check with this one list of terms, so that a search gives
// the same entries on either.
//
// A leaf that retention pruned takes its terms with it. Of such a row nothing can be
// checked here but that; which leaves a pruning may take, and whether an entry says so,
// is one rule for both stores too.
//
// The package keeps nothing and knows no SQL.
package entryrow
