package detect

import (
	"context"
	"strings"

	"github.com/counterfoil/counterfoil/internal/detect/names"
)

// What has no digits and no prefix, by Presidio's names. A LOCATION is a place or a whole address.
const (
	Person       = "PERSON"
	Location     = "LOCATION"
	Organization = "ORGANIZATION"
)

// namesFamily is who and where. Organisations are opt-in: most prompts name some that are no secret.
func namesFamily() family {
	return family{
		thresholds: map[string]float64{Person: 0.5, Location: 0.5},
		optIn:      map[string]float64{Organization: 0.5},
		recognisers: func() []recogniser {
			return []recogniser{
				{name: "names/person", entity: Person, on: onText, whole: findNames},
				{name: "names/location", entity: Location, on: onText, whole: findNames},
				{name: "names/organization", entity: Organization, on: onText, whole: findNames},
			}
		},
		facts: []any{names.Version()},
	}
}

var nameEntities = map[names.Class]string{names.Person: Person, names.Location: Location, names.Organization: Organization}

// addressRules begin the names of the rules whose findings may hold other values.
const addressRules = "address/"

// maxHeld is how long a value is that an address may hold: postal codes, and numbers of houses that look like something
// else. A card beside an address is no part of it.
const maxHeld = 10

// findNames runs the model once, whichever of its entities are wanted. What has been found by shape or checksum is surer
// than a name, so a name that overlaps it is dropped, and an address is cut off there.
func findNames(ctx context.Context, s *scan) error {
	if s.named {
		return nil
	}
	s.named = true
	taken := Resolve(s.likely())
	return names.Default().Find(ctx, s.text, func(f names.Finding) {
		entity := nameEntities[f.Class]
		if _, wanted := s.d.thresholds[entity]; !wanted {
			return
		}
		for len(taken) > 0 && taken[0].End <= f.Start {
			taken = taken[1:]
		}
		if s.fits(&f, taken) {
			s.report(entity, f.Rule, f.Start, f.End, f.Score)
		}
	})
}

// fits settles a finding with what is taken from its place on, and says whether something of it is left.
func (s *scan) fits(f *names.Finding, taken []Span) bool {
	address := strings.HasPrefix(f.Rule, addressRules)
	for _, t := range taken {
		switch holds := f.Start <= t.Start && t.End <= f.End; {
		case t.Start >= f.End:
			return true
		case !address:
			return false
		case holds && t.End-t.Start <= maxHeld && t.End-t.Start < f.End-f.Start:
		case t.Start-f.Start > f.End-t.End:
			f.End = t.Start
			for f.End > f.Start && !s.inWord(f.End-1) {
				f.End--
			}
			return f.Start < f.End
		default:
			f.Start = min(t.End, f.End)
			for f.Start < f.End && !s.inWord(f.Start) {
				f.Start++
			}
		}
	}
	return f.Start < f.End
}

func (s *scan) inWord(i int) bool { return isWordByte(s.text[i]) || isDigit(s.text[i]) }

// likely is what has been found so far and reaches the threshold of its entity.
func (s *scan) likely() []Span {
	var out []Span
	for _, sp := range s.spans {
		if threshold, known := s.d.thresholds[sp.Entity]; known && sp.Score >= threshold {
			out = append(out, sp)
		}
	}
	return out
}
