package access

import (
	"fmt"
	"slices"
)

// PayloadRules say what is done with what in a provider's body is no plain
// text. The zero value is filled with the strict default of each.
type PayloadRules struct {
	// Keys and Numbers are block, the default, or tokenize: what becomes of a
	// finding in the name of a member, or in a number. A number with a token in
	// its place is a string, and comes back as one.
	Keys    EntityAction `yaml:"keys"`
	Numbers EntityAction `yaml:"numbers"`
	// Unknown says what becomes of a body whose shape nothing tells.
	Unknown UnknownShape `yaml:"unknown"`
}

// UnknownShape is what becomes of a body of unknown shape.
type UnknownShape string

// What becomes of a body of unknown shape.
const (
	UnknownRefuse    UnknownShape = "refuse"     // 422
	UnknownEveryLeaf UnknownShape = "every_leaf" // all of it is searched; the default
	UnknownSkip      UnknownShape = "skip"       // none of it is searched, and the coverage says so
)

func (r PayloadRules) check(destination string) (PayloadRules, error) {
	for name, action := range map[string]*EntityAction{"keys": &r.Keys, "numbers": &r.Numbers} {
		switch *action {
		case "":
			*action = ActBlock
		case ActBlock, ActTokenize:
		default:
			return r, fmt.Errorf("payload: %s must be block or tokenize", name)
		}
	}
	switch r.Unknown {
	case "":
		r.Unknown = UnknownEveryLeaf
	case UnknownRefuse, UnknownEveryLeaf:
	case UnknownSkip:
		if destination == DefaultDestination {
			return r, fmt.Errorf("payload: %s may not skip anything", DefaultDestination)
		}
	default:
		return r, fmt.Errorf("payload: unknown must be refuse, every_leaf or skip")
	}
	return r, nil
}

// stricter takes the stricter of each.
func (r PayloadRules) stricter(other PayloadRules) PayloadRules {
	if other.Keys == ActBlock {
		r.Keys = ActBlock
	}
	if other.Numbers == ActBlock {
		r.Numbers = ActBlock
	}
	laxest := []UnknownShape{UnknownSkip, UnknownEveryLeaf, UnknownRefuse}
	r.Unknown = laxest[max(slices.Index(laxest, r.Unknown), slices.Index(laxest, other.Unknown))]
	return r
}
