package audit

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Link checks an entry and makes it ready for the log: one entry if it fits
// into a leaf, else several linked ones. Entities, Results and Counts then
// stand in the first alone, so that sums over entries stay right; scope_refs,
// subject_refs, key_ids and tokens are divided, each item in exactly one
// entry; all else is repeated, so that each entry can be read and searched by
// itself. The lists of the result share memory with those of e.
func Link(e Entry) ([]Entry, error) {
	if err := e.validate(MaxListed); err != nil {
		return nil, err
	}
	e.V, e.Seq, e.Parts, e.Prev, e.Time = Version, 0, 0, "", time.Time{}
	rest := divided(&e)
	var parts []Entry
	for first := true; first || left(rest) > 0; first = false {
		part := e
		if !first {
			part.Entities, part.Results, part.Counts = nil, nil, nil
		}
		if err := fill(&part, &rest); err != nil {
			return nil, err
		}
		parts = append(parts, part)
		if len(parts) > MaxParts {
			return nil, fmt.Errorf("%w: more than %d linked entries", ErrTooLarge, MaxParts)
		}
	}
	if len(parts) > 1 {
		for i := range parts {
			parts[i].Seq, parts[i].Parts = i, len(parts)
		}
	}
	return parts, nil
}

// dividedLists is the number of lists that may be cut; the others are short by
// nature and must fit into each leaf.
const dividedLists = 4

// The order is that of filling: what is read most stands in the first entry.
func dividedFields(e *Entry) [dividedLists]*[]string {
	return [dividedLists]*[]string{&e.ScopeRefs, &e.SubjectRefs, &e.KeyIDs, &e.Tokens}
}

func divided(e *Entry) (rest [dividedLists][]string) {
	for i, list := range dividedFields(e) {
		rest[i], *list = *list, nil
	}
	return rest
}

func left(rest [dividedLists][]string) (n int) {
	for _, list := range rest {
		n += len(list)
	}
	return n
}

// listOverhead is at least what a list adds to a leaf beside its items: comma,
// quoted name of up to 12 characters, colon and brackets. itemOverhead is two
// quotes and a comma.
const (
	listOverhead = 1 + 14 + 1 + 2
	itemOverhead = 3
)

// fill moves items from rest into part until a leaf is full.
func fill(part *Entry, rest *[dividedLists][]string) error {
	room := MaxLeaf - largest(part)
	if room < 0 {
		return fmt.Errorf("%w: without its lists the entry is %d bytes too long for a leaf", ErrTooLarge, -room)
	}
	before := left(*rest)
	for i, list := range dividedFields(part) {
		room -= listOverhead
		n := 0
		for n < len(rest[i]) && n < MaxTokens {
			// No item holds a character that needs an escape, so its length in
			// the leaf is its length.
			size := len(rest[i][n]) + itemOverhead
			if size > room {
				break
			}
			room -= size
			n++
		}
		*list, rest[i] = rest[i][:n:n], rest[i][n:]
	}
	if before > 0 && left(*rest) == before {
		return fmt.Errorf("%w: the entry leaves no room for its lists", ErrTooLarge)
	}
	return nil
}

// largest is the length of the leaf of e, as Link makes it, once time, position
// and link are set, for the longest of each.
func largest(e *Entry) int {
	var usual [usualLeaf]byte
	return len(appendEntry(usual[:0], e)) + linkRoom
}

// linkRoom is what is added to the leaf of an entry that Link made: the time
// and, where there are several, place and link.
var linkRoom = func() int {
	e := Entry{V: Version}
	before := len(appendEntry(nil, &e))
	e.Seq, e.Parts = MaxParts, MaxParts
	e.Time = time.Unix(0, 0)
	e.Prev = hex.EncodeToString(make([]byte, len(Hash{})))
	return len(appendEntry(nil, &e)) - before
}()

// Finalise gives the entries of one change, as Link made them, their time and
// their links, and returns the leaves to hash and store, in order. It writes
// V, Time and Prev into the slice, and may be called again with another time
// when a commit is replayed.
//
// The time is cut to microseconds. That it does not decrease within a log is
// for the caller to see to, who holds the lock on the head.
func Finalise(entries []Entry, at time.Time) (leaves [][]byte, err error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("%w: no entry", ErrChain)
	}
	at = at.UTC().Truncate(time.Microsecond)
	leaves = make([][]byte, len(entries))
	prev := ""
	for i := range entries {
		e := &entries[i]
		if err := inChain(e, &entries[0], i, len(entries)); err != nil {
			return nil, err
		}
		e.V, e.Time, e.Prev = Version, at, prev
		if leaves[i], err = e.leaf(); err != nil {
			return nil, err
		}
		if i+1 < len(entries) {
			h := LeafHash(leaves[i])
			prev = hex.EncodeToString(h[:])
		}
	}
	return leaves, nil
}

func inChain(e, first *Entry, i, n int) error {
	parts := n
	if n == 1 {
		parts = 0
	}
	if e.Seq != i || e.Parts != parts || e.ChangeID != first.ChangeID || e.Tenant != first.Tenant || e.Kind != first.Kind {
		return fmt.Errorf("%w: at position %s", ErrChain, strconv.Itoa(i))
	}
	return nil
}
