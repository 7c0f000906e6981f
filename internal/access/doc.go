// Package access decides whether a caller may restore a value of this entity
// and class, for this reason, here, and in which form; and whether a role may
// use an operation at all. It is the only importer of Casbin.
//
// # The bundle
//
// A policy is data (package authz ships one): the rules, how a rule is
// matched, the reason codes and what single tenants take away from them, the
// entities, the destinations, which roles exclude each other, which operations
// need approvals, and tables that say what must come out. Load checks all of it
// and takes it or refuses it as a whole. A name that nothing knows, be it a role,
// class, entity, reason, condition, attribute or column, is a load error: a rule
// with a misspelt condition would otherwise be a grant or a ban that silently
// never applies.
//
// A Policy never changes after Load and may be used by any number of
// goroutines. A request is decided under one version by using one *Policy from
// start to end; a reload makes a new Policy and swaps the pointer.
//
// # How a decision is made
//
// Casbin decides which rules match: the matcher of model.conf joins registered
// functions over the columns of a rule, never eval() of text out of a rule,
// which is slow and unchecked. Each (action, reason) has an enforcer of its
// own with its own few rules, so a decision costs the same with three rules or
// three thousand. What the rules said is remembered (see memo), by all that the
// matcher sees of a request, each part for itself. Casbin's CachedEnforcer is of
// no use for it: it joins its key without escaping, so that two different
// requests can share an answer.
//
//  1. A deny rule that matches wins.
//  2. Otherwise the allow rules that match are grants, and the fullest form
//     (full, partial, masked) counts. The decision names the rules that gave it.
//  3. What the reason demands cannot be granted away by a rule: classes and
//     entities it reaches; of the caller and the moment MFA, authentication
//     context, hours, networks, environment; then held and restricted data, the
//     place in the text, the consent of whom it is about, and approvals last.
//     Each is told only if nothing before it is in the way, so that nobody is
//     asked to approve what would be refused all the same.
//  4. What is left over is a deny, as is every zero or unknown input. Where the
//     class of the mapping and that of the catalogue differ, the stricter holds.
//
// The decision counts nothing and knows nobody: how many have approved, whether
// a consent stands and which budgets are left is found out by the caller, under
// the lock of the commit where it must be exact. It says which budgets count.
//
// # Tenants
//
// An overlay is laid over the reasons once, at load, and is refused unless it
// only takes away (the pattern of the reference aside). So the catalogue bounds
// what any tenant gets, and a decision for a tenant costs one look-up more.
//
// # Two stages
//
// Decide answers for the case as it is, Best for the best case of the same
// caller: the scope is bound to them, the text is prose, the data is live,
// consents and approvals are given, a hold was placed by somebody else. Who the
// caller is, when it is and where they are stays as it is. What Decide allows
// Best allows, and where Best denies, Decide denies with the same Why. So Best,
// asked with nothing but the label of a token, fixes what a caller may be told
// about it, before anything is read.
//
// # Destinations
//
// A Route is one destination or several at one time, of which the strictest
// action counts. A value goes as it is only while every agreement that its
// destination requires is in force: one that has expired is as good as none, from
// its day on and without a reload.
//
// # Retention
//
// The bundle also says how long a value may be kept at most, by what it is, whose
// it is, where it goes and in what kind of scope. Of all that is said of a value
// the shortest counts, so that a rule can be added without a look at the others:
// it never lengthens. What is not in the catalogue is kept for no time.
//
// # From where a policy comes
//
// A Bundle is the files of a policy in a directory or an archive: read and
// bounded first, believed only when its names, tables and texts hold, so that a
// bad one never takes the place of a good one. Its signature, a C2SP signed note,
// covers every file. Who is to agree to a change is shown what it does: Diff puts
// first what widens and counts as widened what it cannot show to narrow, Matrix
// says who can restore what for which reason and misses nothing that is allowed,
// and Explain gives a decision with all that it came from.
//
// # What is lost on failure
//
// Nothing: all that is kept is what the rules said, and they say it again. A
// bundle that does not load leaves the caller with the Policy it had; a fault
// inside a decision is a deny (WhyFault), and is not remembered.
package access
