package audit

// A field is one line of the table that the encoder, the decoder and the
// validator all walk, so that no field can be written and not read, or read
// and not checked. Exactly one of the accessors is set; time and client have
// none and are written out by name.
type field struct {
	name   string
	label  string // the name as it stands in a leaf, with quotes and colon
	rule   *rule  // of the string, of each item, of each name of the map
	str    func(*Entry) *string
	num    func(*Entry) *int
	list   func(*Entry) *[]string
	counts func(*Entry) *map[string]int
}

// fields is sorted by name: the order of RFC 8785 section 3.2.3 (UTF-16 code
// units, which for ASCII names is the order of bytes). A test pins the order
// and that no field of Entry is missing.
var fields = labelled([]field{
	{name: "actor", rule: identifierRule, str: func(e *Entry) *string { return &e.Actor }},
	{name: "agent", rule: identifierRule, str: func(e *Entry) *string { return &e.Agent }},
	{name: "change_id", rule: identifierRule, str: func(e *Entry) *string { return &e.ChangeID }},
	{name: "channel", rule: identifierRule, str: func(e *Entry) *string { return &e.Channel }},
	{name: clientField},
	{name: "code", rule: identifierRule, str: func(e *Entry) *string { return &e.Code }},
	{name: "counts", rule: nameRule, counts: func(e *Entry) *map[string]int { return &e.Counts }},
	{name: "coverage_digest", rule: digestRule, str: func(e *Entry) *string { return &e.CoverageDigest }},
	{name: "decision", rule: nameRule, str: func(e *Entry) *string { return (*string)(&e.Decision) }},
	{name: "destination", rule: identifierRule, str: func(e *Entry) *string { return &e.Destination }},
	{name: "end_user_assurance", rule: identifierRule, str: func(e *Entry) *string { return &e.EndUserAssurance }},
	{name: "entities", rule: nameRule, counts: func(e *Entry) *map[string]int { return &e.Entities }},
	{name: "environment", rule: identifierRule, str: func(e *Entry) *string { return &e.Environment }},
	{name: "hold_ids", rule: identifierRule, list: func(e *Entry) *[]string { return &e.HoldIDs }},
	{name: "key_ids", rule: identifierRule, list: func(e *Entry) *[]string { return &e.KeyIDs }},
	{name: "kind", rule: nameRule, str: func(e *Entry) *string { return (*string)(&e.Kind) }},
	{name: "model", rule: identifierRule, str: func(e *Entry) *string { return &e.Model }},
	{name: "note_digest", rule: digestRule, str: func(e *Entry) *string { return &e.NoteDigest }},
	{name: "obligations", rule: identifierRule, list: func(e *Entry) *[]string { return &e.Obligations }},
	{name: "on_behalf_of", rule: digestRule, str: func(e *Entry) *string { return &e.OnBehalfOf }},
	{name: "parts", num: func(e *Entry) *int { return &e.Parts }},
	{name: "policy_version", rule: identifierRule, str: func(e *Entry) *string { return &e.PolicyVersion }},
	{name: "prev", rule: leafHashRule, str: func(e *Entry) *string { return &e.Prev }},
	{name: "reason", rule: identifierRule, str: func(e *Entry) *string { return &e.Reason }},
	{name: "recipient", rule: identifierRule, str: func(e *Entry) *string { return &e.Recipient }},
	{name: "reference", rule: identifierRule, str: func(e *Entry) *string { return &e.Reference }},
	{name: "replay_of", rule: identifierRule, str: func(e *Entry) *string { return &e.ReplayOf }},
	{name: "replica", rule: identifierRule, str: func(e *Entry) *string { return &e.Replica }},
	{name: "request_id", rule: identifierRule, str: func(e *Entry) *string { return &e.RequestID }},
	{name: "results", rule: nameRule, counts: func(e *Entry) *map[string]int { return &e.Results }},
	{name: "rule_ids", rule: identifierRule, list: func(e *Entry) *[]string { return &e.RuleIDs }},
	{name: "scope_refs", rule: identifierRule, list: func(e *Entry) *[]string { return &e.ScopeRefs }},
	{name: "seq", num: func(e *Entry) *int { return &e.Seq }},
	{name: "session", rule: identifierRule, str: func(e *Entry) *string { return &e.Session }},
	{name: "source_digest", rule: digestRule, str: func(e *Entry) *string { return &e.SourceDigest }},
	{name: "subject_refs", rule: identifierRule, list: func(e *Entry) *[]string { return &e.SubjectRefs }},
	{name: "tenant", rule: nameRule, str: func(e *Entry) *string { return &e.Tenant }},
	{name: timeField},
	{name: "tokens", rule: nameRule, list: func(e *Entry) *[]string { return &e.Tokens }},
	{name: "v", num: func(e *Entry) *int { return &e.V }},
})

func labelled(fields []field) []field {
	for i := range fields {
		fields[i].label = string(append(appendString(nil, fields[i].name), ':'))
	}
	return fields
}

const (
	clientField = "client"
	timeField   = "time"
)

// A clientPart is a member of the client object, sorted like fields.
type clientPart struct {
	name string
	rule *rule
	str  func(*Client) *string
}

var clientParts = [...]clientPart{
	{"cert_fp", digestRule, func(c *Client) *string { return &c.CertFP }},
	{"client_id", identifierRule, func(c *Client) *string { return &c.ClientID }},
	{"jti_digest", digestRule, func(c *Client) *string { return &c.JTIDigest }},
}

// fieldIndex finds a field by its name while decoding.
var fieldIndex = func() map[string]int {
	m := make(map[string]int, len(fields))
	for i, f := range fields {
		m[f.name] = i
	}
	return m
}()
