package evidencetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// Tenant and Origin name the log.
const (
	Tenant = "acme"
	Origin = "counterfoil.local/log/acme"
)

// The period of a quarter, and when its log begins and ends.
var (
	From  = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	To    = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	start = From.AddDate(0, 0, -14)
	end   = To.Add(6 * time.Hour)
)

// A Quarter is a made log with all that speaks for it.
type Quarter struct {
	Period     evidence.Period
	Facts      evidence.Facts
	Leaves     [][]byte     // nil for one that was pruned
	Hashes     []audit.Hash // of all of them
	Keys       []string     // those that are trusted at first
	Handovers  [][]byte     // to the key that signs
	Signer     *audit.Signer
	Checkpoint []byte
	Root       audit.Hash
}

// MadeQuarter makes a log of at least n entries; n is at least 500.
func MadeQuarter(seed uint64, n int) *Quarter { return made(seed, n, false) }

// MadePruned is MadeQuarter whose tokenize entries of the first tenth were pruned.
func MadePruned(seed uint64, n int) *Quarter { return made(seed, n, true) }

// MinEntries is the smallest log that has all that a quarter is to have.
const MinEntries = 500

func made(seed uint64, n int, prune bool) *Quarter {
	m := newMaker(seed, max(n, MinEntries))
	m.run(prune)
	return m.quarter()
}

// Source walks the log.
func (q *Quarter) Source() evidence.Source {
	return func(yield func(evidence.Entry) error) error {
		for i, leaf := range q.Leaves {
			one := evidence.Entry{Index: int64(i), Hash: q.Hashes[i], Leaf: leaf}
			if leaf != nil {
				e, err := audit.ParseLeaf(leaf)
				if err != nil {
					return fmt.Errorf("evidencetest: entry %d: %w", i, err)
				}
				one.Entry = e
			}
			if err := yield(one); err != nil {
				return err
			}
		}
		return nil
	}
}

// Sign signs a statement of the log with the key in use.
func (q *Quarter) Sign(s audit.Statement) ([]byte, error) { return audit.SignStatement(s, q.Signer) }

// Head is what the checkpoint states.
func (q *Quarter) Head() audit.TreeHead {
	return audit.TreeHead{Origin: Origin, Size: int64(len(q.Leaves)), Root: q.Root}
}

// maker writes the log.
type maker struct {
	rng      *rand.Rand
	n        int
	now      time.Time
	due      []todo // what has to follow, by time
	leaves   [][]byte
	hashes   []audit.Hash
	policy   string
	versions [2]string
	from, to *audit.Signer
	signer   *audit.Signer
	handover []byte
	wrap     int // version of the wrapping key
}

// todo is an entry that has to follow at its time.
type todo struct {
	at time.Time
	do func()
}

func newMaker(seed uint64, n int) *maker {
	m := &maker{rng: rand.New(rand.NewPCG(seed, 7)), n: n, now: start, wrap: 1} //nolint:gosec // a made log is to be made again
	m.versions = [2]string{m.hex(64), m.hex(64)}
	m.policy = m.versions[0]
	m.from, m.to = signer(1), signer(2)
	m.signer = m.from
	return m
}

func signer(seed byte) *audit.Signer {
	s, err := audit.NewSigner(Origin, bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		panic("evidencetest: a signer: " + err.Error())
	}
	return s
}

// root is that of the log as it is.
func (m *maker) root() audit.Hash {
	var stack []audit.Hash
	for i, h := range m.hashes {
		for n := i + 1; n&1 == 0; n >>= 1 {
			h, stack = tlog.NodeHash(stack[len(stack)-1], h), stack[:len(stack)-1]
		}
		stack = append(stack, h)
	}
	root, err := audit.Frontier{Size: int64(len(m.hashes)), Nodes: stack}.Root()
	if err != nil {
		panic("evidencetest: a root: " + err.Error())
	}
	return root
}

func (m *maker) head() audit.TreeHead {
	return audit.TreeHead{Origin: Origin, Size: int64(len(m.hashes)), Root: m.root()}
}

// rotateLogKey hands the log over to the second key.
func (m *maker) rotateLogKey() {
	var err error
	if m.handover, err = audit.SignHandover(m.head(), m.from, m.to); err != nil {
		panic("evidencetest: a handover: " + err.Error())
	}
	m.signer = m.to
	m.add(audit.KindLogRotate, func(e *audit.Entry) {
		m.by(e, "keys", "")
		e.Decision, e.KeyIDs, e.Counts = audit.Allow, []string{m.hex(32), m.hex(32)}, map[string]int{"version": 2}
	})
}

func (m *maker) quarter() *Quarter {
	head := m.head()
	checkpoint, err := m.signer.Sign(head)
	if err != nil {
		panic("evidencetest: a checkpoint: " + err.Error())
	}
	return &Quarter{
		Period: evidence.Period{From: From, To: To}, Facts: m.facts(), Leaves: m.leaves, Hashes: m.hashes,
		Keys: []string{m.from.VerifierKey()}, Handovers: [][]byte{m.handover}, Signer: m.signer, Checkpoint: checkpoint, Root: head.Root,
	}
}
