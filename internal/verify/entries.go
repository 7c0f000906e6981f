package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A verifier walks one log once.
type verifier struct {
	opts   Options
	claims []claim // sorted by size; those below next are checked
	next   int

	tree   tree
	last   audit.Entry // the entry before, zero at the start
	unread bool        // the entry before was not read: it is gone, or before the start
	hash   audit.Hash  // the leaf hash of the entry before
	hashed bool        // which is known
	first  time.Time
	seen   map[changeID]class
	pruned pruned
	from   int64 // the index at which the reading began
	until  int64 // where it ends if it began there, else 0
	meaning

	// Set by newVerifier and replaced by nothing but the twins of the tests,
	// which show what would pass without a rule.
	open    func(checkpoint []byte, vkeys ...string) (audit.TreeHead, error)
	take    func(handover []byte, trusted ...string) (audit.Handover, error)
	parse   func(leaf []byte) (audit.Entry, error)
	kind    func(*audit.Entry) error
	walk    func(in io.Reader, visit func(name string, size int64, body io.Reader) error) error
	once    func(*json.Decoder) error
	ignored map[string]bool
}

// A changeID stands for the id of a change: the first half of its SHA-256,
// since ids may be 256 bytes long and there may be millions. Two that collide
// would be a false alarm, once in 2^64 changes.
type changeID [sha256.Size / 2]byte

func idOf(s string) changeID {
	sum := sha256.Sum256([]byte(s))
	return changeID(sum[:len(changeID{})])
}

func newVerifier(opts Options) *verifier {
	return &verifier{
		opts: opts, seen: make(map[changeID]class), meaning: newMeaning(),
		open: audit.OpenCheckpoint, take: audit.OpenHandover, parse: audit.ParseLeaf, kind: audit.CheckKind, walk: walkArchive, once: onceEach,
	}
}

func (v *verifier) run(ctx context.Context, src Source) (Result, error) {
	if err := v.prepare(); err != nil {
		return Result{}, err
	}
	if err := v.compare(); err != nil {
		return Result{}, err
	}
	if err := v.read(ctx, src); err != nil {
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
func (v *verifier) entry(r *read) error {
	at := v.tree.size
	if r.index != at {
		if err := v.report(at, RuleGap, fmt.Sprintf("the entry here has index %d", r.index)); err != nil {
			return err
		}
	}
	if v.until > 0 && at >= v.until {
		return v.report(at, RuleUnsigned, "it follows the checkpoint to read up to")
	}
	if r.pruned {
		return v.gone(at, r)
	}
	if r.stored != nil && !bytes.Equal(r.stored, r.hash[:]) {
		if err := v.report(at, RuleHash, "the stored leaf hash is not that of the leaf"); err != nil {
			return err
		}
	}
	if r.broken != nil {
		return v.report(at, ruleOf(r.broken), r.broken.Error())
	}
	if r.misshapen != nil {
		if err := v.report(at, RuleKind, r.misshapen.Error()); err != nil {
			return err
		}
	}
	for _, check := range [...]func(*verifier, int64, *audit.Entry) error{
		(*verifier).tenant, (*verifier).time, (*verifier).link, (*verifier).change, (*verifier).spoken,
		(*verifier).policy, (*verifier).redeem, (*verifier).outcome, (*verifier).flush, (*verifier).remember,
	} {
		if err := check(v, at, &r.entry); err != nil {
			return err
		}
	}
	if v.first.IsZero() {
		v.first = r.entry.Time
	}
	v.last, v.unread, v.hash, v.hashed = r.entry, false, r.hash, true
	v.tree.push(r.hash)
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
func (v *verifier) unfinished() bool { return !v.unread && v.last.Seq+1 < v.last.Parts }

func (v *verifier) link(at int64, e *audit.Entry) error {
	if e.Seq > 0 && v.hashed && e.Prev != hex.EncodeToString(v.hash[:]) && (v.unread || v.continues(e)) {
		return v.report(at, RuleLink, "prev is not the leaf hash of the part before")
	}
	switch {
	case v.unread, !v.unfinished() && e.Seq == 0:
		return nil
	case !v.unfinished():
		return v.report(at, RuleLink, fmt.Sprintf("part %d of a change whose parts before it are not here", e.Seq))
	case !v.continues(e):
		return v.report(at, RuleLink, fmt.Sprintf("part %d of %d of the change before is missing", v.last.Seq+1, v.last.Parts))
	case !e.Time.Equal(v.last.Time):
		return v.report(at, RuleLink, "the parts of one change have different times")
	}
	return nil
}

// continues tells whether an entry is the part of a change that follows the one
// before.
func (v *verifier) continues(e *audit.Entry) bool {
	l := &v.last
	return e.ChangeID == l.ChangeID && e.Kind == l.Kind && e.Parts == l.Parts && e.Seq == l.Seq+1
}

func (v *verifier) change(at int64, e *audit.Entry) error {
	if e.Seq != 0 {
		return nil
	}
	if _, ok := v.seen[idOf(e.ChangeID)]; ok {
		return v.report(at, RuleChange, "the change id was used before")
	}
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
	if err := v.unspoken(); err != nil {
		return err
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
		Tenant: v.opts.Tenant, Origin: v.opts.Origin, From: v.from, Entries: v.tree.size, Pruned: v.pruned.count,
		Root: v.tree.root(), Signed: v.signed(), Checkpoints: len(v.opts.Checkpoints), Anchors: len(v.opts.Anchors),
		Receipts: len(v.opts.Receipts), Handovers: len(v.opts.Handovers),
		First: v.first, Last: v.last.Time,
	}
}
