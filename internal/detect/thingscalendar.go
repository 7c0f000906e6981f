package detect

import "strings"

// birthWords call a date one of birth.
var birthWords = words{
	"born": noun, "birth": noun, "birthday": noun, "birthdate": noun, "dob": noun, "bday": noun, "birthdays": noun, "dateofbirth": noun,
	"geboren": noun, "geb": noun, "geburtsdatum": noun, "geburtstag": noun, "né": noun, "née": noun, "naissance": noun, "anniversaire": noun,
	"nacimiento": noun, "nacido": noun, "nacida": noun, "nació": noun, "cumpleaños": noun, "nato": noun, "nata": noun, "nascita": noun,
	"nascimento": noun, "nascido": noun, "nascida": noun, "aniversário": noun, "geboortedatum": noun, "verjaardag": noun, "född": noun,
	"födelsedatum": noun, "født": noun, "fødselsdato": noun, "syntynyt": noun, "syntymäaika": noun, "urodzony": noun, "urodzona": noun,
	"urodzenia": noun, "doğum": noun, "narozen": noun, "narozena": noun, "出生日期": noun, "生年月日": noun, "생년월일": noun,
	"died": against, "death": against, "dead": against, "deceased": against, "due": against, "expires": against, "expiry": against,
	"valid": against, "issued": against, "updated": against, "created": against, "admitted": against, "discharged": against, "invoice": against,
	"hired": against, "joined": against, "married": against, "meeting": against, "version": against, "released": against, "gestorben": against,
}

// monthNames in the languages with Latin letters that prompts are written in most; short forms may have a full stop.
var monthNames = wordsOf(`january february march april may june july august september october november december
	jan feb mar apr jun jul aug sep sept oct nov dec
	januar jänner februar märz mai juni juli oktober dezember mrz okt dez
	janvier février fevrier mars avril juin juillet août aout septembre octobre novembre décembre janv févr avr juil déc
	enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre ene abr ago dic
	gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre gen mag giu lug ott
	janeiro fevereiro março marco maio junho julho setembro outubro novembro dezembro fev out
	januari februari maart mei augustus oktober`)

// yearWords stand before a year.
var yearWords = words{
	"in": noun, "since": noun, "year": noun, "until": noun, "before": noun, "after": noun, "during": noun, "from": noun, "by": noun, "of": noun,
	"circa": noun, "jahr": noun, "seit": noun, "en": noun, "depuis": noun, "desde": noun, "nel": noun,
}

var dayNames = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// fullMonths are the names that say a month without a day or a year near, in English: the first twelve of monthNames.
const fullMonths = 12

// wordsOf is a set of the words of a text; their weight says nothing.
func wordsOf(text string) words {
	set := words{}
	for w := range strings.FieldsSeq(text) {
		set[w] = noun
	}
	return set
}

// calendarWords are the names of days and, in English, of months.
func calendarWords() []string {
	return append(strings.Fields("january february march april may june july august september october november december"), dayNames...)
}
