package payload

// Limits. Options may lower MaxDepth and MaxLeaves and raise nothing.
const (
	// MaxBytes bounds a body. It is several times what the interface takes, so
	// that the answer of a model with images in it fits as well.
	MaxBytes = 16 << 20
	// MaxDepth bounds the nesting of one JSON text. The deepest body that the
	// providers document has 14 levels. It bounds the recursion of the walk
	// too: (MaxNested+1) * MaxDepth.
	MaxDepth = 128
	// MaxNested bounds JSON in a string in JSON: the arguments of a tool, a
	// document in them, and a message in that. Deeper ones are plain text.
	MaxNested = 3
	// MaxLeaves bounds leaves and skips together. A megabyte of table rows
	// has about 115,000. Each takes some 150 bytes while it is worked on.
	MaxLeaves = 1 << 17
	// MaxPointerBytes bounds all pointers of a body together: without it, one
	// long key above many leaves would cost the square of the body.
	MaxPointerBytes = 16 << 20
	// NumberDigits is the length from which a number is a leaf. The shortest
	// telephone numbers and account numbers worth hiding have seven digits.
	NumberDigits = 7
	// MaxIdentifier bounds a string that counts as structure: the ids of
	// providers and the resource names of clouds stay below it.
	MaxIdentifier = 256
)
