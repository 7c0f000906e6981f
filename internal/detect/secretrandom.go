package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
)

// entropy is Shannon's, in bits per character.
func entropy(value string) float64 {
	var counts [256]int
	for i := range len(value) {
		counts[value[i]]++
	}
	sum := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(value))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// maxSequence is how many neighbours of the alphabet or of the digits may follow each other: ten at random are one in 10^14.
const maxSequence = 10

// placeholder says whether a value that has the shape of a key is one for show: documentation fills it with a word, one
// letter over and over, or the alphabet.
func placeholder(value string) bool {
	if strings.HasSuffix(value, "EXAMPLE") || strings.HasSuffix(value, "EXAMPLEKEY") || published(value) {
		return true
	}
	run, same := 1, 1
	for i := 1; i < len(value); i++ {
		a, b := lower(value[i-1]), lower(value[i])
		run, same = runLength(run, b == a+1 && isLower(b)), runLength(same, a == b && !isDigit(a) && a != 'a')
		if run >= maxSequence || same >= maxSame {
			return true
		}
	}
	return false
}

// maxSame is how often one letter may repeat. Keys have runs of "A", which is zero in base64.
const maxSame = 6

func runLength(n int, more bool) int {
	if more {
		return n + 1
	}
	return 1
}

// publishedSamples are keys that stand in their issuers' own documentation and sources, and open nothing: the sample
// keys that gitleaks allows by value, by the first eight bytes of their SHA-256, so that no scanner stumbles over them here.
var publishedSamples = map[string]bool{
	"0b476bdf9acf2123": true, "2037abcaffb2b777": true, "27a9a42931dff7eb": true, "37f8f09bdf12c2f2": true,
	"3a8b61d0f636b007": true, "3f370c9dd8225c63": true, "49f777db995e8260": true, "4c98242dcadc8b29": true,
	"8731261cb72d8626": true, "a19f89ab3555eac1": true, "a6c814bc555ae62c": true, "dc0fcf046c61640c": true,
	"e4a5542bb7fd7b67": true, "ea9bb1082cf95663": true, "eb540d2b6ee2a0a4": true, "f56e323494a6ffc2": true,
}

// Published samples are 39 characters long: only values of that length are hashed.
const publishedLength = 39

func published(value string) bool {
	if len(value) != publishedLength {
		return false
	}
	sum := sha256.Sum256([]byte(value))
	return publishedSamples[hex.EncodeToString(sum[:8])]
}

// letterPairs says how common each pair of letters is in the 20,000 most frequent words of English, from 0 (never) to 9,
// logarithmically: row by first letter, column by second.
const letterPairs = "" +
	"16772463715979161979554353631160006106106006415000308041700760661081064760004062248132810432610561532040" +
	"74796552502879463997365652500065006005006005234000206000703550042450064250003071017000700222700425401040" +
	"75867560103769851688260305300040001000004000004000004100600050020321015010002082258310802731730055530070" +
	"85318100700151660050500030727884927143256102884410415566345241477966086675634170217015600610750755500020" +
	"00000000000000000000500000845693518044558406775420606262821770444366217961304081419217900532720776602061" +
	"55555240501667150776010101600080006000005000000000006000600350020350023000000020303001300000040003100000" +
	"3122400030033333024210100030004000300000200000000001"

// wordlike says whether the letters of a value go together as those of words do. Of random values one in a
// hundred does, of names, file names and phrases nearly all.
func wordlike(value string) bool {
	pairs, sum, hex := 0, 0, true
	for i := range len(value) {
		c := lower(value[i])
		if isLower(c) && c > 'f' {
			hex = false
		}
		if i > 0 && isLower(c) && isLower(lower(value[i-1])) {
			pairs++
			sum += int(letterPairs[int(lower(value[i-1])-'a')*26+int(c-'a')] - '0')
		}
	}
	// Random letters have a mean of 2.7, words of 6.5. The fewer pairs there are, the farther chance strays.
	return !hex && pairs > 0 && 10*sum >= 46*pairs+60
}
