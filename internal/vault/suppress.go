package vault

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
)

// suppress masks findings whose values were erased and are kept out, such as
// those of a history that is sent again. The commit is what guards: it refuses a
// new mapping for such a value. A dry run looks, too, and so shows what would be
// masked.
func (j *tokenizeJob) suppress(ctx context.Context) error {
	if !j.suppressing && !j.req.DryRun {
		return nil
	}
	byLookup := make(map[Digest][]int)
	var lookups []Digest
	for i := range j.found {
		f := &j.found[i]
		if f.kept != nil || f.action != access.ActTokenize {
			continue
		}
		lookup := j.lookup(f.entity, f.value)
		if byLookup[lookup] == nil {
			lookups = append(lookups, lookup)
		}
		byLookup[lookup] = append(byLookup[lookup], i)
	}
	if len(lookups) == 0 {
		return nil
	}
	suppressed, err := j.s.remains.Suppressed(ctx, j.call.Caller.Tenant, Digest(j.keys.index.Scope(j.req.Scope)), lookups)
	if err != nil {
		return err
	}
	for _, lookup := range suppressed {
		for _, i := range byLookup[lookup] {
			j.found[i].action, j.found[i].suppressed = access.ActMask, true
		}
	}
	return nil
}

// lookup is the digest by which a value is found across scopes.
func (j *tokenizeJob) lookup(e access.Entity, value string) Digest {
	return j.keys.index.Lookup(e.Name, detect.Normalise(detect.Normaliser(e.Normaliser), value))
}

// ForgetSuppressions deletes suppressions of a tenant whose time is over, and
// tells whether there may be more.
func (s *Service) ForgetSuppressions(ctx context.Context, tenant string) (more bool, err error) {
	n, err := s.remains.ForgetSuppressions(ctx, tenant, ClaimSweep)
	return n == ClaimSweep, public(err)
}
