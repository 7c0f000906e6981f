package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

var errClosed = errors.New("authn: closed")

// start begins to fetch. It is called once.
func (r *remoteKeys) start() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go r.run(ctx)
}

// close ends the fetching and waits for its end. From then on no key is found.
// It may be called again.
func (r *remoteKeys) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop()
	<-r.ended
	r.current.Store(nil)
}

// run fetches at once, then at intervals and when asked, until ctx ends.
func (r *remoteKeys) run(ctx context.Context) {
	defer close(r.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			r.begin() // for those who asked and were not heard
			r.finish(errClosed)
			return
		case <-timer.C:
		case <-r.asked:
		}
		r.begin()
		err := r.adopt(ctx)
		r.finish(err)
		if err != nil {
			timer.Reset(RetryEvery)
		} else {
			timer.Reset(RefreshEvery)
		}
	}
}

// begin takes over the fetch that was asked for, or makes one.
func (r *remoteKeys) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.asked:
	default:
	}
	if r.fetch == nil {
		r.fetch = &fetch{done: make(chan struct{})}
	}
}

// finish lets those go who wait. What was adopted is in place by now.
func (r *remoteKeys) finish(err error) {
	r.mu.Lock()
	f, since := r.fetch, r.failing
	switch {
	case err == nil:
		r.failing = time.Time{}
	case since.IsZero():
		since = r.now()
		r.failing = since
	}
	r.fetch, f.err = nil, err
	close(f.done)
	r.mu.Unlock()
	switch {
	case errors.Is(err, errClosed), errors.Is(err, context.Canceled):
	case err != nil:
		r.logger.Warn("the keys of an issuer cannot be fetched", "issuer", r.issuer, slog.Time("since", since), "error", err.Error())
	case !since.IsZero():
		r.logger.Info("the keys of an issuer can be fetched again", "issuer", r.issuer, slog.Time("since", since))
	}
}

// adopt asks the issuer and puts what it says in the place of what it said
// before. A failure leaves that in place, and as old as it is.
func (r *remoteKeys) adopt(ctx context.Context) error {
	asked := r.now()
	document, err := fetchJWKS(ctx, r.client, r.address)
	if err != nil {
		return err
	}
	keys, left, err := parseKeySet(document, r.algorithms)
	if err != nil {
		return err
	}
	before := r.current.Load()
	if before == nil {
		before = &keySet{}
	}
	kept := carryOver(before.keys, keys)
	r.current.Store(&keySet{keys: keys, asked: asked})
	if added, withdrawn := len(keys)-kept, len(before.keys)-kept; added+withdrawn > 0 || len(keys) == 0 {
		r.logger.Info("the keys of an issuer changed", "issuer", r.issuer, slog.Int("keys", len(keys)),
			slog.Int("added", added), slog.Int("withdrawn", withdrawn), slog.Any("left_out", left))
	}
	return nil
}

// carryOver puts the very keys of before in the place of equal ones, so that
// what was verified under them stays verified, and returns how many those are.
// A kid that names another key now is a key withdrawn and a key added.
func carryOver(before, now map[string]*publicKey) (kept int) {
	for kid, key := range now {
		if old := before[kid]; old != nil && old.equal(key) {
			now[kid] = old
			kept++
		}
	}
	return kept
}

// refresh asks the issuer anew and returns what came of it.
func (r *remoteKeys) refresh(ctx context.Context) error {
	if f := r.underWay(); f != nil { // it may have begun too early
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
	f := r.request(func() bool { return true })
	if f == nil {
		return errClosed
	}
	if err := f.wait(ctx); err != nil {
		return err
	}
	return f.err
}

func (r *remoteKeys) underWay() *fetch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fetch
}

// ask is for a kid that is not known. Strangers can make up as many as they
// like, so that it returns nil when there were too many. It does so, too, where
// the kid became known just now.
func (r *remoteKeys) ask(kid string) *fetch {
	return r.request(func() bool { return r.lookup(kid) == nil && r.limiter.AllowN(r.now(), 1) })
}

// request returns the fetch to wait for: the one that there is, or one more
// where it is allowed.
func (r *remoteKeys) request(allowed func() bool) *fetch {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fetch != nil || r.closed || !allowed() {
		return r.fetch
	}
	r.fetch = &fetch{done: make(chan struct{})}
	select {
	case r.asked <- struct{}{}:
	default: // run has not taken the last one yet, and will see this one too
	}
	return r.fetch
}

// wait waits for the end of the fetch, whatever it is.
func (f *fetch) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("authn: waiting for the keys of the issuer: %w", ctx.Err())
	}
}
