package evidence

import (
	"slices"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// policies are the versions that were in force.
type policies struct {
	*builder
	byVersion map[string]*policyUse
	order     []string
}

// policyUse is what the log says of a version.
type policyUse struct {
	announced            int64 // index of the entry, -1 for none
	announcedAt          time.Time
	proposer, promoter   string
	proposedAt           time.Time
	promotedAt           time.Time
	reference            string
	first, last, entries int64
}

func (p *policies) of(version string) *policyUse {
	if p.byVersion[version] == nil {
		version = p.words.one(version)
		p.byVersion[version] = &policyUse{announced: -1, first: -1}
		p.order = append(p.order, version)
	}
	return p.byVersion[version]
}

func (p *policies) take(c *Change, in bool) {
	e := &c.Entry
	if e.PolicyVersion == "" {
		return
	}
	u := p.of(e.PolicyVersion)
	if in {
		if u.first < 0 {
			u.first = c.First
		}
		u.last = c.Last
		u.entries += c.Last - c.First + 1
	}
	if !ran(e) {
		return
	}
	named := policyNamed(c)
	switch e.Kind {
	case audit.KindPolicyLoad, audit.KindTenantCreate:
		if named == "" {
			named = e.PolicyVersion
		}
		if n := p.of(named); n.announced < 0 {
			n.announced, n.announcedAt = c.First, e.Time
		}
	case audit.KindPolicyPropose:
		n := p.of(named)
		n.proposer, n.proposedAt = p.words.one(e.Actor), e.Time
	case audit.KindPolicyChange:
		if e.Code == "promote" && named != "" {
			n := p.of(named)
			n.promoter, n.promotedAt, n.reference = p.words.one(e.Actor), e.Time, e.Reference
		}
	}
}

// policyNamed is the version that an entry is about, where it names one beside the
// one that it was decided under.
func policyNamed(c *Change) string {
	if v := c.about(audit.ObligationVersion); v != "" {
		return v
	}
	switch e := &c.Entry; {
	case e.Kind == audit.KindPolicyPropose, e.Kind == audit.KindPolicyLoad && e.Code == "reload":
		return e.Reference // they were decided under the version before
	default:
		return ""
	}
}

func (p *policies) tables() []Table {
	versions := Table{
		Name: TablePolicyVersions, Title: "Policy versions",
		Query: "Versions that an entry of the period was decided under, that an entry announces, or that the service gave: " +
			"with the first entry of kind policy_load or tenant_create that announces each.",
		Notes: []string{
			"Who proposed and who promoted a version is in the system's own log: the service gave it, unless this is that log.",
		},
		Columns: []Column{
			{"policy_version", "Policy version", KindRef}, {"since", "In force since", KindTime}, {"announced", "Announced by entry", KindRef},
			{"entries", "Entries in the period", KindCount}, {"first", "First entry", KindRef}, {"last", "Last entry", KindRef},
			{"proposed_by", "Proposed by", KindRef}, {"proposed_at", "Proposed", KindTime}, {"promoted_by", "Promoted by", KindRef},
			{"promoted_at", "Promoted", KindTime}, {"reference", "Reference", KindRef}, {"by_two", "By two people", KindText},
			{"current", "In force when made", KindText}, {"file", "File", KindText},
		},
	}
	diffs := Table{
		Name: TablePolicyDiffs, Title: "What policy versions changed", Query: "Each version against the one before it, as the service gave it. Not from the log.",
		Columns: []Column{{"policy_version", "Policy version", KindRef}, {"line", "Line", KindCount}, {"text", "Difference", KindText}},
	}
	for _, file := range p.facts.Policies {
		p.of(file.Version)
		for i, line := range file.Diff {
			diffs.Rows = append(diffs.Rows, []string{file.Version, strconv.Itoa(i + 1), line})
		}
	}
	for _, version := range p.order {
		if u := p.byVersion[version]; u.entries > 0 || p.given(version) != nil || p.period.Holds(u.announcedAt) {
			versions.Rows = append(versions.Rows, p.row(version, u))
		}
	}
	if len(p.facts.Policies) == 0 {
		diffs.Notes = []string{notGiven}
	}
	return []Table{versions, diffs}
}

func (p *policies) given(version string) *PolicyFile {
	at := slices.IndexFunc(p.facts.Policies, func(f PolicyFile) bool { return f.Version == version })
	if at < 0 {
		return nil
	}
	return &p.facts.Policies[at]
}

func (p *policies) row(version string, u *policyUse) []string {
	since, file := u.announcedAt, ""
	proposed, promoted := PolicyStep{By: u.proposer, At: u.proposedAt}, PolicyStep{By: u.promoter, At: u.promotedAt, Reference: u.reference}
	if f := p.given(version); f != nil {
		if file = PolicyPath(version); f.Packed == nil {
			file = ""
		}
		if !f.Since.IsZero() {
			since = f.Since
		}
		if f.Proposed.By != "" {
			proposed = f.Proposed
		}
		if f.Promoted.By != "" {
			promoted = f.Promoted
		}
	}
	first, last, announced, two := "", "", "", ""
	if u.first >= 0 {
		first, last = place(u.first), place(u.last)
	}
	if u.announced >= 0 {
		announced = place(u.announced)
	}
	if proposed.By != "" && promoted.By != "" {
		two = yes(proposed.By != promoted.By)
	}
	return []string{
		version, moment(since), announced, place(u.entries), first, last, proposed.By, moment(proposed.At), promoted.By,
		moment(promoted.At), promoted.Reference, two, yes(version == p.facts.Current), file,
	}
}
