package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

type linked struct {
	SubjectRef string `json:"subject_ref"`
	Changed    int
	Audit      *audit.Receipt
}

func linkOf(subject string, undo bool) m {
	return m{"subject": subject, "undo": undo, "identifiers": []m{{"entity": "PHONE_NUMBER", "value": "+1-212-555-0187"}}}
}

// TestInvariant7_TiesAreMadeAndUndone: in whatever scope, but none is undone
// while a hold keeps the value.
func TestInvariant7_TiesAreMadeAndUndone(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for _, scope := range []string{"chat-1", "chat-2"} {
		w.Post("/v1/tokenize", m{"scope": scope, "values": []m{{"entity": "PHONE_NUMBER", "value": "+1 212 555 0187"}}}).Want(http.StatusOK)
	}
	officer := w.As("privacy")
	tie := func(undo bool, status int) (got linked) {
		t.Helper()
		officer.Post("/v1/subjects/links", linkOf(canary, undo)).Want(status).Decode(&got)
		return got
	}
	officer.Post("/v1/subjects/links", linkOf(canary, true)).Want(http.StatusNotFound)
	first, again := tie(false, 200), tie(false, 200)
	if first.Changed != 2 || again.Changed != 0 || first.SubjectRef == "" || again.SubjectRef != first.SubjectRef || first.Audit == nil {
		t.Errorf("first %+v, again %+v", first, again)
	}
	hold := w.place(m{"subjects": []string{canary}})
	answer := officer.Post("/v1/subjects/links", linkOf(canary, true)).Want(http.StatusLocked)
	if p := answer.Problem(); p.Code != "held" || leak(string(answer.Body)) != "" || strings.Contains(string(answer.Body), "M-2026") {
		t.Errorf("held: %s", answer.Body)
	}
	w.As("legal").Post("/v1/holds/"+hold.HoldID+"/release", m{"reference": "ORDER-5"}).Want(http.StatusOK)
	keyed := officer.With("Idempotency-Key", "undo-1")
	var undone, repeated linked
	keyed.Post("/v1/subjects/links", linkOf(canary, true)).Want(http.StatusOK).Decode(&undone)
	keyed.Post("/v1/subjects/links", linkOf(canary, true)).Want(http.StatusOK).Decode(&repeated)
	keyed.Post("/v1/subjects/links", linkOf(canary, false)).Want(http.StatusConflict)
	if undone.Changed != 2 || repeated.Changed != 0 {
		t.Errorf("undone %+v, repeated %+v", undone, repeated)
	}
	ties, undos := w.entriesOf(t, audit.KindSubjectLink), w.entriesOf(t, audit.KindSubjectUnlink)
	if len(ties) != 2 || len(undos) != 2 || undos[1].ReplayOf != undos[0].ChangeID || !slices.Equal(ties[0].SubjectRefs, []string{first.SubjectRef}) ||
		ties[0].Counts["mappings"] != 2 || ties[0].Actor != "paula" {
		t.Errorf("ties %+v, undone %+v", ties, undos)
	}
}

func TestTiesThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	one := `{"entity":"PERSON","value":"x"}`
	for name, c := range map[string]struct {
		body         string
		status       int
		field, limit string
	}{
		"nobody":            {`{"identifiers":[` + one + `]}`, 422, "/subject", ""},
		"nothing":           {`{"subject":"x"}`, 422, "/identifiers", ""},
		"an empty list":     {`{"subject":"x","identifiers":[]}`, 422, "/identifiers", ""},
		"an unknown entity": {`{"subject":"x","identifiers":[{"entity":"NO_SUCH_THING","value":"x"}]}`, 422, "/identifiers/0/entity", ""},
		"no value":          {`{"subject":"x","identifiers":[{"entity":"PERSON"}]}`, 422, "/identifiers/0/value", ""},
		"a token":           {`{"subject":"x","tokens":["x"],"identifiers":[` + one + `]}`, 422, "", ""},
		"undo as a word":    {`{"subject":"x","undo":"yes","identifiers":[` + one + `]}`, 422, "/undo", ""},
		"a long value":      {`{"subject":"x","identifiers":[{"entity":"PERSON","value":"` + strings.Repeat("x", 16<<10+1) + `"}]}`, 413, "/identifiers/0/value", "value_bytes"},
		"too many":          {`{"subject":"x","identifiers":[` + strings.Repeat(one+",", 50) + one + `]}`, 413, "/identifiers", "subject_identifiers"},
	} {
		answer := w.As("privacy").Post("/v1/subjects/links", c.body)
		p := answer.Problem()
		if fields := append(p.Fields(), ""); answer.Status != c.status || fields[0] != c.field || p.Limit != c.limit {
			t.Errorf("%s: %d, fields %v, limit %q: %s", name, answer.Status, fields, p.Limit, answer.Body)
		}
	}
}
