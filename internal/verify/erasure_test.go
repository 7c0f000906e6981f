package verify_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// erasureEntry is one as the service writes it for a request that was opened
// before.
func erasureEntry(change func(*audit.Entry)) audit.Entry {
	e := audit.Entry{
		V: audit.Version, Tenant: "acme", Kind: audit.KindErase, ChangeID: "c-erase", Actor: "pia", Channel: "api",
		Decision: audit.Allow, Reference: "DSAR-7", Obligations: []string{"request:r7", "identity:in_person"},
		KeyIDs: []string{"k1", "k2"}, SubjectRefs: []string{"s1"},
		Counts: map[string]int{"erased": 5, "shared": 1, "deferred": 0, "keys": 2, "rekeyed": 3},
	}
	if change != nil {
		change(&e)
	}
	return e
}

// fields is a receipt that a test takes apart.
type fields map[string]any

// receiptOf is the internal copy of the receipt of an entry, in a log that goes
// on around it.
func receiptOf(t *testing.T, e audit.Entry) (receipt fields, key string) {
	t.Helper()
	m := newLog(t, 21).grow(4)
	m.clock = m.clock.Add(time.Second)
	leaf := m.finish([]audit.Entry{e})[0]
	m.commit([][]byte{leaf})
	at := m.clock.Format(time.RFC3339Nano)
	r := fields{
		"audience": "internal", "request_id": "r7", "kind": "erasure", "regime": "gdpr", "reference": "DSAR-7",
		"identity": fields{"method": "in_person", "reference": "ID-9", "verified_by": "pia", "at": at},
		"status":   "completed", "erased_at": at, "completed_at": at,
		"expected_final_at": m.clock.Add(40 * 24 * time.Hour).Format(time.RFC3339Nano),
		"counts":            fields{"erased": 5, "deferred": 0, "shared": 1, "keys": 2, "rekeyed": 3},
		"methods":           []string{"key_destroyed", "rekeyed"},
		"destinations":      []fields{{"destination": "openai", "values": 2}},
		"entry":             string(leaf), "proof": m.receipts[len(m.receipts)-1], "issued_at": at,
	}
	return r, m.signer.VerifierKey()
}

// partly is a receipt of an erasure of which a hold kept two values at first.
func partly(t *testing.T, e audit.Entry) (fields, string) {
	t.Helper()
	e.Counts = map[string]int{"erased": 3, "shared": 1, "deferred": 2, "keys": 1, "rekeyed": 3}
	r, key := receiptOf(t, e)
	r["status"], r["counts"] = "deferred", fields{"erased": 3, "deferred": 2, "shared": 1, "keys": 1, "rekeyed": 3}
	delete(r, "completed_at")
	delete(r, "expected_final_at")
	return r, key
}

func (f fields) text(t *testing.T) []byte {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// with is a copy with some fields replaced, and those removed that are nil.
func (f fields) with(other fields) fields {
	out := maps.Clone(f)
	for name, value := range other {
		if sub, nested := value.(fields); nested {
			if old, both := out[name].(fields); both {
				out[name] = old.with(sub)
				continue
			}
		}
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

func TestInvariant11_AReceiptOfAnErasureProves(t *testing.T) {
	for name, c := range map[string]struct {
		made   func(*testing.T, audit.Entry) (fields, string)
		entry  func(*audit.Entry)
		change fields
		counts verify.ErasureCounts
		later  int
	}{
		"a request that was opened before": {receiptOf, nil, nil, verify.ErasureCounts{Erased: 5, Shared: 1, Keys: 2, Rekeyed: 3}, 0},
		"one that was done at once": {
			receiptOf, func(e *audit.Entry) { e.ChangeID, e.Obligations = "r7", []string{"identity:in_person"} }, nil,
			verify.ErasureCounts{Erased: 5, Shared: 1, Keys: 2, Rekeyed: 3}, 0,
		},
		"nothing was found": {
			receiptOf, func(e *audit.Entry) { e.KeyIDs, e.Counts = nil, map[string]int{"erased": 0} },
			fields{"counts": fields{"erased": 0, "shared": 0, "keys": 0, "rekeyed": 0}, "methods": []string{}}, verify.ErasureCounts{}, 0,
		},
		"a part is deferred": {partly, nil, nil, verify.ErasureCounts{Erased: 3, Deferred: 2, Shared: 1, Keys: 1, Rekeyed: 3}, 0},
		"it was released since": {
			partly, nil, fields{
				"status": "completed", "completed_at": "2026-05-01T08:00:00Z", "final_at": "2026-06-01T08:00:00Z",
				"counts": fields{"erased": 5, "deferred": 0, "keys": 2},
			},
			verify.ErasureCounts{Erased: 3, Deferred: 2, Shared: 1, Keys: 1, Rekeyed: 3}, 2,
		},
	} {
		r, key := c.made(t, erasureEntry(c.entry))
		got, err := verify.Erasure(r.with(c.change).text(t), key)
		want := verify.ErasureResult{
			Tenant: "acme", Origin: origin, Index: got.Index, Size: got.Index + 1, Root: got.Root, Audience: "internal", RequestID: "r7",
			Entry: true, Reference: "DSAR-7", ErasedAt: got.ErasedAt, Counts: c.counts, Later: c.later,
		}
		if err != nil || got.Index == 0 || got.ErasedAt.IsZero() || !cmp.Equal(got, want) {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(want, got))
		}
	}
}

// The subject's copy proves that there is an entry, and nothing of its words.
func TestTheSubjectsCopy(t *testing.T) {
	r, key := receiptOf(t, erasureEntry(nil))
	told := fields{"audience": "subject", "entry": nil, "reference": nil, "identity": nil}
	got, err := verify.Erasure(r.with(told).text(t), key)
	if err != nil || got.Entry || got.Audience != "subject" || got.Counts != (verify.ErasureCounts{}) || got.Size != got.Index+1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestInvariant11_EachFieldOfAReceiptCounts changes one thing each, which one
// rule finds; its twin shows that without that rule nothing would.
func TestInvariant11_EachFieldOfAReceiptCounts(t *testing.T) {
	whole, part := receiptOf, partly
	proofOf := func(r fields) audit.Receipt { return r["proof"].(audit.Receipt) }
	for name, c := range map[string]struct {
		made   func(*testing.T, audit.Entry) (fields, string)
		entry  func(*audit.Entry)
		change func(r fields) fields
		rule   string
		field  string
	}{
		"kind":            {whole, nil, func(fields) fields { return fields{"kind": "access"} }, verify.RuleStatement, "kind"},
		"request":         {whole, nil, func(fields) fields { return fields{"request_id": "r8"} }, verify.RuleStatement, "request_id"},
		"no request":      {whole, nil, func(fields) fields { return fields{"request_id": nil} }, verify.RuleStatement, "request_id"},
		"reference":       {whole, nil, func(fields) fields { return fields{"reference": "DSAR-8"} }, verify.RuleStatement, "reference"},
		"no reference":    {whole, nil, func(fields) fields { return fields{"reference": nil} }, verify.RuleStatement, "reference"},
		"method":          {whole, nil, func(fields) fields { return fields{"identity": fields{"method": "letter"}} }, verify.RuleStatement, "identity.method"},
		"no identity":     {whole, nil, func(fields) fields { return fields{"identity": nil} }, verify.RuleStatement, "identity.method"},
		"erased_at":       {whole, nil, func(fields) fields { return fields{"erased_at": "2026-03-01T07:59:59Z"} }, verify.RuleStatement, "erased_at"},
		"erased more":     {whole, nil, func(fields) fields { return fields{"counts": fields{"erased": 6}} }, verify.RuleStatement, "counts.erased"},
		"erased less":     {part, nil, func(fields) fields { return fields{"counts": fields{"erased": 2}} }, verify.RuleStatement, "counts.erased"},
		"shared":          {whole, nil, func(fields) fields { return fields{"counts": fields{"shared": 0}} }, verify.RuleStatement, "counts.shared"},
		"keys":            {whole, nil, func(fields) fields { return fields{"counts": fields{"keys": 3}} }, verify.RuleStatement, "counts.keys"},
		"no keys":         {whole, nil, func(fields) fields { return fields{"counts": fields{"keys": nil}} }, verify.RuleStatement, "counts.keys"},
		"rekeyed":         {whole, nil, func(fields) fields { return fields{"counts": fields{"rekeyed": 4}} }, verify.RuleStatement, "counts.rekeyed"},
		"deferred more":   {part, nil, func(fields) fields { return fields{"counts": fields{"deferred": 3}} }, verify.RuleStatement, "counts.deferred"},
		"deferred, none":  {whole, nil, func(fields) fields { return fields{"status": "deferred", "completed_at": nil} }, verify.RuleStatement, "status"},
		"completed, not":  {part, nil, func(fields) fields { return fields{"status": "completed"} }, verify.RuleStatement, "status"},
		"no status":       {whole, nil, func(fields) fields { return fields{"status": nil} }, verify.RuleStatement, "status"},
		"completed later": {whole, nil, func(fields) fields { return fields{"completed_at": "2026-05-01T08:00:00Z"} }, verify.RuleStatement, "completed_at"},
		"completed never": {whole, nil, func(fields) fields { return fields{"completed_at": nil, "expected_final_at": nil} }, verify.RuleStatement, "completed_at"},
		"completed, kept": {part, nil, func(fields) fields { return fields{"completed_at": "2026-05-01T08:00:00Z"} }, verify.RuleStatement, "completed_at"},
		"methods":         {whole, nil, func(fields) fields { return fields{"methods": []string{"key_destroyed"}} }, verify.RuleStatement, "methods"},
		"final too early": {whole, nil, func(fields) fields { return fields{"final_at": "2026-03-01T07:00:00Z"} }, verify.RuleStatement, "final_at"},
		"final, not yet":  {part, nil, func(fields) fields { return fields{"expected_final_at": "2027-03-01T07:00:00Z"} }, verify.RuleStatement, "final_at"},
		"words of an entry": {whole, nil, func(r fields) fields {
			return fields{"entry": strings.Replace(r["entry"].(string), `"erased":5`, `"erased":9`, 1), "counts": fields{"erased": 9}}
		}, verify.RuleHash, "another entry"},
		"another kind":   {whole, func(e *audit.Entry) { e.Kind = audit.KindSubjectSearch }, nil, verify.RuleKind, "erasure"},
		"a refusal":      {whole, func(e *audit.Entry) { e.Decision = audit.Deny }, nil, verify.RuleKind, "allowed"},
		"another tenant": {whole, func(e *audit.Entry) { e.Tenant = "globex" }, nil, verify.RuleTenant, "tenant"},
		"index": {whole, nil, func(r fields) fields {
			p := proofOf(r)
			p.Index--
			return fields{"proof": p}
		}, verify.RuleReceipt, "in the log"},
		"size": {whole, nil, func(r fields) fields {
			p := proofOf(r)
			p.TreeSize++
			return fields{"proof": p}
		}, verify.RuleReceipt, "in the log"},
		"root": {whole, nil, func(r fields) fields {
			p := proofOf(r)
			p.RootHash[0]++
			return fields{"proof": p}
		}, verify.RuleReceipt, "in the log"},
		"proof": {whole, nil, func(r fields) fields {
			p := proofOf(r)
			p.Proof = p.Proof[1:]
			return fields{"proof": p}
		}, verify.RuleReceipt, "in the log"},
		"log": {whole, nil, func(r fields) fields {
			p := proofOf(r)
			p.Log = "counterfoil.local/log/globex"
			return fields{"proof": p}
		}, verify.RuleReceipt, "in the log"},
		"checkpoint": {whole, nil, func(r fields) fields {
			p := proofOf(r)
			p.Checkpoint = strings.Replace(p.Checkpoint, "acme", "acmf", 1)
			return fields{"proof": p}
		}, verify.RuleReceipt, "in the log"},
	} {
		r, key := c.made(t, erasureEntry(c.entry))
		if c.change != nil {
			r = r.with(c.change(r))
		}
		var fault *verify.Fault
		_, err := verify.Erasure(r.text(t), key)
		if !errors.As(err, &fault) || fault.Rule != c.rule || !strings.Contains(fault.Detail, c.field) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := verify.ErasureWithout(r.text(t), key, c.rule); err != nil {
			t.Errorf("%s: the twin, without the rule: %v", name, err)
		}
	}
}

// Another key, and the proof of another entry of the same log, prove nothing.
func TestInvariant11_AReceiptOfSomethingElse(t *testing.T) {
	r, key := receiptOf(t, erasureEntry(nil))
	var fault *verify.Fault
	stranger := newSigner(t, 9).VerifierKey()
	if _, err := verify.Erasure(r.text(t), stranger); !errors.As(err, &fault) || fault.Rule != verify.RuleReceipt {
		t.Errorf("under another key: %v", err)
	}
	if _, err := verify.ErasureWithout(r.text(t), stranger, verify.RuleReceipt); err != nil {
		t.Errorf("the twin: %v", err)
	}
	m := newLog(t, 21).grow(4)
	other := r.with(fields{"proof": m.receipts[0]})
	if _, err := verify.Erasure(other.text(t), key); !errors.As(err, &fault) || fault.Rule != verify.RuleHash {
		t.Errorf("with the proof of another entry: %v", err)
	}
	if _, err := verify.ErasureWithout(other.text(t), key, verify.RuleHash); err != nil {
		t.Errorf("the twin: %v", err)
	}
	for name, keys := range map[string][]string{"no key": nil, "no such key": {"x"}} {
		if _, err := verify.Erasure(r.text(t), keys...); !errors.Is(err, verify.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What can be read in two ways is not read at all.
func TestReceiptsThatAreNone(t *testing.T) {
	r, key := receiptOf(t, erasureEntry(nil))
	whole := string(r.text(t))
	for name, text := range map[string]string{
		"nothing":           "",
		"a word":            `"receipt"`,
		"null":              "null",
		"no proof":          string(r.with(fields{"proof": nil}).text(t)),
		"no entry":          string(r.with(fields{"entry": nil}).text(t)),
		"an entry too much": string(r.with(fields{"audience": "subject"}).text(t)),
		"no audience":       string(r.with(fields{"audience": nil}).text(t)),
		"two of them":       whole + whole,
		"twice":             strings.Replace(whole, `"kind":`, `"kind":"access","kind":`, 1),
		"twice, deeper":     strings.Replace(whole, `"erased":5`, `"erased":9,"erased":5`, 1),
		"other letters":     strings.Replace(whole, `"kind":`, `"Kind":"access","kind":`, 1),
		"odd letters":       strings.Replace(whole, `"status":`, `"ſtatus":"deferred","status":`, 1),
		"a leaf of none":    string(r.with(fields{"entry": "{}"}).text(t)),
		"too long":          whole + strings.Repeat(" ", verify.MaxReceipt),
		"nested":            strings.Repeat("[", verify.MaxReceipt),
	} {
		var fault *verify.Fault
		if _, err := verify.Erasure([]byte(text), key); !errors.As(err, &fault) || fault.Rule != verify.RuleSchema && fault.Rule != verify.RuleHash {
			t.Errorf("%s: %v", name, err)
		}
		readTwoWays := strings.HasPrefix(name, "twice") || strings.HasSuffix(name, "letters")
		if _, err := verify.ErasureWithout([]byte(text), key, verify.RuleSchema); (err == nil) != readTwoWays {
			t.Errorf("%s: the twin, without the rule: %v", name, err)
		}
	}
}

// FuzzErasure: whatever comes as a receipt, the answer is a fault or a receipt
// whose entry says what it says; nothing else is believed and nothing panics.
func FuzzErasure(f *testing.F) {
	m := newLog(f, 21).grow(4)
	leaf := m.finish([]audit.Entry{erasureEntry(nil)})[0]
	m.commit([][]byte{leaf})
	key := m.signer.VerifierKey()
	at := m.clock.Format(time.RFC3339Nano)
	whole := fields{
		"audience": "internal", "request_id": "r7", "kind": "erasure", "reference": "DSAR-7", "identity": fields{"method": "in_person"},
		"status": "completed", "erased_at": at, "completed_at": at, "methods": []string{"key_destroyed", "rekeyed"},
		"counts": fields{"erased": 5, "shared": 1, "keys": 2, "rekeyed": 3}, "entry": string(leaf), "proof": m.receipts[len(m.receipts)-1],
	}
	text, err := json.Marshal(whole)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := verify.Erasure(text, key); err != nil {
		f.Fatalf("the seed: %v", err)
	}
	for _, seed := range [][]byte{text, []byte(`{}`), []byte(`[[[]]]`), text[:len(text)/2]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, receipt []byte) {
		got, err := verify.Erasure(receipt, key)
		var fault *verify.Fault
		if err != nil && !errors.As(err, &fault) {
			t.Fatal(err)
		}
		if err == nil && got.Entry && (got.Counts.Erased != 5 || got.Reference != "DSAR-7" || got.RequestID != "r7") {
			t.Fatalf("%+v", got)
		}
	})
}
