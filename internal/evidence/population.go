package evidence

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A PopulationKind is what a population is of.
type PopulationKind string

// The kinds of populations.
const (
	PopulationRestorations PopulationKind = "restorations"
	PopulationBreakGlass   PopulationKind = "break_glass"
	PopulationDenials      PopulationKind = "denials"
	PopulationApprovals    PopulationKind = "approvals"
	PopulationPolicy       PopulationKind = "policy"
	PopulationKeys         PopulationKind = "keys"
	PopulationHolds        PopulationKind = "holds"
	PopulationErasures     PopulationKind = "erasures"
)

// members says of each kind which changes are in it. What was refused is in none but
// the denials.
var members = map[PopulationKind]func(*Change) bool{
	PopulationRestorations: (*Change).Restoration,
	PopulationBreakGlass:   func(c *Change) bool { return c.ReviewHours() > 0 },
	PopulationDenials:      func(c *Change) bool { return c.Denials() > 0 && c.Entry.Seq == 0 },
	PopulationApprovals:    of(audit.KindApprovalRequest),
	PopulationPolicy:       of(audit.KindPolicyLoad, audit.KindPolicyPropose, audit.KindPolicyChange),
	PopulationKeys:         keyEvent,
	PopulationHolds:        of(audit.KindHoldPlace, audit.KindHoldReview, audit.KindHoldRelease),
	PopulationErasures:     of(audit.KindErase, audit.KindReplay),
}

func of(kinds ...audit.Kind) func(*Change) bool {
	return func(c *Change) bool { return ran(&c.Entry) && slices.Contains(kinds, c.Entry.Kind) }
}

// PopulationKinds returns the closed list.
func PopulationKinds() []PopulationKind { return names(members) }

// ErrPopulation says that a population or a sample is asked for that there is not.
var ErrPopulation = errors.New("evidence: no such population or sample")

// A Filter narrows a population. Empty fields do not select.
type Filter struct {
	Reason, Actor, Client, EndUser, Entity, Code string
	Decision                                     audit.Decision
}

func (f Filter) takes(e *audit.Entry) bool {
	_, entity := e.Entities[f.Entity]
	return wants(f.Reason, e.Reason) && wants(f.Actor, e.Actor) && wants(f.Client, e.Client.ClientID) &&
		wants(f.EndUser, e.OnBehalfOf) && wants(f.Code, e.Code) && wants(string(f.Decision), string(e.Decision)) && (f.Entity == "" || entity)
}

func wants(asked, there string) bool { return asked == "" || asked == there }

// String is the filter as the digest of a population has it: name=value of the fields
// that select, in the order of the alphabet.
func (f Filter) String() string {
	var parts []string
	for _, p := range [][2]string{
		{"actor", f.Actor}, {"client", f.Client}, {"code", f.Code}, {"decision", string(f.Decision)},
		{"end_user", f.EndUser}, {"entity", f.Entity}, {"reason", f.Reason},
	} {
		if p[1] != "" {
			parts = append(parts, p[0]+"="+p[1])
		}
	}
	return strings.Join(parts, " ")
}

// An Item is one change of a population.
type Item struct {
	Index, Last                                     int64 // of its first and last entry
	Hash                                            audit.Hash
	Time                                            time.Time
	ChangeID                                        string
	Kind                                            audit.Kind
	Decision                                        audit.Decision
	Reason, Reference, Actor, Client, EndUser, Code string
	ReplayOf                                        string
	Tokens, Denials                                 int
}

// line is the item as the digest of its population has it: its place, the hash of
// its leaf, which stands for all that it says, its time and its change.
func (i *Item) line() string {
	return place(i.Index) + " " + i.Hash.String() + " " + moment(i.Time) + " " + i.ChangeID + "\n"
}

// A Population is all changes of a kind in a period: complete, since the log is.
type Population struct {
	Kind        PopulationKind
	Period      Period
	Filter      Filter
	Origin      string
	Size        int64 // of the log that was walked
	Root        audit.Hash
	First, Last int64 // indexes of the period: [First, Last)
	Pruned      int   // entries of the log of which nothing is left but the hash
	Items       []Item
	Digest      [sha256.Size]byte

	words pool
}

// populationTitle begins what the digest is made of.
const populationTitle = "counterfoil population v1"

// Populate walks a log and lists a population. Its Digest is the SHA-256 of these
// lines, each ended by a line feed: the title "counterfoil population v1"; the origin
// of the log; the kind; from and to of the period in RFC 3339 with a slash between;
// the filter as Filter.String writes it; and a line for each item in the order of the
// log: index of the first entry, leaf hash of that entry in base64, its time as in
// the entry, change id, with a space between. Entries after the period change nothing
// in it.
func Populate(ctx context.Context, log Source, origin string, period Period, kind PopulationKind, filter Filter) (*Population, error) {
	member, known := members[kind]
	if !known {
		return nil, fmt.Errorf("%w: a population is of one of %v", ErrPopulation, PopulationKinds())
	}
	if err := period.Check(); err != nil {
		return nil, err
	}
	p := &Population{Kind: kind, Period: period, Filter: filter, Origin: origin, First: -1, Last: -1, words: make(pool)}
	var tree frontier
	err := tree.watching(ctx, log).Changes(func(c *Change) error {
		p.take(c, member)
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.words = nil
	if p.Size = tree.size; p.Last < 0 {
		p.Last = p.Size
	}
	if p.First < 0 {
		p.First = p.Last
	}
	if p.Root, err = tree.root(); err != nil {
		return nil, err
	}
	p.Digest = p.digest()
	return p, nil
}

func (p *Population) take(c *Change, member func(*Change) bool) {
	e := &c.Entry
	switch {
	case c.Pruned:
		p.Pruned++
		return
	case !e.Time.Before(p.Period.To):
		if p.Last < 0 {
			p.Last = c.First
		}
		return
	case e.Time.Before(p.Period.From):
		return
	case p.First < 0:
		p.First = c.First
	}
	if !member(c) || !p.Filter.takes(e) {
		return
	}
	w := p.words.one
	p.Items = append(p.Items, Item{
		Index: c.First, Last: c.Last, Hash: c.Hash, Time: e.Time, ChangeID: own(e.ChangeID), Kind: audit.Kind(w(string(e.Kind))),
		Decision: audit.Decision(w(string(e.Decision))), Reason: w(e.Reason), Reference: own(e.Reference), Actor: w(e.Actor),
		Client: w(e.Client.ClientID), EndUser: w(e.OnBehalfOf), Code: w(e.Code), ReplayOf: own(e.ReplayOf), Tokens: len(e.Tokens), Denials: c.Denials(),
	})
}

func (p *Population) digest() (d [sha256.Size]byte) {
	hash := sha256.New()
	write := func(s string) { _, _ = io.WriteString(hash, s) } // a hash never fails
	write(populationTitle + "\n" + p.Origin + "\n" + string(p.Kind) + "\n")
	write(p.Period.From.Format(time.RFC3339) + "/" + p.Period.To.Format(time.RFC3339) + "\n" + p.Filter.String() + "\n")
	for i := range p.Items {
		write(p.Items[i].line())
	}
	hash.Sum(d[:0])
	return d
}

// groups are what a population can be counted by.
var groups = map[string]func(*Item) string{
	"reason":   func(i *Item) string { return i.Reason },
	"actor":    func(i *Item) string { return i.Actor },
	"client":   func(i *Item) string { return i.Client },
	"end_user": func(i *Item) string { return i.EndUser },
	"kind":     func(i *Item) string { return string(i.Kind) },
	"code":     func(i *Item) string { return i.Code },
	"decision": func(i *Item) string { return string(i.Decision) },
}

// GroupNames returns what a population can be counted by.
func GroupNames() []string { return names(groups) }

// A Group is how many items have something in common.
type Group struct {
	Name  string
	Items int
}

// By counts the items by one of GroupNames, the most first.
func (p *Population) By(name string) ([]Group, error) {
	key, known := groups[name]
	if !known {
		return nil, fmt.Errorf("%w: it is counted by one of %v", ErrPopulation, GroupNames())
	}
	found := make(map[string]int)
	for i := range p.Items {
		found[key(&p.Items[i])]++
	}
	out := make([]Group, 0, len(found))
	for name := range maps.Keys(found) {
		out = append(out, Group{name, found[name]})
	}
	slices.SortFunc(out, func(a, b Group) int { return cmp.Or(cmp.Compare(b.Items, a.Items), cmp.Compare(a.Name, b.Name)) })
	return out, nil
}

var itemColumns = []Column{
	{"entry", "Entry", KindRef}, {"last_entry", "Last entry", KindRef}, {"time", "Time", KindTime}, {"change_id", "Change", KindRef},
	{"kind", "Kind", KindText}, {"decision", "Decision", KindText}, {"reason", "Reason", KindText}, {"reference", "Reference", KindRef},
	{"actor", "Actor", KindRef}, {"client", "Client", KindRef}, {"end_user", "End user (digest)", KindRef}, {"code", "Code", KindText},
	{"tokens", "Tokens", KindCount}, {"replay_of", "Replay of", KindRef}, {"leaf_hash", "Leaf hash", KindRef},
}

func (i *Item) row() []string {
	return []string{
		place(i.Index), place(i.Last), moment(i.Time), i.ChangeID, string(i.Kind), string(i.Decision), i.Reason, i.Reference,
		i.Actor, i.Client, i.EndUser, i.Code, count(i.Tokens), i.ReplayOf, i.Hash.String(),
	}
}

// Table is the population as a table.
func (p *Population) Table() Table {
	t := Table{
		Name: "population_" + string(p.Kind), Title: "Population: " + string(p.Kind), Columns: itemColumns, Query: p.query(), Notes: p.notes(),
	}
	for i := range p.Items {
		t.Entries = append(t.Entries, p.Items[i].Index)
		t.Rows = append(t.Rows, p.Items[i].row())
	}
	return t
}

func (p *Population) notes() []string {
	notes := []string{
		fmt.Sprintf("Complete: %d items among the entries %d to %d (exclusive) of a log of %d.", len(p.Items), p.First, p.Last, p.Size),
		fmt.Sprintf("SHA-256 of the population: %x", p.Digest),
	}
	if p.Kind == PopulationRestorations {
		notes = append(notes, Definition)
	}
	if p.Pruned > 0 {
		notes = append(notes, strconv.Itoa(p.Pruned)+" entries of the log were pruned: whether they would be in it cannot be told any more.")
	}
	return notes
}

func (p *Population) query() string {
	q := "Changes that are " + string(p.Kind) + ", from " + p.Period.From.Format(time.RFC3339) + " to " + p.Period.To.Format(time.RFC3339) + " (exclusive)"
	if f := p.Filter.String(); f != "" {
		q += ", with " + f
	}
	return q + "."
}
