package postgres

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlInsertEntries = `
INSERT INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq)
SELECT $1, r.idx, r.leaf, r.leaf_hash, $2, r.change_id, r.seq
FROM unnest($3::bigint[], $4::bytea[], $5::bytea[], $6::text[], $7::bigint[]) AS r (idx, leaf, leaf_hash, change_id, seq)`
	sqlInsertTerms = `
INSERT INTO entry_terms (tenant, field, term, idx)
SELECT $1, r.field, r.term, r.idx FROM unnest($2::text[], $3::text[], $4::bigint[]) AS r (field, term, idx)`
	sqlInsertNodes = `
INSERT INTO log_nodes (tenant, level, n, hash)
SELECT $1, r.level, r.n, r.hash FROM unnest($2::bigint[], $3::bigint[], $4::bytea[]) AS r (level, n, hash)`
	sqlInsertHead = `
INSERT INTO log_heads (tenant, frontier, last_time) VALUES ($1, $2, $3)`
	sqlUpdateHead = `
UPDATE log_heads SET frontier = $2, last_time = $3 WHERE tenant = $1`
)

type entryTerm struct {
	entryrow.Term
	idx int64
}

// entryRow is an entry that is to be written; its leaf is that of the same
// place in batch.leaves.
type entryRow struct {
	idx      int64
	leaf     []byte
	hash     audit.Hash
	changeID string
	seq      int64
}

// append gives a change its entries, and their places in the log.
func (b *batch) append(c vault.Change, outcome vault.Outcome) (vault.Committed, error) {
	at := fromMicros(b.now)
	entries, leaves, err := c.Leaves(outcome, at)
	if err != nil {
		return vault.Committed{}, err
	}
	if b.image.done[c.ID()] && !b.hooks.skips(guardOnce) {
		return vault.Committed{}, fmt.Errorf("postgres: change %s was committed before: %w", c.ID(), vault.ErrConflict)
	}
	put(b.image, b.image.done, c.ID(), true)
	committed := vault.Committed{Outcome: outcome, First: b.next(), Count: len(entries), At: at}
	for i := range entries {
		e, idx := &entries[i], b.next()
		if e.Tenant != b.tenant {
			return vault.Committed{}, fmt.Errorf("%w: the entry is of another tenant", vault.ErrNoEntry)
		}
		for _, t := range entryrow.TermsOf(e) {
			b.terms = append(b.terms, entryTerm{t, idx})
		}
		b.entries = append(b.entries, entryRow{idx, leaves[i], audit.LeafHash(leaves[i]), e.ChangeID, int64(e.Seq)})
		b.leaves = append(b.leaves, leaves[i])
	}
	return committed, nil
}

// next is the index of the next entry.
func (b *batch) next() int64 { return b.frontier.Size + int64(len(b.leaves)) }

// advance appends the leaves of the batch to the tree and adds what is to be
// written of the log: entries, their terms, new nodes, the head. It fails for
// all of them or for none.
func (b *batch) advance(p *pipeline) (*audit.Batch, error) {
	appended, err := b.frontier.Append(b.leaves)
	if err != nil {
		return nil, &fault{err}
	}
	frontier, err := appended.Frontier.MarshalBinary()
	if err != nil {
		return nil, &fault{err}
	}
	p.change(len(b.entries), errNotWritten, sqlInsertEntries, b.tenant, b.now,
		column(b.entries, func(e entryRow) int64 { return e.idx }),
		column(b.entries, func(e entryRow) []byte { return e.leaf }),
		column(b.entries, func(e entryRow) []byte { return e.hash[:] }),
		column(b.entries, func(e entryRow) string { return e.changeID }),
		column(b.entries, func(e entryRow) int64 { return e.seq }))
	p.change(len(b.terms), errNotWritten, sqlInsertTerms, b.tenant,
		column(b.terms, func(t entryTerm) string { return string(t.Field) }),
		column(b.terms, func(t entryTerm) string { return t.Value }),
		column(b.terms, func(t entryTerm) int64 { return t.idx }))
	if len(appended.Nodes) > 0 {
		p.change(len(appended.Nodes), errNotWritten, sqlInsertNodes, b.tenant,
			column(appended.Nodes, func(n audit.Node) int64 { return int64(n.Level) }),
			column(appended.Nodes, func(n audit.Node) int64 { return n.N }),
			column(appended.Nodes, func(n audit.Node) []byte { return n.Hash[:] }))
	}
	write := sqlUpdateHead
	if appended.First == 0 {
		write = sqlInsertHead
	}
	p.change(1, errNotWritten, write, b.tenant, frontier, b.now)
	p.exec(sqlUnbound)
	return appended, nil
}
