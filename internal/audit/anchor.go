package audit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxAnchor is the size in bytes of the largest anchor that is read: its own
// lines and a checkpoint.
const MaxAnchor = MaxCheckpoint + 1<<10

// An Anchor is what is kept outside the database about one log, so that a
// database put back from an older copy is noticed: a head behind the anchor is
// refused. Tombstones is the digest of what was erased up to then.
//
// The checkpoint binds size and root by signature. Time and tombstones are as
// trustworthy as the place where the anchor is kept.
type Anchor struct {
	Tenant     string
	Size       int64
	Root       Hash
	Tombstones Hash
	Time       time.Time
	Checkpoint string
}

// The text form has one line per field, in this order, then the checkpoint as
// it was signed:
//
//	counterfoil-anchor 1
//	tenant acme
//	size 17
//	root <base64>
//	tombstones <base64>
//	time 2026-01-02T03:04:05.000006Z
//	checkpoint
//	<the signed note>
const (
	anchorTitle  = "counterfoil-anchor 1"
	anchorFields = 7 // lines before the checkpoint
)

// Marshal writes the text form. It refuses an anchor whose checkpoint states
// something else.
func (a Anchor) Marshal() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	return a.text(), nil
}

func (a Anchor) text() []byte {
	return []byte(anchorTitle +
		"\ntenant " + a.Tenant +
		"\nsize " + strconv.FormatInt(a.Size, 10) +
		"\nroot " + a.Root.String() +
		"\ntombstones " + a.Tombstones.String() +
		"\ntime " + a.Time.UTC().Format(timeLayout) +
		"\ncheckpoint\n" + a.Checkpoint)
}

// check holds the parts against one another. It does not verify the signature:
// that needs a key, see OpenCheckpoint.
func (a Anchor) check() error {
	if !IsName(a.Tenant) {
		return fmt.Errorf("%w: tenant %s", ErrAnchor, nameRule.text)
	}
	if a.Time.IsZero() || validateTime(a.Time) != nil {
		return fmt.Errorf("%w: time must be whole microseconds in the years 1970 to 9999", ErrAnchor)
	}
	body, _, signed := strings.Cut(a.Checkpoint, "\n\n")
	head, err := parseTreeHead(body + "\n")
	if err != nil || !signed || len(a.Checkpoint) > MaxCheckpoint {
		return fmt.Errorf("%w: the checkpoint is not a signed tree head", ErrAnchor)
	}
	tenant, err := TenantOf(head.Origin)
	if err != nil || tenant != a.Tenant || head.Size != a.Size || head.Root != a.Root {
		return fmt.Errorf("%w: the checkpoint states another head", ErrAnchor)
	}
	return nil
}

// ParseAnchor reads exactly what Marshal writes.
func ParseAnchor(b []byte) (Anchor, error) {
	if len(b) > MaxAnchor {
		return Anchor{}, fmt.Errorf("%w: longer than %d bytes", ErrAnchor, MaxAnchor)
	}
	lines := strings.SplitN(string(b), "\n", anchorFields+1)
	if len(lines) != anchorFields+1 {
		return Anchor{}, fmt.Errorf("%w: too few lines", ErrAnchor)
	}
	var a Anchor
	var err error
	bad := false
	// Comparing the text at the end settles names, order and form; here only
	// the values are read.
	value := func(i int) string {
		_, v, _ := strings.Cut(lines[i], " ")
		return v
	}
	a.Tenant, a.Checkpoint = value(1), lines[anchorFields]
	a.Size, err = parseSize(value(2))
	bad = bad || err != nil
	a.Root, err = parseHash(value(3))
	bad = bad || err != nil
	a.Tombstones, err = parseHash(value(4))
	bad = bad || err != nil
	a.Time, err = time.Parse(timeLayout, value(5))
	bad = bad || err != nil
	if bad || string(a.text()) != string(b) {
		return Anchor{}, fmt.Errorf("%w: a line is missing, moved or malformed", ErrAnchor)
	}
	return a, a.check()
}
