package access

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Policy is a checked bundle. It never changes.
type Policy struct {
	version      string
	catalogue    int
	reasons      map[string]*Reason
	entities     map[string]Entity
	listed       []Entity // the same, by name; never given away
	destinations map[string]Destination
	retention    retention
	overlays     map[string]map[string]*Reason // by tenant and code; nil is a reason that the tenant does not have
	separations  []Separation
	operations   map[Operation]OperationRule
	engine       *engine
	tables       []table
	texts        []TextCase
}

// digest is the SHA-256 over names and bytes, each preceded by its length in
// eight bytes, so that no two bundles run into the same input.
func digest(files map[string][]byte) string {
	h := sha256.New()
	part := func(b []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(b)))
		h.Write(length[:])
		h.Write(b)
	}
	for _, name := range bundleFiles {
		part([]byte(name))
		part(files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Version is the lower hex SHA-256 over the files that decide: model.conf,
// policy.csv, reasons.yaml, overlays.yaml, entities.yaml, destinations.yaml,
// retention.yaml, separation.yaml and operations.yaml, without the decision
// tables and the texts, which test them.
func (p *Policy) Version() string { return p.version }

// CatalogueVersion is the version of the catalogue of reasons.
func (p *Policy) CatalogueVersion() int { return p.catalogue }

// Reason returns one reason of the catalogue, as it is without an overlay.
func (p *Policy) Reason(code string) (Reason, bool) { return p.ReasonOf("", code) }

// ReasonOf returns one reason as it is for a tenant. One that the overlay of the
// tenant turns off is not there.
func (p *Policy) ReasonOf(tenant, code string) (Reason, bool) {
	r, ok := p.reasonOf(tenant, code)
	if !ok {
		return Reason{}, false
	}
	return r.clone(), true
}

// reasonOf is ReasonOf without the copy, for reading only.
func (p *Policy) reasonOf(tenant, code string) (*Reason, bool) {
	if r, ok := p.overlays[tenant][code]; ok {
		return r, r != nil
	}
	r, ok := p.reasons[code]
	return r, ok
}

// Tenants returns those that have an overlay, sorted.
func (p *Policy) Tenants() []string { return slices.Sorted(maps.Keys(p.overlays)) }

// Reasons returns the catalogue, sorted by code.
func (p *Policy) Reasons() []Reason {
	out := make([]Reason, 0, len(p.reasons))
	for _, r := range p.reasons {
		out = append(out, r.clone())
	}
	slices.SortFunc(out, func(a, b Reason) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// RolesOf returns the roles of rules, sorted. Ids that the policy does not have
// are left out: a log names rules of older policies, too.
func (p *Policy) RolesOf(ruleIDs []string) []string {
	var out []string
	for _, id := range ruleIDs {
		if r, ok := p.engine.rules[id]; ok {
			out = append(out, r.row[slices.Index(columns, "role")])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Entity returns one entity of the closed set.
func (p *Policy) Entity(name string) (Entity, bool) {
	e, ok := p.entities[name]
	return e, ok
}

// Entities returns the closed set, sorted by name.
func (p *Policy) Entities() []Entity { return slices.Clone(p.listed) }

// EachEntity goes over the same without a copy of it.
func (p *Policy) EachEntity() iter.Seq[Entity] { return slices.Values(p.listed) }

// Destination returns one destination. A request that names none goes to
// DefaultDestination; a name that is not known is to be refused.
func (p *Policy) Destination(name string) (Destination, bool) {
	d, ok := p.destinations[name]
	return d, ok
}

// Destinations returns all of them, sorted by name.
func (p *Policy) Destinations() []Destination {
	out := make([]Destination, 0, len(p.destinations))
	for _, d := range p.destinations {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Destination) int { return strings.Compare(a.Name, b.Name) })
	return out
}
