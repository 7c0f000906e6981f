package checkdigit

// verhoeffProduct is the multiplication table of the dihedral group D5 (J. Verhoeff, Error Detecting Decimal Codes,
// Mathematical Centre Tract 29, Amsterdam 1969).
var verhoeffProduct = [10]string{
	"0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
	"5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
}

// verhoeffTurn is the permutation of each place from the right, with period eight.
var verhoeffTurn = [8]string{
	"0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
}

// Verhoeff is the check of 1969 that catches every single wrong digit and every swap of neighbours.
func Verhoeff(digits string) bool {
	if len(digits) < 2 || !allDigits(digits) {
		return false
	}
	c := 0
	for i := range len(digits) {
		d := digit(digits[len(digits)-1-i])
		c = digit(verhoeffProduct[c][digit(verhoeffTurn[i%8][d])])
	}
	return c == 0
}
