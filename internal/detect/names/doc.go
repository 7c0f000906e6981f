// Package names finds people, places and organisations in a text: what has no digits to check and no prefix to know it by.
//
// # Design
//
// A text is cut into tokens in one pass: words, numbers, marks, line ends. E-mail addresses, URLs, @users and identifiers
// with underscores are tokens of their own that can be part of no name. Each word is folded once (small letters, no accents)
// and hashed; a table of hashes says on which lists it is: first names, surnames, places, countries, peoples, common words of
// English. Features of a token (the words around it, how they are written, beginnings, ends, lists, what touches it, what
// kind of line it is in) are hashed into 2^18 buckets of seven weights of one byte, and summed in lanes of two 64-bit words.
// The best sequence of tags (outside, begin and inside of each class) is found by Viterbi's algorithm, line by line.
//
// Rules stand around the model. Addresses are found from their numbers, and take in what adjoins them, over several lines:
// see address.go. A word after "Mr.", "Name:" or below "Regards," is a person, and so is a part of a full name that is
// repeated: see person.go.
//
// The model is an averaged structured perceptron (Collins, EMNLP 2002), trained by `counterfoil detect train` in a minute.
// Training is deterministic: the same data give the same bytes. MODEL.md says what it was trained on, under which
// licences, how well it does, and what it does not do.
//
// # Promises
//
// The time is linear in the text and the memory bounded by the size of a piece (32 kB), whatever the text holds. Findings lie on token
// bounds, so they cut no character, and reach across no NUL, which stands for a reserved range. A Model is immutable.
//
// A fifth of the names is not found, of unusual ones and of names in small letters more; some of what is found is no name.
// Whoever must not lose a name has to say so by other means: spans of the caller, deny lists, an analyzer beside this one.
package names
