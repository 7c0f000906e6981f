package openapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/openapi"
)

func load(t *testing.T, document []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return doc
}

func TestDocumentIsValidAndOfTheVersionThatTheGeneratorReads(t *testing.T) {
	doc := load(t, openapi.Document)
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		t.Errorf("validate: %v", err)
	}
	if doc.OpenAPI != "3.0.3" {
		t.Errorf("openapi %s, want 3.0.3", doc.OpenAPI)
	}
}

// The interface of the service, operation by operation: what is not here is
// not served, and what is here has its place in the document.
var operations = map[string]string{
	"POST /v1/tokenize":                                "tokenize",
	"POST /v1/detokenize":                              "detokenize",
	"POST /v1/detokenize/stream":                       "detokenizeStream",
	"POST /v1/grants":                                  "openGrant",
	"GET /v1/grants":                                   "grants",
	"GET /v1/grants/{grant_id}":                        "grant",
	"DELETE /v1/grants/{grant_id}":                     "closeGrant",
	"POST /v1/grants/{grant_id}/renew":                 "renewGrant",
	"POST /v1/sources/tokens":                          "sourceTokens",
	"POST /v1/restorations":                            "requestRestoration",
	"GET /v1/restorations":                             "restorations",
	"GET /v1/restorations/{restoration_id}":            "restoration",
	"POST /v1/restorations/{restoration_id}/approvals": "decideRestoration",
	"POST /v1/restorations/{restoration_id}/redeem":    "redeemRestoration",
	"POST /v1/approvals":                               "requestApproval",
	"GET /v1/approvals":                                "approvals",
	"GET /v1/approvals/{approval_id}":                  "approval",
	"POST /v1/approvals/{approval_id}/decisions":       "decideApproval",
	"GET /v1/reviews":                                  "reviews",
	"POST /v1/reviews/{review_id}/close":               "closeReview",
	"GET /v1/quota":                                    "quota",
	"POST /v1/consents":                                "giveConsent",
	"POST /v1/consents/search":                         "searchConsents",
	"POST /v1/consents/{consent_id}/withdraw":          "withdrawConsent",
	"POST /v1/suspensions":                             "suspend",
	"GET /v1/suspensions":                              "suspensions",
	"POST /v1/suspensions/{suspension_id}/lift":        "liftSuspension",
	"POST /v1/incidents/assess":                        "assessIncident",
	"POST /v1/incidents":                               "openIncident",
	"GET /v1/incidents":                                "incidents",
	"GET /v1/incidents/{incident_id}":                  "incident",
	"POST /v1/incidents/{incident_id}/events":          "noteIncident",
	"POST /v1/incidents/{incident_id}/close":           "closeIncident",
	"GET /v1/destinations/exposure":                    "exposure",
	"POST /v1/policy/reload":                           "reloadPolicy",
	"POST /v1/policy/proposals":                        "proposePolicy",
	"GET /v1/policy/proposals":                         "proposals",
	"POST /v1/policy/proposals/{proposal_id}/promote":  "promotePolicy",
	"POST /v1/policy/proposals/{proposal_id}/drop":     "dropPolicy",
	"POST /v1/policy/rollback":                         "rollbackPolicy",
	"POST /v1/policy/explain":                          "explainPolicy",
	"GET /v1/policy/matrix":                            "policyMatrix",
	"POST /v1/access-reviews":                          "recordAccessReview",
	"GET /v1/access-reviews":                           "accessReviews",
	"POST /v1/scopes":                                  "openScope",
	"POST /v1/scopes/close":                            "closeScope",
	"POST /v1/holds":                                   "placeHold",
	"GET /v1/holds":                                    "holds",
	"GET /v1/holds/{hold_id}":                          "hold",
	"POST /v1/holds/{hold_id}/review":                  "reviewHold",
	"POST /v1/holds/{hold_id}/release":                 "releaseHold",
	"POST /v1/subjects/search":                         "searchSubjects",
	"POST /v1/subjects/links":                          "linkSubject",
	"POST /v1/subjects/names":                          "restoreNames",
	"POST /v1/subject-requests":                        "openSubjectRequest",
	"GET /v1/subject-requests":                         "subjectRequests",
	"GET /v1/subject-requests/summary":                 "requestSummary",
	"GET /v1/subject-requests/{request_id}":            "subjectRequest",
	"POST /v1/subject-requests/{request_id}/identity":  "identifyRequest",
	"POST /v1/subject-requests/{request_id}/assign":    "assignRequest",
	"POST /v1/subject-requests/{request_id}/notes":     "noteOnRequest",
	"GET /v1/subject-requests/{request_id}/notes":      "notesOfRequest",
	"POST /v1/subject-requests/{request_id}/extend":    "extendRequest",
	"POST /v1/subject-requests/{request_id}/refuse":    "refuseRequest",
	"POST /v1/subject-requests/{request_id}/withdraw":  "withdrawRequest",
	"POST /v1/subject-requests/{request_id}/execute":   "executeRequest",
	"POST /v1/subject-requests/{request_id}/complete":  "completeRequest",
	"POST /v1/subject-requests/{request_id}/lift":      "liftRestriction",
	"POST /v1/subject-requests/{request_id}/report":    "reportOnRequest",
	"GET /v1/subject-requests/{request_id}/receipt":    "erasureReceipt",
	"GET /v1/retention/report":                         "retentionReport",
	"GET /v1/audit/entries":                            "auditEntries",
	"GET /v1/audit/entries/{index}":                    "auditEntry",
	"GET /v1/audit/entries/{index}/proof":              "auditProof",
	"POST /v1/audit/search":                            "searchEntries",
	"GET /v1/audit/consistency":                        "auditConsistency",
	"GET /v1/audit/tile/{path*}":                       "auditTile",
	"POST /v1/dispatches":                              "dispatch",
	"POST /v1/evidence":                                "requestEvidence",
	"GET /v1/evidence":                                 "evidences",
	"GET /v1/evidence/{evidence_id}":                   "evidence",
	"GET /v1/evidence/{evidence_id}/bundle":            "evidenceBundle",
	"GET /v1/controls":                                 "controls",
	"POST /v1/controls/check":                          "checkControls",
	"GET /v1/audit/checkpoint":                         "auditCheckpoint",
	"GET /v1/audit/keys":                               "auditKeys",
	"GET /v1/policy":                                   "policy",
	"GET /v1/preamble":                                 "preamble",
	"GET /v1/limits":                                   "limits",
	"GET /healthz":                                     "healthz",
	"GET /readyz":                                      "readyz",
	"GET /metrics":                                     "metrics",
}

func TestEveryOperationHasItsID(t *testing.T) {
	found := make(map[string]bool)
	forEach(load(t, openapi.Document), func(where string, op *openapi3.Operation) {
		found[where] = true
		if op.OperationID != operations[where] {
			t.Errorf("%s: operationId %q, want %q", where, op.OperationID, operations[where])
		}
		if op.Summary == "" || op.Description == "" {
			t.Errorf("%s: no summary or description", where)
		}
	})
	for where := range operations {
		if !found[where] {
			t.Errorf("%s is not in the document", where)
		}
	}
}

func TestEveryErrorIsAProblem(t *testing.T) {
	if bad := errorsThatAreNoProblems(load(t, openapi.Document)); len(bad) > 0 {
		t.Errorf("errors that are not problems: %v", bad)
	}
}

func TestEveryErrorIsAProblem_Twin(t *testing.T) {
	mutated := strings.Replace(string(openapi.Document), "application/problem+json:", "application/json:", 1)
	if len(errorsThatAreNoProblems(load(t, []byte(mutated)))) == 0 {
		t.Error("an error in plain JSON was not noticed")
	}
}

func errorsThatAreNoProblems(doc *openapi3.T) []string {
	var bad []string
	problem := doc.Components.Schemas["Problem"].Value
	forEach(doc, func(where string, op *openapi3.Operation) {
		for status, response := range op.Responses.Map() {
			if status < "400" {
				continue
			}
			media := response.Value.Content["application/problem+json"]
			if len(response.Value.Content) != 1 || media == nil || media.Schema.Value != problem {
				bad = append(bad, where+" "+status)
			}
		}
	})
	return bad
}

// What every operation under /v1 can answer, whoever asks for what.
var always = []string{"400", "401", "403", "422", "429", "500", "503"}

func TestEveryOperationListsTheErrorsThatAllCanMeet(t *testing.T) {
	forEach(load(t, openapi.Document), func(where string, op *openapi3.Operation) {
		if !strings.Contains(where, "/v1/") {
			return
		}
		for _, status := range always {
			if op.Responses.Value(status) == nil {
				t.Errorf("%s does not list %s", where, status)
			}
		}
		if op.RequestBody != nil && (op.Responses.Value("413") == nil && !streams(op) || op.Responses.Value("415") == nil) {
			t.Errorf("%s has a body and does not list 413 and 415", where)
		}
	})
}

func TestRequestsAreClosedAndBounded(t *testing.T) {
	if bad := looseSchemas(load(t, openapi.Document)); len(bad) > 0 {
		t.Errorf("schemas of requests that are open or unbounded: %v", bad)
	}
}

func TestRequestsAreClosedAndBounded_Twin(t *testing.T) {
	for name, mutation := range map[string]*strings.Replacer{
		"open object":    strings.NewReplacer("      additionalProperties: false\n      required: [scope]\n", "      required: [scope]\n"),
		"endless string": strings.NewReplacer("          maxLength: 16384\n", ""),
		"endless array":  strings.NewReplacer("          maxItems: 64\n          items: {$ref: '#/components/schemas/Entity'}", "          items: {$ref: '#/components/schemas/Entity'}"),
		"combination":    strings.NewReplacer("        detect: {$ref: '#/components/schemas/DetectOptions'}", "        detect: {allOf: [{$ref: '#/components/schemas/DetectOptions'}]}"),
	} {
		if len(looseSchemas(load(t, []byte(mutation.Replace(string(openapi.Document)))))) == 0 {
			t.Errorf("%s was not noticed", name)
		}
	}
}

// looseSchemas lists what in the bodies and parameters of requests is not
// closed, not bounded, or a combination: see the comment of the package.
func looseSchemas(doc *openapi3.T) []string {
	var bad []string
	// The body of a provider has whatever members that provider gave it: this
	// one schema is open, and bounded by bytes in the domain.
	somebodysBody := doc.Components.Schemas["Payload"].Value
	seen := make(map[*openapi3.Schema]bool)
	var walk func(where string, s *openapi3.Schema)
	walk = func(where string, s *openapi3.Schema) {
		if seen[s] {
			return
		}
		seen[s] = true
		switch {
		case len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0 || s.Not != nil:
			bad = append(bad, where+": combination")
		case s == somebodysBody:
		case s.Type.Is("object") && (s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has):
			bad = append(bad, where+": open object")
		case s.Type.Is("array") && s.MaxItems == nil:
			bad = append(bad, where+": endless array")
		case s.Type.Is("string") && s.MaxLength == nil && len(s.Enum) == 0 && !fixedLength.MatchString(s.Pattern):
			bad = append(bad, where+": endless string")
		case s.Type.Is("integer") && (s.Min == nil || s.Max == nil):
			bad = append(bad, where+": endless integer")
		}
		for name, p := range s.Properties {
			walk(where+"/"+name, p.Value)
		}
		if s.Items != nil {
			walk(where+"/0", s.Items.Value)
		}
	}
	forEach(doc, func(where string, op *openapi3.Operation) {
		for _, p := range op.Parameters {
			walk(where+" "+p.Value.Name, p.Value.Schema.Value)
		}
		if op.RequestBody != nil && !streams(op) {
			walk(where, op.RequestBody.Value.Content["application/json"].Schema.Value)
		}
	})
	return bad
}

// streams tells whether the body of an operation is read as it comes: it has no
// length that could be too large.
func streams(op *openapi3.Operation) bool {
	is, _ := op.Extensions["x-stream"].(bool)
	return is
}

var fixedLength = regexp.MustCompile(`^\^\[[^]]*\]\{\d+\}\$$`)

// A token is its label, an underline and ten characters of Crockford's
// alphabet in brackets, or tok_ and more of them. Whatever has that shape may
// be one, whether its check characters hold or not.
var (
	tokenShaped  = regexp.MustCompile(`(?i)_[0-9A-HJKMNP-TV-Z]{10}\b`)
	opaqueShaped = regexp.MustCompile(`(?i)tok_[0-9a-z]{8}`)
)

func TestNoExampleHoldsAToken(t *testing.T) {
	if found := tokens(openapi.Document); len(found) > 0 {
		t.Errorf("what may be a token: %q", found)
	}
}

func TestNoExampleHoldsAToken_Twin(t *testing.T) {
	// Put together here, so that this file holds none either.
	mutated := strings.ReplaceAll(string(openapi.Document), "EXAMPLE00U", "7K3QX9"+"M2ZT")
	if len(tokens([]byte(mutated))) == 0 {
		t.Error("a token in an example was not noticed")
	}
}

func tokens(document []byte) []string {
	return append(tokenShaped.FindAllString(string(document), -1), opaqueShaped.FindAllString(string(document), -1)...)
}

func TestClosedListsAreThoseOfTheDomain(t *testing.T) {
	schemas := load(t, openapi.Document).Components.Schemas
	for _, list := range []struct {
		schema string
		want   []string
	}{
		{"ErrorCode", texts(vault.Codes())},
		{"TokenStatus", texts(vault.Statuses())},
		{"ErasureState", texts([]vault.ErasureState{vault.ErasureDeferred, vault.ErasureCompleted})},
		{"SubjectRequestStatus", texts([]vault.RequestState{
			vault.StateReceived, vault.StateAwaitingIdentity, vault.StateOpen, vault.StateRunning, vault.StateDeferred,
			vault.StatePartial, vault.StateCompleted, vault.StateRefused, vault.StateWithdrawn,
		})},
		{"SubjectRequestKind", texts([]vault.RequestKind{
			vault.RequestAccess, vault.RequestErasure, vault.RequestRestriction, vault.RequestObjection, vault.RequestAccounting,
		})},
		{"RefusalCode", texts(vault.RefusalCodes())},
		{"ApprovalStatus", texts([]vault.ApprovalStatus{
			vault.ApprovalPending, vault.ApprovalApproved, vault.ApprovalRejected, vault.ApprovalExpired, vault.ApprovalRedeemed,
		})},
		{"IncidentEventKind", texts([]vault.IncidentEventKind{
			vault.IncidentAssessed, vault.IncidentContained, vault.IncidentAuthorityNotified, vault.IncidentPersonsNotified,
			vault.IncidentHandedOver,
		})},
		{"IncidentOutcome", texts([]vault.IncidentOutcome{vault.OutcomeNotified, vault.OutcomeNoRisk, vault.OutcomeNotIncident})},
		{"EvidenceStatus", texts([]vault.EvidenceStatus{
			vault.EvidencePending, vault.EvidenceRunning, vault.EvidenceDone, vault.EvidenceFailed,
		})},
		{"ControlResult", texts([]controls.Outcome{controls.Pass, controls.Fail, controls.Partial, controls.NotTested})},
		{"ControlFrequency", texts([]controls.Frequency{
			controls.Continuous, controls.Daily, controls.Weekly, controls.Monthly, controls.Quarterly,
		})},
		{"DenialCause", texts(access.Whys())},
		{"Place", texts(access.Places())},
		{"EndUserMatch", texts(access.EndUserMatches())},
		{"MatrixFormat", access.MatrixFormats()},
		{"BudgetPer", texts([]access.BudgetPer{access.PerCaller, access.PerEndUser, access.PerTenant})},
		{"ReportLimit", texts(vault.ReportLimits())},
		{"EntityClass", texts(access.Classes())},
		{"ScopeKind", texts([]vault.ScopeKind{vault.ScopeConversation, vault.ScopeUser, vault.ScopeCase, vault.ScopeCorpus})},
		// Rules of retention select by the same kinds.
		{"ScopeKind", access.ScopeKinds()},
	} {
		got := enumOf(t, schemas[list.schema].Value)
		slices.Sort(got)
		slices.Sort(list.want)
		if !slices.Equal(got, list.want) {
			t.Errorf("%s: %v, the domain has %v", list.schema, got, list.want)
		}
	}
}

// The kinds of entries may grow, so the document names some of them; what it
// names is there.
func TestKindsOfEntriesThatAreNamedExist(t *testing.T) {
	known := make(map[string]bool)
	for _, k := range audit.Kinds() {
		known[string(k.Kind)] = true
	}
	named := regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(
		load(t, openapi.Document).Components.Schemas["EntryKind"].Value.Description, -1)
	for _, word := range named {
		if !known[word[1]] {
			t.Errorf("there is no kind %s", word[1])
		}
	}
	if len(named) < 5 {
		t.Errorf("only %d kinds are named", len(named))
	}
}

// A page and an answer hold as much as the domain gives.
func TestListsOfAnswersAreThoseOfTheDomain(t *testing.T) {
	schemas := load(t, openapi.Document).Components.Schemas
	for where, list := range map[string]struct {
		of   *openapi3.Schema
		want uint64
	}{
		"requests":         {schemas["SubjectRequestPage"].Value.Properties["requests"].Value, vault.PageRequests},
		"holdings":         {schemas["SubjectReport"].Value.Properties["holdings"].Value, vault.MaxSightings},
		"restorations":     {schemas["SubjectReport"].Value.Properties["restorations"].Value, vault.MaxReportRestorations},
		"values":           {schemas["SubjectReport"].Value.Properties["values"].Value, vault.MaxReportTokens},
		"limits":           {schemas["SubjectReport"].Value.Properties["limits"].Value, uint64(len(vault.ReportLimits()))},
		"holds":            {schemas["HoldPage"].Value.Properties["holds"].Value, vault.PageHolds},
		"found":            {schemas["SubjectSearchAnswer"].Value.Properties["found"].Value, vault.MaxSightings},
		"tokens":           {schemas["SourcePage"].Value.Properties["tokens"].Value, vault.PageTokens},
		"RestorationPage":  {schemas["RestorationPage"].Value.Properties["restorations"].Value, vault.PageProceedings},
		"ApprovalPage":     {schemas["ApprovalPage"].Value.Properties["approvals"].Value, vault.PageProceedings},
		"ReviewPage":       {schemas["ReviewPage"].Value.Properties["reviews"].Value, vault.PageProceedings},
		"SuspensionPage":   {schemas["SuspensionPage"].Value.Properties["suspensions"].Value, vault.PageProceedings},
		"IncidentPage":     {schemas["IncidentPage"].Value.Properties["incidents"].Value, vault.PageProceedings},
		"ConsentPage":      {schemas["ConsentPage"].Value.Properties["consents"].Value, vault.PageProceedings},
		"ProposalPage":     {schemas["ProposalPage"].Value.Properties["proposals"].Value, vault.PageProposals},
		"AccessReviewPage": {schemas["AccessReviewPage"].Value.Properties["reviews"].Value, vault.PageProceedings},
		"Control":          {schemas["Control"].Value.Properties["entries"].Value, controls.MaxEntries},
		"GrantPage":        {schemas["GrantPage"].Value.Properties["grants"].Value, vault.PageGrants},
		"EvidencePage":     {schemas["EvidencePage"].Value.Properties["evidence"].Value, vault.PageProceedings},
		"entries":          {schemas["EntryPage"].Value.Properties["entries"].Value, vault.PageEntries},
	} {
		if list.of.MaxItems == nil || *list.of.MaxItems != list.want {
			t.Errorf("%s: not bounded by %d", where, list.want)
		}
	}
}

// The numbers of the document are those of the domain: what the one lets
// through the other must not have to refuse, as far as characters and bytes
// can be compared.
func TestLimitsAreThoseOfTheDomain(t *testing.T) {
	numbers := map[string]uint64{
		"text_bytes": vault.MaxTextBytes, "findings": vault.MaxFindings, "value_bytes": vault.MaxValueBytes,
		"read_scopes": vault.MaxReadScopes, "hold_terms": vault.MaxHoldTerms, "subject_identifiers": vault.MaxIdentifiers,
		"grant_tokens": vault.MaxGrantTokens,
		"note_bytes":   vault.MaxNoteBytes, "destinations": vault.MaxDestinations, "suspension_terms": vault.MaxSuspensionTerms, "names": vault.MaxNames,
	}
	found := 0
	for name, ref := range load(t, openapi.Document).Components.Schemas {
		for field, p := range ref.Value.Properties {
			limit, ok := p.Value.Extensions["x-limit"].(string)
			if !ok {
				continue
			}
			found++
			bound := p.Value.MaxLength
			if bound == nil {
				bound = p.Value.MaxItems
			}
			if bound == nil || *bound != numbers[limit] {
				t.Errorf("%s/%s: not bounded by %s = %d", name, field, limit, numbers[limit])
			}
		}
	}
	if found == 0 {
		t.Error("no schema names a limit")
	}
}

func TestNumbersOfGrantsAreThoseOfTheDomain(t *testing.T) {
	schemas := load(t, openapi.Document).Components.Schemas
	for name, c := range map[string][2]float64{
		"GrantTTL": {vault.GrantLife.Seconds(), vault.GrantLife.Seconds()}, "GrantBudget": {vault.MaxFindings, vault.DefaultGrantBudget},
	} {
		s := schemas[name].Value
		if s.Max == nil || *s.Max != c[0] || s.Default != c[1] {
			t.Errorf("%s: at most %v, %v by itself, want %v", name, s.Max, s.Default, c)
		}
	}
}

func TestNumbersOfDispatchesAreThoseOfTheDomain(t *testing.T) {
	schemas := load(t, openapi.Document).Components.Schemas
	for name, number := range map[string]struct {
		of   *openapi3.Schema
		want float64
	}{
		"latency_ms": {schemas["DispatchRequest"].Value.Properties["latency_ms"].Value, vault.MaxDispatchLatencyMS},
		"usage":      {schemas["UsageCount"].Value, vault.MaxDispatchTokens},
	} {
		if number.of.Max == nil || *number.of.Max != number.want {
			t.Errorf("%s: not bounded by %.0f", name, number.want)
		}
	}
}

// What a client of C2SP tlog-tiles asks for is a path of the document, for every
// tile that a log can have.
func TestPathsOfTilesAreThoseOfTheLog(t *testing.T) {
	const where = "/v1/audit/tile/{path*}"
	path := load(t, openapi.Document).Paths.Value(where).Get.Parameters.GetByInAndName("path", "path").Schema.Value
	rapid.Check(t, func(t *rapid.T) {
		tile := audit.Tile{
			Level: rapid.IntRange(0, 5).Draw(t, "level"), N: rapid.Int64Range(0, audit.MaxSize/audit.TileWidth).Draw(t, "n"),
			Width: rapid.IntRange(1, audit.TileWidth).Draw(t, "width"), Entries: rapid.Bool().Draw(t, "entries"),
		}
		if tile.Entries {
			tile.Level = 0
		}
		if err := path.VisitJSON(strings.TrimPrefix(tile.Path(), "tile/")); err != nil {
			t.Errorf("%s: %v", tile.Path(), err)
		}
	})
	for _, other := range []string{"0", "data/000", "6/000", "0/0", "0/0000", "0/000.p/0", "0/000.p/1000", "0/000/001", "0/../entries/000", ""} {
		if path.VisitJSON(other) == nil {
			t.Errorf("%q is a path of a tile", other)
		}
	}
}

func texts[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

func enumOf(t *testing.T, s *openapi3.Schema) []string {
	t.Helper()
	raw, err := json.Marshal(s.Enum)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func forEach(doc *openapi3.T, visit func(where string, op *openapi3.Operation)) {
	for path, item := range doc.Paths.Map() {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			if op := item.GetOperation(method); op != nil {
				visit(method+" "+path, op)
			}
		}
	}
}
