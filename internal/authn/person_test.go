package authn_test

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// invisible are names that show less than they hold.
func invisible() map[string]any {
	return map[string]any{
		"a variation selector": "svc\ufe0f-1", "a Hangul filler": "svc\u3164", "a grapheme joiner": "svc\u034f-1",
		"a further variation selector": "svc\U000e0100", "a blank once it is folded": "\u00a8svc",
		"too long once it is folded": longOnceFolded,
	}
}

// longOnceFolded is under the limit, and far over it when it is written out.
const longOnceFolded = "\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa"

func forgedPersons(w *world) []forgery {
	bad := badNames()
	maps.Copy(bad, invisible())
	table := changed(w, "person", authn.ReasonClaims, "", bad)
	table = append(table, changed(w, "acr", authn.ReasonClaims, "", badNames())...)
	for name, value := range bad {
		act := map[string]any{"sub": "agent-7", "person": value}
		table = append(table, forgery{name: "act.person " + name, token: w.signA(headerA(), with(w.claimsA(), "act", act)), reason: authn.ReasonClaims})
	}
	return table
}

func (w *world) callerWith(t *testing.T, v *authn.Verifier, pairs ...any) vault.Caller {
	t.Helper()
	caller, err := v.Verify(t.Context(), w.signA(headerA(), with(w.claimsA(), pairs...)))
	if err != nil {
		t.Fatalf("%v: %v", pairs, err)
	}
	return caller
}

func TestPersonAndContext(t *testing.T) {
	w := theWorld()
	v := w.verifier(t)
	agent := func(pairs ...any) map[string]any { return with(map[string]any{"sub": "agent-7"}, pairs...) }
	for name, tt := range map[string]struct {
		pairs       []any
		person, acr string
	}{
		"neither":                       {nil, "", ""},
		"both":                          {[]any{"person", "alice@example.com", "acr", "urn:example:silver"}, "alice@example.com", "urn:example:silver"},
		"of the actor":                  {[]any{"person", "alice", "act", agent("person", "Bob")}, "bob", ""},
		"of the one who is acted for":   {[]any{"person", "alice", "act", agent()}, "", ""},
		"of the outermost actor":        {[]any{"act", agent("person", "bob", "act", agent("person", "carol"))}, "bob", ""},
		"of an actor behind another":    {[]any{"act", agent("act", agent("person", "carol"))}, "", ""},
		"acr is kept as it is spelled":  {[]any{"acr", "LoA-3"}, "", "LoA-3"},
		"a claim of the same name":      {[]any{"Person2", "x"}, "", ""},
		"a person of another script":    {[]any{"person", "Ἀθηνᾶ"}, "ἀθηνᾶ", ""},
		"a number as text":              {[]any{"person", "00417"}, "00417", ""},
		"a name that is longer, folded": {[]any{"person", "Straße"}, "strasse", ""},
	} {
		got := w.callerWith(t, v, tt.pairs...)
		if got.Person != tt.person || got.ACR != tt.acr {
			t.Errorf("%s: person %q, acr %q", name, got.Person, got.ACR)
		}
		for _, claim := range []string{"person", "acr"} {
			if _, leaked := got.Attributes[claim]; leaked {
				t.Errorf("%s: %s is an attribute too", name, claim)
			}
		}
	}
	// Where the configuration names no such claim, nobody is a person.
	issuers := w.one(func(i *authn.Issuer) { i.PersonClaim = "" })
	plain, err := authn.New(issuers, authn.WithClock(w.verifierClock()))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.callerWith(t, plain, "person", "alice"); got.Person != "" || got.Attributes["person"] != "alice" {
		t.Errorf("without a person claim: %+v", got)
	}
}

// spellings are of one person each.
var spellings = map[string][]string{
	"case":                 {"alice@example.com", "Alice@Example.COM", "ALICE@EXAMPLE.COM"},
	"composed or not":      {"zoë", "zoe\u0308", "ZOË", "ZOE\u0308"},
	"full width":           {"ａｌｉｃｅ", "ALICE", "Ａlice"},
	"a ligature":           {"oﬃce", "office", "OFFICE"},
	"sharp s":              {"strasse", "straße", "STRASSE", "STRAẞE"},
	"final sigma":          {"ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ", "ὀδυσσεύσ"},
	"the Kelvin sign":      {"kelvin", "\u212aelvin", "KELVIN"},
	"a letter in a circle": {"ⓐlice", "alice", "Ⓐlice"},
	"order of marks":       {"a\u0323\u0307", "a\u0307\u0323", "A\u0307\u0323"},
	"iota below":           {"ᾳ", "ᾼ", "αι"},
}

// A person cannot become a second one by another spelling.
func TestInvariant14_SpellingsOfOnePersonAreOnePerson(t *testing.T) {
	w := theWorld()
	v := w.verifier(t)
	for name, same := range spellings {
		first := w.callerWith(t, v, "person", same[0]).Person
		for _, other := range same[1:] {
			if got := w.callerWith(t, v, "person", other).Person; got != first {
				t.Errorf("%s: %+q is %+q, and %+q is %+q", name, same[0], first, other, got)
			}
		}
	}
	for one, other := range map[string]string{"alice": "alicia", "a.b": "ab", "1": "11", "zoe": "zoë"} {
		if w.callerWith(t, v, "person", one).Person == w.callerWith(t, v, "person", other).Person {
			t.Errorf("%q and %q are one person", one, other)
		}
	}
	// What was folded stays as it is: two services that pass it on agree.
	rapid.Check(t, func(t *rapid.T) {
		once, ok := authn.FoldPerson(rapid.String().Draw(t, "name"))
		if !ok {
			return
		}
		if twice, ok := authn.FoldPerson(once); !ok || twice != once {
			t.Fatalf("%+q becomes %+q", once, twice)
		}
	})
}

// Without the folding every spelling is a person of its own.
func TestInvariant14_SpellingsTwinWithoutFolding(t *testing.T) {
	w := theWorld()
	twin := w.verifier(t).WithPersonsAsSpelled()
	for name, same := range spellings {
		seen := map[string]bool{}
		for _, spelling := range same {
			seen[w.callerWith(t, twin, "person", spelling).Person] = true
		}
		if len(seen) != len(same) {
			t.Errorf("%s: %d persons of %d spellings, even without folding", name, len(seen), len(same))
		}
	}
}

func TestPersonClaimIsChecked(t *testing.T) {
	w := theWorld()
	for claim, ok := range map[string]bool{
		"": true, "email": true, "sub": true, "employee_number": true,
		"tenant": false, "roles": false, "iss": false, "acr": false, "act": false, "azp": false, " x": false, "x\x00": false,
	} {
		faults := authn.Check(w.one(func(i *authn.Issuer) { i.PersonClaim = claim }))
		if (len(faults) == 0) != ok {
			t.Errorf("%q: %v", claim, faults)
		}
	}
	if faults := authn.Check(w.one(func(i *authn.Issuer) { i.ClientClaim, i.PersonClaim = "x", "x" })); len(faults) == 0 {
		t.Error("one claim for the client and the person")
	}
	v, err := authn.New(w.one(func(i *authn.Issuer) { i.PersonClaim = "sub" }), authn.WithClock(w.verifierClock()))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.callerWith(t, v, "sub", "Alice"); got.Person != "alice" || got.Subject != "Alice" {
		t.Errorf("sub as the person: %+v", got)
	}
	if got := w.callerWith(t, v, "sub", "Alice", "act", map[string]any{"sub": "Agent"}); got.Person != "agent" || got.Subject != "Agent" {
		t.Errorf("act.sub as the person: %+v", got)
	}
}
