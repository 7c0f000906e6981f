package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
)

// bare is a wrapping engine that authenticates nothing: what it wraps it gives
// back to anybody. Only the frame stands between a key and a wrong place.
type bare struct{}

func (bare) Wrap(_ context.Context, _ string, plain [][]byte) ([]envelope.Wrapped, error) {
	out := make([]envelope.Wrapped, len(plain))
	for i, p := range plain {
		out[i] = envelope.Wrapped{Version: 1, Bytes: bytes.Clone(p)}
	}
	return out, nil
}

func (bare) Unwrap(_ context.Context, _ string, wrapped []envelope.Wrapped) ([]envelope.Unwrapped, error) {
	out := make([]envelope.Unwrapped, len(wrapped))
	for i, w := range wrapped {
		out[i].Plain = envelope.NewSecret(bytes.Clone(w.Bytes))
	}
	return out, nil
}

func (bare) Rewrap(context.Context, string, []envelope.Wrapped) ([]envelope.Rewrapped, error) {
	return nil, errors.New("not needed here")
}

func (bare) Version(context.Context, string) (int, error) { return 1, nil }

func TestDataKeys(t *testing.T) {
	w := wraptest.NewMemory()
	for _, n := range []int{0, 1, 2, envelope.MaxNewKeys} {
		keys := fresh(t, w, tenant, n)
		opened, err := envelope.OpenDataKeys(t.Context(), w, tenant, stored(keys))
		if err != nil || len(keys) != n || len(opened) != n {
			t.Fatalf("%d made and %d opened of %d: %v", len(keys), len(opened), n, err)
		}
		ids := map[string]bool{}
		for i, k := range keys {
			ids[k.ID] = true
			if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(k.ID) || k.Key.ID() != k.ID || opened[i].ID != k.ID {
				t.Fatalf("id %q, of the handle %q, opened as %q", k.ID, k.Key.ID(), opened[i].ID)
			}
			if opened[i].Err != nil {
				t.Fatalf("key %d: %v", i, opened[i].Err)
			}
			if err := sameKey(k.Key, opened[i].Key); err != nil {
				t.Fatalf("key %d: %v", i, err)
			}
		}
		if len(ids) != n {
			t.Errorf("%d ids for %d keys", len(ids), n)
		}
	}
	if calls := w.Calls(); calls != 6 {
		t.Errorf("%d calls of the wrapper for 3 batches made and opened, not 6", calls)
	}
}

// movedKey tells what is wrong with how a wrapped key behaves at other places:
// it must unwrap where it was wrapped and nowhere else.
func movedKey(unwrap func(purpose envelope.Purpose, tenant, id string, framed []byte) ([]byte, error)) error {
	key := bytes.Repeat([]byte{7}, envelope.KeySize)
	framed := envelope.Frame(envelope.PurposeIndex, tenant, "id-1", key)
	if _, err := unwrap(envelope.PurposeIndex, tenant, "id-1", framed); err != nil {
		return fmt.Errorf("it does not unwrap at its own place: %w", err)
	}
	for _, to := range []struct {
		purpose    envelope.Purpose
		tenant, id string
	}{
		{envelope.PurposeLog, tenant, "id-1"}, {envelope.PurposeData, tenant, "id-1"},
		{envelope.PurposeIndex, "Acme", "id-1"}, {envelope.PurposeIndex, "acm", "eid-1"},
		{envelope.PurposeIndex, "acmei", "d-1"}, {envelope.PurposeIndex, tenant, "id-2"},
		{envelope.PurposeIndex, tenant, "id-1 "}, {envelope.PurposeIndex, tenant, ""},
	} {
		_, err := unwrap(to.purpose, to.tenant, to.id, framed)
		if err := wants(err, envelope.ErrAuthentication); err != nil {
			return fmt.Errorf("at %v: %w", to, err)
		}
	}
	return nil
}

func TestInvariant5_MovedKeyDoesNotUnwrap(t *testing.T) {
	if err := movedKey(envelope.Unframe); err != nil {
		t.Error(err)
	}
}

func TestInvariant5_TwinUncheckedFrameIsNoticed(t *testing.T) {
	err := movedKey(func(_ envelope.Purpose, _, _ string, framed []byte) ([]byte, error) {
		return envelope.UnframeUnchecked(framed)
	})
	if err == nil {
		t.Error("a frame that nobody checks was not noticed")
	}
}

// TestInvariant5_MovedRows moves rows of keys under an engine that would open
// them anywhere.
func TestInvariant5_MovedRows(t *testing.T) {
	keys := stored(fresh(t, bare{}, tenant, 3))
	swapped := []envelope.StoredKey{keys[0], {ID: keys[1].ID, Wrapped: keys[2].Wrapped}, {ID: "", Wrapped: keys[2].Wrapped}}
	opened, err := envelope.OpenDataKeys(t.Context(), bare{}, tenant, swapped)
	if err != nil {
		t.Fatal(err)
	}
	if opened[0].Err != nil || opened[0].Key == nil {
		t.Errorf("the row that stayed: %v", opened[0].Err)
	}
	for i := 1; i < 3; i++ {
		if !errors.Is(opened[i].Err, envelope.ErrAuthentication) || opened[i].Key != nil {
			t.Errorf("moved row %d: %v, not ErrAuthentication", i, opened[i].Err)
		}
	}
	opened, err = envelope.OpenDataKeys(t.Context(), bare{}, "globex", keys[:1])
	if err != nil || !errors.Is(opened[0].Err, envelope.ErrAuthentication) {
		t.Errorf("another tenant: %v, %v, not ErrAuthentication", err, opened[0].Err)
	}
	_, err = envelope.UnwrapSecret(t.Context(), bare{}, tenant, envelope.PurposeIndex, keys[0].ID, keys[0].Wrapped)
	if !errors.Is(err, envelope.ErrAuthentication) {
		t.Errorf("a data key as index key: %v, not ErrAuthentication", err)
	}
}

// TestFrameIsExact: nothing but what Frame made unframes, and every change of
// the wrapping of a bare engine is noticed or changes key bytes only.
func TestFrameIsExact(t *testing.T) {
	key := bytes.Repeat([]byte{7}, envelope.KeySize)
	framed := envelope.Frame(envelope.PurposeData, tenant, "id", key)
	bad := [][]byte{nil, append(bytes.Clone(framed), 0), append([]byte{0}, framed...), bytes.Repeat([]byte{0xff}, 64)}
	for i := range framed {
		bad = append(bad, framed[:i])
	}
	for i := range len(framed) - envelope.KeySize {
		changed := bytes.Clone(framed)
		changed[i] ^= 0x81
		bad = append(bad, changed)
	}
	for i, b := range bad {
		if _, err := envelope.Unframe(envelope.PurposeData, tenant, "id", b); !errors.Is(err, envelope.ErrAuthentication) {
			t.Errorf("change %d: %v, not ErrAuthentication", i, err)
		}
	}
}

func FuzzUnframe(f *testing.F) {
	for _, v := range readVectors(f).Frames {
		f.Add(unhex(f, v.Framed))
	}
	f.Fuzz(func(t *testing.T, framed []byte) {
		key, err := envelope.Unframe(envelope.PurposeData, tenant, "id", framed)
		if err != nil {
			if !errors.Is(err, envelope.ErrAuthentication) {
				t.Fatalf("%v, not ErrAuthentication", err)
			}
			return
		}
		if !bytes.Equal(framed, envelope.Frame(envelope.PurposeData, tenant, "id", key)) {
			t.Fatal("two frames for one key at one place")
		}
	})
}

func TestSecrets(t *testing.T) {
	w := wraptest.NewMemory()
	for _, purpose := range []envelope.Purpose{envelope.PurposeIndex, envelope.PurposeLog} {
		secret := envelope.RandomSecret()
		wrapped, err := envelope.WrapSecret(t.Context(), w, tenant, purpose, "1", secret)
		if err != nil {
			t.Fatal(err)
		}
		got, err := envelope.UnwrapSecret(t.Context(), w, tenant, purpose, "1", wrapped)
		if err != nil || !got.Equal(secret) {
			t.Errorf("%s: equal %v, %v", purpose, got.Equal(secret), err)
		}
		if _, err := envelope.UnwrapSecret(t.Context(), w, tenant, purpose, "2", wrapped); !errors.Is(err, envelope.ErrAuthentication) {
			t.Errorf("%s under another id: %v, not ErrAuthentication", purpose, err)
		}
	}
}

func TestSecretsRefused(t *testing.T) {
	long := strings.Repeat("x", envelope.MaxField+1)
	for name, c := range map[string]struct {
		tenant  string
		purpose envelope.Purpose
		id      string
		size    int
	}{
		"data key":       {tenant, envelope.PurposeData, "1", 32},
		"no purpose":     {tenant, "", "1", 32},
		"no tenant":      {"", envelope.PurposeIndex, "1", 32},
		"long tenant":    {long, envelope.PurposeIndex, "1", 32},
		"no id":          {tenant, envelope.PurposeIndex, "", 32},
		"long id":        {tenant, envelope.PurposeIndex, long, 32},
		"short secret":   {tenant, envelope.PurposeLog, "1", 31},
		"a secret twice": {tenant, envelope.PurposeLog, "1", 64},
	} {
		secret := envelope.NewSecret(make([]byte, c.size))
		if _, err := envelope.WrapSecret(t.Context(), bare{}, c.tenant, c.purpose, c.id, secret); !errors.Is(err, envelope.ErrInvalid) {
			t.Errorf("%s: %v, not ErrInvalid", name, err)
		}
	}
	if _, err := envelope.NewDataKeys(t.Context(), bare{}, "", 1); !errors.Is(err, envelope.ErrInvalid) {
		t.Errorf("keys of no tenant: %v, not ErrInvalid", err)
	}
	for _, n := range []int{-1, envelope.MaxNewKeys + 1} {
		if _, err := envelope.NewDataKeys(t.Context(), bare{}, tenant, n); !errors.Is(err, envelope.ErrInvalid) {
			t.Errorf("%d keys: %v, not ErrInvalid", n, err)
		}
	}
}

// TestInvariant15_WrapperErrors: what the wrapper says reaches the caller as it
// is, and with it no key.
func TestInvariant15_WrapperErrors(t *testing.T) {
	w := wraptest.NewMemory()
	keys := fresh(t, w, tenant, 2)
	old := stored(keys)
	if err := w.Rotate(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if err := w.Destroy(t.Context(), tenant, 2); err != nil {
		t.Fatal(err)
	}
	opened, err := envelope.OpenDataKeys(t.Context(), w, tenant, append(old, stored(fresh(t, w, tenant, 1))...))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{envelope.ErrVersionGone, envelope.ErrVersionGone, nil} {
		if !errors.Is(opened[i].Err, want) || (opened[i].Key == nil) == (want == nil) {
			t.Errorf("key %d: %v, not %v", i, opened[i].Err, want)
		}
	}
	w.Stop()
	if _, err := envelope.NewDataKeys(t.Context(), w, tenant, 1); !errors.Is(err, envelope.ErrUnavailable) {
		t.Errorf("making keys: %v, not ErrUnavailable", err)
	}
	if _, err := envelope.OpenDataKeys(t.Context(), w, tenant, old); !errors.Is(err, envelope.ErrUnavailable) {
		t.Errorf("opening keys: %v, not ErrUnavailable", err)
	}
}

// short answers with one item too few.
type short struct{ bare }

func (s short) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	return s.bare.Wrap(ctx, tenant, plain[1:])
}

func (s short) Unwrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Unwrapped, error) {
	return s.bare.Unwrap(ctx, tenant, wrapped[1:])
}

// TestInvariant15_MiscountedAnswers: an answer of the wrong length is none.
func TestInvariant15_MiscountedAnswers(t *testing.T) {
	_, err := envelope.NewDataKeys(t.Context(), short{}, tenant, 2)
	_, err2 := envelope.OpenDataKeys(t.Context(), short{}, tenant, make([]envelope.StoredKey, 2))
	_, err3 := envelope.WrapSecret(t.Context(), short{}, tenant, envelope.PurposeLog, "1", envelope.RandomSecret())
	_, err4 := envelope.UnwrapSecret(t.Context(), short{}, tenant, envelope.PurposeLog, "1", envelope.Wrapped{})
	for i, err := range []error{err, err2, err3, err4} {
		if !errors.Is(err, envelope.ErrUnavailable) {
			t.Errorf("call %d: %v, not ErrUnavailable", i, err)
		}
	}
}
