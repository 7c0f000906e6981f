package export_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
)

// What OCSF 1.6.0 says of the attributes that are used, from the definitions of the
// class api_activity, of base_event and of the objects: their types, which are
// required, and of which one at least has to be there.
type schema struct {
	required []string
	anyOf    []string
	types    map[string]string // s string, i integer, or the name of an object; [] of lists
}

var ocsfSchema = map[string]schema{
	"api_activity": {
		required: []string{
			"activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint", "time", "type_uid",
		},
		types: map[string]string{
			"activity_id": "i", "activity_name": "s", "actor": "actor", "api": "api", "category_name": "s", "category_uid": "i",
			"class_name": "s", "class_uid": "i", "dst_endpoint": "network_endpoint", "message": "s", "metadata": "metadata",
			"resources": "[]resource_details", "severity": "s", "severity_id": "i", "src_endpoint": "network_endpoint",
			"status": "s", "status_code": "s", "status_id": "i", "time": "i", "type_name": "s", "type_uid": "i", "unmapped": "any",
		},
	},
	"actor": {
		anyOf: []string{"process", "user", "invoked_by", "session", "app_name", "app_uid"},
		types: map[string]string{
			"app_name": "s", "app_uid": "s", "authorizations": "[]authorization", "session": "session", "user": "user",
		},
	},
	"authorization":    {types: map[string]string{"decision": "s", "policy": "policy"}},
	"policy":           {anyOf: []string{"name", "uid"}, types: map[string]string{"uid": "s"}},
	"session":          {types: map[string]string{"uid": "s"}},
	"user":             {anyOf: []string{"account", "name", "uid"}, types: map[string]string{"uid": "s"}},
	"api":              {required: []string{"operation"}, types: map[string]string{"operation": "s", "request": "request", "service": "service"}},
	"request":          {required: []string{"uid"}, types: map[string]string{"uid": "s"}},
	"service":          {anyOf: []string{"name", "uid"}, types: map[string]string{"name": "s"}},
	"network_endpoint": {anyOf: []string{"svc_name", "uid"}, types: map[string]string{"svc_name": "s", "uid": "s"}},
	"resource_details": {anyOf: []string{"name", "uid"}, types: map[string]string{"type": "s", "uid": "s"}},
	"metadata": {
		required: []string{"product", "version"},
		types: map[string]string{
			"correlation_uid": "s", "event_code": "s", "log_name": "s", "log_version": "s", "original_time": "s",
			"product": "product", "sequence": "i", "tenant_uid": "s", "uid": "s", "version": "s",
		},
	},
	"product": {anyOf: []string{"name", "uid"}, types: map[string]string{"name": "s", "vendor_name": "s"}},
}

// validate holds a JSON object to the schema.
func validate(of string, text json.RawMessage) error {
	s, known := ocsfSchema[of]
	if !known {
		return fmt.Errorf("no object %s", of)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return fmt.Errorf("%s: %w", of, err)
	}
	for _, name := range s.required {
		if object[name] == nil {
			return fmt.Errorf("%s has no %s", of, name)
		}
	}
	if s.anyOf != nil && !slices.ContainsFunc(s.anyOf, func(name string) bool { return object[name] != nil }) {
		return fmt.Errorf("%s has none of %v", of, s.anyOf)
	}
	for name, value := range object {
		if err := validateValue(s.types[name], value); err != nil {
			return fmt.Errorf("%s.%s: %w", of, name, err)
		}
	}
	return nil
}

func validateValue(kind string, value json.RawMessage) error {
	switch {
	case kind == "":
		return fmt.Errorf("no such attribute")
	case kind == "any":
		return nil
	case kind == "s":
		var s string
		if err := json.Unmarshal(value, &s); err != nil || s == "" {
			return fmt.Errorf("must be a text")
		}
		return nil
	case kind == "i":
		var i int64
		return json.Unmarshal(value, &i)
	case strings.HasPrefix(kind, "[]"):
		var list []json.RawMessage
		if err := json.Unmarshal(value, &list); err != nil || len(list) == 0 {
			return fmt.Errorf("must be a list")
		}
		for _, item := range list {
			if err := validateValue(kind[2:], item); err != nil {
				return err
			}
		}
		return nil
	default:
		return validate(kind, value)
	}
}

func ocsfOf(t *testing.T, e audit.Entry) json.RawMessage {
	t.Helper()
	e.V, e.Tenant, e.ChangeID, e.Time = audit.Version, "acme", "c-1", start.Add(1234*time.Microsecond)
	leaf, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	text, err := export.OCSF("log.example/acme", 7, leaf)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(text, []byte("\n"))
}

func TestOCSFOfEveryKindIsValid(t *testing.T) {
	for _, info := range audit.Kinds() {
		if !export.HasActivity(string(info.Kind)) {
			t.Errorf("%s has no activity", info.Kind)
		}
		for _, e := range []audit.Entry{
			{Kind: info.Kind},
			{
				Kind: info.Kind, Actor: "ann", Session: "se-1", Client: audit.Client{ClientID: "gw-1"}, Decision: audit.Deny, PolicyVersion: "p1",
				Code: "denied", RequestID: "r-1", Destination: "openai-eu", Replica: "a", ScopeRefs: []string{"s-1", "s-2"},
				SubjectRefs: []string{"su-1"}, HoldIDs: []string{"h-1"}, KeyIDs: []string{"k-1"}, Tokens: []string{"T1"}, Entities: map[string]int{"PERSON": 1},
			},
		} {
			if err := validate("api_activity", ocsfOf(t, e)); err != nil {
				t.Errorf("%s: %v", info.Kind, err)
			}
		}
	}
}

// Twin: the check is red for what is missing, of another type, or no attribute.
func TestOCSFTwin(t *testing.T) {
	text := string(ocsfOf(t, audit.Entry{Kind: audit.KindRestore, Actor: "ann"}))
	for _, change := range [][2]string{
		{`"severity_id":1,`, ``},
		{`"version":"1.6.0"`, `"versions":"1.6.0"`},
		{`"user":{"uid":"ann"}`, ``},
		{`"class_uid":6003`, `"class_uid":"6003"`},
		{`"message":`, `"messages":`},
		{`"operation":"restore",`, ``},
		{`"svc_name":"Counterfoil"`, `"ip":""`},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Fatalf("%s is not there", change[0])
		}
		if err := validate("api_activity", json.RawMessage(changed)); err == nil {
			t.Errorf("%s as %s is valid", change[0], change[1])
		}
	}
}

func TestOCSFEvent(t *testing.T) {
	got := ocsfOf(t, audit.Entry{
		Kind: audit.KindRestore, Actor: "ann", Client: audit.Client{ClientID: "gw-1"}, Decision: audit.Partial, PolicyVersion: "p1",
		Reason: "CUSTOMER_SUPPORT", RequestID: "r-1", ScopeRefs: []string{"s-1"}, Entities: map[string]int{"PERSON": 2},
	})
	var event struct {
		ActivityID int   `json:"activity_id"`
		TypeUID    int   `json:"type_uid"`
		StatusID   int   `json:"status_id"`
		Time       int64 `json:"time"`
		Status     string
		Unmapped   map[string]json.RawMessage
		Actor      struct {
			Authorizations []struct {
				Decision string
				Policy   struct{ UID string }
			}
		}
		Metadata struct{ Sequence int64 }
	}
	if err := json.Unmarshal(got, &event); err != nil {
		t.Fatal(err)
	}
	if event.ActivityID != 2 || event.TypeUID != 600302 || event.StatusID != 99 || event.Status != "partial" || event.Metadata.Sequence != 7 {
		t.Errorf("%s", got)
	}
	if at := time.UnixMilli(event.Time); !at.Equal(start.Add(time.Millisecond)) {
		t.Errorf("at %v", at)
	}
	if a := event.Actor.Authorizations[0]; a.Decision != "partial" || a.Policy.UID != "p1" {
		t.Errorf("%+v", a)
	}
	want := map[string]json.RawMessage{
		"client": json.RawMessage(`{"client_id":"gw-1"}`), "entities": json.RawMessage(`{"PERSON":2}`), "reason": json.RawMessage(`"CUSTOMER_SUPPORT"`),
	}
	if diff := cmp.Diff(want, event.Unmapped); diff != "" {
		t.Errorf("unmapped:\n%s", diff)
	}
}

// What is said to have an attribute has one: the value of each such field is
// somewhere outside of unmapped.
func TestOCSFLosesNoField(t *testing.T) {
	e := audit.Entry{
		Kind: audit.KindRestore, Actor: "the-actor", Session: "the-session", Code: "the-code", Decision: audit.Allow, Destination: "the-destination",
		HoldIDs: []string{"the-hold"}, KeyIDs: []string{"the-key"}, ScopeRefs: []string{"the-scope"}, SubjectRefs: []string{"the-subject"}, RequestID: "the-request",
	}
	var event map[string]json.RawMessage
	if err := json.Unmarshal(ocsfOf(t, e), &event); err != nil {
		t.Fatal(err)
	}
	delete(event, "unmapped")
	text := fmt.Sprintf("%s", event)
	for _, value := range []string{
		"the-actor", "the-session", "the-code", "allow", "the-destination", "the-hold", "the-key", "the-scope", "the-subject", "the-request",
		"restore", "acme", "c-1", "2026-01-02T23:45:00.001234Z",
	} {
		if !strings.Contains(text, `"`+value+`"`) {
			t.Errorf("%s is lost", value)
		}
	}
	if len(export.Mapped) != 15 {
		t.Errorf("%d fields are mapped: this test has 14 of them, and v", len(export.Mapped))
	}
}
