package access

import (
	"fmt"
	"regexp"
)

// Change is what change.yaml says of where a bundle comes from. Fields that are
// not given are empty, all of them where there is no file: such a bundle may be
// read and tried out, and whoever puts policies in force demands more.
type Change struct {
	PR          string `yaml:"pr" json:"pr"`
	Commit      string `yaml:"commit" json:"commit"`
	TestsDigest string `yaml:"tests_digest" json:"tests_digest"`
	Notes       string `yaml:"notes" json:"notes"`
}

const (
	// maxChangeReference is a link to a pull request; maxChangeNotes is what
	// people read before they agree.
	maxChangeReference = 256
	maxChangeNotes     = 4_000
)

var (
	changeReference = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:/._#?=&@-]*$`)
	changeCommit    = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
)

// Change says where the bundle comes from.
func (b *Bundle) Change() Change { return b.change }

// readChange reads change.yaml. The digest ties it to the tests: a file that
// was carried over from another bundle would speak of tests that are not here.
func (b *Bundle) readChange() (Change, error) {
	text, ok := b.files[fileChange]
	if !ok {
		return Change{}, nil
	}
	var c Change
	if err := decodeYAML(text, &c); err != nil {
		return Change{}, err
	}
	switch {
	case c.PR != "" && (len(c.PR) > maxChangeReference || !changeReference.MatchString(c.PR)):
		return Change{}, fmt.Errorf("pr must match %s and have at most %d bytes", changeReference, maxChangeReference)
	case c.Commit != "" && !changeCommit.MatchString(c.Commit):
		return Change{}, fmt.Errorf("commit must match %s", changeCommit)
	case len(c.Notes) > maxChangeNotes:
		return Change{}, fmt.Errorf("notes must have at most %d bytes", maxChangeNotes)
	case c.TestsDigest != "" && c.TestsDigest != b.TestsDigest():
		return Change{}, fmt.Errorf("tests_digest is not that of %s/ and %s/, which is %s", dirDecisions, dirTexts, b.TestsDigest())
	}
	return c, nil
}
