package names

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// listFiles are the lists that ship inside the model: public domain, and GeoNames (CC-BY-4.0), credited in MODEL.md.
var listFiles = []struct {
	name string
	on   lists
}{
	{"smashew_first_all.txt", firstName}, {"moby_first-names.txt", firstName},
	{"smashew_surnames_all.txt", surname},
	{"wc_cities.txt", city}, {"moby_places.txt", city},
	{"wc_country.txt", country}, {"wc_sub.txt", city},
}

// wordFile has words of English, the most frequent one first.
const wordFile = "eng20k.txt"

// The ranks from which on a word is less common.
const (
	veryCommon = 500
	common     = 4000
)

// nameLists are the lists as words, for examples made of them, and as a table.
type nameLists struct {
	firsts, surnames, cities, countries []string
	table                               *listTable
}

func readLists(dir string) (*nameLists, error) {
	out := new(nameLists)
	words := make(map[uint32]lists)
	for _, f := range listFiles {
		lines, err := readLines(filepath.Join(dir, f.name))
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			putName(words, line, f.on)
		}
		switch f.on {
		case firstName:
			out.firsts = append(out.firsts, lines...)
		case surname:
			out.surnames = append(out.surnames, lines...)
		case city:
			out.cities = append(out.cities, lines...)
		case country:
			if f.name == "wc_country.txt" {
				out.countries = append(out.countries, lines...)
			}
		}
	}
	for name := range strings.SplitSeq(regions, ",") {
		putName(words, strings.TrimSpace(name), country)
	}
	for name := range strings.FieldsSeq(demonyms) {
		words[hashOf(name)] |= people
		words[hashOf(name+"s")] |= people
	}
	lines, err := readLines(filepath.Join(dir, wordFile))
	if err != nil {
		return nil, err
	}
	for i, w := range lines {
		switch hash := hashOf(w); {
		case i < veryCommon:
			words[hash] |= rankLow | rankHigh
		case i < common:
			words[hash] |= rankHigh
		default:
			words[hash] |= rankLow
		}
	}
	out.table, err = newListTable(words)
	return out, err
}

func readLines(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	var out []string
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out, nil
}

// minName leaves out letters and pieces of words that lists hold.
const minName = 2

func putName(words map[uint32]lists, name string, on lists) {
	name, _, _ = strings.Cut(name, ",") // "Bolivia, Plurinational State of"
	name, _, _ = strings.Cut(name, " (")
	if len(name) < minName {
		return
	}
	hashes := wordHashes(name)
	switch n := len(hashes); {
	case n == 1:
		words[hashes[0]] |= on
	case n > 1 && n <= maxPlaceWords && on&(firstName|surname) == 0:
		words[hashes[0]] |= beginsName
		hash := hashes[0]
		for _, h := range hashes[1:] {
			hash = pair(hash, h)
		}
		words[hash] |= on
	}
}

func wordHashes(s string) []uint32 {
	t := tokenizer{text: s}
	t.run(0, len(s))
	var out []uint32
	for _, k := range t.tokens {
		if k.kind == wordToken {
			out = append(out, k.hash)
		}
	}
	return out
}

func hashOf(word string) uint32 {
	var f folded
	f.fold(word)
	return hashBytes(f.buf[:f.n])
}

// regions are places that the lists leave out or have under other names: states of the USA, parts of the world, short names
// of countries.
const regions = `Alabama, Alaska, Arizona, Arkansas, California, Colorado, Connecticut, Delaware, Florida, Georgia, Hawaii, Idaho,
Illinois, Indiana, Iowa, Kansas, Kentucky, Louisiana, Maine, Maryland, Massachusetts, Michigan, Minnesota, Mississippi, Missouri,
Montana, Nebraska, Nevada, New Hampshire, New Jersey, New Mexico, New York, North Carolina, North Dakota, Ohio, Oklahoma, Oregon,
Pennsylvania, Rhode Island, South Carolina, South Dakota, Tennessee, Texas, Utah, Vermont, Virginia, Washington, West Virginia,
Wisconsin, Wyoming, Puerto Rico, District of Columbia, England, Scotland, Wales, Northern Ireland, Great Britain, Britain, UK, USA,
U.S., U.S.A., U.K., United States, United Kingdom, America, North America, South America, Latin America, Central America, Europe,
Eastern Europe, Western Europe, Asia, Southeast Asia, Africa, North Africa, West Africa, East Africa, South Africa, Australia,
Oceania, Antarctica, Middle East, Far East, Russia, Iran, Syria, Vietnam, Laos, Bolivia, Venezuela, Tanzania, Moldova, Taiwan,
North Korea, South Korea, Korea, Macedonia, Palestine, Gaza, West Bank, Kosovo, Czech Republic, Burma, Holland, Netherlands,
Brunei, Congo, Ivory Coast, Cape Verde, Swaziland, Soviet Union, Yugoslavia, Persia, Tibet, Kashmir, Kurdistan, Bavaria, Tuscany,
Sicily, Normandy, Brittany, Catalonia, Andalusia, Siberia, Crimea, Scandinavia, Balkans, Caribbean, Mediterranean, Atlantic,
Pacific, Arctic, Gulf of Mexico, Persian Gulf, Silicon Valley, Wall Street, Hollywood, Manhattan, Brooklyn, Bronx, Queens, Harlem,
Midwest, New England, Bay Area, White House, Capitol Hill, Downing Street, Deutschland, Bayern, Österreich, Schweiz, España, Italia,
Brasil, México, Polska, Nederland, België, Belgique, Suisse, Sverige, Norge, Danmark, Suomi, Türkiye, Turkey`

// demonyms are adjectives and nouns of countries, regions and religions.
const demonyms = `Afghan African Albanian Algerian American Andalusian Angolan Antarctic Arab Arabian Arabic Arctic Argentine Argentinian
Armenian Asian Australian Austrian Azerbaijani Bahraini Balkan Baltic Bangladeshi Basque Bavarian Belarusian Belgian Belizean Bengali
Bolivian Bosnian Brazilian British Briton Bulgarian Burmese Californian Cambodian Cameroonian Canadian Caribbean Catalan Caucasian
Chilean Chinese Colombian Congolese Cornish Corsican Costa Croatian Cuban Cypriot Czech Danish Dane Dominican Dutch Ecuadorian Egyptian
English Englishman Eritrean Estonian Ethiopian European Fijian Filipino Finnish Finn Flemish Frenchman French Georgian German Germanic
Ghanaian Greek Guatemalan Haitian Hawaiian Hispanic Honduran Hungarian Icelandic Icelander Indian Indonesian Iranian Iraqi Irish Irishman
Israeli Italian Ivorian Jamaican Japanese Jordanian Kazakh Kenyan Korean Kurd Kurdish Kuwaiti Kyrgyz Laotian Latin Latino Latvian Lebanese
Liberian Libyan Lithuanian Macedonian Malagasy Malaysian Maltese Mexican Moldovan Mongolian Moroccan Namibian Nepalese Nepali Nicaraguan
Nigerian Nordic Norwegian Omani Pakistani Palestinian Panamanian Paraguayan Parisian Persian Peruvian Pole Polish Polynesian Portuguese Qatari
Romanian Russian Rwandan Salvadoran Saudi Scandinavian Scot Scots Scottish Senegalese Serb Serbian Sicilian Singaporean Slovak Slovakian
Slovene Slovenian Somali Soviet Spaniard Spanish Sudanese Swede Swedish Swiss Syrian Taiwanese Tanzanian Texan Thai Tibetan Tunisian Turk
Turkish Ugandan Ukrainian Uruguayan Uzbek Venezuelan Vietnamese Welsh Welshman Yemeni Yugoslav Zambian Zimbabwean Western Eastern Northern
Southern Londoner Yorker Christian Catholic Protestant Orthodox Muslim Islamic Islamist Jew Jewish Judaic Hindu Buddhist Sikh Sunni Shia
Shiite Shi'ite Sufi Mormon Methodist Baptist Lutheran Anglican Jihadi Zionist Nazi Communist Republican Democrat Democratic Conservative`
