package export

import (
	"fmt"
	"strings"
)

// ListAfter is the number of objects of a day after which they are moved to a
// listing, whose own name takes their place. A cursor and a manifest stay small
// however much a day has: a listing may begin with the one before it.
const ListAfter = 120

// listing is the text form of objects, which `sha256sum --check` reads from the
// folder of the tenant.
func listing(objects []Object) string {
	var b strings.Builder
	for _, object := range objects {
		b.WriteString(object.SHA256 + "  " + object.Name + "\n")
	}
	return b.String()
}

// ParseListing reads exactly what an export writes: a line for each object, the
// SHA-256 in hex, two spaces, and the name. The first may be another listing.
func ParseListing(body string) ([]Object, error) {
	var objects []Object
	for line := range strings.Lines(body) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		object := Object{Name: name, SHA256: sum}
		if err := object.check(); err != nil {
			return nil, err
		}
		if objects = append(objects, object); len(objects) > MaxManifestObjects {
			return nil, fmt.Errorf("%w: more than %d objects", ErrManifest, MaxManifestObjects)
		}
	}
	if len(objects) == 0 || listing(objects) != body {
		return nil, fmt.Errorf("%w: a listing has a line for each object", ErrManifest)
	}
	return objects, nil
}

// IsListing tells whether an object lists others.
func (o Object) IsListing() bool { return strings.HasPrefix(o.Name, listingFolder) }
