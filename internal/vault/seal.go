package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/token"
)

// slot is one different value of a request: however often it stands in the
// text, it is sealed once and has one token.
type slot struct {
	entity   access.Entity
	value    string
	identity Digest
	subjects []string
	wrapped  bool
	token    token.Token // as minted; another may stand after the commit
}

// fillSlots makes the digests of a request unique before the upsert.
func (j *tokenizeJob) fillSlots() error {
	j.slots = nil
	known := make(map[Digest]int)
	for i := range j.found {
		f := &j.found[i]
		if f.kept != nil || f.action != access.ActTokenize {
			continue
		}
		identity := Digest(j.keys.index.Identity(j.scope.ID, f.entity.Name, string(f.format), []byte(f.value)))
		at, seen := known[identity]
		if !seen {
			minted, err := token.Mint(f.format, f.entity.Name, rand.Reader)
			if err != nil {
				return fmt.Errorf("vault: mint: %w", err)
			}
			at = len(j.slots)
			known[identity] = at
			j.slots = append(j.slots, slot{
				entity: f.entity, value: f.value, identity: identity, wrapped: f.wrapped, token: minted,
			})
		}
		f.slot = at
		if f.subject != "" && !slices.Contains(j.slots[at].subjects, f.subject) {
			j.slots[at].subjects = append(j.slots[at].subjects, f.subject)
		}
	}
	return nil
}

// sealPlan is what an attempt asks the store to write.
type sealPlan struct {
	subjects map[string]SubjectUse // by the caller's name
	keys     []DataKey
	fresh    []envelope.FreshKey
	mappings []NewMapping
}

// owner is whom a data key belongs to.
type owner struct{ scopeID, subjectRef string }

// seal puts every slot under a data key of its subject, or of the scope where
// nobody is named.
func (j *tokenizeJob) seal(ctx context.Context) (*sealPlan, error) {
	ctx, end := stage.Start(ctx, stage.Seal)
	defer end()
	plan := &sealPlan{}
	if err := plan.readSubjects(ctx, j); err != nil {
		return nil, err
	}
	byOwner := make(map[owner][]int)
	for i, s := range j.slots {
		o := plan.ownerOf(j, s)
		byOwner[o] = append(byOwner[o], i)
	}
	plan.mappings = make([]NewMapping, len(j.slots))
	if j.newScope {
		name, err := j.s.nameScope(ctx, j.call.Caller.Tenant, &j.scope, j.req.Scope)
		if err != nil {
			return nil, err
		}
		plan.add(name, owner{scopeID: j.scope.ID})
	}
	for o, slots := range byOwner {
		if err := plan.sealFor(ctx, j, o, slots); err != nil {
			return nil, err
		}
	}
	return plan, plan.nameSubjects(ctx, j)
}

// nameSubjects seals the callers' names of people who are new, each under a key
// of that person.
func (p *sealPlan) nameSubjects(ctx context.Context, j *tokenizeJob) error {
	tenant := j.call.Caller.Tenant
	for name, use := range p.subjects {
		if !use.New {
			continue
		}
		at := slices.IndexFunc(p.keys, func(k DataKey) bool { return k.SubjectRef == use.Subject.Ref })
		if at < 0 {
			fresh, err := j.s.freshKey(ctx, tenant)
			if err != nil {
				return fmt.Errorf("vault: data key: %w", err)
			}
			at = len(p.keys)
			p.add(fresh, owner{subjectRef: use.Subject.Ref})
		}
		if err := nameSubject(tenant, &use.Subject, name, p.fresh[at].Key); err != nil {
			return fmt.Errorf("vault: seal the name of a subject: %w", err)
		}
		p.subjects[name] = use
	}
	return nil
}

func (p *sealPlan) add(fresh envelope.FreshKey, o owner) {
	p.fresh = append(p.fresh, fresh)
	p.keys = append(p.keys, DataKey{
		ID: fresh.ID, ScopeID: o.scopeID, SubjectRef: o.subjectRef, Wrapped: fresh.Wrapped,
	})
}

// readSubjects finds the subjects that the request names, or proposes them.
func (p *sealPlan) readSubjects(ctx context.Context, j *tokenizeJob) error {
	p.subjects = make(map[string]SubjectUse)
	byDigest := make(map[Digest]string)
	var digests []Digest
	for _, s := range j.slots {
		for _, name := range s.subjects {
			d := Digest(j.keys.index.Subject(name))
			if _, seen := byDigest[d]; !seen {
				byDigest[d] = name
				digests = append(digests, d)
				p.subjects[name] = SubjectUse{New: true, Subject: Subject{
					Digest: d, IndexVersion: j.keys.indexVersion, Ref: NewID(),
				}}
			}
		}
	}
	if len(digests) > MaxSubjects {
		return tooLarge("/", "subjects", MaxSubjects)
	}
	if len(digests) == 0 {
		return nil
	}
	known, err := j.s.store.Subjects(ctx, j.call.Caller.Tenant, digests)
	if err != nil {
		return err
	}
	for _, s := range known {
		p.subjects[byDigest[s.Digest]] = SubjectUse{Subject: s}
	}
	return nil
}

func (p *sealPlan) ownerOf(j *tokenizeJob, s slot) owner {
	if len(s.subjects) > 0 {
		return owner{subjectRef: p.subjects[s.subjects[0]].Subject.Ref}
	}
	return owner{scopeID: j.scope.ID}
}

// sealFor seals slots of one owner under its standing keys while they have
// room, then under fresh ones.
func (p *sealPlan) sealFor(ctx context.Context, j *tokenizeJob, o owner, slots []int) error {
	room, err := p.standingKeys(ctx, j, o)
	if err != nil {
		return err
	}
	for len(slots) > 0 {
		if len(room) == 0 {
			fresh, err := j.s.freshKey(ctx, j.call.Caller.Tenant)
			if err != nil {
				return fmt.Errorf("vault: data key: %w", err)
			}
			p.add(fresh, o)
			room = append(room, openKey{fresh.Key, MaxSealsPerKey})
		}
		n := min(room[0].room, len(slots))
		for _, i := range slots[:n] {
			if err := p.sealSlot(j, i, room[0].key); err != nil {
				return err
			}
		}
		slots, room = slots[n:], room[1:]
	}
	return nil
}

// openKey is a data key that can seal, and how many values more it may.
type openKey struct {
	key  *envelope.DataKey
	room int
}

// standingKeys opens the keys that the owner has. One that does not open is
// passed over: a fresh key serves as well, and what the old one sealed is not
// touched.
func (p *sealPlan) standingKeys(ctx context.Context, j *tokenizeJob, o owner) ([]openKey, error) {
	tenant := j.call.Caller.Tenant
	var room []openKey
	for i, k := range p.keys {
		if k.ScopeID == o.scopeID && k.SubjectRef == o.subjectRef {
			room = append(room, openKey{p.fresh[i].Key, MaxSealsPerKey})
		}
	}
	if len(room) > 0 || p.isNew(o) {
		return room, nil
	}
	stored, err := j.s.store.Keys(ctx, tenant, KeyQuery{ScopeID: o.scopeID, SubjectRef: o.subjectRef})
	if err != nil {
		return nil, err
	}
	wrapped := make([]envelope.StoredKey, 0, len(stored))
	left := make([]int, 0, len(stored))
	for _, k := range stored {
		if n := MaxSealsPerKey - k.Sealed; n > 0 || o.subjectRef != "" {
			wrapped = append(wrapped, envelope.StoredKey{ID: k.ID, Wrapped: k.Wrapped})
			left = append(left, n)
		}
	}
	opened, err := j.s.keys.Get(ctx, j.s.wrapper, tenant, wrapped)
	if err != nil {
		return nil, err
	}
	for i, k := range opened {
		if k.Err != nil {
			continue
		}
		n := left[i]
		if o.subjectRef != "" {
			// A subject's key has no such bound: erasing the subject destroys
			// it whole, so nothing under it is ever sealed again.
			n = MaxFindings
		}
		room = append(room, openKey{k.Key, n})
	}
	return room, nil
}

func (p *sealPlan) isNew(o owner) bool {
	for _, use := range p.subjects {
		if use.New && use.Subject.Ref == o.subjectRef {
			return true
		}
	}
	return false
}

func (p *sealPlan) sealSlot(j *tokenizeJob, i int, key *envelope.DataKey) error {
	s := &j.slots[i]
	m := Mapping{
		ScopeID: j.scope.ID, TokenID: s.token.ID, Format: string(s.token.Format), Entity: s.entity.Name,
		Class: string(s.entity.Class), Identity: s.identity, IndexVersion: j.keys.indexVersion,
		Lookup: j.lookup(s.entity, s.value),
		KeyID:  key.ID(), State: MappingLive,
	}
	sealed, err := key.Seal(bindingOf(j.call.Caller.Tenant, m), []byte(s.value))
	if err != nil {
		return fmt.Errorf("vault: seal: %w", err)
	}
	m.Sealed = sealed
	refs := make([]string, len(s.subjects))
	for n, name := range s.subjects {
		refs[n] = p.subjects[name].Subject.Ref
	}
	p.mappings[i] = NewMapping{Mapping: m, TTL: j.ttl(), MaxAge: j.maxAge(s.entity.Name), SubjectRefs: refs}
	return nil
}

// bindingOf is the place of a mapping's value: a ciphertext that is moved to
// another row, tenant, scope, entity or class does not open (invariant 5).
func bindingOf(tenant string, m Mapping) envelope.Binding {
	return envelope.Binding{
		Purpose: sealValue, Tenant: tenant, Scope: m.ScopeID, Token: m.TokenID,
		Format: m.Format, Entity: m.Entity, Class: m.Class,
	}
}

func (p *sealPlan) subjectRefs() []string {
	refs := make([]string, 0, len(p.subjects))
	for _, use := range p.subjects {
		refs = append(refs, use.Subject.Ref)
	}
	slices.Sort(refs)
	return refs
}

// effect is the plan as the store takes it.
func (p *sealPlan) effect(j *tokenizeJob) Tokenize {
	uses := make([]SubjectUse, 0, len(p.subjects))
	for _, use := range p.subjects {
		uses = append(uses, use)
	}
	seen := make(map[string]bool)
	var touch []TouchRef
	for _, f := range j.found {
		if f.kept != nil && !f.read && !seen[f.kept.ID] {
			seen[f.kept.ID] = true
			touch = append(touch, TouchRef{TokenID: f.kept.ID, Entity: f.entity.Name, TTL: j.ttl()})
		}
	}
	effect := Tokenize{
		Scope: j.scope, NewScope: j.newScope, Subjects: uses, Keys: p.keys, Mappings: p.mappings, Touch: touch,
		Destinations: j.route.Names(),
	}
	if j.req.SourceRef != "" {
		effect.Source = j.keys.index.Source(j.req.SourceRef)
	}
	return effect
}
