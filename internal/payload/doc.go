// Package payload knows which strings of a JSON body are text, and puts new
// text into them without touching anything else.
//
// # Reading
//
// Parse scans a body once, strictly (RFC 8259, UTF-8, no byte order mark), onto
// a tape of offsets, tells its shape, and walks the tape by the rules of that
// shape. The rules are tables, one file for each API: openai.go, responses.go,
// anthropic.go, gemini.go, mcp.go. The result is a list of leaves (texts, keys
// of free JSON, numbers of NumberDigits digits and more), each with its pointer
// and its place, and a list of what is skipped and why. Together they are the
// coverage Manifest.
//
// Doubt goes towards searching. A member that the tables do not know is free
// JSON: its name, its keys and all it holds are leaves. What the tables call
// structure is skipped only if it could be an identifier, media only if it is
// base64; anything else found there is a leaf. An object of the API's own
// envelope may not have a key twice, since two readers could take two different
// ones; in free JSON a key may come twice, and both are leaves.
//
// JSON in strings (arguments of tools, and strings in free JSON, that are an
// object or an array as a whole) is read as JSON, up to MaxNested levels; its
// pointers go on behind that of the string. What is cut off or is no JSON is one
// text. Messages are texts always, also where a model answers in JSON.
//
// # Writing
//
// Splice replaces parts of leaves. Every byte outside of them is that of the
// input: white space, escapes, order and repetition of keys, 1e400, -0, halves
// of surrogate pairs. Inside, the string stands for what was asked for, with the
// fewest escapes, at each level of JSON in strings. So a value that was spelled
// with an escape comes back as the same value, perhaps in fewer bytes. Two
// things change: a number that is edited becomes a string, and half a surrogate
// pair that is replaced has become U+FFFD, as which it was read.
//
// Whether the result is read alike is not always up to Splice: see Rereads.
//
// # Limits and failure
//
// Time and memory are linear in the body, whatever it holds; limits.go bounds
// the rest. Nothing is kept and nothing is retried: a body that cannot be read
// whole gives an error and no leaves, and errors hold places and rules, never
// what stood there. What the tables skip is not searched by anything behind
// this package, and the manifest says so.
package payload
