package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Consistency proves that the log of From entries is the beginning of that of To.
type Consistency struct {
	From       int64  `json:"from"`
	To         int64  `json:"to"`
	FromRoot   Hash   `json:"from_root"`
	ToRoot     Hash   `json:"to_root"`
	Proof      []Hash `json:"proof"`
	Checkpoint string `json:"checkpoint"` // the signed head of To
	RequestID  string `json:"request_id"`
}

// Consistency has it proven that the log was only added to between two sizes; to is
// 0 for the log as it stands now. The proof was checked, the head is signed by a key
// that is trusted, and both are held against what the client has seen. That the
// head of from is the one that somebody kept, they see by FromRoot.
func (c *Client) Consistency(ctx context.Context, from, to int64) (*Consistency, error) {
	if err := c.trust(ctx); err != nil {
		return nil, err
	}
	proof, err := c.consistency(ctx, from, to)
	if err != nil {
		return nil, err
	}
	evidence := &Receipt{TreeSize: proof.To, RootHash: proof.ToRoot, Proof: proof.Proof, Checkpoint: proof.Checkpoint}
	tree, err := audit.OpenCheckpoint([]byte(proof.Checkpoint), c.log.trusted()...)
	if err != nil && faultOf(err) == FaultSignature {
		if err := c.renew(ctx, proof.Checkpoint); err != nil {
			return nil, err
		}
		tree, err = audit.OpenCheckpoint([]byte(proof.Checkpoint), c.log.trusted()...)
	}
	switch {
	case err != nil:
		return nil, &ReceiptError{faultOf(err), evidence}
	case tree.Size != proof.To || tree.Root != proof.ToRoot:
		return nil, &ReceiptError{FaultProof, evidence}
	case tlog.CheckTree(proof.Proof, proof.To, proof.ToRoot, proof.From, proof.FromRoot) != nil:
		return nil, &ReceiptError{FaultConsistency, evidence}
	case !c.log.know(head{proof.From, proof.FromRoot}, head{proof.To, proof.ToRoot}):
		return nil, &ReceiptError{FaultFork, evidence}
	}
	return proof, c.goOn(ctx, evidence)
}

// consistency asks for a proof. What it proves is not judged here.
func (c *Client) consistency(ctx context.Context, from, to int64) (*Consistency, error) {
	query := url.Values{"from": {strconv.FormatInt(from, 10)}}
	if to != 0 {
		query.Set("to", strconv.FormatInt(to, 10))
	}
	proof, err := fetch[Consistency](ctx, c, "audit/consistency", query)
	if err != nil {
		return nil, err
	}
	if proof.From != from || proof.To < from || to != 0 && proof.To != to {
		return nil, badAnswer("it proves something else than was asked")
	}
	return proof, nil
}

// accept holds the receipt of an answer against the log, as far as the client knows
// it and may have it proven, and keeps it where that was asked for.
func (c *Client) accept(ctx context.Context, r *Receipt, seen int64) error {
	err := c.log.check(r, seen)
	if isFault(err, FaultSignature) {
		if err = c.renew(ctx, r.Checkpoint); err == nil {
			err = c.log.check(r, seen)
		}
	}
	if err != nil {
		return err
	}
	if err := c.keepReceipt(r); err != nil {
		return err
	}
	return c.goOn(ctx, r)
}

// keepReceipt writes it down before anything is done with the answer.
func (c *Client) keepReceipt(r *Receipt) error {
	if c.cfg.Receipts == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("client: keep the receipt: %w", err)
	}
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	if _, err := c.cfg.Receipts.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("client: keep the receipt: %w", err)
	}
	return nil
}

// goOn demands the proof that a head, which was checked, and the one that is kept
// are of one history, and keeps the greater of them.
func (c *Client) goOn(ctx context.Context, r *Receipt) error {
	if c.cfg.Checkpoints == nil {
		return nil
	}
	if err := c.log.alone(ctx); err != nil {
		return err
	}
	defer c.log.release()
	kept, now := c.log.last, head{r.TreeSize, r.RootHash}
	small, large := kept, now
	if small.size > large.size {
		small, large = large, small // the answers of two requests that ran side by side
	}
	switch {
	case small.size == large.size && small != large:
		return &ReceiptError{FaultFork, r}
	case small.size > 0 && small.size < large.size:
		proof, err := c.consistency(ctx, small.size, large.size)
		if err != nil {
			return err
		}
		if tlog.CheckTree(proof.Proof, large.size, large.root, small.size, small.root) != nil {
			return &ReceiptError{FaultConsistency, r}
		}
	}
	if now.size <= kept.size {
		return nil
	}
	// What is kept is proven first: after a failure here the older head is kept, of
	// which this one is proven again.
	if err := c.cfg.Checkpoints.Keep([]byte(c.log.kept), []byte(r.Checkpoint)); err != nil {
		return err
	}
	c.log.keep(now, r.Checkpoint)
	return nil
}

// takeUp checks the head that was kept, before anything is asked under it.
func (c *Client) takeUp(ctx context.Context) error {
	note := c.log.kept
	if note == "" {
		c.log.keep(head{}, "")
		return nil
	}
	tree, err := audit.OpenCheckpoint([]byte(note), c.log.trusted()...)
	if err != nil && faultOf(err) == FaultSignature {
		if err := c.renew(ctx, note); err != nil {
			return fmt.Errorf("%w: %w", ErrCheckpoints, err)
		}
		tree, err = audit.OpenCheckpoint([]byte(note), c.log.trusted()...)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoints, &ReceiptError{faultOf(err), &Receipt{Checkpoint: note}})
	}
	if !c.log.know(head{tree.Size, tree.Root}) {
		return fmt.Errorf("%w: %w", ErrCheckpoints, &ReceiptError{FaultFork, &Receipt{Checkpoint: note}})
	}
	c.log.keep(head{tree.Size, tree.Root}, note)
	return nil
}

// alone waits until nobody else fetches keys, or proves and keeps a head.
func (l *logbook) alone(ctx context.Context) error {
	select {
	case l.fetching <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *logbook) release() { <-l.fetching }

// know is learn for who does not hold the lock.
func (l *logbook) know(stated ...head) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.learn(stated)
}

// keep says what Checkpoints has now.
func (l *logbook) keep(h head, note string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.kept, l.opened = h, note, true
}
