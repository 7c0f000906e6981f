package access_test

import (
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

func TestShippedEntities(t *testing.T) {
	p := shipped(t)
	for class, names := range map[access.Class]string{
		access.ClassPublic:       "TOKEN_LIKE",
		access.ClassInternal:     "LOCATION IP_ADDRESS URL DATE_TIME ORGANIZATION CUSTOM_ID MAC_ADDRESS AU_ABN AU_ACN IT_VAT_CODE",
		access.ClassConfidential: "EMAIL_ADDRESS PHONE_NUMBER PERSON USERNAME CRYPTO",
		access.ClassRestricted: "CREDIT_CARD IBAN_CODE US_SSN NRP MEDICAL_LICENSE US_BANK_NUMBER US_DRIVER_LICENSE US_ITIN " +
			"US_PASSPORT UK_NHS UK_NINO ES_NIF ES_NIE IT_FISCAL_CODE PL_PESEL IN_AADHAAR IN_PAN SG_NRIC_FIN AU_TFN " +
			"AU_MEDICARE PRIVATE_KEY API_KEY PASSWORD",
	} {
		for name := range strings.FieldsSeq(names) {
			if e, ok := p.Entity(name); !ok || e.Name != name || e.Class != class || e.Format != "label" || e.Normaliser == "" {
				t.Errorf("%s: got %+v, want class %s", name, e, class)
			}
		}
	}
	days := map[access.Class]time.Duration{"public": 365, "internal": 180, "confidential": 90, "restricted": 30}
	for _, e := range p.Entities() {
		if e.Retention != days[e.Class]*24*time.Hour {
			t.Errorf("%s: kept for %s", e.Name, e.Retention)
		}
		secret := e.Name == "PRIVATE_KEY" || e.Name == "API_KEY" || e.Name == "PASSWORD"
		if (e.Action == access.ActBlock) != secret || !secret && e.Action != access.ActTokenize {
			t.Errorf("%s: action %s", e.Name, e.Action)
		}
	}
	if _, ok := p.Entity("SHOE_SIZE"); ok {
		t.Error("an entity that does not exist was found")
	}
}

func TestEntityRetentionMayBeShorter(t *testing.T) {
	bundle := copyOfShipped(t)
	edit(t, bundle, "entities.yaml", "{class: confidential, normaliser: email}", "{class: confidential, normaliser: email, retention_days: 7, format: opaque}")
	e, _ := load(t, bundle).Entity("EMAIL_ADDRESS")
	if e.Retention != 7*24*time.Hour || e.Format != "opaque" {
		t.Errorf("got %+v", e)
	}
}

// Text that only looks like a token is restorable, in full, by everyone who
// may restore anything: otherwise texts would not come back as they were.
func TestInvariant3_TokenLikeIsRestorableWhereAnythingIs(t *testing.T) {
	if found := tokenLikeLost(shipped(t)); len(found) > 0 {
		t.Errorf("lost: %v", found)
	}
}

func TestInvariant3_TwinARuleWithoutPublicIsCaught(t *testing.T) {
	bundle := copyOfShipped(t)
	edit(t, bundle, "policy.csv", "CUSTOMER_SUPPORT, public|internal|confidential, *", "CUSTOMER_SUPPORT, internal|confidential, *")
	if len(tokenLikeLost(load(t, bundle))) == 0 {
		t.Error("a rule that loses look-alikes passed")
	}
}

func tokenLikeLost(p *access.Policy) []string {
	var lost []string
	for _, reason := range p.Reasons() {
		for _, role := range access.Roles() {
			for _, e := range p.Entities() {
				for _, endUser := range access.EndUserMatches() {
					r := access.Request{
						Action: access.ActionRestore, Roles: []string{role}, Reason: reason.Code, Entity: e.Name, Class: e.Class,
						SameClient: true, EndUser: endUser, MFA: true, Place: access.PlaceProse,
						Approved: 2, Consented: true,
						Attributes: map[string]string{"team": "fraud", "on_call": "true"},
					}
					like := r
					like.Entity, like.Class = access.EntityTokenLike, access.ClassPublic
					if p.Decide(r).Allow && p.Decide(like).Form != access.FormFull {
						lost = append(lost, role+" "+reason.Code)
					}
				}
			}
		}
	}
	return lost
}
