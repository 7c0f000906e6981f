package commitqueue

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// run applies a batch and answers every ticket of it exactly once.
func (q *Queue) run(tenant string, batch []*ticket) {
	changes, began := changesOf(batch), time.Now()
	results, err := q.apply(tenant, changes)
	switch {
	case errors.Is(err, ErrUnknown):
		results = q.settle(tenant, changes, results, err)
	case err != nil:
		results = refuseAll(len(batch), err)
	}
	q.counts.note(began, results)
	for i, t := range batch {
		t.done <- results[i]
	}
}

// settle finds out what became of a batch after an unknown outcome. What is
// true on entry: either the whole transaction is durable, and then results say
// what it did, or nothing of it is and nothing of it will be.
func (q *Queue) settle(tenant string, changes []vault.Change, results []Result, cause error) []Result {
	missing := q.find(tenant, changes, results, cause)
	if len(missing) == 0 {
		return results
	}
	// Not in the log, and can no longer get there: applying again cannot write
	// twice. Only once, since what keeps COMMIT from answering may persist.
	again := make([]vault.Change, len(missing))
	for i, at := range missing {
		again[i] = changes[at]
	}
	replayed, err := q.apply(tenant, again)
	switch {
	case errors.Is(err, ErrUnknown):
		for _, at := range q.find(tenant, again, replayed, err) {
			replayed[at] = refused(err)
		}
	case err != nil:
		replayed = refuseAll(len(again), err)
	}
	for i, at := range missing {
		results[at] = replayed[i]
	}
	return results
}

// find looks up the changes that would have been committed and returns the
// positions of those that were not. Where it cannot be known, results say so
// and nothing is missing. Changes that failed alone stay failed: their
// condition was judged, and their caller reads again anyway.
func (q *Queue) find(tenant string, changes []vault.Change, results []Result, cause error) (missing []int) {
	var ids []string
	for i, c := range changes {
		if results[i].Err == nil {
			ids = append(ids, c.ID())
		}
	}
	found, err := q.lookup(tenant, ids)
	for i, c := range changes {
		switch {
		case results[i].Err != nil:
		case err != nil:
			results[i] = refused(errors.Join(cause, err))
		case !slices.Contains(found, c.ID()):
			missing = append(missing, i)
		}
	}
	return missing
}

// apply calls the backend. A panic becomes an error that does not wrap
// ErrUnknown: the batch is answered as unavailable and is not tried again.
func (q *Queue) apply(tenant string, changes []vault.Change) (results []Result, err error) {
	defer recovered(&err)
	results, err = q.backend.Apply(tenant, changes)
	if (err == nil || errors.Is(err, ErrUnknown)) && len(results) != len(changes) {
		// Whose result is missing cannot be told, so nobody gets one.
		return nil, fmt.Errorf("commitqueue: %d results for %d changes", len(results), len(changes))
	}
	return results, err
}

func (q *Queue) lookup(tenant string, ids []string) (found []string, err error) {
	defer recovered(&err)
	return q.backend.Lookup(tenant, ids)
}

func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
	}
}

func refused(cause error) Result {
	return Result{Err: fmt.Errorf("%w: %w", vault.ErrUnavailable, cause)}
}

func refuseAll(n int, cause error) []Result {
	results := make([]Result, n)
	for i := range results {
		results[i] = refused(cause)
	}
	return results
}
