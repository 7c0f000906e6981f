package export

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// An entry as an event of the Open Cybersecurity Schema Framework, version 1.6.0,
// class API Activity (6003): somebody called, asked for an operation, and was
// allowed it or not. (Datastore Activity, 6005, has no place for a decision.) What
// the class has no attribute for is under unmapped, by the names that the leaf has.
const (
	ocsfVersion  = "1.6.0"
	ocsfClass    = 6003
	ocsfCategory = 6
	product      = "Counterfoil"
)

type ocsfEvent struct {
	ActivityID   int                        `json:"activity_id"`
	ActivityName string                     `json:"activity_name"`
	Actor        ocsfActor                  `json:"actor"`
	API          ocsfAPI                    `json:"api"`
	CategoryName string                     `json:"category_name"`
	CategoryUID  int                        `json:"category_uid"`
	ClassName    string                     `json:"class_name"`
	ClassUID     int                        `json:"class_uid"`
	DstEndpoint  *ocsfEndpoint              `json:"dst_endpoint,omitempty"`
	Message      string                     `json:"message"`
	Metadata     ocsfMetadata               `json:"metadata"`
	Resources    []ocsfResource             `json:"resources,omitempty"`
	SeverityID   int                        `json:"severity_id"`
	Severity     string                     `json:"severity"`
	SrcEndpoint  ocsfEndpoint               `json:"src_endpoint"`
	Status       string                     `json:"status"`
	StatusCode   string                     `json:"status_code,omitempty"`
	StatusID     int                        `json:"status_id"`
	Time         int64                      `json:"time"`
	TypeName     string                     `json:"type_name"`
	TypeUID      int                        `json:"type_uid"`
	Unmapped     map[string]json.RawMessage `json:"unmapped,omitempty"`
}

type ocsfActor struct {
	AppName        string              `json:"app_name,omitempty"`
	AppUID         string              `json:"app_uid,omitempty"`
	Authorizations []ocsfAuthorization `json:"authorizations,omitempty"`
	Session        *ocsfUID            `json:"session,omitempty"`
	User           *ocsfUID            `json:"user,omitempty"`
}

type ocsfAuthorization struct {
	Decision string   `json:"decision"`
	Policy   *ocsfUID `json:"policy,omitempty"`
}

type ocsfUID struct {
	UID string `json:"uid"`
}

type ocsfAPI struct {
	Operation string      `json:"operation"`
	Request   *ocsfUID    `json:"request,omitempty"`
	Service   ocsfService `json:"service"`
}

type ocsfService struct {
	Name string `json:"name"`
}

type ocsfEndpoint struct {
	SvcName string `json:"svc_name,omitempty"`
	UID     string `json:"uid,omitempty"`
}

type ocsfMetadata struct {
	CorrelationUID string      `json:"correlation_uid"`
	EventCode      string      `json:"event_code"`
	LogName        string      `json:"log_name"`
	LogVersion     string      `json:"log_version"`
	OriginalTime   string      `json:"original_time"`
	Product        ocsfProduct `json:"product"`
	Sequence       int64       `json:"sequence"`
	TenantUID      string      `json:"tenant_uid"`
	UID            string      `json:"uid"`
	Version        string      `json:"version"`
}

type ocsfProduct struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
}

type ocsfResource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// mapped are the fields of a leaf that have an attribute of their own.
var mapped = []string{
	"actor", "change_id", "code", "decision", "destination", "hold_ids", "key_ids", "kind",
	"request_id", "scope_refs", "session", "subject_refs", "tenant", "time", "v",
}

// sentences are those of the kinds.
var sentences = func() map[audit.Kind]string {
	m := make(map[audit.Kind]string)
	for _, info := range audit.Kinds() {
		m[info.Kind] = info.Sentence
	}
	return m
}()

func ocsfOf(origin string, batch []record) ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b) // ends each event with a line feed
	w.SetEscapeHTML(false)
	for i := range batch {
		event, err := ocsfFrom(origin, &batch[i])
		if err != nil {
			return nil, err
		}
		if err := w.Encode(event); err != nil {
			return nil, fmt.Errorf("export: entry %d as an event: %w", batch[i].index, err)
		}
	}
	return b.Bytes(), nil
}

func ocsfFrom(origin string, r *record) (*ocsfEvent, error) {
	e := &r.entry
	rest, err := unmapped(r)
	if err != nil {
		return nil, err
	}
	activity := activityOf(e.Kind)
	severity := severityOf(e)
	status := statusOf(e)
	event := &ocsfEvent{
		ActivityID: activity.id, ActivityName: activity.name,
		Actor:        actorOf(e),
		API:          ocsfAPI{Operation: string(e.Kind), Service: ocsfService{product}},
		CategoryName: "Application Activity", CategoryUID: ocsfCategory,
		ClassName: "API Activity", ClassUID: ocsfClass,
		Message: sentences[e.Kind],
		Metadata: ocsfMetadata{
			CorrelationUID: e.ChangeID, EventCode: string(e.Kind), LogName: origin, LogVersion: fmt.Sprint(e.V),
			OriginalTime: e.Time.UTC().Format(csvTime), Product: ocsfProduct{product, product},
			Sequence: r.index, TenantUID: e.Tenant, UID: hex.EncodeToString(r.hash[:]), Version: ocsfVersion,
		},
		Resources:  resourcesOf(e),
		SeverityID: severity.id, Severity: severity.name,
		SrcEndpoint: sourceOf(e),
		Status:      status.name, StatusCode: e.Code, StatusID: status.id,
		Time:     e.Time.UnixNano() / int64(time.Millisecond),
		TypeName: "API Activity: " + activity.name, TypeUID: ocsfClass*100 + activity.id,
		Unmapped: rest,
	}
	if e.RequestID != "" {
		event.API.Request = &ocsfUID{e.RequestID}
	}
	if e.Destination != "" {
		event.DstEndpoint = &ocsfEndpoint{SvcName: e.Destination}
	}
	return event, nil
}

// unmapped is the leaf without what is mapped.
func unmapped(r *record) (map[string]json.RawMessage, error) {
	rest := make(map[string]json.RawMessage)
	if err := json.Unmarshal(r.leaf, &rest); err != nil {
		return nil, fmt.Errorf("export: entry %d as an event: %w", r.index, err)
	}
	for _, name := range mapped {
		delete(rest, name)
	}
	if r.entry.Decision != "" {
		delete(rest, "policy_version") // it stands with the decision
	}
	return rest, nil
}

// actorOf names who acted. What nobody asked for the service did itself.
func actorOf(e *audit.Entry) ocsfActor {
	actor := ocsfActor{AppUID: e.Client.ClientID}
	if e.Actor != "" {
		actor.User = &ocsfUID{e.Actor}
	}
	if e.Session != "" {
		actor.Session = &ocsfUID{e.Session}
	}
	if actor.User == nil && actor.Session == nil && actor.AppUID == "" {
		actor.AppName = product
	}
	if e.Decision != "" {
		authorization := ocsfAuthorization{Decision: string(e.Decision)}
		if e.PolicyVersion != "" {
			authorization.Policy = &ocsfUID{e.PolicyVersion}
		}
		actor.Authorizations = []ocsfAuthorization{authorization}
	}
	return actor
}

// sourceOf is the machine that called, and else the service.
func sourceOf(e *audit.Entry) ocsfEndpoint {
	if e.Client.ClientID != "" {
		return ocsfEndpoint{UID: e.Client.ClientID}
	}
	return ocsfEndpoint{SvcName: product, UID: e.Replica}
}

func resourcesOf(e *audit.Entry) []ocsfResource {
	var resources []ocsfResource
	for _, of := range []struct {
		kind string
		uids []string
	}{{"scope", e.ScopeRefs}, {"subject", e.SubjectRefs}, {"hold", e.HoldIDs}, {"data key", e.KeyIDs}} {
		for _, uid := range of.uids {
			resources = append(resources, ocsfResource{Type: of.kind, UID: uid})
		}
	}
	return resources
}
