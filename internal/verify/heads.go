package verify

import (
	"errors"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A claim is what a signed head says: the tree of the first size leaves has
// this root.
type claim struct {
	size int64
	root audit.Hash
	what string // for the fault: which of the things given says so
}

// name settles which log this is, from the keys if need be.
func (v *verifier) name() error {
	if len(v.opts.VKeys) == 0 {
		return fmt.Errorf("%w: no verifier key", ErrOptions)
	}
	for _, vkey := range v.opts.VKeys {
		origin, err := audit.OriginOf(vkey)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrOptions, err)
		}
		if v.opts.Origin == "" {
			v.opts.Origin = origin
		}
		if origin != v.opts.Origin {
			return fmt.Errorf("%w: a key is of another log", ErrOptions)
		}
	}
	tenant, err := audit.TenantOf(v.opts.Origin)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if v.opts.Tenant == "" {
		v.opts.Tenant = tenant
	}
	if v.opts.Tenant != tenant {
		return fmt.Errorf("%w: the origin names another tenant", ErrOptions)
	}
	return nil
}

// prepare settles which log this is and what is known of it.
func (v *verifier) prepare() error {
	if err := v.name(); err != nil {
		return err
	}
	if err := v.handovers(); err != nil {
		return err
	}
	return v.collect()
}

// handovers adds the keys that took over to those that are good. What a handover
// says of the log is a claim like that of a checkpoint.
func (v *verifier) handovers() error {
	keys := slices.Clone(v.opts.VKeys)
	for i, signed := range v.opts.Handovers {
		what := fmt.Sprintf("handover %d of those given", i+1)
		h, err := v.take(signed, keys...)
		if err == nil && h.Origin != v.opts.Origin {
			err = errOtherLog
		}
		if err != nil {
			return v.report(NoIndex, RuleHandover, what+": "+reason(err))
		}
		keys = append(keys, h.New)
		v.claims = append(v.claims, claim{h.Size, h.Root, what})
	}
	v.opts.VKeys = keys
	return nil
}

// collect checks what was given by itself and turns it into claims, sorted by
// size.
func (v *verifier) collect() error {
	if err := v.begin(); err != nil {
		return err
	}
	for i, c := range v.opts.Checkpoints {
		if err := v.head(c, fmt.Sprintf("checkpoint %d of those given", i+1)); err != nil {
			return err
		}
	}
	for i, a := range v.opts.Anchors {
		what := fmt.Sprintf("anchor %d of those given", i+1)
		// Marshal holds tenant, size and root against the checkpoint.
		if _, err := a.Marshal(); err != nil {
			if err := v.report(NoIndex, RuleSignature, what+" does not agree with its own checkpoint"); err != nil {
				return err
			}
		}
		if err := v.head([]byte(a.Checkpoint), what); err != nil {
			return err
		}
	}
	for i, r := range v.opts.Receipts {
		what := fmt.Sprintf("receipt %d of those given", i+1)
		if r.Log != v.opts.Origin || r.Verify(v.opts.VKeys...) != nil {
			if err := v.report(NoIndex, RuleReceipt, what+" does not verify"); err != nil {
				return err
			}
			continue
		}
		// If the root at its size is that of the log, the receipt's proof leaves
		// no other leaf for its index: the root is all there is to compare.
		v.claims = append(v.claims, claim{r.TreeSize, r.RootHash, what})
	}
	if err := v.agree(); err != nil {
		return err
	}
	return v.beyond()
}

func (v *verifier) head(checkpoint []byte, what string) error {
	head, err := v.open(checkpoint, v.opts.VKeys...)
	if err == nil && head.Origin != v.opts.Origin {
		err = errOtherLog
	}
	if err != nil {
		return v.report(NoIndex, RuleSignature, what+": "+reason(err))
	}
	v.claims = append(v.claims, claim{head.Size, head.Root, what})
	return nil
}

var errOtherLog = errors.New("verify: the head is of another log")

// reason says what is wrong with a checkpoint without repeating any of it.
func reason(err error) string {
	for _, known := range []error{audit.ErrSignature, audit.ErrCheckpoint, audit.ErrStatement, errOtherLog} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "it cannot be read"
}

// agree sorts the claims and finds two that exclude each other: whatever the
// log holds, its owner signed two histories.
func (v *verifier) agree() error {
	slices.SortStableFunc(v.claims, func(a, b claim) int {
		switch {
		case a.size < b.size:
			return -1
		case a.size > b.size:
			return 1
		}
		return 0
	})
	for i := 1; i < len(v.claims); i++ {
		a, b := v.claims[i-1], v.claims[i]
		if a.size == b.size && a.root != b.root {
			detail := fmt.Sprintf("%s and %s state different roots for %d entries", a.what, b.what, a.size)
			if err := v.report(NoIndex, RuleConsistency, detail); err != nil {
				return err
			}
		}
	}
	return nil
}

// Head opens a checkpoint that came with a log, to see how far to read. It is judged
// again with all others where it is one of Options.Checkpoints.
func (o Options) Head(checkpoint []byte, what string) (audit.TreeHead, error) {
	return newVerifier(o).headOf(checkpoint, what)
}

func (v *verifier) headOf(checkpoint []byte, what string) (audit.TreeHead, error) {
	if err := v.name(); err != nil {
		return audit.TreeHead{}, err
	}
	head, err := v.open(checkpoint, v.trusted()...)
	if err != nil {
		return audit.TreeHead{}, &Fault{NoIndex, RuleSignature, what + ": " + reason(err)}
	}
	return head, nil
}

// newest takes the checkpoint that came with a log as one of those that it is held
// to.
func (v *verifier) newest(checkpoint []byte, what string) (audit.TreeHead, error) {
	head, err := v.headOf(checkpoint, what)
	v.opts.Checkpoints = append(slices.Clone(v.opts.Checkpoints), checkpoint)
	return head, err
}

// trusted are the keys that are good once the handovers are followed.
func (v *verifier) trusted() []string {
	keys := slices.Clone(v.opts.VKeys)
	for _, signed := range v.opts.Handovers {
		if h, err := v.take(signed, keys...); err == nil {
			keys = append(keys, h.New)
		}
	}
	return keys
}
