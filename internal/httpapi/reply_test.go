package httpapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
)

// leaf has everything that an encoder may be tempted to touch.
const leaf = `{"b":"<a&b> é","a":1.0,"z":{},"n":12345678901234567890}`

func TestInvariant11_RawJSONGoesThroughUntouched(t *testing.T) {
	w := httptest.NewRecorder()
	if err := ok(gen.StoredEntry{Index: 1, LeafHash: "h", Entry: pointer(json.RawMessage(leaf))}).write(w); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.Body.String(), leaf) {
		t.Errorf("changed: %s", w.Body)
	}
}

// The twin: the encoding of the generated answers changes the bytes.
func TestInvariant11_RawJSONGoesThroughUntouched_Twin(t *testing.T) {
	w := httptest.NewRecorder()
	generated := gen.AuditEntry200JSONResponse{Body: gen.StoredEntry{Index: 1, LeafHash: "h", Entry: pointer(json.RawMessage(leaf))}}
	if err := generated.VisitAuditEntryResponse(w); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.Body.String(), leaf) {
		t.Error("the generated answer would do: an own one is not needed")
	}
}

func TestAnAnswerThatCannotBeEncodedIsNotBegun(t *testing.T) {
	w := httptest.NewRecorder()
	if err := ok(make(chan int)).write(w); err == nil || w.Body.Len() > 0 || w.Code != http.StatusOK {
		t.Errorf("%v, %d bytes", err, w.Body.Len())
	}
}
