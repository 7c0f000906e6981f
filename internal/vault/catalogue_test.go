package vault_test

import (
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/token"
)

// The policy, detection and tokens know nothing of one another; the names that
// they share are compared here.
func TestCatalogueFitsItsParts(t *testing.T) {
	policy, err := access.Load(authz.FS)
	if err != nil {
		t.Fatal(err)
	}
	var named []detect.Normaliser
	for _, name := range access.Normalisers() {
		named = append(named, detect.Normaliser(name))
	}
	slices.Sort(named)
	known := slices.Sorted(slices.Values(detect.Normalisers()))
	if !slices.Equal(named, known) {
		t.Errorf("the policy knows the normalisers %v, detection %v", named, known)
	}
	for _, entity := range detect.Entities() {
		if _, ok := policy.Entity(entity); !ok {
			t.Errorf("detection finds %s, the catalogue does not have it", entity)
		}
	}
	var labels []string
	for _, e := range policy.Entities() {
		labels = append(labels, e.Name)
		if f := token.Format(e.Format); f != token.FormatLabel && f != token.FormatOpaque {
			t.Errorf("%s has a token format %q", e.Name, e.Format)
		}
	}
	if _, err := token.NewVocabulary(labels); err != nil {
		t.Errorf("the catalogue's names are no vocabulary: %v", err)
	}
	places := []access.Place{access.Place(token.PlaceProse), access.Place(token.PlaceCode), access.Place(token.PlaceURL)}
	for _, p := range places {
		if !slices.Contains(access.Places(), p) {
			t.Errorf("tokens stand in %q, the policy does not know it", p)
		}
	}
}
