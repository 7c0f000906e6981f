package export

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A column of the CSV form. Columns are only ever added, at the end.
type column struct {
	name string
	cell func(r *record) string
}

// text is a column of a field that is a text.
func text(name string, field func(e *audit.Entry) string) column {
	return column{name, func(r *record) string { return field(&r.entry) }}
}

// list is a column of a field that is a list; none of its items holds a space.
func list(name string, field func(e *audit.Entry) []string) column {
	return column{name, func(r *record) string { return strings.Join(field(&r.entry), " ") }}
}

// counts is a column of counts: name=number, by name.
func counts(name string, field func(e *audit.Entry) map[string]int) column {
	return column{name, func(r *record) string {
		m := field(&r.entry)
		var cell strings.Builder
		for i, key := range slices.Sorted(maps.Keys(m)) {
			if i > 0 {
				cell.WriteByte(' ')
			}
			cell.WriteString(key + "=" + strconv.Itoa(m[key]))
		}
		return cell.String()
	}}
}

// csvTime is that of the leaves.
const csvTime = "2006-01-02T15:04:05.000000Z"

// columns has every field of an entry. A test pins that none is missing.
var columns = []column{
	{"index", func(r *record) string { return strconv.FormatInt(r.index, 10) }},
	{"leaf_hash", func(r *record) string { return hex.EncodeToString(r.hash[:]) }},
	text("time", func(e *audit.Entry) string { return e.Time.UTC().Format(csvTime) }),
	text("tenant", func(e *audit.Entry) string { return e.Tenant }),
	text("kind", func(e *audit.Entry) string { return string(e.Kind) }),
	text("decision", func(e *audit.Entry) string { return string(e.Decision) }),
	text("code", func(e *audit.Entry) string { return e.Code }),
	text("actor", func(e *audit.Entry) string { return e.Actor }),
	text("on_behalf_of", func(e *audit.Entry) string { return e.OnBehalfOf }),
	text("end_user_assurance", func(e *audit.Entry) string { return e.EndUserAssurance }),
	text("client.client_id", func(e *audit.Entry) string { return e.Client.ClientID }),
	text("client.jti_digest", func(e *audit.Entry) string { return e.Client.JTIDigest }),
	text("client.cert_fp", func(e *audit.Entry) string { return e.Client.CertFP }),
	text("agent", func(e *audit.Entry) string { return e.Agent }),
	text("session", func(e *audit.Entry) string { return e.Session }),
	text("model", func(e *audit.Entry) string { return e.Model }),
	text("destination", func(e *audit.Entry) string { return e.Destination }),
	text("recipient", func(e *audit.Entry) string { return e.Recipient }),
	text("reason", func(e *audit.Entry) string { return e.Reason }),
	text("reference", func(e *audit.Entry) string { return e.Reference }),
	text("note_digest", func(e *audit.Entry) string { return e.NoteDigest }),
	text("policy_version", func(e *audit.Entry) string { return e.PolicyVersion }),
	list("rule_ids", func(e *audit.Entry) []string { return e.RuleIDs }),
	list("obligations", func(e *audit.Entry) []string { return e.Obligations }),
	counts("entities", func(e *audit.Entry) map[string]int { return e.Entities }),
	counts("results", func(e *audit.Entry) map[string]int { return e.Results }),
	counts("counts", func(e *audit.Entry) map[string]int { return e.Counts }),
	list("tokens", func(e *audit.Entry) []string { return e.Tokens }),
	list("scope_refs", func(e *audit.Entry) []string { return e.ScopeRefs }),
	list("subject_refs", func(e *audit.Entry) []string { return e.SubjectRefs }),
	list("hold_ids", func(e *audit.Entry) []string { return e.HoldIDs }),
	list("key_ids", func(e *audit.Entry) []string { return e.KeyIDs }),
	text("coverage_digest", func(e *audit.Entry) string { return e.CoverageDigest }),
	text("source_digest", func(e *audit.Entry) string { return e.SourceDigest }),
	text("request_id", func(e *audit.Entry) string { return e.RequestID }),
	text("replay_of", func(e *audit.Entry) string { return e.ReplayOf }),
	text("change_id", func(e *audit.Entry) string { return e.ChangeID }),
	text("seq", func(e *audit.Entry) string { return strconv.Itoa(e.Seq) }),
	text("parts", func(e *audit.Entry) string { return strconv.Itoa(e.Parts) }),
	text("prev", func(e *audit.Entry) string { return e.Prev }),
	text("environment", func(e *audit.Entry) string { return e.Environment }),
	text("channel", func(e *audit.Entry) string { return e.Channel }),
	text("replica", func(e *audit.Entry) string { return e.Replica }),
	text("v", func(e *audit.Entry) string { return strconv.Itoa(e.V) }),
}

// csvOf writes entries as RFC 4180 says, with a line of names before them.
func csvOf(batch []record) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	if err := w.Write(row); err != nil {
		return nil, err
	}
	for n := range batch {
		for i, c := range columns {
			row[i] = defuse(c.cell(&batch[n]))
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// formulaSigns begin what a spreadsheet takes for a formula (OWASP, CSV Injection).
// An identifier of a caller may begin with the first four.
const formulaSigns = "=+-@\t\r\n"

// defuse puts a quote before such a cell, which makes it a text.
func defuse(cell string) string {
	if cell != "" && strings.IndexByte(formulaSigns, cell[0]) >= 0 {
		return "'" + cell
	}
	return cell
}
