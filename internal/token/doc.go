// Package token says what a token looks like: it mints one, parses one, and finds
// them in a text or a stream, also as models spoil them, with the place where
// each stands. It is pure: no store, no keys, no clock; randomness is passed in.
//
// # Form
//
//	label   [LABEL_iiiiiiiicc]   8 symbols of random id, 2 check characters
//	opaque  tok_ and 28 symbols  128 bits in 26 symbols, 2 check characters
//
// Symbols are Crockford base 32 (https://www.crockford.com/base32.html), capitals
// in labels and small letters in opaque tokens. A token has one text form:
// Parse(s).String() == s, or an error. The check characters are a Reed-Solomon
// code of distance 3 over GF(32) on the id, XORed with ten bits of a CRC of the
// label. Any two wrong characters are caught. Within a Vocabulary no two labels
// share those ten bits, so every wrong label is caught too. What has three and
// more errors passes once in 1,024 times and then reads as some other id; of the
// 2^40 ids nearly none lives, and the caller compares the label as well.
//
// A token is no authority and its check is no signature: whoever knows this page
// can write one. The id says nothing about the value.
//
// # Reading
//
// A strict candidate is exactly the bytes of a token of the vocabulary, whatever
// surrounds it; an opaque one must not touch a letter, digit or underscore. A
// tolerant candidate may differ in these ways, together or alone, and counts only
// if its check characters hold:
//
//   - case; O for 0, I and L for 1
//   - one or both brackets lost, or full-width, lenticular (【】, 〔〕), white square
//     (⟦⟧) or percent-encoded (%5B, %5D), or with a backslash before them
//   - spaces, line ends, hyphens, underscores, backslashes and zero-width
//     characters inside, MaxInserted altogether; at an underscore of the label and
//     before the id at least one of them must stand
//
// Where a bracket is missing, no word may touch that end, except in scripts that
// write no spaces. One pair of brackets is taken and no more: a second pair is the
// user's. Tolerant ids need a digit from 2 to 9 and a letter, which Mint takes
// care of: so neither words nor telephone numbers behind a label's name are read
// as ids. An id without them is found in its strict form only.
//
// Scan, TokenLike and Stream run one automaton, which reads forward from one
// position and never further than a candidate is long. Time is linear in the
// text. A stream waits exactly where the automaton asks for more text.
//
// # Place
//
// The place of a token depends on what comes before it and on nothing after, so
// that a stream decides as the whole text does. A token counts as one symbol: its
// brackets end nothing. In doubt, within a run without white space, it is a URL.
// A URL is
//
//   - what follows "://", "//", "\\" or a mixture of the slashes, "www.", a known
//     scheme and a colon (mailto, data, javascript and others), a host name with a
//     dot before "/", "?" or "#", or a token of the entity URL; or DOMAIN_NAME or
//     IP_ADDRESS before one of the three: up to ASCII white space, the end of an
//     HTML tag, or the quotation mark that stands directly before it
//   - the destination of a Markdown link or image, from "](" to its parenthesis or
//     the end of the paragraph, and of a reference definition, "[x]:"
//   - the inside of an HTML tag behind its name, quoted values respected
//
// Code is a fenced block or what stands between backticks, until the paragraph
// ends; a URL in code is a URL. Everything else is prose.
//
// Not covered: what stands behind the token (the value becomes a sub-domain, a
// user name or the beginning of a path); paths and queries without a host or a
// scheme; host names without a dot; values of other entities than the three that
// are URLs; destinations in wiki text, AsciiDoc, BBCode and TeX other than by
// their scheme; text that becomes a URL only when decoded once more.
//
// # Failure
//
// Nothing here can fail but the source of randomness. A reading that was missed
// leaves a token in the text, unrestored; one too many asks the store for an id
// that does not live there. Neither gives a wrong value.
package token
