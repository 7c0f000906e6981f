//go:build unix

package lifemodel_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// arena is where races are run: two replicas of one database, or the one service
// of a file twice.
type arena struct {
	testing.TB
	a, b *vaulttest.Vault
	race string // begins the names of its people

	start  atomic.Int64 // how much later the first of two starts, see both
	streak atomic.Int64 // how often the same of them came first in a row; negative for the second
	firsts, seconds,
	faults atomic.Int64
	said sync.Once
	text string
}

// arenas open the services of one on each store.
var arenas = map[string]func(testing.TB, ...vaulttest.Option) (a, b *vaulttest.Vault){
	"sqlite": func(t testing.TB, opts ...vaulttest.Option) (a, b *vaulttest.Vault) {
		v := vaulttest.New(t, opts...)
		return v, v
	},
	"postgres": func(t testing.TB, opts ...vaulttest.Option) (a, b *vaulttest.Vault) {
		vs := vaulttest.NewReplicas(t, 2, opts...)
		return vs[0], vs[1]
	},
}

// rounds is how often each race is run.
func rounds() int {
	switch {
	case os.Getenv("COUNTERFOIL_ROUNDS") != "":
		n := 0
		_, _ = fmt.Sscan(os.Getenv("COUNTERFOIL_ROUNDS"), &n)
		return n
	case long():
		return 100_000
	case underRace:
		return 100
	default:
		return 1000
	}
}

const (
	// heat is how many people a race prepares with one request.
	heat = 100
	// atOnce is how many rounds of a race that needs no clock run at once.
	atOnce = 4
	// nudge is by how much the one that came first is held back in the next
	// round: what is faster would come first always. Where it goes on to, since a busy
	// machine makes the other slower by far more, it is twice as much after each of so
	// many rounds, up to maxDoubled times.
	nudge      = 100 * time.Microsecond
	doubles    = 8
	maxDoubled = 6
)

// both does two things at once, and notes which of them the log has first.
func (r *arena) both(first, second func() int64) (int64, int64) {
	later := time.Duration(r.start.Load())
	var one, two int64
	var group sync.WaitGroup
	group.Go(func() { pause(later); one = first() })
	group.Go(func() { pause(-later); two = second() })
	group.Wait()
	if one < two {
		r.firsts.Add(1)
		r.start.Add(r.nudge(1))
	} else {
		r.seconds.Add(1)
		r.start.Add(r.nudge(-1))
	}
	return one, two
}

// nudge is by how much the one that came first, 1 or -1, is held back.
func (r *arena) nudge(first int64) int64 {
	streak := r.streak.Add(first)
	if streak*first <= 0 { // the other came first until now
		r.streak.Store(first)
		streak = first
	}
	return first * int64(nudge) << min(streak*first/doubles, maxDoubled)
}

// pause lets time pass that is too short for a timer.
func pause(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(nudge / 4)
	}
}

// fault notes an outcome that is not allowed. The first is told.
func (r *arena) fault(format string, args ...any) {
	r.faults.Add(1)
	r.said.Do(func() { r.text = fmt.Sprintf(format, args...) })
}

// index is where the entry of an answer stands. What was refused because of much
// else at once is asked for again, as a caller does.
func (r *arena) index(ask func() (*audit.Receipt, error)) int64 {
	for range 100 {
		receipt, err := ask()
		if err == nil {
			return receipt.Index
		}
		if vault.CodeOf(err) != vault.CodeUnavailable {
			r.fault("unexpected error: %v", err)
			return -1
		}
	}
	r.fault("unavailable for good")
	return -1
}

// person is somebody of a race, with one value in the scope of the heat.
type person struct {
	name, scope, value, token string
}

// people tokenizes a value of each of some people, with one request.
func (r *arena) people(round int) []person {
	scope := fmt.Sprintf("%s-%d", r.race, round)
	people := make([]person, heat)
	req := vault.TokenizeRequest{Scope: scope}
	for i := range people {
		name := fmt.Sprintf("%s-%d-%d", r.race, round, i)
		people[i] = person{name: name, scope: scope, value: strings.ReplaceAll(name, " ", "-") + "@example.com"}
		req.Values = append(req.Values, vault.Value{Entity: "EMAIL_ADDRESS", Value: people[i].value, Subject: name})
	}
	got := must(r.a.Service.Tokenize(ctx, r.a.Gateway(), req))(r)
	for i := range people {
		people[i].token = got.Values[i]
	}
	return people
}

// heats runs a race of people, some at once, and looks at all of a heat in its end.
func (r *arena) heats(n int, race func(*person), after func([]person)) {
	for round := 0; round < n; round += heat {
		people := r.people(round)
		var next atomic.Int64
		var group sync.WaitGroup
		for range atOnce {
			group.Go(func() {
				for i := next.Add(1) - 1; int(i) < min(heat, n-round); i = next.Add(1) - 1 {
					race(&people[i])
				}
			})
		}
		group.Wait()
		if after(people[:min(heat, n-round)]); r.faults.Load() > 0 {
			return
		}
		r.a.Clock.Advance(time.Second)
	}
}

// given tells which tokens of a scope a replica gives to the gateway, and to
// counsel.
func (r *arena) given(v *vaulttest.Vault, scope string, tokens ...string) (gateway, discovery []bool) {
	for _, as := range []struct {
		call   vault.Call
		reason vault.ReasonGiven
		into   *[]bool
	}{
		{v.Gateway(), vault.ReasonGiven{Code: "LLM_RESPONSE"}, &gateway},
		{counsel(), vault.ReasonGiven{Code: "LEGAL_DISCOVERY", Reference: "MATTER-1"}, &discovery},
	} {
		got := must(v.Service.Detokenize(ctx, as.call, vault.DetokenizeRequest{Scope: scope, Reason: as.reason, Tokens: tokens}))(r)
		for _, one := range got.Results {
			*as.into = append(*as.into, one.Status == vault.StatusRestored)
		}
	}
	return gateway, discovery
}

// erase erases somebody and tells where that stands in the log, and whether a
// hold deferred it.
func (r *arena) erase(v *vaulttest.Vault, name, suppress string) (index int64, deferred bool) {
	index = r.index(func() (*audit.Receipt, error) {
		got, err := v.Service.EraseSubject(ctx, officer(), erasure(v, name, suppress))
		if err == nil {
			deferred = got.Erasure.State == vault.ErasureDeferred
		}
		return got.Audit, err
	})
	return index, deferred
}

// gone checks that nobody gives anything of people any more.
func (r *arena) gone(people []person) {
	tokens := make([]string, len(people))
	for i, p := range people {
		tokens[i] = p.token
	}
	for _, v := range []*vaulttest.Vault{r.a, r.b} {
		gateway, discovery := r.given(v, people[0].scope, tokens...)
		for i := range tokens {
			if gateway[i] || discovery[i] {
				r.fault("%s is given in the end", people[i].name)
			}
		}
	}
}
