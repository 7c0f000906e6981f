package payload

// Kind is what a leaf is in JSON.
type Kind string

// The kinds.
const (
	KindText   Kind = "text"
	KindKey    Kind = "key"
	KindNumber Kind = "number" // an edit of a number makes it a string
)

// Place is where in a conversation a leaf stands. It is as good as the shape:
// in plain JSON all is prose, and so is what no format documents, unless it is
// named as what tools are called with usually is.
type Place string

// The places.
const (
	PlaceProse Place = "prose"
	PlaceTool  Place = "tool" // in what a tool is called with
)

// The roles, in one spelling for all providers.
const (
	RoleSystem    = "system"
	RoleUser      = "user"
	RoleAssistant = "assistant"
	RoleTool      = "tool"
)

// Leaf is one piece of a body that may hold personal data.
type Leaf struct {
	Pointer string // RFC 6901; of a key, that of its member. It goes on into JSON in a string
	Kind    Kind
	Text    string // decoded; of a number, its literal
	Role    string // whose words they are, "" where nobody's
	Place   Place
	Tool    string // which tool, where Place is PlaceTool and the body says it
}

// Skip is a part of a body that is not searched.
type Skip struct {
	Pointer string `json:"pointer"`
	Why     string `json:"why"`
}

// Why something is not searched: a closed list.
const (
	WhyStructure   = "structure"    // an identifier or a number that the API itself reads
	WhySchema      = "schema"       // the JSON schema of a tool or of an answer
	WhyMedia       = "media"        // an image, a sound or a file, in base64
	WhyDataURL     = "data_url"     // the same, in a data URL
	WhyBinary      = "binary"       // a signature or ciphertext, in base64
	WhyNumberShort = "number_short" // a number of fewer than NumberDigits digits, or a list of such
	WhyPolicy      = "policy"       // a body of unknown shape, where the policy is to let it be
)

// Unknown is the policy for bodies of unknown shape.
type Unknown string

// The policies. None at all refuses.
const (
	UnknownRefuse    Unknown = "refuse"
	UnknownEveryLeaf Unknown = "every_leaf"
	UnknownSkip      Unknown = "skip"
)

// Options say how to read a body.
type Options struct {
	Shape     Shape   // "": Detect tells
	Unknown   Unknown // for bodies of UnknownShape
	MaxDepth  int     // 0: MaxDepth; it may lower the limit only
	MaxLeaves int     // 0: MaxLeaves; it may lower the limit only
}

// Document is a body that was read. It keeps a copy and never changes; all of
// its methods may be called at the same time.
type Document struct {
	shape   Shape
	texts   []level
	leaves  []Leaf
	origins []origin // of the leaves
	skips   []Skip
	faults  faults

	maxDepth int
}

// level is the body, or JSON in a string of a level before it.
type level struct {
	text       string
	parent     int    // whose string it is
	start, end uint32 // that string, without quotes; of the body nothing
	depth      int    // how many levels it is below the body
}

// origin is where a leaf stands.
type origin struct {
	level      int
	start, end uint32 // its inside, or the literal of a number
	deed       deed   // what decided that it is a leaf
}

// faults take guards out, so that tests can see that it is noticed.
type faults struct {
	plainEscape bool // new text is not escaped
	rawOffsets  bool // an offset in a text is taken for one in its string
	trustAll    bool // members that the shape does not know are skipped
	anyKeys     bool // an envelope may have a key twice
	joining     bool // two halves of a character may meet
}

// Parse reads a body strictly and finds its leaves.
func Parse(body []byte, opts Options) (*Document, error) {
	return parse(body, opts, faults{})
}

func parse(body []byte, opts Options, broken faults) (*Document, error) {
	maxDepth := limit(opts.MaxDepth, MaxDepth)
	tape, failed := scanBody(string(body), maxDepth)
	if failed != nil {
		return nil, failed
	}
	shape := opts.Shape
	if shape == "" {
		shape = tape.shape()
	}
	root, ok := shapes[shape]
	if !ok {
		return nil, &Error{Rule: RuleShapeName}
	}
	d := &Document{shape: shape, texts: []level{{text: tape.text}}, faults: broken, maxDepth: maxDepth}
	if shape == UnknownShape {
		switch opts.Unknown {
		case UnknownRefuse, "":
			return nil, &Error{Rule: RuleUnknownShape}
		case UnknownSkip:
			d.skips = []Skip{{Why: WhyPolicy}}
			return d, nil
		case UnknownEveryLeaf:
		default:
			return nil, &Error{Rule: RulePolicyName}
		}
	}
	w := newWalker(d, tape, limit(opts.MaxLeaves, MaxLeaves))
	w.apply(root, 0, spot{place: PlaceProse})
	return w.finish()
}

// limit lowers a limit where the caller asked for less.
func limit(asked, most int) int {
	if asked <= 0 || asked > most {
		return most
	}
	return asked
}

// Shape is what the body was read as.
func (d *Document) Shape() Shape { return d.shape }

// Leaves are in the order of the body. They are shared: change nothing.
func (d *Document) Leaves() []Leaf { return d.leaves }

// Skipped is what is not searched, in the order of the body. It is shared:
// change nothing. The literals true, false and null are not listed.
func (d *Document) Skipped() []Skip { return d.skips }
