package vault

// lineage is what a journal says of the values of a tenant: which keys were
// destroyed, and where values went before.
type lineage struct {
	erasures []*lostErasure // in the order in which they were journaled first
	byID     map[string]*lostErasure
	steps    map[MappingRef][]lineageStep
	touched  map[string][]MappingRef // by key: what was moved from it or to it
	moved    map[string]bool         // moves that are confirmed
}

type lineageStep struct {
	from, to, change string
	replayed         bool // by a recovery, and not in the history that was lost
}

// lostErasure is an erasure as it stood at last, with all of its keys.
type lostErasure struct {
	row    Erasure
	keys   []string
	buried map[string]*lostKey
	went   map[MappingRef]bool // of all of its keys
}

type lostKey struct {
	Tombstone
	went map[MappingRef]bool
}

// readLineage reads a journal.
func readLineage(lines []JournalLine) (*lineage, error) {
	l := &lineage{byID: make(map[string]*lostErasure), steps: make(map[MappingRef][]lineageStep),
		touched: make(map[string][]MappingRef), moved: make(map[string]bool)}
	for _, line := range lines {
		switch {
		case line.Erased != nil:
			if err := l.erased(line.Erased); err != nil {
				return nil, err
			}
		case line.Moving != nil:
			for _, s := range line.Moving.Tokens {
				ref := MappingRef{ScopeID: s.Scope, TokenID: s.Token}
				l.step(ref, lineageStep{from: s.From, to: s.To, change: line.Moving.Change, replayed: line.Moving.Replayed})
			}
		case line.Moved != "":
			l.moved[line.Moved] = true
		}
	}
	return l, nil
}

func (l *lineage) step(ref MappingRef, s lineageStep) {
	l.steps[ref] = append(l.steps[ref], s)
	l.touched[s.from] = append(l.touched[s.from], ref)
	l.touched[s.to] = append(l.touched[s.to], ref)
}

func (l *lineage) erased(line *JournalErasure) error {
	row, err := line.row()
	if err != nil {
		return err
	}
	e := l.byID[row.ID]
	if e == nil {
		e = &lostErasure{buried: make(map[string]*lostKey), went: make(map[MappingRef]bool)}
		l.erasures, l.byID[row.ID] = append(l.erasures, e), e
	}
	e.row = row
	for _, z := range line.Buried {
		k := e.buried[z.KeyID]
		if k == nil {
			k = &lostKey{went: make(map[MappingRef]bool), Tombstone: Tombstone{
				KeyID: z.KeyID, ErasureID: row.ID, At: z.At, WrapVersion: z.WrapVersion, Rekeyed: z.Rekeyed, Swept: z.Swept,
			}}
			e.buried[z.KeyID], e.keys = k, append(e.keys, z.KeyID)
		}
		for _, t := range z.Tokens {
			ref := MappingRef{ScopeID: t[0], TokenID: t[1]}
			k.went[ref], e.went[ref] = true, true
		}
	}
	return nil
}

// goes tells whether an erasure took a value that is under the given key now. It
// is asked of every key that the value was ever under:
//
//   - A key that sealed nothing else took all that was under it when it was
//     destroyed: everything but what is known to have left before.
//   - One whose other values were sealed anew took what it is known to have taken.
//     Where that was swept before it was journaled: as the one above.
func (l *lineage) goes(e *lostErasure, ref MappingRef, now string) bool {
	if e.went[ref] {
		return true
	}
	for _, key := range l.keysOf(ref, now) {
		k := e.buried[key]
		switch {
		case k == nil:
		case k.Rekeyed && (len(k.went) > 0 || !k.Swept):
		case !l.left(ref, key, now):
			return true
		}
	}
	return false
}

// left tells whether a value is known to have been moved away from a key in the
// history that was lost. That it is under the new key now confirms it as well.
func (l *lineage) left(ref MappingRef, key, now string) bool {
	for _, s := range l.steps[ref] {
		if s.from == key && !s.replayed && (l.moved[s.change] || s.to == now) {
			return true
		}
	}
	return false
}

// keysOf are the keys that a value was under, as far as steps lead from one to
// the other, beginning with the one that it is under now.
func (l *lineage) keysOf(ref MappingRef, now string) []string {
	keys := []string{now}
	known := map[string]bool{now: true}
	for n := 0; n < len(keys); n++ {
		for _, s := range l.steps[ref] {
			for _, pair := range [][2]string{{s.from, s.to}, {s.to, s.from}} {
				if pair[0] == keys[n] && !known[pair[1]] {
					known[pair[1]] = true
					keys = append(keys, pair[1])
				}
			}
		}
	}
	return keys
}

// places are keys under which anything may be that an erasure took: its own, and
// those from which or to which such a value was moved.
func (l *lineage) places(e *lostErasure) []string {
	places := append([]string(nil), e.keys...)
	for _, key := range e.keys {
		for _, ref := range l.touched[key] {
			places = append(places, l.keysOf(ref, key)...)
		}
	}
	return unique(places)
}

// follow takes in that a replay moved values.
func (l *lineage) follow(moves []Resealed) {
	for _, m := range moves {
		l.step(MappingRef{ScopeID: m.ScopeID, TokenID: m.TokenID}, lineageStep{from: m.From, to: m.To, replayed: true})
	}
}
