package access_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

// TestReadPrincipals reads a list in both notations.
func TestReadPrincipals(t *testing.T) {
	want := []access.Principal{
		{Name: "ann", Roles: []string{"restorer", "nurse"}, Attributes: map[string]string{"team": "fraud"}},
		{Name: "bob"},
	}
	for _, text := range []string{
		"principals:\n  - {name: ann, roles: [restorer, nurse], attributes: {team: fraud}}\n  - {name: bob}\n",
		`{"principals": [{"name": "ann", "roles": ["restorer", "nurse"], "attributes": {"team": "fraud"}}, {"name": "bob"}]}`,
	} {
		got, err := access.ReadPrincipals([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("principals (-want +got):\n%s", diff)
		}
	}
	for name, text := range map[string]string{
		"nothing":         "",
		"none":            "principals: []",
		"an unknown key":  "principals: [{name: ann, role: restorer}]",
		"no name":         "principals: [{roles: [restorer]}]",
		"a long name":     "principals: [{name: " + strings.Repeat("a", 300) + "}]",
		"a name twice":    "principals: [{name: ann}, {name: ann}]",
		"an attribute":    "principals: [{name: ann, attributes: {taem: fraud}}]",
		"two lists":       "principals: [{name: ann}]\n---\nprincipals: [{name: bob}]",
		"too much of all": strings.Repeat(" ", access.MaxPrincipalsBytes+1),
	} {
		if _, err := access.ReadPrincipals([]byte(text)); !errors.Is(err, access.ErrPrincipals) || strings.Contains(err.Error(), "ann") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
