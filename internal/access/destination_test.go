package access_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

// now is while the agreements of the shipped examples are in force.
var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func TestShippedDestinations(t *testing.T) {
	p := shipped(t)
	fallback, ok := p.Destination(access.DefaultDestination)
	if !ok || !fallback.Training {
		t.Fatalf("got %+v, want a default that assumes the worst", fallback)
	}
	for _, e := range p.Entities() {
		if a := fallback.Action(e, now); a != e.Action || a == access.ActAllow {
			t.Errorf("default, %s: %s", e.Name, a)
		}
	}
	for _, name := range []string{"", "openai", "OPENAI/US", "openai/us ", "openai/eu"} {
		if _, ok := p.Destination(name); ok {
			t.Errorf("the destination %q is known", name)
		}
	}
	eu, _ := p.Destination("anthropic/eu")
	if eu.Vendor != "Anthropic" || eu.Region != "eu" || eu.Training || eu.VendorRetentionDays != 30 {
		t.Errorf("got %+v", eu)
	}
	if want := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); !eu.BAA.ValidFrom.Equal(want) || eu.BAA.Ref == "" {
		t.Errorf("got %+v", eu.BAA)
	}
	onprem, _ := p.Destination("internal/onprem")
	for name, want := range map[string]access.EntityAction{
		"LOCATION": access.ActAllow, "ORGANIZATION": access.ActAllow, "PERSON": access.ActTokenize,
		"PRIVATE_KEY": access.ActBlock, access.EntityTokenLike: access.ActTokenize,
	} {
		if e, _ := p.Entity(name); onprem.Action(e, now) != want {
			t.Errorf("on premises, %s: got %s, want %s", name, onprem.Action(e, now), want)
		}
	}
	if onprem.DPA != (access.Agreement{}) || len(p.Destinations()) != 4 {
		t.Errorf("got %+v", p.Destinations())
	}
}

func TestDestinationPrecedence(t *testing.T) {
	bundle := copyOfShipped(t)
	bundle["destinations.yaml"] = &fstest.MapFile{Data: []byte(`
version: 1
destinations:
  default: {vendor: v, region: r, training: true, vendor_retention_days: 1}
  lax:
    vendor: v
    region: r
    requires: []
    training: true
    vendor_retention_days: 1
    actions:
      classes: {public: mask, internal: allow, confidential: mask, restricted: allow}
      entities: {PERSON: block, URL: mask, API_KEY: tokenize}
`)}
	delete(bundle, "texts/destinations.yaml") // it names those that are shipped
	p := load(t, bundle)
	lax, _ := p.Destination("lax")
	for name, want := range map[string]access.EntityAction{
		"PERSON":               access.ActBlock,    // the entity before its class
		"URL":                  access.ActMask,     // the same, stricter than the class
		"EMAIL_ADDRESS":        access.ActMask,     // the class before the entity's own
		"CREDIT_CARD":          access.ActAllow,    // the class, as it says
		"PRIVATE_KEY":          access.ActBlock,    // a class never loosens what is blocked
		"PASSWORD":             access.ActBlock,    // the same
		"API_KEY":              access.ActTokenize, // named itself
		access.EntityTokenLike: access.ActTokenize, // always
	} {
		if e, _ := p.Entity(name); lax.Action(e, now) != want {
			t.Errorf("%s: got %s, want %s", name, lax.Action(e, now), want)
		}
	}
}
