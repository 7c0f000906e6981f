// Package exporttest has what tests of an export need: a log of one tenant in
// memory, signed with real keys, and the check of what was exported of it by
// somebody who has nothing but the objects.
package exporttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
)

// Log is a log in memory. It may be used by several goroutines.
type Log struct {
	Tenant, Origin string

	mu       sync.Mutex
	signers  []*audit.Signer
	keys     []export.Key
	leaves   [][]byte
	pruned   map[int64]bool
	nodes    map[[2]int64]audit.Hash
	frontier audit.Frontier
	signed   int // the signer that signs checkpoints
	at       time.Time
	cursor   export.Cursor
}

// NewLog makes an empty log.
func NewLog(tenant string) *Log {
	l := &Log{
		Tenant: tenant, Origin: audit.Origin("log.example", tenant),
		pruned: make(map[int64]bool), nodes: make(map[[2]int64]audit.Hash),
	}
	l.Rotate()
	return l
}

// Rotate gives the log another key, for which the one before vouches.
func (l *Log) Rotate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	seed := sha256.Sum256(fmt.Appendf(nil, "key %d", len(l.signers)))
	signer, err := audit.NewSigner(l.Origin, seed[:])
	must(err)
	key := export.Key{VerifierKey: signer.VerifierKey()}
	if n := len(l.signers); n > 0 {
		key.Handover, err = audit.SignHandover(l.tree(), l.signers[n-1], signer)
		must(err)
	}
	l.signers, l.keys, l.signed = append(l.signers, signer), append(l.keys, key), len(l.signers)
}

// entry makes an entry as a service would write it: of those kinds that are told of
// here.
func (l *Log) entry(n int, at time.Time, kind audit.Kind) audit.Entry {
	e := audit.Entry{
		V: audit.Version, Tenant: l.Tenant, Time: at.UTC().Truncate(time.Microsecond), Kind: kind,
		ChangeID: fmt.Sprintf("change-%d", n), Environment: "staging", Channel: "api", Replica: "vault-1", PolicyVersion: "v1",
	}
	switch kind {
	case audit.KindTokenize, audit.KindRestore:
		e.Actor, e.Client, e.RequestID = "@actor", audit.Client{ClientID: "gw-1"}, fmt.Sprintf("r-%d", n)
		e.Decision, e.Entities = audit.Allow, map[string]int{"PERSON": 1}
		e.Tokens, e.ScopeRefs = []string{fmt.Sprintf("T%09d", n)}, []string{"s-1"}
		if kind == audit.KindTokenize {
			e.Destination = "openai-eu"
		} else {
			e.Reason = "CUSTOMER_SUPPORT"
		}
	case audit.KindSweep:
		e.Counts = map[string]int{"keys": 1}
	case audit.KindTenantCreate:
		e.KeyIDs = []string{"k-1"}
	case audit.KindLogRotate:
		e.KeyIDs, e.Counts = []string{"k-2"}, map[string]int{"version": 2}
	}
	must(audit.CheckKind(&e))
	return e
}

// Append adds an entry of each kind, all of one time.
func (l *Log) Append(at time.Time, kinds ...audit.Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var entries []audit.Entry
	for i, kind := range kinds {
		entries = append(entries, l.entry(len(l.leaves)+i, at, kind))
	}
	l.append(entries)
}

// AppendLarge adds n sweeps, which name many keys.
func (l *Log) AppendLarge(n int, at time.Time, keys []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var entries []audit.Entry
	for i := range n {
		e := l.entry(len(l.leaves)+i, at, audit.KindSweep)
		e.KeyIDs = keys
		entries = append(entries, e)
	}
	l.append(entries)
}

func (l *Log) append(entries []audit.Entry) {
	leaves := make([][]byte, len(entries))
	for i, e := range entries {
		var err error
		leaves[i], err = e.Leaf()
		must(err)
	}
	batch, err := l.frontier.Append(leaves)
	must(err)
	for i, hash := range batch.Leaves {
		l.nodes[[2]int64{0, batch.First + int64(i)}] = hash
	}
	for _, node := range batch.Nodes {
		l.nodes[[2]int64{int64(node.Level), node.N}] = node.Hash
	}
	l.leaves, l.frontier = append(l.leaves, leaves...), batch.Frontier
}

// Fill adds tokenize entries, each a step of time after the one before.
func (l *Log) Fill(n int, from time.Time, step time.Duration) {
	for i := range n {
		l.Append(from.Add(time.Duration(i)*step), audit.KindTokenize)
	}
}

// Quiet says until when nothing came after the last entry; see export.Head.
func (l *Log) Quiet(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = at
}

// Prune takes the leaf of an entry away.
func (l *Log) Prune(index int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pruned[index] = true
}

// Change changes a leaf, and its hash with it, as who has the database can; the
// nodes above stay. The result is an entry still.
func (l *Log) Change(index int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaves[index] = bytes.Replace(l.leaves[index], []byte(`"@actor"`), []byte(`"@other"`), 1)
	l.nodes[[2]int64{0, index}] = audit.LeafHash(l.leaves[index])
}

// Forget takes the cursor away.
func (l *Log) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cursor = export.Cursor{}
}

// Kept is the cursor.
func (l *Log) Kept() export.Cursor {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cursor
}

func (l *Log) tree() audit.TreeHead {
	root, err := l.frontier.Root()
	must(err)
	return audit.TreeHead{Origin: l.Origin, Size: l.frontier.Size, Root: root}
}

// Size is how many entries the log has.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frontier.Size
}

// Lines are the leaves as counterfoil-verify reads them.
func (l *Log) Lines() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, leaf := range l.leaves {
		b.Write(leaf)
		b.WriteByte('\n')
	}
	return b.String()
}

// VerifierKeys are those of the log.
func (l *Log) VerifierKeys() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var vkeys []string
	for _, key := range l.keys {
		vkeys = append(vkeys, key.VerifierKey)
	}
	return vkeys
}

// Head signs the head.
func (l *Log) Head(context.Context) (export.Head, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	head := l.tree()
	checkpoint, err := l.signers[l.signed].Sign(head)
	return export.Head{Size: head.Size, Root: head.Root, Checkpoint: checkpoint, At: l.at}, err
}

// Nodes returns complete subtrees in a row.
func (l *Log) Nodes(_ context.Context, level int, from int64, count int) ([]audit.Hash, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hashes := make([]audit.Hash, 0, count)
	for n := from; n < from+int64(count); n++ {
		hash, known := l.nodes[[2]int64{int64(level), n}]
		if !known {
			return nil, fmt.Errorf("exporttest: no node %d on level %d", n, level)
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// Leaves returns leaves in a row, nil where they were pruned.
func (l *Log) Leaves(_ context.Context, from int64, count int) ([][]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from+int64(count) > int64(len(l.leaves)) {
		return nil, fmt.Errorf("exporttest: no leaf %d", from+int64(count)-1)
	}
	leaves := slices.Clone(l.leaves[from : from+int64(count)])
	for i := range leaves {
		if l.pruned[from+int64(i)] {
			leaves[i] = nil
		}
	}
	return leaves, nil
}

// Log is the log as an export asks it.
func (l *Log) Log() export.Log {
	return export.Log{
		Tenant: l.Tenant, Origin: l.Origin, Head: l.Head,
		Entries: func(ctx context.Context, from int64, limit int) ([]export.Entry, error) {
			leaves, err := l.Leaves(ctx, from, int(min(int64(limit), l.Size()-from)))
			if err != nil {
				return nil, err
			}
			hashes, err := l.Nodes(ctx, 0, from, len(leaves))
			entries := make([]export.Entry, len(leaves))
			for i, leaf := range leaves {
				entries[i] = export.Entry{Index: from + int64(i), Leaf: leaf, LeafHash: hashes[i]}
			}
			return entries, err
		},
		Cursor: func(context.Context) (export.Cursor, error) { return l.Kept(), nil },
		SetCursor: func(_ context.Context, c export.Cursor) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			if c.Next >= l.cursor.Next { // as a store drops a note of a lower order
				l.cursor = export.Cursor{Next: c.Next, Body: slices.Clone(c.Body)}
			}
			return nil
		},
		Sign: func(_ context.Context, s audit.Statement) ([]byte, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			return audit.SignStatement(s, l.signers[l.signed])
		},
		Keys: func(context.Context) ([]export.Key, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			return slices.Clone(l.keys), nil
		},
	}
}

func must(err error) {
	if err != nil {
		panic("exporttest: " + err.Error())
	}
}
