package names

import "strings"

// role is what a word may do in an address or before a name.
type role uint32

const (
	streetEnd    role = 1 << iota // 12 Main Street
	surelyStreet                  // of these, those that are next to never another word
	streetStart                   // Via Roma 12
	secondary                     // Apt. 4
	boxWord                       // P.O. Box 4
	boxAlone                      // Postfach 4
	beforeBox                     // P.O., PSC, Unit
	armyPost
	armyState
	ship
	stateCode
	compass
	particle // of names: de, van, la
	title    // of persons: Mr.
	month
	notAddress
	closing   // Regards
	codeLabel // ZIP, postcode
	postal    // before code
	code
	corner
	nameLabel // "Name:", "my name is"
	joiner    // of these, those inside names of persons
	office    // President, Doctor: before a name but no part of it
)

// roles by the hash of the folded word.
var roles = func() map[uint32]role {
	all := make(map[uint32]role)
	for _, r := range []struct {
		role  role
		words string
	}{
		{streetEnd | surelyStreet, "street road avenue ave rd blvd boulevard lane drive ln terrace crescent st dr hwy highway pkwy parkway utca ulica ulice"},
		{streetEnd, streetEnds},
		{streetStart, streetStarts},
		{secondary, "apt apartment suite ste unit flat floor room appt wohnung whg lokal lok piso"},
		{boxWord, "box"}, {boxWord | boxAlone, "postfach postbus postboks apartado casilla bp pobox"},
		{beforeBox, "po p psc unit post office cmr"}, {armyPost, "apo fpo dpo"}, {armyState, "aa ae ap"}, {ship, "uss usns usnv uscgc hms"},
		{stateCode, strings.ToLower(strings.Join(stateCodes, " "))},
		{compass, "north south east west n s e w ne nw se sw"},
		{particle, "de da do dos das del della di du des la le les el al van von der den zu zum zur ter ten of the bin ibn abu y e i"},
		{joiner, "de da do dos das del della di du la le van von der den zu zum zur ter ten bin ibn abu al el"},
		{closing | notAddress, "regards sincerely cheers thanks best love greetings yours"},
		{month | notAddress, "january february march april june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec"},
		{notAddress, "and or is are was were at to for from by in on with the a an phone tel fax email mobile desk office please call am pm monday tuesday wednesday thursday friday saturday sunday http https www number card total"},
		{nameLabel, "name names surname firstname lastname fullname"}, {office | title, titleWords}, {office, officeWords},
		{postal, "zip postal post post-code"}, {code, "code kod codes"}, {corner | notAddress, "corner"},
		{codeLabel, "zip zipcode postcode postalcode plz eircode pincode postleitzahl"},
	} {
		for w := range strings.FieldsSeq(r.words) {
			all[hashOf(w)] |= r.role
		}
	}
	return all
}()

var (
	andHash   = hashOf("and")
	isHash    = hashOf("is")
	angleHash = hashString("<")
)

var quoteMark = hashString(">")

// The types of streets: those of the USPS and Royal Mail lists in use, and what stands after or before the name elsewhere.
const (
	streetEnds = `alley allee arcade bend boulevard branch bridge broadway brook bypass causeway center centre circle circuit close
common corner court courts cove creek crest cross crossing dale dell esplanade estate estates expressway extension field fields
fairway ferry ford forge forges forks freeway garden gardens gate gateway glen glens green greens grove harbor haven heights hill hills
hollow island islands isle junction key keys knoll knolls lake lakes landing line lock locks lodge loop mall manor meadow meadows
mews mill mills mount mountain motorway orchard oval overpass park parks parkways pass passage path pike pine pines place plain plains
plaza point points port prairie promenade quay radial ramp ranch rapids rest ridge ridges rise river route row run shoal shoals
shore shores skyway spring springs spur square squares station stravenue stream streets strand summit throughway trace track
trafficway trail trailer tunnel turnpike underpass union unions vale valley viaduct view views village ville vista walk walks wall way ways
well wells ct cir sq pl ter wy trl u ut ter tere utja vej gade gata gatan vagen vei veien weg strasse str platz straat laan gracht plein kade
singel tie katu kuja cesta trg`
	streetStarts = `rue via viale vicolo piazza piazzale corso largo strada contrada calle avenida avda av plaza paseo camino camino rua r
travessa praca alameda estrada ul ulica aleja al os boulevard bd chemin impasse allee place quai route avenue carrer rambla ronda passeig
am im an zum zur str bulevardul calea jalan lorong`
	officeWords = `president senator sen governor gov minister secretary chancellor king queen prince princess captain capt colonel col general gen
sergeant sgt lieutenant lt major officer judge justice pope bishop prophet saint uncle aunt coach agent mayor congressman congresswoman`
	titleWords = `mr mrs ms mx miss dr prof professor doctor herr frau mme mlle monsieur madame senor senora signor signora sr sra sir lady
lord rev reverend mister`
)

// gluedEnds are the ends of streets that are written in one word, folded: ß is s there.
var gluedEnds = strings.Fields(`strase strasse str gasse platz allee damm weg steig gurtel straat laan singel gracht plein dreef steenweg
vej gade vaenget gatan gata vagen stigen stien torget veien vegen veg gaten katu kuja polku tie kaari gotu braut vegur stigur straeti utca`)
