package detect

import "strings"

var phoneWords = words{
	"phone": noun, "phones": noun, "telephone": noun, "tel": noun, "mobile": noun, "cell": noun, "cellphone": noun, "fax": noun,
	"sms": noun, "whatsapp": noun, "hotline": noun, "landline": noun, "pager": noun, "voicemail": noun, "telefon": noun, "handy": noun,
	"mobil": noun, "rufnummer": noun, "telefonnummer": noun, "handynummer": noun, "téléphone": noun, "portable": noun, "télécopie": noun,
	"teléfono": noun, "telefono": noun, "móvil": noun, "movil": noun, "celular": noun, "cellulare": noun, "telefone": noun,
	"telemóvel": noun, "telefoon": noun, "telefoonnummer": noun, "puhelin": noun, "mob": noun, "msisdn": noun,
	"call": hint, "calls": hint, "called": hint, "calling": hint, "callback": hint, "dial": hint, "dialed": hint, "ring": hint,
	"reach": hint, "reached": hint, "contact": hint, "answering": hint, "answer": hint, "office": hint, "desk": hint,
	"home": hint, "work": hint, "extension": hint, "helpline": hint, "hotlines": hint, "support": hint,
	"emergency": hint, "backup": hint, "appelez": hint, "appeler": hint, "anrufen": hint, "ruf": hint, "llame": hint, "llamar": hint,
	"chiama": hint, "chiamare": hint, "numéro": faint, "bel": hint, "contacto": hint, "kontakt": hint,
	"ph": noun, "phoned": noun, "telephones": noun, "telefax": noun, "faxed": noun, "mobiles": noun, "gsm": noun, "fon": noun, "tollfree": noun,
	"durchwahl": noun, "festnetz": noun, "mobilnummer": noun, "tlf": noun, "komórka": noun, "telefonu": noun, "телефон": noun,
	"тел": noun, "моб": noun, "τηλέφωνο": noun, "κινητό": noun, "هاتف": noun, "טלפון": noun, "電話": noun, "電話番号": noun, "携帯": noun,
	"电话": noun, "手机": noun, "手机号": noun, "전화": noun, "전화번호": noun,
	"texted": hint, "dialled": hint, "dialing": hint, "dialling": hint, "caller": hint, "callers": hint, "reachable": hint,
	"reaching": hint, "switchboard": hint, "reception": hint, "receptionist": hint, "toll": hint, "rang": hint, "joindre": hint,
	"appel": hint, "erreichbar": hint, "erreichen": hint, "llamada": hint, "llámame": hint, "chiamami": hint, "ligue": hint,
	"ligar": hint, "zadzwoń": hint, "позвоните": hint, "звоните": hint, "номер": faint,
	"number": faint, "numbers": faint, "no": faint, "nr": faint, "nummer": faint, "numero": faint, "número": faint, "digits": faint,
	"order": against, "orders": against, "invoice": against, "isbn": against, "issn": against, "sku": against, "serial": against,
	"tracking": against, "ticket": against, "case": against, "ref": against, "reference": against, "account": against,
	"acct": against, "iban": against, "card": against, "credit": against, "ssn": against, "social": against, "version": against,
	"zip": against, "postal": against, "postcode": against, "model": against, "part": against, "item": against, "product": against,
	"sn": against, "imei": against, "license": against, "licence": against, "passport": against, "date": against, "dates": against,
	"born": against, "dob": against, "year": against, "years": against, "page": against, "pages": against, "lot": against,
	"batch": against, "id": against, "ids": against, "uuid": against, "routing": against, "aba": against, "npi": against, "vat": against, "tax": against,
	"ein": against, "timestamp": against, "epoch": against, "size": against, "bytes": against, "total": against, "price": against,
	"amount": against, "port": against, "commit": against, "revision": against, "build": against, "rfc": against,
	"sin": against, "tfn": against, "abn": against, "acn": against, "nhs": against, "nino": against, "nif": against, "nie": against,
	"dni": against, "cpf": against, "cnpj": against, "pesel": against, "bsn": against, "ahv": against, "nir": against,
	"siren": against, "siret": against, "itin": against, "tin": against, "imsi": against, "iccid": against, "vin": against,
	"barcode": against, "ean": against, "gtin": against, "upc": against,
	"doi": against, "arxiv": against, "patent": against, "mrn": against, "patient": against, "policy": against, "claim": against,
}

// phoneStart says whether a number may begin with group i.
func (s *scan) phoneStart(i int) bool {
	g := s.run.groups[i]
	if i > 0 {
		before := s.sep(i - 1)
		return strings.IndexByte(before, ' ') >= 0 || before[len(before)-1] == '('
	}
	at := s.opening(0)
	if s.gluedBefore(at) {
		return at == g.start && s.adjoining(phoneWords, at) == noun
	}
	switch s.byteBefore(at) {
	case '.', '-', '/', '+':
		// "tel.555..." and "tel-555..." name what follows; all else is a fraction, a code, a path or a sum.
		return at < 2 || !isAlnum(s.text[at-2]) && s.text[at-2] != '/' || s.adjoining(phoneWords, at-1) == noun
	case ':':
		return at < 2 || !isDigit(s.text[at-2])
	case ',':
		// The rest of a number with thousands groups: "1,234 ...".
		return at < 2 || !isDigit(s.text[at-2]) || g.len() != 3 || len(s.run.groups) > 2
	case '$':
		return false
	}
	return !s.currencyBefore(at)
}

// afterWord says whether the run begins with group i right behind a word of small letters or an e-mail address, as
// where a space was lost: "call me at415-555-0132".
func (s *scan) afterWord(i int) bool {
	if i > 0 || !s.gluedBefore(s.run.groups[0].start) {
		return false
	}
	at := s.run.groups[0].start
	if at == s.emailEnd {
		return true
	}
	from := at
	for from > 0 && at-from <= maxContextWord && isLower(s.text[from-1]) {
		from--
	}
	return at-from > 1 && s.byteBefore(from) == ' '
}

// phoneEnd says whether a number may end with group j.
func (s *scan) phoneEnd(j int) bool {
	end := s.run.groups[j].end
	if j+1 < len(s.run.groups) {
		after := s.sep(j)
		return after[0] == ' ' || after[0] == ')'
	}
	next, then := s.byteAt(end), s.byteAt(end+1)
	switch {
	case s.gluedAfter(end):
		return (next == 'x' || next == 'X') && s.extension(end) > end
	case next == '.', next == ':', next == ',':
		return !isDigit(then) && (next != '.' || !isAlpha(then))
	case next == '-':
		from, to := s.wordAfter(end, min(len(s.text), end+contextAfter))
		return !isAlnum(then) || phoneWords.find(s.text[from:to]) > nothing
	case next == '/', next == '@', next == '=':
		return !isAlnum(then)
	case next == '%':
		return false
	}
	return !strings.HasPrefix(s.text[end:], "€") && !strings.HasPrefix(s.text[end:], " €")
}

func (s *scan) currencyBefore(at int) bool {
	before := strings.TrimSuffix(s.text[:at], " ")
	return strings.HasSuffix(before, "$") || strings.HasSuffix(before, "€") || strings.HasSuffix(before, "£") ||
		strings.HasSuffix(before, "¥") || strings.HasSuffix(before, "₹")
}

// opening is where group i begins, with the parenthesis before it if that is closed within the number.
func (s *scan) opening(i int) int {
	start := s.run.groups[i].start
	if s.byteBefore(start) != '(' {
		return start
	}
	if i+1 < len(s.run.groups) && s.sep(i)[0] == ')' {
		return start - 1
	}
	return start
}

// dateLike says whether three groups are day, month and year in some order, possibly with an hour after them.
func (s *scan) dateLike(i, j int) bool {
	if j-i < 2 || j-i > 3 {
		return false
	}
	a, b, c := s.run.groups[i], s.run.groups[i+1], s.run.groups[i+2]
	if s.sep(i) != s.sep(i+1) {
		return false
	}
	switch {
	case a.len() == 4 && b.len() <= 2 && c.len() <= 2:
		return s.isYear(a) && s.value(b) <= 12 && s.value(c) <= 31
	case a.len() <= 2 && b.len() <= 2 && (c.len() == 4 || c.len() == 2):
		small, large := min(s.value(a), s.value(b)), max(s.value(a), s.value(b))
		return small >= 1 && small <= 12 && large <= 31 && j-i == 2
	}
	return false
}

// yearRange says whether the groups are "1999-2003".
func (s *scan) yearRange(i, j int) bool {
	return j == i+1 && s.isYear(s.run.groups[i]) && s.isYear(s.run.groups[j])
}

func (s *scan) isYear(g group) bool {
	v := s.value(g)
	return g.len() == 4 && v >= 1900 && v < 2100
}

// equalDigits says whether groups i to j hold one digit only.
func (s *scan) equalDigits(i, j int) bool {
	first := s.text[s.run.groups[i].start]
	for _, g := range s.run.groups[i : j+1] {
		for k := g.start; k < g.end; k++ {
			if s.text[k] != first {
				return false
			}
		}
	}
	return true
}

// houseNumber says whether two groups are of no shape that a phone number has but of one that a house
// number and a second number, or a ZIP+4 code, have.
func (s *scan) houseNumber(i, j int) bool {
	if j != i+1 {
		return false
	}
	a, b := s.run.groups[i].len(), s.run.groups[j].len()
	return a+b < 7 || a == 5 && b == 4 || b < 3
}

// value is the number a short group stands for.
func (s *scan) value(g group) int {
	v := 0
	for i := g.start; i < min(g.end, g.start+9); i++ {
		v = v*10 + int(s.text[i]-'0')
	}
	return v
}
