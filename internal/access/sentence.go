package access

import (
	"strconv"
	"strings"
)

// phrases turn the words of a table into those of a sentence. A word that has
// no phrase stands for itself.
var phrases = map[string]string{
	"client " + clientSame:  "of the same client",
	"client " + clientOther: "of another client",

	"end user " + string(EndUserSame):    "for the same end user",
	"end user " + string(EndUserUnbound): "where no end user is bound",
	"end user " + string(EndUserAbsent):  "naming no end user",
	"end user " + string(EndUserOther):   "naming another end user",

	"stored " + storedHeld:           "kept by a hold only",
	"stored " + storedRestricted:     "under restriction",
	"stored " + storedHeldRestricted: "kept by a hold and under restriction",

	"place " + string(PlaceURL):  "a URL",
	"place " + string(PlaceTool): "a tool argument",

	"action " + string(ActionScope):              "make or change a scope",
	"action " + string(ActionAuditRead):          "read the audit log",
	"action " + string(ActionPolicyRead):         "read the policy",
	"action " + string(ActionLimitsRead):         "read the limits",
	"action " + string(ActionAssertEndUser):      "say for which end user it calls",
	"action " + string(ActionHoldPlace):          "place or review a legal hold",
	"action " + string(ActionHoldRelease):        "release a legal hold",
	"action " + string(ActionHoldRead):           "read the legal holds",
	"action " + string(ActionSubjectSearch):      "search for a person",
	"action " + string(ActionSubjectLink):        "tie values to a person",
	"action " + string(ActionErase):              "erase what there is of a person",
	"action " + string(ActionRequestRead):        "read the requests of persons",
	"action " + string(ActionRequestManage):      "take in and answer the requests of persons",
	"action " + string(ActionRequestReport):      "read what a person is told",
	"action " + string(ActionNamesRestore):       "have the names of scopes and people back",
	"action " + string(ActionRetentionRead):      "read what is kept for how long",
	"action " + string(ActionApproveRestore):     "approve a restoration",
	"action " + string(ActionApproveErase):       "approve a large erasure",
	"action " + string(ActionApproveHoldRelease): "approve the release of a legal hold",
	"action " + string(ActionApprovePolicy):      "approve a policy",
	"action " + string(ActionApproveTrim):        "approve the trimming of old keys",
	"action " + string(ActionApproveTenantClose): "approve the closing of a tenant",
	"action " + string(ActionApprovalRead):       "read what waits for approval",
	"action " + string(ActionReviewRead):         "read the reviews of emergencies",
	"action " + string(ActionReviewClose):        "close the review of an emergency",
	"action " + string(ActionQuotaRead):          "read what is left of a budget",
	"action " + string(ActionSuspend):            "suspend restorations, or lift a suspension",
	"action " + string(ActionSuspensionRead):     "read the suspensions",
	"action " + string(ActionIncidentManage):     "open, keep and close an incident",
	"action " + string(ActionIncidentRead):       "read the incidents, and who was exposed",
	"action " + string(ActionConsentManage):      "record a consent, or its withdrawal",
	"action " + string(ActionConsentRead):        "read the consents",
	"action " + string(ActionExposureRead):       "read which agreements cover what goes where",
	"action " + string(ActionPolicyManage):       "load, try, promote or roll back a policy",
	"action " + string(ActionPolicyExplain):      "ask what the policy would decide, and why",
	"action " + string(ActionKeyManage):          "rotate and trim keys",
	"action " + string(ActionTenantManage):       "open or close a tenant",
	"action " + string(ActionAccessReview):       "record a review of who may restore what",
	"action " + string(ActionDispatch):           "write down what a vendor did with a prompt",
	"action " + string(ActionEvidence):           "ask for the evidence of a period",
	"action " + string(ActionControls):           "try the controls",

	"form " + string(FormFull):    "in full",
	"form " + string(FormPartial): "in part",
	"form " + string(FormMasked):  "masked",
}

func phrase[T ~string](kind string, word T) string {
	if p, ok := phrases[kind+" "+string(word)]; ok {
		return p
	}
	return string(word)
}

// either joins the phrases of words as a sentence does.
func either[T ~string](kind, last string, items []T) string {
	var s strings.Builder
	for i, item := range items {
		switch {
		case i > 0 && i == len(items)-1:
			s.WriteString(" " + last + " ")
		case i > 0:
			s.WriteString(", ")
		}
		s.WriteString(phrase(kind, item))
	}
	return s.String()
}

// sentence puts the line into words. It is made from what is checked, so that
// the two cannot drift apart.
func (l *line) sentence(b bucket) string {
	var s strings.Builder
	s.WriteString(either("role", "or", l.roles) + l.caller())
	if l.allow {
		s.WriteString(" may ")
	} else {
		s.WriteString(" may not ")
	}
	s.WriteString(phrase("action", b.action))
	if b.action == ActionRestore {
		s.WriteString(" " + l.data() + " for " + b.reason)
	}
	if len(l.places) > 0 {
		s.WriteString(" in " + either("place", "or", l.places))
	}
	if len(l.tools) > 0 {
		s.WriteString(" of " + either("tool", "or", l.tools))
	}
	if !l.allow {
		return s.String() + " (" + string(l.why) + ")"
	}
	if l.form != "" {
		s.WriteString(", " + phrase("form", l.form))
	}
	switch {
	case l.after == 1:
		s.WriteString(", after one approval")
	case l.after > 1:
		s.WriteString(", after " + strconv.Itoa(l.after) + " approvals")
	}
	return s.String()
}

// caller says who is meant, between commas.
func (l *line) caller() string {
	var parts []string
	if len(l.clients) > 0 {
		parts = append(parts, either("client", "or", l.clients))
	}
	if len(l.endUsers) > 0 {
		parts = append(parts, either("end user", "or", l.endUsers))
	}
	parts = append(parts, yesNo(l.mfa, "with a second factor", "without a second factor")...)
	parts = append(parts, yesNo(l.acr, "strongly enough authenticated", "not strongly enough authenticated")...)
	parts = append(parts, yesNo(l.second, "if somebody else placed it", "who placed it")...)
	parts = append(parts, yesNo(l.consent, "with the consent of the person", "without the consent of the person")...)
	if len(l.hours) > 0 {
		parts = append(parts, either("", "or", l.hours)+" its hours")
	}
	if len(l.network) > 0 {
		parts = append(parts, either("", "or", l.network)+" its networks")
	}
	for _, c := range l.with {
		parts = append(parts, "with "+c.name)
	}
	for _, c := range l.without {
		parts = append(parts, "without "+c.name)
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + strings.Join(parts, ", ") + ","
}

// yesNo is the phrase for what a sentence demands or excludes.
func yesNo(demand *bool, yes, no string) []string {
	switch {
	case demand == nil:
		return nil
	case *demand:
		return []string{yes}
	}
	return []string{no}
}

// data says which values are meant.
func (l *line) data() string {
	text := either("class", "and", l.classes) + " data"
	if len(l.entities) > 0 {
		text += " (" + either("entity", "or", l.entities) + ")"
	}
	if len(l.stored) > 0 {
		text += ", " + either("stored", "or", l.stored) + ","
	}
	return text
}
