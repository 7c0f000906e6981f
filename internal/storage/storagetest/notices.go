package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// noticeClauses are about notices that are to be sent.
var noticeClauses = []clause{
	{"Invariant2/a notice is written with its change or not at all", noticeWritten},
	{"notices/ride along with every effect and come back byte for byte", noticeEffects},
	{"notices/the oldest are taken first, and put off by the lease", noticesInOrder},
	{"notices/of two who take at once no two have the same", noticeOnce},
	{"notices/one is put off and its attempts are counted, until it is settled", noticePutOff},
	{"notices/are bookkeeping: none leaves an entry", noticeNoEntry},
	{"Invariant6/notices of one tenant are no other's", noticeForeign},
}

// lease is how long what was taken is nobody else's.
const lease = time.Minute

// take takes notices for a lease.
func (w *world) take(tenant string, limit int) []vault.Notice {
	w.Helper()
	got, err := w.Outbox.TakeNotices(w.ctx, tenant, limit, lease)
	w.no(err)
	return got
}

func (w *world) wantNotices(what string, got []vault.Notice, want ...vault.Notice) {
	w.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("%s: %s", what, diff)
	}
}

// notify commits a record with a notice, and returns it as it is to be taken.
func (w *world) notify(tenant, kind, body string) vault.Notice {
	w.Helper()
	change := Change(w, tenant, vault.Record{}).Notifying(kind, []byte(body))
	_, err := w.Store.Commit(w.ctx, tenant, change)
	w.no(err)
	return vault.Notice{ID: change.ID(), Kind: kind, Body: []byte(body), At: w.now()}
}

// inOrder sorts notices of one instant as they are taken.
func inOrder(all []vault.Notice) []vault.Notice {
	slices.SortFunc(all, func(a, b vault.Notice) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func noticeWritten(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.wantNotices("none was written", w.take("acme", 10))
	restore := func(m vault.NewMapping, body string) vault.Change {
		return Change(w, "acme", p.Restore(m)).Notifying("restore", []byte(body))
	}
	changes := []vault.Change{restore(m, `{"n":1}`), restore(p.Value("none"), `{"n":2}`), restore(m, `{"n":3}`), Change(w, "acme", p.Restore(m))}
	answers := w.window("acme", changes...)
	for i, want := range []error{nil, vault.ErrConflict, nil, nil} {
		w.is(answers[i].err, want)
	}
	if answers[0].Tree != answers[3].Tree {
		w.Error("a notice kept a change from sharing")
	}
	var want []vault.Notice
	for _, i := range []int{0, 2} {
		want = append(want, vault.Notice{ID: changes[i].ID(), Kind: "restore", Body: changes[i].Notice().Body, At: w.now()})
	}
	w.wantNotices("of what was committed", w.take("acme", 10), inOrder(want)...)
	for name, change := range map[string]vault.Change{
		"too long":          restore(m, strings.Repeat("x", vault.MaxNoticeBody+1)),
		"of no kind":        Change(w, "acme", p.Restore(m)).Notifying("", nil),
		"of a long kind":    Change(w, "acme", p.Restore(m)).Notifying(strings.Repeat("x", 65), nil),
		"of a kind's bytes": Change(w, "acme", p.Restore(m)).Notifying("a\x00", nil),
		"of broken UTF-8":   Change(w, "acme", p.Restore(m)).Notifying("\xff", nil),
	} {
		before := w.size("acme")
		if _, err := w.Store.Commit(w.ctx, "acme", change); err == nil || w.size("acme") != before {
			w.Errorf("a notice %s: %v", name, err)
		}
	}
	w.clock.Advance(lease)
	if got := w.take("acme", 10); len(got) != 2 {
		w.Errorf("%d notices are there, want 2", len(got))
	}
	w.CheckLog("acme")
}

func noticeEffects(w *world) {
	const every = "\x00\x01\xff\xfe {\"é\":\r\n}"
	bodies := []string{"", `{}`, every, strings.Repeat("é", vault.MaxNoticeBody/2), ` { "a" : 1.0 } `}
	var want []vault.Notice
	commit := func(tenant string, effect vault.Effect) {
		w.Helper()
		body := bodies[len(want)%len(bodies)]
		change := Change(w, tenant, effect).Notifying(string(kindOf(effect)), []byte(body))
		_, err := w.Store.Commit(w.ctx, tenant, change)
		w.no(err)
		want = append(want, vault.Notice{ID: change.ID(), Kind: string(kindOf(effect)), Body: []byte(body), At: w.now()})
		w.clock.Advance(time.Microsecond)
	}
	commit("acme", Provision())
	e := w.estate("globex")
	p := NewPlace("acme", "a conversation", w.now())
	m := p.Value("v")
	commit("acme", p.Open())
	commit("acme", p.Tokenize(m))
	commit("acme", p.Restore(m))
	commit("acme", vault.Record{})
	commit("acme", vault.PlaceHold{Hold: vault.Hold{Matter: "M", Reference: "R", Match: onValue(p.Value("none"))}})
	commit("acme", vault.OpenProceeding{Proceeding: suspension(w, vault.SuspensionMatch{})})
	commit("acme", altering(w.proceedings("acme", vault.ProceedingQuery{})...))
	commit("acme", vault.OpenRequest{Request: w.request(vault.RequestAccess, e.ann)})
	commit("acme", p.close())
	commit("acme", p.Sweep(m))
	commit("acme", vault.RaiseWrapMinimum{Version: 4})
	commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	commit("acme", vault.Record{}) // also while nothing is served
	w.no(w.Close())
	w.Stores = w.Reopen()
	w.wantNotices("in their order, after a restart", w.take("acme", 100), want...)
	want = nil
	commit("globex", erasing(erasureOf(e.ann), w.plan("globex", erasureOf(e.ann))))
	commit("globex", vault.DestroyKeys{Keys: []string{e.bobs.ID}})
	w.wantNotices("of what destroys", w.take("globex", 100), want...)
}

func noticesInOrder(w *world) {
	w.tenant("acme")
	var all []vault.Notice
	for i := range 3 {
		w.clock.Advance(time.Second)
		var same []vault.Notice
		for j := range 3 { // three of each instant
			same = append(same, w.notify("acme", "review_open", fmt.Sprint(i, j)))
		}
		all = append(all, inOrder(same)...)
	}
	w.wantNotices("the first four", w.take("acme", 4), all[:4]...)
	w.clock.Advance(time.Second)
	w.wantNotices("the next two", w.take("acme", 2), all[4:6]...)
	w.wantNotices("the rest", w.take("acme", 100), all[6:]...)
	w.wantNotices("none is left", w.take("acme", 100))
	// What nobody settled comes again once its lease is over, in the order in which
	// it was taken, and as it was.
	w.clock.Advance(lease - time.Second - time.Microsecond)
	w.wantNotices("just before", w.take("acme", 100))
	w.clock.Advance(time.Microsecond)
	w.wantNotices("of the first lease", w.take("acme", 100), inOrder(slices.Clone(all[:4]))...)
	w.clock.Advance(time.Second - time.Microsecond)
	w.wantNotices("just before the second", w.take("acme", 100))
	w.clock.Advance(time.Microsecond)
	w.wantNotices("of the second lease", w.take("acme", 100), inOrder(slices.Clone(all[4:]))...)
	// What waited longer is before what came later.
	late := w.notify("acme", "review_open", "late")
	w.clock.Advance(lease)
	w.wantNotices("the latest first", w.take("acme", 1), late)
	w.wantNotices("after it those that were leased", w.take("acme", 4), inOrder(slices.Clone(all[:4]))...)
}

func noticeOnce(w *world) {
	w.tenant("acme")
	const n, takers = 40, 8
	for i := range n {
		w.notify("acme", "review_open", fmt.Sprint(i))
	}
	var mu sync.Mutex
	taken := make(map[string]int)
	var group sync.WaitGroup
	for range takers {
		group.Go(func() {
			// So often that each could take all of them; a broken store always has some.
			for range n {
				got := w.take("acme", 3)
				if len(got) == 0 {
					return
				}
				mu.Lock()
				for _, one := range got {
					taken[one.ID]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for id, times := range taken {
		if times != 1 {
			w.Errorf("%s was taken %d times", id, times)
		}
	}
	if len(taken) != n {
		w.Errorf("of %d notices %d were taken", n, len(taken))
	}
}

func noticePutOff(w *world) {
	w.tenant("acme")
	one := w.notify("acme", "suspend", `{"n":1}`)
	w.clock.Advance(time.Microsecond)
	two := w.notify("acme", "suspend", `{"n":2}`)
	w.wantNotices("at first", w.take("acme", 10), one, two)
	w.no(w.Outbox.PostponeNotice(w.ctx, "acme", one.ID, w.now().Add(10*time.Minute)))
	w.clock.Advance(lease)
	w.wantNotices("the other", w.take("acme", 10), two)
	w.clock.Advance(10*time.Minute - lease - time.Microsecond)
	w.no(w.Outbox.SettleNotice(w.ctx, "acme", two.ID))
	w.wantNotices("just before", w.take("acme", 10))
	w.clock.Advance(time.Microsecond)
	one.Attempts = 1
	w.wantNotices("then", w.take("acme", 10), one)
	for range 3 {
		w.no(w.Outbox.PostponeNotice(w.ctx, "acme", one.ID, w.now()))
		one.Attempts++
		w.wantNotices("at once", w.take("acme", 10), one)
	}
	w.no(w.Close())
	w.Stores = w.Reopen()
	w.clock.Advance(lease)
	w.wantNotices("after a restart", w.take("acme", 10), one)
	w.no(w.Outbox.SettleNotice(w.ctx, "acme", one.ID))
	for _, id := range []string{one.ID, two.ID, "none", "", "x\x00", "\xff"} {
		if err := w.Outbox.PostponeNotice(w.ctx, "acme", id, w.now()); err != nil && id != "x\x00" && id != "\xff" {
			w.Errorf("one that is not there is put off: %v", err)
		}
		if err := w.Outbox.SettleNotice(w.ctx, "acme", id); err != nil && id != "x\x00" && id != "\xff" {
			w.Errorf("one that is not there is settled: %v", err)
		}
	}
	w.clock.Advance(life)
	w.wantNotices("in the end", w.take("acme", 10))
}

func noticeNoEntry(w *world) {
	w.tenant("acme")
	one := w.notify("acme", "suspend", `{}`)
	before := w.size("acme")
	w.wantNotices("it", w.take("acme", 10), one)
	w.no(w.Outbox.PostponeNotice(w.ctx, "acme", one.ID, w.now()))
	w.no(w.Outbox.SettleNotice(w.ctx, "acme", one.ID))
	if w.size("acme") != before {
		w.Errorf("sending a notice left %d entries", w.size("acme")-before)
	}
	// They are sent also for a tenant that is not served any more.
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	one = w.notify("acme", "tenant_suspend", `{}`)
	w.wantNotices("suspended", w.take("acme", 10), one)
	w.no(w.Outbox.SettleNotice(w.ctx, "acme", one.ID))
	w.CheckLog("acme")
}

func noticeForeign(w *world) {
	w.tenant("acme")
	w.tenant("Acme")
	mine, theirs := w.notify("acme", "suspend", "mine"), w.notify("Acme", "suspend", "theirs")
	w.no(w.Outbox.SettleNotice(w.ctx, "Acme", mine.ID))
	w.no(w.Outbox.PostponeNotice(w.ctx, "Acme", mine.ID, w.now().Add(life)))
	w.wantNotices("mine", w.take("acme", 10), mine)
	w.wantNotices("theirs", w.take("Acme", 10), theirs)
}
