package client

import "context"

// Preamble returns what to tell a model about tokens, to be put before a
// prompt. Nothing depends on it.
func (c *Client) Preamble(ctx context.Context) (string, error) {
	var answer struct {
		Text string `json:"text"`
	}
	if err := c.get(ctx, "preamble", &answer); err != nil {
		return "", err
	}
	if answer.Text == "" {
		return "", badAnswer("the preamble is missing")
	}
	return answer.Text, nil
}

// A Checkpoint is a signed head of the log that was checked.
type Checkpoint struct {
	Log  string // the origin of the log
	Size int64
	Root Hash
	Note string // the signed note, to be kept
}

// Checkpoint fetches the published head of the log, for callers who may read
// the log. It is held against the heads that the client has seen. It may be
// some seconds behind the receipts, but never behind a checkpoint fetched
// before.
func (c *Client) Checkpoint(ctx context.Context) (*Checkpoint, error) {
	if err := c.trust(ctx); err != nil {
		return nil, err
	}
	seen := c.log.newestPublished()
	note, err := c.call(ctx, exchange{method: "GET", path: "audit/checkpoint", media: "text/plain"})
	if err != nil {
		return nil, err
	}
	head, err := c.log.checkPublished(string(note), seen)
	if isFault(err, FaultSignature) {
		if err = c.renew(ctx, string(note)); err == nil {
			head, err = c.log.checkPublished(string(note), seen)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := c.goOn(ctx, &Receipt{TreeSize: head.Size, RootHash: head.Root, Checkpoint: head.Note}); err != nil {
		return nil, err
	}
	return head, nil
}

// trust gets the keys of the log where they are to be trusted on first use, and
// checks the head that was kept. No request is made before, so that nothing is
// changed for an answer that could not be checked.
func (c *Client) trust(ctx context.Context) error {
	if c.log.ready() {
		return nil
	}
	if err := c.log.alone(ctx); err != nil {
		return err
	}
	defer c.log.release()
	if c.log.ready() {
		return nil // by the one that this one waited for
	}
	if !c.log.pinned() {
		listed, err := c.listKeys(ctx)
		if err != nil {
			return err
		}
		keys := make([]string, len(listed))
		for i, k := range listed {
			keys[i] = k.Key
		}
		if c.log.pin(keys) != nil {
			return badAnswer("the keys of the log cannot be used")
		}
	}
	return c.takeUp(ctx)
}
