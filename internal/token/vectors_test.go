package token_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
)

var update = flag.Bool("update", false, "write testdata/vectors.txt from the naive implementation")

const vectorsFile = "testdata/vectors.txt"

// naiveToken writes a token by the description alone: long division by the
// generator, a field of polynomials, CRC bit by bit. It shares no code with the
// package.
func naiveToken(label string, id *big.Int) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	length, mixed := 8, label
	if label == "" {
		length, mixed = 26, "tok"
	}
	digits := make([]int, length)
	for i, rest := length-1, new(big.Int).Set(id); i >= 0; i-- {
		digits[i] = int(new(big.Int).And(rest, big.NewInt(31)).Int64())
		rest.Rsh(rest, 5)
	}
	product := func(x, y int) int {
		wide := 0
		for bit := range 5 {
			if y>>bit&1 == 1 {
				wide ^= x << bit
			}
		}
		for bit := 9; bit >= 5; bit-- {
			if wide>>bit&1 == 1 {
				wide ^= 0b100101 << (bit - 5)
			}
		}
		return wide
	}
	// (x - 1)(x - 2) = x^2 + 3x + 2
	rest := append(append([]int{}, digits...), 0, 0)
	for i := range length {
		lead := rest[i]
		rest[i+1] ^= product(lead, 3)
		rest[i+2] ^= product(lead, 2)
	}
	crc := uint32(0xFFFFFFFF)
	for _, b := range []byte(mixed) {
		crc ^= uint32(b)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0xEDB88320
			} else {
				crc >>= 1
			}
		}
	}
	mix := int(uint32(uint64(^crc)*48848397) >> 22)
	digits = append(digits, rest[length]^mix/32, rest[length+1]^mix%32)
	var out strings.Builder
	for _, d := range digits {
		out.WriteByte(alphabet[d])
	}
	if label == "" {
		return "tok_" + strings.ToLower(out.String())
	}
	return "[" + label + "_" + out.String() + "]"
}

// naiveVectors are lines of format, label or -, id in hex, token.
func naiveVectors(t *testing.T) []byte {
	var out bytes.Buffer
	m := newMinter(t, nil)
	draw := func(bits uint) *big.Int {
		n := new(big.Int)
		for range bits / 4 {
			n.Add(n.Lsh(n, 4), big.NewInt(int64(m.IntN(16))))
		}
		return n
	}
	ids := func(bits uint) []*big.Int {
		ones := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
		return []*big.Int{new(big.Int), big.NewInt(1), ones, draw(bits), draw(bits)}
	}
	for _, label := range []string{"A", "PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER_123", "US_SSN", "A_B_C_D_E_F_G_H_I_J_K_L_M_N_O_PP"} {
		for _, id := range ids(40) {
			fmt.Fprintf(&out, "label %s %x %s\n", label, id, naiveToken(label, id))
		}
	}
	for _, id := range ids(128) {
		fmt.Fprintf(&out, "opaque - %x %s\n", id, naiveToken("", id))
	}
	return out.Bytes()
}

func TestVectors(t *testing.T) {
	want := naiveVectors(t)
	if *update {
		if err := os.WriteFile(vectorsFile, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the file is not what the naive implementation writes")
	}
	lines := strings.Split(strings.TrimSpace(string(got)), "\n")
	if len(lines) < 30 {
		t.Fatalf("%d vectors", len(lines))
	}
	for _, line := range lines {
		f := strings.Fields(line)
		format, label, id, text := f[0], f[1], f[2], f[3]
		tok, err := token.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if string(tok.Format) != format || tok.Entity != strings.Trim(label, "-") || tok.String() != text {
			t.Errorf("%s read as %+v", text, tok)
		}
		if n := decode(tok.ID); n.Text(16) != id {
			t.Errorf("%s has id %s, want %s", text, n.Text(16), id)
		}
	}
}

// decode reads a base 32 number.
func decode(id string) *big.Int {
	n := new(big.Int)
	for _, r := range strings.ToUpper(id) {
		n.Add(n.Lsh(n, 5), big.NewInt(int64(strings.IndexRune("0123456789ABCDEFGHJKMNPQRSTVWXYZ", r))))
	}
	return n
}

// TestVectorsTwin shows that the vectors see a changed constant.
func TestVectorsTwin(t *testing.T) {
	good := naiveToken("PERSON", big.NewInt(123456789))
	if _, err := token.Parse(good); err != nil {
		t.Fatal(err)
	}
	if _, err := token.Parse(strings.Replace(good, "PERSON", "PERSOM", 1)); err == nil {
		t.Fatal("another label has the same check characters")
	}
}
