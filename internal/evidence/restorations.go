package evidence

import (
	"github.com/counterfoil/counterfoil/internal/audit"
)

// restorations are the lines of what was given back, and their sums.
type restorations struct {
	*builder
	rows    [][]string
	entries []int64

	byReason, byActor, byEndUser, byEntity tallies
	after                                  map[string]*aftermath
}

// aftermath is what later entries say of a restoration.
type aftermath struct {
	failed  int // tokens that were not given after all
	flushes int
	ended   string // how its stream did
}

func newRestorations(b *builder) *restorations {
	return &restorations{
		builder: b, byReason: make(tallies), byActor: make(tallies), byEndUser: make(tallies), byEntity: make(tallies),
		after: make(map[string]*aftermath),
	}
}

// The cells of a line that are filled at the end.
const (
	cellChange = iota + 2
	cellFailed = 18
	cellFlush  = 19
	cellEnded  = 20
)

var restorationColumns = []Column{
	{"entry", "Entry", KindRef}, {"time", "Time", KindTime}, {"change_id", "Change", KindRef},
	{"kind", "Kind", KindText}, {"decision", "Decision", KindText}, {"reason", "Reason", KindText},
	{"reference", "Reference", KindRef}, {"actor", "Actor", KindRef}, {"client", "Client", KindRef},
	{"end_user", "End user (digest)", KindRef}, {"agent", "Agent", KindRef}, {"recipient", "Recipient", KindRef},
	{"tokens", "Tokens", KindCount}, {"entities", "Entities", KindText}, {"results", "Results", KindText},
	{"approval", "Approval", KindRef}, {"review_hours", "Review within hours", KindCount}, {"replay_of", "Replay of", KindRef},
	{"failed", "Not given after all", KindCount}, {"flushes", "Flushes of the stream", KindCount}, {"ended", "Stream ended", KindText},
	{"policy_version", "Policy version", KindRef}, {"request_id", "Request", KindRef},
}

func (r *restorations) take(c *Change, in bool) {
	e := &c.Entry
	switch e.Kind {
	case audit.KindOutcome, audit.KindIntegrityFailure:
		if id := c.about(audit.ObligationIntent); id != "" {
			failed := len(e.Tokens)
			if failed == 0 {
				failed = sum(e.Results)
			}
			r.later(id).failed += failed
		}
	case audit.KindGrantFlush:
		r.later(c.about(audit.ObligationGrant)).flushes++
	case audit.KindGrantClose:
		r.later(c.about(audit.ObligationGrant)).ended = r.words.one(e.Code)
	}
	if !in || !c.Restoration() {
		return
	}
	hours := ""
	if h := c.ReviewHours(); h > 0 {
		hours = count(h)
	}
	w := r.words.one
	r.entries = append(r.entries, c.First)
	r.rows = append(r.rows, []string{
		place(c.First), moment(e.Time), own(e.ChangeID), w(string(e.Kind)), w(string(e.Decision)), w(e.Reason),
		own(e.Reference), w(e.Actor), w(e.Client.ClientID), w(e.OnBehalfOf), w(e.Agent), w(e.Recipient),
		count(len(e.Tokens)), w(counted(e.Entities)), w(counted(e.Results)),
		own(c.Proceeding()), hours, own(e.ReplayOf), "0", "0", "", w(e.PolicyVersion), own(e.RequestID),
	})
	for by, name := range map[*tallies]string{&r.byReason: e.Reason, &r.byActor: e.Actor, &r.byEndUser: e.OnBehalfOf} {
		by.of(w(name)).add(c, r.words)
	}
	for entity, n := range e.Entities {
		t := r.byEntity.of(w(entity))
		t.add(c, r.words)
		t.values += n
	}
}

func (r *restorations) later(id string) *aftermath {
	a := r.after[id]
	if a == nil {
		a = &aftermath{}
		r.after[own(id)] = a
	}
	return a
}

func (r *restorations) tables() []Table {
	for _, row := range r.rows {
		if a := r.after[row[cellChange]]; a != nil {
			row[cellFailed], row[cellFlush], row[cellEnded] = count(a.failed), count(a.flushes), a.ended
		}
	}
	const same = "The same restorations as in the table restorations, summed"
	return []Table{
		{
			Name: TableRestorations, Title: "Restorations", Columns: restorationColumns, Rows: r.rows, Entries: r.entries,
			Query: "Changes of kind restore or grant, decision allow or partial, in the period; linked parts joined. " +
				"Not given after all: entries of kind outcome or integrity_failure that name the change as intent.",
			Notes: []string{
				Definition,
				"A restoration with no tokens is a request whose text held none: it was allowed, and gave nothing.",
				"For a grant, the tokens are those that the stream might restore; its flushes add more.",
			},
		},
		r.byReason.table(TableRestorationsReason, "Restorations by reason", Column{"reason", "Reason", KindText}, same+" by reason."),
		r.byActor.table(TableRestorationsActor, "Restorations by actor", Column{"actor", "Actor", KindRef}, same+" by actor."),
		r.byEndUser.table(TableRestorationsEndUser, "Restorations by end user", Column{"end_user", "End user (digest)", KindRef},
			same+" by the digest of the end user; empty where the caller named none."),
		r.byEntity.entities(same + " by entity: one of several entities is counted under each."),
	}
}

// Definition is what counts as a restoration, in one sentence for people.
const Definition = "One change of kind restore or grant with the decision allow or partial is one restoration, its linked parts joined; " +
	"a replay is a restoration of its own; flushes and closes belong to their grant; outcome entries subtract nothing."
