package telemetry

import "go.opentelemetry.io/otel/attribute"

// Bare puts a text into a span past the closed list, for the twins.
func (s *Span) Bare(key, text string) { s.span.SetAttributes(attribute.String(key, text)) }

// Stated returns the key and the text of an attribute, empty where it states
// nothing.
func (a Attribute) Stated() (key, text string) {
	if !a.fact.Valid() {
		return "", ""
	}
	return string(a.fact.Key), a.fact.Value.String()
}

// Spells is the rule for ids of traces.
var Spells = spells

// RemoteParent is what is taken of the headers of a request.
var RemoteParent = remoteParent
