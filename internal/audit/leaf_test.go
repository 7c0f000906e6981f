package audit_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// goldenLeaves are the leaves that every later version must still read.
func goldenLeaves(t testing.TB) (leaves [][]byte) {
	t.Helper()
	f, err := os.Open("testdata/leaves.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		leaves = append(leaves, bytes.Clone(s.Bytes()))
	}
	if len(leaves) == 0 {
		t.Fatal("no golden leaves")
	}
	return leaves
}

func TestGoldenLeaves(t *testing.T) {
	kinds := map[audit.Kind]bool{}
	for i, leaf := range goldenLeaves(t) {
		e, err := audit.ParseLeaf(leaf)
		if err != nil {
			t.Fatalf("leaf %d: %v", i, err)
		}
		kinds[e.Kind] = true
		again, err := e.Leaf()
		if err != nil || !bytes.Equal(again, leaf) {
			t.Errorf("leaf %d reads and writes back as %s, %v", i, again, err)
		}
	}
	for _, k := range audit.Kinds() {
		if !kinds[k.Kind] {
			t.Errorf("no golden leaf of kind %s", k.Kind)
		}
	}
}

func TestLeafOfSample(t *testing.T) {
	got := string(leafOf(t, sample()))
	const want = `{"actor":"svc-1","change_id":"01JD3V9Q7M8X2K4T6R5P0WNCYB","channel":"api",` +
		`"client":{"client_id":"svc-1","jti_digest":"1f0c3a5e7b9d2468ace02468ace13579"},"decision":"allow","destination":"default",` +
		`"entities":{"EMAIL_ADDRESS":2,"PHONE_NUMBER":1},"kind":"tokenize",` +
		`"policy_version":"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",` +
		`"replica":"cf-0","request_id":"r_9f8e7d6c","results":{"new":3},"rule_ids":["p12"],"scope_refs":["s_5JX0"],"tenant":"acme",` +
		`"time":"2026-01-02T03:04:05.678901Z","tokens":["7K3QX9M2","0A1B2C3D","ZZ9Y8X7W"],"v":1}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An implementation of RFC 8785 that is not ours agrees with every leaf.
func TestLeafIsCanonicalJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t, 40)
		parts, err := audit.Link(e)
		if err != nil {
			t.Fatal(err)
		}
		leaves, err := audit.Finalise(parts, drawTime(t))
		if err != nil {
			t.Fatal(err)
		}
		for i, leaf := range leaves {
			canonical, err := jcs.Transform(leaf)
			if err != nil || !bytes.Equal(canonical, leaf) {
				t.Fatalf("RFC 8785 says %s, %v\nthe leaf is %s", canonical, err, leaf)
			}
			back, err := audit.ParseLeaf(leaf)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parts[i], back, cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func FuzzStringIsCanonicalJSON(f *testing.F) {
	for _, s := range []string{"", "a", `"\`, "\b\f\n\r\t\x00\x1f\x7f", "€😀\u2028", "</script>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		// encoding/json replaces what is not UTF-8: compare what it kept.
		var kept string
		if err := json.Unmarshal(quoted, &kept); err != nil || kept != s {
			t.Skip()
		}
		want, err := jcs.Transform([]byte("[" + string(quoted) + "]"))
		if err != nil {
			t.Fatal(err)
		}
		if got := "[" + audit.AppendString(s) + "]"; got != string(want) {
			t.Errorf("got %s, RFC 8785 says %s", got, want)
		}
	})
}

// otherForms are texts with the meaning of leaf that are not the leaf.
func otherForms(leaf string) map[string]string {
	return map[string]string{
		"space after colon":  strings.Replace(leaf, `:`, `: `, 1),
		"line break at end":  leaf + "\n",
		"keys not sorted":    `{"v":1,` + strings.TrimSuffix(leaf[1:], `,"v":1}`) + `}`,
		"escaped letter":     strings.Replace(leaf, `acme`, `\u0061cme`, 1),
		"escaped slash":      strings.Replace(leaf, `"actor":"svc-1"`, `"actor":"svc\/1"`, 1),
		"empty list":         strings.Replace(leaf, `"decision"`, `"counts":{},"decision"`, 1),
		"empty string":       `{"actor":"svc-1","agent":"",` + strings.TrimPrefix(leaf, `{"actor":"svc-1",`),
		"zero":               strings.Replace(leaf, `"tenant"`, `"seq":0,"tenant"`, 1),
		"fewer decimals":     strings.Replace(leaf, `05.678901Z`, `05.6789Z`, 1),
		"another time zone":  strings.Replace(leaf, `03:04:05.678901Z`, `04:04:05.678901+01:00`, 1),
		"map not sorted":     strings.Replace(leaf, `"EMAIL_ADDRESS":2,"PHONE_NUMBER":1`, `"PHONE_NUMBER":1,"EMAIL_ADDRESS":2`, 1),
		"client not sorted":  strings.Replace(leaf, `"client_id":"svc-1","jti_digest":"1f0c3a5e7b9d2468ace02468ace13579"`, `"jti_digest":"1f0c3a5e7b9d2468ace02468ace13579","client_id":"svc-1"`, 1),
		"escaped field name": strings.Replace(leaf, `"kind"`, `"k\u0069nd"`, 1),
	}
}

func TestParseLeafTakesOneFormOnly(t *testing.T) {
	leaf := string(leafOf(t, sample()))
	for name, other := range otherForms(leaf) {
		if other == leaf {
			t.Fatalf("%s: the case changes nothing", name)
		}
		if _, err := audit.ParseLeaf([]byte(other)); !errors.Is(err, audit.ErrCanonical) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The twin: without the comparison of bytes, all of these would be leaves.
func TestParseLeaf_Twin_DecodingAloneTakesOtherForms(t *testing.T) {
	for name, other := range otherForms(string(leafOf(t, sample()))) {
		if _, err := audit.DecodeEntry([]byte(other)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeEntryRefuses(t *testing.T) {
	leaf := string(leafOf(t, sample()))
	replace := func(old, with string) string {
		if !strings.Contains(leaf, old) {
			t.Fatalf("the leaf has no %s", old)
		}
		return strings.Replace(leaf, old, with, 1)
	}
	tests := map[string]struct {
		text string
		want error
	}{
		"nothing":             {"", audit.ErrSyntax},
		"not an object":       {"[]", audit.ErrSyntax},
		"cut off":             {leaf[:len(leaf)-1], audit.ErrSyntax},
		"trailing text":       {leaf + "x", audit.ErrSyntax},
		"two entries":         {leaf + leaf, audit.ErrSyntax},
		"unknown field":       {replace(`"v":1`, `"v":1,"value":"x"`), audit.ErrSchema},
		"other case":          {replace(`"kind"`, `"Kind"`), audit.ErrSchema},
		"field twice":         {replace(`"v":1`, `"v":1,"v":1`), audit.ErrSchema},
		"escaped field twice": {replace(`"v":1`, `"v":1,"\u0076":1`), audit.ErrSchema},
		"name twice":          {replace(`"new":3`, `"new":3,"new":3`), audit.ErrSchema},
		"client field twice":  {replace(`"client_id":"svc-1"`, `"client_id":"svc-1","client_id":"svc-2"`), audit.ErrSchema},
		"client unknown":      {replace(`"client_id":"svc-1"`, `"client_id":"svc-1","secret":"x"`), audit.ErrSchema},
		"null":                {replace(`"svc-1"`, `null`), audit.ErrSyntax},
		"number for text":     {replace(`"svc-1"`, `1`), audit.ErrSyntax},
		"text for number":     {replace(`"v":1`, `"v":"1"`), audit.ErrSyntax},
		"fraction":            {replace(`"v":1`, `"v":1.0`), audit.ErrSyntax},
		"exponent":            {replace(`"v":1`, `"v":1e0`), audit.ErrSyntax},
		"negative":            {replace(`"new":3`, `"new":-3`), audit.ErrSyntax},
		"leading zero":        {replace(`"new":3`, `"new":03`), audit.ErrSyntax},
		"huge":                {replace(`"new":3`, `"new":99999999999999999999`), audit.ErrSyntax},
		"over 2^53":           {replace(`"new":3`, `"new":9007199254740992`), audit.ErrSchema},
		"control character":   {replace(`"svc-1"`, "\"svc\n1\""), audit.ErrSyntax},
		"lone surrogate":      {replace(`"svc-1"`, `"svc\ud8001"`), audit.ErrSchema},
		"escape at the end":   {`{"actor":"\`, audit.ErrSyntax},
		"no version":          {replace(`,"v":1`, ``), audit.ErrSchema},
		"no time":             {replace(`"time":"2026-01-02T03:04:05.678901Z",`, ``), audit.ErrSchema},
		"nanoseconds":         {replace(`05.678901Z`, `05.678901001Z`), audit.ErrSchema},
		"no such day":         {replace(`2026-01-02`, `2026-02-30`), audit.ErrSchema},
		"prev without seq":    {replace(`"replica"`, `"prev":"`+strings.Repeat("0", 64)+`","replica"`), audit.ErrSchema},
		"seq without prev":    {replace(`"tenant"`, `"parts":2,"seq":1,"tenant"`), audit.ErrSchema},
	}
	// "parts" before "policy_version" keeps the order, so ParseLeaf sees the
	// same fault and not only a wrong order; DecodeEntry does not mind.
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := audit.DecodeEntry([]byte(test.text)); !errors.Is(err, test.want) {
				t.Errorf("DecodeEntry: got %v, want %v", err, test.want)
			}
			if _, err := audit.ParseLeaf([]byte(test.text)); err == nil {
				t.Error("ParseLeaf took it")
			}
		})
	}
}

func TestLeafOfUnfinishedEntryIsRefused(t *testing.T) {
	finished := sample()
	finished.V, finished.Time = audit.Version, at
	if _, err := finished.Leaf(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*audit.Entry){
		"no version":      func(e *audit.Entry) { e.V = 0 },
		"no time":         func(e *audit.Entry) { e.Time = time.Time{} },
		"too many tokens": func(e *audit.Entry) { e.Tokens = repeat("7K3QX9M2", audit.MaxTokens+1) },
		"too long":        func(e *audit.Entry) { e.KeyIDs = repeat(strings.Repeat("k", 200), 200) },
	} {
		e := finished
		change(&e)
		if _, err := e.Leaf(); !errors.Is(err, audit.ErrSchema) && !errors.Is(err, audit.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func repeat(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

func TestEntryInsideAnotherDocument(t *testing.T) {
	leaf := leafOf(t, sample())
	e, err := audit.ParseLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	page, err := json.MarshalIndent(map[string]any{"index": 0, "entry": e}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var back struct{ Entry audit.Entry }
	if err := json.Unmarshal(page, &back); err != nil {
		t.Fatal(err)
	}
	again, err := back.Entry.Leaf()
	if err != nil || !bytes.Equal(again, leaf) {
		t.Errorf("got %s, %v", again, err)
	}
	if err := json.Unmarshal([]byte(`{"Entry":{"v":1}}`), &back); !errors.Is(err, audit.ErrSchema) {
		t.Errorf("an incomplete entry: %v", err)
	}
}

func FuzzParseLeaf(f *testing.F) {
	for _, leaf := range goldenLeaves(f) {
		f.Add(leaf)
	}
	for _, other := range otherForms(string(leafOf(f, sample()))) {
		f.Add([]byte(other))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := audit.ParseLeaf(b)
		if err != nil {
			return
		}
		again, err := e.Leaf()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q reads and writes back as %q, %v", b, again, err)
		}
		if canonical, err := jcs.Transform(b); err != nil || !bytes.Equal(canonical, b) {
			t.Errorf("%q is a leaf, but RFC 8785 says %q, %v", b, canonical, err)
		}
	})
}
