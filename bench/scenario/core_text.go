package scenario

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// filler is what people write around the few values of a prompt. Detection finds nothing
// in it, which a test holds it to: the values of a text are those that it was given.
var filler = [...]string{
	"Could you have a look at the thread below and tell me what we should answer? ",
	"The customer says that the parcel came with a broken corner, and that the lid does not close any more. ",
	"We have already offered a replacement, but she would rather have her money back, which I think is fair. ",
	"Please keep the answer short, friendly and without any of the phrases that our lawyers like so much. ",
	"If the warehouse confirms that the box was damaged before it left, we take over the costs of the return as well. ",
	"I am not sure whether the guarantee covers this, since the terms were changed while the order was under way. ",
	"The invoice was sent twice, and the amounts differ by some cents; nobody here can explain why. ",
	"It would help to know if this has happened to others, or whether it is the first complaint of its kind. ",
	"Our usual way would be to send a label, wait for the goods and refund what was paid, without asking further. ",
	"There is also the question of the discount, which was promised on the phone and never written down. ",
	"I would suggest that we apologise once, and then say in plain words what happens next and how long it takes. ",
	"The shop shows the item as available again, although the supplier told us that it is gone for good. ",
	"When the refund has been booked, the customer should hear from us before the bank tells her. ",
	"Nothing of this is urgent, but it has been lying around for too long, and I want it off the table. ",
	"Somebody from the night shift wrote that the scanner at the gate had failed and labels were written by hand. ",
	"The second paragraph of our template does not fit here at all, so leave it out or write another one. ",
	"She has been with us for many years and never complained, so a small gesture would not be wrong. ",
	"What I do not want is another round of questions about photographs and packaging material. ",
	"As far as I can see the return was announced in time, only the form was not the one that we ask for. ",
	"Tell me as well if you think that we should change the text in the help pages, which is hard to follow. ",
}

var givenNames = [...]string{
	"Anna", "Peter", "Maria", "Thomas", "Sarah", "Michael", "Laura", "Daniel", "Julia", "David",
	"Emma", "Robert", "Sophie", "James", "Katharina", "Martin", "Elena", "Oliver", "Charlotte", "Stefan",
	"Susan", "Andreas", "Linda", "Matthias", "Patricia", "Christian", "Barbara", "Alexander", "Jennifer", "Sebastian",
	"Jessica", "Benjamin", "Karen", "Johannes", "Nancy", "Philipp", "Margaret", "Florian", "Sandra", "Tobias",
}

var familyNames = [...]string{
	"Schneider", "Johnson", "Fischer", "Williams", "Weber", "Robinson", "Wagner", "Thompson", "Becker", "Anderson",
	"Hoffmann", "Peterson", "Schulz", "Harrison", "Koch", "Richardson", "Bauer", "Mitchell", "Richter", "Campbell",
	"Zimmermann", "Edwards", "Hartmann", "Collins", "Krause", "Stewart", "Lehmann", "Morgan", "Schmitt", "Murphy",
	"Neumann", "Bailey", "Kaiser", "Rogers", "Vogel", "Cooper", "Friedrich", "Sanders", "Ludwig", "Henderson",
}

// A message of a chat is filled up to about so many bytes: the one of a chat that is sent
// once, with its envelope 2 KB in all, and those of a chat that grows.
const (
	longMessage  = 1900
	shortMessage = 300
)

// message is a text of about size bytes that holds so many values, at most five, and the
// values. It depends on number and nothing else, and no two are alike: the values are
// made of it.
func message(into *strings.Builder, number int64, size, count int) (planted []string) {
	rng := rand.New(rand.NewPCG(uint64(number), 9)) //nolint:gosec // texts, not secrets
	start := into.Len()
	step := size / (count + 1)
	for i := range count {
		pad(into, rng, start+(i+1)*step)
		planted = append(planted, plant(into, rng, number, i))
	}
	pad(into, rng, start+size)
	return planted
}

func pad(into *strings.Builder, rng *rand.Rand, until int) {
	for into.Len() < until {
		into.WriteString(filler[rng.IntN(len(filler))])
	}
}

// plant writes a sentence with a value, and returns the value.
func plant(into *strings.Builder, rng *rand.Rand, number int64, i int) string {
	name := givenNames[rng.IntN(len(givenNames))] + " " + familyNames[rng.IntN(len(familyNames))]
	var before, value, after string
	switch i {
	case 0:
		before, value, after = "Her address is ", fmt.Sprintf("%s.%d@example.com", strings.ToLower(strings.ReplaceAll(name, " ", ".")), number), ", please write to her there. "
	case 1:
		before, value, after = "The order was placed by ", name, ", who picked it up as well. "
	case 2:
		before, value, after = "She can be called at ", fmt.Sprintf("+49 30 9%07d", number%10_000_000), " when the shop is open. "
	case 3:
		before, value, after = "The money goes to the account ", iban(number), " as agreed. "
	default:
		before, value, after = "My colleague ", name, " has talked to her before. "
	}
	into.WriteString(before)
	into.WriteString(value)
	into.WriteString(after)
	return value
}

// iban is a German account number whose check digits are right.
func iban(number int64) string {
	account := number % 10_000_000_000
	const bank = 10010010
	// ISO 7064 mod 97-10 over the bank, the account, DE as 1314 and two zeros.
	rest := (int64(bank)%97*(10_000_000_000%97) + account%97) % 97
	rest = (rest*(1_000_000%97) + 131400%97) % 97
	return fmt.Sprintf("DE%02d%d%010d", 98-rest, bank, account)
}
