package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// What every commit has to know of its tenant is in the one row.
	sqlReadHead = `
SELECT h.frontier, h.last_time, h.state, h.min_wrap_version, h.retired_below FROM log_heads AS h WHERE h.tenant = ?1`
	sqlInsertHead = `
INSERT INTO log_heads (tenant, frontier, last_time) VALUES (?1, ?2, ?3)`
	sqlUpdateHead = `
UPDATE log_heads SET frontier = ?2, last_time = ?3 WHERE tenant = ?1`
	sqlInsertEntry = `
INSERT INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`
	// One statement for all of a batch: to run one costs as much as to write some rows.
	sqlInsertTerms = `
INSERT INTO entry_terms (tenant, field, term, idx)
SELECT ?1, j.value ->> 0, j.value ->> 1, j.value ->> 2 FROM json_each(?2) AS j`
	sqlInsertNode = `
INSERT INTO log_nodes (tenant, level, n, hash) VALUES (?1, ?2, ?3, ?4)`
	sqlFindChange = `
SELECT e.seq FROM entries AS e WHERE e.tenant = ?1 AND e.change_id = ?2 AND e.seq = 0`
)

type entryTerm struct {
	entryrow.Term
	idx int64
}

// readHead finds out where the log stands and what time it is: never before
// the last entry.
func (b *batch) readHead() error {
	var frontier []byte
	var retired int
	found, err := b.row([]any{&frontier, &b.last, &b.state, &b.minWrap, &retired}, sqlReadHead, b.tenant)
	if err != nil || !found {
		return err
	}
	if err := b.frontier.UnmarshalBinary(frontier); err != nil {
		return &fault{fmt.Errorf("head of the log: %w", err)}
	}
	b.exists = true
	b.now = max(b.now, b.last)
	return nil
}

// advance appends the leaves of the batch to the tree and moves the head. It
// fails for all of them or for none.
func (b *batch) advance() (*audit.Batch, error) {
	appended, err := b.frontier.Append(b.leaves)
	if err != nil {
		return nil, &fault{err}
	}
	frontier, err := appended.Frontier.MarshalBinary()
	if err != nil {
		return nil, &fault{err}
	}
	terms := make([][3]any, len(b.terms))
	for i, t := range b.terms {
		terms[i] = [3]any{t.Field, t.Value, t.idx}
	}
	if _, err := b.exec(sqlInsertTerms, b.tenant, encode(terms)); err != nil {
		return nil, &fault{err}
	}
	for _, n := range appended.Nodes {
		if _, err := b.exec(sqlInsertNode, b.tenant, n.Level, n.N, n.Hash[:]); err != nil {
			return nil, &fault{err}
		}
	}
	write := sqlUpdateHead
	if appended.First == 0 {
		write = sqlInsertHead
	}
	lost := &fault{fmt.Errorf("head of the log: %w", vault.ErrNotFound)}
	if err := b.mustChange(lost, write, b.tenant, frontier, b.now); err != nil {
		return nil, &fault{err}
	}
	return appended, nil
}
