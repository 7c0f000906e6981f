package main

import (
	"slices"
	"strings"
)

// entities maps the labels of the data sets to entities. Labels that are not in it (titles, ages, user names, ...) count
// for coverage only.
var entities = map[string]string{
	"EMAIL": email, "EMAIL_ADDRESS": email,
	"PHONE": phone, "PHONE_NUMBER": phone, "PHONENUMBER": phone,
	"CREDIT_CARD": card, "CREDITCARDNUMBER": card,
	"IBAN": iban, "DE_IBAN": iban, "IBAN_CODE": iban,
	"SSN": ssn, "US_SSN": ssn,
	"IP_ADDRESS": ip,
	"PERSON":     person, "FIRSTNAME": person, "SURNAME": person,
	"LOCATION": location, "GPE": location, "ADDRESS": location, "STREET_ADDRESS": location, "ZIP_CODE": location,
	"STREET": location, "BUILDINGNUM": location, "CITY": location, "STATE": location, "ZIP": location, "COUNTRY": location,
	"ORGANIZATION": "ORGANIZATION", "COMPANYNAME": "ORGANIZATION",
	"DATE_TIME": "DATE_TIME", "DATE": "DATE_TIME", "DATEOFBIRTH": "DATE_TIME",
	"URL": "URL", "DOMAIN_NAME": "URL", "PASSWORD": "PASSWORD", "SECURITYTOKEN": "API_KEY",
	"LICENSEPLATENUM": "LICENSE_PLATE", "PASSPORTID": "US_PASSPORT", "US_DRIVER_LICENSE": "US_DRIVER_LICENSE",
	"DE_VAT_ID": "DE_VAT_ID",
}

const (
	email    = "EMAIL_ADDRESS"
	phone    = "PHONE_NUMBER"
	card     = "CREDIT_CARD"
	iban     = "IBAN_CODE"
	ssn      = "US_SSN"
	ip       = "IP_ADDRESS"
	person   = "PERSON"
	location = "LOCATION"
)

// addressOnly are the labels that make of their neighbours an address.
var addressOnly = []string{"ADDRESS", "STREET_ADDRESS", "ZIP_CODE", "STREET", "BUILDINGNUM", "ZIP", "STATE"}

// maxGap is the widest gap between two parts of an address: the end of a line, its indentation, and what stands for
// characters that one of the sets has lost.
const maxGap = 8

// gold are the labels of a record by their entities, first name and surname as one. With merge the parts of an address
// are one, too.
func gold(r record, merge bool) []label {
	var out []label
	labels := slices.Clone(r.Spans)
	slices.SortStableFunc(labels, func(a, b label) int { return a.Start - b.Start })
	address := false // the last of out has a part that only addresses have
	for _, l := range labels {
		entity, ok := entities[l.Type]
		if !ok {
			continue
		}
		part := slices.Contains(addressOnly, l.Type)
		if n := len(out); n > 0 && out[n-1].Type == entity && l.Start >= out[n-1].End {
			gap := r.Text[out[n-1].End:l.Start]
			names := entity == person && gap == " " && l.Type == "SURNAME"
			parts := entity == location && merge && (part || address) && len(gap) <= maxGap && strings.Trim(gap, " \t\r\n,;?") == ""
			if names || parts {
				out[n-1].End = l.End
				address = address || part
				continue
			}
		}
		out = append(out, label{Start: l.Start, End: l.End, Type: entity})
		address = part
	}
	return out
}
