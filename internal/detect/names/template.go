package names

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// templates are texts of our own in the manner of letters, forms, chats and tickets, which the labelled sets lack. {P} is
// a full name, {F} a first name, {S} a surname, {C} a city, {N} a country, {A} an address, {O} an organisation, {D} a number.
var templates = []string{
	"My name is {P} and I live in {C}.", "my name is {F}", "Hi, I'm {F} from {C}.", "I am {P}, born in {C}, {N}.", "This is {P} calling from {O}.",
	"Dear {P},\nthank you for your letter of last week.", "Dear Mr. {S},", "Dear Mrs. {S}, we have received your payment.", "Dear {F},\n\nhow are you?",
	"Dear Dr. {S},", "Hello {F}, can you help me with my order?", "Hey {F}!", "Hi {F},", "Good morning {F}, your parcel is ready.", "Thanks, {F}",
	"Thank you,\n{P}", "Best regards,\n{P}\n{O}\n{A}", "Kind regards\n{F} {S}", "Yours sincerely,\n{P}", "Cheers,\n{F}", "Regards,\n{F}", "Love, {F}", "-- \n{P}\n{A}",
	"Name: {P}", "Name: {P}\nAddress: {A}", "First name: {F}\nLast name: {S}\nCity: {C}", "Customer: {P}", "Patient: {P}, age {D}", "Full name: {P}\nCountry: {N}",
	"name={P}; city={C}", "Contact person: {P}", "Attn: {P}\n{O}\n{A}", "From: {P}\nTo: {P}\nSubject: invoice {D}", "Cc: {P}, {P}", "Account holder: {P}", "Signed by {P}",
	"Ship to: {P}, {A}", "Deliver it to {A} please.", "Address: {A}", "Our office is at {A}.", "I moved to {A} last month.", "He lives at {A}.", "You can find us at {A}, next to the park.",
	"please send the card to {A}", "{P}\n{A}", "{P}\n{O}\n{A}\n", "Invoice to\n{P}\n{A}\n{N}", "Pick me up at {A} at {D}.", "The parcel went to {A} instead of {A}.", "Where is {A}?",
	"{F} and {F} went to {C} together.", "{F}, {F}, {F} and {F} were there.", "Guests: {P}, {P}, {P}", "The team is {F}, {F} and {F}.", "\"{L}\" <mail@example.org>", "From: {L}", "\"{F}\" <mail@example.org>", "\"{P}\" <mail@example.org> wrote:", "{L}\n{L}", "Is {F} coming?", "Ask {F} about it.", "Tell {P} that I called.",
	"{P} said that {F} would not come.", "\"I don't know\", says {P}.", "{P} told me to call {F}.", "{S} and {S} wrote the report.", "A letter by {P} was found.", "the book by {S} is out", "{S}'s paper is better than that of {S}.",
	"The {S} case was closed.", "According to {P}, nothing happened.", "I spoke with {P} ({O}) yesterday.", "She called her son {F}.", "Her name is {F}.", "What did {F} {S} say?", "Who is {P}?", "It was signed by {P} and {P}.",
	"Please add {P} to the contract.", "The policy is under the name of {P}.", "The card belongs to my wife, {P}.", "my husband {F} has the same problem", "my boss {P} is away", "I want to speak to {F} please.", "my doctor is Dr. {S} in {C}",
	"{F}, can you look at this?", "{F}: ok, see you there", "{F} (left) and {F} (right)", "Meeting with {P} at {D}", "1. {P}\n2. {P}\n3. {P}", "{P} - Manager\n{P} - Assistant", "{S}, {F}", "Prof. {P} teaches in {C}.", "Ms. {S} arrived.",
	"We flew from {C} to {C}.", "{C} is a nice town.", "Weather in {C}, {N}", "I work in {C}.", "They come from {N}.", "The train to {C} is late.", "The economy of {N} grew.", "City: {C}\nCountry: {N}", "{C}, {N}", "moving to {N} next year", "{N} won against {N}.",
	"The mayor of {C} met {P}.", "Hotels in {C}?", "a trip to {C} and {C}", "the {O} branch in {C}", "I used to work for {O}.", "{O} has bought {O}.", "{P} is from {O}.", "{F} joined {O} in {C}.",
	"Born: {D}, {C}", "the {C} office opens at {D}", "{P}, {C}", "User: {P}\nBot: Hello {F}!", "Agent: What is your name?\nCustomer: {P}", "Agent: And your address?\nCustomer: {A}",
	"I want to change my address from {A} to {A}", "the flat in {A} is for rent", "Return it to {O}, {A}.", "At {A} there was a fire.", "{D} people live in {C}.",
	"How can I reset my password?", "Please cancel my order {D}.", "I would like to open an account. What are the fees?", "The Manager will call you back.", "My Account is locked, Help!", "Monday is fine. May I come at {D}?",
	"Bot: How can I help you today?\nUser: I lost my card", "What is the capital of {N}?", "Write a poem about spring.", "Summary: Update the Customer Record", "Could you raise the limit of my card?", "Total amount due: {D}",
}

// fill makes one example of a template.
func fill(rng *rand.Rand, template string, ls *nameLists) labelled {
	var text strings.Builder
	var l labelled
	for template != "" {
		i := strings.IndexByte(template, '{')
		if i < 0 {
			text.WriteString(template)
			break
		}
		text.WriteString(template[:i])
		value, c, ok := slot(rng, template[i+1], ls)
		start := text.Len()
		text.WriteString(value)
		if ok {
			l.spans = append(l.spans, span{start, text.Len(), c})
		}
		template = template[i+3:]
	}
	l.text = text.String()
	return l
}

func slot(rng *rand.Rand, what byte, ls *nameLists) (string, Class, bool) {
	switch what {
	case 'P':
		return randomName(rng, ls, 2+rng.IntN(5)/4), Person, true
	case 'L':
		return pick(rng, ls.surnames) + ", " + pick(rng, ls.firsts), Person, true
	case 'F':
		return pick(rng, ls.firsts), Person, true
	case 'S':
		return pick(rng, ls.surnames), Person, true
	case 'C':
		return pick(rng, ls.cities), Location, true
	case 'N':
		return randomCountry(rng, ls), Location, true
	case 'A':
		return randomAddress(rng, ls), Location, true
	case 'O':
		return pick(rng, ls.surnames) + pick(rng, companyEnds), Organization, true
	case 'D':
		return fmt.Sprint(rng.IntN(1 << rng.IntN(20))), 0, false
	}
	panic("names: a template with an unknown slot")
}

var companyEnds = []string{" Ltd", " Inc", " GmbH", " & Sons", " Bank", " Group", " Systems", " Consulting", " LLC", " and Partners", " Foods", " University", " SA", " Airlines"}

// randomAddress is an address in the manner of one of several countries.
func randomAddress(rng *rand.Rand, ls *nameLists) string {
	number := fmt.Sprint(1 + rng.IntN(1<<(4+rng.IntN(10))))
	zip := fmt.Sprintf("%05d", rng.IntN(100000))
	name, town := pick(rng, ls.surnames), pick(rng, ls.cities)
	state := pick(rng, stateCodes)
	sep := pick(rng, []string{", ", "\n", ", ", " "})
	flat := ""
	if rng.IntN(3) == 0 {
		flat = sep + pick(rng, []string{"Apt. ", "Suite ", "Apt ", "Unit ", "Floor ", "#"}) + fmt.Sprint(1+rng.IntN(900))
	}
	country := ""
	if rng.IntN(3) == 0 {
		country = sep + randomCountry(rng, ls)
	}
	street := ""
	switch rng.IntN(8) {
	case 0, 1, 2:
		street = number + " " + name + " " + pick(rng, englishStreets) + flat + sep + town + ", " + state + " " + zip
	case 3:
		street = number + " " + name + " " + pick(rng, englishStreets) + sep + town + " " + fmt.Sprintf("%c%d %d%c%c", 'A'+rng.IntN(26), 1+rng.IntN(20), rng.IntN(10), 'A'+rng.IntN(26), 'A'+rng.IntN(26))
	case 4:
		street = name + pick(rng, gluedStreets) + " " + number + sep + zip + " " + town
	case 5:
		street = number + " " + pick(rng, streetPrefixes) + " " + name + sep + zip + " " + town
	case 6:
		street = pick(rng, streetPrefixes) + " " + name + " " + number + flat + sep + town
	default:
		street = "P.O. Box " + number + sep + town + sep + zip
	}
	return street + country
}

var (
	englishStreets = []string{"Street", "St.", "Road", "Rd", "Avenue", "Ave", "Lane", "Drive", "Court", "Way", "Boulevard", "Blvd", "Place", "Terrace", "Close", "Crescent", "Hill", "Square", "Circle", "Parkway"}
	gluedStreets   = []string{"straße", "strasse", "weg", "str.", "gasse", "platz", "allee", "straat", "laan", "vej", "gatan", "vägen", "katu", "tie", "veien", "gade"}
	streetPrefixes = []string{"rue", "rue de", "avenue", "Via", "Calle", "Rua", "ul.", "Avenida", "Boulevard", "Piazza", "Praça", "Plaza", "place", "Viale"}
	stateCodes     = strings.Fields("AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC")
)
