package checkdigit

import (
	"crypto/sha256"
	"strings"
)

// base58 is Bitcoin's alphabet: without 0, O, I and l.
const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

const (
	// addressBytes is a version byte, 20 bytes of hash and 4 of the check.
	addressBytes = 25
	// minBase58 and maxBase58 are what 25 bytes need: leading zeros are one character each.
	minBase58 = 25
	maxBase58 = 35
)

// Base58Check decodes an address of 25 bytes in base 58, and says whether the last four are the check of the rest: the first
// bytes of SHA-256 applied twice (Bitcoin Wiki, "Base58Check encoding"). The version tells the network and the kind.
func Base58Check(s string) (version byte, ok bool) {
	if len(s) < minBase58 || len(s) > maxBase58 {
		return 0, false
	}
	var raw [addressBytes]byte
	for i := range len(s) {
		carry := strings.IndexByte(base58, s[i])
		if carry < 0 {
			return 0, false
		}
		for k := addressBytes - 1; k >= 0; k-- {
			carry += int(raw[k]) * 58
			raw[k] = byte(carry & 0xff)
			carry >>= 8
		}
		if carry != 0 {
			return 0, false // more than 25 bytes
		}
	}
	zeros := 0
	for zeros < len(s) && s[zeros] == '1' {
		zeros++
	}
	for k := range addressBytes {
		// One text form only: as many leading '1' as leading zero bytes.
		if (raw[k] == 0) != (k < zeros) {
			return 0, false
		}
		if raw[k] != 0 {
			break
		}
	}
	first := sha256.Sum256(raw[:addressBytes-4])
	second := sha256.Sum256(first[:])
	return raw[0], [4]byte(second[:4]) == [4]byte(raw[addressBytes-4:])
}

// BitcoinAddress is an address of the main network: to a key or a script in base 58, or a witness in bech32.
func BitcoinAddress(s string) bool {
	if version, ok := Base58Check(s); ok {
		return version == 0 || version == 5
	}
	hrp, ok := WitnessAddress(s)
	return ok && (hrp == "bc" || hrp == "BC")
}

// bech32Alphabet is that of BIP 173: no 1, b, i, o.
const bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

const (
	maxBech32 = 90 // BIP 173: the code finds four errors up to this length
	// bech32Check and bech32mCheck are what the polynomial of BIP 173 and of BIP 350 must leave.
	bech32Check  = 1
	bech32mCheck = 0x2bc830a3
)

// WitnessAddress is an address of BIP 173 (bech32), or for versions above 0 of BIP 350 (bech32m), in upper or in lower case: a
// readable part that names the network, '1', the version, data, six check characters. It returns the readable part.
func WitnessAddress(s string) (readable string, ok bool) {
	one := strings.LastIndexByte(s, '1')
	if one < 1 || len(s) > maxBech32 || len(s)-one-1 < 7 {
		return "", false
	}
	uppers, lowers := false, false
	for i := range len(s) {
		uppers = uppers || s[i]-'A' <= 'Z'-'A'
		lowers = lowers || s[i]-'a' <= 'z'-'a'
	}
	if uppers && lowers {
		return "", false
	}
	check := uint32(1)
	for i := range one {
		if s[i] < 33 || s[i] > 126 {
			return "", false
		}
		check = bech32Step(check, uint32(lowered(s[i])>>5))
	}
	check = bech32Step(check, 0)
	for i := range one {
		check = bech32Step(check, uint32(lowered(s[i])&31))
	}
	for i := one + 1; i < len(s); i++ {
		v := strings.IndexByte(bech32Alphabet, lowered(s[i]))
		if v < 0 {
			return "", false
		}
		check = bech32Step(check, uint32(v)) //nolint:gosec // below 32
	}
	want := uint32(bech32mCheck)
	if lowered(s[one+1]) == bech32Alphabet[0] {
		want = bech32Check
	}
	return s[:one], check == want
}

// bech32Step is one step of the BCH code of BIP 173.
func bech32Step(check, v uint32) uint32 {
	top := check >> 25
	check = check&0x1ffffff<<5 ^ v
	for i, generator := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			check ^= generator
		}
	}
	return check
}

func lowered(c byte) byte {
	if c-'A' <= 'Z'-'A' {
		return c + 'a' - 'A'
	}
	return c
}
