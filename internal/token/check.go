package token

import "hash/crc32"

// The check characters are a Reed-Solomon code over GF(32) (Reed and Solomon,
// "Polynomial codes over certain finite fields", 1960), shortened from length
// 31 to 10 (label) and 28 (opaque), generator (x - 1)(x - a). It has distance 3,
// the most that two check symbols can give: any two wrong characters, so any
// transposition too, are caught.

// fieldPolynomial is x^5 + x^2 + 1, primitive over GF(2), so that a = x has
// order 31 and every position up to length 31 has its own power of a.
const fieldPolynomial = 0x25

// inverseOnePlusA is 1/(1+a): 1+a is a^18 in this field, and a^(31-18) is 28.
const inverseOnePlusA = 28

// checkChars is the number of check characters in every token.
const checkChars = 2

// double multiplies by a.
func double(v byte) byte {
	v <<= 1
	if v&0x20 != 0 {
		v ^= fieldPolynomial
	}
	return v
}

// multiply is the product in GF(32).
func multiply(x, y byte) (product byte) {
	for ; y != 0; y >>= 1 {
		if y&1 != 0 {
			product ^= x
		}
		x = double(x)
	}
	return product
}

// syndromes evaluates the word as a polynomial, first symbol highest, at the two
// roots of the generator. Both are zero exactly for code words.
func syndromes(symbols []byte) (atOne, atA byte) {
	for _, s := range symbols {
		atOne ^= s
		atA = double(atA) ^ s
	}
	return atOne, atA
}

// parity returns the two symbols that make symbols a code word: the solution of
// p + q = s0 and ap + q = a²s1.
func parity(symbols []byte) (p, q byte) {
	s0, s1 := syndromes(symbols)
	p = multiply(s0^double(double(s1)), inverseOnePlusA)
	return p, s0 ^ p
}

// foldMultiplier reduces the 32 bits of a CRC to the 10 that two symbols hold
// (multiply and shift, Knuth volume 3 section 6.4). It is the smallest odd
// number for which all labels in testdata/labels.txt get different bits.
const foldMultiplier = 0x2e95e0d

// opaqueMix stands in for the label of opaque tokens. It is no valid label.
const opaqueMix = "tok"

// mixOf is what the check characters of one label are XORed with: a fold of
// CRC-32 (IEEE 802.3). It is not a secret and no defence against somebody who
// makes up tokens; it catches a label that was changed by mistake.
func mixOf(label string) (mix [checkChars]byte) {
	ten := checksum(label) * foldMultiplier >> 22
	return [checkChars]byte{byte(ten >> bitsPerSymbol), byte(ten & 31)}
}

// checksum is crc32.ChecksumIEEE of a label, which would first be copied to the
// heap for it: once for each token that is read.
func checksum(label string) uint32 {
	crc := ^uint32(0)
	for i := range len(label) {
		crc = crc32.IEEETable[crc&0xff^uint32(label[i])] ^ crc>>8
	}
	return ^crc
}

// checkHolds tests symbols that end with their check characters. The slice is
// used up.
func checkHolds(symbols []byte, mix [checkChars]byte) bool {
	n := len(symbols)
	symbols[n-2] ^= mix[0]
	symbols[n-1] ^= mix[1]
	s0, s1 := syndromes(symbols)
	return s0 == 0 && s1 == 0
}
