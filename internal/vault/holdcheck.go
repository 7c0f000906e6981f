package vault

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
)

// matchOf checks a request for a hold and makes digests of the people, values
// and scopes that it names.
func (s *Service) matchOf(keys *keySet, req *HoldRequest) (HoldMatch, error) {
	for _, named := range []struct{ field, name string }{{"/matter", req.Matter}, {"/reference", req.Reference}} {
		if named.name == "" {
			return HoldMatch{}, Invalid(named.field, "is required")
		}
		if err := checkIdentifier(named.field, named.name); err != nil {
			return HoldMatch{}, err
		}
	}
	if err := checkIdentifier("/custodian", req.Custodian); err != nil {
		return HoldMatch{}, err
	}
	if !req.ReviewBy.IsZero() && !req.ReviewBy.After(s.clock()) {
		return HoldMatch{}, Invalid("/review_by", "must be in the future")
	}
	req.ReviewBy = req.ReviewBy.UTC().Truncate(time.Microsecond)
	if err := s.checkHoldWords(&req.Match); err != nil {
		return HoldMatch{}, err
	}
	w := &req.Match
	match := HoldMatch{
		Entities: unique(w.Entities), Classes: unique(w.Classes), Destinations: unique(w.Destinations), BySent: w.BySent,
		From: w.From.UTC().Truncate(time.Microsecond), To: w.To.UTC().Truncate(time.Microsecond),
	}
	for _, name := range w.Subjects {
		match.Subjects = append(match.Subjects, keys.index.Subject(name))
	}
	for _, name := range w.Scopes {
		match.Scopes = append(match.Scopes, keys.index.Scope(name))
	}
	match.Lookups = s.lookups(keys, w.Identifiers)
	match.Subjects, match.Scopes = uniqueDigests(match.Subjects), uniqueDigests(match.Scopes)
	return match, nil
}

func (s *Service) checkHoldWords(w *HoldWords) error {
	terms := len(w.Subjects) + len(w.Identifiers) + len(w.Scopes) + len(w.Entities) + len(w.Classes) + len(w.Destinations)
	switch {
	case terms > MaxHoldTerms:
		return tooLarge("/match", "hold_terms", MaxHoldTerms)
	case terms == 0 && w.From.IsZero() && w.To.IsZero():
		return Invalid("/match", "must say what the hold is about")
	case !w.From.IsZero() && !w.To.IsZero() && !w.From.Before(w.To):
		return Invalid("/match/to", "must be after from")
	case w.BySent && w.From.IsZero() && w.To.IsZero() && len(w.Destinations) == 0:
		return Invalid("/match/time_field", "goes with from, to or destinations")
	}
	for i, name := range w.Subjects {
		if err := checkName("/match/subjects/"+strconv.Itoa(i), name, true); err != nil {
			return err
		}
	}
	for i, name := range w.Scopes {
		if err := checkName("/match/scopes/"+strconv.Itoa(i), name, true); err != nil {
			return err
		}
	}
	for i, name := range w.Entities {
		if _, known := s.rules().Entity(name); !known {
			return Invalid("/match/entities/"+strconv.Itoa(i), "is not an entity of the policy")
		}
	}
	for i, name := range w.Classes {
		if !slices.Contains(access.Classes(), access.Class(name)) {
			return Invalid("/match/classes/"+strconv.Itoa(i), "must be one of public, internal, confidential, restricted")
		}
	}
	for i, name := range w.Destinations {
		// Also one that the policy dropped: values were sent there.
		if !destinationName.MatchString(name) {
			return Invalid("/match/destinations/"+strconv.Itoa(i), "must match "+destinationName.String())
		}
	}
	return s.checkIdentifiers("/match/identifiers", w.Identifiers)
}

// checkSentThere refuses a destination that the policy does not know and to which
// nothing was sent: a name that is misspelt would hold nothing.
func (s *Service) checkSentThere(ctx context.Context, tenant string, destinations []string) error {
	for i, name := range destinations {
		if _, known := s.rules().Destination(name); known {
			continue
		}
		reach, err := s.custody.Reach(ctx, tenant, HoldMatch{Destinations: []string{name}})
		if err != nil {
			return public(err)
		}
		if reach.Mappings == 0 {
			return Invalid("/match/destinations/"+strconv.Itoa(i), "is not in the policy, and nothing was sent there")
		}
	}
	return nil
}

// destinationName is how the catalogue names destinations.
var destinationName = regexp.MustCompile(`^[a-z0-9][a-z0-9._/-]{0,63}$`)

// checkIdentifiers checks values that a person is known by.
func (s *Service) checkIdentifiers(field string, identifiers []Identifier) error {
	for i, id := range identifiers {
		at := field + "/" + strconv.Itoa(i)
		if _, known := s.rules().Entity(id.Entity); !known {
			return Invalid(at+"/entity", "is not an entity of the policy")
		}
		switch {
		case id.Value == "":
			return Invalid(at+"/value", "is required")
		case len(id.Value) > MaxValueBytes:
			return tooLarge(at+"/value", "value_bytes", MaxValueBytes)
		case !utf8.ValidString(id.Value):
			return Invalid(at+"/value", "must be valid UTF-8")
		}
	}
	return nil
}

// lookups are the digests by which values are found across scopes, however
// they were written.
func (s *Service) lookups(keys *keySet, identifiers []Identifier) []Digest {
	var digests []Digest
	for _, id := range identifiers {
		entity, _ := s.rules().Entity(id.Entity) // checkIdentifiers has seen it
		digests = append(digests, keys.index.Lookup(id.Entity, detect.Normalise(detect.Normaliser(entity.Normaliser), id.Value)))
	}
	return uniqueDigests(digests)
}
