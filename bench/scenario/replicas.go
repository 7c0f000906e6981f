package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

const (
	replicasWork = "replicas: tokenize 5, restore them at the next"
	// replicaClients are enough to keep four replicas busy.
	replicaClients = 64
	// replicaShare of what one replica does all of them together must do. They share two
	// cores with the database and the load, so that more processes cannot do more; what
	// is asked is that they do not get in each other's way. A twentieth is noise.
	replicaShare = 0.95
)

// Replicas measures one, two and four processes of the service on one database, by
// their sum: for one tenant, whose log head all of them want, and for as many as the
// site has. What one replica tokenized the next one restores. Only those that are
// measured run.
func Replicas(ctx context.Context, e *Env) (err error) {
	f := &fleet{core: &core{Env: e}, client: load.NewClient(connections)}
	for _, tenant := range e.Site.Tenants() {
		f.bearers = append(f.bearers, e.Site.Credential(tenant, "gateway"))
	}
	defer f.client.Close()
	defer func() { err = errors.Join(err, f.resize(context.WithoutCancel(ctx), 0)) }()
	tenancies := slices.Compact([]int{1, len(f.bearers)})
	trials := make(map[string]*trial)
	var inTurns []*trial
	for _, replicas := range []int{1, 2, 4} {
		for _, tenants := range tenancies {
			t := f.trial(replicas, tenants)
			trials[t.Load] = t
			inTurns = append(inTurns, t)
		}
	}
	if err := f.interleave(ctx, inTurns...); err != nil {
		return err
	}
	for _, replicas := range []int{2, 4} {
		for _, tenants := range tenancies {
			of := trials[fleetLoad(replicas, tenants)]
			share := report.Ratio(of.PerSecond, trials[fleetLoad(1, tenants)].PerSecond)
			e.Report.Judge(report.Goal{
				Work: "replicas: " + of.Load, Must: fmt.Sprintf("≥ %g of one replica, in sum", replicaShare), Got: told(share, ""),
				Verdict: judged(share, func(median float64) bool { return median >= replicaShare }),
			})
		}
	}
	return nil
}

func fleetLoad(replicas, tenants int) string {
	return fmt.Sprintf("%d of them, tenants: %d, %s", replicas, tenants, loadOf(replicaClients))
}

// fleet is the replicas that run, and who calls them.
type fleet struct {
	*core
	client  *load.Client
	bearers []string // one for each tenant
	running []*system.Service
	stopped []*system.Service // which start again on their data
}

// resize has so many replicas run.
func (f *fleet) resize(ctx context.Context, n int) error {
	for len(f.running) > n {
		last := f.running[len(f.running)-1]
		f.running = f.running[:len(f.running)-1]
		f.stopped = append(f.stopped, last)
		if err := last.Stop(ctx); err != nil {
			return fmt.Errorf("scenario: %w", err)
		}
	}
	for len(f.running) < n {
		next, err := f.next(ctx)
		if err != nil {
			return fmt.Errorf("scenario: %w", err)
		}
		f.running = append(f.running, next)
	}
	return nil
}

// next starts one that was stopped, or a new one.
func (f *fleet) next(ctx context.Context) (*system.Service, error) {
	if len(f.stopped) == 0 {
		return f.Site.Serve(ctx, fmt.Sprintf("replica-%d", len(f.running)+1))
	}
	last := f.stopped[len(f.stopped)-1]
	f.stopped = f.stopped[:len(f.stopped)-1]
	return f.Site.Again(ctx, last)
}

// trial puts the load on so many replicas for so many tenants.
func (f *fleet) trial(replicas, tenants int) *trial {
	t := &trial{Measurement: report.Measurement{
		Work: replicasWork, Of: system.Counterfoil, Load: fleetLoad(replicas, tenants), Items: few,
	}}
	t.run = func(ctx context.Context, plan load.Plan) (load.Result, error) {
		if err := f.resize(ctx, replicas); err != nil {
			return load.Result{}, err
		}
		t.services = slices.Clone(f.running)
		plan.Clients = replicaClients
		do := f.roundTrips(tenants)
		if err := f.acquaint(ctx, do); err != nil {
			return load.Result{}, err
		}
		return load.Closed(ctx, plan, do)
	}
	return t
}

// acquaint has each client come to each replica once before anything is measured, so
// that the keys of its conversation are known everywhere, as they are to replicas that
// have run for some minutes.
func (f *fleet) acquaint(ctx context.Context, do load.Do) error {
	return together(ctx, replicaClients, replicaClients, func(ctx context.Context, _, client int) error {
		for range 2 * len(f.running) {
			if err := do(ctx, client, int64(client)); err != nil {
				return fmt.Errorf("scenario: before the load: %w", err)
			}
		}
		return nil
	})
}

// roundTrips tokenizes five values with one replica and restores them with the next.
// Each client has a conversation, is of one tenant, and begins at another replica than
// its neighbours.
func (f *fleet) roundTrips(tenants int) load.Do {
	type traveller struct {
		hand
		at     int // the replica
		series int64
		tokens []string
	}
	travellers := make([]traveller, replicaClients)
	for i := range travellers {
		t := &travellers[i]
		t.at, t.series, t.scope = i/tenants%len(f.running), f.series.Add(1), conversation(int64(i))
	}
	return func(ctx context.Context, client int, n int64) error {
		t := &travellers[client]
		to := face{of: system.Counterfoil, on: f.running[t.at], client: f.client, bearer: f.bearers[client%tenants]}
		if tokens := t.tokens; tokens != nil {
			t.tokens = nil
			return to.restore(ctx, &t.hand, t.scope, tokens, t.sent)
		}
		t.sent = values(t.sent[:0], t.series, n, few)
		t.body = valuesBody(t.body[:0], t.scope, t.sent)
		if err := to.post(ctx, to.tokenizePath(), &t.hand, http.StatusOK); err != nil {
			return err
		}
		var err error
		t.tokens, err = tokensIn(t.answer.Bytes(), to.tokensMember(), t.sent)
		t.at = (t.at + 1) % len(f.running)
		return err
	}
}
