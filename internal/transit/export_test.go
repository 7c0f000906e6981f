package transit

import "context"

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
