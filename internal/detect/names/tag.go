package names

// Class is what a span names.
type Class uint8

// Classes of findings.
const (
	Person Class = iota
	Location
	Organization
	classes
)

// tag is the label of a token: outside of all names, or the first or a later token of one.
type tag uint8

const (
	outside tag = 0
	tags        = 1 + 2*int(classes)
)

func begin(c Class) tag    { return tag(1 + 2*c) }
func inside(c Class) tag   { return tag(2 + 2*c) }
func (t tag) begins() bool { return t%2 == 1 }
func (t tag) class() Class { return Class((t - 1) / 2) }

// follows says whether a name may go on from tag a to tag b.
func follows(a, b tag) bool {
	return b == outside || b.begins() || a == b || a+1 == b
}

// impossible is below the sum of any line of weights.
const impossible = -1 << 28
