package verify_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// told is a log whose writer appends the entries that tell something.
func told(tell func(m *made) []audit.Entry) func(t *testing.T) ([]verify.Entry, verify.Options) {
	return written(func(m *made) [][]byte {
		var leaves [][]byte
		for _, e := range tell(m) {
			leaves = append(leaves, m.finish([]audit.Entry{e})...)
		}
		return leaves
	})
}

// approved tells of an approval that two others have to agree to, and of its use.
func approved(change func(m *made, id string) []audit.Entry) func(t *testing.T) ([]verify.Entry, verify.Options) {
	return told(func(m *made) []audit.Entry {
		ask := m.ask("ann", 2)
		m.story.approvals = nil
		return append([]audit.Entry{ask}, change(m, ask.ChangeID)...)
	})
}

func using(m *made, id string) audit.Entry {
	e := m.restore(audit.ObligationProceeding + id)
	e.Actor = "ann"
	return e
}

// granted tells of a grant and of what is done under it.
func granted(change func(m *made, g audit.Entry) []audit.Entry) func(t *testing.T) ([]verify.Entry, verify.Options) {
	return told(func(m *made) []audit.Entry {
		g := m.grant()
		m.story.grants = nil
		return append([]audit.Entry{g}, change(m, g)...)
	})
}

func under(m *made, kind audit.Kind, g audit.Entry) audit.Entry {
	e := m.entry(kind, g.Actor, audit.ObligationGrant+g.ChangeID)
	e.Reason = g.Reason
	if kind == audit.KindGrantClose {
		e.Code = "ended"
	}
	return e
}

func flushing(m *made, obligations ...string) audit.Entry {
	e := m.entry(audit.KindGrantFlush, "svc-1", obligations...)
	e.Reason = "LLM_RESPONSE"
	return e
}

func gone(entries []verify.Entry, indexes ...int) []verify.Entry {
	for _, i := range indexes {
		entries[i].Leaf = nil
	}
	return entries
}

var meaningCases = map[string]faultCase{
	"used before it was agreed to": {rule: verify.RuleRedeem, make: approved(func(m *made, id string) []audit.Entry {
		return []audit.Entry{m.say("approve", "bob", id), using(m, id), m.say("approve", "cid", id)}
	})},
	"one agreed twice": {rule: verify.RuleRedeem, make: approved(func(m *made, id string) []audit.Entry {
		return []audit.Entry{m.say("approve", "bob", id), m.say("approve", "Bob", id), using(m, id)}
	})},
	"the requester agreed": {rule: verify.RuleRedeem, make: approved(func(m *made, id string) []audit.Entry {
		return []audit.Entry{m.say("approve", "bob", id), m.say("approve", "ann", id), using(m, id)}
	})},
	"refused agreement": {rule: verify.RuleRedeem, make: approved(func(m *made, id string) []audit.Entry {
		refused := m.say("approve", "cid", id)
		refused.Decision = audit.Deny
		return []audit.Entry{m.say("approve", "bob", id), refused, using(m, id)}
	}), besides: []string{verify.RuleKind}},
	"rejected": {rule: verify.RuleRedeem, make: approved(func(m *made, id string) []audit.Entry {
		return []audit.Entry{m.say("approve", "bob", id), m.say("approve", "cid", id), m.say("reject", "dan", id), using(m, id)}
	})},
	"used twice": {rule: verify.RuleRedeem, make: approved(func(m *made, id string) []audit.Entry {
		return []audit.Entry{m.say("approve", "bob", id), m.say("approve", "cid", id), using(m, id), using(m, id)}
	})},
	"used for a promotion too": {rule: verify.RuleRedeem, make: approved(func(m *made, id string) []audit.Entry {
		return []audit.Entry{m.say("approve", "bob", id), m.say("approve", "cid", id), using(m, id), m.say("redeem", "ann", id)}
	})},
	"used for an erasure": {rule: verify.RuleRedeem, make: approved(func(m *made, id string) []audit.Entry {
		e := m.entry(audit.KindErase, "ann", "identity:in_person", audit.ObligationProceeding+id)
		e.Reference, e.Counts = "DSAR-7", map[string]int{"erased": 1, "deferred": 0, "shared": 0, "keys": 1, "rekeyed": 0}
		return []audit.Entry{m.say("approve", "bob", id), e}
	})},
	"nobody asked": {rule: verify.RuleRedeem, make: told(func(m *made) []audit.Entry {
		return []audit.Entry{using(m, "c999999")}
	})},
	"asked for afterwards": {rule: verify.RuleRedeem, make: told(func(m *made) []audit.Entry {
		ask := m.ask("ann", 0)
		m.story.approvals = nil
		return []audit.Entry{using(m, ask.ChangeID), ask}
	})},
	"asking was refused": {rule: verify.RuleRedeem, make: told(func(m *made) []audit.Entry {
		ask := m.ask("ann", 0)
		m.story.approvals = nil
		ask.Decision = audit.Deny
		return []audit.Entry{ask, using(m, ask.ChangeID)}
	}), besides: []string{verify.RuleKind}},
	"outcome of nothing": {rule: verify.RuleOutcome, make: told(func(m *made) []audit.Entry {
		return []audit.Entry{m.entry(audit.KindOutcome, "svc-1")}
	})},
	"outcome before its intent": {rule: verify.RuleOutcome, make: told(func(m *made) []audit.Entry {
		intent := m.restore()
		m.story.intents = nil
		return []audit.Entry{m.entry(audit.KindOutcome, "svc-1", audit.ObligationIntent+intent.ChangeID), intent}
	})},
	"outcome of a denial": {rule: verify.RuleOutcome, make: told(func(m *made) []audit.Entry {
		intent := m.restore()
		m.story.intents = nil
		intent.Decision = audit.Deny
		return []audit.Entry{intent, m.entry(audit.KindOutcome, "svc-1", audit.ObligationIntent+intent.ChangeID)}
	})},
	"failure of a hold": {rule: verify.RuleOutcome, make: told(func(m *made) []audit.Entry {
		hold := m.entry(audit.KindHoldPlace, "svc-1")
		hold.HoldIDs, hold.Reference, hold.Counts = []string{hold.ChangeID}, "ORDER-9", map[string]int{"subjects": 1}
		failure := m.entry(audit.KindIntegrityFailure, "svc-1", audit.ObligationIntent+hold.ChangeID)
		failure.Tokens = []string{m.id()}
		return []audit.Entry{hold, failure}
	})},
	"flush of no grant": {rule: verify.RuleFlush, make: told(func(m *made) []audit.Entry {
		return []audit.Entry{flushing(m, audit.ObligationGrant+"c999999")}
	})},
	"flush that names none": {rule: verify.RuleFlush, make: told(func(m *made) []audit.Entry {
		return []audit.Entry{flushing(m, "mfa")}
	})},
	"flush of a restoration": {rule: verify.RuleFlush, make: told(func(m *made) []audit.Entry {
		r := m.restore()
		return []audit.Entry{r, under(m, audit.KindGrantFlush, r)}
	})},
	"flush before its grant": {rule: verify.RuleFlush, make: granted(func(m *made, _ audit.Entry) []audit.Entry {
		later := m.grant()
		m.story.grants, m.story.intents = nil, nil
		return []audit.Entry{under(m, audit.KindGrantFlush, later), later}
	})},
	"flush of a grant that was refused": {rule: verify.RuleFlush, make: told(func(m *made) []audit.Entry {
		g := m.grant()
		m.story.grants, m.story.intents = nil, nil
		g.Decision, g.Code = audit.Deny, "denied"
		return []audit.Entry{g, under(m, audit.KindGrantFlush, g)}
	})},
	"flush after the close": {rule: verify.RuleFlush, make: granted(func(m *made, g audit.Entry) []audit.Entry {
		return []audit.Entry{under(m, audit.KindGrantClose, g), under(m, audit.KindGrantFlush, g)}
	})},
	"closed twice": {rule: verify.RuleFlush, make: granted(func(m *made, g audit.Entry) []audit.Entry {
		return []audit.Entry{under(m, audit.KindGrantClose, g), under(m, audit.KindGrantClose, g)}
	})},
	"flush of another's grant": {rule: verify.RuleFlush, make: granted(func(m *made, g audit.Entry) []audit.Entry {
		e := under(m, audit.KindGrantFlush, g)
		e.Actor = "mallory"
		return []audit.Entry{e}
	})},
	"flush from another client": {rule: verify.RuleFlush, make: granted(func(m *made, g audit.Entry) []audit.Entry {
		e := under(m, audit.KindGrantFlush, g)
		e.Client.ClientID = "svc-2"
		return []audit.Entry{e}
	})},
	"flush for another reason": {rule: verify.RuleFlush, make: granted(func(m *made, g audit.Entry) []audit.Entry {
		e := under(m, audit.KindGrantFlush, g)
		e.Reason = "FRAUD_REVIEW"
		return []audit.Entry{e}
	})},
	"flush after its time": {rule: verify.RuleFlush, make: func(t *testing.T) ([]verify.Entry, verify.Options) {
		m := newLog(t, 14).grow(4)
		g := m.grant()
		m.story.grants = nil
		m.commit(m.finish([]audit.Entry{g}))
		m.clock = m.clock.Add(time.Duration(g.Counts["ttl_seconds"]) * time.Second) // from that instant on
		m.commit(m.finish([]audit.Entry{under(m, audit.KindGrantFlush, g)}))
		return m.entries, m.known()
	}},
	"unannounced policy": {rule: verify.RulePolicy, make: told(func(m *made) []audit.Entry {
		e := single(m)[0]
		e.PolicyVersion = strings.Repeat("99", 32)
		return []audit.Entry{e}
	})},
	"policy announced too late": {rule: verify.RulePolicy, make: told(func(m *made) []audit.Entry {
		e, load := single(m)[0], m.entry(audit.KindPolicyLoad, "")
		e.PolicyVersion, load.PolicyVersion = strings.Repeat("99", 32), strings.Repeat("99", 32)
		return []audit.Entry{e, load}
	})},
	"leaf gone": {rule: verify.RulePruned, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		return gone(copied(m.entries), 5)
	})},
	"leaf gone beside those that were named": {rule: verify.RulePruned, make: pruning(func(entries []verify.Entry) []verify.Entry {
		return gone(entries, 12)
	})},
	"first leaf gone": {rule: verify.RulePruned, make: pruning(func(entries []verify.Entry) []verify.Entry {
		return gone(entries, 0)
	})},
	"leaf and hash gone": {rule: verify.RulePruned, make: pruning(func(entries []verify.Entry) []verify.Entry {
		entries[3].Leaf, entries[3].LeafHash = nil, nil
		return entries
	}), without: []string{verify.RulePruned, verify.RuleGap, verify.RuleRoot, verify.RuleBehind, verify.RuleUnsigned, verify.RuleLink}},
	"leaf gone and hash changed": {rule: verify.RuleRoot, make: pruning(func(entries []verify.Entry) []verify.Entry {
		entries[3].Leaf = nil
		entries[3].LeafHash[7] ^= 1
		return entries
	})},
	"pruned before it was said": {rule: verify.RulePruned, make: func(t *testing.T) ([]verify.Entry, verify.Options) {
		m := newLog(t, 19).grow(9)
		size := len(m.entries)
		m.prune(int64(size), int64(size)) // it names what comes after it
		e := m.entry(audit.KindPrune, "")
		e.Counts = map[string]int{"from": size, "to": size + 100}
		m.commit(m.finish([]audit.Entry{e}))
		m.commit(m.finish(single(m)))
		return gone(copied(m.entries), size+2), m.known()
	}},
	"handover of a stranger": {rule: verify.RuleHandover, make: handing(func(m *made, opts *verify.Options, _ []byte) {
		stranger := newSigner(m.t, 77)
		opts.Handovers = [][]byte{handover(m.t, m.head(4), stranger, newSigner(m.t, 2))}
	})},
	"handover of another history": {rule: verify.RuleRoot, make: handing(func(m *made, opts *verify.Options, _ []byte) {
		head := m.head(4)
		head.Root[0] ^= 1
		opts.Checkpoints, opts.Anchors, opts.Receipts = m.checkpoints[len(m.checkpoints)-1:], nil, nil
		opts.Handovers = [][]byte{handover(m.t, head, m.signer, newSigner(m.t, 2))}
	})},
	"handover beyond the log": {rule: verify.RuleBehind, make: handing(func(m *made, opts *verify.Options, _ []byte) {
		head := m.head(4)
		head.Size = int64(len(m.entries)) + 1
		opts.Handovers = [][]byte{handover(m.t, head, m.signer, newSigner(m.t, 2))}
	})},
	"handover that was changed": {rule: verify.RuleHandover, make: handing(func(_ *made, opts *verify.Options, given []byte) {
		given[len(given)/2] ^= 1
		opts.Handovers = [][]byte{given}
	})},
}

// pruning is a log whose first ten leaves may be gone, and eleven others of which
// nobody spoke.
func pruning(change func(entries []verify.Entry) []verify.Entry) func(t *testing.T) ([]verify.Entry, verify.Options) {
	return func(t *testing.T) ([]verify.Entry, verify.Options) {
		m := newLog(t, 15).grow(9)
		m.prune(1, 10)
		m.grow(2)
		return change(copied(m.entries)), m.known()
	}
}

// head is that after a batch.
func (m *made) head(batch int) audit.TreeHead {
	return audit.TreeHead{Origin: origin, Size: m.anchors[batch].Size, Root: m.anchors[batch].Root}
}

func handover(t testing.TB, head audit.TreeHead, from, to *audit.Signer) []byte {
	t.Helper()
	signed, err := audit.SignHandover(head, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func handing(change func(m *made, opts *verify.Options, given []byte)) func(t *testing.T) ([]verify.Entry, verify.Options) {
	return stored(func(m *made, opts *verify.Options) []verify.Entry {
		change(m, opts, handover(m.t, m.head(4), m.signer, newSigner(m.t, 2)))
		return m.entries
	})
}

// What a product may write, beside what logs at random hold, is no fault.
func TestMeaningIsNotTooStrict(t *testing.T) {
	for name, log := range map[string]func(t *testing.T) ([]verify.Entry, verify.Options){
		"approved and used": approved(func(m *made, id string) []audit.Entry {
			return []audit.Entry{m.say("approve", "bob", id), m.say("approve", "cid", id), using(m, id)}
		}),
		"a refused use, then the use": approved(func(m *made, id string) []audit.Entry {
			refused := using(m, id)
			m.story.intents = nil
			refused.Decision = audit.Deny
			return []audit.Entry{refused, m.say("approve", "bob", id), m.say("approve", "cid", id), using(m, id)}
		}),
		"a review names the use": told(func(m *made) []audit.Entry {
			use := m.restore()
			look := m.entry(audit.KindReviewClose, "eve", audit.ObligationProceeding+use.ChangeID)
			look.Code, look.Reference = "justified", "CASE-31"
			return []audit.Entry{use, look}
		}),
		"another proceeding": told(func(m *made) []audit.Entry {
			e := m.entry(audit.KindIncidentChange, "eve", audit.ObligationProceeding+"c0")
			e.Code, e.Reference = "assessed", "INC-7"
			return []audit.Entry{e}
		}),
		"a service that did not announce versions yet": func(t *testing.T) ([]verify.Entry, verify.Options) {
			m := newLog(t, 1)
			create := m.change()[0]
			create.Obligations = nil
			m.commit(m.finish([]audit.Entry{create}))
			for _, version := range []string{"11", "22", "33"} { // of which the last is announced first
				if version == "33" {
					load := m.entry(audit.KindPolicyLoad, "", audit.ObligationVersion+"22")
					load.Channel, load.PolicyVersion, load.Decision, load.Client = "process", "22", "", audit.Client{}
					next := load
					next.PolicyVersion, next.Obligations, next.ChangeID = version, []string{audit.ObligationVersion + version}, "next"
					m.commit(m.finish([]audit.Entry{load}))
					m.commit(m.finish([]audit.Entry{next}))
				}
				e := single(m)[0]
				e.PolicyVersion = version
				m.commit(m.finish([]audit.Entry{e}))
			}
			last := single(m)[0] // a replica of the version before
			last.PolicyVersion = "22"
			m.commit(m.finish([]audit.Entry{last}))
			return m.entries, m.known()
		},
		"failure without an intent": told(func(m *made) []audit.Entry {
			e := m.entry(audit.KindIntegrityFailure, "svc-1")
			e.Tokens = []string{m.id()}
			return []audit.Entry{e}
		}),
		"closed by somebody else after its time": granted(func(m *made, g audit.Entry) []audit.Entry {
			m.clock = m.clock.Add(time.Hour)
			e := under(m, audit.KindGrantClose, g)
			e.Actor, e.Code = "officer", "revoked"
			return []audit.Entry{e}
		}),
		"a policy that was proposed": told(func(m *made) []audit.Entry {
			next := strings.Repeat("99", 32)
			propose, use := m.entry(audit.KindPolicyPropose, "ole", "tenant:acme"), single(m)[0]
			propose.Code, propose.Reference, use.PolicyVersion = "pr-7", next, next
			return []audit.Entry{propose, use}
		}),
		"a policy that was promoted": told(func(m *made) []audit.Entry {
			next := strings.Repeat("99", 32)
			change, use := m.entry(audit.KindPolicyChange, "ole", audit.ObligationProceeding+"c0", audit.ObligationVersion+next), single(m)[0]
			change.Code, change.Reference, use.PolicyVersion = "promote", "CASE-31", next
			return []audit.Entry{change, use}
		}),
		"a log that never announced": func(t *testing.T) ([]verify.Entry, verify.Options) {
			m := newLog(t, 16)
			for _, version := range versions {
				m.story.version = version
				m.commit(m.finish(single(m)))
			}
			return m.entries, m.known()
		},
		"pruned": pruning(func(entries []verify.Entry) []verify.Entry { return entries }),
		"pruned whole": func(t *testing.T) ([]verify.Entry, verify.Options) {
			m := newLog(t, 17).grow(9)
			n := len(m.entries)
			for i := range m.entries[:n-3] {
				m.entries[i].Leaf = nil
			}
			m.story = story{version: versions[2]}
			m.commit(m.finish([]audit.Entry{using(m, "c000001-of-then")}))
			m.commit(m.finish([]audit.Entry{m.entry(audit.KindOutcome, "svc-1", audit.ObligationIntent+"c000001-of-then")}))
			m.commit(m.finish([]audit.Entry{flushing(m, audit.ObligationGrant+"c000001-of-then")}))
			e := m.entry(audit.KindPrune, "")
			e.Counts = map[string]int{"from": 0, "to": n}
			m.commit(m.finish([]audit.Entry{e}))
			return m.entries, m.known()
		},
	} {
		entries, opts := log(t)
		if _, err := verify.Log(t.Context(), of(entries), opts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A log that was signed by one key after another is sound for whoever has the
// first, and the last alone says nothing to them.
func TestHandovers(t *testing.T) {
	m := newLog(t, 18).grow(3)
	first := m.signer
	var handovers [][]byte
	for seed := byte(2); seed < 5; seed++ {
		next := newSigner(t, seed)
		handovers = append(handovers, handover(t, m.head(len(m.anchors)-1), m.signer, next))
		m.signer = next
		m.grow(3)
	}
	newest := m.checkpoints[len(m.checkpoints)-1]
	opts := verify.Options{VKeys: []string{first.VerifierKey()}, Handovers: handovers, Checkpoints: [][]byte{newest, m.checkpoints[1]}, RequireSigned: true}
	got, err := verify.Log(t.Context(), of(m.entries), opts)
	if err != nil || got.Handovers != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	var fault *verify.Fault
	for name, given := range map[string][][]byte{"none": nil, "the last missing": handovers[:2], "the first missing": handovers[1:]} {
		opts.Handovers = given
		if _, err := verify.Log(t.Context(), of(m.entries), opts); !errors.As(err, &fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
