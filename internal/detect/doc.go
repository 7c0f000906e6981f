// Package detect finds personal data and secrets in a text.
//
// # Design
//
// A text is first folded: full-width forms, letters of formulae and foreign decimal digits become ASCII, odd spaces become
// a space, odd hyphens become '-', invisible characters vanish, and so do marks over digits. Letters of another script that
// look like Latin ones become those where they stand in one word with Latin letters or digits, so that a word of one script
// stays what it is. Reserved ranges become one NUL. Most texts fold to themselves, and then nothing is copied.
// Recognisers see the folded text only; spans are mapped back, so offsets are always byte offsets of the text the caller
// holds.
//
// One pass over the folded text then looks at each byte once, for a trigger: the first digit of a number, '@', ':', '-', a
// word that holds a digit, or the end of a literal of the keyword automaton ("ghp_", "-----BEGIN"). A recogniser runs only
// where its trigger fired and looks at a window of named size around it. No recogniser backtracks, so the time is linear in
// the text, also for hostile texts. A test compares this with expressions that go over the whole text: nothing is lost.
//
// Recognisers come in families, one for each kind of value: see family. A recogniser scores what it found: shape, checksum,
// context words (whole words, nearest one decides). What scores below its entity's threshold is dropped, and Resolve settles
// overlaps once. Some entities are looked for only by those who ask for everything.
//
// How well it does is measured, see EVAL.md.
//
// # Promises
//
//   - Spans are sorted, do not overlap, are never empty, lie on UTF-8 boundaries and inside the text, whatever
//     bytes the text holds; two calls with the same text give the same spans.
//   - Nothing reported touches a reserved range, and no value continues across one.
//   - Detection that cannot run is an error, never a shorter list: a recogniser that panics or reports an
//     impossible span gives ErrFailed, a deadline ErrTimeout, a text above the limit ErrTooLarge. The caller
//     must fail the request. Errors name the recogniser and never quote the text.
//
// What detection misses is not protected by anything behind it. Rules are heuristics: this package
// promises the mechanics above, not recall.
//
// # Sources
//
// Entity names are those of Microsoft Presidio. Characters that look alike: Unicode UTS #39. E-mail shape: RFC 5321,
// 5322, 6531. Card ranges: ISO/IEC 7812 and the issuers' published ranges; Luhn: ISO/IEC 7812-1 annex B. IBAN: ISO 13616
// and SWIFT's registry; mod 97: ISO 7064. SSN: what the Social Security Administration never issues. IP: RFC 791, 4291,
// 5952. PEM: RFC 7468. Phone validity: github.com/nyaruka/phonenumbers, a port of libphonenumber; the candidate finder
// is our own. Prefixes, alphabets and lengths of secrets are facts taken from the rule table of gitleaks
// (https://github.com/gitleaks/gitleaks, config/gitleaks.toml, MIT licence, copyright Zachary Rice), to whose authors
// the credit is due.
package detect
