package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A verifier walks one log once.
type verifier struct {
	opts   Options
	claims []claim // sorted by size; those below next are checked
	next   int

	tree  tree
	last  audit.Entry // the entry before, zero at the start
	hash  audit.Hash  // its leaf hash
	first time.Time
	seen  map[changeID]struct{}

	// Set by newVerifier and replaced by nothing but the twins of the tests,
	// which show what would pass without a rule.
	open    func(checkpoint []byte, vkeys ...string) (audit.TreeHead, error)
	parse   func(leaf []byte) (audit.Entry, error)
	once    func(*json.Decoder) error
	ignored map[string]bool
}

// A changeID stands for the id of a change: the first half of its SHA-256,
// since ids may be 256 bytes long and there may be millions. Two that collide
// would be a false alarm, once in 2^64 changes.
type changeID [sha256.Size / 2]byte

func newVerifier(opts Options) *verifier {
	return &verifier{
		opts: opts, seen: make(map[changeID]struct{}),
		open: audit.OpenCheckpoint, parse: audit.ParseLeaf, once: onceEach,
	}
}

func (v *verifier) run(ctx context.Context, src Source) (Result, error) {
	if err := v.name(); err != nil {
		return Result{}, err
	}
	if err := v.collect(); err != nil {
		return Result{}, err
	}
	if err := v.compare(); err != nil {
		return Result{}, err
	}
	err := src(func(e Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return v.entry(e)
	})
	if err != nil {
		var fault *Fault
		if errors.As(err, &fault) {
			return Result{}, fault
		}
		return Result{}, fmt.Errorf("verify: reading the log: %w", err)
	}
	if err := v.end(); err != nil {
		return Result{}, err
	}
	return v.result(), nil
}

func (v *verifier) report(index int64, rule, detail string) error {
	if v.ignored[rule] {
		return nil
	}
	return &Fault{Index: index, Rule: rule, Detail: detail}
}

// entry checks the next entry and adds it to the tree.
func (v *verifier) entry(e Entry) error {
	at := v.tree.size
	if e.Index != at {
		if err := v.report(at, RuleGap, fmt.Sprintf("the entry here has index %d", e.Index)); err != nil {
			return err
		}
	}
	hash := audit.LeafHash(e.Leaf)
	if e.LeafHash != nil && !bytes.Equal(e.LeafHash, hash[:]) {
		if err := v.report(at, RuleHash, "the stored leaf hash is not that of the leaf"); err != nil {
			return err
		}
	}
	entry, err := v.parse(e.Leaf)
	if err != nil {
		return v.report(at, ruleOf(err), err.Error())
	}
	for _, check := range []func(*verifier, int64, *audit.Entry) error{
		(*verifier).tenant, (*verifier).time, (*verifier).link, (*verifier).change,
	} {
		if err := check(v, at, &entry); err != nil {
			return err
		}
	}
	if at == 0 {
		v.first = entry.Time
	}
	v.last, v.hash = entry, hash
	v.tree.push(hash)
	return v.compare()
}

// ruleOf tells a leaf that is an entry in another form from one that is none.
// The text of either error has positions and field names only.
func ruleOf(err error) string {
	if errors.Is(err, audit.ErrCanonical) {
		return RuleCanonical
	}
	return RuleSchema
}

func (v *verifier) tenant(at int64, e *audit.Entry) error {
	if e.Tenant == v.opts.Tenant {
		return nil
	}
	return v.report(at, RuleTenant, "the entry is of another tenant")
}

func (v *verifier) time(at int64, e *audit.Entry) error {
	if !e.Time.Before(v.last.Time) {
		return nil
	}
	return v.report(at, RuleTime, "the time is before that of the entry before")
}

// unfinished reports whether the entry before wants a linked one to follow.
func (v *verifier) unfinished() bool { return v.last.Seq+1 < v.last.Parts }

func (v *verifier) link(at int64, e *audit.Entry) error {
	if !v.unfinished() {
		if e.Seq == 0 {
			return nil
		}
		return v.report(at, RuleLink, fmt.Sprintf("part %d of a change whose parts before it are not here", e.Seq))
	}
	l := &v.last
	switch {
	case e.ChangeID != l.ChangeID || e.Kind != l.Kind || e.Parts != l.Parts || e.Seq != l.Seq+1:
		return v.report(at, RuleLink, fmt.Sprintf("part %d of %d of the change before is missing", l.Seq+1, l.Parts))
	case !e.Time.Equal(l.Time):
		return v.report(at, RuleLink, "the parts of one change have different times")
	case e.Prev != hex.EncodeToString(v.hash[:]):
		return v.report(at, RuleLink, "prev is not the leaf hash of the part before")
	}
	return nil
}

func (v *verifier) change(at int64, e *audit.Entry) error {
	if e.Seq != 0 {
		return nil
	}
	sum := sha256.Sum256([]byte(e.ChangeID))
	id := changeID(sum[:len(changeID{})])
	if _, ok := v.seen[id]; ok {
		return v.report(at, RuleChange, "the change id was used before")
	}
	v.seen[id] = struct{}{}
	return nil
}

// compare holds the tree against every claim about its present size.
func (v *verifier) compare() error {
	for ; v.next < len(v.claims) && v.claims[v.next].size == v.tree.size; v.next++ {
		c := v.claims[v.next]
		if v.tree.root() == c.root {
			continue
		}
		detail := fmt.Sprintf("the first %d entries do not have the root that %s states", c.size, c.what)
		if err := v.report(max(c.size-1, 0), RuleRoot, detail); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) end() error {
	if v.unfinished() {
		if err := v.report(v.tree.size, RuleLink, "the log ends within a change"); err != nil {
			return err
		}
	}
	if v.next < len(v.claims) {
		c := v.claims[len(v.claims)-1]
		detail := fmt.Sprintf("the log ends after %d entries, %s states %d", v.tree.size, c.what, c.size)
		if err := v.report(v.tree.size, RuleBehind, detail); err != nil {
			return err
		}
	}
	if signed := v.signed(); v.opts.RequireSigned && signed < v.tree.size {
		return v.report(signed, RuleUnsigned, fmt.Sprintf("%d entries follow the newest head given", v.tree.size-signed))
	}
	return nil
}

// signed is the largest size that a claim spoke of.
func (v *verifier) signed() int64 {
	if len(v.claims) == 0 {
		return 0
	}
	return min(v.claims[len(v.claims)-1].size, v.tree.size)
}

func (v *verifier) result() Result {
	return Result{
		Tenant: v.opts.Tenant, Origin: v.opts.Origin, Entries: v.tree.size, Root: v.tree.root(), Signed: v.signed(),
		Checkpoints: len(v.opts.Checkpoints), Anchors: len(v.opts.Anchors), Receipts: len(v.opts.Receipts),
		First: v.first, Last: v.last.Time,
	}
}
