// Package stream restores a model's answer while it streams. It is pure: bytes go
// in, candidates come out, answers go in, bytes come out.
//
//	Push(chunk) or Close()   bytes, cut anywhere
//	Pending()                what reads as a token and is decided, with its place
//	Drain(dst, answers)      all bytes that are free to go
//
// # Reading
//
// An event stream is cut into frames as the WHATWG says (HTML section 9.2.6), and
// NDJSON into lines. A frame's JSON is read strictly (RFC 8259), by package
// payload. Each text of the answer that arrives in pieces is a channel: the
// content of a choice, a block, an item, the arguments of a call. A channel has
// its own token.Stream, so that a token may be cut over any number of frames and
// its place is what it is in the whole text. The lists of those texts are one
// file for each API: chat.go, responses.go, anthropic.go, chunks.go. All other
// strings of a frame are whole texts, read as package payload reads a body.
//
// What a tool is called with is JSON within the strings of the frames. It is read
// one character at a time; each string inside is a text of its own, a key too,
// and may hold JSON again, as deep as payload.MaxNested. What takes the place of
// a token is escaped once for each string around it. A string is taken for JSON
// as long as it is. From where it is not it is a text, whose beginning counts for
// the places: a token that begins with a bracket is not lost for having looked
// like a list. A string that turns out to be no JSON, or that is cut off, has
// been escaped as JSON up to there. That is the one difference to the whole text,
// which is read as text from its beginning then (invariant 19 holds for all
// others).
//
// Thinking of Anthropic's models stays as it is: it is signed. So do the
// probabilities of a model's own tokens (logprobs), which are pieces of words.
//
// # Writing
//
// Every byte that is not replaced stays as it is, in the order in which it came,
// but for tails: the end of a delta that could be the beginning of a token is
// taken out of its frame and stands before the next delta of its channel. A delta
// may become empty so; its frame goes out all the same. Where the channel ends
// within a frame that has a delta of it, the rest goes into that; otherwise a
// frame is put before it that is a copy of the channel's last, without anything
// but what says which text it is (form.go); it repeats that one's sequence number,
// where there are such. The output depends on the frames, not on how the input was
// cut.
//
// # Doubt
//
// A frame that could not be read, although it begins like JSON, that has a key
// twice where it matters, or that is longer than MaxFrame without a name that
// says that it is no delta, may belong to any channel. Behind it nobody knows
// where a token would stand, in a URL perhaps; so everything from there on passes
// as it is, tokens and all (Blind). So does a channel beyond MaxChannels, and one
// that goes on after its end. Frames that are no JSON at all pass and change
// nothing. No byte is lost or moved in any of these.
//
// Events of an API that nobody knows may carry the pieces of a text in any of
// their strings. Tokens that are whole in one of them are found; for their places
// the strings at one place of all such events count as one text. A string of a
// known API at a place that is not known for whole texts is in doubt a URL.
//
// # Limits and failure
//
// Kept at any time are one frame that is not whole, at most MaxFrame bytes, and
// of each channel at most MaxHeld bytes that are held back, their form of at most
// as many, and the readers of at most payload.MaxNested+2 strings within each
// other, less than 8 KiB each: together less than MaxFrame + MaxChannels * 64 KiB
// = 17 MiB in the worst case, some kilobytes in the usual one. What is pending is
// besides as long as what was pushed since the last Drain, and room to work on one
// frame is needed while that frame is read. Time is
// linear in the stream. Nothing here fails but a call after Close. Nothing is
// kept beyond the life of a Stream: if the process ends, so does the stream.
package stream
