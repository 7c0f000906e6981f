package vault

// Preamble is what to tell a model about tokens. It describes them in words:
// an example would be a token that stands for nobody, and a model copies
// examples.
const Preamble = "Some words in this conversation were replaced to protect people. " +
	"Each replacement stands in square brackets: what kind of thing it is, in capital letters with underscores, " +
	"then an underscore and ten capital letters and digits. " +
	"Treat a replacement as the name of the thing that it stands for. " +
	"Where you mention that thing, copy the replacement exactly, with its brackets and every character, " +
	"as plain text and not inside a link. " +
	"The same replacement always means the same thing; different ones mean different things. " +
	"Never change, shorten, translate or invent one, and do not guess what it stands for."
