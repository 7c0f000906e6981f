package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// image is what a batch concerns of a tenant's rows, as it was read under the
// lock, and what the changes of the batch made of it since. Every change is
// judged by it, one after the other, so that each meets what those before it
// did; what came of it all is written once, in the end. Nobody else can write
// these rows meanwhile, because nobody else has the head.
type image struct {
	scopes   map[vault.Digest]*scopeRow // those that are marked as living
	scopeIDs map[string]bool            // in use
	subjects map[vault.Digest]string    // their references
	refs     map[string]bool            // references in use
	keys     map[string]*keyRow
	rows     map[place]*mappingRow
	live     map[valuePlace]*mappingRow
	held     map[place]bool         // that a hold keeps, of those that were asked for
	erasures map[string]erasureRow  // those that are deferred
	claims   map[vault.Digest]int64 // when they were made
	done     map[string]bool        // ids of changes that are committed
	requests map[string]bool        // that are open, of those that were asked for
	buried   map[string]bool        // keys that an erasure destroyed, of those that were asked for
	names    map[vault.NameRef]bool // that are sealed so under keys that stand
	// suppressed has until when, of what was asked for.
	suppressed map[lookupPlace]int64
	sent       map[sent]bool // in writes.sent

	proceedings map[string]proceedingRow  // of those that were asked for
	policy      string                    // the one in force, where it was asked for
	suspensions []suspension              // that stood at the last entry, for restorations
	due         map[string][]int64        // when reviews of an actor are due, of those who were asked about
	spent       map[vault.Digest]spentRow // of budgets, when they were last used
	drawn       map[string]int            // how much grants gave that they do not name, of those that were asked for
	uses        map[use]bool              // that are there, of those that were asked for

	writes writes
	undo   []func() // of the change at hand, to be run backwards
}

// place is where a mapping is, valuePlace where a value is found again.
type place struct{ scopeID, tokenID string }

type valuePlace struct {
	scopeID  string
	identity vault.Digest
}

type scopeRow struct {
	id     string
	endsAt int64
}

type keyRow struct {
	id, scopeID, subjectRef string
	sealed                  int64
	// What is to be written.
	fresh   bool
	wrapped envelope.Wrapped
	seals   int64 // more than were read
	counted bool  // it is in writes.keys
}

type mappingRow struct {
	place
	identity      vault.Digest
	entity, keyID string
	state         vault.MappingState
	expires, end  int64
	keyAlive      bool
	// What is to be written.
	made              *vault.NewMapping // nil where it was read
	retired, extended bool              // since it was read
	listed            bool              // it is in writes.rows
}

// writes is what a batch has to write, in the order in which it came to be.
type writes struct {
	ended    []string // scopes whose name goes to another
	scopes   []vault.Scope
	subjects []vault.Subject
	keys     []*keyRow
	rows     []*mappingRow
	links    []link
	sources  []source
	sent     []sent
	claims   []vault.Claim
	redeemed []vault.Redemption
	opened   []vault.Proceeding
	spends   []vault.Digest
	uses     []use
	notices  []vault.Notice
}

type link struct {
	place
	subjectRef string
}

type source struct {
	place
	digest vault.Digest
}

func newImage() *image {
	return &image{
		scopes: make(map[vault.Digest]*scopeRow), scopeIDs: make(map[string]bool),
		subjects: make(map[vault.Digest]string), refs: make(map[string]bool),
		keys: make(map[string]*keyRow), rows: make(map[place]*mappingRow), live: make(map[valuePlace]*mappingRow),
		held: make(map[place]bool), erasures: make(map[string]erasureRow), claims: make(map[vault.Digest]int64), done: make(map[string]bool),
		requests: make(map[string]bool), buried: make(map[string]bool), names: make(map[vault.NameRef]bool),
		suppressed: make(map[lookupPlace]int64), sent: make(map[sent]bool),
		proceedings: make(map[string]proceedingRow), due: make(map[string][]int64), spent: make(map[vault.Digest]spentRow),
		drawn: make(map[string]int), uses: make(map[use]bool),
	}
}

// put sets an entry of a map of the image until the change at hand fails.
func put[K comparable, V any](m *image, in map[K]V, key K, value V) {
	old, was := in[key]
	in[key] = value
	m.undo = append(m.undo, func() {
		if was {
			in[key] = old
		} else {
			delete(in, key)
		}
	})
}

// set sets a variable of the image until the change at hand fails.
func set[V any](m *image, at *V, value V) {
	old := *at
	*at = value
	m.undo = append(m.undo, func() { *at = old })
}

// begin forgets how to undo the change before; fail undoes the one at hand.
func (m *image) begin() { m.undo = m.undo[:0] }

func (m *image) fail() {
	for i := len(m.undo) - 1; i >= 0; i-- {
		m.undo[i]()
	}
	m.undo = m.undo[:0]
}

// read takes a mapping into the image. Two statements may read the same row.
func (m *image) read(r *mappingRow) {
	if m.rows[r.place] != nil {
		return
	}
	m.rows[r.place] = r
	if r.state == vault.MappingLive {
		m.live[valuePlace{r.scopeID, r.identity}] = r
	}
}

// change lists a mapping that has to be written, once.
func (m *image) change(r *mappingRow) {
	if !r.listed {
		set(m, &r.listed, true)
		set(m, &m.writes.rows, append(m.writes.rows, r))
	}
}

// count lists a key that has to be written, once.
func (m *image) count(k *keyRow) {
	if !k.counted {
		set(m, &k.counted, true)
		set(m, &m.writes.keys, append(m.writes.keys, k))
	}
}

func scanDigest(rows pgx.Rows, digest *vault.Digest, into ...any) error {
	var column []byte
	if err := scan(rows, append([]any{&column}, into...)...); err != nil {
		return err
	}
	copy(digest[:], column)
	return nil
}
