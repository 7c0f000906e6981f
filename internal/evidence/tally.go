package evidence

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// tallies are sums of restorations by something.
type tallies map[string]*tally

type tally struct {
	restorations, partial, replays, tokens, approved, reviewed, values int

	actors, endUsers, reasons map[string]bool
	first, last               time.Time
}

func (t tallies) of(name string) *tally {
	if t[name] == nil {
		t[name] = &tally{actors: make(map[string]bool), endUsers: make(map[string]bool), reasons: make(map[string]bool)}
	}
	return t[name]
}

func (t *tally) add(c *Change, words pool) {
	e := &c.Entry
	t.restorations++
	t.tokens += len(e.Tokens)
	t.partial += one(e.Decision == audit.Partial)
	t.replays += one(e.ReplayOf != "")
	t.approved += one(c.Proceeding() != "")
	t.reviewed += one(c.ReviewHours() > 0)
	for set, name := range map[*map[string]bool]string{&t.actors: e.Actor, &t.endUsers: e.OnBehalfOf, &t.reasons: e.Reason} {
		if name != "" {
			(*set)[words.one(name)] = true
		}
	}
	if t.first.IsZero() {
		t.first = e.Time
	}
	t.last = e.Time
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t tallies) table(name, title string, by Column, query string) Table {
	out := Table{Name: name, Title: title, Query: query, Columns: []Column{
		by,
		{"restorations", "Restorations", KindCount}, {"tokens", "Tokens", KindCount}, {"partial", "Partial", KindCount},
		{"replays", "Replays", KindCount}, {"approved", "With approval", KindCount}, {"under_review", "Under review", KindCount},
		{"actors", "Different actors", KindCount}, {"end_users", "Different end users", KindCount}, {"reasons", "Reasons", KindText},
		{"first", "First", KindTime}, {"last", "Last", KindTime},
	}}
	for _, key := range names(t) {
		s := t[key]
		out.Rows = append(out.Rows, []string{
			key, count(s.restorations), count(s.tokens), count(s.partial), count(s.replays), count(s.approved), count(s.reviewed),
			count(len(s.actors)), count(len(s.endUsers)), list(names(s.reasons)), moment(s.first), moment(s.last),
		})
	}
	return out
}

// entities is the table by entity, which counts values instead of tokens: an entry
// does not say of which entity a token is.
func (t tallies) entities(query string) Table {
	out := Table{Name: TableRestorationsEntity, Title: "Restorations by entity", Query: query, Columns: []Column{
		{"entity", "Entity", KindText}, {"restorations", "Restorations", KindCount}, {"values", "Values", KindCount},
		{"actors", "Different actors", KindCount}, {"end_users", "Different end users", KindCount}, {"reasons", "Reasons", KindText},
		{"first", "First", KindTime}, {"last", "Last", KindTime},
	}}
	for _, key := range names(t) {
		s := t[key]
		out.Rows = append(out.Rows, []string{
			key, count(s.restorations), count(s.values), count(len(s.actors)), count(len(s.endUsers)), list(names(s.reasons)),
			moment(s.first), moment(s.last),
		})
	}
	return out
}
