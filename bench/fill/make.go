package fill

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// perConversation is how many entries name the same scope: the turns of a chat.
	perConversation = 10
	// crockford are the characters of token ids.
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// maker makes entries that follow one another.
type maker struct {
	model    audit.Entry
	bare     bool
	now      func() time.Time
	frontier audit.Frontier
	last     int64 // time of the last entry, in microseconds
	scope    string
	made     int64
}

// chunk is what one transaction writes.
type chunk struct {
	entries  []entryRow
	terms    []termRow
	nodes    []audit.Node
	frontier []byte
}

type entryRow struct {
	idx, time int64
	leaf      []byte
	hash      audit.Hash
	changeID  string
}

type termRow struct {
	entryrow.Term
	idx int64
}

// chunk makes the next n entries and the tree that has them.
func (m *maker) chunk(n int) (chunk, error) {
	var c chunk
	hashes := make([]audit.Hash, 0, n)
	for i := range n {
		// Times of a log never decrease, whatever the clock does.
		m.last = max(m.last, m.now().UnixMicro())
		finished := []audit.Entry{m.entry()}
		leaves, err := audit.Finalise(finished, time.UnixMicro(m.last))
		if err != nil {
			return chunk{}, fmt.Errorf("fill: an entry: %w", err)
		}
		e, idx := &finished[0], m.frontier.Size+int64(i)
		hash := audit.LeafHash(leaves[0])
		hashes = append(hashes, hash)
		c.entries = append(c.entries, entryRow{idx, m.last, leaves[0], hash, e.ChangeID})
		for _, t := range entryrow.TermsOf(e) {
			c.terms = append(c.terms, termRow{t, idx})
		}
	}
	appended, err := m.frontier.AppendHashes(hashes)
	if err != nil {
		return chunk{}, fmt.Errorf("fill: the tree: %w", err)
	}
	c.nodes, m.frontier = appended.Nodes, appended.Frontier
	if c.frontier, err = m.frontier.MarshalBinary(); err != nil {
		return chunk{}, fmt.Errorf("fill: the tree: %w", err)
	}
	return c, nil
}

// entry is like the model, about other things.
func (m *maker) entry() audit.Entry {
	m.made++
	if m.bare {
		return audit.Entry{
			Kind: audit.KindSweep, Tenant: m.model.Tenant, ChangeID: vault.NewID(), Channel: m.model.Channel,
			Environment: m.model.Environment, PolicyVersion: m.model.PolicyVersion, Replica: m.model.Replica,
			Counts: map[string]int{"mappings": 1},
		}
	}
	e := m.model
	e.ChangeID = vault.NewID()
	e.Seq, e.Parts, e.Prev = 0, 0, ""
	if e.RequestID != "" {
		e.RequestID = vault.NewID()
	}
	if len(e.ScopeRefs) > 0 {
		if m.scope == "" || m.made%perConversation == 0 {
			m.scope = vault.NewID()
		}
		e.ScopeRefs = []string{m.scope}
	}
	e.Tokens = make([]string, len(m.model.Tokens))
	for i, id := range m.model.Tokens {
		e.Tokens[i] = tokenID(len(id))
	}
	return e
}

// tokenID need not be hard to guess: nothing stands behind it.
func tokenID(length int) string {
	id := make([]byte, length)
	for i := range id {
		id[i] = crockford[rand.IntN(len(crockford))] //nolint:gosec // see above
	}
	return string(id)
}
