package storagetest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
)

// before007 are the fields by which entries were searched until version 7 of the
// schema.
var before007 = map[entryrow.Field]bool{
	entryrow.FieldActor: true, entryrow.FieldDecision: true, entryrow.FieldEntity: true, entryrow.FieldKind: true,
	entryrow.FieldReason: true, entryrow.FieldRequest: true, entryrow.FieldToken: true,
}

// Version6 is so many rows of a log as a database of version 6 of the schema holds
// them: leaves of every shape that the later fields are read from, and the terms of
// then.
func Version6(t testing.TB, tenant string, n int) []entryrow.Row {
	t.Helper()
	rows := make([]entryrow.Row, n)
	for i := range rows {
		e := earlier(i)
		e.V, e.Tenant, e.ChangeID = audit.Version, tenant, fmt.Sprintf("change-%d", i)
		e.Time = start.UTC().Truncate(time.Second).Add(time.Duration(i) * time.Millisecond)
		leaf, err := e.Leaf()
		if err != nil {
			t.Fatalf("leaf %d: %v", i, err)
		}
		r := &rows[i]
		r.Index, r.Leaf, r.LeafHash = int64(i), leaf, audit.LeafHash(leaf)
		r.Time, r.ChangeID = e.Time, e.ChangeID
		for _, term := range entryrow.TermsOf(&e) {
			if before007[term.Field] {
				r.Terms = append(r.Terms, term)
			}
		}
	}
	return rows
}

// earlier is the entry of a place: mostly tokenizations and restorations, as a
// gateway leaves them, and among them what has the rarer fields.
func earlier(i int) audit.Entry {
	e := audit.Entry{
		Kind: audit.KindTokenize, Actor: "gw-1", Decision: audit.Allow, Client: audit.Client{ClientID: "gw-1"},
		OnBehalfOf: fmt.Sprintf("%032x", i%200), Destination: "openai:eu", RequestID: fmt.Sprintf("r_%d", i),
		PolicyVersion: fmt.Sprintf("%064x", 7), ScopeRefs: []string{fmt.Sprintf("s_%d", i%1000)},
		Entities: map[string]int{"PERSON": 1, "EMAIL_ADDRESS": 2}, Tokens: []string{fmt.Sprintf("T%07d", i), fmt.Sprintf("U%07d", i)},
	}
	switch i % 8 {
	case 1, 3, 5:
		e.Kind, e.Reason = audit.KindRestore, "LLM_RESPONSE"
	case 2:
		e.SubjectRefs = []string{fmt.Sprintf("p_%d", i%50), fmt.Sprintf("p_%d", i%70)}
		e.Obligations = []string{"destination:openai:us", "destination:openai:eu", "Destination:none", "class:restricted", "form:full"}
	case 4:
		e.Kind, e.Actor, e.Reference = audit.KindApprovalDecide, "dpo@example.org", fmt.Sprintf("CASE-%d", i)
		e.Obligations = []string{"approver:ann", "approver:dpo@example.org", "proceeding:x"}
	case 6:
		e = audit.Entry{Kind: audit.KindAuthFailures, Counts: map[string]int{"denials": 3, "destination": 1}}
	case 7:
		e.ScopeRefs, e.OnBehalfOf = []string{"s_1", "s_2", "s_1"}, ""
	}
	return e
}

// CheckRows reads the rows of a log, page by page, and says which are not what their
// leaves say.
func CheckRows(t testing.TB, tenant string, want int, page func(from int64) ([]entryrow.Row, error)) {
	t.Helper()
	read := int64(0)
	for {
		rows, err := page(read)
		if err != nil {
			t.Fatalf("rows of %s: %v", tenant, err)
		}
		if len(rows) == 0 {
			break
		}
		for i := range rows {
			if err := rows[i].Check(tenant); err != nil {
				t.Fatal(err)
			}
		}
		read = rows[len(rows)-1].Index + 1
	}
	if read != int64(want) {
		t.Errorf("%s has %d rows, want %d", tenant, read, want)
	}
}

// Scale is how large a test is: in the long run the second number.
func Scale(normal, long int) int {
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		return long
	}
	return normal
}
