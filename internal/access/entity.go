package access

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// EntityTokenLike is the entity of text that only looks like a token. It is
// nobody's data and must come back as it was, so it is always tokenized.
const EntityTokenLike = "TOKEN_LIKE"

// Entity is one kind of value.
type Entity struct {
	Name       string
	Class      Class
	Retention  time.Duration // the longest a mapping may live
	Normaliser string        // one of Normalisers
	Format     string        // of its tokens: "label" or "opaque"
	Action     EntityAction  // where a destination says nothing
}

// EntityAction is what is done to a value on the way to a destination.
type EntityAction string

// The entity actions.
const (
	ActTokenize EntityAction = "tokenize"
	ActMask     EntityAction = "mask"
	ActBlock    EntityAction = "block"
	ActWarn     EntityAction = "warn" // like allow, and the answer and the entry say so
	ActAllow    EntityAction = "allow"
)

// EntityActions returns the closed list.
func EntityActions() []EntityAction {
	return []EntityAction{ActTokenize, ActMask, ActBlock, ActWarn, ActAllow}
}

// InClear says whether a value goes to the destination as it is.
func (a EntityAction) InClear() bool { return a == ActAllow || a == ActWarn }

// Normalisers returns the closed list of names that say what counts as the
// same value when a person is looked up.
func Normalisers() []string {
	return []string{"exact", "fold", "email", "phone", "digits", "alnum", "ip", "mac", "url"}
}

var tokenFormats = []string{"label", "opaque"}

const (
	day = 24 * time.Hour
	// maxRetentionDays is the longest a class may be kept: ten years, more than
	// any scope kind, and far below what would overflow a time.Duration.
	maxRetentionDays = 3650
)

// entityName is also the grammar of a token's label, whose length the scanner
// for tokens relies on.
var entityName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,31}$`)

type entitiesFile struct {
	Version       int                  `yaml:"version"`
	RetentionDays map[Class]int        `yaml:"retention_days"`
	Entities      map[string]entityDoc `yaml:"entities"`
}

type entityDoc struct {
	Class         Class        `yaml:"class"`
	RetentionDays *int         `yaml:"retention_days"`
	Normaliser    string       `yaml:"normaliser"`
	Format        string       `yaml:"format"`
	Action        EntityAction `yaml:"action"`
}

func (f entitiesFile) check() (map[string]Entity, error) {
	if f.Version != fileVersion {
		return nil, fmt.Errorf("version must be %d", fileVersion)
	}
	if len(f.RetentionDays) != classCount {
		return nil, fmt.Errorf("retention_days must give each of the %d classes", classCount)
	}
	for class, days := range f.RetentionDays {
		if _, ok := class.rank(); !ok {
			return nil, fmt.Errorf("retention_days: unknown class %q", class)
		}
		if days < 1 || days > maxRetentionDays {
			return nil, fmt.Errorf("retention_days: %s must be 1 to %d", class, maxRetentionDays)
		}
	}
	if len(f.Entities) == 0 || len(f.Entities) > maxEntities {
		return nil, fmt.Errorf("there must be 1 to %d entities", maxEntities)
	}
	out := make(map[string]Entity, len(f.Entities))
	for name, doc := range f.Entities {
		e, err := doc.entity(name, f.RetentionDays)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = e
	}
	tokenLike, ok := out[EntityTokenLike]
	if !ok || tokenLike.Class != ClassPublic || tokenLike.Action != ActTokenize {
		return nil, fmt.Errorf("%s must exist, public and tokenized", EntityTokenLike)
	}
	return out, nil
}

func (d entityDoc) entity(name string, classDays map[Class]int) (Entity, error) {
	if !entityName.MatchString(name) {
		return Entity{}, fmt.Errorf("the name must match %s", entityName)
	}
	if _, ok := d.Class.rank(); !ok {
		return Entity{}, fmt.Errorf("unknown class %q", d.Class)
	}
	days := classDays[d.Class]
	if d.RetentionDays != nil {
		// The class is the maximum that every other part relies on.
		if *d.RetentionDays < 1 || *d.RetentionDays > days {
			return Entity{}, fmt.Errorf("retention_days must be 1 to %d", days)
		}
		days = *d.RetentionDays
	}
	if !slices.Contains(Normalisers(), d.Normaliser) {
		return Entity{}, fmt.Errorf("unknown normaliser %q", d.Normaliser)
	}
	e := Entity{
		Name: name, Class: d.Class, Retention: time.Duration(days) * day,
		Normaliser: d.Normaliser, Format: d.Format, Action: d.Action,
	}
	if e.Format == "" {
		e.Format = tokenFormats[0]
	}
	if !slices.Contains(tokenFormats, e.Format) {
		return Entity{}, fmt.Errorf("unknown format %q", e.Format)
	}
	if e.Action == "" {
		e.Action = ActTokenize
	}
	if !slices.Contains(EntityActions(), e.Action) {
		return Entity{}, fmt.Errorf("unknown action %q", e.Action)
	}
	return e, nil
}
