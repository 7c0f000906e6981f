//go:build unix

package lifemodel_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// eraseAndRestore: what was restored stands before the erasure in the log, what
// was refused after it.
func eraseAndRestore(r *arena, n int) {
	r.heats(n, func(p *person) {
		var erased int64
		restored := make(map[int64]bool)
		r.both(func() int64 {
			erased, _ = r.erase(r.a, p.name, "none")
			return erased
		}, func() (first int64) {
			first = -1
			for given, tries := true, 0; given && tries < 50; tries++ {
				index := r.index(func() (*audit.Receipt, error) {
					got, err := r.b.Service.Detokenize(ctx, r.b.Gateway(), vault.DetokenizeRequest{
						Scope: p.scope, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Tokens: []string{p.token},
					})
					given = err == nil && got.Values[0] == p.value
					return got.Audit, err
				})
				if restored[index] = given; first < 0 {
					first = index
				}
			}
			return first
		})
		for index, given := range restored {
			if given != (index < erased) {
				r.fault("erased at %d; at %d it was restored: %t", erased, index, given)
			}
		}
	}, r.gone)
}

// eraseAndTokenize: what was tokenized before the erasure is gone with it, what
// was after it is restored; and a value that the erasure keeps out is masked.
func eraseAndTokenize(r *arena, n int) {
	r.heats(n, func(p *person) {
		type use struct {
			value, token string
			index        int64
		}
		suppress := []string{"none", "30d"}[len(p.name)%2]
		other := "other-" + p.value
		var uses []use
		erased, _ := r.both(func() int64 {
			index, _ := r.erase(r.a, p.name, suppress)
			return index
		}, func() int64 {
			for _, value := range []string{p.value, other, p.value, other} {
				u := use{value: value}
				u.index = r.index(func() (*audit.Receipt, error) {
					got, err := r.b.Service.Tokenize(ctx, r.b.Gateway(), vault.TokenizeRequest{
						Scope: p.scope, Subject: p.name, Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: value}},
					})
					if err == nil && len(got.Tokens) > 0 {
						u.token = got.Values[0]
					}
					return got.Audit, err
				})
				uses = append(uses, u)
			}
			return uses[1].index
		})
		before := map[string]string{p.value: p.token} // tokens that the erasure took
		for _, u := range uses {
			if u.index < erased && before[u.value] == "" {
				before[u.value] = u.token
			}
		}
		for _, u := range uses {
			old := before[u.value]
			switch {
			case u.index < erased && (u.token == "" || u.token != old):
				r.fault("before the erasure at %d a value got %q at %d, want %q", erased, u.token, u.index, old)
			case u.index > erased && (u.token == "") != (old != "" && suppress == "30d"):
				r.fault("after the erasure at %d, which suppresses for %s, a value got %q at %d", erased, suppress, u.token, u.index)
			case u.token == "":
			default:
				if gateway, _ := r.given(r.a, p.scope, u.token); gateway[0] != (u.index > erased) {
					r.fault("erased at %d; what was tokenized at %d is given: %t", erased, u.index, gateway[0])
				}
			}
		}
	}, r.gone)
}

// holdAndErase: what was held before the erasure is deferred and stands, what was
// erased before the hold is gone.
func holdAndErase(r *arena, n int) {
	r.heats(n, func(p *person) {
		var deferred bool
		var hold string
		held, erased := r.both(func() int64 { return r.hold(p, &hold) }, func() (index int64) {
			index, deferred = r.erase(r.a, p.name, "none")
			return index
		})
		_, discovery := r.given(r.a, p.scope, p.token)
		if first := held < erased; deferred != first || discovery[0] != first {
			r.fault("held at %d, erased at %d: deferred %t, stands %t", held, erased, deferred, discovery[0])
		}
		r.release(hold)
	}, r.resumed)
}

// releaseAndErase: an erasure before the release is deferred, and is done by
// itself afterwards; one after it is done at once.
func releaseAndErase(r *arena, n int) {
	r.heats(n, func(p *person) {
		var deferred bool
		var hold string
		r.hold(p, &hold)
		released, erased := r.both(func() int64 { return r.release(hold) }, func() (index int64) {
			index, deferred = r.erase(r.a, p.name, "none")
			return index
		})
		if deferred != (erased < released) {
			r.fault("released at %d, erased at %d: deferred %t", released, erased, deferred)
		}
	}, r.resumed)
}

// hold holds what there is of somebody, by name or by value.
func (r *arena) hold(p *person, id *string) int64 {
	match := vault.HoldWords{Subjects: []string{p.name}}
	if len(p.name)%2 == 0 {
		match = vault.HoldWords{Identifiers: mail(p.value)}
	}
	return r.index(func() (*audit.Receipt, error) {
		got, err := r.b.Service.PlaceHold(ctx, counsel(), holdRequest(match))
		if err == nil {
			*id = got.Hold.ID
		}
		return got.Audit, err
	})
}

func (r *arena) release(hold string) int64 {
	return r.index(func() (*audit.Receipt, error) {
		got, err := r.b.Service.ReleaseHold(ctx, counsel(), hold, "ORDER-5", "")
		return got.Audit, err
	})
}

// resumed checks that what was released is erased by itself.
func (r *arena) resumed(people []person) {
	if err := r.b.Service.ResumeErasures(ctx, "acme"); err != nil {
		r.fault("resume: %v", err)
	}
	r.gone(people)
}

// A value of the races against the clock lives for so long.
const shortLife = time.Minute

// short tokenizes a value that lives for shortLife.
func (r *arena) short(call func() vault.Call, service *vault.Service, value string) (written string, expires time.Time) {
	got := must(service.Tokenize(ctx, call(), vault.TokenizeRequest{
		Scope: "chat", TTL: shortLife, Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: value}},
	}))(r)
	return got.Values[0], *got.Tokens[0].ExpiresAt
}

// holdAndSweep: what was held before the sweep stands, and what is gone was swept
// before the hold.
func holdAndSweep(r *arena, n int) {
	for round := 0; round < n && r.faults.Load() == 0; round++ {
		p := &person{name: fmt.Sprint("sweep-", round), scope: "chat", value: fmt.Sprintf("s%d@example.com", round)}
		p.token, _ = r.short(r.a.Gateway, r.a.Service, p.value)
		r.a.Clock.Advance(shortLife)
		var hold string
		held, swept := r.both(func() int64 {
			return r.index(func() (*audit.Receipt, error) {
				got, err := r.b.Service.PlaceHold(ctx, counsel(), holdRequest(vault.HoldWords{Identifiers: mail(p.value)}))
				if err == nil {
					hold = got.Hold.ID
				}
				return got.Audit, err
			})
		}, func() int64 {
			if _, err := r.a.Service.Sweep(ctx, "acme"); err != nil {
				r.fault("sweep: %v", err)
			}
			return r.sweepOf(p.token)
		})
		_, discovery := r.given(r.a, p.scope, p.token)
		if stands := discovery[0]; stands != (swept == never) || !stands && held < swept {
			r.fault("held at %d, swept at %d, stands: %t", held, swept, stands)
		}
		r.release(hold)
		for more := true; more; {
			more = must(r.a.Service.Sweep(ctx, "acme"))(r)
		}
		if _, discovery := r.given(r.a, p.scope, p.token); discovery[0] {
			r.fault("released, swept, and given")
		}
	}
}

// never is after everything in the log.
const never = math.MaxInt64

// sweepOf is where the entry of the sweep stands that took a token.
func (r *arena) sweepOf(written string) int64 {
	page := must(r.a.Service.AuditSearch(ctx, r.a.Auditor(), vault.EntrySearch{EntryQuery: vault.EntryQuery{
		Kind: string(audit.KindSweep), Token: must(token.Parse(written))(r).ID, Limit: 1,
	}}))(r)
	if len(page.Entries) == 0 {
		return never
	}
	return page.Entries[0].Index
}

// expireAndExtend: a value that was used in time has its token and lives on; one
// that was not gets another, and what it had is never restored.
func expireAndExtend(r *arena, n int) {
	for round := 0; round < n && r.faults.Load() == 0; round++ {
		value := fmt.Sprintf("e%d@example.com", round)
		had, ends := r.short(r.a.Gateway, r.a.Service, value)
		r.a.Clock.Advance(shortLife - time.Millisecond)
		var again string
		var until time.Time
		r.both(func() int64 {
			again, until = r.short(r.b.Gateway, r.b.Service, value)
			if until.Add(-shortLife).Before(ends) {
				return 0 // in time
			}
			return 2
		}, func() int64 {
			r.a.Clock.Advance(time.Millisecond)
			if _, err := r.a.Service.Sweep(ctx, "acme"); err != nil {
				r.fault("sweep: %v", err)
			}
			return 1
		})
		used := until.Add(-shortLife)
		if inTime := used.Before(ends); inTime != (again == had) {
			r.fault("it ended at %s, was used at %s, and has its token still: %t", ends, used, again == had)
		}
		gateway, _ := r.given(r.a, "chat", had, again)
		if !gateway[1] || gateway[0] != (again == had) {
			r.fault("used at %s, it ended at %s: the old token gives it %t, the new one %t", used, ends, gateway[0], gateway[1])
		}
	}
}

// TestManyErasuresAtOnce: as the first thing that a service does. Each plan reads
// with several statements from one commit, and none waits for what another has.
func TestManyErasuresAtOnce(t *testing.T) {
	const people = 32
	for store, open := range arenas {
		t.Run(store, func(t *testing.T) {
			a, b := open(t)
			r := &arena{TB: t, a: a, b: b, race: "many"}
			asked := r.people(0)[:people]
			timely, cancel := context.WithTimeout(ctx, 30*time.Second)
			defer cancel()
			var group sync.WaitGroup
			for i, p := range asked {
				group.Go(func() {
					v := []*vaulttest.Vault{a, b}[i%2]
					if _, err := v.Service.EraseSubject(timely, officer(), erasure(v, p.name, "none")); err != nil {
						r.fault("%s: %v", p.name, err)
					}
				})
			}
			group.Wait()
			if r.gone(asked); r.faults.Load() > 0 {
				t.Errorf("%d faults, the first: %s", r.faults.Load(), r.text)
			}
		})
	}
}
