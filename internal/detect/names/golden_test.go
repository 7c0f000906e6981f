package names_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect/names"
)

// golden are texts of our own: people in [], places in <>. They are of the kinds that the package speaks of.
var golden = []string{
	"Dear Mr. [Okonkwo],\nthank you for your letter.",
	"Dear Dr. [Anna Lindqvist], your appointment is confirmed.",
	"Dear [Ursula],\n\nthank you for the flowers.",
	"My name is [Krisztián Szöllösy] and my order has not arrived.",
	"my name is [tracy sukhorukova]",
	"Name: [Maria da Silva]\nDate: 12.03.2024",
	"Hi [Priya], could you check the invoice?",
	"Best regards,\n[Jonas Weidenfeller]\nSales",
	"Kind regards\n[Mary-Ann O'Sullivan]\n",
	"Please call [Jean-Luc Moreau] tomorrow.",
	"The contract was signed by [J. R. Hartmann] and [Ludwig van Beethoven].",
	"[Angela Merkel] met [Emmanuel Macron] in <Paris>.",
	"I spoke with [Sarah Connor] about the refund.",
	"Mrs. [Pemberton] called again about the leak.",
	"\"[Novak, Petra]\" <petra@example.org> wrote:",
	"From: [Daniel Kowalski]\nTo: [Ines Ferreira]",
	"We moved from <Hamburg> to <Copenhagen> last year.",
	"She was born in <Buenos Aires>, <Argentina>.",
	"The conference takes place in <San Francisco>.",
	"i live in <london> with my brother",
	"They flew to <New Zealand> via <Singapore>.",
	"My address is <12 Elm Street, Springfield, IL 62704>.",
	"Send it to <221B Baker Street, London NW1 6XE> please.",
	"Sie wohnt in der <Hauptstraße 15, 10827 Berlin>.",
	"Livraison : <12 rue Victor Hugo, 75016 Paris>.",
	"Our office is at <Via Roma 22, 20121 Milano, Italy>.",
	"Ship to <P.O. Box 1180, Tucson, AZ 85702>.",
	"<4711 Oak Ridge Drive\nApt. 12\nAustin, TX 78701>\n",
	"Deliver to <Keizersgracht 123, 1015 CJ Amsterdam>.",
	"my zip code is <94107>",
	"Army post: <PSC 1234, Box 5678\nAPO AE 09012>",
	"The shop is at <Calle Mayor 5, Madrid>.",
	"Ask [Oluwaseun] or [Fatima] for the key.",
	"[Giulia Bianchi] has been our accountant since 2019.",
	"The patient, [Harold Fitzgerald], is 72 years old.",
	"Please add [Mehmet Yilmaz] to the account.",
	"Her husband [Robert] works in <Chicago>.",
	"Account holder: [Svetlana Petrova]",
	"User: Hello\nBot: What is your name?\nUser: [Pedro Almodovar]",
	"[Ada Lovelace] wrote to [Charles Babbage]. [Lovelace] was right.",
	"Professor [Tanaka] teaches in <Kyoto>.",
	"Is [Beatrix] coming to the party on Friday?",
	// Nothing to find.
	"How can I reset my password?",
	"Please summarise the minutes of Tuesday's meeting in three paragraphs.",
	"func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {",
	"const MaxRetries = 5 // see Options.Timeout",
	"Write to john.smith@example.com or @john_smith.",
	"See https://example.com/users/maria-garcia for details.",
	"The Israeli and French delegations left early.",
	"The total amount is 1,250.00 EUR, due in 30 days.",
	"user_name = getUserName(first_name, last_name)",
	"In March 2024 the budget was approved.",
}

// parse takes the marks out of a golden text.
func parse(marked string) (text string, wanted []string) {
	var b strings.Builder
	for i := 0; i < len(marked); i++ {
		closer := byte(0)
		switch marked[i] {
		case '[':
			closer = ']'
		case '<':
			closer = '>'
		}
		end := -1
		if closer != 0 {
			end = strings.IndexByte(marked[i:], closer)
		}
		if end < 0 || strings.Contains(marked[i:i+end], "@") {
			b.WriteByte(marked[i])
			continue
		}
		class := names.Person
		if closer == '>' {
			class = names.Location
		}
		inner := marked[i+1 : i+end]
		wanted = append(wanted, fmt.Sprint(class, b.Len(), b.Len()+len(inner)))
		b.WriteString(inner)
		i += end
	}
	return b.String(), wanted
}

func list(tb testing.TB, m *names.Model, text string) []string {
	tb.Helper()
	var found []string
	for _, f := range find(tb, m, text) {
		if f.Score >= 0.5 && f.Class != names.Organization {
			found = append(found, fmt.Sprint(f.Class, f.Start, f.End))
		}
	}
	return found
}

// failer is what testing.T and rapid.T have in common here.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func find(tb failer, m *names.Model, text string) []names.Finding {
	tb.Helper()
	var found []names.Finding
	if err := m.Find(context.Background(), text, func(f names.Finding) { found = append(found, f) }); err != nil {
		tb.Fatal(err)
	}
	return found
}

// TestGolden has a floor instead of an exact outcome, since a model trained anew moves single cases.
func TestGolden(t *testing.T) {
	right := 0
	for _, marked := range golden {
		text, wanted := parse(marked)
		if found := list(t, names.Default(), text); slices.Equal(found, wanted) {
			right++
		} else {
			t.Logf("%q: found %v, wanted %v", text, found, wanted)
		}
	}
	t.Logf("%d of %d", right, len(golden))
	if len(golden) < 50 || right*100 < 85*len(golden) {
		t.Errorf("%d of %d texts right, below 85%%", right, len(golden))
	}
}
