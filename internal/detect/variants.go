package detect

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// maxVariants bounds the other ways to write a value: each is a digest more to
// look up under every index key, and more of them would find strangers.
const maxVariants = 8

// Variants are other ways in which what a person is known by may have been
// written, of those whose normalised form differs from that of the value. They
// serve the search for a person by digests, where only what is asked for is
// found. Each is in its normalised form, none is that of the value, none comes
// twice; the likelier come first, at most eight, always the same for the same
// value.
//
//   - An e-mail address is also looked for without a tag ("+news"), and one at
//     gmail.com or googlemail.com without dots and at both: those are one mailbox.
//   - A phone number with a country code is also looked for as it is written
//     inside of its country and without the plus; ten digits that can be North
//     American also with +1. Of any other national number nobody can say which
//     country it is of, so nothing is added to it; nor to one with an extension.
//   - The name of a person is also looked for with the last names in front
//     ("Lovelace, Ada"), or behind where they are in front, and both without
//     initials in the middle. Where the last names begin is not known: every
//     place is tried, the likeliest first.
//
// Of other values there is nothing that can be said for certain.
func Variants(how Normaliser, entity, value string) []string {
	value = Normalise(how, value)
	var candidates []string
	switch {
	case entity == entityPerson:
		candidates = nameVariants(value)
	case how == Email:
		candidates = emailVariants(value)
	case how == Phone:
		candidates = phoneVariants(value)
	}
	var out []string
	for _, candidate := range candidates {
		candidate = Normalise(how, candidate)
		if candidate != value && candidate != "" && !slices.Contains(out, candidate) && len(out) < maxVariants {
			out = append(out, candidate)
		}
	}
	return out
}

// entityPerson is the entity of names of people.
const entityPerson = "PERSON"

// gmail are two names of one domain, in which dots of the local part do not
// count (support.google.com/mail, "Dots don't matter in Gmail addresses").
var gmail = []string{"gmail.com", "googlemail.com"}

func emailVariants(address string) []string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return nil
	}
	local, domain := address[:at], address[at+1:]
	locals, domains := []string{local}, []string{domain}
	if untagged, _, tagged := strings.Cut(local, "+"); tagged && untagged != "" {
		locals = []string{untagged, local}
	}
	if slices.Contains(gmail, domain) {
		domains = append(domains, gmail[1-slices.Index(gmail, domain)])
		for _, l := range slices.Clone(locals) {
			if plain := strings.ReplaceAll(l, ".", ""); plain != "" {
				locals = append(locals, plain)
			}
		}
	}
	var out []string
	for _, d := range domains {
		for _, l := range locals {
			out = append(out, l+"@"+d)
		}
	}
	return out
}

func phoneVariants(number string) []string {
	if strings.HasPrefix(number, "+") {
		n, err := phonenumbers.Parse(number, "")
		if err != nil || n.GetExtension() != "" {
			return nil
		}
		return []string{phonenumbers.Format(n, phonenumbers.NATIONAL), number[1:]}
	}
	// In the North American plan neither an area code nor what follows it begins
	// with 0 or 1. Numbers that are given out there have their country already:
	// see Phone.
	digits := strings.TrimPrefix(number, "1")
	if len(digits) == nanpDigits && strings.Map(onlyDigits, digits) == digits && digits[0] > '1' && digits[3] > '1' {
		return []string{"+1" + digits, "1" + digits, digits}
	}
	return nil
}

// nanpDigits is how many digits a number of the North American plan has.
const nanpDigits = 10

// maxNames bounds the words of a name: what has more is not one person's.
const maxNames = 6

func nameVariants(name string) []string {
	if !utf8.ValidString(name) {
		return nil
	}
	if last, first, inverted := strings.Cut(name, ","); inverted {
		firsts, lasts := strings.Fields(first), strings.Fields(last)
		if len(firsts) == 0 || len(lasts) == 0 || len(firsts)+len(lasts) > maxNames || strings.Contains(first, ",") {
			return nil
		}
		short := withoutInitials(firsts)
		return []string{
			inOrder(firsts, lasts), inOrder(short, lasts), lastFirst(short, lasts),
		}
	}
	words := strings.Fields(name)
	if len(words) < 2 || len(words) > maxNames {
		return nil
	}
	var out []string
	for at := len(words) - 1; at > 0; at-- {
		firsts, lasts := words[:at], words[at:]
		// Initials are of first names: behind the first of the last names
		// everything would be one.
		short := withoutInitials(firsts)
		out = append(out, lastFirst(firsts, lasts), inOrder(short, lasts), lastFirst(short, lasts))
	}
	return out
}

func inOrder(firsts, lasts []string) string {
	return strings.Join(firsts, " ") + " " + strings.Join(lasts, " ")
}

func lastFirst(firsts, lasts []string) string {
	return strings.Join(lasts, " ") + ", " + strings.Join(firsts, " ")
}

// withoutInitials leaves out single letters behind the first name.
func withoutInitials(firsts []string) []string {
	out := firsts[:1:1]
	for _, word := range firsts[1:] {
		if utf8.RuneCountInString(strings.TrimSuffix(word, ".")) > 1 {
			out = append(out, word)
		}
	}
	return out
}
