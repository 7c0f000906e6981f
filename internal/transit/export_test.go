package transit

import (
	"context"
	"errors"
)

// Divide tells how many items of the given sizes go into each call.
func Divide(sizes []int) (calls []int) {
	items := itemsOf(sizes)
	for len(items) > 0 {
		n := fitting(items)
		calls, items = append(calls, n), items[n:]
	}
	return calls
}

// Taken tells how many of those who wait, each with items of these sizes, share
// the next call.
func Taken(waiting [][]int) int {
	var l line
	for _, sizes := range waiting {
		l.waiting = append(l.waiting, &ticket{items: itemsOf(sizes)})
	}
	return len(l.take())
}

func itemsOf(sizes []int) []item {
	items := make([]item, len(sizes))
	for i, size := range sizes {
		items[i].Plaintext = make([]byte, size)
	}
	return items
}

// LeftOfSent is what is left of a plaintext after it was sent.
func LeftOfSent(ctx context.Context, plain []byte) []byte {
	sent, _ := send(ctx, plain)
	return sent
}

// SeenWhileSent is what there was of it while it was sent.
func SeenWhileSent(ctx context.Context, plain []byte) []byte {
	_, seen := send(ctx, plain)
	return seen
}

func send(ctx context.Context, plain []byte) (sent, seen []byte) {
	s := newShare(func(_ context.Context, _ string, items []item) ([]result, error) {
		sent, seen = items[0].Plaintext, append([]byte(nil), items[0].Plaintext...)
		return make([]result, len(items)), nil
	})
	_, _ = s.call(ctx, "encrypt", []item{{Plaintext: plain}})
	return sent, seen
}

// Share is a share whose calls are made by a function of the test.
type Share struct{ s *share }

// NewShare makes a share: do is given the number of items of each call.
func NewShare(do func(n int) error) Share {
	return Share{newShare(func(_ context.Context, _ string, items []item) ([]result, error) {
		results := make([]result, len(items))
		for i := range items {
			results[i].Ciphertext = items[i].Ciphertext
		}
		return results, do(len(items))
	})}
}

// Call sends one item and checks that the answer is that of the item.
func (s Share) Call(ctx context.Context, path, text string) error {
	results, err := s.s.call(ctx, path, []item{{Ciphertext: text}})
	if err == nil && (len(results) != 1 || results[0].Ciphertext != text) {
		return errors.New("another's answer")
	}
	return err
}

// Waiting tells how many wait for the next call of a path.
func (s Share) Waiting(path string) int {
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	if l := s.s.lines[path]; l != nil {
		return len(l.waiting)
	}
	return 0
}

// Lines tells how many paths have a line.
func (s Share) Lines() int {
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	return len(s.s.lines)
}
