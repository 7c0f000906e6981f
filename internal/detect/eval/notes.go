package main

// notes say how to read the tables. They are a part of the report.
const notes = "How it is counted: a finding is right if it shares at least half of the union with a label of its entity, a label is\n" +
	"found the same way. P, R, F1 and F2 (recall weighs twice) follow from that; \"to the byte\" are those right findings that\n" +
	"are the label exactly; \"covered by any\" is the share of the labels' bytes within a finding of whatever entity: what would\n" +
	"not have left. Everything runs at default thresholds with all default entities at once, so what loses an overlap is lost.\n" +
	"\n" +
	"Labels: first name and surname side by side are one PERSON. Parts of an address (street, number, city, state, ZIP code) with\n" +
	"nothing but spaces, commas or line ends between them are one LOCATION, as they are for us; the rows \"one by one\" leave them\n" +
	"apart. Synthetic texts are presidio-research (both sets), kiji, datafog and pasteguard: their names come from few\n" +
	"generators, so names and places are judged by the other sets. A date of birth counts as DATE_TIME.\n" +
	"\n" +
	"Labels that we read otherwise, and did not tune for: nine bare digits of which nothing says what they are (df-ssn-no-dashes,\n" +
	"pr-US_SSN-001) are no SSN; a \"National ID\" of an SSN's form (kiji-s0033, kiji-s0637; labelled as another kind) is reported\n" +
	"as CUSTOM_ID; five numbers with dots between (pr-IP_ADDRESS-074) hold no address. In texts without PII labels of that kind\n" +
	"(uner: e-mail addresses and phone numbers) findings are not counted.\n" +
	"\n"
