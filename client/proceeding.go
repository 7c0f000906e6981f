package client

import (
	"context"
	"net/url"
	"slices"
	"time"
)

// Proof is the receipt of what was written about something that goes on for a
// while: an approval, a suspension, an incident. Where it is only read there is
// none.
type Proof struct {
	Receipt *Receipt `json:"audit,omitempty"`
}

func (p *Proof) receipt() **Receipt { return &p.Receipt }

// proved is a pointer to an answer that holds a Proof.
type proved[A any] interface {
	*A
	receipt() **Receipt
}

// send sends what changes something, and gives the answer out if its receipt
// holds.
func send[A any, P proved[A]](ctx context.Context, c *Client, path string, b plain, key string) (*A, error) {
	answer := P(new(A))
	if err := c.change(ctx, path, b, key, answer, answer.receipt()); err != nil {
		return nil, err
	}
	return answer, nil
}

// fetch reads one thing, or a page of them.
func fetch[A any](ctx context.Context, c *Client, path string, query url.Values) (*A, error) {
	answer := new(A)
	if err := c.list(ctx, path, query, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// pageAfter selects a page. Empty words select nothing.
func pageAfter(cursor string, words ...string) url.Values {
	query := url.Values{}
	for pair := range slices.Chunk(append(words, "cursor", cursor), 2) {
		if pair[1] != "" {
			query.Set(pair[0], pair[1])
		}
	}
	return query
}

// onlyOpen selects what is not closed.
func onlyOpen(open bool) string {
	if open {
		return "true"
	}
	return ""
}

// pathOf is the path of something, or of what is done with it. An id that could
// lead elsewhere is none.
func pathOf(kind, id string, step ...string) (string, error) {
	if !isID(id) {
		return "", refuse("id", "must be letters and digits")
	}
	path := kind + "/" + id
	for _, s := range step {
		path += "/" + s
	}
	return path, nil
}

// sendTo is send for what is done with something that has an id.
func sendTo[A any, P proved[A]](ctx context.Context, c *Client, kind, id, step string, b plain) (*A, error) {
	path, err := pathOf(kind, id, step)
	if err != nil {
		return nil, err
	}
	return send[A, P](ctx, c, path, b, "")
}

// referring is a body that has a reference and nothing else.
func referring(reference string) plain {
	return plain{struct {
		Reference string `json:"reference"`
	}{reference}, []string{reference}}
}

// span is a time from the one instant and before the other, as it is sent.
type span struct {
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
}

func between(from, to *time.Time) span { return span{instant(from), instant(to)} }
