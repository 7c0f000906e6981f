package commitqueue

import (
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// work applies batches until the queue is closed and every line is empty.
func (q *Queue) work() {
	for {
		l, batch := q.take()
		if l == nil {
			return
		}
		q.run(l.tenant, batch)
		q.finish(l)
	}
}

// take waits for a line whose turn it is and takes a batch from its front.
// Only a closed queue with nothing to take gives none.
func (q *Queue) take() (*line, []*ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.ready) == 0 {
			// A busy line is finished by the worker that has it, which comes
			// back here for the rest: none is left behind.
			if q.closed {
				return nil, nil
			}
			q.arrived.Wait()
		}
		if q.gate != nil {
			q.mu.Unlock()
			q.gate()
			q.mu.Lock()
			if len(q.ready) == 0 {
				continue
			}
		}
		l := q.ready[0]
		q.ready = slices.Delete(q.ready, 0, 1)
		l.busy = true
		return l, q.cut(l)
	}
}

// cut takes from the front of a line what may share a commit. A change that
// does not share is taken alone when it is in front, and ends a batch when it
// is not: so the order of arrival is kept.
func (q *Queue) cut(l *line) []*ticket {
	n, total := 0, 0
	for _, t := range l.waiting {
		alone := !t.change.Shares()
		full := n == q.limits.MaxBatch || total+t.rows > q.limits.MaxBatchRows
		if n > 0 && (alone || full) {
			break
		}
		t.taken = true
		total += t.rows
		n++
		if alone {
			break
		}
	}
	batch := slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	q.waiting -= n
	return batch
}

// finish puts a line that still waits behind the others.
func (q *Queue) finish(l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.busy = false
	if len(l.waiting) == 0 {
		delete(q.lines, l.tenant)
		return
	}
	q.ready = append(q.ready, l)
	q.arrived.Signal()
}

func changesOf(batch []*ticket) []vault.Change {
	changes := make([]vault.Change, len(batch))
	for i, t := range batch {
		changes[i] = t.change
	}
	return changes
}
