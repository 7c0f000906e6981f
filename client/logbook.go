package client

import (
	"cmp"
	"errors"
	"slices"
	"sync"

	"github.com/counterfoil/counterfoil/internal/audit"
)

const (
	// maxHeads are remembered: more than the requests that one client has under
	// way at a time, whose answers may come in any order.
	maxHeads = 1024
	// maxKeys of a log: it has one at a time, and a new one once a year.
	maxKeys = 32
)

// head says that the tree of the first size entries has this root.
type head struct {
	size int64
	root Hash
}

// logbook is what a client knows of its log.
type logbook struct {
	fetching chan struct{} // held while keys are fetched, or a head is proven and kept

	mu        sync.Mutex
	keys      []string
	origin    string
	heads     []head // by size; the oldest go first
	published int64  // the greatest checkpoint that was fetched
	kept      string // the note that Checkpoints has, "" where it has none
	opened    bool   // kept was checked, or there is none
	last      head   // what it states
}

func newLogbook() *logbook { return &logbook{fetching: make(chan struct{}, 1)} }

var errKeys = errors.New("the keys of the log are not verifier keys of the log of one tenant")

// pin takes the keys of the log, once. All are of one log: with those of two
// tenants, a receipt of the one would do for the other.
func (l *logbook) pin(keys []string) error {
	if len(keys) == 0 || len(keys) > maxKeys {
		return errKeys
	}
	origin := ""
	for i, key := range keys {
		name, err := audit.OriginOf(key)
		if err != nil || i > 0 && name != origin {
			return errKeys
		}
		origin = name
	}
	if _, err := audit.TenantOf(origin); err != nil {
		return errKeys
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys, l.origin = slices.Clone(keys), origin
	return nil
}

func (l *logbook) pinned() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys) > 0
}

// ready tells whether keys are there, and what was kept is checked with them.
func (l *logbook) ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys) > 0 && l.opened
}

// newest is the size of the greatest head that was seen.
func (l *logbook) newest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.heads) == 0 {
		return l.last.size
	}
	return max(l.last.size, l.heads[len(l.heads)-1].size)
}

func (l *logbook) newestPublished() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.published
}

// check holds a receipt against the keys and against what was seen. seen is
// the newest size from before the request was sent: the entry was written
// after that head was signed, so it cannot be one of those under it. Answers
// to requests that ran side by side may come in any order.
func (l *logbook) check(r *Receipt, seen int64) error {
	if r == nil {
		return &ReceiptError{Fault: FaultMissing}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Log != l.origin {
		return &ReceiptError{FaultLog, r}
	}
	if err := r.Verify(l.keys...); err != nil {
		return err
	}
	if r.Index < seen {
		return &ReceiptError{FaultBehind, r}
	}
	if !l.learn(r.states()) {
		return &ReceiptError{FaultFork, r}
	}
	return nil
}

// checkPublished holds a checkpoint against the keys and what was seen.
func (l *logbook) checkPublished(note string, seen int64) (*Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	evidence := &Receipt{Checkpoint: note}
	// It must be signed by the key whose name is its origin, and all keys are of
	// one log: no other log comes through.
	tree, err := audit.OpenCheckpoint([]byte(note), l.keys...)
	switch {
	case err != nil:
		return nil, &ReceiptError{faultOf(err), evidence}
	case tree.Size < seen:
		return nil, &ReceiptError{FaultBehind, evidence}
	case !l.learn([]head{{tree.Size, tree.Root}}):
		return nil, &ReceiptError{FaultFork, evidence}
	}
	l.published = max(l.published, tree.Size)
	return &Checkpoint{Log: tree.Origin, Size: tree.Size, Root: tree.Root, Note: note}, nil
}

// learn keeps what is stated, unless any of it contradicts what is known.
func (l *logbook) learn(stated []head) bool {
	for _, s := range stated {
		at, known := l.find(s.size)
		if known && l.heads[at].root != s.root || s.size == l.last.size && l.last.size > 0 && l.last.root != s.root {
			return false
		}
	}
	for _, s := range stated {
		if at, known := l.find(s.size); !known {
			l.heads = slices.Insert(l.heads, at, s)
		}
	}
	if over := len(l.heads) - maxHeads; over > 0 {
		l.heads = slices.Delete(l.heads, 0, over)
	}
	return true
}

func (l *logbook) find(size int64) (int, bool) {
	return slices.BinarySearchFunc(l.heads, size, func(h head, size int64) int { return cmp.Compare(h.size, size) })
}
