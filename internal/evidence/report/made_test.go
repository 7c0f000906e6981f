package report_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// The period of most tests: a quarter.
var quarter = evidence.Period{
	From: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
}

func text(names ...string) []evidence.Column { return columns(evidence.KindText, names...) }

func columns(kind evidence.ColumnKind, names ...string) []evidence.Column {
	var out []evidence.Column
	for _, name := range names {
		out = append(out, evidence.Column{Name: name, Title: name, Kind: kind})
	}
	return out
}

// empty is evidence of a quarter in which nothing was.
func empty() *evidence.Evidence {
	return &evidence.Evidence{
		Tenant: "acme", Origin: "vault.example/acme", ToolVersion: "v1.2.3", Period: quarter,
		Made: time.Date(2026, 10, 2, 9, 30, 0, 0, time.UTC), Root: sha256.Sum256(nil), // that of no entries, RFC 6962 section 2.1
		Tables: []evidence.Table{
			{Name: evidence.TableRestorations, Title: "Restorations", Query: "What was restored.", Columns: []evidence.Column{
				{Name: "entry", Title: "Entry", Kind: evidence.KindRef}, {Name: "time", Title: "Time", Kind: evidence.KindTime},
				{Name: "change_id", Title: "Change", Kind: evidence.KindRef}, {Name: "kind", Title: "Kind", Kind: evidence.KindText},
				{Name: "decision", Title: "Decision", Kind: evidence.KindText}, {Name: "reason", Title: "Reason", Kind: evidence.KindText},
				{Name: "actor", Title: "Actor", Kind: evidence.KindRef}, {Name: "tokens", Title: "Tokens", Kind: evidence.KindCount},
			}},
			{Name: evidence.TableRestorationsEntity, Title: "Restorations by entity", Columns: append(text("entity"), columns(evidence.KindCount, "restorations", "values")...)},
			{Name: evidence.TableDenials, Title: "Denials", Columns: append(append(columns(evidence.KindRef, "entry"), columns(evidence.KindTime, "time")...),
				append(text("code"), columns(evidence.KindCount, "denials")...)...)},
			{Name: evidence.TableApprovals, Title: "Approvals", Columns: append(text("state"), columns(evidence.KindDuration, "time_to_decide")...)},
			{Name: evidence.TableBreakGlass, Title: "Break-glass and reviews", Columns: append(columns(evidence.KindTime, "time"), text("state")...)},
		},
	}
}

// table is the one of a name, to be filled.
func table(e *evidence.Evidence, name string) *evidence.Table {
	for i := range e.Tables {
		if e.Tables[i].Name == name {
			return &e.Tables[i]
		}
	}
	panic("report_test: no table " + name)
}

// made is evidence of a quarter with n restorations and what goes with them.
func made(seed uint64, n int) *evidence.Evidence {
	r := rand.New(rand.NewPCG(seed, 7))
	e := empty()
	e.Size, e.First, e.Last, e.Root = int64(n)*3, 0, int64(n)*3, sha256.Sum256([]byte("root"))
	at := func(i, of int) string {
		return quarter.From.Add(quarter.To.Sub(quarter.From) / time.Duration(of+1) * time.Duration(i)).Format("2006-01-02T15:04:05.000000Z")
	}
	id := func(what string, i int) string {
		sum := sha256.Sum256([]byte(what + strconv.Itoa(i)))
		return hex.EncodeToString(sum[:16])
	}
	reasons := []string{"LLM_RESPONSE", "LLM_RESPONSE", "LLM_RESPONSE", "LLM_RESPONSE", "CUSTOMER_SUPPORT", "CUSTOMER_SUPPORT", "FRAUD_REVIEW", "BREAK_GLASS", "LEGAL_REQUEST"}
	t := table(e, evidence.TableRestorations)
	for i := range n {
		t.Entries = append(t.Entries, int64(3*i))
		t.Rows = append(t.Rows, []string{
			strconv.Itoa(3 * i), at(i, n), id("change", i), []string{"restore", "grant"}[r.IntN(2)], "allow", reasons[r.IntN(len(reasons))],
			fmt.Sprintf("user-%d@example.test", r.IntN(40)), strconv.Itoa(r.IntN(20)),
		})
	}
	for i, entity := range []string{"EMAIL_ADDRESS", "PERSON", "PHONE_NUMBER", "IBAN_CODE", "US_SSN", "CREDIT_CARD", "MEDICAL_RECORD_NUMBER"} {
		t := table(e, evidence.TableRestorationsEntity)
		t.Rows = append(t.Rows, []string{entity, strconv.Itoa(r.IntN(n + 1)), strconv.Itoa(n * 2 / (i + 1))})
	}
	for i := range n / 12 {
		t := table(e, evidence.TableDenials)
		t.Rows = append(t.Rows, []string{strconv.Itoa(3*i + 1), at(i, n/12), []string{"denied", "exhausted", "suspended"}[r.IntN(3)], strconv.Itoa(1 + r.IntN(3))})
	}
	for range n / 50 {
		t := table(e, evidence.TableApprovals)
		if state := []string{"used", "used", "approved", "rejected", "open"}[r.IntN(5)]; state == "open" {
			t.Rows = append(t.Rows, []string{state, ""})
		} else {
			t.Rows = append(t.Rows, []string{state, strconv.Itoa(r.IntN(100_000))})
		}
	}
	for i := range n / 100 {
		t := table(e, evidence.TableBreakGlass)
		t.Rows = append(t.Rows, []string{at(i, n/100), []string{"in_time", "in_time", "in_time", "late", "overdue", "open"}[r.IntN(6)]})
	}
	e.Tables = append(e.Tables,
		evidence.Table{Name: evidence.TableExposureActions, Title: "What became of values", Columns: append(text("destination", "action"), columns(evidence.KindCount, "values")...),
			Rows: [][]string{
				{"openai/us", "tokenized", strconv.Itoa(n * 3)}, {"openai/us", "masked", strconv.Itoa(n)}, {"anthropic/eu", "tokenized", strconv.Itoa(n * 2)},
				{"anthropic/eu", "allowed", strconv.Itoa(n / 3)}, {"a-vendor-with-a-rather-long-name/eu-central-1", "tokenized", "12"},
			}},
		evidence.Table{Name: evidence.TableServiceLevels, Title: "Service levels", Columns: append(text("measure", "title", "value", "unit"), columns(evidence.KindCount, "of")...),
			Rows: [][]string{
				{"a", "Requests of persons in time", "100.00", "percent", "12"}, {"b", "Reviews in time", "97.50", "percent", "40"},
				{"c", "Finality in time", "", "percent", "0"}, {"d", "Median time to review", "7260", "seconds", "40"},
			}},
		evidence.Table{Name: evidence.TableControls, Title: "Controls", Columns: append(append(text("control", "title", "clauses", "result"), columns(evidence.KindCount, "population")...), text("exceptions")...),
			Rows: [][]string{
				{"C01", "Every restoration names its reason", "SOC 2 CC6.1; GDPR Art. 5", "pass", strconv.Itoa(n), ""},
				{"C02", "Every break-glass is reviewed within 72 hours", "SOC 2 CC6.3; HIPAA 164.308", "fail", "20", "17 341 9122"},
				{"C03", "Prompts go only where there is an agreement", "GDPR Art. 28", "partial", "3", "55"},
				{"C04", "Incidents are notified in time", "GDPR Art. 33", "not_tested", "0", ""},
			}})
	return e
}
