package envelope_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// moved is a binding with one field changed in the way that a row is moved to
// another place.
func moved(b envelope.Binding, field string) envelope.Binding {
	v := reflect.ValueOf(&b).Elem().FieldByName(field)
	v.SetString(v.String() + "2")
	return b
}

// opensMoved tells what is wrong with how a ciphertext behaves that is moved by
// one field: it must open where it was sealed and nowhere else.
func opensMoved(field string,
	seal func(envelope.Binding, []byte) ([]byte, error), open func(envelope.Binding, []byte) ([]byte, error),
) error {
	sealed, err := seal(place(), []byte("a value"))
	if err != nil {
		return err
	}
	if _, err := open(place(), sealed); err != nil {
		return fmt.Errorf("it does not open where it was sealed: %w", err)
	}
	plain, err := open(moved(place(), field), sealed)
	if err := wants(err, envelope.ErrAuthentication); err != nil {
		return fmt.Errorf("with another %s: %w", field, err)
	}
	if plain != nil {
		return fmt.Errorf("with another %s: plaintext beside the error", field)
	}
	return nil
}

func TestInvariant5_MovedCiphertextDoesNotOpen(t *testing.T) {
	k := knownKey(t, "key")
	for _, field := range envelope.BindingFields {
		if err := opensMoved(field, k.Seal, k.Open); err != nil {
			t.Error(err)
		}
	}
}

// TestInvariant5_TwinUnboundFieldIsNoticed leaves one field at a time out of the
// associated data.
func TestInvariant5_TwinUnboundFieldIsNoticed(t *testing.T) {
	k := knownKey(t, "key")
	for i, field := range envelope.BindingFields {
		err := opensMoved(field,
			func(b envelope.Binding, plain []byte) ([]byte, error) { return k.SealWithout(i, b, plain) },
			func(b envelope.Binding, sealed []byte) ([]byte, error) { return k.OpenWithout(i, b, sealed) })
		if err == nil {
			t.Errorf("%s left out of the associated data was not noticed", field)
		}
	}
}

// TestInvariant5_EveryFieldIsListed: a field added to Binding must be bound and
// tested.
func TestInvariant5_EveryFieldIsListed(t *testing.T) {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[envelope.Binding]()) {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff(envelope.BindingFields, names); diff != "" {
		t.Errorf("fields bound and fields there are (-bound +there):\n%s", diff)
	}
}

// TestInvariant5_FieldsDoNotRunTogether: bytes that move from one field to the
// next make another place.
func TestInvariant5_FieldsDoNotRunTogether(t *testing.T) {
	k := knownKey(t, "key")
	places := []envelope.Binding{
		{Purpose: "value", Tenant: tenant, Scope: "ab", Token: "c"},
		{Purpose: "value", Tenant: tenant, Scope: "a", Token: "bc"},
		{Purpose: "value", Tenant: tenant, Scope: "abc"},
		{Purpose: "value", Tenant: tenant, Token: "abc"},
		{Purpose: "value", Tenant: tenant, Scope: "ab", Token: "c", Class: "\x00"},
		{Purpose: "value", Tenant: tenant, Scope: "AB", Token: "c"},
		{Purpose: "value", Tenant: tenant, Scope: "ab", Token: "c\x00\x00\x00\x00\x00\x00\x00\x00"},
	}
	for i, from := range places {
		sealed, err := k.Seal(from, []byte("a value"))
		if err != nil {
			t.Fatal(err)
		}
		for j, to := range places {
			if _, err := k.Open(to, sealed); (err == nil) != (i == j) {
				t.Errorf("sealed at place %d, opened at %d: %v", i, j, err)
			}
		}
	}
}

// TestInvariant5_AnotherKeyDoesNotOpen: a row whose key id was changed.
func TestInvariant5_AnotherKeyDoesNotOpen(t *testing.T) {
	sealed, err := knownKey(t, "key").Seal(place(), []byte("a value"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := knownKey(t, "another").Open(place(), sealed); !errors.Is(err, envelope.ErrAuthentication) {
		t.Errorf("%v, not ErrAuthentication", err)
	}
}
