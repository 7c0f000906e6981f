package evidence

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// erasures are what was destroyed for persons, and when it became final.
type erasures struct {
	*builder
	byID  map[string]*erasure
	order []*erasure
}

// erasure is what all its entries come to: a hold may have deferred a part.
type erasure struct {
	index                                int64
	id, reference, actor, channel        string
	identity, approval                   string
	began, last                          time.Time
	commits                              int
	erased, shared, rekeyed, keys, stays int
	below                                int       // the version that must be the oldest left for it to be final
	destroyed                            time.Time // when the versions were
	destroyedBy                          int64
	touched                              bool
}

func (s *erasures) take(c *Change, in bool) {
	e := &c.Entry
	if !ran(e) {
		return
	}
	switch e.Kind {
	case audit.KindErase, audit.KindReplay:
		s.erase(c, in)
	case audit.KindKeyRotate:
		for _, o := range s.order {
			if o.below == 0 {
				o.below = e.Counts[countMinVersion]
			}
		}
	case audit.KindFinality:
		for _, o := range s.order {
			if o.destroyed.IsZero() && o.stays == 0 && o.below > 0 && e.Counts[countRetiredBelow] >= o.below {
				o.destroyed, o.destroyedBy, o.touched = e.Time, c.First, o.touched || in
			}
		}
	}
}

// erase adds what one commit did. It has the id of its request, or where it opened
// that itself of its own change; done again in an older copy, of what it repeats.
func (s *erasures) erase(c *Change, in bool) {
	e := &c.Entry
	id := c.about("request:")
	if id == "" {
		id = e.ChangeID
	}
	if e.Kind == audit.KindReplay {
		id = e.ReplayOf
	}
	o := s.byID[id]
	if o == nil {
		o = &erasure{
			index: c.First, id: id, reference: e.Reference, actor: s.words.one(e.Actor), channel: s.words.one(e.Channel),
			identity: s.words.one(c.about("identity:")), approval: c.Proceeding(), began: e.Time,
		}
		s.byID[id] = o
		s.order = append(s.order, o)
	}
	o.last, o.touched = e.Time, o.touched || in
	o.commits++
	o.erased += e.Counts[countErased]
	o.shared += e.Counts[countShared]
	o.rekeyed += e.Counts[countRekeyed]
	o.keys += keysOf(e)
	o.stays = e.Counts[countDeferred]
	// Another key went: it may be of a younger version than those before.
	o.below, o.destroyed, o.destroyedBy = 0, time.Time{}, 0
}

func (o *erasure) method() string {
	switch {
	case o.keys == 0:
		return ""
	case o.rekeyed > 0:
		return "rekeyed"
	default:
		return "key_destroyed"
	}
}

// final is when no backup opens it any more, as far as it is known.
func (s *erasures) final(o *erasure) time.Time {
	if o.destroyed.IsZero() || s.facts.KeyBackups == 0 {
		return time.Time{}
	}
	return o.destroyed.Add(s.facts.KeyBackups)
}

func (s *erasures) tables() []Table {
	t := Table{
		Name: TableErasures, Title: "Erasures",
		Query: "Entries of the kinds erase and replay, joined by the request that they are of, with the first entry of kind finality " +
			"that retires every version of the wrapping key up to the rotation after the last of them: those of which any is in the period.",
		Notes: []string{
			"method: key_destroyed, the keys that sealed the values are gone; rekeyed, values of others under them were sealed anew first; empty where there was nothing.",
			"deferred: values that a hold kept at the end of the period; they go once the hold is released.",
			"versions_destroyed is what the log tells. Final is that plus how long the key service keeps its own backups, where that was given.",
		},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Erased", KindTime}, {"erasure", "Erasure", KindRef}, {"reference", "Reference", KindRef},
			{"actor", "Actor", KindRef}, {"channel", "Channel", KindText}, {"identity", "Identity established by", KindText},
			{"approval", "Approval", KindRef}, {"method", "Method", KindText}, {"commits", "Commits", KindCount}, {"erased", "Erased", KindCount},
			{"shared", "Unlinked, of others too", KindCount}, {"rekeyed", "Sealed anew", KindCount}, {"keys", "Keys destroyed", KindCount},
			{"deferred", "Deferred", KindCount}, {"completed_at", "Completed", KindTime}, {"versions_destroyed", "Versions destroyed", KindTime},
			{"versions_entry", "Entry of that", KindRef}, {"final_at", "Final", KindTime}, {"time_to_final", "Time to final", KindDuration},
		},
	}
	for _, o := range s.order {
		if !o.touched {
			continue
		}
		completed, by := o.last, ""
		if o.stays > 0 {
			completed = time.Time{}
		}
		if !o.destroyed.IsZero() {
			by = place(o.destroyedBy)
		}
		t.Entries = append(t.Entries, o.index)
		t.Rows = append(t.Rows, []string{
			place(o.index), moment(o.began), o.id, o.reference, o.actor, o.channel, o.identity, o.approval, o.method(), count(o.commits),
			count(o.erased), count(o.shared), count(o.rekeyed), count(o.keys), count(o.stays), moment(completed),
			moment(o.destroyed), by, moment(s.final(o)), between(o.began, s.final(o)),
		})
	}
	return []Table{t}
}
